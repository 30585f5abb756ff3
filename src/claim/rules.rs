//! Dated rows of conventions, platforms and contracts: `config/claims.toml` and the seller's own file. No day is in this program's text.

mod late;
mod read;

use std::collections::BTreeMap;

use chrono::{Months, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::evidence::Paper;
use super::{LossKind, Party};
use crate::ids::WarehouseCode;
use crate::money::{Currency, Money};
use crate::order::Mode;
use crate::problem::Problem;
use crate::wording::Lang;

pub use late::{FreightShare, LateRule, Pace};

const SHIPPED: &str = include_str!("../../config/claims.toml");

/// A length of time as rules have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Span {
    Days(u32),
    Months(u32),
}

impl Span {
    /// `60d`, `9m`, `1y`
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let number: u32 = number.parse().ok().filter(|number| *number <= 10_000)?;
        match unit {
            "d" => Some(Self::Days(number)),
            "m" => Some(Self::Months(number)),
            "y" => Some(Self::Months(number * 12)),
            _ => None,
        }
    }

    /// The day so long after another; a month without that day ends earlier.
    #[must_use]
    pub fn after(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Days(days) => day.checked_add_days(chrono::Days::new(u64::from(days))),
            Self::Months(months) => day.checked_add_months(Months::new(months)),
        }
    }
}

/// What a clock counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    Shipped,
    Delivered,
    /// The day the loss was reported, or found.
    Reported,
    /// The day the claim was declined.
    Declined,
}

impl Start {
    pub const ALL: [Self; 4] = [Self::Shipped, Self::Delivered, Self::Reported, Self::Declined];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Reported => "reported",
            Self::Declined => "declined",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|start| start.code() == code)
    }
}

/// When a row holds, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub id: String,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
    pub source: String,
    pub checked: NaiveDate,
}

impl Row {
    #[must_use]
    pub fn holds(&self, day: NaiveDate) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|end| day <= end)
    }
}

/// A convention, a platform's rules, or a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Regime {
    pub id: String,
    pub zh: String,
    pub en: String,
    pub against: Party,
    /// Empty lists hold for all.
    pub modes: Vec<Mode>,
    pub countries: Vec<String>,
    pub providers: Vec<String>,
    pub warehouses: Vec<WarehouseCode>,
    pub forwarders: Vec<String>,
    /// Only when somebody asks for it: nobody can see from an order that it holds.
    pub by_name_only: bool,
}

impl Regime {
    #[must_use]
    pub fn name(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    pub row: Row,
    pub regime: String,
    pub kinds: Vec<LossKind>,
    pub countries: Vec<String>,
    pub from: Start,
    /// Not before.
    pub earliest: Option<Span>,
    /// The other side must be told of the loss.
    pub notice: Option<Span>,
    /// The claim must be filed.
    pub claim: Option<Span>,
    pub suit: Option<Span>,
    pub suit_from: Start,
}

/// Whose figure of the goods' value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// The commercial invoice of the shipment.
    Invoice,
    /// What the goods cost, by the invoices of their makers.
    Cost,
    /// Sales price less fees: nobody but the platform can say.
    Sales,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitRule {
    Higher,
    Lower,
    PerKg,
    PerPackage,
    None,
}

/// What a limit is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Special drawing rights of the International Monetary Fund.
    Sdr,
    Money(Currency),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    pub row: Row,
    pub regime: String,
    pub value: Value,
    pub rule: LimitRule,
    pub per_kg: Option<Decimal>,
    pub per_package: Option<Decimal>,
    pub unit: Unit,
}

/// An insurance policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub row: Row,
    pub insurer: String,
    /// Of the invoice value: 110 is usual.
    pub percent: Decimal,
    pub excess: Option<Money>,
    pub modes: Vec<Mode>,
}

/// So much of a currency is one special drawing right on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SdrRate {
    pub currency: Currency,
    pub rate: Decimal,
    pub on: NaiveDate,
    pub source: String,
}

/// All rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimRules {
    regimes: Vec<Regime>,
    clocks: Vec<Clock>,
    limits: Vec<Limit>,
    late: Vec<LateRule>,
    policies: Vec<Policy>,
    rates: Vec<SdrRate>,
    papers: BTreeMap<Party, Vec<Paper>>,
}

