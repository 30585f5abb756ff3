//! Real daily quantities become marketplace orders with times, channels and fates.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use chrono_tz::Europe::London;

use super::draw::Draw;
use crate::calendar::instant_of;
use crate::simulate::goods::{Assortment, Good, GoodDay};

/// The two warehouses of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub enum Place {
    #[serde(rename = "amazon:GB")]
    Amazon,
    #[serde(rename = "goodcang:UKMA")]
    Goodcang,
}

impl Place {
    pub const ALL: [Self; 2] = [Self::Amazon, Self::Goodcang];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Amazon => "amazon:GB",
            Self::Goodcang => "goodcang:UKMA",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.code() == code)
    }

    /// Master units in one unit of this warehouse.
    #[must_use]
    pub fn multiple(self, good: &Good) -> i64 {
        self.listing(good).map_or(1, |listing| listing.multiple)
    }

    #[must_use]
    pub fn listing(self, good: &Good) -> Option<&crate::simulate::goods::Listing> {
        match self {
            Self::Amazon => good.fba.as_ref(),
            Self::Goodcang => good.merchant.as_ref(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum OrderState {
    Unshipped,
    Shipped,
    Cancelled,
}

/// A marketplace order of one good. Units are those of the listing (a pack counts one).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketOrder {
    pub id: String,
    pub good: usize,
    pub place: Place,
    pub units: i64,
    /// Units of a second line with the same order id and SKU, when the buyer's basket was written as two lines.
    pub second_line: Option<i64>,
    pub price_pence: i64,
    pub ordered_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub state: OrderState,
    /// What will happen to it, and when.
    pub fate: OrderState,
    pub fate_at: DateTime<Utc>,
}

/// Share of a good's orders that the marketplace fulfils; stable per good.
fn amazon_share(seed: u64, good: &Good) -> f64 {
    match (&good.fba, &good.merchant) {
        (Some(_), Some(_)) => 0.5 + 0.25 * Draw::new(seed, &["share", &good.sku]).unit(),
        (Some(_), None) => 1.0,
        (None, _) => 0.0,
    }
}

/// Cuts `units` into `parts` positive pieces of uneven size.
fn split(units: i64, parts: i64, draw: &mut Draw) -> Vec<i64> {
    let parts = parts.clamp(1, units);
    let mut left = units - parts;
    let mut pieces = Vec::new();
    for remaining in (1..=parts).rev() {
        let extra = if remaining == 1 {
            left
        } else {
            // Twice the fair share at most, uniformly: the mean stays the fair share.
            draw.between(0, 2 * left / remaining).min(left)
        };
        left -= extra;
        pieces.push(1 + extra);
    }
    pieces
}

/// Shoppers' hours: from 7 to 23 with a broad middle, a few at night.
fn time_of_day(draw: &mut Draw) -> NaiveTime {
    let second = if draw.chance(0.06) {
        draw.below(7 * 3600)
    } else {
        7 * 3600 + (draw.below(8 * 3600) + draw.below(8 * 3600))
    };
    let second = u32::try_from(second).unwrap_or(0).min(86_399);
    NaiveTime::from_num_seconds_from_midnight_opt(second, 0).unwrap_or(NaiveTime::MIN)
}

/// All orders buyers would place on a civil day, in order of time, were everything in stock.
#[must_use]
pub fn orders_of_day(seed: u64, date: NaiveDate, assortment: &Assortment) -> Vec<MarketOrder> {
    let mut orders = Vec::new();
    let day_text = date.to_string();
    for day in assortment.days.get(&date).into_iter().flatten() {
        let Some(good) = assortment.goods.get(day.good) else {
            continue;
        };
        good_orders(seed, date, &day_text, day, good, &mut orders);
    }
    orders.sort_by(|a, b| (a.ordered_at, &a.id).cmp(&(b.ordered_at, &b.id)));
    orders
}

fn good_orders(
    seed: u64,
    date: NaiveDate,
    day_text: &str,
    day: &GoodDay,
    good: &Good,
    orders: &mut Vec<MarketOrder>,
) {
    let mut draw = Draw::new(seed, &["orders", day_text, &good.sku]);
    let share = amazon_share(seed, good);
    let number = (date - NaiveDate::default()).num_days() % 1000;
    for units in split(day.units, day.orders, &mut draw) {
        let place = if draw.chance(share) {
            Place::Amazon
        } else {
            Place::Goodcang
        };
        let multiple = place.multiple(good);
        let units = ((units + multiple / 2) / multiple).max(1);
        let ordered_at = instant_of(date, time_of_day(&mut draw), London);
        let second_line = (units > 1 && draw.chance(0.01)).then(|| draw.between(1, units - 1));
        let cancelled = draw.chance(0.02);
        let fate_at = ordered_at + Duration::minutes(draw.between(3 * 60, 30 * 60));
        let sequence = number * 10_000 + i64::try_from(orders.len()).unwrap_or(0) % 10_000;
        orders.push(MarketOrder {
            id: format!(
                "{:03}-{:07}-{sequence:07}",
                draw.between(202, 206),
                draw.below(10_000_000)
            ),
            good: day.good,
            place,
            units,
            second_line,
            price_pence: day.price_pence * multiple,
            ordered_at,
            updated_at: ordered_at,
            state: OrderState::Unshipped,
            fate: if cancelled {
                OrderState::Cancelled
            } else {
                OrderState::Shipped
            },
            fate_at,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_keeps_the_real_quantity_and_falls_on_its_civil_day() {
        let assortment = Assortment::bundled().unwrap();
        // The night British clocks change, and an ordinary day.
        for date in ["2026-03-29", "2026-05-14"] {
            let date: NaiveDate = date.parse().unwrap();
            let orders = orders_of_day(5, date, &assortment);
            for day in &assortment.days[&date] {
                if assortment.goods[day.good]
                    .merchant
                    .as_ref()
                    .is_some_and(|listing| listing.multiple > 1)
                {
                    continue;
                }
                let sum: i64 = orders
                    .iter()
                    .filter(|o| o.good == day.good)
                    .map(|o| o.units)
                    .sum();
                assert_eq!(sum, day.units);
            }
            assert!(
                orders
                    .iter()
                    .all(|o| crate::calendar::civil_day(o.ordered_at, London) == date)
            );
            let ids: std::collections::BTreeSet<_> = orders.iter().map(|o| &o.id).collect();
            assert_eq!(ids.len(), orders.len());
        }
    }
}
