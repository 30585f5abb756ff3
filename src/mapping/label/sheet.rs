//! The drawing of one carton mark: measures in millimetres, text fitted to its cell, bars on the printer's dots.

use krilla::color::luma;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::paint::Fill;
use krilla::surface::Surface;

use super::code128;
use super::font::{Fonts, Weight};

/// Everything a mark says, as text that is ready to print.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mark {
    pub destination: String,
    pub destination_note: String,
    pub order_no: String,
    pub inbound_no: Option<String>,
    pub carton_no: String,
    pub carton_count: String,
    pub contents: Vec<Content>,
    pub units: String,
    pub net: String,
    pub gross: String,
    pub dims: String,
    pub origin: String,
    pub consignee: String,
    pub mark_code: String,
    pub sku_code: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    pub sku: String,
    pub name_zh: String,
    pub name_en: String,
    pub units: String,
}

impl Mark {
    /// Every printed text with its field, for checks that concern characters.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let contents = self.contents.iter().flat_map(|row| {
            [
                ("contents.sku", row.sku.as_str()),
                ("contents.name_zh", &row.name_zh),
                ("contents.name_en", &row.name_en),
                ("contents.units", &row.units),
            ]
        });
        [
            ("destination", self.destination.as_str()),
            ("destination_note", &self.destination_note),
            ("order_no", &self.order_no),
            ("inbound_no", self.inbound_no.as_deref().unwrap_or_default()),
            ("carton_no", &self.carton_no),
            ("carton_count", &self.carton_count),
            ("units", &self.units),
            ("net", &self.net),
            ("gross", &self.gross),
            ("dims", &self.dims),
            ("origin", &self.origin),
            ("consignee", &self.consignee),
            ("mark_code", &self.mark_code),
            ("sku_code", self.sku_code.as_deref().unwrap_or_default()),
        ]
        .into_iter()
        .chain(contents)
    }
}

/// Why a mark cannot be drawn: the field, what it holds, what would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    pub field: &'static str,
    pub found: String,
    pub wanted: String,
}

pub const PAGE_WIDTH_MM: f32 = 100.0;
pub const PAGE_HEIGHT_MM: f32 = 150.0;

const POINTS_PER_MM: f32 = 72.0 / 25.4;
/// Thermal label printers print 203 dots an inch; a bar that is not whole dots wide blurs.
const DOT_MM: f32 = 25.4 / 203.0;
/// Widest and narrowest module: 0.5 mm down to 0.25 mm, the least that a hand scanner reads from half a metre.
const MODULE_DOTS: std::ops::RangeInclusive<u16> = 2..=4;
const QUIET_MODULES: usize = 10;
const LEFT: f32 = 4.0;
const RIGHT: f32 = 96.0;
/// What the widest barcode may take, quiet zones included (they may reach into the margin).
const CODE_WIDTH_MM: f32 = 98.0;
/// Rows of a mixed carton that stay readable; what is beyond is counted and left to the packing list.
const MAX_ROWS: usize = 6;

struct Canvas<'a, 'b> {
    surface: &'a mut Surface<'b>,
    fonts: &'a Fonts,
    misfits: Vec<Misfit>,
}

/// A cell to fit a text into.
#[derive(Clone, Copy)]
struct Cell {
    x: f32,
    /// Baseline of the (first) line.
    y: f32,
    width: f32,
    max: f32,
    min: f32,
    weight: Weight,
    align: Align,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Centre,
    Right,
}

/// Draws one mark and says what did not fit; the page is only worth keeping when the list is empty.
pub fn draw(surface: &mut Surface<'_>, fonts: &Fonts, mark: &Mark) -> Vec<Misfit> {
    let mut canvas = Canvas {
        surface,
        fonts,
        misfits: Vec::new(),
    };
    canvas.head(mark);
    canvas.numbers(mark);
    canvas.contents(mark);
    canvas.figures(mark);
    canvas.codes(mark);
    canvas.misfits
}

