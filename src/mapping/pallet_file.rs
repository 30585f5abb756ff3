//! How cartons were put on pallets, as the warehouse writes it.

use std::collections::BTreeMap;

use super::packing_file::whole;
use super::table::{self, Column, Limits, Row, int_from};
use super::xlsx::carton_ranges;
use crate::order::{Carton, Pallet};
use crate::problem::Problem;
use crate::quantity::{Dims, kilograms};

const PALLETS: [Column; 7] = [
    Column::required("pallet").or(&["托盘号", "托盘", "pallet no"]),
    Column::required("cartons").or(&["箱号", "carton nos", "carton numbers"]),
    Column::required("gross_kg").or(&["毛重", "毛重kg"]),
    Column::required("length_cm").or(&["长", "长cm"]),
    Column::required("width_cm").or(&["宽", "宽cm"]),
    Column::required("height_cm").or(&["高", "高cm"]),
    Column::optional("sscc"),
];

/// More than a ship's hold of them; a figure beyond is a slip.
const MOST_PALLETS: u32 = 10_000;

/// The pallets of the cartons as they stand: one row each.
///
/// # Errors
/// Everything that is wrong with the list or does not agree with the cartons, at once.
pub fn read_pallets(name: &str, bytes: &[u8], cartons: &[Carton]) -> Result<Vec<Pallet>, Vec<Problem>> {
    let table = table::read(name, bytes, &Limits::default()).map_err(|problem| vec![problem])?;
    let columns = table.columns(&PALLETS)?;
    let mut problems = Vec::new();
    let mut pallets: BTreeMap<u32, Pallet> = BTreeMap::new();
    let mut stands_on: BTreeMap<u32, u32> = BTreeMap::new();
    for mut row in columns.rows() {
        if let Some(pallet) = read_row(&mut row, cartons) {
            for carton in &pallet.cartons {
                if let Some(other) = stands_on.insert(*carton, pallet.no) {
                    row.refuse(
                        "cartons",
                        format!("carton {carton} on one pallet; it stands on pallet {other} already"),
                    );
                }
            }
            if pallets.contains_key(&pallet.no) {
                row.refuse("pallet", "one row each");
            }
            pallets.insert(pallet.no, pallet);
        }
        problems.extend(row.into_problems());
    }
    let holes: Vec<u32> = match pallets.keys().next_back() {
        Some(last) => (1..=*last).filter(|no| !pallets.contains_key(no)).collect(),
        None => Vec::new(),
    };
    if !holes.is_empty() && problems.is_empty() {
        let found = carton_ranges::shown(&holes);
        problems.push(Problem::new(
            name,
            "",
            "pallet",
            found,
            "pallet numbers from 1 without holes",
        ));
    }
    let left: Vec<u32> = cartons
        .iter()
        .map(|carton| carton.no)
        .filter(|no| !stands_on.contains_key(no))
        .collect();
    if !left.is_empty() && problems.is_empty() {
        let found = carton_ranges::shown(&left);
        problems.push(Problem::new(
            name,
            "",
            "cartons",
            found,
            "every carton on a pallet",
        ));
    }
    if problems.is_empty() {
        Ok(pallets.into_values().collect())
    } else {
        Err(problems)
    }
}

