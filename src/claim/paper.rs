//! A plain paper as PDF, A4: headings, paragraphs and tables that flow over pages. The same text gives the same bytes: no date, no
//! random id, and only the characters that are used of the carried font.

use krilla::SerializeSettings;
use krilla::color::luma;
use krilla::document::Document;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;

use crate::mapping::label::font::{FontError, Fonts, Weight};
use crate::mapping::label::wrap::wrapped;

const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const LEFT: f32 = 56.0;
const RIGHT: f32 = WIDTH - 56.0;
const TOP: f32 = 62.0;
const BOTTOM: f32 = HEIGHT - 64.0;
const BODY: f32 = 9.5;
const GAP: f32 = 10.0;
/// More pages than anybody reads.
const MAX_PAGES: usize = 2_000;

/// A part of a paper.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    Title(String),
    Heading(String),
    Text(String),
    /// Small and grey.
    Note(String),
    /// Rows of cells; the first one is the head. Shares of the width, in hundredths.
    Table {
        shares: Vec<u8>,
        rows: Vec<Vec<String>>,
    },
    Space,
    NewPage,
}

#[derive(Debug, thiserror::Error)]
pub enum PaperError {
    #[error(transparent)]
    Font(#[from] FontError),
    #[error("{0} pages: more than a paper may have")]
    Pages(usize),
    #[error("cannot finish the PDF: {0}")]
    Pdf(String),
}

/// One line at its place on a page.
struct Line {
    x: f32,
    y: f32,
    size: f32,
    weight: Weight,
    grey: u8,
    text: String,
}

enum Mark {
    Line(Line),
    Rule { y: f32, grey: u8 },
}

struct Setter<'a> {
    fonts: &'a Fonts,
    pages: Vec<Vec<Mark>>,
    y: f32,
}

/// The paper as PDF. `foot` stands on every page, before its number.
///
/// # Errors
/// When the carried fonts cannot be read, or the paper is beyond all measure.
pub fn pdf(title: &str, foot: &str, blocks: &[Block]) -> Result<Vec<u8>, PaperError> {
    let fonts = Fonts::built_in()?;
    let mut setter = Setter {
        fonts,
        pages: vec![Vec::new()],
        y: TOP,
    };
    for block in blocks {
        setter.block(block);
    }
    let count = setter.pages.len();
    if count > MAX_PAGES {
        return Err(PaperError::Pages(count));
    }
    let mut document = Document::new_with(SerializeSettings {
        xmp_metadata: false,
        ..SerializeSettings::default()
    });
    document.set_metadata(
        Metadata::new()
            .title(title.to_owned())
            .creator("linkstar".to_owned())
            .producer("linkstar".to_owned())
            .language("zh-CN".to_owned()),
    );
    for (number, marks) in setter.pages.iter().enumerate() {
        let Some(settings) = PageSettings::from_wh(WIDTH, HEIGHT) else {
            continue;
        };
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for mark in marks {
            match mark {
                Mark::Line(line) => draw(&mut surface, fonts, line),
                Mark::Rule { y, grey } => rule(&mut surface, *y, *grey),
            }
        }
        let foot = Line {
            x: LEFT,
            y: HEIGHT - 36.0,
            size: 7.5,
            weight: Weight::Regular,
            grey: 110,
            text: drawable(fonts, &format!("{foot}  ·  {} / {count}", number + 1)),
        };
        draw(&mut surface, fonts, &foot);
        surface.finish();
        page.finish();
    }
    document
        .finish()
        .map_err(|error| PaperError::Pdf(format!("{error:?}")))
}

fn ink(surface: &mut Surface<'_>, grey: u8) {
    surface.set_fill(Some(Fill {
        paint: luma::Color::new(grey).into(),
        ..Fill::default()
    }));
}

fn draw(surface: &mut Surface<'_>, fonts: &Fonts, line: &Line) {
    if line.text.is_empty() {
        return;
    }
    let face = fonts.face(line.weight);
    ink(surface, line.grey);
    surface.draw_glyphs(
        Point::from_xy(line.x, line.y),
        &face.line(&line.text),
        face.font.clone(),
        &line.text,
        line.size,
        false,
    );
}

fn rule(surface: &mut Surface<'_>, y: f32, grey: u8) {
    let mut path = PathBuilder::new();
    if let Some(rect) = Rect::from_xywh(LEFT, y, RIGHT - LEFT, 0.6) {
        path.push_rect(rect);
    }
    if let Some(path) = path.finish() {
        ink(surface, grey);
        surface.draw_path(&path);
    }
}

/// What the font lacks is named by its number: a name of a file may hold anything.
fn drawable(fonts: &Fonts, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let mut one = [0; 4];
        if c == '\n' || fonts.missing(c.encode_utf8(&mut one)).is_none() {
            out.push(c);
        } else {
            out.push_str(&format!("<U+{:04X}>", u32::from(c)));
        }
    }
    out
}

