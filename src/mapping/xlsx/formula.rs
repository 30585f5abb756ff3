//! References inside a formula: moved when it is copied, widened when its range grew, shifted when rows were inserted.

mod tokens;

use std::borrow::Cow;

use self::tokens::{CellRef, Now, Reference, rewritten};
use super::address::{Area, At, MAX_COLUMN, MAX_ROW};

/// A copied formula: what is relative moves by as many rows and columns, what has a `$` stays.
pub fn moved(formula: &str, rows: i64, columns: i64) -> String {
    copied(formula, rows, columns, 0)
}

/// As [`moved`], for a further row of a table: what stands above row `head` of the same sheet belongs to the whole
/// table, and stays whether or not somebody wrote the `$`.
pub fn copied(formula: &str, rows: i64, columns: i64, head: u32) -> String {
    let row = |row: u32, fixed: bool| match fixed {
        true => Some(row),
        false => within(i64::from(row) + rows, MAX_ROW),
    };
    let cell = |cell: CellRef| -> Option<CellRef> {
        let column = match cell.column_fixed {
            true => cell.at.column,
            false => within(i64::from(cell.at.column) + columns, MAX_COLUMN)?,
        };
        let row = row(cell.at.row, cell.row_fixed)?;
        Some(CellRef {
            at: At { row, column },
            ..cell
        })
    };
    let change = |sheet: Option<&str>, reference: Reference| {
        let now = match reference {
            Reference::Cell(one) if sheet.is_none() && one.at.row < head => return Now::Same,
            Reference::Cell(one) => cell(one).map(Reference::Cell),
            Reference::Area(from, to) => cell(from)
                .zip(cell(to))
                .map(|(from, to)| Reference::Area(from, to)),
            Reference::Rows(from, to) => row(from.0, from.1)
                .zip(row(to.0, to.1))
                .map(|rows| Reference::Rows((rows.0, from.1), (rows.1, to.1))),
        };
        now.map_or(Now::Lost, Now::Other)
    };
    rewritten(formula, &change).into_owned()
}

fn within(number: i64, most: u32) -> Option<u32> {
    u32::try_from(number)
        .ok()
        .filter(|number| (1..=most).contains(number))
}

/// Sheet names are the same whatever their case.
pub fn same_sheet(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.to_lowercase()
}

/// The table's prepared rows on a sheet, and the last row it has now.
#[derive(Debug, Clone)]
pub struct Growth {
    pub sheet: String,
    pub first: u32,
    pub last: u32,
    pub now: u32,
}

impl Growth {
    /// A range that ended with the table ends with it again.
    pub fn grown(&self, from: u32, to: u32) -> u32 {
        // A further row's own copy of such a range begins below the prepared rows.
        match to == self.last && (self.first..=self.now).contains(&from) {
            true => self.now,
            false => to,
        }
    }

    /// Widens ranges over the table in a formula that stands on sheet `on`.
    pub fn widened<'f>(&self, formula: &'f str, on: &str) -> Cow<'f, str> {
        let change = |sheet: Option<&str>, reference: Reference| match reference {
            // Several columns of one row, none of them fixed: what the last row reckons of itself.
            Reference::Area(from, to)
                if from.at.row == to.at.row
                    && from.at.column != to.at.column
                    && !from.row_fixed
                    && !to.row_fixed =>
            {
                Now::Same
            }
            Reference::Area(from, to) if same_sheet(sheet.unwrap_or(on), &self.sheet) => {
                let row = self.grown(from.at.row, to.at.row);
                match row == to.at.row {
                    true => Now::Same,
                    false => Now::Other(Reference::Area(
                        from,
                        CellRef {
                            at: At { row, ..to.at },
                            ..to
                        },
                    )),
                }
            }
            _ => Now::Same,
        };
        rewritten(formula, &change)
    }
}

/// Whole rows pushed in before row `before` of a sheet: everything from there on moves down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insertion {
    pub sheet: String,
    pub before: u32,
    pub count: u32,
}

