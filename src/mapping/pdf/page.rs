//! Rows of a page of ours, set on A4: lines broken by the font's own widths, rows kept whole, and a table's titles over its rows
//! on every page and over nothing else.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::mapping::label::font::{Fonts, Weight};
use crate::mapping::label::ink::{Area, Drawing, Ink, POINTS_PER_MM};
use crate::mapping::label::wrap::wrapped;
use crate::mapping::value::Scope;
use crate::mapping::xlsx::Want;
use crate::mapping::xlsx::fresh::layout::{Look, PageCell, PageRow, Rows};
use crate::mapping::xlsx::fresh::{Align, TextLook, XlsxNew};
use crate::problem::Problem;

// All measures here are points, as the fonts' are; only what is drawn is in millimetres.
const SHORT: f32 = 595.28;
const LONG: f32 = 841.89;
const SIDE: f32 = 34.0;
const TOP: f32 = 36.0;
const FOOT: f32 = 44.0;
const PAD: f32 = 4.0;
/// Lines are so much further apart than letters are high.
const LEADING: f32 = 1.32;
const RULE: f32 = 0.5;
/// A character of a spreadsheet's column, which its widths are counted in, at the usual font.
const CHARACTER: f32 = 5.25;
const MAX_PAGES: usize = 2_000;

const INK: u8 = 25;
const MUTED: u8 = 95;
const LINE: u8 = 175;
const HEADER_GROUND: u8 = 232;
const TOTAL_GROUND: u8 = 244;

/// One line of text at its place, in millimetres from the upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub x: f32,
    pub y: f32,
    pub text: String,
    pub field: String,
}

#[derive(Debug, Default)]
pub(super) struct Page {
    pub drawing: Drawing,
    pub lines: Vec<Line>,
}

#[derive(Debug)]
pub(super) struct Laid {
    pub title: String,
    pub pages: Vec<Page>,
}

/// A cell whose text is broken into lines.
struct Cell {
    x: f32,
    width: f32,
    lines: Vec<String>,
    look: Look,
    align: Align,
    size: f32,
    field: String,
}

impl Cell {
    fn weight(&self) -> Weight {
        match self.look.is_bold() {
            true => Weight::Bold,
            false => Weight::Regular,
        }
    }

    fn text_height(&self) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "a cell has a few lines")]
        let lines = self.lines.len() as f32;
        lines * self.size * LEADING
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Free,
    /// Belongs to the titles after it.
    Heading,
    Titles,
    Body,
    Total,
}

struct Row {
    sheet: usize,
    height: f32,
    kind: Kind,
    cells: Vec<Cell>,
}

/// The columns and letters of a page, brought to its width.
struct Grid<'a> {
    page: &'a XlsxNew,
    fonts: &'a Fonts,
    file: &'a str,
    width: f32,
    height: f32,
    scale: f32,
}

/// # Errors
/// Everything that is missing or cannot be set, all at once.
pub(super) fn set(
    page: &XlsxNew,
    file: &str,
    scope: &Scope<'_>,
    fonts: &Fonts,
) -> Result<Laid, Vec<Problem>> {
    let (width, height) = match page.landscape {
        true => (LONG, SHORT),
        false => (SHORT, LONG),
    };
    #[expect(clippy::cast_possible_truncation, reason = "the width of a page")]
    let asked = page.widths.iter().sum::<f64>() as f32 * CHARACTER;
    let grid = Grid {
        page,
        fonts,
        file,
        width,
        height,
        scale: ((width - 2.0 * SIDE) / asked.max(1.0)).min(1.0),
    };
    let mut rows: Vec<Row> = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    let mut collect = |row: &PageRow<'_>| {
        rows.push(grid.row(row, &mut problems));
        Ok(())
    };
    let laid = page.lay_out(file, scope, Rows::OfModel, &mut collect)?;
    problems.extend(laid.wrong_totals(file, &page.sheet));
    let title = page.title.fill(scope).ok().flatten().unwrap_or_default();
    problems.extend(grid.unprintable(&title, "title", 0));
    if !problems.is_empty() {
        return Err(problems);
    }
    mark_headings(&mut rows);
    let pages = grid.flow(&rows, &title);
    if pages.len() > MAX_PAGES {
        let wanted = format!("at most {MAX_PAGES} pages");
        let found = pages.len().to_string();
        return Err(vec![Problem::new(file, "", "pages", found, wanted)]);
    }
    Ok(Laid { title, pages })
}

