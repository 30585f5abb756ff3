//! One small picture per red line: what was sold, and what is left of the stock from here.
//!
//! Two panels with their own scales, split at today. The ground is transparent and the inks are mid tones, so that
//! the same bytes hold on a white card and in a client's dark scheme. Nothing here is text: words stand beside it.

use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform};

use crate::planner::{PlanLine, ProjectedDay};

/// Twice the size it is shown at.
const WIDTH: u32 = 1120;
const HEIGHT: u32 = 168;
/// Shown size in CSS pixels.
pub(super) const SHOWN_WIDTH: u32 = WIDTH / 2;

const TOP: f32 = 16.0;
const BASE: f32 = 150.0;
const LEFT: f32 = 4.0;
const RIGHT: f32 = 1116.0;
/// Where today stands: sales to the left, the future to the right.
const TODAY: f32 = 440.0;
const GAP: f32 = 10.0;
/// Further ahead a projection says little and squeezes what matters.
const MAX_DAYS_AHEAD: usize = 120;

const BAR: (u8, u8, u8, u8) = (138, 150, 168, 255);
const NO_DATA: (u8, u8, u8, u8) = (138, 150, 168, 70);
const AXIS: (u8, u8, u8, u8) = (138, 150, 168, 150);
const BAND: (u8, u8, u8, u8) = (62, 128, 214, 60);
const LINE: (u8, u8, u8, u8) = (62, 128, 214, 255);
const ARRIVAL: (u8, u8, u8, u8) = (45, 160, 75, 255);
const STOCKOUT: (u8, u8, u8, u8) = (220, 60, 50, 255);

/// PNG bytes; `None` when there is nothing to draw.
pub(super) fn draw(line: &PlanLine) -> Option<Vec<u8>> {
    let known = line.sales_60.iter().any(Option::is_some);
    if !known && line.projection.is_empty() {
        return None;
    }
    let mut canvas = Pixmap::new(WIDTH, HEIGHT)?;
    axis(&mut canvas);
    sales(&mut canvas, &line.sales_60);
    projection(&mut canvas, ahead(line), line);
    canvas.encode_png().ok()
}

/// The days of the projection that are drawn.
pub(super) fn ahead(line: &PlanLine) -> &[ProjectedDay] {
    line.projection.get(..MAX_DAYS_AHEAD).unwrap_or(&line.projection)
}

fn ink((red, green, blue, alpha): (u8, u8, u8, u8)) -> Paint<'static> {
    let mut paint = Paint {
        anti_alias: true,
        ..Paint::default()
    };
    paint.set_color(Color::from_rgba8(red, green, blue, alpha));
    paint
}

fn bar(canvas: &mut Pixmap, left: f32, top: f32, width: f32, height: f32, colour: (u8, u8, u8, u8)) {
    if let Some(rect) = Rect::from_xywh(left, top, width, height) {
        canvas.fill_rect(rect, &ink(colour), Transform::identity(), None);
    }
}

fn stroke(canvas: &mut Pixmap, path: PathBuilder, colour: (u8, u8, u8, u8), width: f32, dash: bool) {
    if let Some(path) = path.finish() {
        let stroke = Stroke {
            width,
            line_join: tiny_skia::LineJoin::Round,
            line_cap: tiny_skia::LineCap::Round,
            dash: if dash {
                StrokeDash::new(vec![6.0, 8.0], 0.0)
            } else {
                None
            },
            ..Stroke::default()
        };
        canvas.stroke_path(&path, &ink(colour), &stroke, Transform::identity(), None);
    }
}

fn fill(canvas: &mut Pixmap, path: PathBuilder, colour: (u8, u8, u8, u8)) {
    if let Some(path) = path.finish() {
        canvas.fill_path(
            &path,
            &ink(colour),
            FillRule::Winding,
            Transform::identity(),
            None,
        );
    }
}

fn axis(canvas: &mut Pixmap) {
    let mut ground = PathBuilder::new();
    ground.move_to(LEFT, BASE);
    ground.line_to(RIGHT, BASE);
    stroke(canvas, ground, AXIS, 2.0, false);
    let mut today = PathBuilder::new();
    today.move_to(TODAY, 4.0);
    today.line_to(TODAY, BASE);
    stroke(canvas, today, AXIS, 2.0, true);
}

