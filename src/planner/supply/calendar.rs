//! Days on which a stage stands still, and what a date beyond the maintained years is: an error with the year in it.
//!
//! The calendar `cn` comes with the program. New Year's days are those of the lunar calendar, and the first of October is a fixed
//! date; how long a factory is shut around them is custom: a week before the New Year to the Lantern Festival, and the first week
//! of October. The State Council's yearly notices of days off are shorter and move single days: they were not used.

use chrono::{Datelike as _, Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::facts::{Closure, SupplyFacts};
use crate::ids::WarehouseCode;
use crate::order::Mode;
use crate::planner::balance::day_after;
use crate::planner::snapshot::{Policy, Stage};

/// Name of the calendar that comes with the program.
pub const ORIGIN: &str = "cn";
/// First day of the lunar year, by year.
const NEW_YEARS: [(i32, u32, u32); 19] = [
    (2009, 1, 26),
    (2010, 2, 14),
    (2011, 2, 3),
    (2012, 1, 23),
    (2013, 2, 10),
    (2014, 1, 31),
    (2015, 2, 19),
    (2016, 2, 8),
    (2017, 1, 28),
    (2018, 2, 16),
    (2019, 2, 5),
    (2020, 1, 25),
    (2021, 2, 12),
    (2022, 2, 1),
    (2023, 1, 22),
    (2024, 2, 10),
    (2025, 1, 29),
    (2026, 2, 17),
    (2027, 2, 6),
];
/// Days before and after New Year's day on which factories are shut, and hauliers.
const FACTORY: (u64, u64) = (7, 14);
const HAULIER: (u64, u64) = (2, 6);
const AT_THE_FACTORY: [Stage; 2] = [Stage::Production, Stage::QualityCheck];

/// A calendar that has no entry for a year that a date falls into.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MissingYear {
    pub calendar: String,
    pub year: i32,
}

impl std::fmt::Display for MissingYear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "calendar `{}` not extended to {}", self.calendar, self.year)
    }
}

/// Every closure there is, with the years each calendar is maintained for.
#[derive(Debug, Clone, Default)]
pub struct Calendars {
    closures: Vec<Closure>,
    years: std::collections::BTreeMap<String, Vec<i32>>,
}

impl Calendars {
    #[must_use]
    pub fn new(facts: &SupplyFacts, policy: &Policy) -> Self {
        let mut calendars = Self::default();
        if policy.supply.origin_calendar == ORIGIN {
            calendars.closures = origin();
        }
        calendars.closures.extend(facts.closures.iter().cloned());
        calendars.closures.sort();
        let dates = calendars.closures.iter().flat_map(|closure| {
            [
                (closure.calendar.clone(), closure.from),
                (closure.calendar.clone(), closure.to),
            ]
        });
        let mut years: std::collections::BTreeMap<String, Vec<i32>> = std::collections::BTreeMap::new();
        for (calendar, date) in dates {
            years.entry(calendar).or_default().push(date.year());
        }
        for list in years.values_mut() {
            list.sort_unstable();
            list.dedup();
        }
        calendars.years = years;
        calendars
    }

    /// The clock of one stage of one lane.
    #[must_use]
    pub fn clock(
        &self,
        stage: Stage,
        warehouse: &WarehouseCode,
        mode: Option<Mode>,
        as_of: NaiveDate,
    ) -> Clock {
        let mut shut: Vec<(i64, i64)> = Vec::new();
        let mut calendars: Vec<&str> = Vec::new();
        for closure in &self.closures {
            let here = closure.warehouse.as_ref().is_none_or(|code| code == warehouse)
                && (closure.mode.is_none() || mode.is_none() || closure.mode == mode);
            if here && closure.stages.contains(&stage) {
                shut.push((
                    (closure.from - as_of).num_days(),
                    (closure.to - as_of).num_days() + 1,
                ));
                if !calendars.contains(&closure.calendar.as_str()) {
                    calendars.push(&closure.calendar);
                }
            }
        }
        shut.sort_unstable();
        let mut merged: Vec<(i64, i64)> = Vec::with_capacity(shut.len());
        for (from, to) in shut {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        Clock {
            shut: merged,
            years: calendars
                .into_iter()
                .map(|name| (name.to_owned(), self.years.get(name).cloned().unwrap_or_default()))
                .collect(),
        }
    }
}

fn origin() -> Vec<Closure> {
    let around =
        |year: i32, month: u32, day: u32, (before, after): (u64, u64), name: &str, stages: &[Stage]| {
            let feast = NaiveDate::from_ymd_opt(year, month, day)?;
            Some(Closure {
                calendar: ORIGIN.to_owned(),
                name: name.to_owned(),
                from: feast - Days::new(before),
                to: feast + Days::new(after),
                stages: stages.to_vec(),
                warehouse: None,
                mode: None,
            })
        };
    NEW_YEARS
        .iter()
        .flat_map(|(year, month, day)| {
            [
                around(*year, *month, *day, FACTORY, "cny", &AT_THE_FACTORY),
                around(*year, *month, *day, HAULIER, "cny", &[Stage::DomesticHaul]),
                around(*year, 10, 1, (0, 6), "golden_week", &AT_THE_FACTORY),
                around(*year, 10, 1, (0, 6), "golden_week", &[Stage::DomesticHaul]),
            ]
        })
        .flatten()
        .collect()
}

/// Days around the as-of date that a plan can reach.
const NEAR: i64 = 1200;

/// When one stage works. Days are counted from the as-of date.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Clock {
    /// First and one past the last day shut, in order, apart from each other.
    shut: Vec<(i64, i64)>,
    years: Vec<(String, Vec<i32>)>,
}