impl Canvas<'_, '_> {
    fn head(&mut self, mark: &Mark) {
        self.caption("目的仓 DESTINATION", LEFT, 6.6);
        let wide = Cell {
            x: LEFT,
            y: 25.5,
            width: 59.0,
            max: 68.0,
            min: 16.0,
            weight: Weight::Bold,
            align: Align::Left,
        };
        self.id("destination", &mark.destination, wide);
        let note = Cell {
            x: LEFT,
            y: 31.2,
            width: 59.0,
            max: 11.0,
            min: 6.0,
            weight: Weight::Regular,
            align: Align::Left,
        };
        self.prose(&mark.destination_note, note);
        // The carton's number in reverse: the one thing looked for when counting a stack.
        self.fill(65.0, 3.0, 32.0, 29.5, 0);
        let white = |y, max| Cell {
            x: 66.5,
            y,
            width: 29.0,
            max,
            min: 8.0,
            weight: Weight::Bold,
            align: Align::Centre,
        };
        self.ink(255);
        self.text("箱号 CARTON", white(7.4, 8.0), 8.0);
        self.id("carton_no", &mark.carton_no, white(22.0, 46.0));
        self.id(
            "carton_count",
            &format!("/ {}", mark.carton_count),
            white(30.6, 21.0),
        );
        self.ink(0);
        self.rule(34.0, 0.6);
    }

    fn numbers(&mut self, mark: &Mark) {
        let cell = |x, width| Cell {
            x,
            y: 44.2,
            width,
            max: 19.0,
            min: 7.0,
            weight: Weight::Bold,
            align: Align::Left,
        };
        self.caption("备货单号 ORDER NO.", LEFT, 37.2);
        match &mark.inbound_no {
            Some(inbound) => {
                self.id("order_no", &mark.order_no, cell(LEFT, 44.5));
                self.caption("入库单号 INBOUND NO.", 51.0, 37.2);
                self.id("inbound_no", inbound, cell(51.0, 45.0));
                self.fill(49.6, 34.6, 0.3, 11.9, 0);
            }
            None => self.id("order_no", &mark.order_no, cell(LEFT, RIGHT - LEFT)),
        }
        self.rule(46.5, 0.3);
    }

    fn contents(&mut self, mark: &Mark) {
        if let [only] = mark.contents.as_slice() {
            self.caption("货号 SKU", LEFT, 49.8);
            self.wrapped_id("contents.sku", &only.sku, LEFT, 57.4, RIGHT - LEFT, 24.0);
            let name = |y, max, weight| Cell {
                x: LEFT,
                y,
                width: RIGHT - LEFT,
                max,
                min: 8.0,
                weight,
                align: Align::Left,
            };
            self.prose(&only.name_zh, name(67.2, 15.0, Weight::Bold));
            self.prose(&only.name_en, name(72.6, 11.0, Weight::Regular));
        } else {
            self.caption("货号 SKU", LEFT, 49.5);
            self.caption("品名 DESCRIPTION", 40.0, 49.5);
            self.caption("数量 QTY", 86.0, 49.5);
            let beyond = mark.contents.len().saturating_sub(MAX_ROWS);
            let shown = if beyond > 0 { MAX_ROWS - 1 } else { MAX_ROWS };
            let mut y = 54.3;
            for row in mark.contents.iter().take(shown) {
                let cell = |x, width, max, weight, align| Cell {
                    x,
                    y,
                    width,
                    max,
                    min: 5.0,
                    weight,
                    align,
                };
                self.id(
                    "contents.sku",
                    &row.sku,
                    cell(LEFT, 35.0, 12.0, Weight::Bold, Align::Left),
                );
                let name = [row.name_zh.as_str(), row.name_en.as_str()].join(" ");
                self.prose(name.trim(), cell(40.0, 45.0, 9.0, Weight::Regular, Align::Left));
                self.id(
                    "contents.units",
                    &row.units,
                    cell(86.0, 10.0, 13.0, Weight::Bold, Align::Right),
                );
                y += 4.0;
            }
            if beyond > 0 {
                let count = mark.contents.len() - shown;
                let cell = Cell {
                    x: LEFT,
                    y,
                    width: 92.0,
                    max: 9.0,
                    min: 7.0,
                    weight: Weight::Bold,
                    align: Align::Left,
                };
                self.prose(
                    &format!("另有 {count} 个货号，见装箱单 · {count} more SKUs, see packing list"),
                    cell,
                );
            }
        }
        self.rule(75.0, 0.3);
    }

