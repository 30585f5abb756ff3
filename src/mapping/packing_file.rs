//! What the domestic warehouse writes back: how it packed (R30), what it has in stock (R29), and the labels it scanned
//! back (R32).

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::table::{self, Column, Limits, Row, int_from};
use super::xlsx::carton_ranges;
use crate::ids::Sku;
use crate::order::cartons::carton_mark;
use crate::order::{Carton, CartonContent, StockingOrder};
use crate::problem::Problem;
use crate::quantity::Dims;

const PACKING: [Column; 11] = [
    Column::required("carton").or(&["箱号", "carton no", "cartons"]),
    Column::required("sku").or(&["SKU", "商品编码"]),
    Column::required("units").or(&["数量", "单箱数量", "每箱数量", "qty"]),
    Column::optional("gross_kg").or(&["毛重", "毛重kg", "单箱毛重"]),
    Column::optional("net_kg").or(&["净重", "净重kg", "单箱净重"]),
    Column::optional("length_cm").or(&["长", "长cm"]),
    Column::optional("width_cm").or(&["宽", "宽cm"]),
    Column::optional("height_cm").or(&["高", "高cm"]),
    Column::optional("gross_g"),
    Column::optional("net_g"),
    Column::optional("sscc"),
];

/// A carton while its rows are read.
#[derive(Default)]
struct Draft {
    contents: Vec<CartonContent>,
    measured: Option<Measures>,
    place: String,
}

#[derive(Clone)]
struct Measures {
    gross_g: i64,
    net_g: Option<i64>,
    dims: Dims,
    sscc: String,
    place: String,
}

/// The cartons of an order as they were packed: one row for each SKU of a carton, or of cartons packed alike (`1-10,12`).
/// The measures of a carton stand on one of its rows.
///
/// # Errors
/// Everything that is wrong with the list or does not agree with the order, at once.
pub fn read_packing(name: &str, bytes: &[u8], order: &StockingOrder) -> Result<Vec<Carton>, Vec<Problem>> {
    let table = table::read(name, bytes, &Limits::default()).map_err(|problem| vec![problem])?;
    let columns = table.columns(&PACKING)?;
    let mut problems = Vec::new();
    let mut drafts: BTreeMap<u32, Draft> = BTreeMap::new();
    let mut room = MAX_NAMED;
    for mut row in columns.rows() {
        read_row(&mut row, order, &mut drafts, &mut room);
        problems.extend(row.into_problems());
    }
    agree(name, order, &drafts, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(drafts
        .into_iter()
        .filter_map(|(no, draft)| {
            let measured = draft.measured?;
            let net_g = measured.net_g.unwrap_or_else(|| {
                let of = |content: &CartonContent| {
                    order
                        .line(content.line)
                        .map_or(0, |line| line.goods.unit_net_g * content.units)
                };
                draft.contents.iter().map(of).sum()
            });
            Some(Carton {
                no,
                mark: carton_mark(order.number.as_str(), no),
                sscc: measured.sscc,
                contents: draft.contents,
                net_g,
                gross_g: measured.gross_g,
                dims: measured.dims,
            })
        })
        .collect())
}

/// So often a list may name cartons in all: ranges over and over must not keep the machine busy.
const MAX_NAMED: usize = 1_000_000;

fn read_row(row: &mut Row<'_>, order: &StockingOrder, drafts: &mut BTreeMap<u32, Draft>, room: &mut usize) {
    if *room == 0 {
        row.refuse("carton", format!("at most {MAX_NAMED} cartons named in all"));
        return;
    }
    let cartons = match carton_ranges::parse(row.cell("carton")) {
        Ok(cartons) => {
            *room = room.saturating_sub(cartons.len());
            cartons
        }
        Err(error) => {
            row.refuse("carton", format!("carton numbers like 1-10,12 ({error})"));
            Vec::new()
        }
    };
    let sku = row.cell("sku").trim().to_owned();
    let line = order.lines.iter().find(|line| {
        line.goods.sku.as_str().eq_ignore_ascii_case(&sku)
            || line.goods.warehouse_sku.eq_ignore_ascii_case(&sku)
    });
    if line.is_none() {
        let known = order.lines.iter().map(|line| line.goods.sku.as_str());
        let near = crate::problem::nearest(&sku, known)
            .map(|near| format!(", perhaps {near}"))
            .unwrap_or_default();
        row.refuse("sku", format!("a SKU of {}{near}", order.number));
    }
    let units = row
        .required("units", "units in one carton, a whole number above 0", int_from)
        .filter(|units| *units > 0);
    if units.is_none() && !row.is_refused("units") {
        row.refuse("units", "units in one carton, a whole number above 0");
    }
    let measured = measures(row);
    let (Some(line), Some(units)) = (line, units) else {
        return;
    };
    let place = row.row_place();
    for no in cartons {
        let draft = drafts.entry(no).or_default();
        if draft.place.is_empty() {
            draft.place.clone_from(&place);
        }
        if draft.contents.iter().any(|content| content.line == line.no) {
            row.refuse(
                "sku",
                format!("each SKU once a carton: {sku} is in carton {no} already"),
            );
            return;
        }
        draft.contents.push(CartonContent { line: line.no, units });
        match (&measured, &draft.measured) {
            (Some(_), Some(before)) => {
                let wanted = format!(
                    "the measures of carton {no} once, they stand at {}: twice they would count twice",
                    before.place
                );
                row.refuse("gross_kg", wanted);
                return;
            }
            (Some(measured), None) => draft.measured = Some(measured.clone()),
            (None, _) => {}
        }
    }
}

/// Weight and sides of a carton; none on the rows of a mixed carton but one.
fn measures(row: &mut Row<'_>) -> Option<Measures> {
    let grams = |row: &mut Row<'_>, kg: &str, g: &str| -> Option<i64> {
        let exact = row.int(g);
        exact.or_else(|| whole(row, kg, 1_000))
    };
    let given = ["gross_kg", "gross_g", "length_cm", "width_cm", "height_cm"]
        .iter()
        .any(|name| !row.cell(name).is_empty());
    if !given {
        return None;
    }
    let gross_g = grams(row, "gross_kg", "gross_g");
    let net_g = grams(row, "net_kg", "net_g");
    let sides = ["length_cm", "width_cm", "height_cm"].map(|name| {
        let side = whole(row, name, 10);
        if side.is_none_or(|side| side <= 0) && !row.is_refused(name) {
            row.refuse(name, "centimetres above 0, with at most one place");
        }
        side
    });
    if gross_g.is_none_or(|gross| gross <= 0) && !row.is_refused("gross_kg") {
        row.refuse("gross_kg", "kilograms above 0, with at most three places");
    }
    if let (Some(net), Some(gross)) = (net_g, gross_g)
        && (net > gross || net <= 0)
    {
        row.refuse("net_kg", "at most the gross weight, and above 0");
    }
    let sscc = row.code("sscc").unwrap_or_default();
    if !sscc.is_empty() && crate::identity::sscc(&sscc).is_err() {
        row.refuse("sscc", "18 digits with their check digit");
    }
    let ([Some(length_mm), Some(width_mm), Some(height_mm)], Some(gross_g)) = (sides, gross_g) else {
        return None;
    };
    Some(Measures {
        gross_g,
        net_g,
        dims: Dims {
            length_mm,
            width_mm,
            height_mm,
        },
        sscc,
        place: row.row_place(),
    })
}

