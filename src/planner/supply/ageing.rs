//! What stands, for how long, and what that costs: lots leave first in, first out (R15, R58).

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::facts::{Lot, StorageTier};
use super::{AgeView, NextTier};
use crate::money::{Money, round_cents};
use crate::planner::balance::day_after;

/// Days of the two forecasts.
const SHORT: i64 = 30;
const LONG: i64 = 90;
/// Beyond so many days ahead no tier is looked for.
const FARTHEST: i64 = 400;

/// Units of one age that leave first in, first out.
struct Standing {
    /// Age on the as-of date, in days.
    age: i64,
    units: i64,
    /// Units before it in the queue.
    before: i64,
}

/// `gone(d)` is how many units are expected to be sold in the first `d` days.
#[must_use]
pub fn age(
    available: i64,
    lots: &[&Lot],
    tiers: &[&StorageTier],
    volume_cm3: Option<i64>,
    as_of: NaiveDate,
    gone: impl Fn(i64) -> i64,
) -> Option<AgeView> {
    if available <= 0 || (lots.is_empty() && tiers.is_empty()) {
        return None;
    }
    let (queue, assumed_oldest) = queue(available, lots, tiers, as_of);
    let left = |standing: &Standing, day: i64| {
        (standing.units - (gone(day) - standing.before).max(0)).clamp(0, standing.units)
    };
    let currency = tiers.first().map(|tier| tier.currency);
    let one_currency = tiers.iter().all(|tier| Some(tier.currency) == currency);
    let rate = |age: i64| {
        let tier = tiers.iter().rev().find(|tier| tier.from_age <= age);
        tier.map_or(Decimal::ZERO, |tier| tier.rate)
    };
    let size = volume_cm3.map(|volume| Decimal::from(volume) / Decimal::from(1_000_000));
    let known = currency.filter(|_| one_currency && !tiers.is_empty()).zip(size);
    // Of units at the end of a day: a unit sold that day pays no storage for it.
    let fee = |days: i64| {
        let (currency, size) = known?;
        let mut sum = Decimal::ZERO;
        for day in 1..=days {
            for standing in &queue {
                sum += Decimal::from(left(standing, day)) * rate(standing.age + day - 1);
            }
        }
        Some(Money::new(round_cents(sum * size), currency))
    };
    let next_tier = tiers
        .iter()
        .filter(|tier| tier.rate > Decimal::ZERO)
        .flat_map(|tier| queue.iter().map(move |standing| (tier, standing)))
        .filter_map(|(tier, standing)| {
            let days = tier.from_age - standing.age;
            ((1..=FARTHEST).contains(&days) && left(standing, days) > 0).then_some((days, tier.from_age))
        })
        .min()
        .map(|(days, from_age)| {
            let there = |standing: &&Standing| standing.age + days >= from_age;
            let units: i64 = queue
                .iter()
                .filter(there)
                .map(|standing| left(standing, days))
                .sum();
            NextTier {
                from_age,
                date: day_after(as_of, days),
                units,
                daily_fee: known.map(|(currency, size)| {
                    Money::new(
                        round_cents(Decimal::from(units) * size * rate(from_age)),
                        currency,
                    )
                }),
            }
        });
    Some(AgeView {
        fee_30: fee(SHORT),
        fee_90: fee(LONG),
        next_tier,
        assumed_oldest,
        excess_units: 0,
        excess_cost: None,
    })
}

