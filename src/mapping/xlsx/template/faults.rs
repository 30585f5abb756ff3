//! What can be wrong with the section before any order: names, columns, and cells that nobody would see.

use super::super::address::{At, column_number};
use super::super::part::SheetPart;
use super::{AcrossSpec, XlsxTemplate};
use crate::mapping::value::{Scope, Template, scopes};
use crate::problem::Problem;

const MAX_ROWS_PER_ITEM: u32 = 50;

fn across_faults(
    file: &str,
    place: &str,
    across: &AcrossSpec,
    shape: &Scope<'_>,
    line: Option<&Scope<'_>>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    if column_number(&across.first_column).is_none() {
        let wanted = "letters such as K";
        problems.push(Problem::new(
            file,
            place,
            "first_column",
            &across.first_column,
            wanted,
        ));
    }
    let inner = match scopes(&across.each, shape) {
        Ok(inner) => inner.into_iter().next(),
        Err(fault) => return vec![fault.problem(file, place)],
    };
    let Some(inner) = inner else { return problems };
    let mut look = |template: &Template, scope: &Scope<'_>| {
        let faults = template.faults(scope).into_iter();
        problems.extend(faults.map(|fault| fault.problem(file, place)));
    };
    for row in &across.rows {
        look(&row.value, &inner);
    }
    let Some(cell) = &across.cell else { return problems };
    if let Some(line) = line {
        look(&cell.same[1], line);
    }
    match scopes(std::slice::from_ref(&cell.each), &inner) {
        Ok(meets) => {
            for meets in meets.iter().take(1) {
                look(&cell.same[0], meets);
                look(&cell.value, meets);
            }
        }
        Err(fault) => problems.push(fault.problem(file, place)),
    }
    if line.is_none() {
        problems.push(Problem::new(
            file,
            place,
            "cell",
            "",
            "a table whose rows it stands in",
        ));
    }
    problems
}

impl XlsxTemplate {
    /// Everything wrong in the section itself.
    pub(super) fn faults(&self, file: &str, shape: &Scope<'_>) -> Vec<Problem> {
        let mut problems = Vec::new();
        for sheet in &self.sheets {
            let place = |what: &str| format!("[xlsx-template] sheet {}, {what}", sheet.name);
            for at in sheet.headers.keys().filter(|at| At::parse(at).is_none()) {
                problems.push(Problem::new(file, place("headers"), "", at, "a cell such as B12"));
            }
            for cell in &sheet.cells {
                let faults = cell.value.faults(shape).into_iter();
                problems
                    .extend(faults.map(|fault| fault.problem(file, &place(&format!("cell {}", cell.at)))));
            }
            if let Some(derived) = &sheet.derived {
                let faults = scopes(&derived.each, shape).err();
                problems.extend(faults.map(|fault| fault.problem(file, &place("derived each"))));
                if derived.first_row == 0 || derived.last_row < derived.first_row {
                    let found = format!("{} to {}", derived.first_row, derived.last_row);
                    problems.push(Problem::new(
                        file,
                        place("derived"),
                        "rows",
                        found,
                        "the first row, then the last",
                    ));
                }
            }
            if let Some(across) = &sheet.across {
                let line = sheet
                    .table
                    .as_ref()
                    .and_then(|table| scopes(&table.each, shape).ok());
                let line = line.and_then(|all| all.into_iter().next());
                problems.extend(across_faults(
                    file,
                    &place("across"),
                    across,
                    shape,
                    line.as_ref(),
                ));
            }
            let Some(table) = &sheet.table else {
                continue;
            };
            if !(1..=MAX_ROWS_PER_ITEM).contains(&table.rows_per_item) {
                let found = table.rows_per_item.to_string();
                let wanted = format!("1 to {MAX_ROWS_PER_ITEM}");
                problems.push(Problem::new(file, place("table"), "rows_per_item", found, wanted));
            }
            let inner = match scopes(&table.each, shape) {
                Ok(inner) => inner.into_iter().next(),
                Err(fault) => {
                    problems.push(fault.problem(file, &place("table each")));
                    None
                }
            };
            if let (Some(inner), Some(name)) = (&inner, &table.row_name) {
                let faults = name.faults(inner).into_iter();
                problems.extend(faults.map(|fault| fault.problem(file, &place("row_name"))));
            }
            for column in &table.columns {
                let place = place(&format!("column {}", column.column));
                if column_number(&column.column).is_none() {
                    problems.push(Problem::new(
                        file,
                        &place,
                        "column",
                        &column.column,
                        "letters such as AB",
                    ));
                }
                if !(1..=table.rows_per_item).contains(&column.row) {
                    let wanted = format!("1 to {}, the rows of an element", table.rows_per_item);
                    problems.push(Problem::new(file, &place, "row", column.row.to_string(), wanted));
                }
                let Some(inner) = &inner else { continue };
                let templates = std::iter::once(&column.value)
                    .chain(&column.when)
                    .chain(&column.merge_by);
                for template in templates {
                    problems.extend(
                        template
                            .faults(inner)
                            .into_iter()
                            .map(|fault| fault.problem(file, &place)),
                    );
                }
            }
            if table.columns.iter().all(|column| column.column != table.key) {
                problems.push(Problem::new(
                    file,
                    place("table"),
                    "key",
                    &table.key,
                    "one of the table's columns",
                ));
            }
            for check in &table.checks {
                let faults = check.total.faults(shape).into_iter();
                problems.extend(faults.map(|fault| fault.problem(file, &place("checks"))));
                let columns = check.sum.split('*').chain(check.by.as_deref());
                for column in columns.filter(|column| column_number(column.trim()).is_none()) {
                    problems.push(Problem::new(
                        file,
                        place("checks"),
                        "sum",
                        column,
                        "columns such as F or E*F",
                    ));
                }
            }
        }
        problems
    }

