//! Events whose days come with the program: `config/events.toml`.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};
use serde::Deserialize;

use crate::ids::WarehouseCode;
use crate::planner::EventDates;
use crate::problem::Problem;

const SHIPPED: &str = include_str!("../../../../config/events.toml");

/// So many days before the day of last year the next dates should be known: platforms tell them about a month ahead.
const KNOWN_BEFORE: u64 = 365 - 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(dead_code, reason = "for programs that read the file")]
    version: i64,
    event: Vec<Event>,
}

/// An event of a platform, or of everybody, in some countries.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    name: String,
    platform: Option<String>,
    countries: BTreeSet<String>,
    #[expect(dead_code, reason = "for people who read the file")]
    source: String,
    #[expect(dead_code, reason = "for people who read the file")]
    checked: toml::value::Datetime,
    days: Vec<[NaiveDate; 2]>,
}

/// Where goods are sold from, and on what.
#[derive(Debug, Clone)]
pub struct Market<'a> {
    pub warehouse: &'a WarehouseCode,
    pub country: &'a str,
    pub platforms: BTreeSet<&'a str>,
}

impl<'a> Market<'a> {
    #[must_use]
    pub fn anywhere((warehouse, country): &'a (WarehouseCode, String)) -> Self {
        Self {
            warehouse,
            country,
            platforms: BTreeSet::new(),
        }
    }
}

fn read() -> Result<Vec<Event>, Problem> {
    let wanted = "the events that ship with this program";
    toml::from_str::<File>(SHIPPED)
        .map(|file| file.event)
        .map_err(|error| Problem::new("events.toml", "", "", error.message(), wanted))
}

impl Event {
    fn is_of(&self, market: &Market<'_>) -> bool {
        let sold = self
            .platform
            .as_deref()
            .is_none_or(|on| market.platforms.contains(on));
        sold && self.countries.contains(market.country)
    }
}

/// The days of every market's events, but for those of a name in `own`. Nothing is assumed of them before they were seen.
///
/// # Errors
/// When the shipped file is broken.
pub fn events(markets: &[Market<'_>], own: &[EventDates]) -> Result<Vec<EventDates>, Problem> {
    let mut found = Vec::new();
    for event in read()? {
        if own.iter().any(|known| known.name == event.name) {
            continue;
        }
        for market in markets.iter().filter(|market| event.is_of(market)) {
            found.extend(event.days.iter().map(|[from, until]| EventDates {
                name: event.name.clone(),
                warehouse: Some(market.warehouse.clone()),
                from: *from,
                until: *until,
                prior_permille: 1_000,
            }));
        }
    }
    Ok(found)
}

/// Events of these markets that are near again, and whose next days this program does not know (R16).
#[must_use]
pub fn not_extended(markets: &[Market<'_>], own: &[EventDates], as_of: NaiveDate) -> Vec<Problem> {
    let events = match read() {
        Ok(events) => events,
        Err(problem) => return vec![problem],
    };
    let mut told = Vec::new();
    for event in events {
        let mine = markets.iter().any(|market| event.is_of(market));
        let Some([from, until]) = event.days.iter().max() else {
            continue;
        };
        if !mine
            || own.iter().any(|known| known.name == event.name)
            || as_of < *from + Days::new(KNOWN_BEFORE)
        {
            continue;
        }
        let wanted = format!("its dates after {until} in demand/events.csv: this version does not know them");
        told.push(Problem::new("events.csv", "", "name", &event.name, wanted));
    }
    told
}

#[cfg(test)]
mod tests {
    use chrono::{Datelike as _, Weekday};

    use super::*;

    fn market<'a>(warehouse: &'a WarehouseCode, country: &'a str, platforms: &[&'a str]) -> Market<'a> {
        Market {
            warehouse,
            country,
            platforms: platforms.iter().copied().collect(),
        }
    }

    fn names(events: &[EventDates]) -> BTreeSet<&str> {
        events.iter().map(|event| event.name.as_str()).collect()
    }

    #[test]
    fn the_shipped_file_is_whole_and_black_friday_follows_the_fourth_thursday() {
        let events = read().unwrap();
        for event in &events {
            assert!(
                event.days.iter().all(|[from, until]| from <= until),
                "{}",
                event.name
            );
            assert!(
                event.days.windows(2).all(|two| two[0][1] < two[1][0]),
                "{}",
                event.name
            );
        }
        let friday = events.iter().find(|event| event.name == "black_friday").unwrap();
        for [from, until] in &friday.days {
            let thursday = NaiveDate::from_weekday_of_month_opt(from.year(), 11, Weekday::Thu, 4).unwrap();
            assert_eq!(
                (*from, *until),
                (thursday + Days::new(1), thursday + Days::new(4))
            );
        }
    }

    #[test]
    fn a_market_gets_the_events_of_its_country_and_platform_and_an_own_file_wins() {
        let uk = WarehouseCode::new("goodcang:UKMA").unwrap();
        let both = market(&uk, "GB", &["amazon", "ebay"]);
        assert_eq!(
            names(&events(std::slice::from_ref(&both), &[]).unwrap()),
            ["black_friday", "prime_day"].into()
        );
        assert_eq!(
            names(&events(&[market(&uk, "GB", &["shopify"])], &[]).unwrap()),
            ["black_friday"].into()
        );
        assert_eq!(events(&[market(&uk, "JP", &["amazon"])], &[]).unwrap(), []);
        let own = EventDates {
            name: "prime_day".to_owned(),
            warehouse: None,
            from: "2027-07-13".parse().unwrap(),
            until: "2027-07-14".parse().unwrap(),
            prior_permille: 2_000,
        };
        assert_eq!(names(&events(&[both], &[own]).unwrap()), ["black_friday"].into());
    }

    #[test]
    fn r16_dates_that_are_not_known_are_asked_for_two_months_before_and_not_earlier() {
        let us = WarehouseCode::new("amazon:US").unwrap();
        let here = [market(&us, "US", &["amazon"])];
        let told = |day: &str| -> Vec<String> {
            let problems = not_extended(&here, &[], day.parse().unwrap());
            problems.iter().map(ToString::to_string).collect()
        };
        assert_eq!(told("2027-04-23"), Vec::<String>::new());
        insta::assert_snapshot!(told("2027-04-24").join("\n"), @"events.csv, `name`: found `prime_day`, wanted its dates after 2026-06-26 in demand/events.csv: this version does not know them");
    }
}