/// Oldest first. The newest lots are those that are still there: what was sold left from the oldest. Units that no lot
/// explains, and lots without a date, count as old as the dearest tier knows.
fn queue(available: i64, lots: &[&Lot], tiers: &[&StorageTier], as_of: NaiveDate) -> (Vec<Standing>, bool) {
    let oldest = tiers.last().map_or(0, |tier| tier.from_age);
    let mut aged: Vec<(i64, i64)> = lots
        .iter()
        .filter(|lot| lot.units > 0)
        .map(|lot| {
            let age = lot
                .since
                .map_or(oldest, |since| (as_of - since).num_days().max(0));
            (age, lot.units)
        })
        .collect();
    let mut assumed = lots.iter().any(|lot| lot.units > 0 && lot.since.is_none());
    let told: i64 = aged.iter().map(|(_, units)| *units).sum();
    if told < available {
        aged.push((oldest, available - told));
        assumed = true;
    }
    aged.sort_unstable();
    let mut room = available;
    for (_, units) in &mut aged {
        *units = (*units).min(room);
        room -= *units;
    }
    aged.retain(|(_, units)| *units > 0);
    let mut before = 0;
    let queue = aged
        .iter()
        .rev()
        .map(|(age, units)| {
            let standing = Standing {
                age: *age,
                units: *units,
                before,
            };
            before += units;
            standing
        })
        .collect();
    (queue, assumed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Sku, WarehouseCode};
    use crate::money::Currency;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn lot(since: Option<&str>, units: i64) -> Lot {
        Lot {
            warehouse: WarehouseCode::new("w").unwrap(),
            sku: Sku::new("A").unwrap(),
            since: since.map(day),
            units,
        }
    }

    fn tiers(rates: &[(i64, &str)]) -> Vec<StorageTier> {
        rates
            .iter()
            .map(|(from_age, rate)| StorageTier {
                warehouse: WarehouseCode::new("w").unwrap(),
                from_age: *from_age,
                rate: rate.parse().unwrap(),
                currency: Currency::GBP,
            })
            .collect()
    }

    fn at(available: i64, lots: &[Lot], tiers: &[StorageTier], rate: i64, as_of: &str) -> AgeView {
        let (lots, tiers): (Vec<&Lot>, Vec<&StorageTier>) = (lots.iter().collect(), tiers.iter().collect());
        age(available, &lots, &tiers, Some(10_000), day(as_of), |days| {
            days * rate
        })
        .unwrap()
    }

    #[test]
    fn r58_100_units_at_5_a_day_with_30_free_days_pay_to_the_cent() {
        // Received 20 days ago: free for 10 more days. 10 litres a unit, 0.70 a cubic metre and day.
        let tiers = tiers(&[(0, "0"), (30, "0.70")]);
        let view = at(100, &[lot(Some("2026-11-02"), 100)], &tiers, 5, "2026-11-22");
        // Day 11 ends with 45 units at age 30, day 12 with 40, … day 19 with 5: 225 unit-days × 0.01 m³ × 0.70.
        assert_eq!(view.fee_30.unwrap().to_string(), "1.58 GBP");
        assert_eq!(view.fee_90, view.fee_30);
        let next = view.next_tier.unwrap();
        assert_eq!((next.date, next.units), (day("2026-12-02"), 50));
        assert_eq!(next.daily_fee.unwrap().to_string(), "0.35 GBP");
        assert!(!view.assumed_oldest);
    }

    #[test]
    fn r58_seven_tiers_match_the_table_made_by_hand() {
        let tiers = tiers(&[
            (0, "0"),
            (31, "0.40"),
            (61, "0.55"),
            (91, "0.80"),
            (181, "1.20"),
            (271, "1.60"),
            (366, "2.50"),
        ]);
        // Nothing sells: a lot of each age, 100 units each, 10 litres a unit, so a cubic metre each.
        let lots: Vec<Lot> = [
            "2026-11-22", // age 0
            "2026-10-13", // 40
            "2026-09-13", // 70
            "2026-08-14", // 100
            "2026-05-06", // 200
            "2026-02-05", // 290
            "2025-10-18", // 400
        ]
        .iter()
        .map(|since| lot(Some(since), 100))
        .collect();
        let view = at(700, &lots, &tiers, 0, "2026-11-22");
        // Of 30 days: 0 × 30; 0.40 × 21 + 0.55 × 9; 0.55 × 21 + 0.80 × 9; 0.80 × 30; 1.20 × 30; 1.60 × 30; 2.50 × 30
        // = 0 + 13.35 + 18.75 + 24 + 36 + 48 + 75.
        assert_eq!(view.fee_30.unwrap().to_string(), "215.10 GBP");
        // Of 90: 0×31 + 0.40×30 + 0.55×29; 0.40×21 + 0.55×30 + 0.80×39; 0.55×21 + 0.80×69; 0.80×81 + 1.20×9;
        // 1.20×71 + 1.60×19; 1.60×76 + 2.50×14; 2.50×90
        // = 27.95 + 56.10 + 66.75 + 75.60 + 115.60 + 156.60 + 225.
        assert_eq!(view.fee_90.unwrap().to_string(), "723.60 GBP");
    }

    #[test]
    fn r58_lots_without_a_date_are_the_oldest_possible_and_marked() {
        let tiers = tiers(&[(0, "0"), (30, "0.70"), (181, "2")]);
        let view = at(10, &[lot(None, 10)], &tiers, 0, "2026-11-22");
        assert!(view.assumed_oldest);
        assert_eq!(view.fee_30.unwrap().to_string(), "6.00 GBP");
        assert_eq!(view.next_tier, None);
        let unknown = at(10, &[], &tiers, 0, "2026-11-22");
        assert!(unknown.assumed_oldest && unknown.fee_30 == view.fee_30);
    }

    #[test]
    fn what_was_sold_left_from_the_oldest_lot() {
        let tiers = tiers(&[(0, "0"), (100, "1")]);
        let lots = [lot(Some("2026-01-01"), 50), lot(Some("2026-11-20"), 30)];
        // 40 are left of 80: ten of the old lot.
        let view = at(40, &lots, &tiers, 10, "2026-11-22");
        assert_eq!(view.fee_30.unwrap().to_string(), "0.00 GBP");
        let slow = at(40, &lots, &tiers, 1, "2026-11-22");
        assert_eq!(slow.fee_30.unwrap().to_string(), "0.45 GBP");
    }
}
