//! Who seems to be responsible (R68): whoever took the goods after the last hand-over that is known to have been clean. A proposal
//! with its rule; where the evidence does not say, it says what is missing, and where it speaks against itself, what the conflict is.

mod timing;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Party;
use super::evidence::Paper;
use crate::wording::{Lang, text};

pub use timing::{Hold, Timing, propose_timing};

/// Where cartons are counted, in the order of their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Point {
    /// Scanned when they were packed.
    Packed,
    /// Taken over by the forwarder.
    PickedUp,
    /// Signed for at the warehouse's door.
    Delivered,
    /// Counted inside.
    Counted,
}

impl Point {
    pub const ALL: [Self; 4] = [Self::Packed, Self::PickedUp, Self::Delivered, Self::Counted];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Packed => "packed",
            Self::PickedUp => "picked_up",
            Self::Delivered => "delivered",
            Self::Counted => "counted",
        }
    }

    /// The paper that proves what was there.
    #[must_use]
    pub fn paper(self) -> Paper {
        match self {
            Self::Packed => Paper::PackScan,
            Self::PickedUp => Paper::CarrierReceipt,
            Self::Delivered => Paper::DeliveryProof,
            Self::Counted => Paper::ReceiptReport,
        }
    }

    /// Who had the goods on the stretch that ends here.
    fn keeper(self) -> Party {
        match self {
            Self::Packed | Self::PickedUp => Party::Shipper,
            Self::Delivered => Party::Carrier,
            Self::Counted => Party::Warehouse,
        }
    }

    fn text(self, lang: Lang) -> String {
        text(lang, &format!("claim.point.{}", self.code()), &[])
    }
}

/// What somebody saw at one of these points.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seen {
    pub point: Point,
    /// `None`: the paper does not say how many.
    pub cartons: Option<i64>,
    /// `Some(false)`: with a remark of damage; `None`: it does not say.
    pub clean: Option<bool>,
    pub at: Option<DateTime<Utc>>,
    /// The paper or source that says so.
    pub source: String,
}

/// Everything known of the goods' way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Custody {
    /// As on the packing list.
    pub cartons: i64,
    pub seen: Vec<Seen>,
    /// Customs opened or held the goods.
    pub exams: Vec<DateTime<Utc>>,
}

/// Why the evidence cannot be believed as it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "conflict")]
pub enum Conflict {
    /// Two papers of one point do not agree.
    Disagree { point: Point, said: Vec<String> },
    /// More came out of a stretch than went in.
    Grew {
        from: Point,
        had: i64,
        to: Point,
        has: i64,
    },
}

/// Which rule led to the proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Whoever took the goods after the last clean hand-over.
    LastClean,
    /// The same stretch, and customs opened the goods on it.
    Examined,
    /// They were short before they left.
    PackedShort,
    /// Several stretches lie between the last clean hand-over and the first short one.
    Between,
    /// All cartons arrived; what is missing was missing inside.
    Concealed,
    /// The same, and the content was scanned when it was packed.
    Scanned,
    Conflict,
    /// Had the goods when they should have been there.
    HadThem,
    /// Nobody had fetched them by then.
    NotGone,
    /// The warehouse sent them away.
    Refused,
    /// Customs held them then.
    Held,
    /// Customs held them on the way, for a part of the time that was lost.
    HeldBefore,
}

impl Why {
    fn code(self) -> &'static str {
        match self {
            Self::LastClean => "last_clean",
            Self::Examined => "examined",
            Self::PackedShort => "packed_short",
            Self::Between => "between",
            Self::Concealed => "concealed",
            Self::Scanned => "scanned",
            Self::Conflict => "conflict",
            Self::HadThem => "had_them",
            Self::NotGone => "not_gone",
            Self::Refused => "refused",
            Self::Held => "held",
            Self::HeldBefore => "held_before",
        }
    }
}

/// A proposal; a person decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// `None`: undetermined.
    pub party: Option<Party>,
    /// Those it may have been.
    pub candidates: Vec<Party>,
    pub why: Why,
    pub last_clean: Option<Seen>,
    pub first_bad: Option<Seen>,
    pub conflicts: Vec<Conflict>,
    /// What would settle it, or make it stronger.
    pub missing: Vec<Paper>,
    /// Of a case about time: when the goods should have been there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<DateTime<Utc>>,
}

