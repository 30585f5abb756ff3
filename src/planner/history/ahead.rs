//! What dated facts do to one line: units taken out of its past, and factors on its coming days.

use chrono::NaiveDate;
use rust_decimal::prelude::ToPrimitive as _;

use super::{DemandChange, DemandIndex, DemandOverride, Promotion, VelocityChoice};
use crate::planner::balance::day_after;
use crate::planner::snapshot::ItemSeries;

/// Bound of a learned uplift, and of its inverse.
const LEARNED_BOUND: f64 = 3.0;
/// Bound of an uplift or a factor that somebody named: a slip of the hand is not a hundredfold demand.
const NAMED_BOUND: f64 = 20.0;
/// Days on each side a promotion is compared with.
const NEIGHBOURS: i64 = 28;
/// Promoted days at which what they sold counts half.
const PROMOTED_PRIOR: f64 = 7.0;
/// Of orders out of all proportion so much of their rate is expected again.
const BULK_WEIGHT: f64 = 0.5;
/// An override that ended so few days ago is still told of.
const TOLD_DAYS: i64 = 30;

/// What was changed of a line, for the tree behind it.
#[derive(Debug, Clone, Default)]
pub struct Adjusted {
    /// Units that promotions brought and the level does not count.
    pub promotion_units: i64,
    /// Units of orders out of all proportion, and the rate expected of such orders.
    pub bulk_units: i64,
    pub bulk_rate: f64,
    /// Somebody's own rule, and what it comes to in units a day.
    pub rule: Option<(VelocityChoice, f64)>,
    /// Overrides that hold or will, and those that ended lately.
    pub overrides: Vec<DemandOverride>,
    /// Running sums of the factors ahead, where they are not the warehouse's.
    pub ahead: Option<Vec<f64>>,
    /// The engine's own rate, where another one is used.
    pub own_rate: f64,
}

impl Adjusted {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.promotion_units == 0
            && self.bulk_units == 0
            && self.rule.is_none()
            && self.overrides.is_empty()
            && self.ahead.is_none()
    }
}

/// Takes bulk orders and promotions out of the past. `days`: days back and units, newest first.
pub fn adjust(
    item: &ItemSeries,
    index: &DemandIndex<'_>,
    as_of: NaiveDate,
    days: &mut [(usize, f64)],
) -> Adjusted {
    let mut adjusted = Adjusted::default();
    let mut bulk = 0.0;
    for order in index.bulk(&item.warehouse, &item.sku, as_of, days) {
        let back = usize::try_from((as_of - order.day).num_days()).unwrap_or(0);
        if let Ok(place) = days.binary_search_by(|(day, _)| day.cmp(&back)) {
            let taken = f64::from(order.units).min(days[place].1);
            days[place].1 -= taken;
            bulk += taken;
        }
    }
    if bulk > 0.0 {
        adjusted.bulk_units = bulk.round() as i64;
        adjusted.bulk_rate = BULK_WEIGHT * bulk / days.len().max(1) as f64;
    }
    let past: Vec<&Promotion> = index
        .promotions(&item.warehouse, &item.sku)
        .filter(|promotion| promotion.from < as_of)
        .collect();
    let mut removed = 0.0;
    let before = if past.is_empty() {
        Vec::new()
    } else {
        days.to_vec()
    };
    for promotion in &past {
        let uplift = uplift(promotion, &past, as_of, &before);
        for (back, units) in days.iter_mut() {
            if promotion.holds(day_after(as_of, -(*back as i64))) && uplift > 0.0 {
                removed += *units - *units / uplift;
                *units /= uplift;
            }
        }
    }
    adjusted.promotion_units = removed.round() as i64;
    adjusted
}

impl Promotion {
    fn holds(&self, day: NaiveDate) -> bool {
        self.from <= day && day <= self.until
    }
}

