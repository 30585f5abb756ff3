//! One CSV file or workbook: encoding, separator, header in Chinese or English, typed cells.

use chrono::NaiveDate;
use csv::StringRecord;
use rust_decimal::Decimal;

use crate::mapping::table::{self, Limits};
use crate::problem::{Problem, nearest};

/// A column and the other names it goes by, all as [`plain`] leaves them.
pub struct Column {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub needed: bool,
}

pub const fn column(name: &'static str, aliases: &'static [&'static str], needed: bool) -> Column {
    Column {
        name,
        aliases,
        needed,
    }
}

/// What else every file of the folder may call its SKU, warehouse and mode.
pub const SKU_NAMES: &[&str] = &["msku", "sellersku", "货号", "商品编码", "产品编码"];
pub const WAREHOUSE_NAMES: &[&str] = &["warehousecode", "wh", "location", "仓库", "仓库代码"];
pub const MODE_NAMES: &[&str] = &["transport", "shipmode", "运输方式", "方式"];

/// A file in memory with its columns found.
pub struct Sheet {
    pub file: String,
    /// What a row of this kind of file is called.
    unit: &'static str,
    places: Vec<(&'static str, usize)>,
    records: Vec<(u64, StringRecord)>,
}

/// How workbooks begin, today's and the old ones (which are refused by name).
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xD0\xCF\x11\xE0"];
/// A sheet of a workbook has no more rows than this.
const WORKBOOK_ROWS: usize = 1 << 20;
const WORKBOOK_BYTES: usize = 256 << 20;

/// Rows of one file that are read at most.
const MAX_ROWS: usize = 40_000_000;

/// A row: its line in the file and its cells.
pub struct Row<'a> {
    pub line: u64,
    record: &'a StringRecord,
}

impl Sheet {
    /// None when the header lacks a needed column or nothing can be read; the problem says so.
    pub fn open(file: &str, bytes: &[u8], columns: &[Column], problems: &mut Vec<Problem>) -> Option<Self> {
        let (unit, header, records) = if WORKBOOKS.iter().any(|start| bytes.starts_with(start)) {
            let (header, records) = workbook_records(file, bytes, problems)?;
            ("row", header, records)
        } else {
            let (header, records) = text_records(file, bytes, problems)?;
            ("line", header, records)
        };
        let places = find_columns(file, unit, &header, columns, problems)?;
        Some(Self {
            file: file.to_owned(),
            unit,
            places,
            records,
        })
    }

    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.records
            .iter()
            .map(|(line, record)| Row { line: *line, record })
    }

    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        self.places.iter().any(|(name, _)| *name == column)
    }

    /// The text of a cell; empty when the column or the cell is not there.
    #[must_use]
    pub fn cell<'a>(&self, row: &Row<'a>, column: &str) -> &'a str {
        self.places
            .iter()
            .find(|(name, _)| *name == column)
            .and_then(|(_, place)| row.record.get(*place))
            .unwrap_or_default()
            .trim()
    }

    pub fn problem(&self, row: &Row<'_>, column: &str, wanted: &str, problems: &mut Vec<Problem>) {
        problems.push(Problem::new(
            &self.file,
            format!("{} {}", self.unit, row.line),
            column,
            self.cell(row, column),
            wanted,
        ));
    }

    /// Reads a cell with `parse`. Empty is None; what cannot be read is None and a problem.
    pub fn value<T>(
        &self,
        row: &Row<'_>,
        column: &str,
        wanted: &str,
        problems: &mut Vec<Problem>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let cell = self.cell(row, column);
        if cell.is_empty() {
            return None;
        }
        let value = parse(cell);
        if value.is_none() {
            self.problem(row, column, wanted, problems);
        }
        value
    }
}

type Records = (StringRecord, Vec<(u64, StringRecord)>);

