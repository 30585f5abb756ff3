//! The life of a claim and the money that came of it (R70): a log whose replay is how it stands.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::amount::Amount;
use super::{LossKind, Party};
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::money::{Currency, Money};
use crate::wording::{Lang, text};

/// Units of one difference that a claim asks money for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    pub difference: String,
    pub sku: Sku,
    pub units: i64,
}

/// Another case of the same order that one claim asks for as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    pub case: String,
    pub kind: LossKind,
}

/// What is asked of whom under which rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub case: String,
    pub order: OrderNo,
    pub warehouse: WarehouseCode,
    pub kind: LossKind,
    pub party: Party,
    /// Of `claims.toml`.
    pub regime: String,
    pub lines: Vec<Claimed>,
    pub amount: Amount,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Beside>,
}

impl Asked {
    /// Whether it asks for units of a case.
    #[must_use]
    pub fn is_about(&self, case: &str) -> bool {
        self.case == case || self.beside.iter().any(|one| one.case == case)
    }

    /// The kinds of its cases, in words.
    #[must_use]
    pub fn kinds_text(&self, lang: Lang) -> String {
        let mut kinds = vec![self.kind];
        kinds.extend(self.beside.iter().map(|one| one.kind));
        kinds.dedup();
        let words: Vec<String> = kinds.into_iter().map(|kind| kind.text(lang)).collect();
        words.join(&text(lang, "claim.comma", &[]))
    }

    #[must_use]
    pub fn units(&self) -> i64 {
        self.lines.iter().map(|line| line.units).sum()
    }
}

/// What the other side said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    /// All of it, or a part.
    Accepted {
        amount: Money,
    },
    Rejected {
        reason: String,
    },
}

