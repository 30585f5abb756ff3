//! The `items` file.

use super::{Parsed, money, parse, refuse_faults, required_id};
use crate::catalog::{Item, Status};
use crate::ids::Sku;
use crate::mapping::table::{Column, Row, Table, half_width};
use crate::order::{Address, BatteryFacts, CustomsFacts, Party};
use crate::quantity::Dims;

const ITEMS: [Column; 57] = [
    Column::required("sku").or(&["商品编码", "SKU编码"]),
    Column::optional("name_zh").or(&["中文品名", "中文名称", "品名"]),
    Column::optional("name_en").or(&["英文品名", "英文名称"]),
    Column::optional("unit_net_g"),
    Column::optional("unit_gross_g"),
    Column::optional("unit_length_mm"),
    Column::optional("unit_width_mm"),
    Column::optional("unit_height_mm"),
    Column::optional("carton_units").or(&["装箱数", "单箱数量", "箱规"]),
    Column::optional("carton_length_mm"),
    Column::optional("carton_width_mm"),
    Column::optional("carton_height_mm"),
    Column::optional("carton_gross_g"),
    Column::optional("customs_name_zh").or(&["中文报关名", "报关中文名"]),
    Column::optional("customs_name_en").or(&["英文报关名", "报关英文名"]),
    Column::optional("hs_cn").or(&["HS编码", "海关编码"]),
    Column::optional("hs_destination").or(&["目的国HS编码"]),
    Column::optional("material_zh").or(&["材质", "中文材质"]),
    Column::optional("material_en").or(&["英文材质"]),
    Column::optional("usage_zh").or(&["用途", "中文用途"]),
    Column::optional("usage_en").or(&["英文用途"]),
    Column::optional("brand").or(&["品牌"]),
    Column::optional("model").or(&["型号"]),
    Column::optional("origin").or(&["原产国"]),
    Column::optional("declared_value").or(&["申报单价", "申报价值"]),
    Column::optional("declared_currency").or(&["申报币种"]),
    Column::optional("unit_cost").or(&["采购单价"]),
    Column::optional("cost_currency").or(&["采购币种"]),
    Column::optional("moq").or(&["最小起订量"]),
    Column::optional("battery").or(&["带电", "是否带电"]),
    Column::optional("magnet").or(&["带磁", "是否带磁"]),
    Column::optional("liquid").or(&["液体", "是否液体"]),
    Column::optional("powder").or(&["粉末", "是否粉末"]),
    Column::optional("sales_url").or(&["销售链接"]),
    Column::optional("owner").or(&["负责人"]),
    Column::optional("status").or(&["状态"]),
    Column::optional("sale_price").or(&["销售单价", "最低售价"]),
    Column::optional("sale_currency").or(&["销售币种"]),
    Column::optional("category").or(&["合规类别"]),
    Column::optional("gtin").or(&["EAN", "UPC"]),
    Column::optional("batch").or(&["批次号"]),
    Column::optional("declared_elements").or(&["申报要素"]),
    Column::optional("unit_code").or(&["申报计量单位"]),
    Column::optional("legal_unit").or(&["法定计量单位", "法定单位"]),
    Column::optional("legal_factor").or(&["法定单位系数"]),
    Column::optional("second_legal_unit").or(&["法定第二计量单位", "法定第二单位"]),
    Column::optional("second_legal_factor").or(&["法定第二单位系数"]),
    Column::optional("source_region").or(&["境内货源地"]),
    Column::optional("levy_mode").or(&["征免方式"]),
    Column::optional("manufacturer").or(&["生产企业", "制造商"]),
    Column::optional("manufacturer_address").or(&["制造商地址"]),
    Column::optional("manufacturer_city"),
    Column::optional("picture"),
    Column::optional("battery_un").or(&["UN编号"]),
    Column::optional("battery_pi").or(&["包装说明"]),
    Column::optional("battery_wh").or(&["瓦时"]),
    Column::optional("battery_charge").or(&["荷电状态"]),
];

/// Reads an `items` file.
#[must_use]
pub fn parse_items(table: &Table) -> Parsed<Item> {
    parse(table, &ITEMS, read_item, |item: &Item| {
        ("sku", item.sku.to_string())
    })
}