/// The first sheet; the first row with anything in it is the header.
fn workbook_records(file: &str, bytes: &[u8], problems: &mut Vec<Problem>) -> Option<Records> {
    let limits = Limits {
        bytes: WORKBOOK_BYTES,
        rows: WORKBOOK_ROWS,
        ..Limits::default()
    };
    let table = match table::read(file, bytes, &limits) {
        Ok(table) => table,
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    let mut rows = table.raw_rows().map(|(number, cells)| {
        let record: StringRecord = cells.iter().map(|cell| cell.trim()).collect();
        (number as u64, record)
    });
    let (_, header) = rows.next()?;
    Some((header, rows.collect()))
}

fn text_records(file: &str, bytes: &[u8], problems: &mut Vec<Problem>) -> Option<Records> {
    let text = decode(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(&text))
        .flexible(true)
        .has_headers(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            problems.push(Problem::new(
                file,
                "line 1",
                "",
                error.to_string(),
                "a header row",
            ));
            return None;
        }
    };
    let mut records = Vec::new();
    for record in reader.into_records() {
        match record {
            Ok(record) if record.iter().all(str::is_empty) => {}
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                // No cell a plan reads has lines: one that does began with a quote that is never closed.
                if let Some(cell) = record.iter().find(|cell| cell.contains('\n')) {
                    problems.push(Problem::new(
                        file,
                        format!("line {line}"),
                        "",
                        cell,
                        format!(
                            "cells of one line (a quote opened here takes in {} lines, which are left out)",
                            cell.matches('\n').count()
                        ),
                    ));
                    continue;
                }
                records.push((line, record));
            }
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                problems.push(Problem::new(
                    file,
                    format!("line {line}"),
                    "",
                    error.to_string(),
                    "a row of separated values",
                ));
            }
        }
        if records.len() > MAX_ROWS {
            problems.push(Problem::new(
                file,
                "",
                "",
                format!("more than {MAX_ROWS} rows"),
                format!("at most {MAX_ROWS} rows"),
            ));
            return None;
        }
    }
    Some((header, records))
}

fn find_columns(
    file: &str,
    unit: &str,
    header: &StringRecord,
    columns: &[Column],
    problems: &mut Vec<Problem>,
) -> Option<Vec<(&'static str, usize)>> {
    let found: Vec<String> = header.iter().map(plain).collect();
    let mut places = Vec::new();
    let mut complete = true;
    for column in columns {
        let place = found
            .iter()
            .position(|name| *name == plain(column.name) || column.aliases.contains(&name.as_str()));
        match place {
            Some(place) => places.push((column.name, place)),
            None if column.needed => {
                complete = false;
                let near = nearest(&plain(column.name), found.iter().map(String::as_str));
                let wanted = match near {
                    Some(near) => format!("a column `{}` (is `{near}` meant for it?)", column.name),
                    None => format!("a column `{}`", column.name),
                };
                problems.push(Problem::new(
                    file,
                    format!("{unit} 1"),
                    column.name,
                    header.iter().collect::<Vec<_>>().join(","),
                    wanted,
                ));
            }
            None => {}
        }
    }
    complete.then_some(places)
}

/// Lower case without blanks, underscores and hyphens.
fn plain(name: &str) -> String {
    name.trim()
        .trim_start_matches('\u{feff}')
        .chars()
        .filter(|c| !matches!(c, ' ' | '_' | '-' | '\u{3000}'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// UTF-8 (with or without its mark), else GB 18030, which what Excel in China writes is a part of.
fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::GB18030.decode(bytes).0.into_owned(),
    }
}

fn separator(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |separator: char| header.matches(separator).count();
    [(',', b','), ('\t', b'\t'), (';', b';')]
        .into_iter()
        .max_by_key(|(sign, byte)| (count(*sign), *byte == b','))
        .map_or(b',', |(_, byte)| byte)
}

/// Full-width digits and signs as plain ones.
fn half_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
            '\u{3000}' => ' ',
            _ => c,
        })
        .collect()
}

