//! From when until when one may ask (R70): the dates of the rows that hold. Where rows differ, the narrowest dates count.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::LossKind;
use super::rules::{ClaimRules, NoRule, Start};

/// The days that clocks count from, as far as they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    pub shipped: Option<NaiveDate>,
    pub delivered: Option<NaiveDate>,
    pub reported: Option<NaiveDate>,
    pub declined: Option<NaiveDate>,
}

impl Days {
    #[must_use]
    pub fn of(&self, start: Start) -> Option<NaiveDate> {
        match start {
            Start::Shipped => self.shipped,
            Start::Delivered => self.delivered,
            Start::Reported => self.reported,
            Start::Declined => self.declined,
        }
    }
}

/// A row that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    pub id: String,
    pub source: String,
    pub checked: NaiveDate,
}

/// The dates of a claim. All days are civil and included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub regime: String,
    /// What the claim's clock counts from.
    pub from: Start,
    pub since: NaiveDate,
    pub not_before: Option<NaiveDate>,
    pub notice_by: Option<NaiveDate>,
    /// After this day the claim is lost: filing's, or where there is none the suit's.
    pub last_day: NaiveDate,
    pub suit_by: Option<NaiveDate>,
    pub used: Vec<Used>,
}

impl Window {
    /// The dates that keep both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.not_before = self.not_before.max(other.not_before);
        self.notice_by = earlier(self.notice_by, other.notice_by);
        self.suit_by = earlier(self.suit_by, other.suit_by);
        if other.last_day < self.last_day {
            (self.last_day, self.from, self.since) = (other.last_day, other.from, other.since);
        }
        for used in other.used {
            if !self.used.contains(&used) {
                self.used.push(used);
            }
        }
        self
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoWindow {
    #[error(transparent)]
    Rule(#[from] NoRule),
    #[error("the clock of `{row}` counts from the day it was {start}, and nobody knows that day")]
    Start { row: String, start: &'static str },
    #[error("`{row}` leads beyond the calendar")]
    Beyond { row: String },
}

/// The dates under a regime. `today` chooses the rows where the day they count from is not known yet.
///
/// # Errors
/// [`NoWindow`] names the row or the day that is missing.
pub fn window(
    rules: &ClaimRules,
    regime: &str,
    (kind, country): (LossKind, &str),
    days: &Days,
    today: NaiveDate,
) -> Result<Window, NoWindow> {
    let clocks = rules.clocks(regime, kind, country, |start| days.of(start), today)?;
    let mut found: Option<Window> = None;
    for clock in clocks {
        let beyond = || NoWindow::Beyond {
            row: clock.row.id.clone(),
        };
        let start = days.of(clock.from).ok_or_else(|| NoWindow::Start {
            row: clock.row.id.clone(),
            start: clock.from.code(),
        })?;
        let after = |span: Option<super::rules::Span>| {
            span.map(|span| span.after(start).ok_or_else(beyond)).transpose()
        };
        let suit_by = match (clock.suit, days.of(clock.suit_from)) {
            (Some(span), Some(day)) => Some(span.after(day).ok_or_else(beyond)?),
            // It does not run yet.
            _ => None,
        };
        let not_before = after(clock.earliest)?;
        let notice_by = after(clock.notice)?;
        let last_day = after(clock.claim)?.or(suit_by).ok_or_else(|| NoWindow::Start {
            row: clock.row.id.clone(),
            start: clock.suit_from.code(),
        })?;
        let used = Used {
            id: clock.row.id.clone(),
            source: clock.row.source.clone(),
            checked: clock.row.checked,
        };
        let own = Window {
            regime: regime.to_owned(),
            from: clock.from,
            since: start,
            not_before,
            notice_by,
            last_day,
            suit_by,
            used: vec![used],
        };
        found = Some(match found {
            None => own,
            Some(before) => before.and(own),
        });
    }
    found.ok_or_else(|| NoWindow::Rule(NoRule::Regime(regime.to_owned())))
}

fn earlier(one: Option<NaiveDate>, other: Option<NaiveDate>) -> Option<NaiveDate> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
