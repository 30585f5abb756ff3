//! Workbooks: a forwarder's own filled without loss, and ours written new.

pub mod address;
pub(in crate::mapping) mod book;
pub mod carton_ranges;
pub mod cell;
pub mod draft;
mod edit;
mod formula;
pub mod fresh;
pub mod image;
mod insert;
pub(in crate::mapping) mod package;
mod part;
mod plain;
pub mod template;

use std::collections::BTreeMap;

pub use self::address::At;
pub use self::cell::Want;
use self::package::Package;
use self::part::SheetPart;
use crate::mapping::definition::Mapping;
use crate::mapping::model::{DocumentContext, document_model};
use crate::mapping::value::Scope;
use crate::order::model::StockingOrder;
use crate::problem::Problem;

/// Compares a workbook that a person may have edited with the order it belongs to (R35): every difference with its
/// cell, what stands there and what should. Numbers kept as text and merged cells are tolerated.
#[must_use]
pub fn compare(
    file_name: &str,
    bytes: &[u8],
    mapping: &Mapping,
    order: &StockingOrder,
    context: &DocumentContext,
) -> Vec<Problem> {
    let model = document_model(order, context);
    let scope = Scope::new(&model, &mapping.maps);
    mapping.check(file_name, bytes, &scope, &context.pictures)
}

/// Inserts empty rows before row `before` of a sheet, with the look of the row above, as a spreadsheet program does:
/// formulas and names on every sheet, merges, validations, conditional formats, filters, breaks, print areas,
/// comments, pictures, charts and tables follow. Parts that nothing of this concerns stay as they are, to the byte.
///
/// # Errors
/// When the bytes are no workbook, there is no such sheet, or the rows would split what must stay whole: the area of
/// an array formula, a data table, a pivot table.
pub fn insert_rows(bytes: &[u8], sheet: &str, before: u32, count: u32) -> Result<Vec<u8>, Problem> {
    insert::insert_rows(bytes, sheet, before, count)
        .map_err(|error| error.problem("workbook", sheet, "a workbook"))
}

/// Writes cells into one sheet of a workbook and leaves every other part as it is, to the byte.
///
/// # Errors
/// When the bytes are no workbook, the sheet is not there, or a cell belongs to an array formula.
pub fn write_cells(bytes: &[u8], sheet: &str, cells: &[(At, Want)]) -> Result<Vec<u8>, Problem> {
    let refuse = |error: &dyn std::error::Error| {
        Problem::new("workbook", "", sheet, package::chain(error), "a workbook")
    };
    let mut book = Package::open(bytes).map_err(|error| refuse(&error))?;
    let sheets = book.sheets().map_err(|error| refuse(&error))?;
    let Some((_, part)) = sheets.iter().find(|(name, _)| name == sheet) else {
        let names: Vec<&str> = sheets.iter().map(|(name, _)| name.as_str()).collect();
        return Err(Problem::new(
            "workbook",
            "",
            "sheet",
            sheet,
            format!("one of {}", names.join(", ")),
        ));
    };
    let xml = book.text(part).map_err(|error| refuse(&error))?;
    let mut patched = SheetPart::parse(sheet, part, &xml).map_err(|error| refuse(&error))?;
    patched.days_from_1904 = book.counts_from_1904().map_err(|error| refuse(&error))?;
    let bound = patched.bound_areas();
    for (at, want) in cells {
        if let Some((_, what)) = bound.iter().find(|(area, _)| area.contains(*at)) {
            let wanted = format!("a cell for a value: {what} shows its results there");
            let place = format!("sheet {sheet}, cell {at}");
            return Err(Problem::new("workbook", place, "", want.shown(), wanted));
        }
        patched.set(*at, want, None);
    }
    let changes = BTreeMap::from([(part.clone(), Some(patched.render().into_bytes()))]);
    book.with(&changes).map_err(|error| refuse(&error))
}
