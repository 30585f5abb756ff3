//! The columns of every file, and the other names they go by.

use super::cells::{Column, MODE_NAMES, SKU_NAMES, WAREHOUSE_NAMES, column};

const SKU: Column = column("sku", SKU_NAMES, true);
const WAREHOUSE: Column = column("warehouse", WAREHOUSE_NAMES, false);
const MODE: Column = column("mode", MODE_NAMES, false);
const SHIPPED_ON: Column = column(
    "shipped_on",
    &["shipped", "shipdate", "发货日", "发货日期"],
    false,
);

static ITEMS: [Column; 14] = [
    SKU,
    column("name_zh", &["名称", "品名", "中文名"], false),
    column("name_en", &["name", "title", "description", "英文名"], false),
    column(
        "carton_units",
        &[
            "carton",
            "cartonsize",
            "unitspercarton",
            "casepack",
            "箱规",
            "装箱数",
        ],
        false,
    ),
    column("moq", &["minimumorder", "minorderqty", "起订量"], false),
    column("unit_cost", &["cost", "采购价", "成本"], false),
    column("cost_currency", &["currency", "币种"], false),
    column("status", &["状态"], false),
    column("active", &["在售"], false),
    column("service_level", &["service", "服务水平"], false),
    column(
        "production_p50",
        &["production", "productiondays", "生产天数"],
        false,
    ),
    column("production_p90", &[], false),
    column("warehouse", &[], false),
    column("owner", &[], false),
];
static WAREHOUSES: [Column; 8] = [
    column("code", &["warehouse", "warehousecode", "仓库", "仓库代码"], true),
    column("mode", &["运输方式"], false),
    column(
        "lead_p50",
        &["lead", "leaddays", "leadtime", "leadtimedays", "时效", "交期"],
        false,
    ),
    column("lead_p90", &[], false),
    column("putaway_p50", &["putaway", "putawaydays", "上架天数"], false),
    column("putaway_p90", &[], false),
    column("name", &["名称"], false),
    column("country", &["国家"], false),
];
static LANES: [Column; 11] = [
    WAREHOUSE,
    MODE,
    column("forwarder", &["货代"], false),
    column("service", &["渠道"], false),
    column("production_p50", &["production"], false),
    column("production_p90", &[], false),
    column("transit_p50", &["transit", "lead", "leaddays", "运输天数"], false),
    column("transit_p90", &[], false),
    column("putaway_p50", &["putaway"], false),
    column("putaway_p90", &[], false),
    column("priority", &["优先级"], false),
];
static SALES: [Column; 5] = [
    WAREHOUSE,
    SKU,
    column("date", &["day", "salesday", "日期"], true),
    column(
        "units",
        &[
            "qty",
            "quantity",
            "sales",
            "unitssold",
            "unitsordered",
            "销量",
            "销售量",
            "销售数量",
            "数量",
        ],
        true,
    ),
    column("in_stock", &["instock", "available", "有货", "在库"], false),
];
static STOCK: [Column; 5] = [
    WAREHOUSE,
    SKU,
    column(
        "available",
        &[
            "onhand", "stock", "sellable", "units", "qty", "可用", "可售", "库存",
        ],
        true,
    ),
    column("pending_putaway", &["pending", "receiving", "待上架"], false),
    column("transfer", &["fctransfer", "调拨中"], false),
];
static INBOUND: [Column; 8] = [
    column(
        "reference",
        &["shipment", "orderno", "inboundno", "单号", "备货单号"],
        false,
    ),
    WAREHOUSE,
    SKU,
    column("units", &["qty", "quantity", "数量"], true),
    SHIPPED_ON,
    column(
        "eta",
        &["arrives", "arrival", "expected", "预计到货", "预计到达"],
        false,
    ),
    MODE,
    column("known", &[], false),
];
static RECEIPTS: [Column; 6] = [
    WAREHOUSE,
    MODE,
    column("ordered_on", &["ordered", "orderdate", "下单日期"], false),
    column("shipped_on", &["shipped", "shipdate", "发货日", "发货日期"], true),
    column(
        "received_on",
        &["received", "receivedate", "arrivedon", "收货日期", "签收日期"],
        true,
    ),
    column("sellable_on", &["putawayon", "上架日期"], false),
];

static STOCK_HISTORY: [Column; 4] = [
    WAREHOUSE,
    SKU,
    column("date", &["day", "日期"], true),
    column(
        "available",
        &[
            "onhand", "stock", "sellable", "units", "qty", "可用", "可售", "库存",
        ],
        true,
    ),
];
static RATES: [Column; 5] = [
    WAREHOUSE,
    column("sku", &["msku", "货号"], false),
    column("storage_unit_day", &["storage", "仓储费"], false),
    column("freight_unit", &["freight", "头程运费"], false),
    column("currency", &["币种"], true),
];

/// The columns of a file.
#[must_use]
pub fn of(file: &str) -> &'static [Column] {
    match file {
        "items.csv" => &ITEMS,
        "warehouses.csv" => &WAREHOUSES,
        "lanes.csv" => &LANES,
        "sales.csv" => &SALES,
        "stock.csv" => &STOCK,
        "inbound.csv" => &INBOUND,
        "receipts.csv" => &RECEIPTS,
        "stock_history.csv" => &STOCK_HISTORY,
        "rates.csv" => &RATES,
        _ => &[],
    }
}
