//! The same charts as PNG, for mails and slides that take no SVG: twice the size, words drawn from the carried font.

use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Stroke, StrokeDash, Transform};

use super::picture::{Anchor, DASH, DOT, FAINT, HEIGHT, Ink, LETTERS, Picture, Shape, WIDTH};
use crate::mapping::label::font::{Fonts, Weight};
use crate::mapping::label::raster::{RasterError, outline};

/// Dots for a unit: sharp where a screen has two for a pixel, and in print.
const SCALE: f64 = 2.0;

/// # Errors
/// When the carried font cannot be read: a fault of the build.
pub(super) fn render(picture: &Picture) -> Result<Vec<u8>, RasterError> {
    let fonts = Fonts::built_in().map_err(|error| RasterError::Font(error.to_string()))?;
    let (width, height) = (side(WIDTH), side(HEIGHT));
    let mut canvas = Pixmap::new(width, height).ok_or(RasterError::Size(width, height))?;
    canvas.fill(Color::WHITE);
    for shape in &picture.shapes {
        draw(&mut canvas, fonts, shape)?;
    }
    canvas
        .encode_png()
        .map_err(|error| RasterError::Encode(error.to_string()))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a few hundred units"
)]
fn side(units: f64) -> u32 {
    (units * SCALE).round().clamp(1.0, 10_000.0) as u32
}

#[expect(clippy::cast_possible_truncation, reason = "a place in a picture")]
fn dots(units: f64) -> f32 {
    (units * SCALE) as f32
}

fn paint(ink: Ink, share: f64) -> Paint<'static> {
    let [_, red, green, blue] = ink.0.to_be_bytes();
    let mut paint = Paint {
        anti_alias: true,
        ..Paint::default()
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between nothing and a byte"
    )]
    let alpha = (share.clamp(0.0, 1.0) * 255.0).round() as u8;
    paint.set_color(Color::from_rgba8(red, green, blue, alpha));
    paint
}

fn draw(canvas: &mut Pixmap, fonts: &Fonts, shape: &Shape) -> Result<(), RasterError> {
    let whole = Transform::identity();
    match shape {
        Shape::Line {
            points,
            ink,
            width,
            dashed,
            faint,
        } => {
            let mut path = PathBuilder::new();
            for (place, (x, y)) in points.iter().enumerate() {
                if place == 0 {
                    path.move_to(dots(*x), dots(*y));
                } else {
                    path.line_to(dots(*x), dots(*y));
                }
            }
            let dash = dashed.then(|| StrokeDash::new(vec![dots(DASH.0), dots(DASH.1)], 0.0));
            let stroke = Stroke {
                width: dots(*width),
                dash: dash.flatten(),
                ..Stroke::default()
            };
            // A line of fewer than two points has no path.
            if let Some(path) = path.finish() {
                let paint = paint(*ink, if *faint { FAINT } else { 1.0 });
                canvas.stroke_path(&path, &paint, &stroke, whole, None);
            }
        }
        Shape::Dot { x, y, ink } => {
            if let Some(dot) = PathBuilder::from_circle(dots(*x), dots(*y), dots(DOT)) {
                canvas.fill_path(&dot, &paint(*ink, 1.0), FillRule::Winding, whole, None);
            }
        }
        Shape::Text {
            x,
            y,
            anchor,
            ink,
            text,
        } => {
            let face = fonts.face(Weight::Regular);
            let size = dots(LETTERS);
            let before = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => face.width(text, size) / 2.0,
                Anchor::End => face.width(text, size),
            };
            if let Some(path) = outline(face, text, dots(*x) - before, dots(*y), size)?.finish() {
                canvas.fill_path(&path, &paint(*ink, 1.0), FillRule::Winding, whole, None);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(shape: Shape) -> Pixmap {
        let picture = Picture {
            title: String::new(),
            shapes: vec![shape],
        };
        let png = render(&picture).expect("the carried font");
        Pixmap::decode_png(&png).expect("a PNG")
    }

    /// Left, top, right and bottom of what is not white.
    fn inked(canvas: &Pixmap) -> Option<[u32; 4]> {
        let dark: Vec<(u32, u32)> = (0..canvas.height())
            .flat_map(|y| (0..canvas.width()).map(move |x| (x, y)))
            .filter(|(x, y)| canvas.pixel(*x, *y).is_some_and(|dot| dot.red() < 128))
            .collect();
        let (xs, ys) = (dark.iter().map(|dot| dot.0), dark.iter().map(|dot| dot.1));
        Some([xs.clone().min()?, ys.clone().min()?, xs.max()?, ys.max()?])
    }

    #[test]
    fn words_of_both_languages_are_drawn_where_they_belong() {
        for text in ["cycle service", "周期服务"] {
            let text = |anchor| Shape::Text {
                x: 380.0,
                y: 190.0,
                anchor,
                ink: Ink(0),
                text: text.to_owned(),
            };
            let [left, top, right, bottom] = inked(&picture(text(Anchor::Start))).expect("letters");
            assert!(left.abs_diff(760) <= 3 && right > 800, "{left} {right}");
            assert!(bottom - top >= 16 && bottom.abs_diff(380) <= 8, "{top} {bottom}");
            let [left, _, right, _] = inked(&picture(text(Anchor::End))).expect("letters");
            assert!(left < 720 && right.abs_diff(760) <= 4, "{left} {right}");
            let [left, _, right, _] = inked(&picture(text(Anchor::Middle))).expect("letters");
            assert!((left + right).abs_diff(2 * 760) <= 6, "{left} {right}");
        }
    }

    #[test]
    fn a_dot_has_its_ink_and_its_place() {
        let canvas = picture(Shape::Dot {
            x: 100.0,
            y: 50.0,
            ink: Ink(0x0b_6b_cb),
        });
        let middle = canvas.pixel(200, 100).expect("inside");
        assert_eq!((middle.red(), middle.green(), middle.blue()), (0x0b, 0x6b, 0xcb));
        let [left, top, right, bottom] = inked(&canvas).expect("a dot");
        assert!((right - left).abs_diff(18) <= 2 && (bottom - top).abs_diff(18) <= 2);
    }
}
