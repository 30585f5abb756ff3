//! Columns that go on to the right: one for each carton, beside the rows of the goods.

use super::super::address::{At, MAX_COLUMN, column_letters, column_number};
use super::super::cell::evaluate;
use super::expected::Gather;
use super::room::Rows;
use super::{AcrossSpec, CrossSpec, TableSpec};
use crate::mapping::value::{Fault, Scope, scopes};

impl AcrossSpec {
    pub(super) fn column(&self, no: u32) -> u32 {
        column_number(&self.first_column).unwrap_or(1).saturating_add(no)
    }
}

pub(super) fn across(
    gather: &mut Gather<'_>,
    spec: &AcrossSpec,
    table: Option<&TableSpec>,
    rows: Option<&Rows>,
    items: &[Scope<'_>],
    scope: &Scope<'_>,
) -> Result<(), Fault> {
    let columns = scopes(&spec.each, scope)?;
    let last = spec
        .column(u32::try_from(columns.len()).unwrap_or(MAX_COLUMN))
        .saturating_sub(1);
    if last > MAX_COLUMN {
        return Err(Fault {
            path: "each".to_owned(),
            found: columns.len().to_string(),
            wanted: format!("columns up to {}", column_letters(MAX_COLUMN)),
        });
    }
    for (no, inner) in (0_u32..).zip(&columns) {
        let column = spec.column(no);
        for row in &spec.rows {
            let at = At { row: row.row, column };
            let at = rows.map_or(at, |rows| rows.moved(at));
            let want = evaluate(&row.value, row.kind, row.required, None, inner);
            gather.take(at, "", row.value.source(), want);
        }
        let (Some(cell), Some(table)) = (&spec.cell, table) else {
            continue;
        };
        for (item, line) in (0_u32..).zip(items) {
            let at = At {
                row: table.row_of(item),
                column,
            };
            let meets = meeting(cell, inner, line)?;
            let want = match &meets {
                Some(meets) => evaluate(&cell.value, cell.kind, false, None, meets),
                None => Ok(super::super::cell::Want::Empty),
            };
            gather.take(at, "", cell.value.source(), want);
        }
    }
    Ok(())
}

/// The first element in the column that belongs to the row.
fn meeting<'s>(
    cell: &'s CrossSpec,
    column: &Scope<'s>,
    line: &Scope<'s>,
) -> Result<Option<Scope<'s>>, Fault> {
    let wanted = cell.same[1].fill(line)?;
    for inner in scopes(std::slice::from_ref(&cell.each), column)? {
        if cell.same[0].fill(&inner)? == wanted {
            return Ok(Some(inner));
        }
    }
    Ok(None)
}