    fn figures(&mut self, mark: &Mark) {
        let columns = [
            ("数量 QTY", "units", &mark.units, 4.0, 15.0, 26.0),
            ("净重 N.W. kg", "net", &mark.net, 21.0, 19.0, 18.0),
            ("毛重 G.W. kg", "gross", &mark.gross, 42.0, 19.0, 18.0),
            ("长×宽×高 L×W×H cm", "dims", &mark.dims, 63.0, 33.5, 18.0),
        ];
        for (caption, field, value, x, width, max) in columns {
            self.caption(caption, x, 78.2);
            self.id(
                field,
                value,
                Cell {
                    x,
                    y: 86.2,
                    width,
                    max,
                    min: 7.0,
                    weight: Weight::Bold,
                    align: Align::Left,
                },
            );
        }
        self.rule(88.6, 0.3);
        let cell = |x, width, align| Cell {
            x,
            y: 94.8,
            width,
            max: 15.0,
            min: 6.0,
            weight: Weight::Bold,
            align,
        };
        self.id("origin", &mark.origin, cell(LEFT, 45.0, Align::Left));
        self.prose(&mark.consignee, cell(50.0, 46.0, Align::Right));
        self.rule(97.4, 0.6);
    }

    fn codes(&mut self, mark: &Mark) {
        match &mark.sku_code {
            Some(sku) => {
                self.barcode("mark_code", &mark.mark_code, 99.5, 22.0, 14.0);
                self.barcode("sku_code", sku, 131.5, 11.0, 10.0);
            }
            None => self.barcode("mark_code", &mark.mark_code, 101.0, 34.0, 18.0),
        }
    }

    fn barcode(&mut self, field: &'static str, code: &str, top: f32, height: f32, text_size: f32) {
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
    fn id(&mut self, field: &'static str, text: &str, cell: Cell) {
        match self.fit(text, cell) {
            Some(size) => self.text(text, cell, size),
            None => self.misfit(field, text, format!("a text that fits into {} mm", cell.width)),
        }
    }

    /// An identifying text in one line, or in two of the smaller size.
    fn wrapped_id(&mut self, field: &'static str, text: &str, x: f32, y: f32, width: f32, max: f32) {
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
    fn prose(&mut self, text: &str, cell: Cell) {
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
    fn fit(&self, text: &str, cell: Cell) -> Option<f32> {
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

    fn text(&mut self, text: &str, cell: Cell, size: f32) {
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

    fn caption(&mut self, text: &str, x: f32, y: f32) {
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

    fn misfit(&mut self, field: &'static str, found: &str, wanted: String) {
        self.misfits.push(Misfit {
            field,
            found: found.to_owned(),
            wanted,
        });
    }

    fn rule(&mut self, y: f32, height: f32) {
        self.fill(3.0, y, 94.0, height, 0);
    }

    fn fill(&mut self, x: f32, y: f32, width: f32, height: f32, grey: u8) {
        let mut path = PathBuilder::new();
        if let Some(rect) = rectangle(x, y, width, height) {
            path.push_rect(rect);
        }
        if let Some(path) = path.finish() {
            self.ink(grey);
            self.surface.draw_path(&path);
        }
    }

    fn ink(&mut self, grey: u8) {
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
