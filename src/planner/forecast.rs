//! What one item's history says of its coming demand.

use super::context::{Context, WarehouseContext, known_days};
use super::demand::{History, Interval, LeadSlices, Levels, Spread, TUNING, shape};
use super::history::analogue::Group;
use super::history::class::{LifeCycle, NEW_DAYS};
use super::history::contest::{Contested, contest};
use super::history::{Adjusted, adjust};
use super::models::{DemandPattern, velocities};
use super::snapshot::ItemSeries;
use super::supply::joint::JointBuffers;

/// Memory a thread uses for one line after the other.
#[derive(Default)]
pub struct Buffers {
    pub history: History,
    pub joint: JointBuffers,
    days: Vec<(usize, f64)>,
    raw: Vec<(usize, f64)>,
}

/// What is known of demand.
#[derive(Debug, Clone, Default)]
pub struct DemandView {
    pub velocity_7: Option<f64>,
    pub velocity_30: Option<f64>,
    pub velocity_90: Option<f64>,
    /// In-stock days with data that were used.
    pub days_used: i64,
    pub out_of_stock_days: i64,
    pub gap_days: i64,
    pub demand_days: i64,
    /// The level against the whole history's.
    pub trend: f64,
    /// Season divided out, trend put in.
    pub level: f64,
    /// What the level is made of.
    pub levels: Levels,
    /// How far demand strays from the level.
    pub spread: Spread,
    /// Units taken off single extreme days.
    pub outlier_units: i64,
    /// How it sells, and where it stands in its life.
    pub pattern: Option<DemandPattern>,
    pub life: LifeCycle,
    /// Items alike, the rate made with theirs, and the weight of its own days: of a new item.
    pub group: Option<(Group, f64)>,
    /// The published models against our level, where the policy asks for it.
    pub contested: Option<Box<Contested>>,
    /// Promotions, bulk orders, rules and overrides.
    pub adjusted: Option<Box<Adjusted>>,
    /// Lower and upper demand against the expected one at the anchors.
    edges: [(f64, f64); ANCHORS.len()],
}

/// Days ahead at which the spread of demand is measured; between them it is interpolated.
const ANCHORS: [u16; 3] = [14, 45, 120];
/// A day of more than so many times the mean of the other days with sales is cut to that, and the cut is shown.
const OUTLIER_TIMES: f64 = 50.0;
const OUTLIER_LEAST_DAYS: usize = 10;

/// None when no in-stock day has data: a velocity of nothing is unknown, not zero.
pub fn learn_demand(
    item: &ItemSeries,
    context: &Context<'_>,
    warehouse: &WarehouseContext<'_>,
    buffers: &mut Buffers,
) -> Option<DemandView> {
    let wanted = usize::try_from(context.policy.history_days.clamp(1, 731)).unwrap_or(365);
    buffers.days.clear();
    for (back, units) in known_days(item, context.as_of, LONGEST_HISTORY).take(wanted) {
        buffers.days.push((back, f64::from(units)));
    }
    let oldest = buffers.days.last()?.0;
    let newest = known_days(item, context.as_of, LONGEST_HISTORY).take(wanted);
    let [_, velocity_7, _, velocity_30, _, velocity_90] = velocities(newest.map(|(_, units)| units));
    let mut out_of_stock = 0;
    let end = (context.as_of - item.sales.first_day).num_days();
    if !item.sales.in_stock.is_empty() {
        for back in 1..=oldest {
            let index = usize::try_from(end - back as i64).unwrap_or(usize::MAX);
            out_of_stock += i64::from(item.sales.out_of_stock(index));
        }
    }
    let days_used = buffers.days.len() as i64;
    let index = &context.demand;
    let mut adjusted = None;
    if !index.is_empty() {
        buffers.raw.clone_from(&buffers.days);
        adjusted = Some(adjust(item, index, context.as_of, &mut buffers.days));
    }
    let outlier_units = cut_outliers(&mut buffers.days);
    let back = &warehouse.season_back;
    buffers.history.load(
        buffers
            .days
            .iter()
            .map(|(days, units)| (*units, back.get(days - 1).copied().unwrap_or(1.0))),
    );
    let history = &buffers.history;
    let levels = history.levels(&TUNING);
    let long = history.long_level();
    let life = LifeCycle::of(history.weeks(), buffers.days.len());
    let mut rate = levels.level;
    let mut group = None;
    let contested = context.policy.tournament.then(|| {
        let lead = warehouse.lanes.first().map_or(0, |lane| lane.total_at(500));
        let target = item.service_permille.unwrap_or(context.policy.service_permille);
        contest(history, context.policy.review_days + lead, target.clamp(1, 999))
    });
    let contested = contested.flatten().map(Box::new);
    if let Some(found) = contested.as_ref().filter(|found| found.used) {
        rate = found.rate;
    }
    if buffers.days.len() < NEW_DAYS
        && let Some(alike) = warehouse.groups.of(item, index)
    {
        let (mixed, weight) = alike.rate_of(rate, buffers.days.len() as f64);
        rate = mixed;
        group = Some((alike, weight));
    }
    if let Some(adjusted) = &mut adjusted {
        let ahead = &warehouse.season_ahead;
        rate = adjusted.look_ahead(item, index, context.as_of, rate, &buffers.raw, ahead);
    }
    let mut view = DemandView {
        pattern: history.pattern(),
        life,
        group,
        contested,
        adjusted: adjusted.filter(|adjusted| !adjusted.is_empty()).map(Box::new),
        velocity_7,
        velocity_30,
        velocity_90,
        days_used,
        out_of_stock_days: out_of_stock,
        gap_days: oldest as i64 - days_used - out_of_stock,
        demand_days: history.demand_days() as i64,
        trend: if long > 0.0 { levels.level / long } else { 1.0 },
        level: rate,
        levels,
        spread: history.spread(&TUNING),
        outlier_units,
        edges: [(1.0, 1.0); ANCHORS.len()],
    };
    if view.level > 0.0 {
        for (edge, anchor) in view.edges.iter_mut().zip(ANCHORS) {
            let variation = view.spread.variation(f64::from(anchor));
            let at = |z: f64| shape(variation, TUNING.tail, z);
            *edge = (at(-Z90).min(1.0), at(Z90).max(1.0));
        }
    }
    Some(view)
}

