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
    pub freight: Option<FreightShare>,
    /// No more than this in all.
    pub most: Option<Decimal>,
    /// Of the figures in money; none where the freight alone says what a day costs.
    pub currency: Option<Currency>,
}

/// A share of the freight, for each day or begun week.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreightShare {
    pub percent: Decimal,
    pub per: Pace,
    /// No more than this share of the freight in all.
    pub most_percent: Option<Decimal>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    #[default]
    Day,
    /// One that has begun is a whole one.
    Week,
}

impl Pace {
    /// How often a share is owed for so many days.
    #[must_use]
    pub fn times(self, days: i64) -> i64 {
        match self {
            Self::Day => days,
            Self::Week => days.div_euclid(7) + i64::from(days.rem_euclid(7) > 0),
        }
    }
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
    freight_percent: Option<Decimal>,
    freight_per: Option<Pace>,
    most_freight_percent: Option<Decimal>,
    most: Option<Decimal>,
    currency: Option<Currency>,
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
        faults.share("freight_percent", self.freight_percent);
        faults.share("most_freight_percent", self.most_freight_percent);
        let money = self.per_day.is_some() || self.per_kg_day.is_some();
        if !money && self.freight_percent.is_none() {
            faults.add(
                "per_day",
                "",
                "what a day costs: `per_day`, `per_kg_day` or `freight_percent`",
            );
        }
        if (money || self.most.is_some()) && self.currency.is_none() {
            faults.add(
                "currency",
                "",
                "the currency of `per_day`, `per_kg_day` and `most`",
            );
        }
        for (field, there) in [
            ("freight_per", self.freight_per.is_some()),
            ("most_freight_percent", self.most_freight_percent.is_some()),
        ] {
            if there && self.freight_percent.is_none() {
                faults.add(field, "", "nothing, or `freight_percent` beside it");
            }
        }
        let freight = self.freight_percent.map(|percent| FreightShare {
            percent,
            per: self.freight_per.unwrap_or_default(),
            most_percent: self.most_freight_percent,
        });
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
            freight,
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
