//! What a plan is computed from: facts of one moment, and the policy of the people who order.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::calibration::Calibration;
use super::history::DemandFacts;
use super::method::Method;
use super::model::{DataState, SourceState};
use super::supply::{SupplyFacts, SupplyPolicy};
use crate::ids::{ForwarderId, Sku, WarehouseCode};
use crate::money::Money;
use crate::order::Mode;

/// All facts of one moment. The order of the vectors does not matter: planning sorts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// The first day that is still ahead: sales are known up to the day before, stock stands at its start.
    pub as_of: NaiveDate,
    pub sources: Vec<SourceState>,
    pub warehouses: Vec<WarehouseFacts>,
    pub series: Vec<ItemSeries>,
    /// What is known of demand beside the sales: promotions, events, rules, overrides.
    #[serde(default, skip_serializing_if = "DemandFacts::is_empty")]
    pub demand: DemandFacts,
    /// Calendars, prices, limits, ways between warehouses.
    #[serde(default, skip_serializing_if = "SupplyFacts::is_empty")]
    pub supply: SupplyFacts,
}

/// What all lines of one warehouse share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarehouseFacts {
    pub warehouse: WarehouseCode,
    /// Ways to bring goods there.
    pub lanes: Vec<LaneOption>,
    /// Received to sellable: when pending units arrive, and the last stage of every lane that has none of its own.
    pub putaway: Option<StageTimes>,
}

/// One way to bring goods: a mode, and who does it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneOption {
    pub mode: Mode,
    pub forwarder: Option<ForwarderId>,
    #[serde(default)]
    pub service: String,
    /// 1 is used first; a higher number only when the ones before come too late.
    pub priority: i64,
    /// From order to sellable, one after the other.
    pub stages: Vec<StageTimes>,
}

/// A stretch of the way whose duration is learned (R21).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Production,
    QualityCheck,
    /// Factory to forwarder (国内集货).
    DomesticHaul,
    WaitForSailing,
    Sail,
    Unload,
    Clearance,
    /// Only some shipments are opened.
    CustomsExam,
    Drayage,
    Appointment,
    /// Hand-over to delivered, where nobody records the stretches between.
    Transit,
    /// From one overseas warehouse to another.
    Transfer,
    Putaway,
}

impl Stage {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::QualityCheck => "quality_check",
            Self::DomesticHaul => "domestic_haul",
            Self::WaitForSailing => "wait_for_sailing",
            Self::Sail => "sail",
            Self::Unload => "unload",
            Self::Clearance => "clearance",
            Self::CustomsExam => "customs_exam",
            Self::Drayage => "drayage",
            Self::Appointment => "appointment",
            Self::Transit => "transit",
            Self::Transfer => "transfer",
            Self::Putaway => "putaway",
        }
    }

    pub const ALL: [Self; 13] = [
        Self::Production,
        Self::QualityCheck,
        Self::DomesticHaul,
        Self::WaitForSailing,
        Self::Sail,
        Self::Unload,
        Self::Clearance,
        Self::CustomsExam,
        Self::Drayage,
        Self::Appointment,
        Self::Transit,
        Self::Transfer,
        Self::Putaway,
    ];

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.code() == code)
    }

    /// Before the goods are handed over: counts for the order-by date, not for the ship-by date.
    #[must_use]
    pub fn is_before_hand_over(self) -> bool {
        matches!(self, Self::Production | Self::QualityCheck | Self::DomesticHaul)
    }
}

/// The fallback table's days of a stage and what was really seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageTimes {
    pub stage: Stage,
    /// Fallback in days, used until enough was observed.
    pub p50: Option<i64>,
    pub p90: Option<i64>,
    #[serde(default)]
    pub observed: Vec<Observation>,
}

/// One time a stage was passed. Impossible ones are left out of the learning and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

/// One (warehouse, SKU) with its history and its stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemSeries {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    #[serde(default)]
    pub name_zh: String,
    #[serde(default)]
    pub name_en: String,
    pub active: bool,
    pub sales: DailySales,
    pub sales_state: DataState,
    /// Sellable now (FC transfer included where the warehouse is configured so); None is unknown.
    pub available: Option<i64>,
    /// Received, not yet on the shelf.
    pub pending_putaway: Option<i64>,
    pub stock_state: DataState,
    #[serde(default)]
    pub inbound: Vec<InboundShipment>,
    /// The SKU's own production time, before any lane's.
    #[serde(default)]
    pub production: Option<StageTimes>,
    pub carton_units: Option<i64>,
    pub moq: Option<i64>,
    pub unit_cost: Option<Money>,
    /// Target of this line in thousandths (950 = 95 %); None takes the policy's.
    #[serde(default)]
    pub service_permille: Option<u16>,
}