/// A strong line right above titles is their heading and stays with them.
fn mark_headings(rows: &mut [Row]) {
    for place in 1..rows.len() {
        if let [above, titles] = &mut rows[place - 1..=place]
            && titles.kind == Kind::Titles
            && above.sheet == titles.sheet
            && let [cell] = above.cells.as_slice()
            && cell.look == Look::Text(TextLook::Strong)
        {
            above.kind = Kind::Heading;
        }
    }
}

/// A number as its format shows it. Halves go away from zero, as a spreadsheet rounds.
fn shown(number: Decimal, format: Option<&str>) -> String {
    let Some(format) = format else {
        return number.normalize().to_string();
    };
    let (whole, places) = format.split_once('.').unwrap_or((format, ""));
    let count = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX);
    let (most, least) = (count(places), count(places.trim_end_matches('#')));
    let rounded = number.round_dp_with_strategy(most, RoundingStrategy::MidpointAwayFromZero);
    let mut rounded = rounded.normalize();
    if rounded.scale() < least {
        rounded.rescale(least);
    }
    let text = rounded.to_string();
    if !whole.contains(',') {
        return text;
    }
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |digits| ("-", digits));
    let (integer, fraction) = digits
        .split_once('.')
        .map_or((digits, None), |(a, b)| (a, Some(b)));
    let mut grouped = String::new();
    for (place, digit) in integer.chars().enumerate() {
        if place > 0 && (integer.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{sign}{grouped}.{fraction}"),
        None => format!("{sign}{grouped}"),
    }
}

