//! Master data: SKUs, the codes other systems call them by, warehouses and lanes, as they are known on a day.
//!
//! What may be unknown is `Option` (texts: empty). An item with gaps can be planned; [`Item::missing`] says what
//! stops it from being booked.

mod codes;
mod item;
mod lane;
mod warehouse;

use std::collections::BTreeMap;

use chrono::NaiveDate;

pub use codes::{CodeClash, CodeKind, CodeMapping, Codes, Resolved, Taken};
pub use item::{Item, Status};
pub use lane::{Days, Lane};
pub use warehouse::{ClockStart, UnknownWarehouse, Warehouse};

use crate::ids::{Sku, SourceId, WarehouseCode};
use crate::order::Mode;

/// What is wrong with one field of a record, before it is known where the record came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub field: &'static str,
    pub found: String,
    pub wanted: String,
}

impl Fault {
    pub(crate) fn new(field: &'static str, found: &impl ToString, wanted: impl Into<String>) -> Self {
        Self {
            field,
            found: found.to_string(),
            wanted: wanted.into(),
        }
    }
}

/// Everything the catalog says on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalog {
    pub items: BTreeMap<Sku, Item>,
    pub warehouses: BTreeMap<WarehouseCode, Warehouse>,
    /// By warehouse, mode, forwarder and service.
    pub lanes: Vec<Lane>,
    pub codes: Codes,
}

impl Catalog {
    /// What a code of another system means on a day: `system` is a source id such as `amazon-uk`.
    /// `None` is unmapped: it belongs in the queue, it is never zero units.
    #[must_use]
    pub fn resolve(&self, system: &SourceId, kind: CodeKind, code: &str, on: NaiveDate) -> Option<Resolved> {
        self.codes.resolve(system, kind, code, on)
    }

    /// Whether [`Catalog::resolve`] answers the same on every day of a period.
    #[must_use]
    pub fn is_steady(
        &self,
        system: &SourceId,
        kind: CodeKind,
        code: &str,
        period: (NaiveDate, NaiveDate),
    ) -> bool {
        self.codes.is_steady(system, kind, code, period)
    }

    /// The warehouse of a qualified code, or of a provider's own code when only one provider has it.
    ///
    /// # Errors
    /// [`UnknownWarehouse`] offers the three nearest codes, or the ones the text may mean.
    pub fn warehouse(&self, code: &str) -> Result<&Warehouse, UnknownWarehouse> {
        warehouse::find(&self.warehouses, code)
    }

    /// Lanes into a warehouse by a mode, the preferred first.
    pub fn lanes_to<'a>(
        &'a self,
        warehouse: &'a WarehouseCode,
        mode: Mode,
    ) -> impl Iterator<Item = &'a Lane> + 'a {
        self.lanes
            .iter()
            .filter(move |lane| lane.warehouse == *warehouse && lane.mode == mode)
    }

    /// Puts lanes into their order: by warehouse and mode, priority 1 before 2 before none.
    pub fn sort_lanes(&mut self) {
        self.lanes.sort_by_key(|lane| {
            (
                lane.warehouse.clone(),
                lane.mode,
                lane.priority.unwrap_or(i64::MAX),
                lane.forwarder.clone(),
                lane.service.clone(),
            )
        });
    }
}
