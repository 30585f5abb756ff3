//! Who had the goods when they should have been there: the rule for slots that were missed and goods that came late (R53, R68).

use chrono::{DateTime, Utc};

use super::{Proposal, Why};
use crate::claim::Party;
use crate::claim::evidence::Paper;

/// Customs opened or held the goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    pub from: DateTime<Utc>,
    /// `None`: not let go so far.
    pub to: Option<DateTime<Utc>>,
}

/// What is known of the goods' time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timing {
    /// The slot, or the end of the day they were promised for.
    pub due: DateTime<Utc>,
    /// The forwarder took them.
    pub taken: Option<DateTime<Utc>>,
    pub hold: Option<Hold>,
    /// They came to the door and were not taken in.
    pub refused: bool,
    /// What there is of papers.
    pub papers: Vec<Paper>,
}

/// The proposal. A hold that had ended by then may have cost the time all the same: of goods that came late nobody can say.
#[must_use]
pub fn propose_timing(timing: &Timing, late: bool) -> Proposal {
    let held_then = timing
        .hold
        .is_some_and(|hold| hold.from <= timing.due && hold.to.is_none_or(|to| to > timing.due));
    let held_before = timing.hold.is_some_and(|hold| hold.from <= timing.due) && !held_then;
    let (why, candidates) = if timing.refused {
        (Why::Refused, vec![Party::Warehouse])
    } else if timing.taken.is_none_or(|taken| taken > timing.due) {
        (Why::NotGone, vec![Party::Shipper])
    } else if held_then {
        (Why::Held, vec![Party::Customs])
    } else if late && held_before {
        (Why::HeldBefore, vec![Party::Carrier, Party::Customs])
    } else {
        (Why::HadThem, vec![Party::Carrier])
    };
    let mut needed = vec![Paper::CarrierReceipt, Paper::DeliveryProof];
    if held_then || held_before {
        needed.push(Paper::CustomsNotice);
    }
    needed.retain(|paper| !timing.papers.contains(paper));
    Proposal {
        party: match candidates.as_slice() {
            [one] => Some(*one),
            _ => None,
        },
        candidates,
        why,
        last_clean: None,
        first_bad: None,
        conflicts: Vec::new(),
        missing: needed,
        due: Some(timing.due),
    }
}

#[cfg(test)]
mod tests;