impl Grid<'_> {
    /// Left edge of a column's cells; one beyond the last column is the right edge of the page's room.
    fn edge(&self, column: u32) -> f32 {
        let before = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
        let all: f64 = self.page.widths.iter().sum();
        let left: f64 = self.page.widths.iter().take(before).sum();
        #[expect(clippy::cast_possible_truncation, reason = "a share of one page")]
        let share = (left / all.max(f64::MIN_POSITIVE)) as f32;
        SIDE + share * (self.width - 2.0 * SIDE)
    }

    fn unprintable(&self, text: &str, field: &str, row: u32) -> Option<Problem> {
        let missing = text.split('\n').find_map(|line| self.fonts.missing(line))?;
        let field = field.replace('\n', " ");
        let found = format!("{text} (U+{:04X})", u32::from(missing));
        let wanted = "characters that the carried font has (GB 2312 and Latin)";
        Some(Problem::new(
            self.file,
            format!("row {row}"),
            field,
            found,
            wanted,
        ))
    }

    fn row(&self, row: &PageRow<'_>, problems: &mut Vec<Problem>) -> Row {
        let cells: Vec<Cell> = row
            .cells
            .iter()
            .map(|cell| self.cell(cell, row.no, problems))
            .collect();
        let kind = match cells.first().map(|cell| cell.look) {
            Some(Look::Header) => Kind::Titles,
            Some(Look::Cell) => Kind::Body,
            Some(Look::Total) => Kind::Total,
            _ => Kind::Free,
        };
        let texts = cells.iter().map(|cell| {
            let room = if cell.look.is_boxed() { 2.0 * PAD } else { PAD };
            cell.text_height() + room * self.scale
        });
        #[expect(clippy::cast_possible_truncation, reason = "a gap of a few points")]
        let gap = row.height.unwrap_or_default() as f32 * self.scale;
        let height = texts.reduce(f32::max).unwrap_or(gap);
        if height > self.room() {
            let found = format!("{height:.0} points high");
            let wanted = "a row that fits on a page";
            problems.push(Problem::new(
                self.file,
                format!("row {}", row.no),
                "",
                found,
                wanted,
            ));
        }
        Row {
            sheet: row.sheet,
            height,
            kind,
            cells,
        }
    }

    fn room(&self) -> f32 {
        self.height - TOP - FOOT
    }

    fn cell(&self, cell: &PageCell<'_>, row: u32, problems: &mut Vec<Problem>) -> Cell {
        let text = match &cell.want {
            Want::Number(number) => shown(*number, cell.style.format),
            other => other.shown(),
        };
        problems.extend(self.unprintable(&text, cell.field, row));
        let x = self.edge(cell.columns.from);
        let look = cell.style.look;
        #[expect(clippy::cast_possible_truncation, reason = "the size of a letter")]
        let mut size = look.points() as f32 * self.scale.max(0.8);
        let mut set = Cell {
            x,
            width: self.edge(cell.columns.to + 1) - x,
            lines: Vec::new(),
            look,
            align: cell.style.align,
            size,
            field: cell.field.to_owned(),
        };
        let room = (set.width - 2.0 * PAD * self.scale).max(1.0);
        let face = self.fonts.face(set.weight());
        set.lines = match &cell.want {
            Want::Empty => Vec::new(),
            // A number is never broken; a long one is set smaller.
            Want::Number(_) | Want::Date(_) => {
                let wide = face.width(&text, size);
                if wide > room {
                    size *= room / wide;
                }
                vec![text]
            }
            Want::Text(_) => wrapped(face, &text, size, room),
        };
        set.size = size;
        set
    }

    /// Rows onto pages.
    fn flow(&self, rows: &[Row], title: &str) -> Vec<Page> {
        let mut pages = vec![Page::default()];
        let bottom = self.height - FOOT;
        let (mut y, mut sheet) = (TOP, 0);
        let mut titles: Option<&Row> = None;
        for (no, row) in rows.iter().enumerate() {
            match row.kind {
                Kind::Titles => titles = Some(row),
                Kind::Free | Kind::Heading => titles = None,
                Kind::Body | Kind::Total => {}
            }
            let full = y + needed(rows.get(no..).unwrap_or_default()) > bottom && y > TOP;
            if full || row.sheet != sheet {
                pages.push(Page::default());
                sheet = row.sheet;
                y = TOP;
                if let (Kind::Body | Kind::Total, Some(titles), Some(page)) =
                    (row.kind, titles, pages.last_mut())
                {
                    self.draw(page, titles, y);
                    y += titles.height;
                }
            }
            // White space at the top of a page is nobody's.
            if row.cells.is_empty() && y <= TOP {
                continue;
            }
            if let Some(page) = pages.last_mut() {
                self.draw(page, row, y);
            }
            y += row.height;
        }
        let count = pages.len();
        for (no, page) in pages.iter_mut().enumerate() {
            page.drawing.width_mm = self.width / POINTS_PER_MM;
            page.drawing.height_mm = self.height / POINTS_PER_MM;
            self.foot(page, title, &format!("{} / {count}", no + 1));
        }
        pages
    }

    fn foot(&self, page: &mut Page, title: &str, number: &str) {
        let size = 7.5;
        let baseline = self.height - FOOT * 0.5;
        let wide = self.fonts.face(Weight::Regular).width(number, size);
        for (x, text) in [(SIDE, title), (self.width - SIDE - wide, number)] {
            line(page, (x, baseline), (size, Weight::Regular, MUTED), text, "foot");
        }
    }

    fn draw(&self, page: &mut Page, row: &Row, top: f32) {
        for cell in &row.cells {
            if cell.look.is_boxed() {
                frame(page, cell, top, row.height);
            }
            let face = self.fonts.face(cell.weight());
            let centred = match cell.look {
                Look::Header | Look::Cell | Look::Total => (row.height - cell.text_height()) / 2.0,
                Look::Text(_) | Look::Label | Look::Value => 0.0,
            };
            let pad = PAD * self.scale;
            let grey = if cell.look.is_muted() { MUTED } else { INK };
            let mut baseline = top + centred + cell.size * 1.02;
            for text in &cell.lines {
                let spare = cell.width - face.width(text, cell.size);
                let x = match cell.align {
                    Align::Left => cell.x + pad,
                    Align::Center => cell.x + spare / 2.0,
                    Align::Right => cell.x + spare - pad,
                };
                line(
                    page,
                    (x, baseline),
                    (cell.size, cell.weight(), grey),
                    text,
                    &cell.field,
                );
                baseline += cell.size * LEADING;
            }
        }
    }
}