/// Units still moving to the warehouse.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboundShipment {
    pub reference: String,
    /// What is still to come: announced less received.
    pub units: i64,
    pub shipped_on: Option<NaiveDate>,
    pub mode: Option<Mode>,
    /// A date somebody named. Past it and not received, the shipment is overdue and predicted anew.
    pub eta: Option<NaiveDate>,
    /// Whether it matched an order of ours; an unknown inbound is listed, and counted only if the policy says so.
    #[serde(default = "yes")]
    pub known: bool,
}

fn yes() -> bool {
    true
}

/// Units sold by civil day. Four bytes a day: a hundred thousand lines of a year stay below 200 MB.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DailySales {
    pub first_day: NaiveDate,
    pub units: DayUnits,
    /// Whether there was stock to sell, by day; shorter or None means nobody knows, and the day counts as in stock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_stock: Vec<Option<bool>>,
}

impl DailySales {
    #[must_use]
    pub fn empty(first_day: NaiveDate) -> Self {
        Self {
            first_day,
            units: DayUnits::default(),
            in_stock: Vec::new(),
        }
    }

    /// Units of a day; None for a gap or a day outside the history.
    #[must_use]
    pub fn on(&self, day: NaiveDate) -> Option<u32> {
        let index = usize::try_from((day - self.first_day).num_days()).ok()?;
        self.units.get(index)
    }

    /// Out of stock is said, never guessed from a zero.
    #[must_use]
    pub fn out_of_stock(&self, index: usize) -> bool {
        self.in_stock.get(index).copied().flatten() == Some(false)
    }
}

/// A vector of `Option<u32>` in four bytes each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayUnits(Vec<u32>);

const GAP: u32 = u32::MAX;

impl DayUnits {
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a day; None is a day without data.
    pub fn push(&mut self, units: Option<u32>) {
        self.0.push(units.map_or(GAP, |units| units.min(GAP - 1)));
    }

    #[must_use]
    pub fn get(&self, index: usize) -> Option<u32> {
        self.0.get(index).copied().filter(|units| *units != GAP)
    }

    pub fn set(&mut self, index: usize, units: Option<u32>) {
        if let Some(slot) = self.0.get_mut(index) {
            *slot = units.map_or(GAP, |units| units.min(GAP - 1));
        }
    }

    /// The first so many days, the last of them first.
    #[inline]
    pub fn newest_first(&self, days: usize) -> impl Iterator<Item = Option<u32>> + '_ {
        let days = self.0.get(..days).unwrap_or_default().iter().rev();
        days.map(|units| (*units != GAP).then_some(*units))
    }

    pub fn iter(&self) -> impl Iterator<Item = Option<u32>> + '_ {
        self.0.iter().map(|units| (*units != GAP).then_some(*units))
    }
}

impl FromIterator<Option<u32>> for DayUnits {
    fn from_iter<T: IntoIterator<Item = Option<u32>>>(days: T) -> Self {
        Self(
            days.into_iter()
                .map(|units| units.map_or(GAP, |units| units.min(GAP - 1)))
                .collect(),
        )
    }
}

impl Serialize for DayUnits {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for DayUnits {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Days)
    }
}

/// Reads days into their four bytes at once: a year of them is most of what a stored plan is read from.
struct Days;

impl<'de> serde::de::Visitor<'de> for Days {
    type Value = DayUnits;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("units of each day, null for a gap")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut days: A) -> Result<DayUnits, A::Error> {
        let mut units = DayUnits(Vec::with_capacity(USUAL_DAYS));
        while let Some(Day(day)) = days.next_element()? {
            units.push(day);
        }
        Ok(units)
    }
}

/// A number or null, told apart by its first letter and not by trying.
struct Day(Option<u32>);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DayVisitor)
    }
}

struct DayVisitor;