impl Insertion {
    /// Where a row stands now; `None` when it fell off the sheet.
    pub fn row(&self, row: u32) -> Option<u32> {
        match row >= self.before {
            true => row.checked_add(self.count).filter(|row| *row <= MAX_ROW),
            false => Some(row),
        }
    }

    /// The last row of a range: one that reached the end of the sheet still does.
    fn end(&self, row: u32) -> u32 {
        self.row(row).unwrap_or(MAX_ROW)
    }

    pub fn at(&self, at: At) -> Option<At> {
        Some(At {
            row: self.row(at.row)?,
            ..at
        })
    }

    pub fn area(&self, area: Area) -> Option<Area> {
        Some(Area {
            from: self.at(area.from)?,
            to: At {
                row: self.end(area.to.row),
                ..area.to
            },
        })
    }

    /// Whether the new rows stand inside an area.
    pub fn splits(&self, area: Area) -> bool {
        area.from.row < self.before && self.before <= area.to.row
    }

    /// The formula of a cell or rule that stands on sheet `on`.
    pub fn formula<'f>(&self, formula: &'f str, on: &str) -> Cow<'f, str> {
        self.followed(formula, on, false)
    }

    /// The formula of a name: what is relative in it is seen from the cell that uses the name, and has no row of its own.
    pub fn of_name<'f>(&self, formula: &'f str, on: &str) -> Cow<'f, str> {
        self.followed(formula, on, true)
    }

    fn followed<'f>(&self, formula: &'f str, on: &str, fixed_only: bool) -> Cow<'f, str> {
        let at = |one: CellRef| match fixed_only && !one.row_fixed {
            true => Some(one.at.row),
            false => self.row(one.at.row),
        };
        let end = |one: CellRef| match fixed_only && !one.row_fixed {
            true => one.at.row,
            false => self.end(one.at.row),
        };
        let cell = |cell: CellRef, row: Option<u32>| {
            row.map(|row| CellRef {
                at: At { row, ..cell.at },
                ..cell
            })
        };
        let change = |sheet: Option<&str>, reference: Reference| {
            if !same_sheet(sheet.unwrap_or(on), &self.sheet) {
                return Now::Same;
            }
            let now = match reference {
                Reference::Cell(one) => cell(one, at(one)).map(Reference::Cell),
                Reference::Area(from, to) => cell(from, at(from))
                    .zip(cell(to, Some(end(to))))
                    .map(|(from, to)| Reference::Area(from, to)),
                Reference::Rows(from, _) if fixed_only && !from.1 => return Now::Same,
                Reference::Rows(from, to) => self
                    .row(from.0)
                    .map(|row| Reference::Rows((row, from.1), (self.end(to.0), to.1))),
            };
            match now {
                Some(now) if now == reference => Now::Same,
                Some(now) => Now::Other(now),
                None => Now::Lost,
            }
        };
        rewritten(formula, &change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_formula_moves_what_is_relative_only() {
        assert_eq!(moved("E12*F12", 3, 0), "E15*F15");
        assert_eq!(moved("E12*$F12+SUM(E:E)", 0, 2), "G12*$F12+SUM(E:E)");
        assert_eq!(moved("$E12*F$12+SUM(A$1:A12)", 1, 0), "$E13*F$12+SUM(A$1:A13)");
        assert_eq!(
            moved("LOG10(A1)&\"A1\"&'A1 B2'!C3", 2, 0),
            "LOG10(A3)&\"A1\"&'A1 B2'!C5"
        );
        assert_eq!(
            moved("IF(A1=\"say \"\"B2\"\"\",TAX2024,Table1[[#This Row],[B2]])", 1, 0),
            "IF(A2=\"say \"\"B2\"\"\",TAX2025,Table1[[#This Row],[B2]])"
        );
        assert_eq!(
            copied("SUM(K6:INDEX(K6:XDZ6,1,K3))+J5+Other!K3", 2, 0, 5),
            "SUM(K8:INDEX(K8:XDZ8,1,K3))+J7+Other!K5"
        );
        assert_eq!(moved("A1", -1, 0), "#REF!");
        assert_eq!(moved("SUM(A1:A2)", -1, 0), "SUM(#REF!)");
        assert_eq!(
            moved("汇总!A1+Sheet1!$B$2+SUM(3:4,$5:6)", 1, 0),
            "汇总!A2+Sheet1!$B$2+SUM(4:5,$5:7)"
        );
    }

    #[test]
    fn a_name_keeps_what_is_seen_from_the_cell_that_uses_it() {
        let insertion = Insertion {
            sheet: "Data".to_owned(),
            before: 8,
            count: 3,
        };
        let name = |formula: &str| insertion.of_name(formula, "").into_owned();
        assert_eq!(name("Data!$B$9:$C$12"), "Data!$B$12:$C$15");
        assert_eq!(name("Data!B9+Data!$B9+Data!B$9"), "Data!B9+Data!$B9+Data!B$12");
        assert_eq!(name("Data!$9:$12"), "Data!$12:$15");
    }

    #[test]
    fn ranges_that_ended_with_the_table_end_with_it_again() {
        let growth = Growth {
            sheet: "订单 1".to_owned(),
            first: 6,
            last: 15,
            now: 40,
        };
        assert_eq!(growth.widened("SUM(F6:F15)", "订单 1"), "SUM(F6:F40)");
        assert_eq!(
            growth.widened("SUM('订单 1'!$F$6:$F$15)+F15", "别的"),
            "SUM('订单 1'!$F$6:$F$40)+F15"
        );
        assert_eq!(
            growth.widened("SUM(F6:F15)+SUM(F6:F14)", "别的"),
            "SUM(F6:F15)+SUM(F6:F14)"
        );
        assert_eq!(
            growth.widened("SUM(B15:D15)+SUM(F15:F$15)+SUM($B$15:$D$15)", "订单 1"),
            "SUM(B15:D15)+SUM(F15:F$40)+SUM($B$15:$D$40)"
        );
        assert_eq!(
            growth.widened("SUM(F6:F15,F1:F15)", "订单 1"),
            "SUM(F6:F40,F1:F15)"
        );
    }

    #[test]
    fn inserted_rows_push_down_what_points_below_them() {
        let insertion = Insertion {
            sheet: "Data".to_owned(),
            before: 8,
            count: 3,
        };
        let shifted = |formula: &str, on: &str| insertion.formula(formula, on).into_owned();
        assert_eq!(shifted("SUM(F6:F10)+F7+F8", "Data"), "SUM(F6:F13)+F7+F11");
        assert_eq!(shifted("SUM(F6:F7)", "Data"), "SUM(F6:F7)");
        assert_eq!(
            shifted("SUM(data!$F$6:$F$9)+F9", "Sum"),
            "SUM(data!$F$6:$F$12)+F9"
        );
        assert_eq!(
            shifted("SUM(F:F)+SUM(9:9)+SUM($1:$20)", "Data"),
            "SUM(F:F)+SUM(12:12)+SUM($1:$23)"
        );
        assert_eq!(shifted("SUM(A1:A1048576)", "Data"), "SUM(A1:A1048576)");
        assert_eq!(shifted("A1048576", "Data"), "#REF!");
        assert_eq!(
            shifted(
                "[1]Data!F9+'[2]Data'!F9+First:Data!F9+INDIRECT(\"Data!F9\")",
                "Sum"
            ),
            "[1]Data!F9+'[2]Data'!F9+First:Data!F9+INDIRECT(\"Data!F9\")"
        );
        assert_eq!(
            shifted("F9+Other!F9+'Data'!F9:F10", "Data"),
            "F12+Other!F9+'Data'!F12:F13"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_survives(text in "[A-Z0-9$:!'\"(),.&+ 表\\[\\]]{0,40}") {
            let insertion = Insertion { sheet: "S".to_owned(), before: 5, count: 2 };
            let _ = moved(&text, 1, 1);
            let _ = insertion.formula(&text, "S");
        }
    }
}
