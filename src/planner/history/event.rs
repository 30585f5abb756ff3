//! Named events: what all items of a warehouse sold on their days against the days around them, believed as far as
//! there is evidence, else what the file says.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::EventDates;
use crate::ids::WarehouseCode;

/// Bound of a multiplier, and of its inverse.
const BOUND: f64 = 3.0;
/// Days on each side an event is compared with.
const NEIGHBOURS: i64 = 28;
/// Selling days of items on the event's days at which they count half against the file.
const PRIOR: f64 = 60.0;
/// A day of many times the mean is an order, not an event.
const CAP: f64 = 10.0;

/// What came of an event's past.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnedEvent {
    pub name: String,
    pub multiplier: f64,
    pub prior: f64,
    /// Selling days of items on its past days.
    pub evidence: f64,
}

/// Events of one warehouse: factors of the days before and after `as_of`.
#[derive(Debug, Clone, Default)]
pub struct Events {
    pub learned: Vec<LearnedEvent>,
    /// The factor `k + 1` days back, empty when there is no event at all.
    back: Vec<f64>,
    /// The factor `k` days ahead.
    ahead: Vec<f64>,
}

impl Events {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.learned.is_empty()
    }

    #[must_use]
    pub fn back(&self, days: usize) -> f64 {
        days.checked_sub(1)
            .and_then(|place| self.back.get(place))
            .copied()
            .unwrap_or(1.0)
    }

    #[must_use]
    pub fn ahead(&self, days: usize) -> f64 {
        self.ahead.get(days).copied().unwrap_or(1.0)
    }

    /// `items` are days back and units of in-stock days, item after item in a fixed order; `reach` the days back and
    /// ahead that matter.
    #[must_use]
    pub fn learn<'a>(
        dates: &[&EventDates],
        warehouse: Option<&WarehouseCode>,
        as_of: NaiveDate,
        (back, ahead): (usize, usize),
        items: impl Iterator<Item = &'a [(usize, f64)]>,
    ) -> Self {
        let mine: Vec<&EventDates> = dates
            .iter()
            .copied()
            .filter(|event| event.warehouse.as_ref().is_none_or(|of| Some(of) == warehouse))
            .collect();
        if mine.is_empty() {
            return Self::default();
        }
        // Days from `as_of`, before it negative.
        let span = |event: &EventDates| {
            let offset = |day: NaiveDate| (day - as_of).num_days();
            (offset(event.from), offset(event.until))
        };
        let spans: Vec<(i64, i64)> = mine.iter().map(|event| span(event)).collect();
        let mut seen: BTreeMap<&str, (f64, f64, f64)> = BTreeMap::new();
        for days in items {
            let selling = days.iter().filter(|(_, units)| *units > 0.0).count() as f64;
            for (event, (from, until)) in mine.iter().zip(&spans) {
                if *until >= 0 || -from > back as i64 {
                    continue;
                }
                let (mut on, mut on_days, mut sales, mut around, mut around_days) = (0.0, 0.0, 0.0, 0.0, 0.0);
                let near = days.iter().filter(|(back, _)| {
                    let day = -(*back as i64);
                    (from - NEIGHBOURS..=until + NEIGHBOURS).contains(&day)
                });
                let mean = days.iter().map(|(_, units)| units).sum::<f64>() / days.len().max(1) as f64;
                for (back, units) in near {
                    let day = -(*back as i64);
                    let units = units.min(CAP * mean.max(0.1));
                    if (*from..=*until).contains(&day) {
                        on += units;
                        on_days += 1.0;
                        sales += f64::from(u8::from(units > 0.0));
                    } else if !spans.iter().any(|(from, until)| (*from..=*until).contains(&day)) {
                        around += units;
                        around_days += 1.0;
                    }
                }
                if on_days > 0.0 && around > 0.0 {
                    // Each item counts by the root of its selling days, as it does for the season.
                    let weight = selling.sqrt();
                    let entry = seen.entry(&event.name).or_default();
                    entry.0 += weight * (on / on_days) / (around / around_days);
                    entry.1 += weight;
                    entry.2 += sales;
                }
            }
        }
        let mut learned: Vec<LearnedEvent> = Vec::new();
        for event in &mine {
            if learned.iter().any(|known| known.name == event.name) {
                continue;
            }
            let prior = (f64::from(event.prior_permille) / 1000.0).clamp(1.0 / BOUND, BOUND);
            let (sum, weights, evidence) = seen.get(event.name.as_str()).copied().unwrap_or_default();
            let believed = evidence / (evidence + PRIOR);
            let multiplier = if weights > 0.0 {
                let met = (sum / weights).clamp(1.0 / BOUND, BOUND);
                believed * met + (1.0 - believed) * prior
            } else {
                prior
            };
            learned.push(LearnedEvent {
                name: event.name.clone(),
                multiplier,
                prior,
                evidence,
            });
        }
        let factor = |day: i64| {
            let on = mine
                .iter()
                .zip(&spans)
                .find(|(_, (from, until))| (*from..=*until).contains(&day));
            on.and_then(|(event, _)| learned.iter().find(|known| known.name == event.name))
                .map_or(1.0, |known| known.multiplier)
        };
        Self {
            back: (1..=back).map(|days| factor(-(days as i64))).collect(),
            ahead: (0..ahead).map(|days| factor(days as i64)).collect(),
            learned,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, from: &str, until: &str) -> EventDates {
        EventDates {
            name: name.to_owned(),
            warehouse: None,
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
            prior_permille: 1_500,
        }
    }

    fn items(count: usize, on: f64) -> Vec<Vec<(usize, f64)>> {
        // Prime Day is 100 and 101 days back.
        let day = move |back: usize| (back, if (100..=101).contains(&back) { on } else { 10.0 });
        vec![(1..=365).map(day).collect(); count]
    }

    fn learn(items: &[Vec<(usize, f64)>]) -> Events {
        let as_of = "2026-10-20".parse().unwrap();
        let dates = [
            event("prime_day", "2026-07-11", "2026-07-12"),
            event("prime_day", "2027-07-13", "2027-07-14"),
        ];
        let dates: Vec<&EventDates> = dates.iter().collect();
        Events::learn(&dates, None, as_of, (365, 400), items.iter().map(Vec::as_slice))
    }

    #[test]
    fn r16_an_event_is_learned_from_its_past_days_bounded_and_used_next_year() {
        let events = learn(&items(100, 25.0));
        assert!(
            (events.learned[0].multiplier - 2.5).abs() < 0.3,
            "{:?}",
            events.learned
        );
        assert_eq!(events.back(100), events.learned[0].multiplier);
        assert_eq!(events.back(99), 1.0);
        // 2027-07-13 is 266 days ahead of 2026-10-20.
        assert_eq!(events.ahead(266), events.learned[0].multiplier);
        assert!(learn(&items(100, 500.0)).learned[0].multiplier <= BOUND);
    }

    #[test]
    fn without_evidence_the_file_is_believed_and_little_evidence_moves_it_little() {
        assert_eq!(learn(&[]).learned[0].multiplier, 1.5);
        let few = learn(&items(2, 30.0)).learned[0].multiplier;
        assert!(few > 1.5 && few < 1.7, "{few}");
    }
}
