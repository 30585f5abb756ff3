//! The daily velocity rules sellers know from their tools, beside the forecasts: a fixed figure, or a weighted mean of the
//! velocities of the last 3, 7, 14, 30, 60 and 90 days. A rule holds from its first day to its last.

use chrono::NaiveDate;

use super::series::{self, ModelError};

/// The windows of a weighted rule, in days.
pub const WINDOWS: [usize; 6] = [3, 7, 14, 30, 60, 90];

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum VelocityRule {
    /// Units a day.
    Fixed(f64),
    /// A share for each of [`WINDOWS`]; they sum to one.
    Weighted([f64; WINDOWS.len()]),
}

/// Units a day over the newest days of each of [`WINDOWS`], from in-stock days with data, newest first; fewer days divide
/// by those found, none is unknown. Only as many days are looked at as the longest window has.
#[inline]
pub fn velocities(newest: impl Iterator<Item = u32>) -> [Option<f64>; WINDOWS.len()] {
    let mut found = [None; WINDOWS.len()];
    let (mut days, mut units, mut place) = (0_usize, 0_u64, 0);
    // Not a `for`: the filters that callers put before it run inside one loop this way, which is what a table of many lines costs.
    newest.take(WINDOWS[WINDOWS.len() - 1]).for_each(|sold| {
        units += u64::from(sold);
        days += 1;
        if days == WINDOWS[place] {
            found[place] = Some(units as f64 / days as f64);
            place += 1;
        }
    });
    if days > 0 {
        let rest = found.iter_mut().skip(place);
        rest.for_each(|window| *window = Some(units as f64 / days as f64));
    }
    found
}

#[derive(Debug, Clone, PartialEq)]
pub struct DatedRule {
    pub from: NaiveDate,
    /// The last day it holds; none: until another begins.
    pub until: Option<NaiveDate>,
    pub rule: VelocityRule,
}

/// The rule of a day: of those that hold, the one that began last, and of those begun together the one named last.
pub fn rule_on(rules: &[DatedRule], day: NaiveDate) -> Option<&DatedRule> {
    rules
        .iter()
        .filter(|rule| rule.from <= day && rule.until.is_none_or(|until| day <= until))
        .max_by_key(|rule| rule.from)
}

impl VelocityRule {
    fn check(&self) -> Result<(), ModelError> {
        match self {
            Self::Fixed(rate) if rate.is_finite() && *rate >= 0.0 => Ok(()),
            Self::Fixed(rate) => Err(ModelError::Parameter {
                parameter: "fixed velocity",
                wanted: "at least 0 units a day",
                got: *rate,
            }),
            Self::Weighted(shares) => {
                let sum: f64 = shares.iter().sum();
                let sound = shares.iter().all(|share| (0.0..=1.0).contains(share));
                if sound && (sum - 1.0).abs() < 1e-9 {
                    return Ok(());
                }
                Err(ModelError::Parameter {
                    parameter: "sum of the velocity weights",
                    wanted: "1, each weight from 0 to 1",
                    got: sum,
                })
            }
        }
    }

    /// Units a day from daily sales, the last one yesterday. `None` is a day out of stock or without data: a window
    /// reaches further back instead of counting it, and one that finds fewer days divides by those found.
    pub fn velocity(&self, days: &[Option<f64>]) -> Result<f64, ModelError> {
        self.check()?;
        let shares = match self {
            Self::Fixed(rate) => return Ok(*rate),
            Self::Weighted(shares) => shares,
        };
        let counted: Vec<f64> = days.iter().rev().filter_map(|day| *day).collect();
        series::demand(&counted)?;
        Ok(shares
            .iter()
            .zip(WINDOWS)
            .filter(|(share, _)| **share > 0.0)
            .map(|(share, window)| share * series::mean(&counted[..window.min(counted.len())]))
            .sum())
    }
}
