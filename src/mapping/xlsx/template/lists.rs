//! Drop-down lists of the forwarder's workbook: a value that is not in the list would be refused at import.

use super::super::address::Area;
use super::super::book::{Book, Found};
use super::super::part::DropDown;

/// The values of a list: `"是,否"`, `Sheet1!$A$1:$A$44` (also on a hidden sheet), or a name for either.
/// `None` when the list depends on other cells (INDIRECT, OFFSET): that is for Excel to judge.
pub(super) fn values(list: &DropDown, sheet: &str, book: &mut Book) -> Option<Vec<String>> {
    let mut formula = list.formula.trim().trim_start_matches('=').to_owned();
    if let Some(named) = book.defined_name(&formula) {
        formula = named.trim_start_matches('=').to_owned();
    }
    if let Some(inside) = formula.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        return Some(inside.split(',').map(|text| text.trim().to_owned()).collect());
    }
    let (on, area) = match formula.rsplit_once('!') {
        Some((on, area)) => (on.trim_matches('\'').replace("''", "'"), area.to_owned()),
        None => (sheet.to_owned(), formula),
    };
    let area = Area::parse(&area.replace('$', ""))?;
    let grid = book.grid(&on).ok()?;
    let cells = grid.cells.iter().filter(|(at, _)| area.contains(**at));
    Some(
        cells
            .map(|(_, found)| Found::shown(found).trim().to_owned())
            .collect(),
    )
}