/// One in ten lies beyond it.
const Z90: f64 = 1.281_551_565_544_600_4;

/// Days searched back to fill the history with in-stock days.
pub const LONGEST_HISTORY: usize = 1_500;

fn cut_outliers(days: &mut [(usize, f64)]) -> i64 {
    let (mut total, mut sold_days, mut largest) = (0.0, 0_usize, 0.0_f64);
    for (_, units) in days.iter() {
        total += units;
        sold_days += usize::from(*units > 0.0);
        largest = largest.max(*units);
    }
    if sold_days < OUTLIER_LEAST_DAYS {
        return 0;
    }
    let cap = (OUTLIER_TIMES * (total - largest) / (sold_days - 1) as f64).round();
    if largest <= cap {
        return 0;
    }
    let mut cut = 0.0;
    for (_, units) in days.iter_mut() {
        if *units > cap {
            cut += *units - cap;
            *units = cap;
        }
    }
    cut as i64
}

impl DemandView {
    /// Running sums of the factors ahead: the warehouse's, unless something holds for this line alone.
    #[must_use]
    pub fn ahead<'a>(&'a self, season_ahead: &'a [f64]) -> &'a [f64] {
        let own = self
            .adjusted
            .as_ref()
            .and_then(|adjusted| adjusted.ahead.as_deref());
        own.unwrap_or(season_ahead)
    }

    /// Demand over review and lead time.
    #[must_use]
    pub fn over(&self, lead: &LeadSlices, review: i64, season_ahead: &[f64]) -> Interval {
        Interval::new(lead, review, self.level, &self.spread, self.ahead(season_ahead))
    }

    /// Expected demand of a day ahead.
    #[must_use]
    pub fn expected(&self, season_ahead: &[f64], day: usize) -> f64 {
        let season_ahead = self.ahead(season_ahead);
        let day = day.min(season_ahead.len().saturating_sub(2));
        self.level * (season_ahead[day + 1] - season_ahead[day])
    }

    /// Cumulative demand of the first `days` days at the upper or lower edge of what is likely.
    #[must_use]
    pub fn cumulative(&self, season_ahead: &[f64], days: usize, upper: bool) -> f64 {
        let (low, high) = self.edges_at(days);
        self.level * self.ahead(season_ahead)[days] * if upper { high } else { low }
    }

    fn edges_at(&self, days: usize) -> (f64, f64) {
        let stretches = self.stretches();
        let stretch = stretches.iter().find(|stretch| days < stretch.until);
        stretch.map_or((1.0, 1.0), |stretch| stretch.edges(days))
    }

    /// The edges against expected demand, between the anchors straight lines.
    #[must_use]
    pub fn stretches(&self) -> [Stretch; ANCHORS.len() + 1] {
        std::array::from_fn(|place| {
            let from = place.saturating_sub(1);
            let to = place.min(ANCHORS.len() - 1);
            let length = f64::from(ANCHORS[to] - ANCHORS[from]).max(1.0);
            let ((low, high), (next_low, next_high)) = (self.edges[from], self.edges[to]);
            Stretch {
                until: ANCHORS
                    .get(place)
                    .map_or(usize::MAX, |until| usize::from(*until) + 1),
                from: f64::from(ANCHORS[from]),
                low: (low, (next_low - low) / length),
                high: (high, (next_high - high) / length),
            }
        })
    }
}

/// Days over which the edges of demand lie on straight lines.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// The first day that is not in it.
    pub until: usize,
    from: f64,
    /// At its beginning, and what a day adds.
    low: (f64, f64),
    high: (f64, f64),
}

impl Stretch {
    /// The lower and the upper edge.
    #[must_use]
    pub fn edges(&self, days: usize) -> (f64, f64) {
        let days = days as f64 - self.from;
        (self.low.0 + days * self.low.1, self.high.0 + days * self.high.1)
    }
}
