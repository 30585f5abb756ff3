//! What people make of the suggestions: how many they take as they are, which they change and by how much, and why not
//! the others (R77).

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use rust_decimal::Decimal;
use serde::Serialize;

use super::Choice;
use crate::ids::{Sku, WarehouseCode};
use crate::planner::round_stat;

/// One decision beside what was suggested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The plan's first day ahead.
    pub day: NaiveDate,
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub choice: Choice,
    pub suggested: Option<i64>,
    pub units: Option<i64>,
    pub reason: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub adopted: usize,
    pub changed: usize,
    pub rejected: usize,
    pub watched: usize,
}

impl Tally {
    fn add(&mut self, choice: Choice) {
        *match choice {
            Choice::Adopt => &mut self.adopted,
            Choice::Change => &mut self.changed,
            Choice::Reject => &mut self.rejected,
            Choice::Watch => &mut self.watched,
        } += 1;
    }

    #[must_use]
    pub fn all(&self) -> usize {
        self.adopted + self.changed + self.rejected + self.watched
    }

    /// Adopted as it was suggested, of all.
    #[must_use]
    pub fn adopted_share(&self) -> Option<Decimal> {
        (self.all() > 0)
            .then(|| round_stat(self.adopted as f64 / self.all() as f64))
            .flatten()
    }
}

/// A reason people gave, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Given {
    /// As typed; empty when they gave none.
    pub reason: String,
    pub choice: &'static str,
    pub times: usize,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Statistics {
    pub all: Tally,
    pub by_warehouse: BTreeMap<WarehouseCode, Tally>,
    /// By the Monday of the plan's week.
    pub by_week: BTreeMap<NaiveDate, Tally>,
    /// Changes that ordered more than suggested, and less.
    pub changed_up: usize,
    pub changed_down: usize,
    /// Units ordered over units suggested, of the changes where both are known and something was suggested: the
    /// middle one, and the ones a tenth from either end.
    pub change_p10: Option<Decimal>,
    pub change_p50: Option<Decimal>,
    pub change_p90: Option<Decimal>,
    /// Most frequent first.
    pub reasons: Vec<Given>,
    /// Lines changed or rejected at least three times: the plan and the people disagree about them.
    pub disputed: Vec<(WarehouseCode, Sku, usize)>,
}

/// From so many changes and rejections on a line is disputed.
const DISPUTED: usize = 3;

/// The last decision of each line and day counts; they come in the order they were taken.
#[must_use]
pub fn statistics(decided: &[Decided]) -> Statistics {
    let mut last: BTreeMap<(NaiveDate, &WarehouseCode, &Sku), &Decided> = BTreeMap::new();
    for one in decided {
        last.insert((one.day, &one.warehouse, &one.sku), one);
    }
    let mut found = Statistics::default();
    let mut ratios = Vec::new();
    let mut reasons: BTreeMap<(&str, Choice), usize> = BTreeMap::new();
    let mut against: BTreeMap<(&WarehouseCode, &Sku), usize> = BTreeMap::new();
    for one in last.into_values() {
        let monday = one.day - chrono::Duration::days(i64::from(one.day.weekday().num_days_from_monday()));
        found.all.add(one.choice);
        found
            .by_warehouse
            .entry(one.warehouse.clone())
            .or_default()
            .add(one.choice);
        found.by_week.entry(monday).or_default().add(one.choice);
        if let (Choice::Change, Some(suggested), Some(units)) = (one.choice, one.suggested, one.units) {
            found.changed_up += usize::from(units > suggested);
            found.changed_down += usize::from(units < suggested);
            if suggested > 0 {
                ratios.push(units as f64 / suggested as f64);
            }
        }
        if one.choice != Choice::Adopt {
            *reasons.entry((one.reason.trim(), one.choice)).or_default() += 1;
        }
        if matches!(one.choice, Choice::Change | Choice::Reject) {
            *against.entry((&one.warehouse, &one.sku)).or_default() += 1;
        }
    }
    ratios.sort_by(f64::total_cmp);
    let at = |tenths: usize| {
        let place = (ratios.len() * tenths).div_ceil(10).checked_sub(1)?;
        ratios.get(place).copied().and_then(round_stat)
    };
    (found.change_p10, found.change_p50, found.change_p90) = (at(1), at(5), at(9));
    found.reasons = reasons
        .into_iter()
        .map(|((reason, choice), times)| Given {
            reason: reason.to_owned(),
            choice: choice.code(),
            times,
        })
        .collect();
    found.reasons.sort_by_key(|given| std::cmp::Reverse(given.times));
    found.disputed = against
        .into_iter()
        .filter(|(_, times)| *times >= DISPUTED)
        .map(|((warehouse, sku), times)| (warehouse.clone(), sku.clone(), times))
        .collect();
    found
        .disputed
        .sort_by_key(|(_, _, times)| std::cmp::Reverse(*times));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(
        day: &str,
        sku: &str,
        choice: Choice,
        suggested: i64,
        units: Option<i64>,
        reason: &str,
    ) -> Decided {
        Decided {
            day: day.parse().unwrap(),
            warehouse: WarehouseCode::new("goodcang:UKMA").unwrap(),
            sku: Sku::new(sku).unwrap(),
            choice,
            suggested: Some(suggested),
            units,
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn r77_adopted_changed_rejected_and_watched_are_counted_with_their_reasons() {
        let found = statistics(&[
            decided("2026-11-16", "A", Choice::Adopt, 100, Some(100), ""),
            decided("2026-11-17", "A", Choice::Change, 100, Some(50), "cash"),
            decided("2026-11-18", "A", Choice::Change, 100, Some(60), "cash"),
            decided("2026-11-23", "A", Choice::Reject, 100, None, "cash"),
            decided("2026-11-23", "B", Choice::Watch, 40, None, "new listing"),
            decided("2026-11-23", "C", Choice::Change, 10, Some(40), "promotion"),
        ]);
        assert_eq!(
            (
                found.all.adopted,
                found.all.changed,
                found.all.rejected,
                found.all.watched
            ),
            (1, 3, 1, 1)
        );
        assert_eq!((found.changed_up, found.changed_down), (1, 2));
        assert_eq!(found.all.adopted_share(), Some(Decimal::new(167, 3)));
        assert_eq!(found.change_p50, Some(Decimal::new(6, 1)));
        assert_eq!(
            found
                .reasons
                .first()
                .map(|given| (given.reason.as_str(), given.choice, given.times)),
            Some(("cash", "change", 2))
        );
        assert_eq!(found.by_week.len(), 2);
        assert_eq!(found.disputed.len(), 1);
    }

    #[test]
    fn a_second_thought_on_the_same_day_takes_the_place_of_the_first() {
        let found = statistics(&[
            decided("2026-11-16", "A", Choice::Reject, 100, None, ""),
            decided("2026-11-16", "A", Choice::Adopt, 100, Some(100), ""),
        ]);
        assert_eq!((found.all.adopted, found.all.rejected), (1, 0));
        assert!(statistics(&[]).change_p50.is_none());
    }
}