    /// Cells that nobody would see: covered by a merge, or a formula that would be lost.
    pub(super) fn hidden_targets(&self, bytes: &[u8]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let parts = match self.parts(bytes) {
            Ok(parts) => parts,
            Err(problem) => return vec![problem],
        };
        for sheet in &self.sheets {
            let Some(xml) = parts.get(&sheet.name) else {
                let wanted = "a sheet with cells";
                problems.push(Problem::new(
                    &self.template,
                    &sheet.name,
                    "sheet",
                    "no cells",
                    wanted,
                ));
                continue;
            };
            let part = match SheetPart::parse(&sheet.name, &sheet.name, xml) {
                Ok(part) => part,
                Err(error) => {
                    problems.push(self.unreadable(&error));
                    continue;
                }
            };
            let table = sheet.table.iter().flat_map(|table| {
                table.columns.iter().map(|column| At {
                    row: table.first_row.saturating_add(column.row.saturating_sub(1)),
                    column: column.number(),
                })
            });
            let right = sheet.across.iter().flat_map(|across| {
                across.rows.iter().map(|row| At {
                    row: row.row,
                    column: across.column(0),
                })
            });
            let bound = part.bound_areas();
            for at in sheet.cells.iter().map(|cell| cell.at).chain(table).chain(right) {
                let place = format!("sheet {}, cell {at}", sheet.name);
                if let Some((_, what)) = bound.iter().find(|(area, _)| area.contains(at)) {
                    let wanted = "a cell for a value: a formula shows its results there";
                    problems.push(Problem::new(&self.template, &place, "", what, wanted));
                    continue;
                }
                if let Some(area) = part
                    .merges
                    .iter()
                    .find(|area| area.contains(at) && area.from != at)
                {
                    let found = format!("covered by the merge {area}");
                    problems.push(Problem::new(
                        &self.template,
                        &place,
                        "",
                        found,
                        "a cell that is seen",
                    ));
                }
                let gives_way = sheet
                    .cells
                    .iter()
                    .any(|cell| cell.at == at && cell.replace_formula);
                if part.has_formula(at) && !gives_way {
                    problems.push(Problem::new(
                        &self.template,
                        &place,
                        "",
                        "a formula",
                        "a cell for a value",
                    ));
                }
            }
        }
        problems
    }
}
