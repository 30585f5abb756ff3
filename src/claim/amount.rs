//! How much may be asked (R70): the value the rule speaks of, less what lies beyond its limit. Every term is written down, and the
//! terms add up to the amount to the cent.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use self::time::{Freight, FreightBasis, Lateness, late, slots};
use super::rules::{ClaimRules, Limit, LimitRule, NoRule, Policy, Unit, Value};
use crate::ids::Sku;
use crate::money::{Currency, Money, round_cents};
use crate::wording::{Lang, text};

mod time;

const GRAMS: Decimal = Decimal::ONE_THOUSAND;

/// Units of one SKU that are claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    pub sku: Sku,
    pub units: i64,
    /// Units of the SKU that cost invoices must cover: all that were sent in the period.
    pub sent: i64,
    /// Gross weight of the claimed units.
    pub gross_g: Option<i64>,
    /// Value of a unit on the commercial invoice.
    pub invoice: Option<Money>,
}

/// One line of a maker's invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostInvoice {
    pub number: String,
    pub on: NaiveDate,
    pub sku: Sku,
    pub units: i64,
    /// Of one unit.
    pub price: Money,
}

/// What was lost in all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loss {
    pub lines: Vec<Lost>,
    /// Packages that are lost or damaged.
    pub packages: Option<i64>,
    pub invoices: Vec<CostInvoice>,
    /// What the platform says it sells for, less fees: only by hand.
    pub sales: BTreeMap<Sku, Money>,
}

/// One summand, with what explains it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// `claim.term.…` of the wording.
    pub key: String,
    pub places: Vec<(String, String)>,
    pub amount: Decimal,
}

impl Term {
    fn new(key: &str, amount: Decimal, places: &[(&str, String)]) -> Self {
        Self {
            key: key.to_owned(),
            places: places
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            amount,
        }
    }

    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let places: Vec<(&str, &str)> = self
            .places
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        text(lang, &format!("claim.term.{}", self.key), &places)
    }
}

/// A SKU whose cost invoices do not cover the units.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Uncovered {
    pub sku: Sku,
    pub need: i64,
    pub have: i64,
}

impl Uncovered {
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        text(
            lang,
            "claim.uncovered",
            &[
                ("sku", self.sku.as_str()),
                ("need", &self.need.to_string()),
                ("have", &self.have.to_string()),
            ],
        )
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    pub total: Money,
    pub terms: Vec<Term>,
    /// While there are any, the claim cannot go out.
    pub uncovered: Vec<Uncovered>,
    /// The row of the limit or policy, and who says so.
    pub row: String,
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAmount {
    #[error(transparent)]
    Rule(#[from] NoRule),
    #[error("nothing is claimed")]
    Nothing,
    #[error("{units} units of {sku}: a claim has at least one, and none below zero")]
    Units { sku: Sku, units: i64 },
    #[error("the gross weight of {sku} is not known, and the limit is by weight")]
    Weight { sku: Sku },
    #[error("the number of packages is not known, and the limit is by package")]
    Packages,
    #[error("the {value} value of {sku} is not known")]
    Value { value: &'static str, sku: Sku },
    #[error(
        "what the warehouse asks for the slot of {slot} is not known: `missed_fee` of [deadlines.appointment], or --fee as billed"
    )]
    Fee { slot: String },
    #[error(
        "the freight of this order is not known, and `{row}` owes a share of it: a bill of the forwarder, a rate of the lane, or --freight"
    )]
    Freight { row: String },
    #[error("{days} days late: the first {free} cost nothing under `{row}`")]
    InTime { days: i64, free: u32, row: String },
    #[error("an amount beyond all counting")]
    Overflow,
}