/// A whole number; `1,200` and `3.0` are ones too.
pub fn whole(cell: &str) -> Option<i64> {
    let text: String = half_width(cell).chars().filter(|c| *c != ',').collect();
    let number = decimal(&text)?;
    if number.fract().is_zero() {
        number.trunc().to_string().parse().ok()
    } else {
        None
    }
}

/// A whole number that counts something: none or more, and no more than can be.
pub fn count(cell: &str) -> Option<i64> {
    whole(cell).filter(|units| (0..=4_000_000_000).contains(units))
}

/// A number written out; `1E5` is what a spreadsheet makes of an article number.
pub fn decimal(cell: &str) -> Option<rust_decimal::Decimal> {
    let text = half_width(cell);
    let text = text.trim();
    let plain = text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
    if plain { text.parse().ok() } else { None }
}

/// `2026-11-22`, `2026/11/22`, `20261122`, each with or without a time after it. Other orders are ambiguous.
pub fn date(cell: &str) -> Option<NaiveDate> {
    let text = half_width(cell);
    let text = text.split([' ', 'T']).next()?;
    ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d"]
        .iter()
        .find_map(|format| NaiveDate::parse_from_str(text, format).ok())
        .filter(|date| *date >= NaiveDate::default())
}

/// Yes or no in either language.
pub fn flag(cell: &str) -> Option<bool> {
    match half_width(cell).to_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "是" | "有" | "有货" | "in" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "否" | "无" | "缺货" | "断货" | "out" => Some(false),
        _ => None,
    }
}

/// Thousandths of `0.08`, `8%` or `8`.
pub(super) fn share(cell: &str) -> Option<u16> {
    let text = cell.trim();
    let percent = text.ends_with(['%', '％']);
    let value = decimal(text.trim_end_matches(['%', '％']))?;
    let value = if percent || value > Decimal::ONE {
        value * Decimal::TEN
    } else {
        value * Decimal::ONE_THOUSAND
    };
    u16::try_from(i64::try_from(value.round()).ok()?)
        .ok()
        .filter(|share| *share <= 1000)
}

/// Ten-thousandths of `0.012` or `1.2%`; at most a half, for nobody ships to a way that loses more.
pub(super) fn ten_thousandths(cell: &str) -> Option<u16> {
    let text = cell.trim();
    let percent = text.ends_with(['%', '％']);
    let value = decimal(text.trim_end_matches(['%', '％']))?;
    let value = value * Decimal::from(if percent { 100 } else { 10_000 });
    u16::try_from(i64::try_from(value.round()).ok()?)
        .ok()
        .filter(|share| *share <= 5_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_people_are_read_and_guesses_refused() {
        assert_eq!(whole("１，２００"), Some(1200));
        assert_eq!(whole("3.0"), Some(3));
        assert_eq!(whole("3.5"), None);
        assert_eq!(whole("1e5"), None);
        assert_eq!(count("-4"), None);
        assert_eq!(date("2026/1/2"), date("2026-01-02"));
        assert_eq!(date("02/01/2026"), None);
        assert_eq!(date("2026-02-30"), None);
        assert_eq!(flag("有货"), Some(true));
        assert_eq!(flag("maybe"), None);
    }

    #[test]
    fn a_chinese_header_in_gbk_with_semicolons_is_found() {
        let columns = [Column {
            name: "units",
            aliases: &["销量"],
            needed: true,
        }];
        let (bytes, _, _) = encoding_rs::GBK.encode("SKU;销量\nA;３\n");
        let mut problems = Vec::new();
        let sheet = Sheet::open("sales.csv", &bytes, &columns, &mut problems).unwrap();
        let rows: Vec<_> = sheet.rows().collect();
        assert_eq!((rows[0].line, sheet.cell(&rows[0], "units")), (2, "３"));
        assert!(problems.is_empty());
    }
}