impl Setter<'_> {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Title(text) => {
                self.paragraph(text, 17.0, Weight::Bold, 0);
                self.mark(Mark::Rule {
                    y: self.y - 4.0,
                    grey: 0,
                });
                self.y += GAP;
            }
            Block::Heading(text) => {
                // A heading does not stand alone at the end of a page.
                self.need(60.0);
                self.y += 6.0;
                self.paragraph(text, 11.5, Weight::Bold, 0);
                self.y += 2.0;
            }
            Block::Text(text) => {
                self.paragraph(text, BODY, Weight::Regular, 0);
                self.y += 4.0;
            }
            Block::Note(text) => {
                self.paragraph(text, 8.0, Weight::Regular, 90);
                self.y += 3.0;
            }
            Block::Table { shares, rows } => self.table(shares, rows),
            Block::Space => self.y += GAP,
            Block::NewPage => self.new_page(),
        }
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    fn new_page(&mut self) {
        self.pages.push(Vec::new());
        self.y = TOP;
    }

    fn need(&mut self, height: f32) {
        if self.y + height > BOTTOM && self.y > TOP {
            self.new_page();
        }
    }

    fn paragraph(&mut self, text: &str, size: f32, weight: Weight, grey: u8) {
        let step = size * 1.5;
        for line in wrap(self.fonts, text, size, weight, RIGHT - LEFT) {
            self.need(step);
            self.y += step;
            let y = self.y - size * 0.45;
            self.mark(Mark::Line(Line {
                x: LEFT,
                y,
                size,
                weight,
                grey,
                text: line,
            }));
        }
    }

    fn table(&mut self, shares: &[u8], rows: &[Vec<String>]) {
        const SIZE: f32 = 8.5;
        const STEP: f32 = SIZE * 1.45;
        const PAD: f32 = 6.0;
        let whole: f32 = shares.iter().map(|share| f32::from(*share)).sum::<f32>().max(1.0);
        let widths: Vec<f32> = shares
            .iter()
            .map(|share| (RIGHT - LEFT) * f32::from(*share) / whole)
            .collect();
        for (number, row) in rows.iter().enumerate() {
            let weight = if number == 0 {
                Weight::Bold
            } else {
                Weight::Regular
            };
            let cells: Vec<Vec<String>> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| wrap(self.fonts, cell, SIZE, weight, width - PAD))
                .collect();
            let lines = cells.iter().map(Vec::len).max().unwrap_or(0);
            #[expect(clippy::cast_precision_loss, reason = "a row has a few lines")]
            let height = lines as f32 * STEP + PAD;
            // A row higher than a page is cut like a paragraph.
            self.need(height.min(BOTTOM - TOP));
            let top = self.y;
            for place in 0..lines {
                self.need(STEP);
                self.y += STEP;
                let mut x = LEFT;
                for (cell, width) in cells.iter().zip(&widths) {
                    if let Some(text) = cell.get(place) {
                        let y = self.y - SIZE * 0.2;
                        self.mark(Mark::Line(Line {
                            x,
                            y,
                            size: SIZE,
                            weight,
                            grey: 0,
                            text: text.clone(),
                        }));
                    }
                    x += width;
                }
            }
            self.y = self.y.max(top) + PAD * 0.7;
            self.mark(Mark::Rule {
                y: self.y,
                grey: if number == 0 { 60 } else { 210 },
            });
            self.y += PAD * 0.3;
        }
        self.y += 6.0;
    }
}

/// Lines that fit, in characters the font has.
fn wrap(fonts: &Fonts, text: &str, size: f32, weight: Weight, width: f32) -> Vec<String> {
    wrapped(fonts.face(weight), &drawable(fonts, text), size, width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::label::pdf::page_count;

    #[test]
    fn the_same_text_gives_the_same_bytes_and_long_text_flows_over_pages() {
        let mut blocks = vec![Block::Title("索赔 Claim".to_owned())];
        blocks.extend((0..200).map(|n| Block::Text(format!("第 {n} 段 paragraph, 货物少收 short receipt"))));
        let bytes = pdf("t", "foot", &blocks).unwrap();
        assert!(page_count(&bytes).is_some_and(|pages| pages > 2));
        assert_eq!(bytes, pdf("t", "foot", &blocks).unwrap());
        let few = pdf("t", "foot", &blocks[..2]).unwrap();
        assert!(few.len() < 40_000, "{} bytes: the font is a subset", few.len());
    }

    #[test]
    fn lines_break_between_words_and_a_word_wider_than_the_line_is_cut() {
        let fonts = Fonts::built_in().unwrap();
        let lines = wrap(
            fonts,
            "one two three 四五六七\u{ff0c}八",
            10.0,
            Weight::Regular,
            50.0,
        );
        assert_eq!(lines.concat().replace(' ', ""), "onetwothree四五六七\u{ff0c}八");
        assert!(
            lines.iter().all(|line| !line.starts_with('\u{ff0c}')),
            "{lines:?}"
        );
        let long = wrap(fonts, &"x".repeat(60), 10.0, Weight::Regular, 50.0);
        assert!(long.len() > 4 && long.concat().len() == 60);
    }

    #[test]
    fn a_character_the_font_lacks_is_named() {
        let fonts = Fonts::built_in().unwrap();
        assert_eq!(drawable(fonts, "a📦\u{7}"), "a<U+1F4E6><U+0007>");
    }
}
