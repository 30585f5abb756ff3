//! Surgery on one sheet part: cells and rows change, every other byte stays.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::Event;

use super::address::{Area, At};
use super::cell::Want;
use super::formula::Growth;
use super::package::{PackageError, attributes};

const MAX_CELLS: usize = 2_000_000;

#[derive(Debug, Clone)]
struct Formula {
    /// Text as it stands (unescaped); empty for a follower of a shared formula.
    text: String,
    shared: Option<String>,
    /// The range of an array formula or a data table: it belongs together.
    bound: Option<Bound>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bound {
    area: Area,
    kind: BoundKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BoundKind {
    /// Entered as an array: its range is its own for good.
    Array,
    /// Spills as far as its results reach; the range is how far they did when the file was saved.
    Spill,
    DataTable,
}

impl Bound {
    fn is_one_cell(self) -> bool {
        self.area.from == self.area.to
    }

    fn named(self) -> String {
        let what = match self.kind {
            BoundKind::Array => "the array formula",
            BoundKind::Spill => "the spilling formula",
            BoundKind::DataTable => "the data table",
        };
        format!("{what} in {}", self.area)
    }
}

#[derive(Debug, Clone)]
struct Cell {
    xml: String,
    style: Option<String>,
    formula: Option<Formula>,
    has_value: bool,
    /// `cm`: what the workbook's metadata says of the cell, such as that its formula spills.
    metadata: Option<String>,
}

#[derive(Debug, Clone, Default)]
struct Row {
    /// The row as it stood; `None` once a cell of it has changed.
    raw: Option<Range<usize>>,
    attributes: BTreeMap<String, String>,
    start: String,
    cells: BTreeMap<u32, Cell>,
}

/// A drop-down list of the sheet: where it applies, and its formula.
#[derive(Debug, Clone)]
pub struct DropDown {
    pub areas: Vec<Area>,
    pub formula: String,
    /// `information` and `warning` let other values pass.
    pub strict: bool,
}

pub struct SheetPart<'a> {
    xml: &'a str,
    name: String,
    head: Range<usize>,
    tail: Cow<'a, str>,
    rows: BTreeMap<u32, Row>,
    columns: Vec<(u32, u32, String)>,
    widths: Vec<(u32, u32, f64)>,
    defaults: look::Defaults,
    /// Days are counted from 1904, not from 1900.
    pub days_from_1904: bool,
    pub merges: Vec<Area>,
    pub drop_downs: Vec<DropDown>,
    grown: Vec<Growth>,
    added_merges: Vec<Area>,
    removed_merges: Vec<Area>,
    /// Formulas that others share: by their index, the cell that has the text.
    masters: BTreeMap<String, (At, String)>,
}

impl<'a> SheetPart<'a> {
    pub fn parse(name: &str, part: &str, xml: &'a str) -> Result<Self, PackageError> {
        let wrong = |source: quick_xml::Error| PackageError::Xml {
            part: part.to_owned(),
            source,
        };
        let mut sheet = Self {
            xml,
            name: name.to_owned(),
            head: 0..0,
            tail: Cow::Borrowed(""),
            rows: BTreeMap::new(),
            columns: Vec::new(),
            widths: Vec::new(),
            defaults: look::Defaults::default(),
            days_from_1904: false,
            merges: Vec::new(),
            drop_downs: Vec::new(),
            grown: Vec::new(),
            added_merges: Vec::new(),
            removed_merges: Vec::new(),
            masters: BTreeMap::new(),
        };
        let mut reader = Reader::from_str(xml);
        let (mut row_no, mut cells, mut data_seen) = (0_u32, 0_usize, false);
        let (mut formula_of, mut list): (Option<bool>, Option<DropDown>) = (None, None);
        loop {
            let start = position(&reader);
            let event = reader.read_event().map_err(wrong)?;
            let end = position(&reader);
            match event {
                Event::Eof => break,
                Event::Empty(tag) if tag.name().as_ref() == "sheetData" => {
                    data_seen = true;
                    sheet.head = 0..start;
                    sheet.tail = Cow::Borrowed(xml.get(end..).unwrap_or_default());
                }
                Event::Start(tag) if tag.name().as_ref() == "sheetData" => {
                    data_seen = true;
                    sheet.head = 0..start;
                }
                Event::End(tag) if tag.name().as_ref() == "sheetData" => {
                    sheet.tail = Cow::Borrowed(xml.get(end..).unwrap_or_default());
                }
                Event::Start(tag) if tag.name().as_ref() == "row" => {
                    row_no = row_number(&tag, row_no).map_err(wrong)?;
                    let mut row = row(&tag).map_err(wrong)?;
                    read_cells(&mut reader, xml, row_no, &mut row).map_err(wrong)?;
                    cells += row.cells.len();
                    if cells > MAX_CELLS {
                        return Err(PackageError::Part(part.to_owned()));
                    }
                    row.raw = Some(start..position(&reader));
                    sheet.rows.insert(row_no, row);
                }
                Event::Empty(tag) if tag.name().as_ref() == "row" => {
                    row_no = row_number(&tag, row_no).map_err(wrong)?;
                    let mut row = row(&tag).map_err(wrong)?;
                    row.raw = Some(start..end);
                    sheet.rows.insert(row_no, row);
                }
                Event::Start(tag) | Event::Empty(tag) => {
                    let found = attributes(&tag).map_err(wrong)?;
                    match tag.local_name().as_ref() {
                        "col" => {
                            sheet.columns.extend(column_style(&found));
                            sheet.widths.extend(column_width(&found));
                        }
                        "sheetFormatPr" => {
                            let number = |key: &str| found.get(key).and_then(|text| text.parse().ok());
                            sheet.defaults = look::Defaults {
                                row_points: number("defaultRowHeight"),
                                column_characters: number("defaultColWidth"),
                            };
                        }
                        "mergeCell" => {
                            sheet
                                .merges
                                .extend(found.get("ref").and_then(|text| Area::parse(text)));
                        }
                        "dataValidation" if found.get("type").is_some_and(|kind| kind == "list") => {
                            list = Some(DropDown {
                                areas: found.get("sqref").map(|text| areas(text)).unwrap_or_default(),
                                formula: String::new(),
                                strict: found.get("errorStyle").is_none_or(|style| style == "stop")
                                    && found
                                        .get("showErrorMessage")
                                        .is_some_and(|flag| flag == "1" || flag == "true"),
                            });
                        }
                        "formula1" => formula_of = Some(true),
                        "sqref" => formula_of = Some(false),
                        _ => {}
                    }
                }
                Event::Text(text) => {
                    let text = unescape(&text).map_err(|error| wrong(error.into()))?;
                    match (formula_of, &mut list) {
                        (Some(true), Some(list)) => list.formula.push_str(text.trim()),
                        (Some(false), Some(list)) => list.areas.extend(areas(&text)),
                        _ => {}
                    }
                }
                Event::GeneralRef(entity) => {
                    // quick-xml gives `&quot;` and its like as events of their own.
                    let text = format!("&{};", entity.xml10_content());
                    if let (Some(true), Some(list)) = (formula_of, &mut list) {
                        list.formula
                            .push_str(&unescape(&text).map_err(|error| wrong(error.into()))?);
                    }
                }
                Event::End(tag) => match tag.local_name().as_ref() {
                    "formula1" | "sqref" => formula_of = None,
                    "dataValidation" => sheet.drop_downs.extend(list.take()),
                    _ => {}
                },
                _ => {}
            }
        }
        sheet.masters = rows::masters(&sheet.rows);
        match data_seen {
            true => Ok(sheet),
            // No cells, or in a namespace of which our rows would not be part.
            false => Err(PackageError::Part(part.to_owned())),
        }
    }