impl serde::de::Visitor<'_> for DayVisitor {
    type Value = Day;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("units of a day, or null for a gap")
    }

    fn visit_u64<E: serde::de::Error>(self, units: u64) -> Result<Day, E> {
        let wrong = |_| E::invalid_value(serde::de::Unexpected::Unsigned(units), &self);
        Ok(Day(Some(u32::try_from(units).map_err(wrong)?)))
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Day, E> {
        Ok(Day(None))
    }
}

/// A year, and a little.
const USUAL_DAYS: usize = 368;

/// What to do with a need below the minimum order quantity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MoqPolicy {
    /// Order the minimum.
    #[default]
    Raise,
    /// Order nothing until the need reaches it.
    Wait,
}

/// Demand that no order can serve any more (必断货量).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertainShortage {
    /// Shown, and ordered all the same.
    #[default]
    Keep,
    /// Taken off the quantity.
    Subtract,
}

/// How to order. Percentages are whole thousandths, so that a policy has one spelling and one hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Days between two chances to order.
    pub review_days: i64,
    /// Probability that demand until the next order's arrival is served, in thousandths.
    pub service_permille: u16,
    /// The lead time used for the latest dates, in thousandths (900 = p90).
    pub lead_permille: u16,
    /// Yellow when the order-by date is at most so many days away.
    pub warning_days: i64,
    /// Overstock above so many days of cover.
    pub overstock_days: i64,
    /// Days of history the demand is learned from.
    pub history_days: i64,
    /// Days the balance is projected.
    pub horizon_days: i64,
    /// Fewer observations of a stage fall back to the table.
    pub min_observations: i64,
    pub certain_shortage: CertainShortage,
    pub moq: MoqPolicy,
    /// Count shipments the warehouse announces but nobody here knows.
    pub count_unknown_inbound: bool,
    /// Learn a yearly pattern when the history is long enough.
    pub season: bool,
    /// Tell an open alert again after so many days.
    pub remind_days: i64,
    /// An alert is worse when the stock-out comes at least so many days nearer.
    pub worse_days: i64,
    /// Judge the published models against the engine's own level, and use them where they are clearly better.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tournament: bool,
    /// Targets of the items that earn most, middling and least (A, B, C), in thousandths; the policy's where not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_by_rank: Option<[u16; 3]>,
    /// Sampled lead times per lane.
    pub paths: u32,
    /// Mixed into every line's own seed.
    pub seed: u64,
    /// Calendars, modes, budget, container.
    #[serde(skip_serializing_if = "SupplyPolicy::is_default")]
    pub supply: SupplyPolicy,
    /// What a quantity is decided by.
    #[serde(skip_serializing_if = "Method::is_default")]
    pub method: Method,
    /// Days of demand in a lot of `s,S` and `r,Q`, where costs are not known.
    #[serde(skip_serializing_if = "is_month")]
    pub lot_days: i64,
    /// What one order line costs, whatever its size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_cost: Option<Money>,
    /// What a unit in stock costs a year, in thousandths of its own cost.
    #[serde(skip_serializing_if = "is_a_fifth")]
    pub holding_permille: u16,
    /// Whether the night keeps [`calibration`](Self::calibration).
    #[serde(skip_serializing_if = "is_yes")]
    pub calibrate: bool,
    /// What earlier decisions attained, by segment; kept by the night, never written by hand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub calibration: Vec<Calibration>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_month(days: &i64) -> bool {
    *days == LOT_DAYS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_a_fifth(permille: &u16) -> bool {
    *permille == HOLDING_PERMILLE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_yes(yes: &bool) -> bool {
    *yes
}

const LOT_DAYS: i64 = 30;
const HOLDING_PERMILLE: u16 = 200;

impl Default for Policy {
    fn default() -> Self {
        Self {
            review_days: 7,
            service_permille: 950,
            lead_permille: 900,
            warning_days: 7,
            overstock_days: 180,
            history_days: 365,
            horizon_days: 180,
            min_observations: 5,
            certain_shortage: CertainShortage::Keep,
            moq: MoqPolicy::Raise,
            count_unknown_inbound: false,
            season: true,
            remind_days: 7,
            worse_days: 3,
            tournament: false,
            service_by_rank: None,
            paths: 1000,
            seed: 0,
            supply: SupplyPolicy::default(),
            method: Method::Linkstar,
            lot_days: LOT_DAYS,
            order_cost: None,
            holding_permille: HOLDING_PERMILLE,
            calibrate: true,
            calibration: Vec::new(),
        }
    }
}
