//! The file as people write it.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::late::WrittenLate;
use super::{ClaimRules, Clock, Limit, LimitRule, Policy, Regime, Row, SdrRate, Span, Start, Unit, Value};
use crate::claim::evidence::Paper;
use crate::claim::{LossKind, Party};
use crate::declared::Sections;
use crate::ids::WarehouseCode;
use crate::money::{Currency, Money};
use crate::order::Mode;
use crate::problem::Problem;

const VERSION: i64 = 1;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRegime {
    id: String,
    zh: String,
    en: String,
    against: Party,
    #[serde(default)]
    modes: Vec<Mode>,
    #[serde(default)]
    countries: Vec<String>,
    #[serde(default)]
    providers: Vec<String>,
    #[serde(default)]
    warehouses: Vec<WarehouseCode>,
    #[serde(default)]
    forwarders: Vec<String>,
    #[serde(default)]
    by_name_only: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenClock {
    id: String,
    regime: String,
    kinds: Vec<LossKind>,
    #[serde(default)]
    countries: Vec<String>,
    from: Start,
    earliest: Option<String>,
    notice: Option<String>,
    claim: Option<String>,
    suit: Option<String>,
    suit_from: Option<Start>,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    source: String,
    checked: NaiveDate,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLimit {
    id: String,
    regime: String,
    value: Value,
    rule: LimitRule,
    per_kg: Option<Decimal>,
    per_package: Option<Decimal>,
    unit: Option<String>,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    source: String,
    checked: NaiveDate,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPolicy {
    id: String,
    insurer: String,
    percent: Decimal,
    excess: Option<Decimal>,
    excess_currency: Option<Currency>,
    #[serde(default)]
    modes: Vec<Mode>,
    valid_from: NaiveDate,
    valid_to: Option<NaiveDate>,
    source: String,
    checked: NaiveDate,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRate {
    currency: Currency,
    rate: Decimal,
    on: NaiveDate,
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPapers {
    against: Party,
    needs: Vec<Paper>,
}

/// What is wrong with a row, by field.
pub(super) struct Faults<'s, 'a> {
    sections: &'s mut Sections<'a>,
    place: String,
    pub(super) any: bool,
}

impl Faults<'_, '_> {
    pub(super) fn add(&mut self, field: &str, found: impl AsRef<str>, wanted: impl Into<String>) {
        self.any = true;
        self.sections
            .fault(&format!("{}.{field}", self.place), found, wanted);
    }

    pub(super) fn span(&mut self, field: &str, text: Option<&String>) -> Option<Span> {
        let text = text?;
        let span = Span::parse(text);
        if span.is_none() {
            self.add(field, text, "a time such as 60d, 9m or 1y");
        }
        span
    }

    pub(super) fn row(
        &mut self,
        (id, source): (String, String),
        from: NaiveDate,
        to: Option<NaiveDate>,
        checked: NaiveDate,
    ) -> Row {
        if id.trim().is_empty() {
            self.add("id", &id, "a name");
        }
        if source.trim().is_empty() {
            self.add("source", &source, "who says so: law, contract or page");
        }
        if let Some(to) = to.filter(|to| *to < from) {
            self.add("valid_to", to.to_string(), format!("a day not before {from}"));
        }
        Row {
            id,
            valid_from: from,
            valid_to: to,
            source,
            checked,
        }
    }

    pub(super) fn above_zero(&mut self, field: &str, figure: Option<Decimal>) {
        if let Some(figure) = figure.filter(|figure| *figure <= Decimal::ZERO) {
            self.add(field, figure.to_string(), "more than 0");
        }
    }

    /// A percentage: more than nothing, and not more than all.
    pub(super) fn share(&mut self, field: &str, percent: Option<Decimal>) {
        let whole = Decimal::ONE_HUNDRED;
        if let Some(percent) = percent.filter(|percent| *percent <= Decimal::ZERO || *percent > whole) {
            self.add(field, percent.to_string(), "more than 0 and at most 100");
        }
    }
}

/// Puts a row into a list, in the place of one with the same id.
fn put<T>(list: &mut Vec<T>, new: T, id: impl Fn(&T) -> &str) {
    match list.iter().position(|old| id(old) == id(&new)) {
        Some(place) => {
            if let Some(old) = list.get_mut(place) {
                *old = new;
            }
        }
        None => list.push(new),
    }
}

impl ClaimRules {
    /// These rows and those of a file; a row with the same id takes the place of the one before.
    ///
    /// # Errors
    /// Everything that is wrong with the file, at once.
    pub fn and(mut self, text: &str, file: &str) -> Result<Self, Vec<Problem>> {
        let mut sections = Sections::parse(file, text)?;
        sections.expect_version(VERSION);
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut once = |list: &str, id: &str, faults: &mut Faults<'_, '_>| {
            if !seen.insert(format!("{list} {id}")) {
                faults.add("id", id, "an id that stands here once");
            }
        };
        let faults_of = |list: &str, place: usize| format!("{list}[{}]", place + 1);

        for (place, written) in sections
            .take_each::<WrittenRegime>("regime")
            .into_iter()
            .enumerate()
        {
            let mut faults = Faults {
                sections: &mut sections,
                place: faults_of("regime", place),
                any: false,
            };
            once("regime", &written.id, &mut faults);
            if written.zh.trim().is_empty() || written.en.trim().is_empty() {
                faults.add("en", &written.en, "a name in both languages");
            }
            let regime = Regime {
                id: written.id,
                zh: written.zh,
                en: written.en,
                against: written.against,
                modes: written.modes,
                countries: written.countries,
                providers: written.providers,
                warehouses: written.warehouses,
                forwarders: written.forwarders,
                by_name_only: written.by_name_only,
            };
            put(&mut self.regimes, regime, |regime| &regime.id);
        }
        for (place, written) in sections
            .take_each::<WrittenClock>("clock")
            .into_iter()
            .enumerate()
        {
            let mut faults = Faults {
                sections: &mut sections,
                place: faults_of("clock", place),
                any: false,
            };
            once("clock", &written.id, &mut faults);
            if self.regime(&written.regime).is_none() {
                faults.add("regime", &written.regime, "the id of a [[regime]]");
            }
            if written.kinds.is_empty() {
                faults.add("kinds", "", "at least one of loss, damage, delay, missed_slot");
            }
            if written.claim.is_none() && written.suit.is_none() {
                faults.add("claim", "", "a last day: `claim` or `suit`");
            }
            let clock = Clock {
                earliest: faults.span("earliest", written.earliest.as_ref()),
                notice: faults.span("notice", written.notice.as_ref()),
                claim: faults.span("claim", written.claim.as_ref()),
                suit: faults.span("suit", written.suit.as_ref()),
                row: faults.row(
                    (written.id, written.source),
                    written.valid_from,
                    written.valid_to,
                    written.checked,
                ),
                regime: written.regime,
                kinds: written.kinds,
                countries: written.countries,
                from: written.from,
                suit_from: written.suit_from.unwrap_or(written.from),
            };
            if !faults.any {
                put(&mut self.clocks, clock, |clock| &clock.row.id);
            }
        }
        for (place, written) in sections
            .take_each::<WrittenLimit>("limit")
            .into_iter()
            .enumerate()
        {
            let mut faults = Faults {
                sections: &mut sections,
                place: faults_of("limit", place),
                any: false,
            };
            once("limit", &written.id, &mut faults);
            if self.regime(&written.regime).is_none() {
                faults.add("regime", &written.regime, "the id of a [[regime]]");
            }
            let limit = limit(written, &mut faults);
            if !faults.any {
                put(&mut self.limits, limit, |limit| &limit.row.id);
            }
        }
        for (place, written) in sections.take_each::<WrittenLate>("late").into_iter().enumerate() {
            let mut faults = Faults {
                sections: &mut sections,
                place: faults_of("late", place),
                any: false,
            };
            once("late", &written.id, &mut faults);
            if self.regime(&written.regime).is_none() {
                faults.add("regime", &written.regime, "the id of a [[regime]]");
            }
            let late = written.read(&mut faults);
            if !faults.any {
                put(&mut self.late, late, |late| &late.row.id);
            }
        }
        for (place, written) in sections
            .take_each::<WrittenPolicy>("policy")
            .into_iter()
            .enumerate()
        {
            let mut faults = Faults {
                sections: &mut sections,
                place: faults_of("policy", place),
                any: false,
            };
            once("policy", &written.id, &mut faults);
            faults.above_zero("percent", Some(written.percent));
            faults.above_zero("excess", written.excess);
            if written.excess.is_some() != written.excess_currency.is_some() {
                faults.add("excess_currency", "", "a currency, together with `excess`");
            }
            let policy = Policy {
                row: faults.row(
                    (written.id, written.source),
                    written.valid_from,
                    written.valid_to,
                    written.checked,
                ),
                insurer: written.insurer,
                percent: written.percent,
                excess: written
                    .excess
                    .zip(written.excess_currency)
                    .map(|(amount, currency)| Money::new(amount, currency)),
                modes: written.modes,
            };
            if !faults.any {
                put(&mut self.policies, policy, |policy| &policy.row.id);
            }
        }
        let mut told: BTreeSet<(Currency, NaiveDate)> = BTreeSet::new();
        for (place, written) in sections.take_each::<WrittenRate>("sdr").into_iter().enumerate() {
            let mut faults = Faults {
                sections: &mut sections,
                place: faults_of("sdr", place),
                any: false,
            };
            faults.above_zero("rate", Some(written.rate));
            if written.source.trim().is_empty() {
                faults.add("source", "", "who says so");
            }
            if !told.insert((written.currency, written.on)) {
                faults.add("on", written.on.to_string(), "one rate of a currency a day");
            }
            if !faults.any {
                // A rate of one's own takes the place of the one that ships with linkstar.
                let same = |rate: &SdrRate| rate.currency == written.currency && rate.on == written.on;
                self.rates.retain(|rate| !same(rate));
                self.rates.push(SdrRate {
                    currency: written.currency,
                    rate: written.rate,
                    on: written.on,
                    source: written.source,
                });
            }
        }
        for written in sections.take_each::<WrittenPapers>("papers") {
            self.papers.insert(written.against, written.needs);
        }
        sections.finish(&[
            "version", "regime", "clock", "limit", "late", "policy", "sdr", "papers",
        ])?;
        Ok(self)
    }
}

fn limit(written: WrittenLimit, faults: &mut Faults<'_, '_>) -> Limit {
    faults.above_zero("per_kg", written.per_kg);
    faults.above_zero("per_package", written.per_package);
    let (kg, package) = match written.rule {
        LimitRule::Higher | LimitRule::Lower => (true, true),
        LimitRule::PerKg => (true, false),
        LimitRule::PerPackage => (false, true),
        LimitRule::None => (false, false),
    };
    for (field, needed, there) in [
        ("per_kg", kg, written.per_kg.is_some()),
        ("per_package", package, written.per_package.is_some()),
        ("unit", kg || package, written.unit.is_some()),
    ] {
        if needed && !there {
            faults.add(field, "", "a figure, as `rule` asks for it");
        }
    }
    let unit = match written.unit.as_deref() {
        None | Some("SDR") => Unit::Sdr,
        Some(code) => match Currency::new(code) {
            Ok(currency) => Unit::Money(currency),
            Err(_) => {
                faults.add("unit", code, "SDR or a currency");
                Unit::Sdr
            }
        },
    };
    Limit {
        row: faults.row(
            (written.id, written.source),
            written.valid_from,
            written.valid_to,
            written.checked,
        ),
        regime: written.regime,
        value: written.value,
        rule: written.rule,
        per_kg: written.per_kg,
        per_package: written.per_package,
        unit,
    }
}