/// Named, or learned from its days against those around them that were not promoted, believed as far as they are many.
fn uplift(promotion: &Promotion, all: &[&Promotion], as_of: NaiveDate, days: &[(usize, f64)]) -> f64 {
    if let Some(permille) = promotion.uplift_permille {
        return (f64::from(permille) / 1000.0).clamp(1.0 / NAMED_BOUND, NAMED_BOUND);
    }
    let (mut sold, mut count, mut usual, mut around) = (0.0, 0.0, 0.0, 0.0);
    for (back, units) in days {
        let day = day_after(as_of, -(*back as i64));
        if promotion.holds(day) {
            sold += units;
            count += 1.0;
        } else if day_after(promotion.from, -NEIGHBOURS) <= day
            && day <= day_after(promotion.until, NEIGHBOURS)
            && !all.iter().any(|other| other.holds(day))
        {
            usual += units;
            around += 1.0;
        }
    }
    if count == 0.0 || around == 0.0 || usual <= 0.0 {
        return 1.0;
    }
    let seen = ((sold / count) / (usual / around)).clamp(1.0 / LEARNED_BOUND, LEARNED_BOUND);
    1.0 + count / (count + PROMOTED_PRIOR) * (seen - 1.0)
}

impl Adjusted {
    /// Puts rules, coming promotions and overrides on the rate and its coming days; answers the rate to use.
    /// `newest` are the in-stock days' units, newest first, nothing taken out.
    pub fn look_ahead(
        &mut self,
        item: &ItemSeries,
        index: &DemandIndex<'_>,
        as_of: NaiveDate,
        rate: f64,
        newest: &[(usize, f64)],
        season_ahead: &[f64],
    ) -> f64 {
        let own = rate + self.bulk_rate;
        self.own_rate = own;
        let mut rate = own;
        let mut flat = false;
        if let Some(choice) = index.rule(&item.warehouse, &item.sku, as_of) {
            let days: Vec<Option<f64>> = newest.iter().rev().map(|(_, units)| Some(*units)).collect();
            if let Ok(chosen) = choice.rate.rule().velocity(&days) {
                if choice.used {
                    rate = chosen;
                    flat = true;
                }
                self.rule = Some((choice.clone(), chosen));
            }
        }
        let coming: Vec<&Promotion> = index
            .promotions(&item.warehouse, &item.sku)
            .filter(|promotion| promotion.until >= as_of)
            .collect();
        self.overrides = index
            .overrides(&item.warehouse, &item.sku)
            .filter(|given| given.until >= day_after(as_of, -TOLD_DAYS))
            .cloned()
            .collect();
        let holds = self.overrides.iter().any(|given| given.until >= as_of);
        if coming.is_empty() && !holds && !flat {
            return rate;
        }
        // Units a day of an item that has no rate of its own.
        let unit = if rate > 0.0 { rate } else { 1.0 };
        let mut ahead = Vec::with_capacity(season_ahead.len());
        let mut sum = 0.0;
        ahead.push(0.0);
        for (place, pair) in season_ahead.windows(2).enumerate() {
            let day = day_after(as_of, place as i64);
            let mut factor = if flat { 1.0 } else { pair[1] - pair[0] };
            if rate <= 0.0 {
                factor = 0.0;
            }
            for promotion in coming.iter().filter(|promotion| promotion.holds(day)) {
                factor *= uplift(promotion, &coming, as_of, newest);
            }
            for given in &self.overrides {
                if given.from <= day && day <= given.until {
                    factor = match &given.change {
                        DemandChange::Factor(times) => {
                            factor * times.to_f64().unwrap_or(1.0).clamp(0.0, NAMED_BOUND)
                        }
                        DemandChange::UnitsPerDay(units) => units.to_f64().unwrap_or(0.0).max(0.0) / unit,
                    };
                }
            }
            sum += factor;
            ahead.push(sum);
        }
        self.ahead = Some(ahead);
        unit
    }
}
