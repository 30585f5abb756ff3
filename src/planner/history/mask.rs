//! On which days there was something to sell, from daily closing stock with gaps and from the sales themselves.
//!
//! A day with closing stock was in stock. A day that closes at nothing and sold nothing was out. A day that closes at
//! nothing and sold was in stock for a part of it: its sales are the least that was wanted. It counts when it sold at
//! least what a usual day sells, and is left out otherwise. On days without a snapshot the last known stock is sold
//! down: what is used up is out until something arrives.

use chrono::NaiveDate;

use crate::planner::balance::day_after;
use crate::planner::snapshot::DailySales;

/// Puts what closing stock says on days of which nothing is said yet.
pub fn apply(sales: &mut DailySales, closing: impl Fn(NaiveDate) -> Option<i64>) {
    let sold: Vec<Option<u32>> = sales.units.iter().collect();
    let closing: Vec<Option<i64>> = (0..sold.len())
        .map(|day| closing(day_after(sales.first_day, day as i64)))
        .collect();
    if closing.iter().all(Option::is_none) {
        return;
    }
    let found = marks(&shelves(&closing, &sold), &sold);
    let said = std::mem::take(&mut sales.in_stock);
    sales.in_stock = found
        .into_iter()
        .enumerate()
        .map(|(day, found)| said.get(day).copied().flatten().or(found))
        .collect();
    if sales.in_stock.iter().all(|mark| *mark != Some(false)) {
        sales.in_stock.clear();
    }
}

/// An item begins on the day of its first sale, or on the day it was first `seen` in stock before that: a listing that did
/// not exist yet was not refused by anybody. What never sold keeps its days, for nobody knows since when it was offered.
pub fn begin(sales: &mut DailySales, seen: Option<NaiveDate>) {
    let Some(first) = sales
        .units
        .iter()
        .position(|units| units.is_some_and(|units| units > 0))
    else {
        return;
    };
    let seen = seen.map(|seen| usize::try_from((seen - sales.first_day).num_days()).unwrap_or(0));
    let first = seen.map_or(first, |seen| seen.min(first));
    sales.first_day = day_after(sales.first_day, first as i64);
    sales.units = sales.units.iter().skip(first).collect();
    sales.in_stock.drain(..first.min(sales.in_stock.len()));
}

/// Whether there was something to sell on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    Unknown,
    Stocked,
    /// Sold out in the course of the day.
    Partial,
    Empty,
}

/// Empty days that no snapshot proves: so unlikely must it be, at the usual rate, that as many days sell nothing.
const UNLIKELY: f64 = 0.05;
/// Days in stock that make the usual rate.
const USUAL_DAYS: usize = 90;

/// Reads the days. `closing` is what was available at the end of each day, None where nobody looked; `sold` the units
/// of each day, None for a day without data.
#[must_use]
pub fn shelves(closing: &[Option<i64>], sold: &[Option<u32>]) -> Vec<Shelf> {
    let days = sold.len();
    let stock = |day: usize| closing.get(day).copied().flatten();
    let units = |day: usize| sold.get(day).copied().flatten().unwrap_or(0);
    let mut shelves: Vec<Shelf> = (0..days)
        .map(|day| match (stock(day), units(day)) {
            (Some(left), _) if left > 0 => Shelf::Stocked,
            (Some(_), 0) => Shelf::Empty,
            (Some(_), _) => Shelf::Partial,
            (None, 0) => Shelf::Unknown,
            (None, _) => Shelf::Stocked,
        })
        .collect();
    let mut day = 0;
    while day < days {
        if stock(day).is_some() {
            day += 1;
            continue;
        }
        let end = (day..days).find(|day| stock(*day).is_some()).unwrap_or(days);
        let before = day.checked_sub(1).and_then(stock);
        let after = (end < days).then(|| stock(end)).flatten();
        gap(&mut shelves, day..end, before, after, units(end), &units);
        day = end;
    }
    shelves
}

