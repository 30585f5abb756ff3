//! A shipment as it really is: when it moves, what is really in its cartons and how the warehouse counts it.

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, Timelike as _, Utc};
use chrono_tz::Europe::London;
use serde::Serialize;

use super::draw::Draw;
use super::faults;
use super::market::Place;
use crate::order::model::Mode;

/// What went wrong with a line, decided when the shipment was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Less in the cartons than announced, never to be found.
    Short,
    /// Not counted at first, found in the warehouse within 30 days.
    LateFound,
    /// More in the cartons than announced.
    Over,
    Damaged,
    /// Units of another line's SKU packed instead.
    WrongSku,
    CartonLost,
    /// Counted too many, taken back by a negative correction.
    Miscount,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Injected {
    pub fault: Fault,
    /// Master units, positive; for [`Fault::WrongSku`] negative on the line that has less than announced.
    pub units: i64,
}

/// One line of a shipment. At every instant
/// `loaded = moving + dock + put_away + damaged + missing` and `reported = dock + put_away + damaged + phantom`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The code our papers used for the good; reports of the forwarder repeat it.
    pub code: String,
    pub good: usize,
    pub announced: i64,
    /// Really in the cartons.
    pub loaded: i64,
    pub moving: i64,
    /// Counted, not yet on a shelf.
    pub dock: i64,
    pub put_away: i64,
    pub damaged: i64,
    /// Not there when receiving ended.
    pub missing: i64,
    /// Counted but not there, until the correction.
    pub phantom: i64,
    pub injected: Vec<Injected>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Carton {
    pub mark: String,
    /// Index of the line, and master units announced.
    pub contents: Vec<(usize, i64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    Received,
    PutAway,
    Damaged,
}

impl ReceiptKind {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::PutAway => "put_away",
            Self::Damaged => "damaged",
        }
    }
}

/// One row of a receipt as the warehouse reports it, in master units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub at: DateTime<Utc>,
    pub carton: usize,
    pub line: usize,
    pub kind: ReceiptKind,
    pub units: i64,
}

/// A count to come: at `at` the units reach the dock, at `shelved_at` they leave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    pub at: DateTime<Utc>,
    pub shelved_at: DateTime<Utc>,
    pub carton: usize,
    pub line: usize,
    pub good: i64,
    pub damaged: i64,
    /// Counted on top of what is there; negative in the correction.
    pub phantom: i64,
    /// Comes out of `missing` instead of `moving`.
    pub found_late: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Milestone {
    pub stage: &'static str,
    pub at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub struct Shipment {
    pub order: String,
    pub place: Place,
    pub mode: Mode,
    pub announced_at: DateTime<Utc>,
    /// Number of the inbound at the warehouse.
    pub inbound_no: String,
    pub milestones: Vec<Milestone>,
    pub lines: Vec<Line>,
    pub cartons: Vec<Carton>,
    pub counts: Vec<Count>,
    /// When receiving ends and what is missing is known.
    pub closes_at: DateTime<Utc>,
    pub closed: bool,
    pub receipts: Vec<Receipt>,
    pub updated_at: DateTime<Utc>,
    pub handed_over: bool,
}

impl Shipment {
    #[must_use]
    pub fn milestone(&self, stage: &str) -> Option<DateTime<Utc>> {
        self.milestones
            .iter()
            .find(|milestone| milestone.stage == stage)
            .map(|milestone| milestone.at)
    }
}

/// Ranges (10th, 90th percentile) in days of the stages between hand-over and delivery.
/// Sources: the table in docs/world.md.
fn stages(mode: Mode) -> [(&'static str, f64, f64); 5] {
    match mode {
        Mode::Air | Mode::Express => [
            ("export_cleared", 0.7, 1.5),
            ("departed", 0.6, 1.6),
            ("arrived", 1.0, 2.5),
            ("import_cleared", 0.7, 1.8),
            ("delivered", 0.8, 1.9),
        ],
        Mode::Rail | Mode::Truck => [
            ("export_cleared", 0.5, 1.5),
            ("departed", 1.0, 3.0),
            ("arrived", 13.0, 17.0),
            ("import_cleared", 1.0, 2.0),
            ("delivered", 1.5, 3.0),
        ],
        Mode::Sea => [
            ("export_cleared", 0.5, 1.5),
            ("departed", 5.0, 15.0),
            ("arrived", 20.0, 35.0),
            ("import_cleared", 1.5, 4.0),
            ("delivered", 3.0, 5.0),
        ],
    }
}

fn days(count: f64) -> Duration {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "some months of minutes fit an i64"
    )]
    let minutes = (count * 1440.0).round() as i64;
    Duration::minutes(minutes.max(1))
}

/// August to October, and the three weeks before the Chinese New Years of 2025 to 2027: bookings are rolled.
fn peak(date: NaiveDate) -> bool {
    const NEW_YEARS: [(i32, u32, u32); 3] = [(2025, 1, 29), (2026, 2, 17), (2027, 2, 6)];
    let before_new_year = NEW_YEARS.iter().any(|(year, month, day)| {
        NaiveDate::from_ymd_opt(*year, *month, *day)
            .is_some_and(|new_year| (0..21).contains(&(new_year - date).num_days()))
    });
    (8..=10).contains(&date.month()) || before_new_year
}