/// Figures of this size and more are slips; products of two still fit.
const MOST: i64 = 100_000_000;

/// A figure in a larger unit as a whole number of the smaller one.
pub(super) fn whole(row: &mut Row<'_>, name: &str, of: i64) -> Option<i64> {
    let exact = row.decimal(name)?.checked_mul(Decimal::from(of))?;
    let figure = exact.is_integer().then(|| exact.to_i64()).flatten();
    figure.filter(|figure| figure.abs() < MOST)
}

/// The cartons against the order: numbers without holes, measures on each, units as ordered.
fn agree(name: &str, order: &StockingOrder, drafts: &BTreeMap<u32, Draft>, problems: &mut Vec<Problem>) {
    let count = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
    let missing: Vec<u32> = match drafts.keys().next_back() {
        Some(last) => (1..=*last).filter(|no| !drafts.contains_key(no)).collect(),
        None => Vec::new(),
    };
    if !missing.is_empty() {
        let found = carton_ranges::shown(&missing);
        let wanted = format!("carton numbers from 1 without holes; there are {count} cartons");
        problems.push(Problem::new(name, "", "carton", found, wanted));
    }
    let bare: Vec<u32> = drafts
        .iter()
        .filter(|(_, draft)| draft.measured.is_none())
        .map(|(no, _)| *no)
        .collect();
    // Measures that could not be read are told at their row already.
    if !bare.is_empty() && problems.is_empty() {
        let found = carton_ranges::shown(&bare);
        problems.push(Problem::new(
            name,
            "",
            "gross_kg",
            found,
            "weight and sides of every carton",
        ));
    }
    for line in &order.lines {
        let packed: i64 = drafts
            .values()
            .flat_map(|draft| &draft.contents)
            .filter(|content| content.line == line.no)
            .map(|content| content.units)
            .sum();
        if packed != line.units {
            let place = format!("SKU {}", line.goods.sku);
            let wanted = format!("{} as ordered, or a revision of the order first", line.units);
            problems.push(Problem::new(name, place, "units", packed.to_string(), wanted));
        }
    }
}

