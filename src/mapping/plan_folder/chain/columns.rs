//! The files of the chain and their columns, with the other names they go by.

use crate::mapping::plan_folder::cells::{Column, MODE_NAMES, SKU_NAMES, WAREHOUSE_NAMES, column};

/// Files of the chain.
pub const FILES: [&str; 15] = [
    "calendar.csv",
    "deadlines.csv",
    "transfers.csv",
    "freight.csv",
    "exams.csv",
    "terms.csv",
    "storage.csv",
    "stock_lots.csv",
    "returns.csv",
    "capacity.csv",
    "whereabouts.csv",
    "stages.csv",
    "passages.csv",
    "loss_rates.csv",
    "rounding.csv",
];

const WAREHOUSE: Column = column("warehouse", WAREHOUSE_NAMES, false);
const HERE: Column = column("warehouse", WAREHOUSE_NAMES, true);
const MODE: Column = column("mode", MODE_NAMES, false);
const SKU: Column = column("sku", SKU_NAMES, true);
const CURRENCY: Column = column("currency", &["币种"], false);

static CALENDAR: [Column; 7] = [
    column("calendar", &["日历"], true),
    column("name", &["名称"], false),
    column("from", &["开始"], true),
    column("to", &["结束"], true),
    column("stages", &["阶段"], true),
    WAREHOUSE,
    MODE,
];
static DEADLINES: [Column; 4] = [
    column("calendar", &["日历"], true),
    column("name", &["名称", "活动"], false),
    column("date", &["截止日", "日期"], true),
    WAREHOUSE,
];
static TRANSFERS: [Column; 9] = [
    column("from", &["调出仓"], true),
    column("to", &["调入仓"], true),
    column("days_p50", &["days", "天数"], false),
    column("days_p90", &[], false),
    column("cost", &["costperunit", "单件费用"], false),
    CURRENCY,
    column("relay", &["中转"], false),
    column("cartons", &["整箱"], false),
    column("review_days", &["调拨频率"], false),
];
static FREIGHT: [Column; 6] = [
    HERE,
    column("mode", MODE_NAMES, true),
    column("forwarder", &["货代"], false),
    column("per_unit", &["单件运费"], false),
    column("per_kg", &["每公斤"], false),
    CURRENCY,
];
static EXAMS: [Column; 5] = [
    WAREHOUSE,
    MODE,
    column("share", &["查验率"], true),
    column("days_p50", &["days"], true),
    column("days_p90", &[], false),
];
static TERMS: [Column; 10] = [
    SKU,
    WAREHOUSE,
    column("margin", &["毛利"], false),
    column("low_stock_fee", &["低库存费"], false),
    column(
        "supply_days_30",
        &["近30天供货天数", "short-term-historical-days-of-supply"],
        false,
    ),
    column(
        "supply_days_90",
        &["近90天供货天数", "long-term-historical-days-of-supply"],
        false,
    ),
    CURRENCY,
    column("weight_g", &["重量"], false),
    column("volume_cm3", &["体积"], false),
    column("pallet_cartons", &["每托箱数"], false),
];
static STORAGE: [Column; 4] = [
    HERE,
    column("from_age", &["起始库龄"], true),
    column("rate", &["每立方米每天"], true),
    CURRENCY,
];
static LOTS: [Column; 4] = [
    HERE,
    SKU,
    column("since", &["入库日期", "received"], false),
    column("units", &["数量"], true),
];
static RETURNS: [Column; 7] = [
    HERE,
    column("sku", SKU_NAMES, false),
    column("rate", &["退货率"], true),
    column("resellable", &["可再售比例"], true),
    column("delay_days", &["天数"], false),
    column("destroy_fee", &["销毁费"], false),
    CURRENCY,
];
static ROUNDING: [Column; 3] = [HERE, MODE, column("to", &["取整单位"], true)];
static LOSSES: [Column; 3] = [HERE, MODE, column("share", &["损失率"], true)];
static CAPACITY: [Column; 3] = [
    HERE,
    column("units", &["件数"], false),
    column("volume_l", &["体积"], false),
];
static WHEREABOUTS: [Column; 3] = [
    column("reference", &["单号"], true),
    column("stage", &["阶段"], true),
    column("since", &["开始"], true),
];

static STAGES: [Column; 5] = [
    HERE,
    column("mode", MODE_NAMES, true),
    column("stage", &["阶段"], true),
    column("p50", &["days"], true),
    column("p90", &[], false),
];
static PASSAGES: [Column; 5] = [
    HERE,
    column("mode", MODE_NAMES, true),
    column("stage", &["阶段"], true),
    column("from", &["开始"], true),
    column("to", &["结束"], true),
];

pub(super) fn columns(file: &str) -> &'static [Column] {
    match file {
        "calendar.csv" => &CALENDAR,
        "deadlines.csv" => &DEADLINES,
        "transfers.csv" => &TRANSFERS,
        "freight.csv" => &FREIGHT,
        "exams.csv" => &EXAMS,
        "terms.csv" => &TERMS,
        "storage.csv" => &STORAGE,
        "stock_lots.csv" => &LOTS,
        "returns.csv" => &RETURNS,
        "capacity.csv" => &CAPACITY,
        "whereabouts.csv" => &WHEREABOUTS,
        "stages.csv" => &STAGES,
        "passages.csv" => &PASSAGES,
        "loss_rates.csv" => &LOSSES,
        "rounding.csv" => &ROUNDING,
        _ => &[],
    }
}