/// When each stage ends. Sea shipments that leave in one week share their vessel's delay.
#[must_use]
pub fn milestones(seed: u64, order: &str, mode: Mode, ready_at: DateTime<Utc>) -> Vec<Milestone> {
    let mut draw = Draw::new(seed, &["stages", order]);
    // Collected on the day after, or the one after that.
    let mut at = ready_at + days(draw.lognormal(0.6, 1.6));
    let mut passed = vec![Milestone {
        stage: "handed_over",
        at,
    }];
    for (stage, low, high) in stages(mode) {
        let mut took = draw.lognormal(low, high);
        match (stage, mode) {
            ("export_cleared", _) if draw.chance(0.02) => took += draw.lognormal(7.0, 14.0),
            ("import_cleared", _) if draw.chance(0.05) => took += draw.lognormal(15.0, 40.0),
            ("departed", Mode::Sea) => {
                let rolled = if peak(at.date_naive()) { 0.35 } else { 0.15 };
                if draw.chance(rolled) {
                    took += 7.0;
                }
            }
            ("arrived", Mode::Sea) => {
                let week = at.iso_week();
                let vessel = format!("{}-{}", week.year(), week.week());
                took = Draw::new(seed, &["vessel", &vessel]).lognormal(low, high);
            }
            _ => {}
        }
        at += days(took);
        passed.push(Milestone { stage, at });
    }
    passed
}

/// Moves an instant into the warehouse's working hours (07:00 to 18:59 London), on a weekday.
pub fn working(at: DateTime<Utc>) -> DateTime<Utc> {
    let mut at = at;
    for _ in 0..(24 * 8) {
        let local = at.with_timezone(&London);
        if (7..19).contains(&local.hour()) && local.weekday().number_from_monday() <= 5 {
            return at;
        }
        at += Duration::hours(1);
    }
    at
}

/// What is asked of the world when an order is handed to the forwarder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    pub order: String,
    pub place: Place,
    pub mode: Mode,
    /// The pickup the papers ask for; the goods are still being made until then.
    pub ready_at: Option<DateTime<Utc>>,
    /// Code as on our papers, index of the good, master units.
    pub lines: Vec<(String, usize, i64)>,
    pub cartons: Vec<Carton>,
}

/// Decides everything that will happen to a shipment. `multiples` are the warehouse's pack sizes per line.
#[must_use]
pub fn dispatch(
    seed: u64,
    rates: faults::FaultRates,
    announcement: Announcement,
    inbound_no: String,
    announced_at: DateTime<Utc>,
    multiples: &[i64],
) -> Shipment {
    let Announcement {
        order,
        place,
        mode,
        ready_at,
        lines,
        cartons,
    } = announcement;
    let ready_at = ready_at.unwrap_or(announced_at).max(announced_at);
    let milestones = milestones(seed, &order, mode, ready_at);
    let delivered = milestones.last().map_or(announced_at, |milestone| milestone.at);
    let mut draw = Draw::new(seed, &["receiving", &order]);
    let (queue, shelf) = match place {
        Place::Amazon => ((1.5, 4.5), (0.5, 2.0)),
        Place::Goodcang => ((0.8, 2.0), (0.8, 2.5)),
    };
    let opened = working(delivered + days(draw.lognormal(queue.0, queue.1)));
    let wave_count = draw
        .between(1, 3)
        .min(i64::try_from(cartons.len()).unwrap_or(1))
        .max(1);
    let mut waves = Vec::new();
    let mut at = opened;
    for _ in 0..wave_count {
        let shelved = working(at + days(draw.lognormal(shelf.0, shelf.1)));
        waves.push((at, shelved));
        at = working(at + Duration::minutes(draw.between(5 * 60, 32 * 60)));
    }
    let mut shipment = Shipment {
        order,
        place,
        mode,
        announced_at,
        inbound_no,
        milestones,
        lines: lines
            .into_iter()
            .map(|(code, good, announced)| Line {
                code,
                good,
                announced,
                loaded: announced,
                moving: announced,
                dock: 0,
                put_away: 0,
                damaged: 0,
                missing: 0,
                phantom: 0,
                injected: Vec::new(),
            })
            .collect(),
        counts: Vec::new(),
        closes_at: waves.last().map_or(opened, |(at, _)| *at) + Duration::hours(1),
        closed: false,
        receipts: Vec::new(),
        updated_at: announced_at,
        handed_over: false,
        cartons,
    };
    shipment.counts = first_counts(&shipment, &waves, multiples, &mut draw);
    faults::inject(seed, rates, &mut shipment, multiples);
    shipment
        .counts
        .retain(|count| count.good != 0 || count.damaged != 0 || count.phantom != 0);
    shipment
}

/// The counts of a faultless receiving: every carton in one wave, a few cartons counted in two goes.
fn first_counts(
    shipment: &Shipment,
    waves: &[(DateTime<Utc>, DateTime<Utc>)],
    multiples: &[i64],
    draw: &mut Draw,
) -> Vec<Count> {
    let mut counts = Vec::new();
    for (carton, contents) in shipment.cartons.iter().enumerate() {
        let wave = carton * waves.len() / shipment.cartons.len().max(1);
        let Some((at, shelved_at)) = waves.get(wave).copied() else {
            continue;
        };
        let at = at + Duration::seconds(i64::try_from(carton).unwrap_or(0) % 1800);
        for (line, units) in contents.contents.iter().copied() {
            let count = |at, good| Count {
                at,
                shelved_at,
                carton,
                line,
                good,
                damaged: 0,
                phantom: 0,
                found_late: false,
            };
            // A pallet counted before and after the break: two rows for one carton, whole packs in each.
            let pack = multiples.get(line).copied().unwrap_or(1).max(1);
            let early = units / pack / 3 * pack;
            if early > 1 && draw.chance(0.08) {
                counts.push(count(at, early));
                counts.push(count(at + Duration::minutes(35), units - early));
            } else {
                counts.push(count(at, units));
            }
        }
    }
    counts
}
