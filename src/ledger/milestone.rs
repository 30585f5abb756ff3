//! Where goods are, from what everybody told (R66): events are kept as they came; a book of words, as data, says what each
//! means, and a new entry holds for all events of the past too.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use super::tracking::{EventStatus, TrackingEvent};
use crate::declared::Sections;
use crate::problem::Problem;

const SHIPPED: &str = include_str!("../../config/milestones.toml");
const VERSION: i64 = 1;
/// A clock that goes wrong by less than this is forgiven.
const FUTURE_HOURS: i64 = 24;

/// A point on the way, or a clock that somebody set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    Booked,
    DocumentCutOff,
    WeightCutOff,
    CargoCutOff,
    PickedUp,
    AtOrigin,
    ExportFiled,
    ExportAccepted,
    ExportExam,
    ExportReturned,
    ExportReleased,
    ExportClosed,
    IsfFiled,
    IsfStuffingFiled,
    Loaded,
    Departed,
    Transshipped,
    Arrived,
    Discharged,
    EntryFiled,
    CustomsExam,
    CustomsHold,
    CustomsReleased,
    DutyPaid,
    GateOut,
    Appointment,
    OutForDelivery,
    Delivered,
}

impl Milestone {
    pub const ALL: [Self; 28] = [
        Self::Booked,
        Self::DocumentCutOff,
        Self::WeightCutOff,
        Self::CargoCutOff,
        Self::PickedUp,
        Self::AtOrigin,
        Self::ExportFiled,
        Self::ExportAccepted,
        Self::ExportExam,
        Self::ExportReturned,
        Self::ExportReleased,
        Self::ExportClosed,
        Self::IsfFiled,
        Self::IsfStuffingFiled,
        Self::Loaded,
        Self::Departed,
        Self::Transshipped,
        Self::Arrived,
        Self::Discharged,
        Self::EntryFiled,
        Self::CustomsExam,
        Self::CustomsHold,
        Self::CustomsReleased,
        Self::DutyPaid,
        Self::GateOut,
        Self::Appointment,
        Self::OutForDelivery,
        Self::Delivered,
    ];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::DocumentCutOff => "document_cut_off",
            Self::WeightCutOff => "weight_cut_off",
            Self::CargoCutOff => "cargo_cut_off",
            Self::PickedUp => "picked_up",
            Self::AtOrigin => "at_origin",
            Self::ExportFiled => "export_filed",
            Self::ExportAccepted => "export_accepted",
            Self::ExportExam => "export_exam",
            Self::ExportReturned => "export_returned",
            Self::ExportReleased => "export_released",
            Self::ExportClosed => "export_closed",
            Self::IsfFiled => "isf_filed",
            Self::IsfStuffingFiled => "isf_stuffing_filed",
            Self::Loaded => "loaded",
            Self::Departed => "departed",
            Self::Transshipped => "transshipped",
            Self::Arrived => "arrived",
            Self::Discharged => "discharged",
            Self::EntryFiled => "entry_filed",
            Self::CustomsExam => "customs_exam",
            Self::CustomsHold => "customs_hold",
            Self::CustomsReleased => "customs_released",
            Self::DutyPaid => "duty_paid",
            Self::GateOut => "gate_out",
            Self::Appointment => "appointment",
            Self::OutForDelivery => "out_for_delivery",
            Self::Delivered => "delivered",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|milestone| milestone.code() == code)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    milestone: String,
    /// The whole kind, as its teller writes it; capitals and blanks around it do not count.
    #[serde(default)]
    is: Vec<String>,
    /// A part of the kind or the text, of those that no other entry names whole.
    #[serde(default)]
    contains: Vec<String>,
}

/// What tellers' words mean.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    whole: BTreeMap<String, Milestone>,
    /// The longest first: "customs released" before "customs".
    parts: Vec<(String, Milestone)>,
}

fn plain(text: &str) -> String {
    text.trim().to_lowercase()
}

impl Words {
    /// The words that ship with linkstar.
    ///
    /// # Errors
    /// Never with the file this program was built with (a test reads it).
    pub fn shipped() -> Result<Self, Vec<Problem>> {
        Self::default().and(SHIPPED, "milestones.toml")
    }

