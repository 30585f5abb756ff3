//! A label as the dots a printer burns: for printers that take a bitmap, and for people who want to look first.

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, GlyphId, MetadataProvider as _};
use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, PremultipliedColorU8, Rect, Transform};

use super::font::{Face, Fonts};
use super::ink::{Drawing, Ink};

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

/// As a thermal printer sees it: a dot is burnt when more than half of it is dark.
///
/// # Errors
/// When the label is larger than a picture can be, or the carried font cannot be read.
pub fn dots(label: &Drawing, fonts: &Fonts, dots_per_mm: f32) -> Result<Dots, RasterError> {
    let picture = paint(label, fonts, dots_per_mm)?;
    let row_bytes = usize::try_from(picture.width().div_ceil(8)).unwrap_or_default();
    let width = usize::try_from(picture.width()).unwrap_or_default();
    let mut bytes = Vec::with_capacity(row_bytes * usize::try_from(picture.height()).unwrap_or_default());
    for row in picture.pixels().chunks(width.max(1)) {
        for eight in row.chunks(8) {
            let mut byte = 0_u8;
            for (place, pixel) in eight.iter().enumerate() {
                if pixel.red() < 128 {
                    byte |= 0x80 >> place;
                }
            }
            bytes.push(byte);
        }
    }
    Ok(Dots {
        width: picture.width(),
        height: picture.height(),
        row_bytes,
        bytes,
    })
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

fn paint(label: &Drawing, fonts: &Fonts, dots_per_mm: f32) -> Result<Pixmap, RasterError> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a label is at most a metre long"
    )]
    let side = |mm: f32| (mm * dots_per_mm).round().clamp(1.0, 20_000.0) as u32;
    let (width, height) = (side(label.width_mm), side(label.height_mm));
    let mut picture = Pixmap::new(width, height).ok_or(RasterError::Size(width, height))?;
    picture.fill(Color::WHITE);
    for ink in &label.inks {
        match ink {
            Ink::Fill { areas, grey } => {
                for area in areas {
                    // Whole dots: a bar that ends inside one would be a dot wider or narrower by chance.
                    let [left, right] = [area.x, area.x + area.width].map(|mm| (mm * dots_per_mm).round());
                    let [top, bottom] = [area.y, area.y + area.height].map(|mm| (mm * dots_per_mm).round());
                    if let Some(rect) =
                        Rect::from_ltrb(left, top, right.max(left + 1.0), bottom.max(top + 1.0))
                    {
                        picture.fill_rect(rect, &ink_of(*grey), Transform::identity(), None);
                    }
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
                    let (paint, whole) = (ink_of(*grey), Transform::identity());
                    picture.fill_path(&path, &paint, FillRule::Winding, whole, None);
                }
            }
        }
    }
    Ok(picture)
}

fn ink_of(grey: u8) -> Paint<'static> {
    let mut paint = Paint {
        anti_alias: true,
        ..Paint::default()
    };
    paint.set_color(Color::from_rgba8(grey, grey, grey, 255));
    paint
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

fn outline(face: &Face, text: &str, x: f32, baseline: f32, size: f32) -> Result<PathBuilder, RasterError> {
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
