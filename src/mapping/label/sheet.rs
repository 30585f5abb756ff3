//! The layout of one carton mark, 100 × 150 mm.

use super::canvas::{Align, Canvas, Cell, Ground};
use super::font::{Fonts, Weight};
use super::ink::{Drawing, Misfit};

const WIDTH_MM: f32 = 100.0;
const HEIGHT_MM: f32 = 150.0;
const LEFT: f32 = 4.0;
const RIGHT: f32 = 96.0;

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
    /// Lot; empty where the goods have none.
    pub batch: String,
}

/// Rows of a mixed carton that stay readable; what is beyond is counted and left to the packing list.
const MAX_ROWS: usize = 6;

/// Draws one mark and says what did not fit; the drawing is only worth keeping when the list is empty.
pub fn draw(fonts: &Fonts, mark: &Mark) -> (Drawing, Vec<Misfit>) {
    let mut canvas = Canvas::new(WIDTH_MM, HEIGHT_MM, fonts);
    canvas.head(mark);
    canvas.numbers(mark);
    canvas.contents(mark);
    canvas.figures(mark);
    canvas.codes(mark);
    (canvas.drawing, canvas.misfits)
}

impl Canvas<'_> {
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
        self.prose("destination_note", &mark.destination_note, note);
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
            if !only.batch.is_empty() {
                let lot = Cell {
                    x: 40.0,
                    y: 50.6,
                    width: 56.0,
                    max: 12.0,
                    min: 6.0,
                    weight: Weight::Bold,
                    align: Align::Right,
                };
                self.id("contents.batch", &format!("批号 LOT {}", only.batch), lot);
            }
            self.wrapped_id("contents.sku", &only.sku, LEFT, 58.3, RIGHT - LEFT, 24.0);
            let name = |y, max, weight| Cell {
                x: LEFT,
                y,
                width: RIGHT - LEFT,
                max,
                min: 8.0,
                weight,
                align: Align::Left,
            };
            self.prose("contents.name_zh", &only.name_zh, name(67.2, 15.0, Weight::Bold));
            self.prose(
                "contents.name_en",
                &only.name_en,
                name(72.6, 11.0, Weight::Regular),
            );
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
                // A lot identifies and is never cut: the name makes room for it.
                let width = if row.batch.is_empty() { 45.0 } else { 18.0 };
                self.prose(
                    "contents.name",
                    name.trim(),
                    cell(40.0, width, 9.0, Weight::Regular, Align::Left),
                );
                if !row.batch.is_empty() {
                    self.id(
                        "contents.batch",
                        &format!("LOT {}", row.batch),
                        cell(59.0, 26.0, 9.0, Weight::Bold, Align::Left),
                    );
                }
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
                    "contents",
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
        self.prose("consignee", &mark.consignee, cell(50.0, 46.0, Align::Right));
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

    /// Bars across the whole mark (their quiet zones may reach into the margin), and below them what they say.
    fn barcode(&mut self, field: &'static str, code: &str, top: f32, height: f32, text_size: f32) {
        let ground = Ground {
            x: 1.0,
            width: 98.0,
            top,
            height,
        };
        self.bars(field, code, ground);
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
}
