//! What is taken at the border, as dated data (R24, R50): which value duty is reckoned on, and the rates. Which taxes a destination
//! takes at all is said by its rule pack (`asks = "tax"`); a tax without a rate here is unknown, and never zero.

mod read;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::model::Mode;
use crate::money::Money;

/// The value that duty is reckoned on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueBasis {
    /// Goods with freight and insurance to the country.
    Cif,
    /// Goods as they stand in the port of loading.
    Fob,
}

/// What a rate is a share of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// The customs value.
    #[default]
    CustomsValue,
    /// Goods, freight, insurance and duty.
    DutyPaid,
}

/// Which value a country takes, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Basis {
    pub countries: Vec<String>,
    pub value: ValueBasis,
    pub source: String,
    pub checked: Option<NaiveDate>,
}

/// A rate, as long as it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rate {
    pub id: String,
    pub countries: Vec<String>,
    /// As rule packs call it: `duty`, `import_vat`, `gst`, `mpf`.
    pub tax: String,
    /// Empty: the rate itself; named: what comes on top of it (`301`).
    pub layer: String,
    pub on: Base,
    /// Beginnings of tariff codes; empty: every code.
    pub hs: Vec<String>,
    /// Countries of origin; empty: wherever the goods are from.
    pub origins: Vec<String>,
    /// Empty: by every mode.
    pub modes: Vec<Mode>,
    pub percent: Decimal,
    /// Of one entry.
    pub least: Option<Money>,
    pub most: Option<Money>,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
    pub source: String,
    pub checked: Option<NaiveDate>,
}

impl Rate {
    #[must_use]
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|last| day <= last)
    }

    /// How many digits of the code it names; `None`: it is not about this code.
    fn fits(&self, hs: &str) -> Option<usize> {
        if self.hs.is_empty() {
            return Some(0);
        }
        let fitting = self.hs.iter().filter(|prefix| hs.starts_with(prefix.as_str()));
        fitting.map(String::len).max()
    }
}

/// The goods, the way and the day that a rate is looked up for.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub country: &'a str,
    pub tax: &'a str,
    pub hs: &'a str,
    pub origin: &'a str,
    pub mode: Mode,
    pub on: NaiveDate,
}

/// What there is of one tax for goods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'b> {
    /// The rate, and what comes on top.
    Rates(Vec<&'b Rate>),
    /// There was one, until that day.
    Ended(NaiveDate),
    Unknown,
}

/// Bases and rates of every country.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BorderBook {
    pub bases: Vec<Basis>,
    pub rates: Vec<Rate>,
}

impl BorderBook {
    #[must_use]
    pub fn basis(&self, country: &str) -> Option<&Basis> {
        self.bases
            .iter()
            .find(|basis| basis.countries.iter().any(|known| known == country))
    }

    /// The rates that hold for goods on a day: of each layer the one that names their code most closely.
    #[must_use]
    pub fn rates(&self, question: &Question<'_>) -> Found<'_> {
        let about = |rate: &&Rate| {
            rate.tax == question.tax
                && rate.countries.iter().any(|known| known == question.country)
                && (rate.origins.is_empty() || rate.origins.iter().any(|known| known == question.origin))
                && (rate.modes.is_empty() || rate.modes.contains(&question.mode))
        };
        let fitting: Vec<(usize, &Rate)> = self
            .rates
            .iter()
            .filter(about)
            .filter_map(|rate| Some((rate.fits(question.hs)?, rate)))
            .collect();
        let mut closest: Vec<(usize, &Rate)> = Vec::new();
        for (digits, rate) in fitting.iter().filter(|(_, rate)| rate.holds_on(question.on)) {
            // Of two as close, the one that names the origin.
            let key = (*digits, !rate.origins.is_empty());
            match closest.iter_mut().find(|(_, known)| known.layer == rate.layer) {
                Some((known, other)) if key > (*known, !other.origins.is_empty()) => {
                    (*known, *other) = (*digits, rate);
                }
                Some(_) => {}
                None => closest.push((*digits, rate)),
            }
        }
        closest.sort_by(|(_, a), (_, b)| a.layer.cmp(&b.layer));
        let rates: Vec<&Rate> = closest.into_iter().map(|(_, rate)| rate).collect();
        // What comes on top is no rate by itself.
        if rates.first().is_some_and(|rate| rate.layer.is_empty()) {
            return Found::Rates(rates);
        }
        let ended = fitting
            .iter()
            .filter(|(_, rate)| rate.layer.is_empty())
            .filter_map(|(_, rate)| rate.valid_to.filter(|last| *last < question.on))
            .max();
        ended.map_or(Found::Unknown, Found::Ended)
    }
}
