//! What a new item may sell: as much as others of its kind, until its own days say more (gamma–Poisson).

use std::collections::BTreeMap;

use super::DemandIndex;
use super::class::NEW_DAYS;
use crate::planner::snapshot::ItemSeries;

/// Fewer peers and there is no group.
const LEAST_PEERS: usize = 3;
/// Bounds of the days the group counts for.
const PRIOR_DAYS: (f64, f64) = (7.0, 56.0);
/// Newest days of a peer that make its rate.
const PEER_DAYS: usize = 90;

/// A group of items alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Group {
    pub items: usize,
    /// Mean rate of its items, units a day.
    pub rate: f64,
    /// In-stock days of its own at which an item's sales count half.
    pub prior_days: f64,
}

impl Group {
    /// The rate of a new item, and the weight of its own days.
    #[must_use]
    pub fn rate_of(&self, own_rate: f64, own_days: f64) -> (f64, f64) {
        let weight = own_days / (own_days + self.prior_days);
        (weight * own_rate + (1.0 - weight) * self.rate, weight)
    }
}

/// Groups of a warehouse: by category and brand, and by category alone.
#[derive(Debug, Clone, Default)]
pub struct Groups<'a> {
    groups: BTreeMap<(&'a str, Option<&'a str>), Group>,
}

impl<'a> Groups<'a> {
    /// Learns the groups. Nothing of a new item teaches.
    #[must_use]
    pub fn new(items: &[&ItemSeries], index: &DemandIndex<'a>) -> Self {
        let mut rates: BTreeMap<(&'a str, Option<&'a str>), Vec<f64>> = BTreeMap::new();
        if index.traits.is_empty() {
            return Self::default();
        }
        for item in items {
            let Some(traits) = index
                .traits
                .get(&item.sku)
                .filter(|traits| !traits.category.is_empty())
            else {
                continue;
            };
            let days = item.sales.units.len();
            if days < NEW_DAYS {
                continue;
            }
            let (mut sum, mut counted) = (0.0, 0_u32);
            for day in days.saturating_sub(PEER_DAYS)..days {
                if let Some(units) = item
                    .sales
                    .units
                    .get(day)
                    .filter(|_| !item.sales.out_of_stock(day))
                {
                    sum += f64::from(units);
                    counted += 1;
                }
            }
            if counted < 28 {
                continue;
            }
            let rate = sum / f64::from(counted);
            rates.entry((&traits.category, None)).or_default().push(rate);
            if !traits.brand.is_empty() {
                rates
                    .entry((&traits.category, Some(&traits.brand)))
                    .or_default()
                    .push(rate);
            }
        }
        let groups = rates
            .into_iter()
            .filter(|(_, rates)| rates.len() >= LEAST_PEERS)
            .map(|(key, rates)| {
                let count = rates.len() as f64;
                let mean = rates.iter().sum::<f64>() / count;
                let variance = rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / (count - 1.0);
                // A gamma of these moments counts for mean ÷ variance days.
                let days = if variance > 0.0 {
                    mean / variance
                } else {
                    PRIOR_DAYS.1
                };
                let group = Group {
                    items: rates.len(),
                    rate: mean,
                    prior_days: days.clamp(PRIOR_DAYS.0, PRIOR_DAYS.1),
                };
                (key, group)
            })
            .collect();
        Self { groups }
    }

    /// The nearest group of an item.
    #[must_use]
    pub fn of(&self, item: &ItemSeries, index: &DemandIndex<'_>) -> Option<Group> {
        let traits = index.traits.get(&item.sku)?;
        let brand = (!traits.brand.is_empty()).then_some(traits.brand.as_str());
        let found = brand.and_then(|brand| self.groups.get(&(traits.category.as_str(), Some(brand))));
        found
            .or_else(|| self.groups.get(&(traits.category.as_str(), None)))
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_days_count_more_and_more() {
        let group = Group {
            items: 12,
            rate: 10.0,
            prior_days: 28.0,
        };
        assert_eq!(group.rate_of(2.0, 0.0), (10.0, 0.0));
        assert_eq!(group.rate_of(2.0, 28.0), (6.0, 0.5));
        let (late, weight) = group.rate_of(2.0, 1_000.0);
        assert!(late < 2.3 && weight > 0.97);
    }
}
