//! A label as a list of what is inked, before anybody knows whether it becomes a PDF page, a printer's bitmap or a picture;
//! and what a scanner would read from it.

use std::borrow::Cow;

use super::code128;
use super::font::{Fonts, Weight};
use super::raster::Dots;
use crate::problem::Problem;

pub(in crate::mapping) const POINTS_PER_MM: f32 = 72.0 / 25.4;
/// Thermal label printers print 203 dots an inch; a bar that is not whole dots wide blurs.
pub(super) const DOT_MM: f32 = 25.4 / 203.0;

/// Why a label cannot be drawn: the field, what it holds, what would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    pub field: Cow<'static, str>,
    pub found: String,
    pub wanted: String,
}

impl Misfit {
    /// What is wrong with a label as a whole.
    pub(super) fn of_label(found: impl Into<String>, wanted: &str) -> Self {
        Self {
            field: Cow::Borrowed(""),
            found: found.into(),
            wanted: wanted.to_owned(),
        }
    }

    pub(super) fn problem(self, file: &str, place: &str) -> Problem {
        Problem::new(file, place, self.field.as_ref(), self.found, self.wanted)
    }
}

/// A filled rectangle, in millimetres from the upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Area {
    fn meets(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Ink {
    /// Rectangles of one grey: 0 is black, 255 is the paper.
    Fill { areas: Vec<Area>, grey: u8 },
    /// One line of text; `x` and the baseline in millimetres, the size in points.
    Text {
        text: String,
        x: f32,
        baseline: f32,
        size: f32,
        weight: Weight,
        grey: u8,
    },
}

/// A bar code on the label: what its bars have to say, and the ground that nothing else may touch.
#[derive(Debug, Clone, PartialEq)]
pub struct Code {
    pub field: Cow<'static, str>,
    pub says: String,
    /// Bars with their quiet zones.
    pub ground: Area,
}

impl Code {
    fn misfit(&self, found: String) -> Misfit {
        Misfit {
            field: self.field.clone(),
            found,
            wanted: format!(
                "bars that read back as `{}`",
                self.says.replace('\u{1d}', "<FNC1>")
            ),
        }
    }
}

/// One finished label.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drawing {
    pub width_mm: f32,
    pub height_mm: f32,
    pub inks: Vec<Ink>,
    pub codes: Vec<Code>,
    /// Every text with its field, for checks that concern characters.
    pub texts: Vec<(Cow<'static, str>, String)>,
}

impl Drawing {
    /// Reads every bar code back from the ink, across its middle as a hand scanner's line would run, and says where a text or
    /// another rectangle lies over the bars.
    #[must_use]
    pub fn misread(&self, fonts: &Fonts) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        for code in &self.codes {
            let bars = &code.ground;
            let middle = bars.y + bars.height / 2.0;
            let covered = self.inks.iter().any(|ink| match ink {
                Ink::Fill { .. } => false,
                Ink::Text { .. } => text_area(ink, fonts).is_some_and(|text| text.meets(bars)),
            });
            let said = self.scan(bars, middle);
            let found = match said {
                Ok(text) if text == code.says && !covered => continue,
                Ok(_) if covered => "a text over the bars".to_owned(),
                Ok(text) => text,
                Err(error) => error.to_string(),
            };
            misfits.push(code.misfit(found));
        }
        misfits
    }

    /// The same from the dots that a printer will burn, once their file is unpacked again: over the bars' whole height, because a
    /// hand scanner's line crosses them anywhere.
    pub(super) fn misread_dots(&self, burnt: &Dots) -> impl Iterator<Item = Misfit> {
        self.codes.iter().filter_map(|code| {
            let ground = &code.ground;
            let lines = [0.05, 0.5, 0.95].map(|share| ground.y + ground.height * share);
            lines.into_iter().find_map(|y| {
                let row = burnt.line(ground.x / DOT_MM, ground.width / DOT_MM, y / DOT_MM);
                match code128::decode_dots(&row) {
                    Ok(text) if text == code.says => None,
                    Ok(text) => Some(code.misfit(text)),
                    Err(error) => Some(code.misfit(error.to_string())),
                }
            })
        })
    }

    /// The text of the bars that a line at `y` crosses.
    fn scan(&self, ground: &Area, y: f32) -> Result<String, code128::DecodeError> {
        let dots = |mm: f32| (mm / DOT_MM).round();
        let from = dots(ground.x);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a label is a few thousand dots wide"
        )]
        let mut row = vec![false; dots(ground.width).max(0.0) as usize];
        for ink in &self.inks {
            let Ink::Fill { areas, grey } = ink else { continue };
            for area in areas
                .iter()
                .filter(|area| area.y <= y && y < area.y + area.height)
            {
                let (start, end) = (dots(area.x) - from, dots(area.x + area.width) - from);
                for (dot, place) in row.iter_mut().zip(0_u16..) {
                    let place = f32::from(place);
                    if start <= place && place < end {
                        *dot = *grey < 128;
                    }
                }
            }
        }
        code128::decode_dots(&row)
    }
}

/// The room a line of text takes: from its ascenders to its descenders.
fn text_area(ink: &Ink, fonts: &Fonts) -> Option<Area> {
    let Ink::Text {
        text,
        x,
        baseline,
        size,
        weight,
        ..
    } = ink
    else {
        return None;
    };
    let size_mm = size / POINTS_PER_MM;
    Some(Area {
        x: *x,
        y: baseline - size_mm * 0.8,
        width: fonts.face(*weight).width(text, *size) / POINTS_PER_MM,
        height: size_mm,
    })
}
