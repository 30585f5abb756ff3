//! What a mark is drawn with: text fitted to its cell, bars on the printer's dots, measures in millimetres.

use krilla::color::luma;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::paint::Fill;
use krilla::surface::Surface;

use super::code128;
use super::font::{Fonts, Weight};

/// Why a mark cannot be drawn: the field, what it holds, what would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    pub field: &'static str,
    pub found: String,
    pub wanted: String,
}

pub(super) const PAGE_WIDTH_MM: f32 = 100.0;
pub(super) const PAGE_HEIGHT_MM: f32 = 150.0;

pub(super) const POINTS_PER_MM: f32 = 72.0 / 25.4;
/// Thermal label printers print 203 dots an inch; a bar that is not whole dots wide blurs.
const DOT_MM: f32 = 25.4 / 203.0;
/// Widest and narrowest module: 0.5 mm down to 0.25 mm, the least that a hand scanner reads from half a metre.
const MODULE_DOTS: std::ops::RangeInclusive<u16> = 2..=4;
const QUIET_MODULES: usize = 10;
pub(super) const LEFT: f32 = 4.0;
pub(super) const RIGHT: f32 = 96.0;
/// What the widest barcode may take, quiet zones included (they may reach into the margin).
const CODE_WIDTH_MM: f32 = 98.0;

pub(super) struct Canvas<'a, 'b> {
    pub(super) surface: &'a mut Surface<'b>,
    pub(super) fonts: &'a Fonts,
    pub(super) misfits: Vec<Misfit>,
}

/// A cell to fit a text into.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    pub(super) x: f32,
    /// Baseline of the (first) line.
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) max: f32,
    pub(super) min: f32,
    pub(super) weight: Weight,
    pub(super) align: Align,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Centre,
    Right,
}

impl Canvas<'_, '_> {
    pub(super) fn barcode(&mut self, field: &'static str, code: &str, top: f32, height: f32, text_size: f32) {
        let pattern = match code128::modules(code) {
            Ok(pattern) => pattern,
            Err(error) => {
                self.misfit(field, code, format!("text that Code 128 can hold: {error}"));
                return;
            }
        };
        let Some(dots) = module_dots(pattern.len()) else {
            self.misfit(
                field,
                code,
                "a code short enough for bars of at least 0.25 mm on a 100 mm label".to_owned(),
            );
            return;
        };
        let module = f32::from(dots) * DOT_MM;
        #[expect(clippy::cast_precision_loss, reason = "a few hundred modules")]
        let width = pattern.len() as f32 * module;
        let left = ((PAGE_WIDTH_MM - width) / 2.0 / DOT_MM).round() * DOT_MM;
        let mut path = PathBuilder::new();
        let mut x = left;
        for run in pattern.chunk_by(|a, b| a == b) {
            #[expect(clippy::cast_precision_loss, reason = "a run is at most four modules")]
            let run_width = run.len() as f32 * module;
            if run.first() == Some(&true)
                && let Some(bar) = rectangle(x, top, run_width, height)
            {
                path.push_rect(bar);
            }
            x += run_width;
        }
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
        let cell = Cell {
            x: LEFT,
            y: top + height + text_size * 0.38,
            width: RIGHT - LEFT,
            max: text_size,
            min: 6.0,
            weight: Weight::Bold,
            align: Align::Centre,
        };
        self.id(field, code, cell);
    }

    /// A text that identifies something: never cut, so a misfit when it does not fit.
    pub(super) fn id(&mut self, field: &'static str, text: &str, cell: Cell) {
        match self.fit(text, cell) {
            Some(size) => self.text(text, cell, size),
            None => self.misfit(field, text, format!("a text that fits into {} mm", cell.width)),
        }
    }

    /// An identifying text in one line, or in two of the smaller size.
    pub(super) fn wrapped_id(
        &mut self,
        field: &'static str,
        text: &str,
        x: f32,
        y: f32,
        width: f32,
        max: f32,
    ) {
        let one = Cell {
            x,
            y,
            width,
            max,
            min: 11.0,
            weight: Weight::Bold,
            align: Align::Left,
        };
        if self.fit(text, one).is_some() {
            self.id(field, text, one);
            return;
        }
        let half = text.chars().count().div_ceil(2);
        let (first, second) = text
            .char_indices()
            .nth(half)
            .map_or((text, ""), |(at, _)| text.split_at(at));
        self.id(
            field,
            first,
            Cell {
                y: y - 2.2,
                min: 6.0,
                max: 13.0,
                ..one
            },
        );
        self.id(
            field,
            second,
            Cell {
                y: y + 2.8,
                min: 6.0,
                max: 13.0,
                ..one
            },
        );
    }

