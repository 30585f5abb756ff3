//! The rows of a table: what the forwarder prepared, what an order needs, and how the difference is made.

use super::super::address::{At, MAX_ROW};
use super::super::formula::{Growth, Insertion};
use super::super::part::{NewRows, SheetPart};
use super::{Overflow, SheetSpec, TableSpec};
use crate::mapping::value::{Scope, scopes};
use crate::problem::Problem;

/// The rows of a table on the sheet as the forwarder made it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Last prepared row; one before the first when there is none.
    pub last: u32,
    /// First content below: further rows are inserted above it.
    pub below: Option<At>,
}

/// Prepared rows follow each other without a hole, hold nothing in our columns, and in other columns only what the
/// first element's rows hold too (rows are often prefilled there). Anything else is content below the table.
pub(super) fn room(table: &TableSpec, part: &SheetPart<'_>) -> Room {
    let of = table.rows_per_item;
    let samples = table.first_row.saturating_add(table.sample_rows);
    let limit = table.last_row.unwrap_or(MAX_ROW);
    let mut last = table.first_row.saturating_sub(1);
    // What an array formula of the rows shows in them is prepared as their formulas are.
    let bound = part.bound_areas();
    for row in table.first_row..=part.last_row().min(limit) {
        let line = (row - table.first_row) % of;
        let ours = table.columns.iter().filter(|column| column.row == line + 1);
        let columns: Vec<u32> = ours.map(|column| column.number()).collect();
        let prefilled = part.values_in(table.first_row.saturating_add(line));
        let foreign = |column: &u32| columns.contains(column) || !prefilled.contains(column);
        let formula = columns
            .iter()
            .any(|column| part.has_formula(At { row, column: *column }));
        let shown = |column: &u32| {
            let at = At { row, column: *column };
            bound
                .iter()
                .any(|(area, _)| area.from.row >= table.first_row && area.contains(at))
        };
        let taken = part
            .values_in(row)
            .into_iter()
            .any(|column| foreign(&column) && !shown(&column));
        let free = part.has_row(row) && !formula && !taken;
        if row >= samples && !free {
            break;
        }
        last = row;
    }
    // An element that is prepared in part only is not prepared.
    let prepared = last.saturating_add(1).saturating_sub(table.first_row);
    let last = last.saturating_sub(prepared % of);
    Room {
        last,
        below: part.content_from(last.saturating_add(1)),
    }
}

/// What must happen to a table's rows for an order.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub room: Room,
    /// Last row in use; one before the first when nothing is.
    pub last: u32,
    /// Rows pushed in because something stands below the table.
    pub insertion: Option<Insertion>,
}

impl Rows {
    pub(super) fn of(spec: &SheetSpec, table: &TableSpec, part: &SheetPart<'_>, scope: &Scope<'_>) -> Self {
        let room = room(table, part);
        let items = scopes(&table.each, scope).map_or(0, |all| u32::try_from(all.len()).unwrap_or(MAX_ROW));
        let rows = items.saturating_mul(table.rows_per_item);
        let last = table.first_row.saturating_add(rows).saturating_sub(1);
        let insertion = (last > room.last && room.below.is_some()).then(|| Insertion {
            sheet: spec.name.clone(),
            before: room.last.saturating_add(1),
            count: last - room.last,
        });
        Self {
            room,
            last,
            insertion,
        }
    }

    /// Why the table cannot take the order.
    pub(super) fn refused(&self, file: &str, spec: &SheetSpec, table: &TableSpec) -> Option<Problem> {
        let items = self.last.saturating_add(1).saturating_sub(table.first_row) / table.rows_per_item;
        let place = format!("sheet {}, row {}", spec.name, self.room.last.saturating_add(1));
        if let Some(most) = table.most
            && items > most
        {
            let wanted = format!("at most {most}, as the mapping says");
            return Some(Problem::new(file, place, "rows", items.to_string(), wanted));
        }
        if self.last > MAX_ROW {
            return Some(Problem::new(
                file,
                place,
                "rows",
                items.to_string(),
                format!("at most {MAX_ROW} rows, as Excel has"),
            ));
        }
        let below = self.room.below?;
        if self.insertion.is_some() && table.overflow == Overflow::Refuse {
            let held = self.room.last.saturating_add(1).saturating_sub(table.first_row) / table.rows_per_item;
            let wanted = format!(
                "at most {held} rows: the table ends at row {}, and cell {below} below it is used",
                self.room.last
            );
            return Some(Problem::new(file, place, "rows", items.to_string(), wanted));
        }
        None
    }

    /// The rows to be made, and how the table has grown.
    pub(super) fn growth(&self, spec: &SheetSpec, table: &TableSpec) -> Option<(NewRows, Growth)> {
        if self.last <= self.room.last {
            return None;
        }
        let prepared = self
            .room
            .last
            .saturating_add(1)
            .saturating_sub(table.rows_per_item);
        let model = table.style_row.unwrap_or(prepared).max(1);
        let new = NewRows {
            model,
            of: table.rows_per_item,
            from: self.room.last.saturating_add(1),
            to: self.last,
            head: table.header_row,
            whole: true,
        };
        let growth = Growth {
            sheet: spec.name.clone(),
            first: table.first_row,
            last: self.room.last,
            now: self.last,
        };
        Some((new, growth))
    }

    /// Where a place of the workbook stands now.
    pub(super) fn moved(&self, at: At) -> At {
        match &self.insertion {
            Some(insertion) => insertion.at(at).unwrap_or(at),
            None => at,
        }
    }
}