/// Height of a row with those that may not be parted from it: titles and a heading from the row below, the last row from its total.
fn needed(rows: &[Row]) -> f32 {
    let mut height = 0.0;
    for (place, row) in rows.iter().enumerate() {
        height += row.height;
        let next = rows.get(place + 1).map(|row| row.kind);
        let keeps = match row.kind {
            Kind::Heading | Kind::Titles => true,
            Kind::Body => next == Some(Kind::Total),
            Kind::Free | Kind::Total => false,
        };
        if !keeps {
            break;
        }
    }
    height
}

fn line(
    page: &mut Page,
    (x, y): (f32, f32),
    (size, weight, grey): (f32, Weight, u8),
    text: &str,
    field: &str,
) {
    if text.is_empty() {
        return;
    }
    let (x, baseline) = (x / POINTS_PER_MM, y / POINTS_PER_MM);
    page.drawing.inks.push(Ink::Text {
        text: text.to_owned(),
        x,
        baseline,
        size,
        weight,
        grey,
    });
    page.lines.push(Line {
        x,
        y: baseline,
        text: text.to_owned(),
        field: field.to_owned(),
    });
}

fn frame(page: &mut Page, cell: &Cell, top: f32, height: f32) {
    let area = |x: f32, y: f32, width: f32, height: f32| Area {
        x: x / POINTS_PER_MM,
        y: y / POINTS_PER_MM,
        width: width / POINTS_PER_MM,
        height: height / POINTS_PER_MM,
    };
    let ground = match cell.look {
        Look::Header => Some(HEADER_GROUND),
        Look::Total => Some(TOTAL_GROUND),
        _ => None,
    };
    if let Some(grey) = ground {
        let areas = vec![area(cell.x, top, cell.width, height)];
        page.drawing.inks.push(Ink::Fill { areas, grey });
    }
    let (left, right) = (cell.x - RULE / 2.0, cell.x + cell.width - RULE / 2.0);
    let areas = vec![
        area(left, top - RULE / 2.0, cell.width + RULE, RULE),
        area(left, top + height - RULE / 2.0, cell.width + RULE, RULE),
        area(left, top, RULE, height),
        area(right, top, RULE, height),
    ];
    page.drawing.inks.push(Ink::Fill { areas, grey: LINE });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_their_format_says() {
        let cases = [
            ("1234567", Some("#,##0"), "1,234,567"),
            ("-1234.5", Some("#,##0.000"), "-1,234.500"),
            ("0.0005", Some("0.000"), "0.001"),
            ("12.5", Some("#,##0.00##"), "12.50"),
            ("12.34567", Some("#,##0.00##"), "12.3457"),
            ("999.9995", Some("#,##0.000"), "1,000.000"),
            ("11", Some("0"), "11"),
            ("2.50", None, "2.5"),
        ];
        for (number, format, wanted) in cases {
            assert_eq!(
                shown(number.parse().unwrap(), format),
                wanted,
                "{number} as {format:?}"
            );
        }
    }
}