    pub fn last_row(&self) -> u32 {
        self.rows.keys().next_back().copied().unwrap_or_default()
    }

    pub fn has_row(&self, row: u32) -> bool {
        self.rows.contains_key(&row)
    }

    pub fn has_formula(&self, at: At) -> bool {
        self.cell(at).is_some_and(|cell| cell.formula.is_some())
    }

    pub fn has_formulas(&self) -> bool {
        let mut cells = self.rows.values().flat_map(|row| row.cells.values());
        cells.any(|cell| cell.formula.is_some())
    }

    /// Array formulas, spilling ones and data tables of more than one cell, in words, with their areas: a value in one of
    /// them would be lost, or stop the formula.
    pub fn bound_areas(&self) -> Vec<(Area, String)> {
        let cells = self.rows.values().flat_map(|row| row.cells.values());
        let bounds = cells.filter_map(|cell| cell.formula.as_ref()?.bound);
        let wide = bounds.filter(|bound| !bound.is_one_cell());
        wide.map(|bound| (bound.area, bound.named())).collect()
    }

    fn cell(&self, at: At) -> Option<&Cell> {
        self.rows.get(&at.row)?.cells.get(&at.column)
    }

    /// First cell at or below `row` that holds a value or a formula, or lies in a merge.
    pub fn content_from(&self, row: u32) -> Option<At> {
        let cells = self.rows.range(row..).flat_map(|(row, cells)| {
            let held = cells
                .cells
                .iter()
                .filter(|(_, cell)| cell.has_value || cell.formula.is_some());
            held.map(|(column, _)| At {
                row: *row,
                column: *column,
            })
        });
        let merged = self
            .merges
            .iter()
            .filter(|area| area.to.row >= row)
            .map(|area| area.from);
        cells.chain(merged).min()
    }

