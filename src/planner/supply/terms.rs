//! Supply facts by warehouse and item, looked up once per line.

use std::collections::BTreeMap;

use super::Mode;
use super::facts::{
    Capacity, Freight, ItemTerms, LossTerms, Lot, ReturnTerms, RoundTo, StorageTier, SupplyFacts,
    TransferWay, Whereabouts,
};
use crate::ids::{Sku, WarehouseCode};
use crate::money::Money;
use crate::planner::lead::LaneDays;
use crate::planner::snapshot::Stage;

/// Facts of the chain, indexed.
#[derive(Debug, Default)]
pub struct Terms<'a> {
    items: BTreeMap<&'a Sku, Vec<&'a ItemTerms>>,
    freight: BTreeMap<&'a WarehouseCode, Vec<&'a Freight>>,
    storage: BTreeMap<&'a WarehouseCode, Vec<&'a StorageTier>>,
    lots: BTreeMap<&'a WarehouseCode, BTreeMap<&'a Sku, Vec<&'a Lot>>>,
    returns: BTreeMap<&'a WarehouseCode, BTreeMap<Option<&'a str>, &'a ReturnTerms>>,
    losses: BTreeMap<(&'a WarehouseCode, Option<Mode>), &'a LossTerms>,
    rounding: BTreeMap<(&'a WarehouseCode, Option<Mode>), RoundTo>,
    whereabouts: BTreeMap<&'a str, &'a Whereabouts>,
    capacity: BTreeMap<&'a WarehouseCode, &'a Capacity>,
    transfers: Vec<&'a TransferWay>,
}

impl<'a> Terms<'a> {
    #[must_use]
    pub fn new(facts: &'a SupplyFacts) -> Self {
        let mut terms = Self::default();
        for item in &facts.items {
            terms.items.entry(&item.sku).or_default().push(item);
        }
        for freight in &facts.freight {
            terms.freight.entry(&freight.warehouse).or_default().push(freight);
        }
        for tier in &facts.storage {
            terms.storage.entry(&tier.warehouse).or_default().push(tier);
        }
        for tiers in terms.storage.values_mut() {
            tiers.sort_by_key(|tier| (tier.from_age, tier.rate));
        }
        for lot in &facts.lots {
            let here = terms.lots.entry(&lot.warehouse).or_default();
            here.entry(&lot.sku).or_default().push(lot);
        }
        for loss in &facts.losses {
            terms.losses.entry((&loss.warehouse, loss.mode)).or_insert(loss);
        }
        for rule in &facts.rounding {
            let known = terms.rounding.entry((&rule.warehouse, rule.mode));
            known.or_insert(rule.to);
        }
        for rule in &facts.returns {
            let here = terms.returns.entry(&rule.warehouse).or_default();
            here.insert(rule.sku.as_ref().map(Sku::as_str), rule);
        }
        for place in &facts.whereabouts {
            let known = terms.whereabouts.entry(&place.reference).or_insert(place);
            if (place.since, place.stage) > (known.since, known.stage) {
                *known = place;
            }
        }
        for limit in &facts.capacity {
            terms.capacity.insert(&limit.warehouse, limit);
        }
        terms.transfers = facts.transfers.iter().collect();
        terms
            .transfers
            .sort_by(|a, b| (&a.to, &a.from).cmp(&(&b.to, &b.from)));
        terms
    }

    /// The warehouse's own terms of an item before those of everywhere.
    #[must_use]
    pub fn item(&self, warehouse: &WarehouseCode, sku: &Sku) -> Option<&'a ItemTerms> {
        let all = self.items.get(sku)?;
        let own = all
            .iter()
            .find(|terms| terms.warehouse.as_ref() == Some(warehouse));
        own.or_else(|| all.iter().find(|terms| terms.warehouse.is_none()))
            .copied()
    }

    #[must_use]
    pub fn storage(&self, warehouse: &WarehouseCode) -> &[&'a StorageTier] {
        self.storage.get(warehouse).map_or(&[], Vec::as_slice)
    }

    #[must_use]
    pub fn lots(&self, warehouse: &WarehouseCode, sku: &Sku) -> &[&'a Lot] {
        let here = self.lots.get(warehouse).and_then(|lots| lots.get(sku));
        here.map_or(&[], Vec::as_slice)
    }

    #[must_use]
    pub fn returns(&self, warehouse: &WarehouseCode, sku: &Sku) -> Option<&'a ReturnTerms> {
        let here = self.returns.get(warehouse)?;
        here.get(&Some(sku.as_str())).or_else(|| here.get(&None)).copied()
    }

    /// The way's own share before that of all ways to the warehouse.
    #[must_use]
    pub fn loss(&self, warehouse: &WarehouseCode, mode: Mode) -> Option<&'a LossTerms> {
        let own = self.losses.get(&(warehouse, Some(mode)));
        own.or_else(|| self.losses.get(&(warehouse, None))).copied()
    }

    /// The way's own rule before that of all ways to the warehouse.
    #[must_use]
    pub fn round_to(&self, warehouse: &WarehouseCode, mode: Mode) -> Option<RoundTo> {
        let own = self.rounding.get(&(warehouse, Some(mode)));
        own.or_else(|| self.rounding.get(&(warehouse, None))).copied()
    }

    #[must_use]
    pub fn whereabouts(&self, reference: &str) -> Option<(Stage, chrono::NaiveDate)> {
        self.whereabouts
            .get(reference)
            .map(|place| (place.stage, place.since))
    }

    #[must_use]
    pub fn capacity(&self, warehouse: &WarehouseCode) -> Option<&'a Capacity> {
        self.capacity.get(warehouse).copied()
    }

    #[must_use]
    pub fn transfers(&self) -> &[&'a TransferWay] {
        &self.transfers
    }

    /// The way by which everything comes to a warehouse, when there is one.
    #[must_use]
    pub fn relay_to(&self, warehouse: &WarehouseCode) -> Option<&'a TransferWay> {
        self.transfers
            .iter()
            .find(|way| way.relay && way.to == *warehouse)
            .copied()
    }

    /// Freight of one unit by a lane.
    #[must_use]
    pub fn freight(&self, warehouse: &WarehouseCode, sku: &Sku, lane: &LaneDays) -> Option<Money> {
        let all = self.freight.get(warehouse)?;
        let of = |named: bool| {
            all.iter().find(|freight| {
                freight.mode == lane.mode
                    && match &freight.forwarder {
                        Some(forwarder) => named && lane.forwarder.as_ref() == Some(forwarder),
                        None => !named,
                    }
            })
        };
        let freight = of(true).or_else(|| of(false))?;
        freight.per_unit.or_else(|| {
            let grams = self.item(warehouse, sku)?.weight_g?;
            let per_kg = freight.per_kg?;
            Some(Money::new(
                per_kg.amount * rust_decimal::Decimal::from(grams) / rust_decimal::Decimal::ONE_THOUSAND,
                per_kg.currency,
            ))
        })
    }
}