impl Clock {
    #[must_use]
    pub fn never_stops(&self) -> bool {
        self.shut.is_empty()
    }

    /// Whether a day of `from..to` is one on which nothing happens.
    #[must_use]
    pub fn stops_within(&self, from: i64, to: i64) -> bool {
        self.shut.iter().any(|(shut, open)| *shut < to && *open > from)
    }

    /// Only the closures of the years around the as-of date.
    #[must_use]
    pub fn near(mut self) -> Self {
        self.shut.retain(|(shut, open)| *open > -NEAR && *shut < NEAR);
        self
    }

    /// The day itself, or the first open one after it.
    #[must_use]
    pub fn open_from(&self, day: i64) -> i64 {
        let shut = self
            .shut
            .iter()
            .find(|(shut, open)| (*shut..*open).contains(&day));
        shut.map_or(day, |(_, open)| *open)
    }

    /// The time at which `days` of work that begin at `start` are done.
    #[must_use]
    pub fn advance(&self, start: f64, days: f64) -> f64 {
        if days <= 0.0 {
            return start;
        }
        let (mut at, mut left) = (start, days);
        for (shut, open) in &self.shut {
            let (shut, open) = (*shut as f64, *open as f64);
            if open <= at {
                continue;
            }
            if shut >= at + left {
                break;
            }
            left -= (shut - at).max(0.0);
            at = open;
        }
        at + left
    }

    /// The latest time at which `days` of work can begin and be done by `end`.
    #[must_use]
    pub fn retreat(&self, end: f64, days: f64) -> f64 {
        if days <= 0.0 {
            return end;
        }
        let (mut at, mut left) = (end, days);
        for (shut, open) in self.shut.iter().rev() {
            let (shut, open) = (*shut as f64, *open as f64);
            if shut >= at {
                continue;
            }
            if open <= at - left {
                break;
            }
            left -= (at - open).max(0.0);
            at = shut;
        }
        at - left
    }

    /// Days of work between two times.
    #[must_use]
    pub fn worked(&self, from: i64, to: i64) -> i64 {
        let idle: i64 = self
            .shut
            .iter()
            .map(|(shut, open)| (*open.min(&to) - *shut.max(&from)).max(0))
            .sum();
        (to - from - idle).max(0)
    }

    /// The first year a calendar lacks of those that the days `from..=to` fall into.
    #[must_use]
    pub fn missing(&self, as_of: NaiveDate, from: i64, to: i64) -> Option<MissingYear> {
        let (first, last) = (day_after(as_of, from).year(), day_after(as_of, to).year());
        self.years.iter().find_map(|(calendar, years)| {
            let year = (first..=last).find(|year| !years.contains(year))?;
            Some(MissingYear {
                calendar: calendar.clone(),
                year,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(shut: &[(i64, i64)]) -> Clock {
        Clock {
            shut: shut.to_vec(),
            years: Vec::new(),
        }
    }

    #[test]
    fn work_waits_for_the_open_days_and_the_way_back_is_the_same() {
        let clock = clock(&[(10, 20), (30, 35)]);
        assert_eq!(clock.advance(0.0, 5.0), 5.0);
        assert_eq!(clock.advance(0.0, 15.0), 25.0);
        assert_eq!(clock.advance(12.0, 3.0), 23.0);
        assert_eq!(clock.advance(0.0, 25.0), 40.0);
        for days in 1..40 {
            let days = f64::from(days);
            let end = clock.advance(3.0, days);
            let start = clock.retreat(end, days);
            assert!(start >= 3.0, "the latest start is not before a start that works");
            assert_eq!(clock.advance(start, days), end, "{days}");
        }
        assert_eq!(clock.worked(0, 25), 15);
    }

    #[test]
    fn r16_a_year_that_nobody_maintains_is_named() {
        let as_of = NaiveDate::from_ymd_opt(2027, 12, 1).unwrap();
        let calendars = Calendars::new(&SupplyFacts::default(), &Policy::default());
        let warehouse = WarehouseCode::new("goodcang:UKMA").unwrap();
        let clock = calendars.clock(Stage::Production, &warehouse, Some(Mode::Sea), as_of);
        assert_eq!(clock.missing(as_of, 0, 20), None);
        let missing = clock.missing(as_of, 0, 31).unwrap();
        assert_eq!(missing.to_string(), "calendar `cn` not extended to 2028");
        let sail = calendars.clock(Stage::Sail, &warehouse, Some(Mode::Sea), as_of);
        assert_eq!(sail.missing(as_of, 0, 400), None);
    }

    #[test]
    fn r16_the_new_year_of_2027_shuts_factories_for_22_days() {
        let as_of = NaiveDate::from_ymd_opt(2027, 1, 25).unwrap();
        let calendars = Calendars::new(&SupplyFacts::default(), &Policy::default());
        let warehouse = WarehouseCode::new("goodcang:UKMA").unwrap();
        let clock = calendars.clock(Stage::Production, &warehouse, None, as_of);
        // Five days of work before 30 January, fifteen after 20 February.
        assert_eq!(clock.advance(0.0, 20.0), 42.0);
    }
}
