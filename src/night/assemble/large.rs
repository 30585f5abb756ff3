//! Large order lines brought to warehouse and SKU: the planner says which of them are out of all proportion.

use super::Assembler;
use crate::catalog::CodeKind;
use crate::planner::BulkUnits;

impl Assembler<'_> {
    /// None where `bulk.csv` says which orders were out of all proportion.
    pub(super) fn large(&mut self) -> Vec<BulkUnits> {
        let facts = self.facts;
        let mut large = Vec::new();
        let lines = match facts.demand.names_bulk {
            true => &[][..],
            false => &facts.large_lines,
        };
        for line in lines {
            let Some(warehouse) = self.served_by(&line.source, &line.fulfilment) else {
                continue;
            };
            let found = self.resolve(&line.source, &[CodeKind::Msku], &line.sku_code, line.day);
            let Some((sku, multiple)) = found else { continue };
            for (sku, multiple) in facts.demand.bundles.opened(&sku, multiple) {
                let units = line.units.saturating_mul(multiple);
                large.push(BulkUnits {
                    warehouse: warehouse.clone(),
                    sku,
                    day: line.day,
                    units: u32::try_from(units).unwrap_or(u32::MAX),
                });
            }
        }
        large
    }
}