/// Days between two snapshots (or before the first, or after the last).
fn gap(
    shelves: &mut [Shelf],
    days: std::ops::Range<usize>,
    before: Option<i64>,
    after: Option<i64>,
    sold_after: u32,
    units: &impl Fn(usize) -> u32,
) {
    let usual = usual_rate(shelves, days.start, units);
    let unlikely = |quiet: usize| (-usual * quiet as f64).exp() < UNLIKELY;
    // From an empty shelf: empty until something is sold again, or somebody saw stock without a sale between.
    if before.is_some_and(|left| left <= 0) {
        let first = days.clone().find(|day| units(*day) > 0);
        let until = match (first, after) {
            (Some(first), _) => first,
            (None, Some(left)) if left > 0 => {
                // Somewhere in here it came. Quiet days are empty ones as long as they would be strange in stock.
                let quiet = days.len();
                if unlikely(quiet) || quiet <= 2 {
                    days.end
                } else {
                    days.start
                }
            }
            (None, _) => days.end,
        };
        shelves[days.start..until].fill(Shelf::Empty);
        if first.is_none() {
            return;
        }
    }
    // Sold down from what was there: a gap that ends at nothing was empty from the day the stock was used up.
    let ends_empty = after.is_some_and(|left| left <= 0) && sold_after == 0;
    let last = days.clone().rev().find(|day| units(*day) > 0);
    let quiet_from = last.map_or(days.start, |last| last + 1);
    if ends_empty {
        let gone: i64 = days.clone().map(|day| i64::from(units(day))).sum();
        let used_up = before.is_some_and(|left| left > 0 && gone >= left);
        if used_up || unlikely(days.end - quiet_from) || days.end - quiet_from <= 2 {
            shelves[quiet_from..days.end].fill(Shelf::Empty);
            if let Some(last) = last.filter(|_| used_up) {
                shelves[last] = Shelf::Partial;
            }
        }
        return;
    }
    // Used up in the middle of a gap that ends with stock: quiet days after it are empty ones.
    if let Some(left) = before.filter(|left| *left > 0) {
        let mut left = left;
        for day in days.clone() {
            left -= i64::from(units(day));
            if left == 0 {
                let again = (day + 1..days.end)
                    .find(|day| units(*day) > 0)
                    .unwrap_or(days.end);
                if again > day + 1 {
                    shelves[day] = Shelf::Partial;
                    shelves[day + 1..again].fill(Shelf::Empty);
                }
                return;
            }
        }
    }
}

