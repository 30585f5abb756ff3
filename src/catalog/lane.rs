//! Ways into a warehouse, with the lead times a person trusts until there is history (R21).

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::ids::{ForwarderId, WarehouseCode};
use crate::money::Money;
use crate::order::Mode;
use crate::order::gate::Channel;

/// Days of one stage: as often shorter as longer, and longer in one case of ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    pub p50: i64,
    pub p90: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    pub warehouse: WarehouseCode,
    pub mode: Mode,
    pub forwarder: ForwarderId,
    /// The forwarder's name of the service (渠道).
    pub service: String,
    pub production: Option<Days>,
    /// Hand-over to delivered.
    pub transit: Option<Days>,
    pub putaway: Option<Days>,
    pub port_of_loading: String,
    pub cost_per_kg: Option<Money>,
    /// 1 is tried first.
    pub priority: Option<i64>,
    /// What the service takes.
    #[serde(default, skip_serializing_if = "Channel::is_unlimited")]
    pub channel: Channel,
}

impl Lane {
    /// Every value that cannot be true.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (p50, p90, days) in [
            ("production_p50", "production_p90", self.production),
            ("transit_p50", "transit_p90", self.transit),
            ("putaway_p50", "putaway_p90", self.putaway),
        ] {
            let Some(days) = days else { continue };
            for (field, value) in [(p50, days.p50), (p90, days.p90)] {
                if !(0..=MAX_DAYS).contains(&value) {
                    faults.push(Fault::new(field, &value, format!("days from 0 to {MAX_DAYS}")));
                }
            }
            if days.p50 > days.p90 {
                faults.push(Fault::new(
                    p90,
                    &days.p90,
                    format!("at least {p50}, which is {}", days.p50),
                ));
            }
        }
        if let Some(cost) = self.cost_per_kg.filter(|cost| cost.amount.is_sign_negative()) {
            faults.push(Fault::new("cost_per_kg", &cost.amount, "a cost of 0 or more"));
        }
        super::item::check_positive(&mut faults, "priority", self.priority);
        let limits = &self.channel.limits;
        for (field, value) in [
            ("carton_max_g", limits.max_g),
            ("carton_max_side_mm", limits.max_side_mm),
            ("carton_max_girth_mm", limits.max_girth_mm),
            ("pallet_max_height_mm", limits.max_pallet_height_mm),
            ("pallet_max_g", limits.max_pallet_g),
            ("heavy_over_g", self.channel.heavy_over_g),
            ("large_over_mm", self.channel.large_over_mm),
        ] {
            super::item::check_positive(&mut faults, field, value);
        }
        let channel = &self.channel;
        for (over, fee, limit, money) in [
            (
                "heavy_over_g",
                "heavy_fee",
                channel.heavy_over_g,
                channel.heavy_fee,
            ),
            (
                "large_over_mm",
                "large_fee",
                channel.large_over_mm,
                channel.large_fee,
            ),
        ] {
            if limit.is_some() != money.is_some() {
                let found = limit.map_or_else(String::new, |limit| limit.to_string());
                let wanted = format!("both `{over}` and `{fee}`, or neither");
                faults.push(Fault::new(over, &found, wanted));
            }
            if let Some(money) = money.filter(|money| money.amount.is_sign_negative()) {
                faults.push(Fault::new(fee, &money.amount, "a fee of 0 or more"));
            }
        }
        faults
    }
}

/// Two years: whatever takes longer is a slip.
const MAX_DAYS: i64 = 730;
