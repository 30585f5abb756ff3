//! What people and calendars know of demand beside the sales themselves: promotions, events, rules, overrides, which
//! items are alike, which orders were out of all proportion. All of it optional and dated.

pub mod accuracy;
mod ahead;
pub mod analogue;
pub mod bundles;
pub mod class;
pub mod contest;
mod event;
pub mod large;
pub mod mask;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};

use super::models::VelocityRule;
use crate::ids::{Sku, WarehouseCode};

pub use ahead::{Adjusted, adjust};
pub use event::{Events, LearnedEvent};

/// Facts of demand for a plan. The order of the vectors does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DemandFacts {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traits: Vec<ItemTraits>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<VelocityChoice>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<DemandOverride>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<Promotion>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventDates>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bulk: Vec<BulkUnits>,
    /// Order lines large enough to be looked at; where `bulk` names some of the item, they are not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub large: Vec<BulkUnits>,
}

/// What an item is like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemTraits {
    pub sku: Sku,
    #[serde(default)]
    pub category: String,
    #[serde(default)]
    pub brand: String,
    /// What a unit earns, in whatever currency: only the order of items by it counts.
    #[serde(default)]
    pub margin: Option<Decimal>,
}

/// A rate somebody else computes by, of one line or of all. `used` decides; without it the rate is only shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VelocityChoice {
    /// Empty: every warehouse, every item. The line's own rule wins over the item's, that over the warehouse's.
    #[serde(default)]
    pub warehouse: Option<WarehouseCode>,
    #[serde(default)]
    pub sku: Option<Sku>,
    pub from: NaiveDate,
    /// The last day it holds.
    #[serde(default)]
    pub until: Option<NaiveDate>,
    pub rate: ChosenRate,
    pub used: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChosenRate {
    /// Units a day.
    Fixed(Decimal),
    /// Thousandths for the last 3, 7, 14, 30, 60 and 90 in-stock days; they sum to 1,000.
    Weighted([u16; 6]),
}

impl ChosenRate {
    #[must_use]
    pub fn rule(&self) -> VelocityRule {
        match self {
            Self::Fixed(rate) => VelocityRule::Fixed(rate.to_f64().unwrap_or(0.0)),
            Self::Weighted(shares) => VelocityRule::Weighted(shares.map(|share| f64::from(share) / 1000.0)),
        }
    }
}

/// What a person knows better, for a while.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemandOverride {
    #[serde(default)]
    pub warehouse: Option<WarehouseCode>,
    pub sku: Sku,
    pub from: NaiveDate,
    /// The last day it holds. There is always one.
    pub until: NaiveDate,
    pub change: DemandChange,
    pub author: String,
    #[serde(default)]
    pub note: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DemandChange {
    /// Times what would be expected.
    Factor(Decimal),
    /// So many units a day, whatever would be expected.
    UnitsPerDay(Decimal),
}

/// Days on which an item was, or will be, sold under other terms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    #[serde(default)]
    pub warehouse: Option<WarehouseCode>,
    #[serde(default)]
    pub sku: Option<Sku>,
    pub from: NaiveDate,
    pub until: NaiveDate,
    /// Thousandths of usual demand (1,800 is 80 % more); None is learned from the days themselves.
    #[serde(default)]
    pub uplift_permille: Option<u32>,
}

/// One occurrence of a named event: its days in one year.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventDates {
    pub name: String,
    #[serde(default)]
    pub warehouse: Option<WarehouseCode>,
    pub from: NaiveDate,
    pub until: NaiveDate,
    /// Demand against usual before anything was seen, in thousandths.
    pub prior_permille: u32,
}

/// Units of order lines out of all proportion, on their day: a stream of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BulkUnits {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub day: NaiveDate,
    pub units: u32,
}

impl DemandFacts {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same facts in an order that only their content decides.
    #[must_use]
    pub fn sorted(&self) -> Self {
        let mut facts = self.clone();
        facts.traits.sort();
        facts.rules.sort();
        facts.overrides.sort();
        facts.promotions.sort();
        facts.events.sort();
        facts.bulk.sort();
        facts.large.sort();
        facts
    }
}

type LineKey<'a> = (&'a WarehouseCode, &'a Sku);

