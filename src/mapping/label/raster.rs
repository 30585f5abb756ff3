//! A label as the dots a printer burns: for printers that take a bitmap, and for people who want to look first.

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, GlyphId, MetadataProvider as _};
use tiny_skia::{FillRule, Mask, Path, PathBuilder, Pixmap, PremultipliedColorU8, Transform};

use super::font::{Face, Fonts};
use super::ink::{Area, Drawing, Ink};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RasterError {
    #[error("a picture of {0} × {1} dots")]
    Size(u32, u32),
    #[error("read the label font's outlines: {0}")]
    Font(String),
    #[error("write the picture: {0}")]
    Encode(String),
}

/// Black and white dots, row by row, eight to a byte, the leftmost in the highest bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dots {
    pub width: u32,
    pub height: u32,
    pub row_bytes: usize,
    pub bytes: Vec<u8>,
}

impl Dots {
    fn blank(width: u32, height: u32) -> Self {
        let row_bytes = width.div_ceil(8) as usize;
        Self {
            width,
            height,
            row_bytes,
            bytes: vec![0; row_bytes * height as usize],
        }
    }

    fn row(&mut self, y: u32) -> &mut [u8] {
        let from = y as usize * self.row_bytes;
        self.bytes
            .get_mut(from..from + self.row_bytes)
            .unwrap_or_default()
    }

    /// So many dots of one row from a place on, burnt or not.
    pub(super) fn line(&self, x: f32, width: f32, y: f32) -> Vec<bool> {
        let from = dot(x.round(), self.width);
        let to = dot((x.round() + width.round()).max(0.0), self.width);
        let row = dot(y.floor(), self.height.saturating_sub(1)) as usize * self.row_bytes;
        let burnt = |x: u32| {
            let byte = self.bytes.get(row + x as usize / 8);
            byte.is_some_and(|byte| byte & (0x80 >> (x % 8)) != 0)
        };
        (from..to).map(burnt).collect()
    }

    /// A rectangle of whole dots: a bar that ends inside one would be a dot wider or narrower by chance.
    fn fill(&mut self, area: &Area, grey: u8, dots_per_mm: f32) {
        let [left, top] = [area.x, area.y].map(|mm| (mm * dots_per_mm).round());
        let [right, bottom] =
            [area.x + area.width, area.y + area.height].map(|mm| (mm * dots_per_mm).round());
        let (from, to) = (dot(left, self.width), dot(right.max(left + 1.0), self.width));
        for y in dot(top, self.height)..dot(bottom.max(top + 1.0), self.height) {
            let touched = self.row(y).iter_mut().zip((0_u32..).step_by(8));
            for (byte, first) in touched.take(to.div_ceil(8) as usize).skip(from as usize / 8) {
                let inside = bits_from(from.saturating_sub(first)) & !bits_from(to.saturating_sub(first));
                *byte = if grey < 128 {
                    *byte | inside
                } else {
                    *byte & !inside
                };
            }
        }
    }

    /// What lies under a shape, mixed with its ink where it covers a dot in part.
    fn shape(&mut self, path: &Path, grey: u8) -> Result<(), RasterError> {
        let bounds = path.bounds();
        let (left, right) = (
            dot(bounds.left().floor(), self.width),
            dot(bounds.right().ceil(), self.width),
        );
        let (top, bottom) = (
            dot(bounds.top().floor(), self.height),
            dot(bounds.bottom().ceil(), self.height),
        );
        let (wide, high) = (right.saturating_sub(left), bottom.saturating_sub(top));
        if wide == 0 || high == 0 {
            return Ok(());
        }
        let mut mask = Mask::new(wide, high).ok_or(RasterError::Size(wide, high))?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a label has a few thousand dots a side"
        )]
        let corner = Transform::from_translate(-(left as f32), -(top as f32));
        mask.fill_path(path, FillRule::Winding, true, corner);
        for (y, covers) in (top..).zip(mask.data().chunks(wide as usize)) {
            let row = self.row(y);
            for (x, cover) in (left..).zip(covers).filter(|(_, cover)| **cover > 0) {
                let Some(byte) = row.get_mut(x as usize / 8) else {
                    break;
                };
                let bit = 0x80_u8 >> (x % 8);
                let under: u32 = if *byte & bit != 0 { 0 } else { 255 };
                let cover = u32::from(*cover);
                let seen = (under * (255 - cover) + u32::from(grey) * cover) / 255;
                *byte = if seen < 128 { *byte | bit } else { *byte & !bit };
            }
        }
        Ok(())
    }
}

