//! `[receipts]`: when a shipment counts as settled, and how much may be missing without anybody being asked (R55).

use serde::{Deserialize, Serialize};

use crate::declared::Sections;
use crate::ids::WarehouseCode;
use crate::reconcile::{Rules, Tolerance};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiptsSection {
    /// Days without an event after which a shipment counts as settled.
    pub silent_days: i64,
    /// Receipts of two shipments this many days apart may have been counted under each other's number.
    pub pool_days: i64,
    /// Days after the last count at the dock by which units should be on the shelf.
    pub putaway_days: i64,
    /// Received more than so many times shipped: the unit of count is in doubt.
    pub excess_factor: i64,
    /// May be missing: the larger of so many units and so many percent of the line.
    pub short: Tolerance,
    pub over: Tolerance,
    /// `[[receipts.warehouse]]`: warehouses with tolerances of their own.
    #[serde(rename = "warehouse")]
    pub warehouses: Vec<WarehouseTolerance>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarehouseTolerance {
    pub code: WarehouseCode,
    #[serde(default)]
    pub short: Tolerance,
    #[serde(default)]
    pub over: Tolerance,
}

impl Default for ReceiptsSection {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            silent_days: rules.silent_days,
            pool_days: rules.pool_days,
            putaway_days: rules.putaway_days,
            excess_factor: rules.excess_factor,
            short: rules.short,
            over: rules.over,
            warehouses: Vec::new(),
        }
    }
}

impl ReceiptsSection {
    /// As the reconciliation takes them, without the zones.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules {
            silent_days: self.silent_days,
            pool_days: self.pool_days,
            putaway_days: self.putaway_days,
            excess_factor: self.excess_factor,
            short: self.short,
            over: self.over,
            tolerances: self
                .warehouses
                .iter()
                .map(|one| (one.code.clone(), (one.short, one.over)))
                .collect(),
            ..Rules::default()
        }
    }
}

const MAX_DAYS: i64 = 365;

pub(super) fn check(section: &ReceiptsSection, sections: &mut Sections<'_>) {
    let days = [
        ("receipts.silent_days", section.silent_days),
        ("receipts.pool_days", section.pool_days),
        ("receipts.putaway_days", section.putaway_days),
    ];
    for (field, days) in days {
        if !(0..=MAX_DAYS).contains(&days) {
            sections.fault(field, days.to_string(), format!("days from 0 to {MAX_DAYS}"));
        }
    }
    if section.excess_factor < 2 {
        sections.fault(
            "receipts.excess_factor",
            section.excess_factor.to_string(),
            "at least 2",
        );
    }
    let own = section.warehouses.iter().flat_map(|one| {
        let name = |side: &str| format!("receipts.warehouse {}.{side}", one.code);
        [(name("short"), one.short), (name("over"), one.over)]
    });
    let all = [
        ("receipts.short".to_owned(), section.short),
        ("receipts.over".to_owned(), section.over),
    ];
    for (field, tolerance) in all.into_iter().chain(own) {
        let percent = tolerance.percent;
        if tolerance.units < 0 || percent.is_sign_negative() || percent > rust_decimal::Decimal::ONE_HUNDRED {
            let found = format!("{} units, {percent} %", tolerance.units);
            sections.fault(&field, found, "no fewer than 0 units, and from 0 to 100 percent");
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for one in &section.warehouses {
        if !seen.insert(&one.code) {
            sections.fault("receipts.warehouse", one.code.as_str(), "each warehouse once");
        }
    }
}