/// What a point shows, when its papers agree.
struct Shown<'a> {
    cartons: Option<i64>,
    clean: Option<bool>,
    seen: Option<&'a Seen>,
}

/// The proposal. The order of what was seen does not matter.
#[must_use]
pub fn propose(custody: &Custody) -> Proposal {
    let mut all: Vec<&Seen> = custody.seen.iter().collect();
    all.sort();
    let mut conflicts = Vec::new();
    let shown = Point::ALL.map(|point| at_point(&all, point, &mut conflicts));
    let mut before: Option<(Point, i64)> = None;
    for (point, shown) in Point::ALL.into_iter().zip(&shown) {
        let Some(has) = shown.cartons else { continue };
        if let Some((from, had)) = before.filter(|(_, had)| has > *had) {
            conflicts.push(Conflict::Grew {
                from,
                had,
                to: point,
                has,
            });
        }
        before = Some((point, has));
    }
    let bad = |shown: &Shown<'_>| {
        shown.cartons.is_some_and(|cartons| cartons < custody.cartons) || shown.clean == Some(false)
    };
    let good =
        |shown: &Shown<'_>| shown.cartons.is_some_and(|cartons| cartons >= custody.cartons) && !bad(shown);
    let first_bad = shown.iter().position(bad);
    let last_clean = shown
        .iter()
        .take(first_bad.unwrap_or(shown.len()))
        .rposition(good);
    let missing = |points: &[Point]| -> Vec<Paper> {
        points
            .iter()
            .filter(|point| {
                shown
                    .get(**point as usize)
                    .is_some_and(|shown| shown.cartons.is_none())
            })
            .map(|point| point.paper())
            .collect()
    };
    let seen = |place: Option<usize>| {
        place
            .and_then(|place| shown.get(place))
            .and_then(|shown| shown.seen)
            .cloned()
    };
    let mut proposal = Proposal {
        party: None,
        candidates: Vec::new(),
        why: Why::Conflict,
        last_clean: seen(last_clean),
        first_bad: seen(first_bad),
        conflicts,
        missing: Vec::new(),
        due: None,
    };
    let Some(first) = first_bad else {
        // All cartons were there as far as anybody looked: nothing says where the content went.
        let examined = !custody.exams.is_empty();
        proposal.candidates = [Party::Shipper, Party::Carrier, Party::Warehouse].to_vec();
        let counted = shown.last().is_some_and(good);
        if counted {
            proposal.candidates.retain(|party| *party != Party::Carrier);
        }
        if examined {
            proposal.candidates.insert(1, Party::Customs);
        }
        proposal.missing = missing(&Point::ALL);
        proposal.missing.push(Paper::CartonPhotos);
        if proposal.conflicts.is_empty() {
            proposal.why = Why::Concealed;
            let whole = |point: Point| shown.get(point as usize).is_some_and(good);
            if whole(Point::Packed) && whole(Point::Delivered) && !examined {
                proposal.why = Why::Scanned;
                proposal.party = Some(Party::Warehouse);
                proposal.candidates = vec![Party::Warehouse];
            }
        }
        return proposal;
    };
    // Until something else is shown, what the packing list says was packed.
    let since = last_clean.map_or(0, |place| place + 1).max(1).min(first);
    let stretches = Point::ALL.get(since..=first).unwrap_or_default();
    proposal.missing = missing(Point::ALL.get(..first).unwrap_or_default());
    let parties: BTreeSet<Party> = stretches.iter().map(|point| point.keeper()).collect();
    let from = proposal.last_clean.as_ref().and_then(|seen| seen.at);
    let until = proposal.first_bad.as_ref().and_then(|seen| seen.at);
    let examined = stretches.contains(&Point::Delivered)
        && custody
            .exams
            .iter()
            .any(|exam| from.is_none_or(|from| *exam >= from) && until.is_none_or(|until| *exam <= until));
    proposal.candidates = parties.into_iter().collect();
    if examined {
        for party in &mut proposal.candidates {
            if *party == Party::Carrier {
                *party = Party::Customs;
            }
        }
    }
    if !proposal.conflicts.is_empty() {
        // Whichever paper is right: everybody from the last agreed hand-over to the last irregular one.
        let last = shown.iter().rposition(bad).unwrap_or(first);
        let agreed = Point::ALL.get(since..=last).unwrap_or_default();
        let parties: BTreeSet<Party> = agreed.iter().map(|point| point.keeper()).collect();
        proposal.candidates = parties.into_iter().collect();
        return proposal;
    }
    if first == Point::Packed as usize {
        proposal.why = Why::PackedShort;
        proposal.candidates = vec![Party::Shipper];
    } else {
        proposal.why = if examined { Why::Examined } else { Why::LastClean };
        // Whoever signs for cartons without a remark took them all: that he took fewer is for him to show.
        if stretches == [Point::PickedUp, Point::Delivered] {
            proposal.candidates.retain(|party| *party != Party::Shipper);
        }
    }
    match proposal.candidates.as_slice() {
        [one] => proposal.party = Some(*one),
        _ => proposal.why = Why::Between,
    }
    proposal
}

