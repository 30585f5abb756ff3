//! Several labels on one sheet of a desk printer.

use serde::Deserialize;

use crate::problem::Problem;

/// A sheet of labels; all measures in millimetres.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Width and height of the sheet.
    #[serde(default = "a4")]
    pub page: [f32; 2],
    pub columns: usize,
    pub rows: usize,
    /// The upper left corner of the first label.
    pub first: [f32; 2],
    /// From one label's left edge to the next one's, and from one's upper edge to the next one's.
    pub step: [f32; 2],
}

fn a4() -> [f32; 2] {
    [210.0, 297.0]
}

/// Nobody prints on sheets larger than this, and a slip in the unit would.
const MAX_SIDE_MM: f32 = 1_000.0;

impl Grid {
    #[must_use]
    pub fn cells(&self) -> usize {
        self.columns.saturating_mul(self.rows)
    }

    /// The upper left corner of a cell, row by row.
    #[must_use]
    pub(super) fn corner(&self, cell: usize) -> (f32, f32) {
        let columns = self.columns.max(1);
        #[expect(clippy::cast_precision_loss, reason = "a sheet has a few dozen cells")]
        let (column, row) = ((cell % columns) as f32, (cell / columns) as f32);
        (
            self.first[0] + column * self.step[0],
            self.first[1] + row * self.step[1],
        )
    }

    /// Everything wrong with the sheet for labels of a size.
    pub(super) fn faults(&self, file: &str, size: [f32; 2]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut fault = |field: &str, found: String, wanted: String| {
            problems.push(Problem::new(file, "[label.grid]", field, found, wanted));
        };
        if !(1..=20).contains(&self.columns) || !(1..=50).contains(&self.rows) {
            let found = format!("{} × {}", self.columns, self.rows);
            fault(
                "columns × rows",
                found,
                "1 to 20 columns and 1 to 50 rows".to_owned(),
            );
            return problems;
        }
        if self.page.iter().any(|side| !(10.0..=MAX_SIDE_MM).contains(side)) {
            let wanted = format!("sides from 10 to {MAX_SIDE_MM} mm");
            fault("page", format!("{:?}", self.page), wanted);
        }
        for (axis, name) in [(0, "width"), (1, "height")] {
            if self.step[axis] < size[axis] && (if axis == 0 { self.columns } else { self.rows }) > 1 {
                let wanted = format!(
                    "at least the label's {name}, {} mm: labels must not overlap",
                    size[axis]
                );
                fault("step", self.step[axis].to_string(), wanted);
            }
            let last = self.corner(self.cells() - 1);
            let end = if axis == 0 { last.0 } else { last.1 } + size[axis];
            if self.first[axis] < 0.0 || end > self.page[axis] + 0.01 {
                let wanted = format!(
                    "labels that end within the sheet's {name} of {} mm",
                    self.page[axis]
                );
                fault("first", format!("{end} mm"), wanted);
            }
        }
        problems
    }
}