/// Money that came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The bank's or platform's own number: the same again is the same payment.
    pub reference: String,
    pub amount: Money,
    pub on: NaiveDate,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum ClaimEventKind {
    Drafted {
        asked: Asked,
    },
    /// Units were found after all: less is asked. With none left the draft is withdrawn instead.
    Reduced {
        lines: Vec<Claimed>,
        amount: Amount,
        reason: String,
    },
    Withdrawn {
        reason: String,
    },
    Submitted {
        on: NaiveDate,
        /// The other side's number of it.
        ticket: String,
    },
    Answered {
        on: NaiveDate,
        #[serde(flatten)]
        answer: Answer,
    },
    Appealed {
        on: NaiveDate,
        reason: String,
    },
    Paid {
        payment: Payment,
    },
    /// Units that were already claimed came to light: somebody must tell the other side.
    Found {
        units: i64,
    },
    Settled {
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimEvent {
    pub at: DateTime<Utc>,
    pub by: String,
    #[serde(flatten)]
    pub kind: ClaimEventKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    Draft,
    Submitted,
    Accepted,
    Rejected,
    Appealed,
    /// All that was accepted is paid, or somebody closed it.
    Settled,
    Withdrawn,
}

impl ClaimState {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Appealed => "appealed",
            Self::Settled => "settled",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Its units are nobody else's to claim. A rejected claim keeps them: it may be appealed.
    #[must_use]
    pub fn holds_units(self) -> bool {
        self != Self::Withdrawn
    }

    /// Somebody is still to answer or to pay.
    #[must_use]
    pub fn is_running(self) -> bool {
        !matches!(self, Self::Settled | Self::Withdrawn)
    }
}

/// How a claim stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claim {
    pub number: String,
    #[serde(flatten)]
    pub asked: Asked,
    pub state: ClaimState,
    pub drafted_at: DateTime<Utc>,
    pub ticket: Option<String>,
    pub submitted_on: Option<NaiveDate>,
    /// Of the first answer.
    pub answered_on: Option<NaiveDate>,
    pub declined_on: Option<NaiveDate>,
    pub accepted: Option<Money>,
    pub payments: Vec<Payment>,
    /// Claimed units that were found after the claim went out.
    pub found: i64,
}

impl Claim {
    /// What came, by currency.
    #[must_use]
    pub fn recovered(&self) -> BTreeMap<Currency, Decimal> {
        let mut sums = BTreeMap::new();
        for payment in &self.payments {
            *sums.entry(payment.amount.currency).or_insert(Decimal::ZERO) += payment.amount.amount;
        }
        sums
    }

    /// What is still to come of what was accepted, in its currency.
    #[must_use]
    pub fn outstanding(&self) -> Option<Money> {
        let accepted = self.accepted?;
        let paid = self
            .recovered()
            .get(&accepted.currency)
            .copied()
            .unwrap_or_default();
        Some(Money::new(accepted.amount - paid, accepted.currency))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    #[error("a claim's log must begin with `drafted`")]
    NotDrafted,
    #[error("claim {claim} is {state}: it cannot be {what}")]
    Illegal {
        claim: String,
        state: &'static str,
        what: &'static str,
    },
    #[error("claim {claim}: {found} is more than the {most} that was asked")]
    TooMuch {
        claim: String,
        found: Money,
        most: Money,
    },
    #[error("claim {claim}: {found} is nothing that can be paid or accepted")]
    NotPositive { claim: String, found: Money },
    #[error("claim {claim}: the answer is in {found}, the claim in {asked}")]
    Currency {
        claim: String,
        found: Currency,
        asked: Currency,
    },
    #[error("claim {claim}: payment `{reference}` is known as {known}, not {found}")]
    OtherPayment {
        claim: String,
        reference: String,
        known: Money,
        found: Money,
    },
    #[error("claim {claim}: cost invoices do not cover the units: {what}")]
    Uncovered { claim: String, what: String },
}

/// How a claim stands after one more event.
///
/// # Errors
/// [`ClaimError`] when it cannot follow.
pub fn apply(number: &str, claim: Option<Claim>, event: &ClaimEvent) -> Result<Claim, ClaimError> {
    let Some(mut claim) = claim else {
        let ClaimEventKind::Drafted { asked } = &event.kind else {
            return Err(ClaimError::NotDrafted);
        };
        return Ok(Claim {
            number: number.to_owned(),
            asked: asked.clone(),
            state: ClaimState::Draft,
            drafted_at: event.at,
            ticket: None,
            submitted_on: None,
            answered_on: None,
            declined_on: None,
            accepted: None,
            payments: Vec::new(),
            found: 0,
        });
    };
    let state = claim.state;
    let illegal = |what| ClaimError::Illegal {
        claim: number.to_owned(),
        state: state.code(),
        what,
    };
    let out = matches!(
        state,
        ClaimState::Submitted | ClaimState::Accepted | ClaimState::Rejected | ClaimState::Appealed
    );
    match &event.kind {
        ClaimEventKind::Drafted { .. } => return Err(illegal("drafted again")),
        ClaimEventKind::Reduced { lines, amount, .. } => {
            if state != ClaimState::Draft || lines.iter().all(|line| line.units == 0) {
                return Err(illegal("reduced"));
            }
            claim.asked.lines.clone_from(lines);
            claim.asked.amount = amount.clone();
        }
        ClaimEventKind::Withdrawn { .. } => {
            if !state.is_running() || !claim.payments.is_empty() {
                return Err(illegal("withdrawn"));
            }
            claim.state = ClaimState::Withdrawn;
        }
        ClaimEventKind::Submitted { on, ticket } => {
            if state != ClaimState::Draft {
                return Err(illegal("submitted"));
            }
            if !claim.asked.amount.uncovered.is_empty() {
                let what: Vec<String> = claim
                    .asked
                    .amount
                    .uncovered
                    .iter()
                    .map(|one| format!("{} has {} of {}", one.sku, one.have, one.need))
                    .collect();
                return Err(ClaimError::Uncovered {
                    claim: number.to_owned(),
                    what: what.join(", "),
                });
            }
            claim.submitted_on = Some(*on);
            claim.ticket = Some(ticket.clone());
            claim.state = ClaimState::Submitted;
        }
        ClaimEventKind::Answered { on, answer } => {
            if !matches!(state, ClaimState::Submitted | ClaimState::Appealed) {
                return Err(illegal("answered"));
            }
            claim.answered_on.get_or_insert(*on);
            match answer {
                Answer::Accepted { amount } => {
                    let most = claim.asked.amount.total;
                    if amount.currency != most.currency {
                        return Err(ClaimError::Currency {
                            claim: number.to_owned(),
                            found: amount.currency,
                            asked: most.currency,
                        });
                    }
                    check(number, *amount, most)?;
                    claim.accepted = Some(*amount);
                    claim.state = ClaimState::Accepted;
                }
                Answer::Rejected { .. } => {
                    claim.declined_on = Some(*on);
                    claim.state = ClaimState::Rejected;
                }
            }
        }
        ClaimEventKind::Appealed { .. } => {
            let partly = claim
                .accepted
                .is_some_and(|accepted| accepted.amount < claim.asked.amount.total.amount);
            if state != ClaimState::Rejected && !(state == ClaimState::Accepted && partly) {
                return Err(illegal("appealed"));
            }
            claim.state = ClaimState::Appealed;
        }
        ClaimEventKind::Paid { payment } => {
            if let Some(known) = claim
                .payments
                .iter()
                .find(|known| known.reference == payment.reference)
            {
                if known.amount == payment.amount && known.on == payment.on {
                    return Ok(claim);
                }
                return Err(ClaimError::OtherPayment {
                    claim: number.to_owned(),
                    reference: payment.reference.clone(),
                    known: known.amount,
                    found: payment.amount,
                });
            }
            if !out {
                return Err(illegal("paid"));
            }
            let asked = claim.asked.amount.total;
            // Another currency is the payer's own exchange; what it is worth nobody here can say.
            if payment.amount.currency == asked.currency {
                let before = claim
                    .recovered()
                    .get(&asked.currency)
                    .copied()
                    .unwrap_or_default();
                let sum = Money::new(before + payment.amount.amount, asked.currency);
                check(number, sum, asked)?;
            }
            check(number, payment.amount, payment.amount)?;
            claim.payments.push(payment.clone());
            if claim
                .outstanding()
                .is_some_and(|left| left.amount <= Decimal::ZERO)
            {
                claim.state = ClaimState::Settled;
            }
        }
        ClaimEventKind::Found { units } => claim.found = *units,
        ClaimEventKind::Settled { .. } => {
            if !out {
                return Err(illegal("settled"));
            }
            claim.state = ClaimState::Settled;
        }
    }
    Ok(claim)
}

/// More than nothing, and at most so much.
fn check(number: &str, found: Money, most: Money) -> Result<(), ClaimError> {
    if found.amount <= Decimal::ZERO {
        return Err(ClaimError::NotPositive {
            claim: number.to_owned(),
            found,
        });
    }
    if found.amount > most.amount {
        return Err(ClaimError::TooMuch {
            claim: number.to_owned(),
            found,
            most,
        });
    }
    Ok(())
}

/// How the claim of a log stands.
///
/// # Errors
/// [`ClaimError`] at the first event that cannot follow.
pub fn replay<'a>(
    number: &str,
    events: impl IntoIterator<Item = &'a ClaimEvent>,
) -> Result<Claim, ClaimError> {
    let mut claim = None;
    for event in events {
        claim = Some(apply(number, claim, event)?);
    }
    claim.ok_or(ClaimError::NotDrafted)
}

#[cfg(test)]
mod tests;
