//! What a mark is drawn with: text fitted to its cell, bars on the printer's dots, measures in millimetres.

use std::borrow::Cow;

use super::code128;
use super::font::{Fonts, Weight};
use super::ink::{Area, Code, DOT_MM, Drawing, Ink, Misfit, POINTS_PER_MM};

/// A field's name; the built-in mark has fixed ones, a declared label its own.
type Field = Cow<'static, str>;

/// Widest and narrowest module: 0.5 mm down to 0.25 mm, the least that a hand scanner reads from half a metre.
const MODULE_DOTS: std::ops::RangeInclusive<u16> = 2..=4;
pub(super) const QUIET_MODULES: u16 = 10;

pub(super) struct Canvas<'a> {
    pub(super) drawing: Drawing,
    pub(super) fonts: &'a Fonts,
    pub(super) misfits: Vec<Misfit>,
    grey: u8,
}

/// Where a bar code goes: its quiet zones lie inside the width.
#[derive(Clone, Copy)]
pub(super) struct Ground {
    pub(super) x: f32,
    pub(super) width: f32,
    pub(super) top: f32,
    pub(super) height: f32,
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

impl<'a> Canvas<'a> {
    pub(super) fn new(width_mm: f32, height_mm: f32, fonts: &'a Fonts) -> Self {
        Self {
            drawing: Drawing {
                width_mm,
                height_mm,
                ..Drawing::default()
            },
            fonts,
            misfits: Vec::new(),
            grey: 0,
        }
    }

    /// Bars in the middle of their ground, as wide as it allows; what they say stands as a text wherever the caller puts it.
    pub(super) fn bars(&mut self, field: impl Into<Field>, says: &str, ground: Ground) {
        let field = field.into();
        let pattern = match code128::modules(says) {
            Ok(pattern) => pattern,
            Err(error) => {
                self.misfit(field, says, format!("text that Code 128 can hold: {error}"));
                return;
            }
        };
        let Some(dots) = module_dots(pattern.len(), ground.width) else {
            let wanted = format!(
                "a code short enough for bars of at least 0.25 mm in {} mm",
                ground.width
            );
            self.misfit(field, says, wanted);
            return;
        };
        let module = f32::from(dots) * DOT_MM;
        #[expect(clippy::cast_precision_loss, reason = "a few hundred modules")]
        let width = pattern.len() as f32 * module;
        let left = ((ground.x + (ground.width - width) / 2.0) / DOT_MM).round() * DOT_MM;
        let mut areas = Vec::new();
        let mut x = left;
        for run in pattern.chunk_by(|a, b| a == b) {
            #[expect(clippy::cast_precision_loss, reason = "a run is at most four modules")]
            let run_width = run.len() as f32 * module;
            if run.first() == Some(&true) {
                areas.push(Area {
                    x,
                    y: ground.top,
                    width: run_width,
                    height: ground.height,
                });
            }
            x += run_width;
        }
        self.drawing.inks.push(Ink::Fill { areas, grey: 0 });
        let quiet = f32::from(QUIET_MODULES) * module;
        self.drawing.codes.push(Code {
            field,
            says: says.to_owned(),
            ground: Area {
                x: left - quiet,
                y: ground.top,
                width: width + 2.0 * quiet,
                height: ground.height,
            },
        });
    }

    /// A text that identifies something: never cut, so a misfit when it does not fit.
    pub(super) fn id(&mut self, field: impl Into<Field>, text: &str, cell: Cell) {
        let field = field.into();
        self.drawing.texts.push((field.clone(), text.to_owned()));
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
    pub(super) fn prose(&mut self, field: impl Into<Field>, text: &str, cell: Cell) {
        self.drawing.texts.push((field.into(), text.to_owned()));
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
        self.drawing.inks.push(Ink::Text {
            text: text.to_owned(),
            x: cell.x + shift / POINTS_PER_MM,
            baseline: cell.y,
            size,
            weight: cell.weight,
            grey: self.grey,
        });
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

    pub(super) fn misfit(&mut self, field: impl Into<Field>, found: &str, wanted: String) {
        self.misfits.push(Misfit {
            field: field.into(),
            found: found.replace(code128::FNC1, "<FNC1>"),
            wanted,
        });
    }

    pub(super) fn rule(&mut self, y: f32, height: f32) {
        self.fill(3.0, y, 94.0, height, 0);
    }

    pub(super) fn fill(&mut self, x: f32, y: f32, width: f32, height: f32, grey: u8) {
        let area = Area { x, y, width, height };
        self.drawing.inks.push(Ink::Fill {
            areas: vec![area],
            grey,
        });
    }

    pub(super) fn ink(&mut self, grey: u8) {
        self.grey = grey;
    }
}

/// The widest module, in printer dots, with which the bars and their quiet zones are no wider than `width_mm`.
#[must_use]
pub fn module_dots(modules: usize, width_mm: f32) -> Option<u16> {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred modules")]
    let needed = (modules + 2 * usize::from(QUIET_MODULES)) as f32 * DOT_MM;
    MODULE_DOTS
        .rev()
        .find(|dots| needed * f32::from(*dots) <= width_mm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_whole_dots_and_never_thinner_than_a_quarter_millimetre() {
        let dots = |text: &str| module_dots(code128::modules(text).unwrap().len(), 98.0);
        assert_eq!(dots("A1"), Some(4));
        assert_eq!(dots("FBA15DLPMX7U000001"), Some(3));
        assert_eq!(dots("ABCDEFGHIJKLMNOPQRSTUVWXYZABCD"), Some(2));
        assert_eq!(dots(&"ABCDEFGHIJ".repeat(4)), None);
    }
}
