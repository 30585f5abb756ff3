//! A chart as what stands on it, whatever it is written as.

/// Size of every chart, in units of which a reader's screen shows one as a pixel.
pub(super) const WIDTH: f64 = 760.0;
pub(super) const HEIGHT: f64 = 380.0;
/// Height of the letters.
pub(super) const LETTERS: f64 = 12.0;
pub(super) const DOT: f64 = 4.5;
/// Of a dashed line: drawn, left out.
pub(super) const DASH: (f64, f64) = (5.0, 4.0);
/// Of a faint line: how much of its ink covers the ground.
pub(super) const FAINT: f64 = 0.6;

/// Red, green and blue, a byte each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ink(pub u32);

/// Which point of a text its place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Line {
        points: Vec<(f64, f64)>,
        ink: Ink,
        width: f64,
        dashed: bool,
        faint: bool,
    },
    Dot {
        x: f64,
        y: f64,
        ink: Ink,
    },
    Text {
        x: f64,
        /// Of the line the letters stand on.
        y: f64,
        anchor: Anchor,
        ink: Ink,
        text: String,
    },
}

/// On white, later shapes over earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Picture {
    pub title: String,
    pub shapes: Vec<Shape>,
}