/// What a party must pay under a limit.
#[derive(Debug, Clone, Copy)]
pub enum Ground<'a> {
    Limit(&'a Limit),
    Policy(&'a Policy),
}

/// The amount in a currency, at the rates of a day.
///
/// # Errors
/// [`NoAmount`] names what is not known; nothing is guessed.
pub fn amount(
    rules: &ClaimRules,
    ground: Ground<'_>,
    loss: &Loss,
    currency: Currency,
    day: NaiveDate,
) -> Result<Amount, NoAmount> {
    if loss.lines.is_empty() {
        return Err(NoAmount::Nothing);
    }
    let mut lines: Vec<&Lost> = loss.lines.iter().collect();
    lines.sort_by(|a, b| a.sku.cmp(&b.sku));
    if let Some(wrong) = lines.iter().find(|line| line.units < 1) {
        return Err(NoAmount::Units {
            sku: wrong.sku.clone(),
            units: wrong.units,
        });
    }
    let exchange = Exchange { rules, day };
    let value = match ground {
        Ground::Limit(limit) => limit.value,
        Ground::Policy(_) => Value::Invoice,
    };
    let mut terms = Vec::new();
    let mut uncovered = Vec::new();
    for line in lines {
        let (unit, key, mut places) = match value {
            Value::Invoice => (unit_value("invoice", line, line.invoice)?, "invoice", Vec::new()),
            Value::Sales => (
                unit_value("sales", line, loss.sales.get(&line.sku).copied())?,
                "sales",
                Vec::new(),
            ),
            Value::Cost => {
                let (unit, numbers, lacking) = cost(line, &loss.invoices, exchange, currency)?;
                uncovered.extend(lacking);
                (unit, "cost", vec![("invoices", numbers)])
            }
        };
        let (rate, note) = exchange.rate(unit.currency, currency)?;
        let whole = unit
            .amount
            .checked_mul(Decimal::from(line.units))
            .and_then(|whole| whole.checked_mul(rate))
            .ok_or(NoAmount::Overflow)?;
        places.extend([
            ("sku", line.sku.to_string()),
            ("units", line.units.to_string()),
            ("price", format!("{} {}", plain(unit.amount), unit.currency)),
            ("exchange", note),
        ]);
        terms.push(Term::new(key, round_cents(whole), &places));
    }
    let goods: Decimal = terms.iter().map(|term| term.amount).sum();
    let (row, source) = match ground {
        Ground::Limit(limit) => {
            if let Some(term) = beyond(limit, loss, goods, exchange, currency)? {
                terms.push(term);
            }
            (&limit.row.id, &limit.row.source)
        }
        Ground::Policy(policy) => {
            insured(policy, goods, exchange, currency, &mut terms)?;
            (&policy.row.id, &policy.row.source)
        }
    };
    let total = terms.iter().map(|term| term.amount).sum();
    Ok(Amount {
        total: Money::new(total, currency),
        terms,
        uncovered,
        row: row.clone(),
        source: source.clone(),
    })
}

fn unit_value(value: &'static str, line: &Lost, found: Option<Money>) -> Result<Money, NoAmount> {
    found.ok_or_else(|| NoAmount::Value {
        value,
        sku: line.sku.clone(),
    })
}

/// Without the zeros that say nothing.
fn plain(amount: Decimal) -> Decimal {
    amount.round_dp(4).normalize()
}

/// One currency into another, by way of the special drawing right.
#[derive(Clone, Copy)]
struct Exchange<'a> {
    rules: &'a ClaimRules,
    day: NaiveDate,
}

impl Exchange<'_> {
    fn rate(&self, from: Currency, to: Currency) -> Result<(Decimal, String), NoAmount> {
        if from == to {
            return Ok((Decimal::ONE, String::new()));
        }
        let (one, other) = (self.rules.rate(from, self.day)?, self.rules.rate(to, self.day)?);
        let rate = other.rate.checked_div(one.rate).ok_or(NoAmount::Overflow)?;
        let note = format!(
            " × {} {to}/{from} (SDR {}, {})",
            rate.round_dp(6).normalize(),
            one.on,
            other.on
        );
        Ok((rate, note))
    }

    fn of_unit(&self, unit: Unit, to: Currency) -> Result<(Decimal, String), NoAmount> {
        match unit {
            Unit::Money(from) => self.rate(from, to),
            Unit::Sdr => {
                let rate = self.rules.rate(to, self.day)?;
                Ok((
                    rate.rate,
                    format!(
                        " × {} {to}/SDR ({}, {})",
                        rate.rate.normalize(),
                        rate.on,
                        rate.source
                    ),
                ))
            }
        }
    }
}