/// Pixels need no exactness, and the figures beside the picture carry the numbers.
#[expect(clippy::cast_precision_loss, reason = "a height in pixels, not a count")]
fn share(part: i64, whole: i64) -> f32 {
    if whole <= 0 {
        return 0.0;
    }
    (part.max(0) as f32 / whole as f32).min(1.0)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "at most a few hundred days on the axis"
)]
fn step(days: usize, from: f32, to: f32) -> f32 {
    (to - from) / days.max(1) as f32
}

#[expect(
    clippy::cast_precision_loss,
    reason = "at most a few hundred days on the axis"
)]
fn along(from: f32, step: f32, day: usize) -> f32 {
    from + step * day as f32
}

fn sales(canvas: &mut Pixmap, sales: &[Option<i64>]) {
    let peak = sales.iter().copied().flatten().max().unwrap_or(0);
    let width = step(sales.len(), LEFT, TODAY - GAP);
    for (day, units) in sales.iter().enumerate() {
        let left = along(LEFT, width, day);
        match units {
            // A day without data is a pale column over the full height: not a zero.
            None => bar(canvas, left, TOP, width, BASE - TOP - 1.0, NO_DATA),
            Some(units) => {
                let height = share(*units, peak) * (BASE - TOP);
                let height = if *units > 0 { height.max(2.0) } else { height };
                if height > 0.0 {
                    bar(
                        canvas,
                        left + 1.0,
                        BASE - height - 1.0,
                        (width - 2.0).max(1.0),
                        height,
                        BAR,
                    );
                }
            }
        }
    }
}

fn projection(canvas: &mut Pixmap, days: &[ProjectedDay], line: &PlanLine) {
    let Some(first) = days.first() else { return };
    // The fan of outcomes may be cut at the top; the median must not be.
    let median_top = days.iter().map(|day| day.mid).max().unwrap_or(0);
    let top = days
        .iter()
        .map(|day| day.high)
        .max()
        .unwrap_or(0)
        .min(median_top.saturating_mul(2))
        .max(median_top)
        .max(1);
    let from = TODAY + GAP;
    let width = step(days.len().saturating_sub(1), from, RIGHT - 4.0);
    let height = |units: i64| BASE - 1.0 - share(units, top) * (BASE - TOP - 6.0);

    let mut band = PathBuilder::new();
    band.move_to(from, height(first.high));
    for (at, day) in days.iter().enumerate().skip(1) {
        band.line_to(along(from, width, at), height(day.high));
    }
    for (at, day) in days.iter().enumerate().rev() {
        band.line_to(along(from, width, at), height(day.low));
    }
    band.close();
    fill(canvas, band, BAND);

    let mut median = PathBuilder::new();
    median.move_to(from, height(first.mid));
    for (at, day) in days.iter().enumerate().skip(1) {
        median.line_to(along(from, width, at), height(day.mid));
    }
    stroke(canvas, median, LINE, 4.0, false);

    for (at, _) in days.iter().enumerate().filter(|(_, day)| day.arrivals > 0) {
        arrow(canvas, along(from, width, at));
    }
    if let Some(at) = line
        .stockout
        .p50
        .and_then(|date| days.iter().position(|day| day.day == date))
    {
        let (x, y) = (along(from, width, at), BASE - 2.0);
        if let Some(dot) = PathBuilder::from_circle(x, y, 9.0) {
            canvas.fill_path(
                &dot,
                &ink(STOCKOUT),
                FillRule::Winding,
                Transform::identity(),
                None,
            );
        }
    }
}

/// A triangle that stands on the ground line and points up.
fn arrow(canvas: &mut Pixmap, x: f32) {
    let mut path = PathBuilder::new();
    path.move_to(x, BASE - 2.0);
    path.line_to(x - 9.0, BASE + 14.0);
    path.line_to(x + 9.0, BASE + 14.0);
    path.close();
    fill(canvas, path, ARRIVAL);
}