/// A day that no row holds for: nothing is guessed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRule {
    #[error("no rules are known as `{0}`")]
    Regime(String),
    #[error("no {what} of `{regime}` for {scope} holds on {day}; known: {known}")]
    Row {
        what: &'static str,
        regime: String,
        scope: String,
        day: NaiveDate,
        /// Ids with their days, or `none`.
        known: String,
    },
    #[error(
        "no rate of {currency} to the special drawing right for {day} (at most {most} days old); newest before it: {newest}"
    )]
    Rate {
        currency: Currency,
        day: NaiveDate,
        most: i64,
        newest: String,
    },
    #[error("no insurance policy for {mode} holds on {day}")]
    Policy { mode: &'static str, day: NaiveDate },
}

/// An older rate is no rate of that day.
const MOST_RATE_DAYS: i64 = 31;

/// What an order and its goods are, as far as rules ask.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    pub mode: Mode,
    /// ISO 3166 alpha-2 of the destination.
    pub country: &'a str,
    pub warehouse: &'a WarehouseCode,
    pub forwarder: &'a str,
}

impl ClaimRules {
    /// The rows that ship with linkstar.
    ///
    /// # Errors
    /// Never with the file this program was built with (a test reads it).
    pub fn shipped() -> Result<Self, Vec<Problem>> {
        Self::default().and(SHIPPED, "claims.toml")
    }

    #[must_use]
    pub fn regime(&self, id: &str) -> Option<&Regime> {
        self.regimes.iter().find(|regime| regime.id == id)
    }

    /// Ids of everything that can be asked for by name.
    #[must_use]
    pub fn ids(&self) -> Vec<&str> {
        self.regimes.iter().map(|regime| regime.id.as_str()).collect()
    }

    /// The rules that hold against a party: the one that says most of the order comes first.
    #[must_use]
    pub fn against(&self, party: Party, scope: Scope<'_>) -> Vec<&Regime> {
        let mut found: Vec<(usize, &Regime)> = self
            .regimes
            .iter()
            .filter(|regime| regime.against == party && !regime.by_name_only)
            .filter_map(|regime| Some((fits(regime, scope)?, regime)))
            .collect();
        found.sort_by_key(|(said, _)| std::cmp::Reverse(*said));
        found.into_iter().map(|(_, regime)| regime).collect()
    }

    /// Papers that a claim against a party needs.
    #[must_use]
    pub fn papers(&self, party: Party) -> &[Paper] {
        self.papers.get(&party).map_or(&[], Vec::as_slice)
    }

    /// Every clock of a regime that holds on a day; of the rows for a country and those for all, all that hold.
    ///
    /// # Errors
    /// [`NoRule`] when there is none.
    pub fn clocks(
        &self,
        regime: &str,
        kind: LossKind,
        country: &str,
        day: impl Fn(Start) -> Option<NaiveDate>,
        asked: NaiveDate,
    ) -> Result<Vec<&Clock>, NoRule> {
        self.regime(regime)
            .ok_or_else(|| NoRule::Regime(regime.to_owned()))?;
        let of_kind: Vec<&Clock> = self
            .clocks
            .iter()
            .filter(|clock| clock.regime == regime && clock.kinds.contains(&kind))
            .filter(|clock| clock.countries.is_empty() || clock.countries.iter().any(|one| one == country))
            .collect();
        let valid: Vec<&Clock> = of_kind
            .iter()
            .copied()
            .filter(|clock| clock.row.holds(day(clock.from).unwrap_or(asked)))
            .collect();
        if valid.is_empty() {
            let first = of_kind.first().and_then(|clock| day(clock.from)).unwrap_or(asked);
            return Err(NoRule::Row {
                what: "clock",
                regime: regime.to_owned(),
                scope: format!("{} in {}", kind.code(), or_anywhere(country)),
                day: first,
                known: known(of_kind.iter().map(|clock| &clock.row)),
            });
        }
        Ok(valid)
    }

