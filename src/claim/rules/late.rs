//! Contract rows for days beyond the promise.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::read::Faults;
use super::{ClaimRules, NoRule, Row, Span, known};
use crate::claim::LossKind;
use crate::money::Currency;

/// What a carrier's contract owes for each day beyond the promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateRule {
    pub row: Row,
    pub regime: String,
    /// Hand-over to delivery; what the lane takes nine times in ten where the contract does not say.
    pub promise: Option<Span>,
    /// So many days late cost nothing.
    pub free_days: u32,
    /// Of each day beyond those, and of each such day and kilogram of gross weight.
    pub per_day: Option<Decimal>,
    pub per_kg_day: Option<Decimal>,
    /// No more than this in all.
    pub most: Option<Decimal>,
    pub currency: Currency,
}

/// As people write it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenLate {
    pub id: String,
    pub regime: String,
    promise: Option<String>,
    #[serde(default)]
    free_days: u32,
    per_day: Option<Decimal>,
    per_kg_day: Option<Decimal>,
    most: Option<Decimal>,
    currency: Currency,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    source: String,
    checked: NaiveDate,
}

impl WrittenLate {
    pub(super) fn read(self, faults: &mut Faults<'_, '_>) -> LateRule {
        faults.above_zero("per_day", self.per_day);
        faults.above_zero("per_kg_day", self.per_kg_day);
        faults.above_zero("most", self.most);
        if self.per_day.is_none() && self.per_kg_day.is_none() {
            faults.add("per_day", "", "what a day costs: `per_day`, `per_kg_day` or both");
        }
        LateRule {
            promise: faults.span("promise", self.promise.as_ref()),
            row: faults.row(
                (self.id, self.source),
                self.valid_from,
                self.valid_to,
                self.checked,
            ),
            regime: self.regime,
            free_days: self.free_days,
            per_day: self.per_day,
            per_kg_day: self.per_kg_day,
            most: self.most,
            currency: self.currency,
        }
    }
}

impl ClaimRules {
    /// What a regime owes for days beyond the promise, of goods handed over on a day.
    ///
    /// # Errors
    /// [`NoRule`] when no row holds.
    pub fn late(&self, regime: &str, day: NaiveDate) -> Result<&LateRule, NoRule> {
        let of_regime = || self.late.iter().filter(|late| late.regime == regime);
        of_regime()
            .filter(|late| late.row.holds(day))
            .max_by_key(|late| late.row.valid_from)
            .ok_or_else(|| NoRule::Row {
                what: "late rule",
                regime: regime.to_owned(),
                scope: "days beyond the promise".to_owned(),
                day,
                known: known(of_regime().map(|late| &late.row)),
            })
    }

    /// Whether a regime has a clock for such a case at all.
    #[must_use]
    pub fn speaks_of(&self, regime: &str, kind: LossKind) -> bool {
        self.clocks
            .iter()
            .any(|clock| clock.regime == regime && clock.kinds.contains(&kind))
    }
}