fn read_row(row: &mut Row<'_>, cartons: &[Carton]) -> Option<Pallet> {
    let no = row
        .required("pallet", "a pallet's number, 1 and more", int_from)
        .and_then(|no| u32::try_from(no).ok())
        .filter(|no| (1..=MOST_PALLETS).contains(no));
    if no.is_none() && !row.is_refused("pallet") {
        row.refuse("pallet", format!("a pallet's number from 1 to {MOST_PALLETS}"));
    }
    let numbers = match carton_ranges::parse(row.cell("cartons")) {
        Ok(numbers) if !numbers.is_empty() => numbers,
        Ok(_) => {
            row.refuse("cartons", "carton numbers like 1-10,12");
            return None;
        }
        Err(error) => {
            row.refuse("cartons", format!("carton numbers like 1-10,12 ({error})"));
            return None;
        }
    };
    let of = |number: &u32| cartons.iter().find(|carton| carton.no == *number);
    let unknown: Vec<u32> = numbers
        .iter()
        .copied()
        .filter(|number| of(number).is_none())
        .collect();
    if !unknown.is_empty() {
        let unknown = carton_ranges::shown(&unknown);
        row.refuse(
            "cartons",
            format!("cartons of the order; it has no carton {unknown}"),
        );
    }
    let inside: i64 = numbers.iter().filter_map(of).map(|carton| carton.gross_g).sum();
    let gross_g = above_zero(row, "gross_kg", 1_000, "a weight in kg, above 0");
    if let Some(gross) = gross_g.filter(|gross| *gross < inside) {
        let wanted = format!(
            "at least the {} kg of its cartons, not {}",
            kilograms(inside),
            kilograms(gross)
        );
        row.refuse("gross_kg", wanted);
    }
    let sides =
        ["length_cm", "width_cm", "height_cm"].map(|side| above_zero(row, side, 10, "a side in cm, above 0"));
    let sscc = row.code("sscc").unwrap_or_default();
    if !sscc.is_empty()
        && let Err(flaw) = crate::identity::sscc(&sscc)
    {
        row.refuse("sscc", flaw.to_string());
    }
    let ([Some(length_mm), Some(width_mm), Some(height_mm)], Some(gross_g), Some(no)) = (sides, gross_g, no)
    else {
        return None;
    };
    Some(Pallet {
        no,
        sscc,
        cartons: numbers,
        gross_g,
        dims: Dims {
            length_mm,
            width_mm,
            height_mm,
        },
    })
}

/// A figure above 0 in a larger unit as a whole number of the smaller one.
fn above_zero(row: &mut Row<'_>, name: &str, of: i64, wanted: &str) -> Option<i64> {
    let figure = whole(row, name, of).filter(|figure| *figure > 0);
    if figure.is_none() && !row.is_refused(name) {
        row.refuse(name, wanted);
    }
    figure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cartons(count: u32) -> Vec<Carton> {
        (1..=count)
            .map(|no| Carton {
                no,
                mark: format!("X{no}"),
                sscc: String::new(),
                contents: Vec::new(),
                net_g: 9_000,
                gross_g: 10_000,
                dims: Dims {
                    length_mm: 600,
                    width_mm: 400,
                    height_mm: 300,
                },
            })
            .collect()
    }

    #[test]
    fn a_list_as_the_warehouse_writes_it_is_read() {
        let text = "托盘号,箱号,毛重kg,长cm,宽cm,高cm,sscc\n2,4-5,31.5,120,100,85,\n1,\"1-2,3\",42,120,100,165.5,106141411234567897\n";
        let pallets = read_pallets("pallets.csv", text.as_bytes(), &cartons(5)).unwrap();
        let shown: Vec<(u32, &[u32], i64, i64)> = pallets
            .iter()
            .map(|pallet| {
                (
                    pallet.no,
                    pallet.cartons.as_slice(),
                    pallet.gross_g,
                    pallet.dims.height_mm,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [(1, &[1, 2, 3][..], 42_000, 1_655), (2, &[4, 5][..], 31_500, 850)]
        );
        assert_eq!(pallets[0].sscc, "106141411234567897");
    }

    #[test]
    fn everything_that_does_not_agree_is_named_at_once() {
        let text = "pallet,cartons,gross_kg,length_cm,width_cm,height_cm,sscc\n1,1-3,25,120,100,0,\n0,4,12,120,100,80,\n2,3-9,99,120,100,80,123\n";
        let said = |text: &str| -> String {
            let problems = read_pallets("pallets.csv", text.as_bytes(), &cartons(5)).unwrap_err();
            problems
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        };
        insta::assert_snapshot!(said(text), @r"
        pallets.csv, line 2, `gross_kg`: found `25`, wanted at least the 30.000 kg of its cartons, not 25.000
        pallets.csv, line 2, `height_cm`: found `0`, wanted a side in cm, above 0
        pallets.csv, line 3, `pallet`: found `0`, wanted a pallet's number from 1 to 10000
        pallets.csv, line 4, `cartons`: found `3-9`, wanted cartons of the order; it has no carton 6-9
        pallets.csv, line 4, `sscc`: found `123`, wanted 18 digits
        ");
        let holes =
            "pallet,cartons,gross_kg,length_cm,width_cm,height_cm\n1,1-2,25,120,100,90\n3,3,12,120,100,80\n";
        insta::assert_snapshot!(said(holes), @"pallets.csv, `pallet`: found `2`, wanted pallet numbers from 1 without holes");
    }
}