fn at_point<'a>(all: &[&'a Seen], point: Point, conflicts: &mut Vec<Conflict>) -> Shown<'a> {
    let here: Vec<&&Seen> = all.iter().filter(|seen| seen.point == point).collect();
    let counts: BTreeSet<i64> = here.iter().filter_map(|seen| seen.cartons).collect();
    let states: BTreeSet<bool> = here.iter().filter_map(|seen| seen.clean).collect();
    if counts.len() > 1 || states.len() > 1 {
        conflicts.push(Conflict::Disagree {
            point,
            said: here.iter().map(|seen| seen.said()).collect(),
        });
    }
    Shown {
        cartons: counts.first().copied(),
        clean: states.first().copied(),
        seen: here
            .iter()
            .find(|seen| seen.cartons.is_some())
            .or_else(|| here.first())
            .map(|seen| **seen),
    }
}

impl Seen {
    /// `POD-17: 18, remark`, without words of any language but the source's own.
    fn said(&self) -> String {
        let cartons = self
            .cartons
            .map_or_else(|| "?".to_owned(), |cartons| cartons.to_string());
        match self.clean {
            Some(false) => format!("{}: {cartons} (!)", self.source),
            _ => format!("{}: {cartons}", self.source),
        }
    }
}

impl Proposal {
    /// Who it is, or that nobody can say.
    #[must_use]
    pub fn party_text(&self, lang: Lang) -> String {
        self.party.map_or_else(
            || text(lang, "claim.party.undetermined", &[]),
            |party| party.text(lang),
        )
    }

    /// The rule, with what it saw.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let show = |seen: &Option<Seen>| {
            seen.as_ref().map_or_else(
                || text(lang, "claim.point.packing_list", &[]),
                |seen| format!("{} ({})", seen.point.text(lang), seen.said()),
            )
        };
        let due = |due: DateTime<Utc>| due.format("%Y-%m-%d %H:%M UTC").to_string();
        let comma = text(lang, "claim.comma", &[]);
        let candidates: Vec<String> = self.candidates.iter().map(|party| party.text(lang)).collect();
        let conflicts: Vec<String> = self
            .conflicts
            .iter()
            .map(|conflict| conflict.text(lang))
            .collect();
        let places = [
            ("party", self.party_text(lang)),
            ("clean", show(&self.last_clean)),
            ("bad", show(&self.first_bad)),
            ("candidates", candidates.join(&comma)),
            ("conflicts", conflicts.join(&comma)),
            ("due", self.due.map(due).unwrap_or_default()),
        ];
        let places: Vec<(&str, &str)> = places
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        text(lang, &format!("claim.why.{}", self.why.code()), &places)
    }
}

impl Conflict {
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match self {
            Self::Disagree { point, said } => text(
                lang,
                "claim.conflict.disagree",
                &[("point", &point.text(lang)), ("said", &said.join(" / "))],
            ),
            Self::Grew { from, had, to, has } => text(
                lang,
                "claim.conflict.grew",
                &[
                    ("from", &from.text(lang)),
                    ("had", &had.to_string()),
                    ("to", &to.text(lang)),
                    ("has", &has.to_string()),
                ],
            ),
        }
    }
}

#[cfg(test)]
mod tests;
