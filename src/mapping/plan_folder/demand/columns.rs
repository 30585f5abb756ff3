//! The columns of the files of demand, and the other names they go by.

use crate::mapping::plan_folder::cells::{Column, SKU_NAMES, WAREHOUSE_NAMES, column};

const WAREHOUSE: Column = column("warehouse", WAREHOUSE_NAMES, false);
const SKU: Column = column("sku", SKU_NAMES, true);
const ANY_SKU: Column = column("sku", SKU_NAMES, false);
const FROM: Column = column("from", &["开始", "开始日期"], true);
const UNTIL: Column = column("until", &["to", "结束", "结束日期"], true);
const OPEN_END: Column = column("until", &["to", "结束", "结束日期"], false);

static BUNDLES: [Column; 3] = [
    column("bundle", &["set", "套装", "组合"], true),
    column("component", &["sku", "子件", "组件"], true),
    column("units", &["qty", "quantity", "数量"], true),
];
static VELOCITY: [Column; 12] = [
    WAREHOUSE,
    ANY_SKU,
    FROM,
    OPEN_END,
    column("fixed", &["rate", "固定日销"], false),
    column("w3", &["3"], false),
    column("w7", &["7"], false),
    column("w14", &["14"], false),
    column("w30", &["30"], false),
    column("w60", &["60"], false),
    column("w90", &["90"], false),
    column("use", &["used", "采用"], false),
];
static OVERRIDES: [Column; 8] = [
    WAREHOUSE,
    SKU,
    FROM,
    UNTIL,
    column("factor", &["系数"], false),
    column("units_per_day", &["日销"], false),
    column("author", &["by", "调整人"], true),
    column("note", &["备注"], false),
];
static PROMOTIONS: [Column; 5] = [
    WAREHOUSE,
    ANY_SKU,
    FROM,
    UNTIL,
    column("uplift", &["促销系数"], false),
];
static EVENTS: [Column; 5] = [
    column("name", &["event", "活动", "名称"], true),
    WAREHOUSE,
    FROM,
    UNTIL,
    column("multiplier", &["系数"], true),
];
static BULK: [Column; 4] = [
    WAREHOUSE,
    SKU,
    column("date", &["day", "日期"], true),
    column("units", &["qty", "数量"], true),
];
static TRAITS: [Column; 4] = [
    SKU,
    column("category", &["类目", "品类"], false),
    column("brand", &["品牌"], false),
    column("margin", &["毛利"], false),
];
static STOCK_DAYS: [Column; 4] = [
    WAREHOUSE,
    SKU,
    column("date", &["day", "日期"], true),
    column("closing", &["available", "stock", "库存", "可售"], true),
];

pub fn of(file: &str) -> &'static [Column] {
    match file {
        "bundles.csv" => &BUNDLES,
        "velocity.csv" => &VELOCITY,
        "overrides.csv" => &OVERRIDES,
        "promotions.csv" => &PROMOTIONS,
        "events.csv" => &EVENTS,
        "bulk.csv" => &BULK,
        "traits.csv" => &TRAITS,
        _ => &STOCK_DAYS,
    }
}