    /// Columns of a row that hold a value that is no formula.
    pub fn values_in(&self, row: u32) -> Vec<u32> {
        let cells = self.rows.get(&row).map(|row| &row.cells);
        let cells = cells.into_iter().flatten();
        cells
            .filter(|(_, cell)| cell.has_value && cell.formula.is_none())
            .map(|(column, _)| *column)
            .collect()
    }

    /// Writes a value. A cell that does not exist yet takes the style of the same column in `like`, else of its row,
    /// else of its column.
    pub fn set(&mut self, at: At, want: &Want, like: Option<u32>) {
        if let Some(master) = self.cell(at).and_then(|cell| cell.formula.as_ref())
            && !master.text.is_empty()
            && let Some(index) = master.shared.clone()
        {
            // Others take their formula from this one.
            self.part_shared(&|_, _| false, Some(&index));
        }
        let own = self.cell(at).and_then(|cell| cell.style.clone());
        let known = self.cell(at).is_some();
        let style = match known {
            true => own,
            false => like
                .and_then(|row| self.cell(At { row, ..at }))
                .and_then(|cell| cell.style.clone())
                .or_else(|| self.row_style(at.row))
                .or_else(|| self.column_style(at.column)),
        };
        let row = self.rows.entry(at.row).or_default();
        row.raw = None;
        if *want == Want::Empty && style.is_none() {
            row.cells.remove(&at.column);
            return;
        }
        let new = match (want, self.days_from_1904) {
            (Want::Date(date), true) => {
                let days = serial(*date) - DAYS_FROM_1900_TO_1904;
                cell(at, style, &Want::Number(days.into()))
            }
            _ => cell(at, style, want),
        };
        row.cells.insert(at.column, new);
    }

    /// Whether a row is hidden, by a person or by a filter.
    pub fn is_hidden(&self, row: u32) -> bool {
        let hidden = self.rows.get(&row).and_then(|row| row.attributes.get("hidden"));
        hidden.is_some_and(|flag| flag == "1" || flag == "true")
    }

    fn row_style(&self, row: u32) -> Option<String> {
        let attributes = &self.rows.get(&row)?.attributes;
        let custom = attributes.get("customFormat")?;
        (custom == "1" || custom == "true").then(|| attributes.get("s").cloned())?
    }

    fn column_style(&self, column: u32) -> Option<String> {
        let mut columns = self.columns.iter();
        columns
            .find(|(from, to, _)| (*from..=*to).contains(&column))
            .map(|(_, _, style)| style.clone())
    }