    /// These, and those of a file, which win.
    ///
    /// # Errors
    /// Everything that is wrong with the file, at once.
    pub fn and(mut self, text: &str, file: &str) -> Result<Self, Vec<Problem>> {
        let mut sections = Sections::parse(file, text)?;
        sections.expect_version(VERSION);
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (place, written) in sections.take_each::<Written>("means").into_iter().enumerate() {
            let field = |name: &str| format!("means[{}].{name}", place + 1);
            let Some(milestone) = Milestone::parse(plain(&written.milestone).as_str()) else {
                let known = Milestone::ALL.map(Milestone::code).join(", ");
                sections.fault(&field("milestone"), &written.milestone, format!("one of {known}"));
                continue;
            };
            if written.is.is_empty() && written.contains.is_empty() {
                sections.fault(&field("is"), "", "at least one word in `is` or `contains`");
            }
            for (name, words) in [("is", &written.is), ("contains", &written.contains)] {
                for word in words {
                    let key = plain(word);
                    if key.is_empty() {
                        sections.fault(&field(name), word, "a word");
                    } else if let Some(first) = seen.insert(format!("{name} {key}"), place + 1) {
                        sections.fault(
                            &field(name),
                            word,
                            format!("one meaning each; means[{first}] has it"),
                        );
                    } else if name == "is" {
                        self.whole.insert(key, milestone);
                    } else {
                        self.parts.retain(|(part, _)| *part != key);
                        self.parts.push((key, milestone));
                    }
                }
            }
        }
        sections.finish(&["version", "means"])?;
        self.parts.sort_by(|a, b| {
            (std::cmp::Reverse(a.0.chars().count()), &a.0)
                .cmp(&(std::cmp::Reverse(b.0.chars().count()), &b.0))
        });
        Ok(self)
    }

    /// What an event means; `None` when nobody has said.
    #[must_use]
    pub fn meaning(&self, event: &TrackingEvent) -> Option<Milestone> {
        self.means(&event.kind, event.text.as_deref())
    }

    /// What the words of an event mean.
    #[must_use]
    pub fn means(&self, kind: &str, text: Option<&str>) -> Option<Milestone> {
        let kind = plain(kind);
        if let Some(milestone) = Milestone::parse(&kind).or_else(|| self.whole.get(&kind).copied()) {
            return Some(milestone);
        }
        let text = plain(text.unwrap_or_default());
        self.parts
            .iter()
            .find(|(part, _)| kind.contains(part) || text.contains(part))
            .map(|(_, milestone)| *milestone)
    }
}

/// Where an order's goods go from and to: the same words elsewhere mean a stop on the way.
#[derive(Debug, Clone, Copy, Default)]
pub struct Route<'a> {
    /// UN/LOCODE of the ports, empty where they are not known.
    pub from: &'a str,
    pub to: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reached {
    pub at: DateTime<Utc>,
    pub place: Option<String>,
    pub source: crate::ids::SourceId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    pub at: DateTime<Utc>,
    pub status: EventStatus,
    pub told_at: Option<DateTime<Utc>>,
}

/// Why an event is kept and not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aside {
    /// Nobody has said what its words mean.
    Unknown,
    /// It says that it has happened, at a time still to come.
    Future,
    /// From before the order was.
    BeforeOrder,
}

/// The story of one order's goods.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Story {
    pub reached: BTreeMap<Milestone, Reached>,
    /// Of what is not reached yet: the newest estimate, else the newest schedule.
    pub expected: BTreeMap<Milestone, Expected>,
    /// Of the voyage last told.
    pub vessel: Option<String>,
    /// In the order of time: kind and text as told.
    pub aside: Vec<(Aside, DateTime<Utc>, String)>,
}

impl Story {
    /// When it happened, or is expected to.
    #[must_use]
    pub fn at(&self, milestone: Milestone) -> Option<DateTime<Utc>> {
        let reached = self.reached.get(&milestone).map(|reached| reached.at);
        reached.or_else(|| self.expected.get(&milestone).map(|expected| expected.at))
    }

    /// Held or examined by customs, and not released since.
    #[must_use]
    pub fn in_customs(&self) -> Option<DateTime<Utc>> {
        let at = |milestone| self.reached.get(&milestone).map(|reached: &Reached| reached.at);
        let held = at(Milestone::CustomsHold).max(at(Milestone::CustomsExam))?;
        (at(Milestone::CustomsReleased).is_none_or(|released| released < held)).then_some(held)
    }
}