/// The facts by what they belong to, so that a line without any costs one look.
#[derive(Debug, Default)]
pub struct DemandIndex<'a> {
    rules: Vec<&'a VelocityChoice>,
    overrides: BTreeMap<&'a Sku, Vec<&'a DemandOverride>>,
    promotions: BTreeMap<Option<&'a Sku>, Vec<&'a Promotion>>,
    bulk: BTreeMap<LineKey<'a>, Vec<&'a BulkUnits>>,
    large: BTreeMap<LineKey<'a>, Vec<&'a BulkUnits>>,
    pub traits: BTreeMap<&'a Sku, &'a ItemTraits>,
    pub events: Vec<&'a EventDates>,
    empty: bool,
}

impl<'a> DemandIndex<'a> {
    #[must_use]
    pub fn new(facts: &'a DemandFacts) -> Self {
        let mut index = Self {
            rules: facts.rules.iter().collect(),
            events: facts.events.iter().collect(),
            traits: facts.traits.iter().map(|traits| (&traits.sku, traits)).collect(),
            empty: facts.is_empty(),
            ..Self::default()
        };
        index.rules.sort();
        index.events.sort();
        for given in &facts.overrides {
            index.overrides.entry(&given.sku).or_default().push(given);
        }
        for promotion in &facts.promotions {
            let sku = promotion.sku.as_ref();
            index.promotions.entry(sku).or_default().push(promotion);
        }
        index.bulk = by_line(&facts.bulk);
        index.large = by_line(&facts.large);
        index.overrides.values_mut().for_each(|given| given.sort());
        index.promotions.values_mut().for_each(|given| given.sort());
        index
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.empty
    }

    /// The rule of a day: the nearest to the line, of those the one that began last.
    #[must_use]
    pub fn rule(&self, warehouse: &WarehouseCode, sku: &Sku, day: NaiveDate) -> Option<&'a VelocityChoice> {
        let near = |rule: &VelocityChoice| (rule.sku.is_some(), rule.warehouse.is_some());
        self.rules
            .iter()
            .copied()
            .filter(|rule| rule.warehouse.as_ref().is_none_or(|of| of == warehouse))
            .filter(|rule| rule.sku.as_ref().is_none_or(|of| of == sku))
            .filter(|rule| rule.from <= day && rule.until.is_none_or(|until| day <= until))
            .max_by_key(|rule| (near(rule), rule.from))
    }

    pub fn overrides(
        &self,
        warehouse: &'a WarehouseCode,
        sku: &'a Sku,
    ) -> impl Iterator<Item = &'a DemandOverride> + '_ {
        let given = self.overrides.get(sku).into_iter().flatten().copied();
        given.filter(move |given| given.warehouse.as_ref().is_none_or(|of| of == warehouse))
    }

    pub fn promotions(
        &self,
        warehouse: &'a WarehouseCode,
        sku: &'a Sku,
    ) -> impl Iterator<Item = &'a Promotion> + '_ {
        [Some(sku), None]
            .into_iter()
            .filter_map(|key| self.promotions.get(&key))
            .flatten()
            .copied()
            .filter(move |given| given.warehouse.as_ref().is_none_or(|of| of == warehouse))
    }

    /// Orders out of all proportion: those somebody named, else those that stand out of `days` (days back and units).
    #[must_use]
    pub fn bulk(
        &self,
        warehouse: &'a WarehouseCode,
        sku: &'a Sku,
        as_of: NaiveDate,
        days: &[(usize, f64)],
    ) -> Vec<&'a BulkUnits> {
        let key = (warehouse, sku);
        match (self.bulk.get(&key), self.large.get(&key)) {
            (Some(named), _) => named.clone(),
            (None, Some(lines)) => large::find(lines, as_of, days),
            (None, None) => Vec::new(),
        }
    }
}

fn by_line(units: &[BulkUnits]) -> BTreeMap<LineKey<'_>, Vec<&BulkUnits>> {
    let mut lines: BTreeMap<LineKey<'_>, Vec<&BulkUnits>> = BTreeMap::new();
    for units in units {
        let line = lines.entry((&units.warehouse, &units.sku)).or_default();
        line.push(units);
    }
    lines.values_mut().for_each(|given| given.sort());
    lines
}
