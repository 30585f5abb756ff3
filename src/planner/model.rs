//! What a plan says. A plan is immutable, named by the hash of its inputs, and explains every number.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::ids::{PlanId, Sku, SourceId, WarehouseCode};
use crate::money::Money;
use crate::order::Mode;

/// How far the data behind a line can be trusted. Never "assume zero".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataState {
    Complete,
    /// Older than its limit, or the last pull failed: numbers are shown, marked, and not counted in totals.
    Stale,
    /// A value the calculation needs is unknown.
    Incomplete,
    /// Nothing is known yet.
    Missing,
}

/// Freshness of one source as the plan saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    pub source: SourceId,
    pub stream: String,
    pub state: DataState,
    /// As-of time of the newest complete data.
    pub as_of: Option<DateTime<Utc>>,
    pub rows: Option<i64>,
    pub rows_before: Option<i64>,
    /// Civil days without data inside the history the plan uses.
    pub missing_days: Vec<NaiveDate>,
    /// What went wrong, in words, when it did.
    pub problem: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertLevel {
    /// 红: past the latest order date, or out of stock before anything can arrive.
    Critical,
    /// 黄: order within the warning days.
    Warning,
    /// 蓝: below safety stock.
    Notice,
    /// Too much: days of cover over the limit.
    Overstock,
}

/// Why a line has no quantity, or what a reader must know about it. Texts: `wording/plan.toml`, key `reason.<code>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Due,
    EnoughCover,
    NoRecentSales,
    NewItem,
    Inactive,
    StockUnknown,
    StockStale,
    SalesUnknown,
    SalesStale,
    LeadTimeUnknown,
    LeadTimeFallback,
    CartonUnknown,
    MoqRaised,
    BelowMoq,
    CertainShortage,
    TooLate,
    OverdueInbound,
    UnknownInbound,
    NegativeStock,
    CodeUnmapped,
    Overstock,
    /// Impossible past lead times were left out of the learning.
    ObservationDropped,
    /// A calendar that the lead time needs does not reach so far: the dates are without it (R16).
    CalendarMissing,
    /// A holiday or a blank sailing makes the lead time longer.
    CalendarStops,
    /// The first mode misses an arrival deadline, a faster one makes it.
    DeadlineFaster,
    /// No mode makes an arrival deadline any more.
    DeadlineMissed,
    /// A part flies, the rest goes by the first mode (R37).
    ModeSplit,
    TransferFirst,
    OrderedUpstream,
    OverCapacity,
    BudgetCut,
    ContainerFilled,
    PalletRounded,
    PalletUnknown,
}

/// One civil day of the projected balance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectedDay {
    pub day: NaiveDate,
    /// Balance at day's end at the 10th, 50th and 90th percentile of demand and arrivals, not below zero.
    pub low: i64,
    pub mid: i64,
    pub high: i64,
    /// Units expected to arrive this day (median).
    pub arrivals: i64,
}

/// Most of what a tree says are words the engine knows: they are not copied into every line.
pub type Word = std::borrow::Cow<'static, str>;

/// A number with the numbers behind it. Texts: `wording/plan.toml`, key `explain.<key>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explain {
    pub key: Word,
    /// Exact as shown; empty for a heading.
    pub value: Word,
    /// `units`, `units_per_day`, `days`, `date`, `percent`, `cartons`, `money`, ``.
    pub unit: Word,
    /// How the parent is made from its children: `sum`, `difference`, `max`, `round_up`, `quantile`, ``.
    pub rule: Word,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<Explain>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockoutDates {
    /// None: not within the horizon.
    pub p10: Option<NaiveDate>,
    pub p50: Option<NaiveDate>,
    pub p90: Option<NaiveDate>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundView {
    /// Order number or inbound number.
    pub reference: String,
    pub units: i64,
    pub eta_p50: NaiveDate,
    pub eta_p90: NaiveDate,
    pub overdue: bool,
}

/// One (warehouse, SKU). Statistics are rounded to three places by `planner::round_stat`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanLine {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub name_zh: String,
    pub name_en: String,
    pub data: DataState,
    pub level: Option<AlertLevel>,
    pub reasons: Vec<Reason>,
    /// Units a day over the last 7, 30 and 90 in-stock days; None when there are none.
    pub velocity_7: Option<Decimal>,
    pub velocity_30: Option<Decimal>,
    pub velocity_90: Option<Decimal>,
    /// The rate the plan used.
    pub velocity: Option<Decimal>,
    /// Days without stock that were left out of the velocity.
    pub out_of_stock_days: i64,
    pub available: Option<i64>,
    pub pending_putaway: Option<i64>,
    pub inbound: Vec<InboundView>,
    pub cover_days: Option<Decimal>,
    pub stockout: StockoutDates,
    /// Last civil day to order, and to hand over, per the suggested mode.
    pub order_by: Option<NaiveDate>,
    pub ship_by: Option<NaiveDate>,
    pub eta: Option<NaiveDate>,
    pub mode: Option<Mode>,
    /// Before carton and MOQ rounding; None when it cannot be known.
    pub need_units: Option<i64>,
    pub suggested_units: Option<i64>,
    pub suggested_cartons: Option<i64>,
    pub safety_units: Option<i64>,
    /// Purchase cost of the suggestion.
    pub cost: Option<Money>,
    /// Sales of the last 60 civil days, oldest first; None for a day without data.
    pub sales_60: Vec<Option<i64>>,
    pub projection: Vec<ProjectedDay>,
    pub explain: Explain,
    /// Modes side by side, transfers, deadlines, storage: what the chain adds; None where there is nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supply: Option<Box<super::supply::SupplyLine>>,
}

/// How many SKU-warehouses went how far, and why the others stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funnel {
    pub seen: i64,
    pub active: i64,
    pub computed: i64,
    pub due: i64,
    pub suggested: i64,
    /// (stage it dropped out of, reason, count), in a fixed order.
    pub dropped: Vec<(String, Reason, i64)>,
}

/// An alert condition with hysteresis (R14): one per subject, re-sent only when worse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub level: AlertLevel,
    pub first_seen: NaiveDate,
    /// The day it was last told to a person.
    pub last_sent: NaiveDate,
    pub stockout: Option<NaiveDate>,
    pub acknowledged: bool,
    /// Told today: new or worse than when last told.
    pub tell: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub id: PlanId,
    pub parent: Option<PlanId>,
    pub as_of: NaiveDate,
    /// Version of the engine that computed it.
    pub engine: String,
    pub sources: Vec<SourceState>,
    pub funnel: Funnel,
    /// Sorted by urgency: level, order-by date, warehouse, SKU.
    pub lines: Vec<PlanLine>,
    pub alerts: Vec<Alert>,
}

/// Why a quantity differs from the parent plan's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    Sales,
    Stock,
    Inbound,
    Parameter,
    Time,
    NewLine,
    GoneLine,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineChange {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub before: Option<i64>,
    pub after: Option<i64>,
    pub level_before: Option<AlertLevel>,
    pub level_after: Option<AlertLevel>,
    /// Units of the difference by cause; they add up to `after - before`.
    pub causes: Vec<(Cause, i64)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanDiff {
    pub before: PlanId,
    pub after: PlanId,
    pub changes: Vec<LineChange>,
}