/// A place on the label as a number of dots, no further than its edges.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between nothing and a few thousand"
)]
fn dot(place: f32, side: u32) -> u32 {
    place.clamp(0.0, side as f32) as u32
}

/// A byte's dots from the given one on, the leftmost in the highest bit.
fn bits_from(first: u32) -> u8 {
    0xff_u8.checked_shr(first).unwrap_or(0)
}

/// As a thermal printer sees it: a dot is burnt when more than half of it is dark.
///
/// # Errors
/// When the label is larger than a picture can be, or the carried font cannot be read.
pub fn dots(label: &Drawing, fonts: &Fonts, dots_per_mm: f32) -> Result<Dots, RasterError> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a label is at most a metre long"
    )]
    let side = |mm: f32| (mm * dots_per_mm).round().clamp(1.0, 20_000.0) as u32;
    let mut dots = Dots::blank(side(label.width_mm), side(label.height_mm));
    for ink in &label.inks {
        match ink {
            Ink::Fill { areas, grey } => {
                for area in areas {
                    dots.fill(area, *grey, dots_per_mm);
                }
            }
            Ink::Text {
                text,
                x,
                baseline,
                size,
                weight,
                grey,
            } => {
                let face = fonts.face(*weight);
                let size = size / super::ink::POINTS_PER_MM * dots_per_mm;
                let outlines = outline(face, text, x * dots_per_mm, baseline * dots_per_mm, size)?;
                if let Some(path) = outlines.finish() {
                    dots.shape(&path, *grey)?;
                }
            }
        }
    }
    Ok(dots)
}

/// The dots as a picture for people.
///
/// # Errors
/// When there are more of them than a picture can hold.
pub fn dots_png(dots: &Dots) -> Result<Vec<u8>, RasterError> {
    let mut picture =
        Pixmap::new(dots.width, dots.height).ok_or(RasterError::Size(dots.width, dots.height))?;
    let burnt = dots
        .bytes
        .iter()
        .flat_map(|byte| (0..8).map(move |place| byte & (0x80 >> place) != 0));
    // Rows of whole bytes: the picture is as wide as they are.
    for (pixel, burnt) in picture.pixels_mut().iter_mut().zip(burnt) {
        let grey = if burnt { 0 } else { 255 };
        if let Some(colour) = PremultipliedColorU8::from_rgba(grey, grey, grey, 255) {
            *pixel = colour;
        }
    }
    picture
        .encode_png()
        .map_err(|error| RasterError::Encode(error.to_string()))
}

/// Where a glyph's own units, which run upwards, come to lie on the label.
struct Pen {
    path: PathBuilder,
    x: f32,
    baseline: f32,
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to(self.x + x, self.baseline - y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to(self.x + x, self.baseline - y);
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let (left, base) = (self.x, self.baseline);
        self.path.quad_to(left + cx, base - cy, left + x, base - y);
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        let (left, base) = (self.x, self.baseline);
        self.path
            .cubic_to(left + ax, base - ay, left + bx, base - by, left + x, base - y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

/// The letters of a text as one path to fill, `size` high; characters that the face has not are left out.
///
/// # Errors
/// When the face's outlines cannot be read.
pub fn outline(
    face: &Face,
    text: &str,
    x: f32,
    baseline: f32,
    size: f32,
) -> Result<PathBuilder, RasterError> {
    let font = FontRef::new(face.data).map_err(|error| RasterError::Font(error.to_string()))?;
    let outlines = font.outline_glyphs();
    let mut pen = Pen {
        path: PathBuilder::new(),
        x,
        baseline,
    };
    for glyph in face.glyphs_of(text) {
        if let Some(outline) = outlines.get(GlyphId::new(u32::from(glyph))) {
            outline
                .draw(
                    DrawSettings::unhinted(Size::new(size), LocationRef::default()),
                    &mut pen,
                )
                .map_err(|error| RasterError::Font(error.to_string()))?;
        }
        pen.x += face.advance(glyph) * size;
    }
    Ok(pen.path)
}
