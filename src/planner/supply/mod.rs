//! The chain behind a line: calendars and laws of its lead time, modes side by side, other warehouses, money and space.
//!
//! [`facts`] says what goes in, [`SupplyLine`] what a line shows of it. [`law`] and [`calendar`] make lead times,
//! [`bridge`] splits a quantity over two modes, [`echelon`] moves stock between warehouses before anything is ordered,
//! [`pallet`] rounds them to pallets, [`fill`] fits them into containers and a budget, [`ageing`] counts the days of storage.

pub mod ageing;
pub mod bridge;
pub mod calendar;
pub mod deadline;
pub mod echelon;
pub mod facts;
pub mod fill;
pub mod joint;
pub mod law;
pub mod loss;
pub mod low_stock;
pub mod pallet;
pub mod rework;
pub mod stage;
pub mod target;
pub mod terms;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

pub use calendar::MissingYear;
pub use facts::*;
pub use low_stock::{LowStock, LowStockTest};
pub use terms::Terms;

use crate::ids::{ForwarderId, WarehouseCode};
use crate::money::Money;
use crate::order::Mode;

/// Where the service target of a line comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetRule {
    /// The item's service level, or the policy's.
    #[default]
    Service,
    /// What a missing unit costs against one too many.
    Cost,
}

/// How the chain is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SupplyPolicy {
    /// `cn`, or `none`.
    pub origin_calendar: String,
    /// Fly what the slow mode would lose, where freight and margin are known.
    pub split_modes: bool,
    pub target: TargetRule,
    /// Yearly cost of money in stock, in thousandths.
    pub capital_permille: u16,
    /// Most money for one plan's orders.
    pub budget: Option<Money>,
    /// Litres and kilograms of a container; orders of the slow modes are filled up to whole ones.
    pub container_l: Option<i64>,
    pub container_kg: Option<i64>,
}

impl Default for SupplyPolicy {
    fn default() -> Self {
        Self {
            origin_calendar: calendar::ORIGIN.to_owned(),
            split_modes: true,
            target: TargetRule::Service,
            capital_permille: 120,
            budget: None,
            container_l: None,
            container_kg: None,
        }
    }
}

impl SupplyPolicy {
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// One mode's share of a suggestion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModePart {
    pub mode: Mode,
    pub forwarder: Option<ForwarderId>,
    pub units: i64,
    pub cartons: Option<i64>,
    /// When it is sellable: median, and late (9 of 10).
    pub eta: NaiveDate,
    pub eta_late: NaiveDate,
    /// Freight of the part.
    pub freight: Option<Money>,
}

/// Units that move between two warehouses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    pub from: WarehouseCode,
    pub to: WarehouseCode,
    pub units: i64,
    pub cartons: Option<i64>,
    pub eta: NaiveDate,
    pub cost: Option<Money>,
}

/// Why stock that is elsewhere is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoTransfer {
    /// Days or cost of the way are not known.
    WayUnknown,
    /// Dearer than flying the units in.
    Dearer,
    /// The other warehouse needs what it has.
    NothingToSpare,
    /// What stands there is not known.
    StockUnknown,
}

/// An arrival deadline of a platform, counted back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineView {
    pub name: String,
    pub date: NaiveDate,
    pub modes: Vec<DeadlineMode>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadlineMode {
    pub mode: Mode,
    pub order_by: NaiveDate,
    pub ship_by: NaiveDate,
    /// Order-by is not past.
    pub in_time: bool,
}

/// What the stock on hand costs by standing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgeView {
    /// Storage of the next 30 and 90 days of what stands there now.
    pub fee_30: Option<Money>,
    pub fee_90: Option<Money>,
    /// The next dearer tier that units will still be there for.
    pub next_tier: Option<NextTier>,
    /// Some lots have no date and were taken as the oldest possible.
    pub assumed_oldest: bool,
    /// What nobody expects to sell within the limit of cover.
    pub excess_units: i64,
    pub excess_cost: Option<Money>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextTier {
    pub from_age: i64,
    pub date: NaiveDate,
    pub units: i64,
    /// A day, once those units are in it.
    pub daily_fee: Option<Money>,
}

/// The two ways to a service target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetView {
    pub rule: TargetRule,
    pub service_permille: u16,
    pub cost_permille: u16,
    /// Lost with a unit that is missing; spent on a unit too many until the next order.
    pub missing_costs: Decimal,
    pub surplus_costs: Decimal,
    /// Where a fee of low stock was stated: whether it is part of what a missing unit costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_stock: Option<LowStockTest>,
}

/// What a line shows of its chain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SupplyLine {
    /// More than one: they add up to the suggestion.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<ModePart>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transfers_in: Vec<Transfer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transfers_out: Vec<Transfer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_transfer: Option<NoTransfer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<DeadlineView>,
    /// The year that a calendar lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calendar_missing: Option<MissingYear>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ageing: Option<AgeView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetView>,
    /// What a relay's downstream warehouse wants sent now; beyond that the order upstream covers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted_now: Option<i64>,
    /// Units a capacity limit kept out.
    #[serde(skip_serializing_if = "is_zero")]
    pub over_capacity: i64,
    /// Expected fee of destroying what comes back unsellable in the next 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destroy_cost: Option<Money>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(units: &i64) -> bool {
    *units == 0
}

impl SupplyLine {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
