//! Warehouse profiles (R6).

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::Fault;
use super::item::{check_positive, is_country};
use crate::ids::WarehouseCode;
use crate::order::gate::CartonLimits;
use crate::order::{Address, Party};

/// The event that starts the storage clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockStart {
    Arrival,
    Receipt,
    Putaway,
}

impl ClockStart {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_lowercase().as_str() {
            "arrival" | "到仓" => Some(Self::Arrival),
            "receipt" | "收货" => Some(Self::Receipt),
            "putaway" | "上架" => Some(Self::Putaway),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warehouse {
    pub code: WarehouseCode,
    pub name: String,
    /// ISO 3166 alpha-2.
    pub country: String,
    /// Where its days begin and end.
    pub zone: Tz,
    pub recipient: String,
    pub address: Address,
    pub phone: String,
    pub port_of_discharge: String,
    /// Whether a truck must book a slot.
    pub appointment: Option<bool>,
    pub storage_free_days: Option<i64>,
    pub clock_start: Option<ClockStart>,
    pub carton_max_g: Option<i64>,
    pub carton_max_side_mm: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carton_max_girth_mm: Option<i64>,
    /// Whether a carton may hold several SKUs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mixed_cartons: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pallet_max_height_mm: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pallet_max_g: Option<i64>,
    /// Older stock figures are stale.
    pub max_age_hours: Option<i64>,
}

impl Warehouse {
    /// Every value that cannot be true.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.code.provider().is_empty() || self.code.local().is_empty() {
            let wanted = "a code with its provider, like goodcang:UKMA";
            faults.push(Fault::new("code", &self.code, wanted));
        }
        if !is_country(&self.country) {
            let wanted = "a country as two capital letters, like GB";
            faults.push(Fault::new("country", &self.country, wanted));
        }
        if let Some(days) = self.storage_free_days.filter(|days| *days < 0) {
            faults.push(Fault::new("storage_free_days", &days, "0 or more days"));
        }
        check_positive(&mut faults, "carton_max_g", self.carton_max_g);
        check_positive(&mut faults, "carton_max_side_mm", self.carton_max_side_mm);
        check_positive(&mut faults, "carton_max_girth_mm", self.carton_max_girth_mm);
        check_positive(&mut faults, "pallet_max_height_mm", self.pallet_max_height_mm);
        check_positive(&mut faults, "pallet_max_g", self.pallet_max_g);
        check_positive(&mut faults, "max_age_hours", self.max_age_hours);
        faults
    }

    /// What it takes of cartons and pallets.
    #[must_use]
    pub fn limits(&self) -> CartonLimits {
        CartonLimits {
            max_g: self.carton_max_g,
            max_side_mm: self.carton_max_side_mm,
            max_girth_mm: self.carton_max_girth_mm,
            mixed: self.mixed_cartons,
            max_pallet_height_mm: self.pallet_max_height_mm,
            max_pallet_g: self.pallet_max_g,
        }
    }

    /// Name and address as a consignee.
    #[must_use]
    pub fn party(&self) -> Party {
        let name = if self.recipient.is_empty() {
            &self.name
        } else {
            &self.recipient
        };
        Party {
            name: name.clone(),
            address: self.address.clone(),
            phone: self.phone.clone(),
            ..Party::default()
        }
    }
}

/// A warehouse code that no profile has, or that several providers have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownWarehouse {
    #[error("no warehouse `{code}`; the nearest are {}", nearest.join(", "))]
    Unknown { code: String, nearest: Vec<String> },
    #[error("warehouse `{code}` could be {}: write it with its provider", candidates.join(" or "))]
    Ambiguous { code: String, candidates: Vec<String> },
}

const OFFERED: usize = 3;

pub(super) fn find<'a>(
    warehouses: &'a BTreeMap<WarehouseCode, Warehouse>,
    code: &str,
) -> Result<&'a Warehouse, UnknownWarehouse> {
    let code = code.trim();
    if let Some(exact) = warehouses
        .values()
        .find(|warehouse| warehouse.code.as_str() == code)
    {
        return Ok(exact);
    }
    let local: Vec<&Warehouse> = warehouses
        .values()
        .filter(|warehouse| warehouse.code.local() == code)
        .collect();
    match local.as_slice() {
        [one] => Ok(one),
        [] => {
            let lower = code.to_lowercase();
            let mut ranked: Vec<(usize, &str)> = warehouses
                .keys()
                .map(|known| {
                    let own = known.as_str().to_lowercase();
                    let by_local = strsim::osa_distance(&lower, &known.local().to_lowercase());
                    (strsim::osa_distance(&lower, &own).min(by_local), known.as_str())
                })
                .collect();
            ranked.sort_unstable();
            Err(UnknownWarehouse::Unknown {
                code: code.to_owned(),
                nearest: ranked
                    .into_iter()
                    .take(OFFERED)
                    .map(|(_, known)| known.to_owned())
                    .collect(),
            })
        }
        several => Err(UnknownWarehouse::Ambiguous {
            code: code.to_owned(),
            candidates: several
                .iter()
                .map(|warehouse| warehouse.code.to_string())
                .collect(),
        }),
    }
}