/// The average price of all invoices of a SKU, and whether they cover what was sent.
fn cost(
    line: &Lost,
    invoices: &[CostInvoice],
    exchange: Exchange<'_>,
    currency: Currency,
) -> Result<(Money, String, Option<Uncovered>), NoAmount> {
    let mut own: Vec<&CostInvoice> = invoices
        .iter()
        .filter(|invoice| invoice.sku == line.sku && invoice.units > 0)
        .collect();
    own.sort_by(|a, b| (a.on, &a.number).cmp(&(b.on, &b.number)));
    let have: i64 = own
        .iter()
        .fold(0_i64, |sum, invoice| sum.saturating_add(invoice.units));
    let need = line.sent.max(line.units);
    let lacking = (have < need).then(|| Uncovered {
        sku: line.sku.clone(),
        need,
        have,
    });
    let Some(first) = own.first() else {
        return Err(NoAmount::Value {
            value: "cost",
            sku: line.sku.clone(),
        });
    };
    let same = own
        .iter()
        .all(|invoice| invoice.price.currency == first.price.currency);
    let into = if same { first.price.currency } else { currency };
    let mut sum = Decimal::ZERO;
    for invoice in &own {
        let (rate, _) = exchange.rate(invoice.price.currency, into)?;
        let part = invoice
            .price
            .amount
            .checked_mul(Decimal::from(invoice.units))
            .and_then(|part| part.checked_mul(rate))
            .and_then(|part| sum.checked_add(part));
        sum = part.ok_or(NoAmount::Overflow)?;
    }
    let average = sum.checked_div(Decimal::from(have)).ok_or(NoAmount::Overflow)?;
    let mut numbers: Vec<&str> = own.iter().map(|invoice| invoice.number.as_str()).collect();
    numbers.dedup();
    Ok((Money::new(average, into), numbers.join(", "), lacking))
}

/// What lies beyond the limit, as a term below zero; `None` when nothing does.
fn beyond(
    limit: &Limit,
    loss: &Loss,
    goods: Decimal,
    exchange: Exchange<'_>,
    currency: Currency,
) -> Result<Option<Term>, NoAmount> {
    let by_weight = || -> Result<(Decimal, String), NoAmount> {
        let mut grams = 0_i64;
        for line in &loss.lines {
            let gross = line.gross_g.ok_or_else(|| NoAmount::Weight {
                sku: line.sku.clone(),
            })?;
            grams = grams.saturating_add(gross);
        }
        let kg = Decimal::from(grams) / GRAMS;
        let per = limit.per_kg.unwrap_or_default();
        let most = per.checked_mul(kg).ok_or(NoAmount::Overflow)?;
        Ok((most, format!("{} kg × {}", kg.normalize(), per.normalize())))
    };
    let by_package = || -> Result<(Decimal, String), NoAmount> {
        let packages = loss.packages.ok_or(NoAmount::Packages)?;
        let per = limit.per_package.unwrap_or_default();
        let most = per
            .checked_mul(Decimal::from(packages))
            .ok_or(NoAmount::Overflow)?;
        Ok((most, format!("{packages} × {}", per.normalize())))
    };
    let (most, how) = match limit.rule {
        LimitRule::None => return Ok(None),
        LimitRule::PerKg => by_weight()?,
        LimitRule::PerPackage => by_package()?,
        LimitRule::Higher | LimitRule::Lower => {
            let (weight, package) = (by_weight()?, by_package()?);
            let weight_counts = (weight.0 >= package.0) == (limit.rule == LimitRule::Higher);
            if weight_counts { weight } else { package }
        }
    };
    let (rate, note) = exchange.of_unit(limit.unit, currency)?;
    let most = round_cents(most.checked_mul(rate).ok_or(NoAmount::Overflow)?);
    if goods <= most {
        return Ok(None);
    }
    let unit = match limit.unit {
        Unit::Sdr => "SDR".to_owned(),
        Unit::Money(currency) => currency.to_string(),
    };
    let places = [
        ("row", limit.row.id.clone()),
        ("how", format!("{how} {unit}{note}")),
        ("most", format!("{most} {currency}")),
    ];
    Ok(Some(Term::new("beyond", most - goods, &places)))
}

fn insured(
    policy: &Policy,
    goods: Decimal,
    exchange: Exchange<'_>,
    currency: Currency,
    terms: &mut Vec<Term>,
) -> Result<(), NoAmount> {
    let more = goods
        .checked_mul(policy.percent - Decimal::ONE_HUNDRED)
        .ok_or(NoAmount::Overflow)?;
    let more = round_cents(more / Decimal::ONE_HUNDRED);
    if !more.is_zero() {
        let places = [("percent", policy.percent.normalize().to_string())];
        terms.push(Term::new("insured_share", more, &places));
    }
    if let Some(excess) = policy.excess {
        let (rate, note) = exchange.rate(excess.currency, currency)?;
        let own = round_cents(excess.amount.checked_mul(rate).ok_or(NoAmount::Overflow)?);
        // Nobody pays the insurer for a loss.
        let own = own.min(goods + more);
        let places = [("excess", excess.to_string()), ("exchange", note)];
        terms.push(Term::new("excess", -own, &places));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