/// Units a day of the days before that had stock.
fn usual_rate(shelves: &[Shelf], day: usize, units: &impl Fn(usize) -> u32) -> f64 {
    let (mut sum, mut count) = (0.0, 0_u32);
    for day in (0..day)
        .rev()
        .filter(|day| shelves.get(*day) == Some(&Shelf::Stocked))
        .take(USUAL_DAYS)
    {
        sum += f64::from(units(day));
        count += 1;
    }
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

/// The marks the planner reads: a day that sold out counts when it sold at least what a usual stocked day sells.
#[must_use]
pub fn marks(shelves: &[Shelf], sold: &[Option<u32>]) -> Vec<Option<bool>> {
    let units = |day: usize| sold.get(day).copied().flatten().unwrap_or(0);
    let (mut sum, mut count) = (0_u64, 0_u64);
    for (day, shelf) in shelves.iter().enumerate() {
        if *shelf == Shelf::Stocked {
            sum += u64::from(units(day));
            count += 1;
        }
    }
    shelves
        .iter()
        .enumerate()
        .map(|(day, shelf)| match shelf {
            Shelf::Unknown => None,
            Shelf::Stocked => Some(true),
            Shelf::Empty => Some(false),
            // Without a stocked day nobody knows what is usual.
            Shelf::Partial => Some(count > 0 && u64::from(units(day)) * count >= sum),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::demand::Dice;

    #[test]
    fn an_item_begins_with_its_first_sale_or_when_it_was_first_seen_in_stock() {
        let day = |day: i64| day_after("2026-01-01".parse().unwrap(), day);
        let sold = || DailySales {
            first_day: day(0),
            units: [None, Some(0), Some(0), Some(0), Some(4), Some(0)]
                .into_iter()
                .collect(),
            in_stock: vec![None, None, Some(false)],
        };
        let begun = |seen: Option<i64>| {
            let mut sales = sold();
            begin(&mut sales, seen.map(day));
            (
                sales.first_day,
                sales.units.iter().collect::<Vec<_>>(),
                sales.in_stock,
            )
        };
        assert_eq!(begun(None), (day(4), vec![Some(4), Some(0)], vec![]));
        assert_eq!(begun(Some(5)), begun(None), "sold before anybody looked");
        assert_eq!(
            begun(Some(2)),
            (
                day(2),
                vec![Some(0), Some(0), Some(4), Some(0)],
                vec![Some(false)]
            )
        );
        assert_eq!(
            begun(Some(-3)).0,
            day(0),
            "in stock before the days of which sales are known"
        );
        let mut never = sold();
        never.units.set(4, Some(0));
        let before = never.clone();
        begin(&mut never, None);
        assert_eq!(never, before);
    }

    /// A year of one item: wishes, what could be sold, closing stock. Stock runs out because orders come late.
    struct Year {
        wanted: Vec<u32>,
        sold: Vec<Option<u32>>,
        closing: Vec<Option<i64>>,
        empty: Vec<bool>,
    }

    fn year(dice: &mut Dice, rate: u64) -> Year {
        let mut year = Year {
            wanted: Vec::new(),
            sold: Vec::new(),
            closing: Vec::new(),
            empty: Vec::new(),
        };
        let size = rate.max(1) as i64;
        let mut stock = 40 * size;
        let mut coming: Option<usize> = None;
        for day in 0..365 {
            if coming == Some(day) {
                stock += 45 * size;
                coming = None;
            }
            if coming.is_none() && stock < if rate == 0 { 8 } else { 25 * size } {
                coming = Some(day + 20 + dice.below(25));
            }
            // The slowest sell one unit in three days.
            let wanted = match rate {
                0 => u32::from(dice.below(3) == 0),
                rate => (0..2 * rate).filter(|_| dice.below(2) == 0).count() as u32,
            };
            let sold = i64::from(wanted).min(stock);
            year.empty.push(stock == 0);
            stock -= sold;
            year.wanted.push(wanted);
            year.sold.push(Some(sold as u32));
            // Nobody looks on three days of ten, and every so often for a whole week.
            let seen = dice.below(10) >= 3 && (day / 7) % 6 != 5;
            year.closing.push(seen.then_some(stock));
        }
        year
    }

    #[test]
    fn r8_of_injected_empty_days_95_in_100_are_found_and_the_velocity_is_within_3_percent() {
        let mut dice = Dice::new(0x0005_70CC);
        let (mut injected, mut found, mut wrong, mut stocked) = (0, 0, 0, 0);
        let (mut wanted, mut unmasked, mut masked) = (0.0, 0.0, 0.0);
        for item in 0..400 {
            let year = year(&mut dice, item % 12);
            let shelves = shelves(&year.closing, &year.sold);
            for (shelf, empty) in shelves.iter().zip(&year.empty) {
                let out = *shelf == Shelf::Empty;
                injected += u32::from(*empty);
                found += u32::from(*empty && out);
                stocked += u32::from(!*empty);
                wrong += u32::from(!*empty && out);
            }
            let rate = f64::from(year.wanted.iter().sum::<u32>()) / 365.0;
            let marks = marks(&shelves, &year.sold);
            let kept: Vec<f64> = marks
                .iter()
                .zip(&year.sold)
                .filter(|(mark, _)| **mark != Some(false))
                .map(|(_, sold)| f64::from(sold.unwrap_or(0)))
                .collect();
            wanted += 1.0;
            masked += (kept.iter().sum::<f64>() / kept.len() as f64 / rate - 1.0).abs();
            unmasked += (year
                .sold
                .iter()
                .map(|sold| f64::from(sold.unwrap_or(0)))
                .sum::<f64>()
                / 365.0
                / rate
                - 1.0)
                .abs();
        }
        let share = f64::from(found) / f64::from(injected);
        let (masked, unmasked) = (masked / wanted, unmasked / wanted);
        let false_share = f64::from(wrong) / f64::from(stocked);
        let told = format!(
            "{injected} empty, found {share:.4}, falsely {false_share:.4}, error {masked:.4}, unmasked {unmasked:.4}"
        );
        assert!(injected > 5_000 && unmasked > 0.06, "{told}");
        assert!(share >= 0.95, "{told}");
        assert!(false_share <= 0.01, "{told}");
        assert!(masked <= 0.03, "{told}");
    }

    #[test]
    fn a_day_that_sold_out_counts_when_it_sold_as_usual() {
        let closing = [Some(20), Some(10), Some(0), Some(0), Some(30), Some(20)];
        let sold = [Some(10), Some(10), Some(10), Some(0), Some(0), Some(10)];
        let seen = shelves(&closing, &sold);
        assert_eq!(seen[2], Shelf::Partial);
        assert_eq!(seen[3], Shelf::Empty);
        assert_eq!(marks(&seen, &sold)[2], Some(true));
        let less = [Some(10), Some(10), Some(2), Some(0), Some(0), Some(10)];
        assert_eq!(marks(&shelves(&closing, &less), &less)[2], Some(false));
    }

    #[test]
    fn without_any_snapshot_nothing_is_said_of_quiet_days() {
        let sold = [Some(1), Some(0), None, Some(0), Some(2)];
        let seen = shelves(&[None; 5], &sold);
        assert_eq!(
            seen,
            [
                Shelf::Stocked,
                Shelf::Unknown,
                Shelf::Unknown,
                Shelf::Unknown,
                Shelf::Stocked
            ]
        );
    }
}