    /// Results of formulas from before are old: without them every program calculates again.
    pub fn drop_results(&mut self) {
        // What an array formula shows in further cells is a result as well.
        let bound = self.bound_areas();
        for (no, row) in &mut self.rows {
            let areas = bound
                .iter()
                .filter(|(area, _)| (area.from.row..=area.to.row).contains(no));
            let areas: Vec<Area> = areas.map(|(area, _)| *area).collect();
            for (column, cell) in &mut row.cells {
                let at = At {
                    row: *no,
                    column: *column,
                };
                if cell.formula.is_none() && !areas.iter().any(|area| area.contains(at)) {
                    continue;
                }
                if let Some(xml) = without_result(&cell.xml) {
                    cell.xml = xml;
                    row.raw = None;
                }
            }
        }
    }

    /// The part with its changes.
    pub fn render(&self) -> String {
        let head = self.xml.get(self.head.clone()).unwrap_or_default();
        let mut out = String::with_capacity(self.xml.len() * 2);
        out.push_str(&self.head_with_dimension(head));
        out.push_str("<sheetData>");
        for (no, row) in &self.rows {
            match row.raw.clone().and_then(|raw| self.xml.get(raw)) {
                Some(raw) => out.push_str(raw),
                None => {
                    out.push_str(&format!(r#"<row r="{no}"{}>"#, row.start));
                    row.cells.values().for_each(|cell| out.push_str(&cell.xml));
                    out.push_str("</row>");
                }
            }
        }
        out.push_str("</sheetData>");
        let tail = tail::grown(&self.tail, &self.grown);
        out.push_str(&tail::merged(&tail, &self.added_merges, &self.removed_merges));
        out
    }

    fn head_with_dimension(&self, head: &str) -> String {
        let Some((before, rest)) = head.split_once("<dimension ref=\"") else {
            return head.to_owned();
        };
        let Some((area, after)) = rest.split_once('"') else {
            return head.to_owned();
        };
        let Some(mut area) = Area::parse(area) else {
            return head.to_owned();
        };
        let columns = self
            .rows
            .values()
            .filter_map(|row| row.cells.keys().next_back())
            .max();
        area.to.row = area.to.row.max(self.last_row());
        area.to.column = area.to.column.max(columns.copied().unwrap_or_default());
        format!("{before}<dimension ref=\"{area}\"{after}")
    }
}

mod look;
mod read;
mod rows;
mod tail;

pub use rows::NewRows;

use read::{areas, column_style, column_width, position, read_cells, row, row_number};
use rows::without_result;

fn style_attribute(style: Option<&str>) -> String {
    style.map_or_else(String::new, |style| format!(" s=\"{}\"", escape(style)))
}

/// Text is always an inline string: a leading `=`, `+`, `-` or `@` stays text and never becomes a formula.
fn cell(at: At, style: Option<String>, want: &Want) -> Cell {
    let attribute = style_attribute(style.as_deref());
    let xml = match want {
        Want::Empty => format!(r#"<c r="{at}"{attribute}/>"#),
        Want::Text(text) => format!(
            r#"<c r="{at}"{attribute} t="inlineStr"><is><t xml:space="preserve">{}</t></is></c>"#,
            escape(text.as_str())
        ),
        Want::Number(number) => format!(r#"<c r="{at}"{attribute}><v>{number}</v></c>"#),
        Want::Date(date) => {
            format!(r#"<c r="{at}"{attribute}><v>{}</v></c>"#, serial(*date))
        }
    };
    Cell {
        xml,
        style,
        formula: None,
        has_value: *want != Want::Empty,
        metadata: None,
    }
}

/// Excel's number of a day.
fn serial(date: chrono::NaiveDate) -> i64 {
    (date - chrono::NaiveDate::default()).num_days() + UNIX_EPOCH_SERIAL
}

const DAYS_FROM_1900_TO_1904: i64 = 1_462;
/// Excel's number of 1970-01-01.
const UNIX_EPOCH_SERIAL: i64 = 25_569;
