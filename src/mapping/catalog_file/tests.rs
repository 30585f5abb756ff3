use chrono_tz::Tz;

use super::*;
use crate::mapping::table::{Limits, read};

fn table(text: &str) -> Table {
    read("items.csv", text.as_bytes(), &Limits::default()).unwrap()
}

fn shown(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

const HEAD: &str = "sku,name_zh,unit_net_g,unit_gross_g,carton_units,carton_length_mm,carton_width_mm,carton_height_mm,carton_gross_g,hs_cn,declared_value,declared_currency,battery,status\n";

#[test]
fn r1_all_faults_of_a_row_are_told_at_once_and_good_rows_load() {
    let parsed = parse_items(&table(&format!(
        "{HEAD}GOOD,杯子,200,220,10,400,300,0300,2500,6911101900,1.5,usd,否,active\n\
         HEAVY,,300,,10,400,300,300,2500,6911101900,,,,\n\
         BAD,x,-5,abc,0,0,300,,2500,69111019,1.5,,maybe,gone\n\
         GOOD,again,,,,,,,,,,,,\n\
         ,no name,0,,,,,,,,,,,\n"
    )));
    assert_eq!(
        parsed.values().map(|item| item.sku.as_str()).collect::<Vec<_>>(),
        ["GOOD"]
    );
    insta::assert_snapshot!(shown(&parsed.problems), @r#"
    items.csv, line 3, `unit_net_g`: found `300`, wanted at most 250: carton_gross_g 2500 ÷ carton_units 10
    items.csv, line 4, `unit_net_g`: found `-5`, wanted a whole number above 0
    items.csv, line 4, `unit_gross_g`: found `abc`, wanted a whole number
    items.csv, line 4, `carton_units`: found `0`, wanted a whole number above 0
    items.csv, line 4, `carton_length_mm`: found `0`, wanted millimetres above 0
    items.csv, line 4, `carton_height_mm`: found ``, wanted the third side too: three sides or none
    items.csv, line 4, `hs_cn`: found `69111019`, wanted 10 digits
    items.csv, line 4, `declared_currency`: found ``, wanted the currency of `declared_value`, like CNY
    items.csv, line 4, `battery`: found `maybe`, wanted yes or no (是 or 否)
    items.csv, line 4, `status`: found `gone`, wanted active, paused or ended (在售, 暂停, 停售)
    items.csv, line 5, `sku`: found `GOOD`, wanted one row each, the first is at line 2
    items.csv, line 6, `sku`: found ``, wanted a value here (SKU is empty)
    items.csv, line 6, `unit_net_g`: found `0`, wanted a whole number above 0
    "#);
}

#[test]
fn r1_gbk_and_full_width_digits_are_read_as_what_they_say() {
    let text = "ＳＫＵ,name_zh,装箱数,carton_gross_g\nＡ１２,陶瓷杯,１２,１，２００\n";
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    let table = read("items.csv", &gbk, &Limits::default()).unwrap();
    let parsed = parse_items(&table);
    assert_eq!(shown(&parsed.problems), "");
    let item = parsed.values().next().unwrap();
    assert_eq!((item.sku.as_str(), item.name_zh.as_str()), ("A12", "陶瓷杯"));
    assert_eq!((item.carton_units, item.carton_gross_g), (Some(12), Some(1200)));
}

#[test]
fn r1_an_incomplete_item_loads_and_names_what_booking_lacks() {
    let parsed = parse_items(&table("sku,name_zh,unit_net_g,battery\nA1,杯,200,no\n"));
    let item = parsed.values().next().unwrap();
    assert_eq!(
        item.missing(),
        [
            "carton_units",
            "carton_length_mm",
            "carton_width_mm",
            "carton_height_mm",
            "carton_gross_g",
            "customs_name_zh",
            "customs_name_en",
            "hs_cn",
            "hs_destination",
            "material_zh",
            "material_en",
            "usage_zh",
            "usage_en",
            "brand",
            "origin",
            "declared_value",
            "magnet",
            "liquid",
            "powder",
        ]
    );
    assert_eq!(item.goods("W", "").unwrap_err(), item.missing());
}

#[test]
fn the_yuan_has_one_code_however_it_is_written() {
    let parsed = parse_items(&table(
        "sku,unit_cost,cost_currency\nA1,12.50,RMB\nA2,12.5,人民币\nA3,12.5,cny\nA4,12.5,yuan\n",
    ));
    let costs: Vec<String> = parsed
        .values()
        .filter_map(|item| Some(item.unit_cost?.to_string()))
        .collect();
    assert_eq!(costs, ["12.50 CNY"; 3]);
    assert_eq!(parsed.problems[0].field, "cost_currency");
}

#[test]
fn codes_name_the_kind_that_was_meant() {
    let parsed = parse_codes(&table(
        "system,kind,code,sku,multiple,valid_from,valid_to\n\
         goodcang-uk,warehouse_sku,G-1,A1,3,,\n\
         goodcang-uk,warehousesku,G-2,A1,0,2026-05-01,2026-04-01\n\
         goodcang-uk,warehouse_sku,G-3,A1,0,2026-05-01,2026-04-01\n\
         goodcang-uk,warehouse_sku,G-1,A1,4,,\n",
    ));
    assert_eq!(parsed.rows.len(), 1);
    assert_eq!(parsed.rows[0].value.multiple, 3);
    insta::assert_snapshot!(shown(&parsed.problems), @r#"
    items.csv, line 3, `kind`: found `warehousesku`, wanted one of msku, fnsku, asin, warehouse_sku, barcode, perhaps warehouse_sku
    items.csv, line 4, `multiple`: found `0`, wanted a whole number above 0
    items.csv, line 4, `valid_to`: found `2026-04-01`, wanted not before valid_from, which is 2026-05-01
    items.csv, line 5, `code`: found `goodcang-uk warehouse_sku G-1 A1`, wanted one row each, the first is at line 2
    "#);
}

#[test]
fn r6_warehouses_need_their_provider_and_their_zone() {
    let parsed = parse_warehouses(&table(
        "code,country,zone,storage_free_days,clock_start\n\
         goodcang:UKMA,gb,Europe/London,30,putaway\n\
         USEA,USA,America/New_Yrok,-1,door\n",
    ));
    assert_eq!(parsed.rows[0].value.zone, Tz::Europe__London);
    insta::assert_snapshot!(shown(&parsed.problems), @r#"
    items.csv, line 3, `code`: found `USEA`, wanted a code with its provider, like goodcang:UKMA
    items.csv, line 3, `country`: found `USA`, wanted a country as two capital letters, like GB
    items.csv, line 3, `zone`: found `America/New_Yrok`, wanted a time zone like Europe/London, perhaps America/New_York
    items.csv, line 3, `storage_free_days`: found `-1`, wanted 0 or more days
    items.csv, line 3, `clock_start`: found `door`, wanted arrival, receipt or putaway
    "#);
}

#[test]
fn lanes_want_ordered_percentiles() {
    let parsed = parse_lanes(&table(
        "warehouse,mode,forwarder,transit_p50,transit_p90,production_p50,production_p90,cost_per_kg\n\
         goodcang:UKMA,sea,huatuo,35,50,15,20,\n\
         goodcang:UKMA,air,huatuo,9,8,-1,,12.5\n\
         goodcang:UKMA,boat,,1,2,,,\n",
    ));
    assert_eq!(parsed.rows.len(), 1);
    insta::assert_snapshot!(shown(&parsed.problems), @r#"
    items.csv, line 3, `production_p50`: found `-1`, wanted 0 or more days
    items.csv, line 3, `production_p90`: found ``, wanted both percentiles or none
    items.csv, line 3, `transit_p90`: found `8`, wanted at least transit_p50, which is 9
    items.csv, line 3, `cost_currency`: found ``, wanted the currency of `cost_per_kg`, like CNY
    items.csv, line 4, `mode`: found `boat`, wanted one of sea, rail, truck, air, express
    items.csv, line 4, `forwarder`: found ``, wanted a value here (forwarder is empty)
    "#);
}
