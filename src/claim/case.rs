//! A case (R68): what is missing or broken of one order, and everything people did about it. The log's replay is how it stands.

mod happened;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::responsibility::Proposal;
use super::{LossKind, Party};
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::money::Money;

/// What a case is about; it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    pub order: OrderNo,
    pub warehouse: WarehouseCode,
    pub kind: LossKind,
}

impl Subject {
    /// `BH260907-01-L`: one case an order and kind of loss.
    #[must_use]
    pub fn number(&self) -> String {
        let letter = match self.kind {
            LossKind::Loss => 'L',
            LossKind::Damage => 'D',
            LossKind::Delay => 'T',
            LossKind::MissedSlot => 'A',
        };
        format!("{}-{letter}", self.order)
    }
}

/// One difference of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    pub difference: String,
    pub sku: Sku,
    pub carton: Option<String>,
    pub units: i64,
}

/// A slot at the warehouse's door that nobody came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissedSlot {
    pub at: DateTime<Utc>,
    /// End of the days in which the warehouse still takes the goods.
    pub until: DateTime<Utc>,
    /// What the warehouse asks for it, as it was known then.
    pub fee: Option<Money>,
}

/// Later than promised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    pub promised: NaiveDate,
    /// The row of the rules, or the lane, that promises it.
    pub by: String,
    /// `None`: still under way.
    pub arrived: Option<NaiveDate>,
}

impl Late {
    /// Days beyond the promise, as of a day.
    #[must_use]
    pub fn days(&self, today: NaiveDate) -> i64 {
        (self.arrived.unwrap_or(today) - self.promised).num_days().max(0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum CaseEventKind {
    Opened {
        subject: Subject,
    },
    /// So many units of a difference are missing now; 0 when they were all found.
    Units {
        line: Missing,
        before: i64,
    },
    Missed {
        slot: MissedSlot,
    },
    Late {
        late: Late,
    },
    Proposed {
        proposal: Proposal,
    },
    /// A person decided.
    Assigned {
        party: Party,
        reason: String,
    },
    EvidenceAdded {
        evidence: Evidence,
    },
    /// The other side was told of the loss.
    Notified {
        on: chrono::NaiveDate,
        how: String,
    },
    /// A dossier was written.
    Dossier {
        claim: String,
        sha256: String,
    },
    Closed {
        reason: String,
    },
    Reopened {
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseEvent {
    pub at: DateTime<Utc>,
    /// A person, or `reconcile`.
    pub by: String,
    #[serde(flatten)]
    pub kind: CaseEventKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseState {
    Open,
    Assigned,
    Closed,
}

impl CaseState {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Assigned => "assigned",
            Self::Closed => "closed",
        }
    }
}

/// How a case stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    pub number: String,
    #[serde(flatten)]
    pub subject: Subject,
    pub state: CaseState,
    pub opened_at: DateTime<Utc>,
    /// By difference; found again: with 0 units.
    pub lines: BTreeMap<String, Missing>,
    pub proposal: Option<Proposal>,
    pub party: Option<Party>,
    pub evidence: Vec<Evidence>,
    pub notified: Option<chrono::NaiveDate>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<MissedSlot>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
}

impl Case {
    #[must_use]
    pub fn units(&self) -> i64 {
        self.lines.values().map(|line| line.units).sum()
    }

    /// The person's decision, else the proposal.
    #[must_use]
    pub fn against(&self) -> Option<Party> {
        self.party
            .or_else(|| self.proposal.as_ref().and_then(|proposal| proposal.party))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    #[error("a case's log must begin with `opened`")]
    NotOpened,
    #[error("case {case} is closed: nothing can be {what} until it is opened again")]
    Closed { case: String, what: &'static str },
    #[error("case {case} is {state}: it cannot be {what}")]
    Illegal {
        case: String,
        state: &'static str,
        what: &'static str,
    },
    #[error("case {case}: the same file as {paper} is there already")]
    Twice { case: String, paper: &'static str },
    #[error("case {case}: {units} units of {sku}; no count is below zero")]
    Units { case: String, sku: Sku, units: i64 },
}

/// How a case stands after one more event.
///
/// # Errors
/// [`CaseError`] when it cannot follow.
pub fn apply(case: Option<Case>, event: &CaseEvent) -> Result<Case, CaseError> {
    let Some(mut case) = case else {
        let CaseEventKind::Opened { subject } = &event.kind else {
            return Err(CaseError::NotOpened);
        };
        return Ok(Case {
            number: subject.number(),
            subject: subject.clone(),
            state: CaseState::Open,
            opened_at: event.at,
            lines: BTreeMap::new(),
            proposal: None,
            party: None,
            evidence: Vec::new(),
            notified: None,
            slots: Vec::new(),
            late: None,
        });
    };
    let closed = |what| CaseError::Closed {
        case: case.number.clone(),
        what,
    };
    let open = case.state != CaseState::Closed;
    match &event.kind {
        CaseEventKind::Opened { .. } => {
            return Err(CaseError::Illegal {
                state: case.state.code(),
                case: case.number,
                what: "opened",
            });
        }
        // What the warehouse reports is written down whether or not anybody still looks.
        CaseEventKind::Units { line, .. } => {
            if line.units < 0 {
                return Err(CaseError::Units {
                    case: case.number,
                    sku: line.sku.clone(),
                    units: line.units,
                });
            }
            case.lines.insert(line.difference.clone(), line.clone());
        }
        CaseEventKind::Missed { slot } => {
            if !case.slots.iter().any(|known| known.at == slot.at) {
                case.slots.push(slot.clone());
            }
        }
        CaseEventKind::Late { late } => case.late = Some(late.clone()),
        CaseEventKind::Proposed { proposal } => case.proposal = Some(proposal.clone()),
        CaseEventKind::Assigned { party, .. } => {
            if !open {
                return Err(closed("assigned"));
            }
            case.party = Some(*party);
            case.state = CaseState::Assigned;
        }
        CaseEventKind::EvidenceAdded { evidence } => {
            if !open {
                return Err(closed("added"));
            }
            let same = |known: &&Evidence| known.sha256 == evidence.sha256 && known.paper == evidence.paper;
            if case.evidence.iter().any(|known| same(&known)) {
                return Err(CaseError::Twice {
                    case: case.number,
                    paper: evidence.paper.code(),
                });
            }
            case.evidence.push(evidence.clone());
        }
        CaseEventKind::Notified { on, .. } => {
            if !open {
                return Err(closed("told"));
            }
            // The first notice is the one that was in time.
            case.notified = Some(case.notified.map_or(*on, |first| first.min(*on)));
        }
        CaseEventKind::Dossier { .. } => {}
        CaseEventKind::Closed { .. } => {
            if !open {
                return Err(closed("closed"));
            }
            case.state = CaseState::Closed;
        }
        CaseEventKind::Reopened { .. } => {
            if open {
                return Err(CaseError::Illegal {
                    state: case.state.code(),
                    case: case.number,
                    what: "opened again",
                });
            }
            case.state = if case.party.is_some() {
                CaseState::Assigned
            } else {
                CaseState::Open
            };
        }
    }
    Ok(case)
}

/// How the case of a log stands.
///
/// # Errors
/// [`CaseError`] at the first event that cannot follow.
pub fn replay<'a>(events: impl IntoIterator<Item = &'a CaseEvent>) -> Result<Case, CaseError> {
    let mut case = None;
    for event in events {
        case = Some(apply(case, event)?);
    }
    case.ok_or(CaseError::NotOpened)
}

#[cfg(test)]
mod tests;
