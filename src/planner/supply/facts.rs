//! What a supply chain adds to a snapshot: calendars, prices, limits, ways between warehouses.
//!
//! Everything is optional. A snapshot without any of it is planned as before.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::{ForwarderId, Sku, WarehouseCode};
use crate::money::{Currency, Money};
use crate::order::Mode;
use crate::planner::snapshot::{LaneOption, Stage, StageTimes};

/// Facts of the chain. The order of the vectors does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SupplyFacts {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub closures: Vec<Closure>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deadlines: Vec<ArrivalDeadline>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transfers: Vec<TransferWay>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub freight: Vec<Freight>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exams: Vec<CustomsExam>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ItemTerms>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub storage: Vec<StorageTier>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lots: Vec<Lot>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<ReturnTerms>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<LossTerms>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capacity: Vec<Capacity>,
    /// What a way takes whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rounding: Vec<Rounding>,
    /// Where shipments under way are, as far as somebody said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub whereabouts: Vec<Whereabouts>,
    /// Stages finer than the lanes name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageFacts>,
    /// Country of a warehouse: receipts of one mode and country teach each other.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<(WarehouseCode, String)>,
}

impl SupplyFacts {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A lane with the finer stages that are known of its warehouse and mode.
    ///
    /// Those between hand-over and delivery take the place of `transit` when the main leg (`sail`) is among them: a
    /// clearance alone would be counted twice beside it. Those before the hand-over, and the transfer, are added.
    #[must_use]
    pub fn finer(&self, warehouse: &WarehouseCode, lane: &LaneOption) -> LaneOption {
        let mut lane = lane.clone();
        let of = |stage: &&StageFacts| stage.warehouse == *warehouse && stage.mode == lane.mode;
        let known: Vec<&StageFacts> = self.stages.iter().filter(of).collect();
        let legs = known.iter().any(|known| known.times.stage == Stage::Sail);
        if legs {
            lane.stages.retain(|times| times.stage != Stage::Transit);
        }
        for known in known {
            let stage = known.times.stage;
            let under_way =
                !stage.is_before_hand_over() && !matches!(stage, Stage::Putaway | Stage::Transfer);
            if under_way && !legs {
                continue;
            }
            match lane.stages.iter_mut().find(|times| times.stage == stage) {
                Some(times) => {
                    times.p50 = known.times.p50.or(times.p50);
                    times.p90 = known.times.p90.or(times.p90);
                    times.observed.extend(known.times.observed.iter().copied());
                }
                None => lane.stages.push(known.times.clone()),
            }
        }
        lane
    }

    /// The same facts in an order that only their content decides.
    #[must_use]
    pub fn sorted(&self) -> Self {
        let mut sorted = self.clone();
        sorted.closures.sort();
        sorted.deadlines.sort();
        sorted
            .transfers
            .sort_by(|a, b| (&a.from, &a.to).cmp(&(&b.from, &b.to)));
        sorted
            .freight
            .sort_by(|a, b| (&a.warehouse, a.mode, &a.forwarder).cmp(&(&b.warehouse, b.mode, &b.forwarder)));
        sorted
            .exams
            .sort_by(|a, b| (&a.warehouse, a.mode).cmp(&(&b.warehouse, b.mode)));
        sorted
            .items
            .sort_by(|a, b| (&a.sku, &a.warehouse).cmp(&(&b.sku, &b.warehouse)));
        sorted
            .storage
            .sort_by(|a, b| (&a.warehouse, a.from_age, a.rate).cmp(&(&b.warehouse, b.from_age, b.rate)));
        sorted.lots.sort();
        sorted
            .returns
            .sort_by(|a, b| (&a.warehouse, &a.sku).cmp(&(&b.warehouse, &b.sku)));
        sorted.losses.sort();
        sorted.capacity.sort();
        sorted.rounding.sort();
        sorted.whereabouts.sort();
        sorted.countries.sort();
        for stage in &mut sorted.stages {
            stage.times.observed.sort();
        }
        sorted.stages.sort_by(|a, b| {
            (&a.warehouse, a.mode, a.times.stage).cmp(&(&b.warehouse, b.mode, b.times.stage))
        });
        sorted
    }
}

/// One stage of a warehouse's mode: days of a table, and passages seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageFacts {
    pub warehouse: WarehouseCode,
    pub mode: Mode,
    pub times: StageTimes,
}