    /// The limit of a regime on a day.
    ///
    /// # Errors
    /// [`NoRule`] when no row holds.
    pub fn limit(&self, regime: &str, day: NaiveDate) -> Result<&Limit, NoRule> {
        self.regime(regime)
            .ok_or_else(|| NoRule::Regime(regime.to_owned()))?;
        let of_regime = || self.limits.iter().filter(|limit| limit.regime == regime);
        of_regime()
            .filter(|limit| limit.row.holds(day))
            .max_by_key(|limit| limit.row.valid_from)
            .ok_or_else(|| NoRule::Row {
                what: "limit",
                regime: regime.to_owned(),
                scope: "the amount".to_owned(),
                day,
                known: known(of_regime().map(|limit| &limit.row)),
            })
    }

    /// The policy that insures a shipment of a day.
    ///
    /// # Errors
    /// [`NoRule`] when no row holds.
    pub fn policy(&self, mode: Mode, day: NaiveDate) -> Result<&Policy, NoRule> {
        self.policies
            .iter()
            .filter(|policy| {
                policy.row.holds(day) && (policy.modes.is_empty() || policy.modes.contains(&mode))
            })
            .max_by_key(|policy| policy.row.valid_from)
            .ok_or(NoRule::Policy {
                mode: mode.code(),
                day,
            })
    }

    /// The newest rate of each currency up to a day, and whether it may still be used then.
    #[must_use]
    pub fn rates(&self, day: NaiveDate) -> Vec<(&SdrRate, bool)> {
        let mut newest: BTreeMap<Currency, &SdrRate> = BTreeMap::new();
        for rate in self.rates.iter().filter(|rate| rate.on <= day) {
            let known = newest.entry(rate.currency).or_insert(rate);
            if known.on < rate.on {
                *known = rate;
            }
        }
        newest
            .into_values()
            .map(|rate| (rate, (day - rate.on).num_days() <= MOST_RATE_DAYS))
            .collect()
    }

    /// The newest rate of a currency up to a day.
    ///
    /// # Errors
    /// [`NoRule`] when there is none, or it is too old.
    pub fn rate(&self, currency: Currency, day: NaiveDate) -> Result<&SdrRate, NoRule> {
        let newest = self
            .rates
            .iter()
            .filter(|rate| rate.currency == currency && rate.on <= day)
            .max_by_key(|rate| rate.on);
        newest
            .filter(|rate| (day - rate.on).num_days() <= MOST_RATE_DAYS)
            .ok_or_else(|| NoRule::Rate {
                currency,
                day,
                most: MOST_RATE_DAYS,
                newest: newest.map_or_else(|| "none".to_owned(), |rate| rate.on.to_string()),
            })
    }
}

fn or_anywhere(country: &str) -> &str {
    if country.is_empty() {
        "any country"
    } else {
        country
    }
}

fn known<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let rows: Vec<String> = rows
        .map(|row| match row.valid_to {
            Some(end) => format!("{} {}..{end}", row.id, row.valid_from),
            None => format!("{} {}..", row.id, row.valid_from),
        })
        .collect();
    if rows.is_empty() {
        "none".to_owned()
    } else {
        rows.join(", ")
    }
}

/// How much of the order a regime names; `None` when it names another one.
fn fits(regime: &Regime, scope: Scope<'_>) -> Option<usize> {
    let named = [
        (regime.modes.is_empty(), regime.modes.contains(&scope.mode)),
        (
            regime.countries.is_empty(),
            regime.countries.iter().any(|country| country == scope.country),
        ),
        (
            regime.providers.is_empty(),
            regime
                .providers
                .iter()
                .any(|provider| provider == scope.warehouse.provider()),
        ),
        (
            regime.warehouses.is_empty(),
            regime.warehouses.contains(scope.warehouse),
        ),
        (
            regime.forwarders.is_empty(),
            regime
                .forwarders
                .iter()
                .any(|forwarder| forwarder == scope.forwarder),
        ),
    ];
    named.iter().try_fold(0, |said, (any, this)| match (any, this) {
        (true, _) => Some(said),
        (false, true) => Some(said + 1),
        (false, false) => None,
    })
}

#[cfg(test)]
mod tests;
