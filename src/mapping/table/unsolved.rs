//! Formulas whose result was never stored: some programs write workbooks so. In place of an empty cell, which would say
//! that there is nothing, the formula itself stands there.

use quick_xml::events::Event;

use super::{Limits, RawRow};
use crate::mapping::xlsx::At;
use crate::mapping::xlsx::package::Package;

/// A formula is shown so far.
const MAX_SHOWN: usize = 200;

/// Writes `=…` into each of the `blank` cells (row and column from 0, sorted) that has a formula. A sheet that
/// cannot be looked at is left as it is: its values were read.
pub(super) fn mark(bytes: &[u8], sheet: &str, blank: &[(u32, u32)], rows: &mut Vec<RawRow>, limits: &Limits) {
    let Ok(mut package) = Package::open(bytes) else {
        return;
    };
    let part = package
        .sheets()
        .ok()
        .and_then(|sheets| sheets.into_iter().find(|(name, _)| name == sheet));
    let Some(text) = part.and_then(|(_, part)| package.text(&part).ok()) else {
        return;
    };
    let mut reader = quick_xml::Reader::from_str(&text);
    let mut at: Option<(u32, u32)> = None;
    let mut formula: Option<String> = None;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) if tag.local_name().as_ref() == "c" => {
                let address = tag.attributes().flatten();
                at = address
                    .into_iter()
                    .find(|attribute| attribute.key.as_ref() == "r")
                    .and_then(|attribute| At::parse(&attribute.value))
                    .and_then(|at| Some((at.row.checked_sub(1)?, at.column.checked_sub(1)?)));
                formula = None;
            }
            Ok(Event::Start(tag) | Event::Empty(tag)) if tag.local_name().as_ref() == "f" => {
                formula = Some(String::new());
            }
            Ok(Event::Text(text)) => {
                if let Some(formula) = &mut formula
                    && formula.is_empty()
                {
                    formula.extend(text.chars().take(MAX_SHOWN));
                }
            }
            Ok(Event::End(tag)) if tag.local_name().as_ref() == "c" => {
                if let (Some(at), Some(formula)) = (at.take(), formula.take())
                    && blank.binary_search(&at).is_ok()
                {
                    put(rows, at, &formula, limits);
                }
            }
            Ok(Event::Eof) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

fn put(rows: &mut Vec<RawRow>, (row, column): (u32, u32), formula: &str, limits: &Limits) {
    let number = super::workbook::sheet_row(row);
    let column = usize::try_from(column).unwrap_or(usize::MAX);
    if column >= limits.columns {
        return;
    }
    let index = match rows.binary_search_by_key(&number, |row| row.number) {
        Ok(index) => index,
        Err(index) if rows.len() < limits.rows => {
            let cells = Vec::new();
            rows.insert(index, RawRow { number, cells });
            index
        }
        Err(_) => return,
    };
    if let Some(row) = rows.get_mut(index) {
        if row.cells.len() <= column {
            row.cells.resize(column + 1, String::new());
        }
        if let Some(cell) = row.cells.get_mut(column).filter(|cell| cell.is_empty()) {
            *cell = format!("={formula}");
        }
    }
}