    /// A text for people: cut with an ellipsis when even the smallest size is too wide.
    pub(super) fn prose(&mut self, text: &str, cell: Cell) {
        if let Some(size) = self.fit(text, cell) {
            self.text(text, cell, size);
            return;
        }
        let face = self.fonts.face(cell.weight);
        let mut cut = String::new();
        for c in text.chars() {
            cut.push(c);
            if face.width(&cut, cell.min) + face.width("…", cell.min) > cell.width * POINTS_PER_MM {
                cut.pop();
                break;
            }
        }
        cut.push('…');
        self.text(&cut, cell, cell.min);
    }

    /// The largest size, in half points, at which the text fits its cell.
    pub(super) fn fit(&self, text: &str, cell: Cell) -> Option<f32> {
        let face = self.fonts.face(cell.weight);
        let at_one = face.width(text, 1.0);
        let widest = if at_one > 0.0 {
            cell.width * POINTS_PER_MM / at_one
        } else {
            cell.max
        };
        let size = (widest.min(cell.max) * 2.0).floor() / 2.0;
        (size >= cell.min).then_some(size)
    }

    pub(super) fn text(&mut self, text: &str, cell: Cell, size: f32) {
        if text.is_empty() {
            return;
        }
        let face = self.fonts.face(cell.weight);
        let spare = cell.width * POINTS_PER_MM - face.width(text, size);
        let shift = match cell.align {
            Align::Left => 0.0,
            Align::Centre => spare / 2.0,
            Align::Right => spare,
        };
        let start = Point::from_xy(cell.x * POINTS_PER_MM + shift, cell.y * POINTS_PER_MM);
        self.surface
            .draw_glyphs(start, &face.line(text), face.font.clone(), text, size, false);
    }

    pub(super) fn caption(&mut self, text: &str, x: f32, y: f32) {
        let cell = Cell {
            x,
            y,
            width: 60.0,
            max: 7.5,
            min: 7.5,
            weight: Weight::Regular,
            align: Align::Left,
        };
        self.text(text, cell, 7.5);
    }

    pub(super) fn misfit(&mut self, field: &'static str, found: &str, wanted: String) {
        self.misfits.push(Misfit {
            field,
            found: found.to_owned(),
            wanted,
        });
    }

    pub(super) fn rule(&mut self, y: f32, height: f32) {
        self.fill(3.0, y, 94.0, height, 0);
    }

    pub(super) fn fill(&mut self, x: f32, y: f32, width: f32, height: f32, grey: u8) {
        let mut path = PathBuilder::new();
        if let Some(rect) = rectangle(x, y, width, height) {
            path.push_rect(rect);
        }
        if let Some(path) = path.finish() {
            self.ink(grey);
            self.surface.draw_path(&path);
        }
    }

    pub(super) fn ink(&mut self, grey: u8) {
        self.surface.set_fill(Some(Fill {
            paint: luma::Color::new(grey).into(),
            ..Fill::default()
        }));
    }
}

/// The widest module that leaves the quiet zones, in printer dots.
#[must_use]
pub fn module_dots(modules: usize) -> Option<u16> {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred modules")]
    let needed = (modules + 2 * QUIET_MODULES) as f32 * DOT_MM;
    MODULE_DOTS
        .rev()
        .find(|dots| needed * f32::from(*dots) <= CODE_WIDTH_MM)
}

fn rectangle(x: f32, y: f32, width: f32, height: f32) -> Option<Rect> {
    Rect::from_xywh(
        x * POINTS_PER_MM,
        y * POINTS_PER_MM,
        width * POINTS_PER_MM,
        height * POINTS_PER_MM,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_whole_dots_and_never_thinner_than_a_quarter_millimetre() {
        let dots = |text: &str| module_dots(code128::modules(text).unwrap().len());
        assert_eq!(dots("A1"), Some(4));
        assert_eq!(dots("FBA15DLPMX7U000001"), Some(3));
        assert_eq!(dots("ABCDEFGHIJKLMNOPQRSTUVWXYZABCD"), Some(2));
        assert_eq!(dots(&"ABCDEFGHIJ".repeat(4)), None);
    }
}