const STOCK: [Column; 2] = [
    Column::required("sku").or(&["SKU", "商品编码"]),
    Column::required("units").or(&["数量", "库存", "可用库存", "qty"]),
];

/// What the domestic warehouse has.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn read_stock(name: &str, bytes: &[u8]) -> Result<BTreeMap<Sku, i64>, Vec<Problem>> {
    let table = table::read(name, bytes, &Limits::default()).map_err(|problem| vec![problem])?;
    let columns = table.columns(&STOCK)?;
    let mut stock = BTreeMap::new();
    let mut problems = Vec::new();
    for mut row in columns.rows() {
        let sku = row.required("sku", "a SKU", |text| Sku::new(text).ok());
        let units = row.required("units", "a whole number of 0 or more", int_from);
        if units.is_some_and(|units| units < 0) {
            row.refuse("units", "a whole number of 0 or more");
        }
        if let (Some(sku), Some(units), true) = (sku, units, row.problems().is_empty()) {
            // Several places of one warehouse add up.
            *stock.entry(sku).or_insert(0_i64) += units;
        }
        problems.extend(row.into_problems());
    }
    if problems.is_empty() {
        Ok(stock)
    } else {
        Err(problems)
    }
}

/// What scanning the labels back has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanBack {
    pub scanned: usize,
    pub findings: Vec<Problem>,
}

