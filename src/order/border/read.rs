//! Rates at the border as people write them.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::{Base, Basis, BorderBook, Rate, ValueBasis};
use crate::declared::{Faults, Sections};
use crate::money::Money;
use crate::order::model::Mode;
use crate::problem::Problem;

const VERSION: i64 = 1;
const SHIPPED: (&str, &str) = ("border.toml", include_str!("../../../config/border.toml"));

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBasis {
    countries: Vec<String>,
    value: ValueBasis,
    source: String,
    checked: Option<NaiveDate>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRate {
    id: String,
    countries: Vec<String>,
    tax: String,
    #[serde(default)]
    layer: String,
    #[serde(default)]
    on: Base,
    #[serde(default)]
    hs: Vec<String>,
    #[serde(default)]
    origins: Vec<String>,
    #[serde(default)]
    modes: Vec<Mode>,
    percent: Decimal,
    least: Option<Money>,
    most: Option<Money>,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    source: String,
    checked: Option<NaiveDate>,
}

impl BorderBook {
    /// What ships with linkstar.
    ///
    /// # Errors
    /// When it is wrong, which a test rules out.
    pub fn shipped() -> Result<Self, Vec<Problem>> {
        let mut book = Self::default();
        book.add(SHIPPED.0, SHIPPED.1)?;
        Ok(book)
    }

    /// Adds a file. Its bases take the place of those of their countries, its rates that of all with the same id.
    ///
    /// # Errors
    /// Everything that is wrong with the file at once, each with its line; then nothing is added.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), Vec<Problem>> {
        let mut sections = Sections::parse(file, text)?;
        sections.expect_version(VERSION);
        let bases: Vec<WrittenBasis> = sections.take_each("basis");
        let rates: Vec<WrittenRate> = sections.take_each("rate");
        sections.finish(&["version", "basis", "rate"])?;
        let mut faults = Faults::new(file, text);
        for (written, place) in bases.iter().zip(1..) {
            let at = format!("basis[{place}]");
            faults.countries(&at, "countries", &written.countries);
            faults.source(&at, &written.source);
        }
        let mut read: Vec<Rate> = Vec::new();
        for (written, place) in rates.into_iter().zip(1..) {
            let rate = faults.rate(&format!("rate[{place}]"), written, &read);
            read.push(rate);
        }
        if !faults.problems.is_empty() {
            return Err(faults.problems);
        }
        for written in bases {
            for known in &mut self.bases {
                known.countries.retain(|one| !written.countries.contains(one));
            }
            self.bases.retain(|known| !known.countries.is_empty());
            self.bases.push(Basis {
                countries: written.countries,
                value: written.value,
                source: written.source,
                checked: written.checked,
            });
        }
        self.rates
            .retain(|known| read.iter().all(|rate| rate.id != known.id));
        self.rates.append(&mut read);
        Ok(())
    }
}

impl Faults<'_> {
    fn source(&mut self, at: &str, source: &str) {
        if source.trim().is_empty() {
            self.add(at, "source", "", "who says so: law, tariff or page");
        }
    }

    fn countries(&mut self, at: &str, field: &str, countries: &[String]) {
        if countries.is_empty() && field == "countries" {
            self.add(at, field, "", "at least one country");
        }
        for country in countries {
            if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
                self.add(at, field, country, "two capital letters, like DE");
            }
        }
    }

    fn rate(&mut self, at: &str, written: WrittenRate, before: &[Rate]) -> Rate {
        self.countries(at, "countries", &written.countries);
        self.countries(at, "origins", &written.origins);
        self.source(at, &written.source);
        for (field, text) in [("id", &written.id), ("tax", &written.tax)] {
            if text.trim().is_empty() {
                self.add(at, field, "", "a name");
            }
        }
        for prefix in &written.hs {
            let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
            if !digits || prefix.len() > 10 {
                self.add(at, "hs", prefix, "the first 2 to 10 digits of a tariff code");
            }
        }
        let percent = written.percent;
        if percent.is_sign_negative() || percent > Decimal::from(MOST_PERCENT) {
            let wanted = format!("a share in percent from 0 to {MOST_PERCENT}");
            self.add(at, "percent", &percent.to_string(), &wanted);
        }
        if let Some(last) = written.valid_to.filter(|last| *last < written.valid_from) {
            let wanted = format!("a day not before {}", written.valid_from);
            self.add(at, "valid_to", &last.to_string(), &wanted);
        }
        if let (Some(least), Some(most)) = (written.least, written.most)
            && (least.currency != most.currency || least.amount > most.amount)
        {
            let wanted = format!("at least {least}, in its currency");
            self.add(at, "most", &most.to_string(), &wanted);
        }
        let rate = Rate {
            id: written.id,
            countries: written.countries,
            tax: written.tax,
            layer: written.layer,
            on: written.on,
            hs: written.hs,
            origins: written.origins,
            modes: written.modes,
            percent,
            least: written.least,
            most: written.most,
            valid_from: written.valid_from,
            valid_to: written.valid_to,
            source: written.source,
            checked: written.checked,
        };
        if let Some(other) = before.iter().find(|other| clash(other, &rate)) {
            let until = other
                .valid_to
                .map_or_else(|| "for good".to_owned(), |last| format!("until {last}"));
            let wanted = format!(
                "a period of its own: `{}` says the same of these goods from {} {until}",
                other.id, other.valid_from
            );
            self.add(at, "valid_from", &rate.valid_from.to_string(), &wanted);
        }
        rate
    }
}

/// Ten times the value: whatever is more is a slip.
const MOST_PERCENT: i64 = 1_000;

/// Whether two rows answer the same question on one day, so that nobody could tell which holds.
fn clash(one: &Rate, other: &Rate) -> bool {
    let days = one.valid_to.is_none_or(|last| other.valid_from <= last)
        && other.valid_to.is_none_or(|last| one.valid_from <= last);
    let shared =
        |a: &[String], b: &[String]| (a.is_empty() && b.is_empty()) || a.iter().any(|x| b.contains(x));
    let modes = one.modes.is_empty()
        || other.modes.is_empty()
        || one.modes.iter().any(|mode| other.modes.contains(mode));
    days && modes
        && one.tax == other.tax
        && one.layer == other.layer
        && shared(&one.countries, &other.countries)
        && shared(&one.hs, &other.hs)
        && shared(&one.origins, &other.origins)
}