/// Puts the story together. The order of the events, and one told twice, do not matter.
#[must_use]
pub fn story(
    events: &[TrackingEvent],
    words: &Words,
    route: Route<'_>,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Story {
    let mut events: Vec<&TrackingEvent> = events.iter().collect();
    events.sort_by(|a, b| (a.at, &a.source, &a.key).cmp(&(b.at, &b.source, &b.key)));
    events.dedup_by(|a, b| (&a.source, &a.key) == (&b.source, &b.key));
    let mut found = Story::default();
    let mut voyage: Option<(DateTime<Utc>, String)> = None;
    for event in &events {
        let words_of = || {
            let text = event.text.as_deref().unwrap_or_default();
            format!("{} {text}", event.kind).trim().to_owned()
        };
        let Some(meaning) = words.meaning(event) else {
            found.aside.push((Aside::Unknown, event.at, words_of()));
            continue;
        };
        let actual = event.status == EventStatus::Actual && !set_by_somebody(meaning);
        if actual && event.at > now + Duration::hours(FUTURE_HOURS) {
            found.aside.push((Aside::Future, event.at, words_of()));
            continue;
        }
        if actual && event.at < since {
            found.aside.push((Aside::BeforeOrder, event.at, words_of()));
            continue;
        }
        let elsewhere = |port: &str| {
            let place = event.place.as_deref().unwrap_or_default();
            is_port(port) && is_port(place) && !place.eq_ignore_ascii_case(port)
        };
        // An empty container passes gates too, at the other end of the way.
        if (meaning == Milestone::GateOut && elsewhere(route.to))
            || (meaning == Milestone::AtOrigin && elsewhere(route.from))
        {
            continue;
        }
        let meaning = match meaning {
            Milestone::Departed | Milestone::Loaded if elsewhere(route.from) => Milestone::Transshipped,
            Milestone::Arrived | Milestone::Discharged if elsewhere(route.to) => Milestone::Transshipped,
            meaning => meaning,
        };
        if let Some(vessel) = &event.vessel {
            let name = match &event.voyage {
                Some(number) => format!("{vessel} {number}"),
                None => vessel.clone(),
            };
            let told = event.told_at.unwrap_or(event.at);
            if voyage.as_ref().is_none_or(|(known, _)| told >= *known) {
                voyage = Some((told, name));
            }
        }
        if actual {
            let reached = Reached {
                at: event.at,
                place: event.place.clone(),
                source: event.source.clone(),
            };
            // The first word of it counts, but what customs do may be done more than once.
            if may_repeat(meaning) {
                found.reached.insert(meaning, reached);
            } else {
                found.reached.entry(meaning).or_insert(reached);
            }
        } else {
            expect(&mut found.expected, meaning, event);
        }
    }
    found.vessel = voyage.map(|(_, name)| name);
    let Story {
        reached, expected, ..
    } = &mut found;
    expected.retain(|milestone, _| !reached.contains_key(milestone));
    found
}

/// A cut-off or slot is a time that somebody named, whatever the teller calls it.
fn set_by_somebody(milestone: Milestone) -> bool {
    matches!(
        milestone,
        Milestone::DocumentCutOff | Milestone::WeightCutOff | Milestone::CargoCutOff | Milestone::Appointment
    )
}

fn may_repeat(milestone: Milestone) -> bool {
    matches!(
        milestone,
        Milestone::ExportFiled
            | Milestone::ExportExam
            | Milestone::ExportReturned
            | Milestone::CustomsExam
            | Milestone::CustomsHold
            | Milestone::CustomsReleased
            | Milestone::Transshipped
    )
}

/// What was told last holds; told at the same time, or at no time, an estimate before a schedule and the later one.
fn expect(expected: &mut BTreeMap<Milestone, Expected>, milestone: Milestone, event: &TrackingEvent) {
    let new = Expected {
        at: event.at,
        status: event.status,
        told_at: event.told_at,
    };
    let rank = |one: &Expected| (one.told_at, one.status, one.at);
    let known = expected.entry(milestone).or_insert_with(|| new.clone());
    if rank(&new) > rank(known) {
        *known = new;
    }
}

/// Five letters and digits: two of a country, three of a place. Names of towns are compared with nothing.
fn is_port(text: &str) -> bool {
    text.len() == 5
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().take(2).all(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests;
pub mod way;
