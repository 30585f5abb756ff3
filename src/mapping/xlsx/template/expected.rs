//! Every cell of a sheet with its value: what is written, and what must be read back.

use std::collections::BTreeSet;

use super::super::address::{Area, At, MAX_ROW, column_number};
use super::super::book::Expected;
use super::super::cell::{Want, evaluate};
use super::across::across;
use super::room::Rows;
use super::{ColumnSpec, PictureKind, SheetSpec, TableSpec};
use crate::mapping::value::{Fault, Scope, scopes};
use crate::problem::Problem;

/// A picture's place and the name it is known by.
#[derive(Debug, Clone)]
pub(super) struct PictureAt {
    pub at: At,
    pub key: String,
    pub field: String,
    pub kind: PictureKind,
    pub required: bool,
}

#[derive(Debug, Default)]
pub(super) struct Laid {
    pub expected: Vec<Expected>,
    pub merges: Vec<Area>,
    pub pictures: Vec<PictureAt>,
}

/// Collects values and faults of one sheet.
pub(super) struct Gather<'a> {
    pub file: &'a str,
    pub sheet: &'a str,
    pub laid: Laid,
    pub problems: Vec<Problem>,
    known: BTreeSet<(String, String, String)>,
}

impl Gather<'_> {
    pub(super) fn take(&mut self, at: At, row_name: &str, field: &str, want: Result<Want, Fault>) {
        match want {
            Ok(want) => self.laid.expected.push(Expected {
                at,
                field: field.to_owned(),
                want,
            }),
            Err(fault) => {
                let place = format!("sheet {}, cell {at}{row_name}", self.sheet);
                let field = format!("{field}: {}", fault.path);
                // The same gap of the same goods is named once, not for every carton they are in.
                let seen = (field.clone(), row_name.to_owned(), fault.found.clone());
                if row_name.is_empty() || self.known.insert(seen) {
                    self.problems
                        .push(Problem::new(self.file, place, field, fault.found, fault.wanted));
                }
            }
        }
    }
}

/// `rows` says where the table ends and what was inserted; a sheet without a table has none.
pub(super) fn lay_out(
    file: &str,
    spec: &SheetSpec,
    rows: Option<&Rows>,
    scope: &Scope<'_>,
) -> Result<Laid, Vec<Problem>> {
    let mut gather = Gather {
        file,
        sheet: &spec.name,
        laid: Laid::default(),
        problems: Vec::new(),
        known: BTreeSet::new(),
    };
    for cell in &spec.cells {
        let want = evaluate(&cell.value, cell.kind, cell.required, None, scope);
        let at = rows.map_or(cell.at, |rows| rows.moved(cell.at));
        gather.take(at, "", &cell.field(), want);
    }
    let mut items = Vec::new();
    if let Some(table) = &spec.table {
        items = scopes(&table.each, scope).map_err(|fault| vec![fault.problem(file, &spec.name)])?;
        for (no, inner) in (0_u32..MAX_ROW).zip(&items) {
            item(&mut gather, table, no, inner);
        }
        for column in table.columns.iter().filter(|column| column.merge_by.is_some()) {
            merge(&mut gather, table, column, &items);
        }
    }
    if let Some(spec_across) = &spec.across {
        across(&mut gather, spec_across, spec.table.as_ref(), rows, &items, scope)
            .map_err(|fault| vec![fault.problem(file, &format!("sheet {}, across", spec.name))])?;
    }
    match gather.problems.is_empty() {
        true => Ok(gather.laid),
        false => Err(gather.problems),
    }
}

impl TableSpec {
    /// The first row of an element, counted from 0.
    pub(super) fn row_of(&self, item: u32) -> u32 {
        self.first_row
            .saturating_add(item.saturating_mul(self.rows_per_item))
    }
}

fn item(gather: &mut Gather<'_>, table: &TableSpec, no: u32, inner: &Scope<'_>) {
    let name = table
        .row_name
        .as_ref()
        .and_then(|name| name.fill(inner).ok().flatten());
    let name = name.map_or_else(String::new, |name| format!(" ({name})"));
    for column in &table.columns {
        let at = At {
            row: table.row_of(no).saturating_add(column.row - 1),
            column: column.number(),
        };
        let when = column.when.as_ref();
        let want = evaluate(&column.value, column.kind, column.required, when, inner);
        match (column.picture, want) {
            (Some(kind), Ok(want)) => {
                if let Want::Text(key) = want {
                    gather.laid.pictures.push(PictureAt {
                        at,
                        key,
                        field: column.field(),
                        kind,
                        required: column.required,
                    });
                }
                gather.take(at, &name, &column.field(), Ok(Want::Empty));
            }
            (_, want) => gather.take(at, &name, &column.field(), want),
        }
    }
}

/// Rows that follow each other with the same `merge_by` share one cell: the value stands in the first, and the
/// others must agree with it.
fn merge(gather: &mut Gather<'_>, table: &TableSpec, column: &ColumnSpec, items: &[Scope<'_>]) {
    let Some(by) = &column.merge_by else { return };
    let letters = column_number(&column.column).unwrap_or_default();
    let at = |no: u32, line: u32| At {
        row: table.row_of(no).saturating_add(line),
        column: letters,
    };
    let mut group: Option<(String, u32)> = None;
    let close = |gather: &mut Gather<'_>, first: u32, after: u32| {
        let area = Area {
            from: at(first, column.row - 1),
            to: At {
                row: at(after, 0).row.saturating_sub(1),
                column: letters,
            },
        };
        if after > first + 1 || (table.rows_per_item > 1 && column.row == 1) {
            settle(gather, area, &column.field());
        }
    };
    for (no, inner) in (0_u32..).zip(items) {
        let key = by.fill(inner).ok().flatten().unwrap_or_default();
        match &group {
            Some((known, _)) if *known == key && !key.is_empty() => {}
            _ => {
                if let Some((_, first)) = group.take() {
                    close(gather, first, no);
                }
                group = Some((key, no));
            }
        }
    }
    if let Some((_, first)) = group {
        close(gather, first, u32::try_from(items.len()).unwrap_or(MAX_ROW));
    }
}

/// What covered cells say must be what the merged cell says; then they say nothing.
fn settle(gather: &mut Gather<'_>, area: Area, field: &str) {
    gather
        .laid
        .pictures
        .retain(|picture| !area.contains(picture.at) || picture.at == area.from);
    let first = gather.laid.expected.iter().find(|one| one.at == area.from);
    let first = first.map_or(Want::Empty, |one| one.want.clone());
    let mut differing = None;
    for one in gather.laid.expected.iter_mut() {
        if one.at == area.from || !area.contains(one.at) {
            continue;
        }
        if one.want != Want::Empty && one.want != first {
            differing = Some((one.at, one.want.shown()));
        }
        one.want = Want::Empty;
    }
    if let Some((at, found)) = differing {
        let place = format!("sheet {}, cell {at}", gather.sheet);
        let wanted = format!("{}, as the merged cell {area} says", first.shown());
        gather
            .problems
            .push(Problem::new(gather.file, place, field, found, wanted));
    }
    gather.laid.merges.push(area);
}