/// Days on which the named stages stand still, both included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closure {
    /// `cn` adds to the calendar that comes with the program; its years count as maintained.
    pub calendar: String,
    pub name: String,
    pub from: NaiveDate,
    pub to: NaiveDate,
    pub stages: Vec<Stage>,
    /// None: everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<WarehouseCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
}

impl Closure {
    /// Nobody takes a truck in at this warehouse on this day.
    #[must_use]
    pub fn shuts_door(&self, warehouse: &WarehouseCode, day: NaiveDate) -> bool {
        (self.from..=self.to).contains(&day)
            && self.warehouse.as_ref().is_none_or(|code| code == warehouse)
            && [Stage::Appointment, Stage::Putaway]
                .iter()
                .any(|stage| self.stages.contains(stage))
    }
}

/// The day by which goods must be sellable for an event of a platform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrivalDeadline {
    pub calendar: String,
    pub name: String,
    pub date: NaiveDate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<WarehouseCode>,
}

/// A way between two warehouses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferWay {
    pub from: WarehouseCode,
    pub to: WarehouseCode,
    pub days_p50: Option<i64>,
    pub days_p90: Option<i64>,
    pub cost: Option<Money>,
    /// Everything for `to` comes through `from` (海外仓中转): the order is placed upstream for both.
    #[serde(default)]
    pub relay: bool,
    /// Whole cartons only.
    #[serde(default)]
    pub cartons: bool,
    /// Days between two chances to send; None takes the policy's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_days: Option<i64>,
}

/// What a mode costs, by unit or by kilogram; the unit's weight decides then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freight {
    pub warehouse: WarehouseCode,
    pub mode: Mode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarder: Option<ForwarderId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_unit: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_kg: Option<Money>,
}

/// Some shipments are opened: a share, and the days it adds to those.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomsExam {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<WarehouseCode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    pub share_permille: u16,
    pub days_p50: i64,
    pub days_p90: i64,
}

/// Size, weight and money of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemTerms {
    pub sku: Sku,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warehouse: Option<WarehouseCode>,
    /// Lost with a unit that is not sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<Money>,
    /// Fee of each unit shipped while stock stands low, as `low_stock` tests it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_stock_fee: Option<Money>,
    /// Units on hand over units shipped, means of the last 30 and of the last 90 days, as the platform reports them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supply_days_30: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supply_days_90: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_g: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_cm3: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pallet_cartons: Option<i64>,
}

/// What orders of a way are rounded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundTo {
    Carton,
    Pallet,
    /// Filled up to whole ones, as far as a carton is worth it.
    Container,
}

impl RoundTo {
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        match code {
            "carton" | "箱" => Some(Self::Carton),
            "pallet" | "托" | "托盘" | "板" => Some(Self::Pallet),
            "container" | "柜" | "整柜" => Some(Self::Container),
            _ => None,
        }
    }
}

/// A warehouse takes the orders of a way in whole cartons, pallets or containers only.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rounding {
    pub warehouse: WarehouseCode,
    /// None: every mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    pub to: RoundTo,
}

/// From this age on a cubic metre costs so much a day. The free days are a tier of rate 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageTier {
    pub warehouse: WarehouseCode,
    pub from_age: i64,
    pub rate: Decimal,
    pub currency: Currency,
}

/// Units that came in together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lot {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    /// When the storage clock started; None is taken as the oldest possible, and said.
    pub since: Option<NaiveDate>,
    pub units: i64,
}

/// What becomes of units sold that come back (R71).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReturnTerms {
    pub warehouse: WarehouseCode,
    /// None: every SKU of the warehouse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
    pub rate_permille: u16,
    pub resellable_permille: u16,
    pub delay_days: i64,
    /// For a unit that cannot be sold again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destroy_fee: Option<Money>,
}

/// The share of units that leave on a way and are never there to be sold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossTerms {
    pub warehouse: WarehouseCode,
    /// None: every mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    pub lost_per_10000: u16,
    /// Shipments it was learned from; 0: somebody said so.
    #[serde(default)]
    pub shipments: i64,
}

/// Most units a warehouse takes of everything together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capacity {
    pub warehouse: WarehouseCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_l: Option<i64>,
}

/// A shipment is in this stage since this day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whereabouts {
    pub reference: String,
    pub stage: Stage,
    pub since: NaiveDate,
}
