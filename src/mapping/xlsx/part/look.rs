//! How cells look and how large they are.

use super::super::address::{Area, At};
use super::{Cell, Formula, SheetPart, cell, style_attribute};
use crate::mapping::xlsx::cell::Want;
use quick_xml::escape::escape;

/// Excel's own, where a sheet says nothing.
const ROW_POINTS: f64 = 15.0;
const COLUMN_CHARACTERS: f64 = 8.43;
/// Pixels of the widest digit in the usual font, at 96 dots an inch.
const DIGIT_PIXELS: f64 = 7.0;

/// Sizes a sheet gives for what has none of its own.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Defaults {
    pub row_points: Option<f64>,
    pub column_characters: Option<f64>,
}

/// What may follow the reference to the drawing.
const AFTER_DRAWING: [&str; 10] = [
    "<legacyDrawing ",
    "<legacyDrawing>",
    "<legacyDrawingHF",
    "<drawingHF",
    "<picture",
    "<oleObjects",
    "<controls",
    "<webPublishItems",
    "<tableParts",
    "<extLst",
];

impl SheetPart<'_> {
    /// A cell's size in the unit of drawings; of the whole merge when it is the first cell of one.
    pub fn cell_size(&self, at: At) -> (i64, i64) {
        let merge = self.merges.iter().find(|area| area.from == at);
        let area = merge.copied().unwrap_or(Area { from: at, to: at });
        let pixels: f64 = (area.from.column..=area.to.column)
            .map(|column| self.column_pixels(column))
            .sum();
        let points: f64 = (area.from.row..=area.to.row)
            .map(|row| self.row_points(row))
            .sum();
        (units(pixels * 9_525.0), units(points * 12_700.0))
    }

    fn column_pixels(&self, column: u32) -> f64 {
        let own = self
            .widths
            .iter()
            .find(|(from, to, _)| (*from..=*to).contains(&column));
        let width = own
            .map(|(_, _, width)| *width)
            .or(self.defaults.column_characters)
            .unwrap_or(COLUMN_CHARACTERS + 0.71);
        (width * DIGIT_PIXELS).trunc()
    }

    fn row_points(&self, row: u32) -> f64 {
        let own = self
            .rows
            .get(&row)
            .and_then(|row| row.attributes.get("ht")?.parse().ok());
        own.or(self.defaults.row_points).unwrap_or(ROW_POINTS)
    }

    /// A cell without a style of its own takes another's.
    pub fn style_like(&mut self, at: At, like: At) {
        let Some(style) = self.cell(like).and_then(|cell| cell.style.clone()) else {
            return;
        };
        let Some(row) = self.rows.get_mut(&at.row) else {
            return;
        };
        match row.cells.get_mut(&at.column) {
            Some(cell) if cell.style.is_some() => {}
            Some(cell) => {
                let attribute = style_attribute(Some(&style));
                let place = format!("<c r=\"{at}\"");
                if cell.xml.starts_with(&place) {
                    cell.xml.insert_str(place.len(), &attribute);
                    cell.style = Some(style);
                    row.raw = None;
                }
            }
            None => {
                row.cells.insert(at.column, cell(at, Some(style), &Want::Empty));
                row.raw = None;
            }
        }
    }

    /// Rows that nobody needs to see; what stands in them stays.
    pub fn hide_rows(&mut self, from: u32, to: u32) {
        if from > to {
            return;
        }
        for (_, row) in self.rows.range_mut(from..=to) {
            if !row.attributes.contains_key("hidden") {
                row.start.push_str(" hidden=\"1\"");
                row.attributes.insert("hidden".to_owned(), "1".to_owned());
                row.raw = None;
            }
        }
    }

    /// A formula of our own; its result is for the program that opens the file.
    pub fn set_formula(&mut self, at: At, text: &str) {
        let style = self.cell(at).and_then(|cell| cell.style.clone());
        let attribute = style_attribute(style.as_deref());
        let row = self.rows.entry(at.row).or_default();
        row.raw = None;
        row.cells.insert(
            at.column,
            Cell {
                xml: format!(r#"<c r="{at}"{attribute}><f>{}</f></c>"#, escape(text)),
                style,
                formula: Some(Formula {
                    text: text.to_owned(),
                    shared: None,
                    bound: None,
                }),
                has_value: false,
                metadata: None,
            },
        );
    }

    /// Formulas with their cells.
    pub fn formulas(&self) -> impl Iterator<Item = (At, &str)> {
        self.rows.iter().flat_map(|(row, cells)| {
            cells.cells.iter().filter_map(|(column, cell)| {
                let at = At {
                    row: *row,
                    column: *column,
                };
                Some((at, cell.formula.as_ref()?.text.as_str()))
            })
        })
    }

    /// The element that names the sheet's drawing, at its place among the others.
    pub fn refer_to_drawing(&mut self, element: &str) {
        let tail = self.tail.to_mut();
        let places = AFTER_DRAWING.iter().filter_map(|name| tail.find(name)).min();
        let place = places.or_else(|| tail.rfind("</")).unwrap_or(tail.len());
        tail.insert_str(place, element);
    }
}

/// Sizes are small and positive; a hostile one is cut to something that a drawing can have.
fn units(size: f64) -> i64 {
    let size = size.clamp(1.0, 1e9);
    // Between 1 and a thousand million: nothing is cut off but the fraction.
    #[expect(clippy::cast_possible_truncation, reason = "clamped above")]
    let whole = size as i64;
    whole
}
