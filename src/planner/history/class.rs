//! Classes of a line: how it sells, where it stands in its life, what it earns among the others.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::DemandIndex;
use crate::ids::Sku;
use crate::planner::snapshot::ItemSeries;

/// Fewer in-stock days and an item is new.
pub const NEW_DAYS: usize = 56;
/// No sale in so many newest weeks of in-stock days and it is dead.
const DEAD_WEEKS: usize = 13;
/// Newest weeks looked at for a fall.
const NEWEST_WEEKS: usize = 8;

/// Where an item stands in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LifeCycle {
    New,
    #[default]
    Grown,
    /// Sells on less than half as many weeks, and less than half as much, as it used to.
    Dying,
    /// Sold once, and not for a quarter of a year in stock.
    Dead,
}

impl LifeCycle {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Grown => "grown",
            Self::Dying => "dying",
            Self::Dead => "dead",
        }
    }

    /// From weeks of in-stock days, newest first. Days without data and without stock are in none of them.
    #[must_use]
    pub fn of(weeks: &[f64], days: usize) -> Self {
        if days < NEW_DAYS {
            return Self::New;
        }
        let sold = |weeks: &[f64]| weeks.iter().filter(|units| **units > 0.0).count() as f64;
        if sold(weeks) == 0.0 {
            return Self::Grown;
        }
        if weeks.len() >= DEAD_WEEKS && sold(&weeks[..DEAD_WEEKS]) == 0.0 {
            return Self::Dead;
        }
        let Some((newest, before)) = weeks
            .split_at_checked(NEWEST_WEEKS)
            .filter(|(_, rest)| rest.len() >= 13)
        else {
            return Self::Grown;
        };
        let share = |weeks: &[f64]| sold(weeks) / weeks.len() as f64;
        let mean = |weeks: &[f64]| weeks.iter().sum::<f64>() / weeks.len() as f64;
        if share(newest) < 0.5 * share(before) && mean(newest) < 0.5 * mean(before) {
            Self::Dying
        } else {
            Self::Grown
        }
    }
}

/// Rank by what an item earns: the first 80 % of all margin are A, the next 15 % B.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    A,
    B,
    C,
}

impl Rank {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        }
    }

    #[must_use]
    pub fn place(self) -> usize {
        match self {
            Self::A => 0,
            Self::B => 1,
            Self::C => 2,
        }
    }
}

/// Ranks the items of a warehouse whose margin is known by margin × units of the last 90 days of data.
#[must_use]
pub fn ranks<'a>(items: &[&'a ItemSeries], index: &DemandIndex<'_>) -> BTreeMap<&'a Sku, Rank> {
    let mut earned: Vec<(Decimal, &Sku)> = items
        .iter()
        .filter_map(|item| {
            let margin = index.traits.get(&item.sku)?.margin?;
            let days = item.sales.units.len();
            let units: u64 = (days.saturating_sub(90)..days)
                .filter_map(|day| item.sales.units.get(day))
                .map(u64::from)
                .sum();
            Some((
                margin.max(Decimal::ZERO).checked_mul(Decimal::from(units))?,
                &item.sku,
            ))
        })
        .collect();
    earned.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let all: Decimal = earned.iter().map(|(earned, _)| earned).sum();
    let mut before = Decimal::ZERO;
    earned
        .into_iter()
        .map(|(earned, sku)| {
            let rank = match before {
                _ if earned.is_zero() => Rank::C,
                before if before < all * Decimal::new(80, 2) => Rank::A,
                before if before < all * Decimal::new(95, 2) => Rank::B,
                _ => Rank::C,
            };
            before += earned;
            (sku, rank)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_new_grown_dying_and_dead() {
        assert_eq!(LifeCycle::of(&[3.0; 7], 49), LifeCycle::New);
        assert_eq!(LifeCycle::of(&[3.0; 52], 364), LifeCycle::Grown);
        let mut weeks = vec![10.0; 52];
        weeks[..8].copy_from_slice(&[0.0, 0.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0]);
        assert_eq!(LifeCycle::of(&weeks, 364), LifeCycle::Dying);
        weeks[..13].fill(0.0);
        assert_eq!(LifeCycle::of(&weeks, 364), LifeCycle::Dead);
        assert_eq!(LifeCycle::of(&[0.0; 52], 364), LifeCycle::Grown);
    }
}