/// Compares scanned codes with the cartons of an order: every carton once, and nothing else. One code a line, or a table
/// with the code in any column. `others` are numbers of other orders, so that their labels are named as such.
///
/// # Errors
/// When it is neither a text nor a table.
pub fn scan_back(
    name: &str,
    bytes: &[u8],
    order: &StockingOrder,
    others: &BTreeSet<String>,
) -> Result<ScanBack, Problem> {
    let table = table::read(name, bytes, &Limits::default())?;
    let mut seen: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut result = ScanBack::default();
    let by_code: BTreeMap<String, u32> = order
        .cartons
        .iter()
        .flat_map(|carton| {
            let sscc = (!carton.sscc.is_empty()).then(|| carton.sscc.clone());
            [Some(carton.mark.clone()), sscc]
                .into_iter()
                .flatten()
                .map(move |code| (code.to_uppercase(), carton.no))
        })
        .collect();
    let unit_codes: BTreeSet<String> = order
        .lines
        .iter()
        .flat_map(|line| [line.goods.sku.to_string(), line.goods.warehouse_sku.clone()])
        .map(|code| code.to_uppercase())
        .collect();
    for (place, row) in table.raw_rows() {
        let codes: Vec<String> = row
            .iter()
            .map(|code| code.trim().to_uppercase())
            .map(|code| code.strip_prefix("(00)").map(str::to_owned).unwrap_or(code))
            .filter(|code| !code.is_empty())
            .collect();
        let Some(first) = codes.first() else { continue };
        if let Some(no) = codes.iter().find_map(|code| by_code.get(code)) {
            result.scanned += 1;
            seen.entry(*no).or_default().push(place);
            continue;
        }
        // The second barcode of a carton mark, or a head row, says nothing of cartons.
        let is_head = place == 1 && !first.chars().any(|c| c.is_ascii_digit());
        if is_head || codes.iter().all(|code| unit_codes.contains(code)) {
            continue;
        }
        let other = others
            .iter()
            .find(|number| codes.iter().any(|code| code.starts_with(&number.to_uppercase())));
        let wanted = match other {
            Some(number) => format!("a label of {}; this one is of order {number}", order.number),
            None => format!("the label of a carton of {}", order.number),
        };
        result.findings.push(Problem::new(
            name,
            table.place(place, None),
            "label",
            first,
            wanted,
        ));
    }
    for carton in &order.cartons {
        match seen.get(&carton.no).map(Vec::as_slice) {
            Some([_]) => {}
            None => result.findings.push(Problem::new(
                name,
                format!("carton {}", carton.no),
                "label",
                "",
                format!("{} scanned once", carton.mark),
            )),
            Some(places) => {
                let lines: Vec<String> = places.iter().map(ToString::to_string).collect();
                result.findings.push(Problem::new(
                    name,
                    format!("carton {}", carton.no),
                    "label",
                    format!("{} times, lines {}", places.len(), lines.join(", ")),
                    format!("{} scanned once: another carton may carry its label", carton.mark),
                ));
            }
        }
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::gate::tests::order;

    fn packed(text: &str) -> Result<Vec<Carton>, String> {
        read_packing("packing.csv", text.as_bytes(), &order("DE", "lamp")).map_err(|problems| {
            let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
            said.join("\n")
        })
    }

    #[test]
    fn r30_actual_packing_is_read_with_ranges_and_sums_to_the_line() {
        let cartons =
            packed("箱号,SKU,数量,毛重,长,宽,高\n1-2,LAMP-1,8,9.25,50,40,30.5\n3,X0001,4,5.1,50,40,30\n")
                .unwrap();
        assert_eq!(cartons.len(), 3);
        assert_eq!(cartons.iter().map(Carton::units).sum::<i64>(), 20);
        let [first, .., last] = cartons.as_slice() else {
            panic!("three")
        };
        assert_eq!(
            (first.gross_g, first.net_g, first.dims.height_mm),
            (9_250, 6_400, 305)
        );
        assert_eq!((last.no, last.mark.as_str()), (3, "BH260907-01U000003"));
    }

    #[test]
    fn r30_holes_overlaps_doubled_measures_and_other_sums_are_refused_at_once() {
        let text = "carton,sku,units,gross_kg,length_cm,width_cm,height_cm\n1-2,LAMP-1,5,9,50,40,30\n2-4,LAMP-1,5,9,50,40,30\n\
                    10-8,LAMP-1,1,9,50,40,30\n6,LAMP-2,1,9,50,40,30\n7,LAMP-1,0,9,50,,30\n";
        insta::assert_snapshot!(packed(text).unwrap_err(), @"
        packing.csv, line 3, `sku`: found `LAMP-1`, wanted each SKU once a carton: LAMP-1 is in carton 2 already
        packing.csv, line 4, `carton`: found `10-8`, wanted carton numbers like 1-10,12 (range `10-8` ends before it begins)
        packing.csv, line 5, `sku`: found `LAMP-2`, wanted a SKU of BH260907-01, perhaps LAMP-1
        packing.csv, line 6, `units`: found `0`, wanted units in one carton, a whole number above 0
        packing.csv, line 6, `width_cm`: found ``, wanted centimetres above 0, with at most one place
        packing.csv, SKU LAMP-1, `units`: found `10`, wanted 20 as ordered, or a revision of the order first
        ");
        let twice = "carton,sku,units,gross_kg,length_cm,width_cm,height_cm\n1,LAMP-1,20,9,50,40,30\n1,LAMP-1,20,9,50,40,30\n";
        insta::assert_snapshot!(packed(twice).unwrap_err(), @"packing.csv, line 3, `sku`: found `LAMP-1`, wanted each SKU once a carton: LAMP-1 is in carton 1 already");
    }

    #[test]
    fn r32_a_scan_without_seven_and_nine_and_with_twelve_twice_has_three_findings() {
        let mut order = order("DE", "lamp");
        let carton = order.cartons[0].clone();
        order.cartons = (1..=12)
            .map(|no| Carton {
                no,
                mark: carton_mark("BH260907-01", no),
                ..carton.clone()
            })
            .collect();
        let mut scans: Vec<String> = vec!["code".to_owned()];
        scans.extend(
            (1..=12)
                .filter(|no| ![7, 9].contains(no))
                .map(|no| carton_mark("BH260907-01", no)),
        );
        scans.push("BH260907-01U000012".to_owned());
        scans.push("X0001".to_owned());
        let none = BTreeSet::new();
        let found = scan_back("scan.txt", scans.join("\n").as_bytes(), &order, &none).unwrap();
        let said: Vec<String> = found.findings.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(said.join("\n"), @"
        scan.txt, carton 7, `label`: found ``, wanted BH260907-01U000007 scanned once
        scan.txt, carton 9, `label`: found ``, wanted BH260907-01U000009 scanned once
        scan.txt, carton 12, `label`: found `2 times, lines 11, 12`, wanted BH260907-01U000012 scanned once: another carton may carry its label
        ");
        scans.extend(["BH260907-01U000007", "BH260907-01U000009", "BH260801-03U000001"].map(str::to_owned));
        scans.remove(11);
        let others = BTreeSet::from(["BH260801-03".to_owned()]);
        let found = scan_back("scan.txt", scans.join("\n").as_bytes(), &order, &others).unwrap();
        let said: Vec<String> = found.findings.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(said.join("\n"), @"scan.txt, line 15, `label`: found `BH260801-03U000001`, wanted a label of BH260907-01; this one is of order BH260801-03");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(text in "(1-3|9|,|;|LAMP-1|\n|carton|sku|units|gross_kg|[0-9.]{1,5}|.){0,60}") {
            let _ = packed(&text);
            let _ = read_stock("s", text.as_bytes());
            let _ = scan_back("s", text.as_bytes(), &order("DE", "lamp"), &BTreeSet::new());
        }
    }
}
