//! Formulas that spill (dynamic arrays), as rust_xlsxwriter writes them: they follow, are copied and stay what they are, or the
//! document is refused.

use linkstar::mapping::xlsx::{At, Want, insert_rows, write_cells};
use rust_xlsxwriter::Workbook;

use super::super::judge::{self, parts};
use super::super::templates::file;
use super::{MAPPING, SHEET, filled_with, refused, text};

/// The form of three prepared rows: its value column is an array formula in each row, and below the sum a list spills.
fn form() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Data").expect("a workbook is written");
    for (row, column, words) in [
        (0, 0, "Order"),
        (1, 0, "Date"),
        (4, 0, "SKU"),
        (4, 1, "Qty"),
        (4, 2, "Price"),
        (4, 3, "Value"),
        (8, 0, "Total"),
    ] {
        sheet.write(row, column, words).expect("a workbook is written");
    }
    let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    sheet.write_blank(1, 1, &date).expect("a workbook is written");
    for row in 5..8_u32 {
        let plain = rust_xlsxwriter::Format::new().set_num_format("0.00");
        for column in 0..3 {
            sheet
                .write_blank(row, column, &plain)
                .expect("a workbook is written");
        }
        let no = row + 1;
        let formula = format!("=SUM(IF(B{no}:C{no}>0,B{no}*C{no},0))/2");
        sheet
            .write_dynamic_formula(row, 3, formula.as_str())
            .expect("a workbook is written");
    }
    sheet
        .write_formula(8, 3, "=SUM(D6:D8)")
        .expect("a workbook is written");
    sheet
        .write_dynamic_array_formula(11, 5, 13, 5, "=D6:D8*2")
        .expect("a workbook is written");
    sheet
        .write_dynamic_formula(11, 7, "=SUM(ANCHORARRAY(F12))")
        .expect("a workbook is written");
    sheet
        .write_formula(11, 8, "=SUM(F12:F14)")
        .expect("a workbook is written");
    book.save_to_buffer().expect("a workbook is written")
}

fn cell<'x>(sheet: &'x str, at: &str) -> &'x str {
    let from = sheet
        .find(&format!("<c r=\"{at}\""))
        .expect("the cell is on the sheet");
    let cell = &sheet[from..];
    let end = cell.find("</c>").map_or(usize::MAX, |end| end + 4);
    let empty = cell.find("/>").map_or(usize::MAX, |end| end + 2);
    // An empty cell ends at its own tag.
    match cell.find('>') {
        Some(tag) if tag + 1 == empty => &cell[..empty],
        _ => &cell[..end],
    }
}

#[test]
fn r36_a_spilling_formula_follows_inserted_rows_and_each_new_row_has_its_own() {
    let before = form();
    let paper = filled_with(MAPPING, &before).expect("filled");
    let sheet = text(&paper.bytes, SHEET);
    // The fourth line's row is new: its formula is the row's, and spills as its neighbours' do.
    assert_eq!(
        cell(&sheet, "D9").replace(" s=\"1\"", ""),
        "<c r=\"D9\" cm=\"1\"><f t=\"array\" ref=\"D9\">SUM(IF(B9:C9&gt;0,B9*C9,0))/2</f></c>"
    );
    assert!(
        cell(&sheet, "F13").contains("cm=\"1\"><f t=\"array\" ref=\"F13:F15\">D6:D9*2</f>"),
        "{sheet}"
    );
    assert!(
        cell(&sheet, "H13").contains("SUM(_xlfn.ANCHORARRAY(F13))"),
        "{sheet}"
    );
    assert!(cell(&sheet, "I13").contains("<f>SUM(F13:F15)</f>"), "{sheet}");
    // Old results are gone, also from the cells that the list spilt into.
    for at in ["F13", "F14", "F15", "H13"] {
        assert!(!cell(&sheet, at).contains("<v>"), "{}", cell(&sheet, at));
    }
    assert_eq!(
        sheet.matches("cm=\"1\"").count(),
        text(&before, SHEET).matches("cm=\"1\"").count() + 1
    );
    assert_eq!(
        parts(&paper.bytes)["xl/metadata.xml"],
        parts(&before)["xl/metadata.xml"]
    );
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), &paper.bytes);
    if let Some(cells) = judge::openpyxl(&path, false) {
        assert_eq!(cells["Data!A9"], "84879");
    }
    let Some(saved) = judge::libreoffice(&path, folder.path()) else {
        return;
    };
    if let Some(cells) = judge::openpyxl(&saved, true) {
        let number = |at: &str| -> f64 { cells[&format!("Data!{at}")].parse().expect("a number") };
        let value = |row: u32| number(&format!("B{row}")) * number(&format!("C{row}"));
        for row in 6..=9 {
            assert!(
                (number(&format!("D{row}")) - value(row)).abs() < 1e-6,
                "row {row}: {cells:#?}"
            );
        }
        assert!((number("D10") - (6..=9).map(value).sum::<f64>()).abs() < 1e-6);
        assert!((number("F13") - 2.0 * value(6)).abs() < 1e-6);
    }
}

#[test]
fn r36_a_value_where_a_formula_spills_and_rows_through_it_are_refused_by_name() {
    let form = form();
    let into = At { row: 13, column: 6 };
    let error = write_cells(&form, "Data", &[(into, Want::Number(1.into()))])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("cell F13") && error.contains("the spilling formula in F12:F14"),
        "{error}"
    );
    let beside = At { row: 13, column: 7 };
    assert!(write_cells(&form, "Data", &[(beside, Want::Number(1.into()))]).is_ok());
    let error = insert_rows(&form, "Data", 13, 1).unwrap_err().to_string();
    assert!(error.contains("the spilling formula in F12:F14"), "{error}");
    let mapping = MAPPING.replace("at = \"B2\", label = \"Date\"", "at = \"F13\"");
    let error = refused(filled_with(&mapping, &form));
    assert!(error.contains("the spilling formula in F12:F14"), "{error}");
}

#[test]
fn r36_an_array_of_fixed_cells_that_ends_with_the_prepared_rows_is_refused_when_there_are_more() {
    let fixed = {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.set_name("Data").unwrap();
        for (row, column, words) in [
            (0, 0, "Order"),
            (1, 0, "Date"),
            (4, 0, "SKU"),
            (4, 1, "Qty"),
            (4, 2, "Price"),
            (8, 0, "Total"),
        ] {
            sheet.write(row, column, words).unwrap();
        }
        let plain = rust_xlsxwriter::Format::new().set_num_format("0.00");
        for row in 5..8_u32 {
            sheet.write_blank(row, 0, &plain).unwrap();
        }
        sheet.write_array_formula(5, 3, 7, 3, "{=B6:B8*C6:C8}").unwrap();
        book.save_to_buffer().unwrap()
    };
    let error = refused(filled_with(MAPPING, &fixed));
    assert!(
        error.contains("the array formula in D6:D8 ends with the prepared rows and cannot grow"),
        "{error}"
    );
}