/// Every cell is read before anything is given up, so that all faults of the row are known at once.
fn read_item(row: &mut Row<'_>) -> Option<Item> {
    let sku = required_id(row, "sku", Sku::new);
    // A row without a usable SKU is still checked: its other faults are told in the same breath.
    let placeholder = || Sku::new("-").ok();
    let known = sku.is_some();
    let mut item = Item::bare(sku.or_else(placeholder)?);
    item.name_zh = row.text("name_zh");
    item.name_en = row.text("name_en");
    item.unit_net_g = row.int("unit_net_g");
    item.unit_gross_g = row.int("unit_gross_g");
    item.unit = dims(row, ["unit_length_mm", "unit_width_mm", "unit_height_mm"]);
    item.carton_units = row.int("carton_units");
    item.carton = dims(row, ["carton_length_mm", "carton_width_mm", "carton_height_mm"]);
    item.carton_gross_g = row.int("carton_gross_g");
    item.customs_name_zh = row.text("customs_name_zh");
    item.customs_name_en = row.text("customs_name_en");
    item.hs_cn = tariff_code(row.cell("hs_cn"));
    item.hs_destination = tariff_code(row.cell("hs_destination"));
    item.material_zh = row.text("material_zh");
    item.material_en = row.text("material_en");
    item.usage_zh = row.text("usage_zh");
    item.usage_en = row.text("usage_en");
    item.brand = row.text("brand");
    item.model = row.text("model");
    item.origin = row.code("origin").unwrap_or_default().to_uppercase();
    item.declared = money(row, "declared_value", "declared_currency");
    item.unit_cost = money(row, "unit_cost", "cost_currency");
    item.moq = row.int("moq");
    item.battery = row.flag("battery");
    item.magnet = row.flag("magnet");
    item.liquid = row.flag("liquid");
    item.powder = row.flag("powder");
    item.sales_url = row.text("sales_url");
    item.owner = row.text("owner");
    item.status = row
        .parsed(
            "status",
            "active, paused or ended (在售, 暂停, 停售)",
            Status::parse,
        )
        .unwrap_or_default();
    item.price = money(row, "sale_price", "sale_currency");
    item.customs = customs(row);
    refuse_faults(row, item.faults());
    known.then_some(item)
}

/// What customs, admission and carriers ask beyond names and codes.
fn customs(row: &mut Row<'_>) -> CustomsFacts {
    let maker = Party {
        name: row.text("manufacturer"),
        address: Address {
            lines: Some(row.text("manufacturer_address"))
                .filter(|line| !line.is_empty())
                .into_iter()
                .collect(),
            city: row.text("manufacturer_city"),
            country: row.code("origin").unwrap_or_default().to_uppercase(),
            ..Address::default()
        },
        ..Party::default()
    };
    let battery = BatteryFacts {
        un: row.code("battery_un").unwrap_or_default().to_uppercase(),
        packing_instruction: row.code("battery_pi").unwrap_or_default().to_uppercase(),
        watt_hours: row.decimal("battery_wh"),
        charge_percent: row.int("battery_charge"),
    };
    CustomsFacts {
        category: row.code("category").unwrap_or_default().to_lowercase(),
        gtin: row.code("gtin").unwrap_or_default(),
        batch: row.code("batch").unwrap_or_default(),
        declared_elements: row.text("declared_elements"),
        unit_code: row.code("unit_code").unwrap_or_default(),
        legal_unit: row.code("legal_unit").unwrap_or_default(),
        legal_factor: row.decimal("legal_factor"),
        second_legal_unit: row.code("second_legal_unit").unwrap_or_default(),
        second_legal_factor: row.decimal("second_legal_factor"),
        source_region: row.code("source_region").unwrap_or_default(),
        levy_mode: row.code("levy_mode").unwrap_or_default(),
        manufacturer: (!maker.name.is_empty()).then(|| Box::new(maker)),
        picture: row.text("picture"),
        battery: (battery != BatteryFacts::default()).then_some(battery),
    }
}

/// Tariff codes are written with points and blanks for the eye.
fn tariff_code(cell: &str) -> String {
    half_width(cell)
        .chars()
        .filter(|c| !matches!(c, '.' | ' '))
        .collect()
}

/// Three sides, or none: two sides are a fault of the third.
fn dims(row: &mut Row<'_>, names: [&str; 3]) -> Option<Dims> {
    let sides = names.map(|name| row.int(name));
    let given = names.map(|name| !row.cell(name).is_empty());
    if given.contains(&true) {
        for ((name, given), side) in names.into_iter().zip(given).zip(sides) {
            if !given {
                row.refuse(name, "the third side too: three sides or none");
            } else if side.is_some_and(|side| side <= 0) {
                row.refuse(name, "millimetres above 0");
            }
        }
    }
    let [Some(length_mm), Some(width_mm), Some(height_mm)] = sides else {
        return None;
    };
    Some(Dims {
        length_mm,
        width_mm,
        height_mm,
    })
}
