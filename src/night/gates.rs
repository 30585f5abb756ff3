//! What the gates look at, gathered: certificates, earlier declarations, the catalog, the lane.

use std::collections::BTreeMap;

use chrono::Duration;

use super::Night;
use crate::catalog::{Catalog, Lane};
use crate::ids::Sku;
use crate::mapping::model::Pictures;
use crate::order::cash::{self, Bill};
use crate::order::gate::{self, DeclaredBefore, Finding, GoodsFacts, Scene};
use crate::order::{Certificate, StockingOrder};
use crate::store::order_checks::{self, OrderCheck};
use crate::store::{StoreError, Tx, blob, certificates};

/// What does not depend on the order that is looked at.
pub struct Basis {
    pub certificates: Vec<Certificate>,
    declared: Vec<DeclaredBefore>,
    /// Pictures of goods, where papers are going to be written.
    pub pictures: Pictures,
}

/// Declared values are compared over so many days.
const DECLARED_DAYS: i64 = 400;

impl Basis {
    /// # Errors
    /// When the store fails.
    pub async fn load(night: &Night<'_>, tx: &mut Tx) -> Result<Self, StoreError> {
        let since = night.today() - Duration::days(DECLARED_DAYS);
        Ok(Self {
            certificates: certificates::all(tx, night.account()).await?,
            declared: order_checks::declared_since(tx, night.account(), since).await?,
            pictures: Pictures::new(),
        })
    }

    /// With the pictures of these goods. One that is not kept is left to the document that wants it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn for_papers<'s>(
        night: &Night<'_>,
        tx: &mut Tx,
        catalog: &Catalog,
        skus: impl Iterator<Item = &'s Sku>,
    ) -> Result<Self, StoreError> {
        let mut basis = Self::load(night, tx).await?;
        for item in skus.filter_map(|sku| catalog.items.get(sku)) {
            let name = &item.customs.picture;
            if name.is_empty() || basis.pictures.contains_key(name) {
                continue;
            }
            if let (blob::Content::Whole, Some(bytes)) = blob::look(tx, night.account(), name).await? {
                basis.pictures.insert(name.clone(), bytes);
            }
        }
        Ok(basis)
    }

    /// Looks at an order by every gate. `reason` answers why goods are declared at two values on one day.
    #[must_use]
    pub fn examine(
        &self,
        night: &Night<'_>,
        catalog: &Catalog,
        lane: Option<&Lane>,
        order: &StockingOrder,
        reason: Option<&str>,
    ) -> OrderCheck {
        let goods = facts(catalog, order);
        let channel = lane.map(|lane| lane.channel.clone()).unwrap_or_default();
        let warehouse = catalog
            .warehouses
            .get(&order.warehouse)
            .map(crate::catalog::Warehouse::limits)
            .unwrap_or_default();
        let config = &night.config.order;
        let scene = Scene {
            order,
            today: night.today(),
            rules: &night.tools.rules,
            certificates: &self.certificates,
            goods: &goods,
            declared: &self.declared,
            rates: &config.rates,
            value: &config.value,
            channel: &channel,
            warehouse: &warehouse,
            value_reason: reason,
        };
        let surcharges = gate::surcharges(order, &channel);
        let cash = cash::reckon(&Bill {
            order,
            rules: &night.tools.rules,
            border: &night.tools.border,
            rates: &config.rates,
            per_kg: lane.and_then(|lane| lane.cost_per_kg),
            surcharges: &surcharges,
        });
        OrderCheck {
            findings: gate::examine(&scene),
            rates: config.rates.clone(),
            surcharges,
            cash: Some(cash),
        }
    }

    /// How every line stands against every rule that asks for a paper.
    #[must_use]
    pub fn admissions(
        &self,
        night: &Night<'_>,
        catalog: &Catalog,
        order: &StockingOrder,
    ) -> Vec<gate::Admitted> {
        let goods = facts(catalog, order);
        let config = &night.config.order;
        gate::admissions(&Scene {
            order,
            today: night.today(),
            rules: &night.tools.rules,
            certificates: &self.certificates,
            goods: &goods,
            declared: &[],
            rates: &config.rates,
            value: &config.value,
            channel: &gate::Channel::default(),
            warehouse: &gate::CartonLimits::default(),
            value_reason: None,
        })
    }
}

fn facts(catalog: &Catalog, order: &StockingOrder) -> BTreeMap<Sku, GoodsFacts> {
    order
        .lines
        .iter()
        .filter_map(|line| {
            let item = catalog.items.get(&line.goods.sku)?;
            let facts = GoodsFacts {
                cost: item.unit_cost,
                price: item.price,
                unit_longest_mm: item.unit.map(|unit| unit.longest_mm()),
                carton_units: item.carton_units,
            };
            Some((item.sku.clone(), facts))
        })
        .collect()
}

/// Findings that stop, told as problems of the head and of lines: what is wrong with one line does not keep the others.
#[must_use]
pub fn stopped_lines(findings: &[Finding]) -> Option<std::collections::BTreeSet<String>> {
    let mut lines = std::collections::BTreeSet::new();
    for finding in findings.iter().filter(|finding| finding.level.stops()) {
        lines.insert(finding.sku()?.to_owned());
    }
    Some(lines)
}
