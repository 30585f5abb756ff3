//! How numbers look to a reader. Unknown is `?`, never a zero.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::money::{Currency, Money};
use crate::planner::{AlertLevel, DataState, PlanLine, Reason};

pub(super) const UNKNOWN: &str = "?";

/// `12,345`; `-7`; `?`.
pub(super) fn count(units: Option<i64>) -> String {
    units.map_or_else(|| UNKNOWN.to_owned(), grouped)
}

pub(super) fn grouped(units: i64) -> String {
    let digits = units.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if units < 0 {
        out.push('−');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `+12`, `−3`, `±0`: a difference always shows its sign.
pub(super) fn signed(units: i64) -> String {
    match units {
        0 => "±0".to_owned(),
        1.. => format!("+{}", grouped(units)),
        _ => grouped(units),
    }
}

/// A rate or a number of days with one place, trailing zero dropped.
pub(super) fn one_place(value: Option<Decimal>) -> String {
    value.map_or_else(
        || UNKNOWN.to_owned(),
        |value| {
            value
                .round_dp_with_strategy(1, RoundingStrategy::MidpointAwayFromZero)
                .normalize()
                .to_string()
        },
    )
}

/// `12-03` within the report's year and its neighbours' near months, `2028-01-04` when that could mislead.
pub(super) fn day(date: NaiveDate, as_of: NaiveDate) -> String {
    if date.year() == as_of.year() || (date - as_of).num_days().abs() <= 200 {
        date.format("%m-%d").to_string()
    } else {
        date.format("%Y-%m-%d").to_string()
    }
}

/// For a date that does not have to exist: unknown only where the data is not complete.
pub(super) fn day_if_any(date: Option<NaiveDate>, as_of: NaiveDate, line: &PlanLine) -> String {
    match date {
        Some(date) => day(date, as_of),
        None if line.data == DataState::Complete => "—".to_owned(),
        None => UNKNOWN.to_owned(),
    }
}

pub(super) fn maybe_day(date: Option<NaiveDate>, as_of: NaiveDate) -> String {
    date.map_or_else(|| UNKNOWN.to_owned(), |date| day(date, as_of))
}

pub(super) fn moment(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%m-%d %H:%M %Z").to_string()
}

fn sign_of(currency: Currency) -> String {
    match currency.code() {
        "CNY" => "¥".to_owned(),
        "GBP" => "£".to_owned(),
        "USD" => "$".to_owned(),
        "EUR" => "€".to_owned(),
        code => format!("{code} "),
    }
}

/// `¥412k`, `£9,870`, `$1.24M`: short enough for a subject line.
pub(super) fn short_money(amount: Decimal, currency: Currency) -> String {
    let sign = sign_of(currency);
    let scaled = |scale: i64, places: u32| {
        (amount / Decimal::from(scale))
            .round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
            .normalize()
    };
    let size = amount.abs();
    if size >= Decimal::from(999_500) {
        format!("{sign}{}M", scaled(1_000_000, 2))
    } else if size >= Decimal::from(99_950) {
        format!("{sign}{}k", scaled(1000, 0))
    } else if size >= Decimal::from(10_000) {
        format!("{sign}{}k", scaled(1000, 1))
    } else {
        let whole = scaled(1, 0).to_i64().map_or_else(|| UNKNOWN.to_owned(), grouped);
        format!("{sign}{whole}")
    }
}

/// Money to order, by currency, of the lines that may be counted.
#[derive(Debug, Default, Clone)]
pub(super) struct Totals {
    pub red: usize,
    pub amber: usize,
    pub to_order: BTreeMap<Currency, Decimal>,
    pub units: i64,
    pub lines: usize,
    /// Lines with a suggestion and no known cost: the sum is a lower bound.
    pub cost_unknown: usize,
    /// Lines whose data may not be counted.
    pub not_counted: usize,
    /// Lines whose data is complete, due or not. Without one, a total of zero would be a guess.
    pub complete: usize,
}

impl Totals {
    /// Only complete lines count; the others are shown, marked, and counted apart.
    pub fn of<'a>(lines: impl Iterator<Item = &'a PlanLine>) -> Self {
        let mut totals = Self::default();
        for line in lines {
            let wanted = line.suggested_units.filter(|units| *units > 0);
            if line.data != DataState::Complete {
                if wanted.is_some() || is_alarm(line) || cannot_tell(line) {
                    totals.not_counted += 1;
                }
                continue;
            }
            totals.complete += 1;
            match line.level {
                Some(AlertLevel::Critical) => totals.red += 1,
                Some(AlertLevel::Warning) => totals.amber += 1,
                _ => {}
            }
            if let Some(units) = wanted {
                totals.lines += 1;
                totals.units = totals.units.saturating_add(units);
                match line.cost {
                    Some(Money { amount, currency }) => {
                        let sum = totals.to_order.entry(currency).or_default();
                        *sum = sum.saturating_add(amount);
                    }
                    None => totals.cost_unknown += 1,
                }
            }
        }
        totals
    }

    /// A number of lines; `?` when no line's data is complete.
    pub fn lines_at(&self, count: usize) -> String {
        if self.complete == 0 {
            UNKNOWN.to_owned()
        } else {
            count.to_string()
        }
    }

    /// `¥412k`, `¥412k + £3k`, `≥ ¥412k` when some costs are unknown, `?` when all are.
    pub fn money(&self, first: Currency) -> String {
        if self.complete == 0 || (self.lines > 0 && self.to_order.is_empty()) {
            return UNKNOWN.to_owned();
        }
        let lead = self.to_order.get(&first).copied();
        let mut parts = Vec::new();
        if lead.is_some() || self.to_order.is_empty() {
            parts.push(short_money(lead.unwrap_or_default(), first));
        }
        for (currency, amount) in &self.to_order {
            if *currency != first {
                parts.push(short_money(*amount, *currency));
            }
        }
        let sum = parts.join(" + ");
        if self.cost_unknown > 0 {
            format!("≥ {sum}")
        } else {
            sum
        }
    }
}

/// Shown greyed: the data is not good enough to say whether something has to be done.
pub(super) fn cannot_tell(line: &PlanLine) -> bool {
    line.data != DataState::Complete
        && line.level != Some(AlertLevel::Overstock)
        && !line
            .reasons
            .iter()
            .any(|reason| matches!(reason, Reason::Inactive | Reason::NoRecentSales))
}

/// Red, amber or blue: something a person must look at before stock runs out.
pub(super) fn is_alarm(line: &PlanLine) -> bool {
    matches!(
        line.level,
        Some(AlertLevel::Critical | AlertLevel::Warning | AlertLevel::Notice)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_short_and_keeps_its_currency() {
        let cny = |amount: i64| short_money(Decimal::from(amount), Currency::CNY);
        assert_eq!(cny(0), "¥0");
        assert_eq!(cny(9_870), "¥9,870");
        assert_eq!(cny(12_340), "¥12.3k");
        assert_eq!(cny(412_300), "¥412k");
        assert_eq!(cny(999_600), "¥1M");
        assert_eq!(cny(1_236_000), "¥1.24M");
        assert_eq!(
            short_money(Decimal::from(10), Currency::new("JPY").unwrap()),
            "JPY 10"
        );
    }

    #[test]
    fn unknown_is_never_a_zero() {
        assert_eq!(count(None), "?");
        assert_eq!(one_place(None), "?");
        assert_eq!(count(Some(0)), "0");
        assert_eq!(one_place(Some(Decimal::new(1250, 2))), "12.5");
        assert_eq!(
            (signed(0), signed(1200), signed(-3)),
            ("±0".into(), "+1,200".into(), "−3".into())
        );
    }

    #[test]
    fn a_day_of_a_far_year_shows_the_year() {
        let as_of = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        assert_eq!(day(NaiveDate::from_ymd_opt(2027, 1, 4).unwrap(), as_of), "01-04");
        assert_eq!(
            day(NaiveDate::from_ymd_opt(2028, 1, 4).unwrap(), as_of),
            "2028-01-04"
        );
    }
}
