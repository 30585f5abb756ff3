//! XLSX through calamine, cell by cell: a sheet's declared size is never believed.

use std::io::{BufReader, Cursor, Read as _};

use calamine::{Data, DataRef, ExcelDateTime, Reader as _, SheetType, SheetVisible, Xlsx};
use chrono::{Duration, NaiveTime, Timelike as _};
use quick_xml::events::Event;

use super::{Gather, Kind, Limits, RawRow, column_letters, unsolved};
use crate::problem::{Problem, nearest};

const MAX_PARTS: usize = 10_000;

fn broken(file: &str, error: &dyn std::fmt::Display) -> Problem {
    Problem::new(file, "", "", error.to_string(), "a workbook that opens")
}

/// The name of the sheet that was read, and its rows.
pub(super) fn rows(
    file: &str,
    bytes: &[u8],
    sheet: Option<&str>,
    limits: &Limits,
) -> Result<(String, Vec<RawRow>), Problem> {
    check_parts(file, bytes, limits)?;
    // Where arithmetic is checked, calamine panics on sizes that run backwards: that is the file's fault, not ours.
    std::panic::catch_unwind(|| read_rows(file, bytes, sheet, limits))
        .unwrap_or_else(|_| Err(broken(file, &"cells at places that do not exist")))
}

fn read_rows(
    file: &str,
    bytes: &[u8],
    sheet: Option<&str>,
    limits: &Limits,
) -> Result<(String, Vec<RawRow>), Problem> {
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|error| broken(file, &error))?;
    let name = choose_sheet(file, book.sheets_metadata(), sheet)?;
    let mut reader = book
        .worksheet_cells_reader(&name)
        .map_err(|error| broken(file, &error))?;
    let mut gathered = Gather::new(file, Kind::Sheet, limits);
    let mut row_index = 0;
    let mut cells: Vec<String> = Vec::new();
    let mut blank = Vec::new();
    while let Some(cell) = reader.next_cell().map_err(|error| broken(file, &error))? {
        let (row, column) = cell.get_position();
        let text = match cell.get_value() {
            DataRef::Empty => {
                if blank.len() < MAX_BLANK {
                    blank.push((row, column));
                }
                continue;
            }
            DataRef::SharedString(text) => (*text).to_owned(),
            DataRef::String(text) => text.clone(),
            other => value_text(&Data::from(other.clone())),
        };
        if row != row_index {
            if row < row_index {
                let found = format!("row {} after row {}", row + 1, row_index + 1);
                return Err(Problem::new(file, "", "", found, "rows in their order"));
            }
            gathered.push(sheet_row(row_index), std::mem::take(&mut cells))?;
            row_index = row;
        }
        put(file, &mut cells, row, column, text, limits)?;
    }
    gathered.push(sheet_row(row_index), cells)?;
    let mut rows = gathered.finish();
    if !blank.is_empty() {
        blank.sort_unstable();
        unsolved::mark(bytes, &name, &blank, &mut rows, limits);
    }
    Ok((name, rows))
}

/// Cells without a value that are looked at for a formula.
const MAX_BLANK: usize = 1 << 20;

pub(super) fn sheet_row(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX).saturating_add(1)
}

/// Writes a cell at its column; the row grows no wider than the limit allows.
fn put(
    file: &str,
    cells: &mut Vec<String>,
    row: u32,
    column: u32,
    text: String,
    limits: &Limits,
) -> Result<(), Problem> {
    let column = usize::try_from(column).unwrap_or(usize::MAX);
    if column >= limits.columns {
        if text.trim().is_empty() {
            return Ok(());
        }
        let place = format!("cell {}{}", column_letters(column), sheet_row(row));
        let wanted = format!("at most {} columns", limits.columns);
        return Err(Problem::new(file, place, "", text, wanted));
    }
    if cells.len() <= column {
        cells.resize(column + 1, String::new());
    }
    if let Some(cell) = cells.get_mut(column) {
        *cell = text;
    }
    Ok(())
}

/// The named sheet, or the first one a person sees.
fn choose_sheet(file: &str, sheets: &[calamine::Sheet], wanted: Option<&str>) -> Result<String, Problem> {
    let mut tables = sheets.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
    let Some(wanted) = wanted else {
        return tables
            .clone()
            .find(|sheet| sheet.visible == SheetVisible::Visible)
            .or_else(|| tables.next())
            .map(|sheet| sheet.name.clone())
            .ok_or_else(|| Problem::new(file, "", "", "no sheet", "a workbook with a sheet"));
    };
    let names: Vec<&str> = tables.map(|sheet| sheet.name.as_str()).collect();
    if names.contains(&wanted) {
        return Ok(wanted.to_owned());
    }
    let hint = nearest(wanted, names.iter().copied())
        .map(|name| format!(", perhaps `{name}`"))
        .unwrap_or_default();
    Err(Problem::new(
        file,
        "",
        "",
        format!("sheets {}", names.join(", ")),
        format!("a sheet `{wanted}`{hint}"),
    ))
}

/// Before calamine sees a workbook. Unpacks every part into nothing and counts: the sizes a zip states about itself may be lies.
pub(crate) fn check_parts(file: &str, bytes: &[u8], limits: &Limits) -> Result<(), Problem> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(file, &error))?;
    if archive.len() > MAX_PARTS {
        let found = format!("{} parts", archive.len());
        return Err(Problem::new(
            file,
            "",
            "",
            found,
            format!("at most {MAX_PARTS} parts"),
        ));
    }
    if archive.index_for_name("xl/workbook.xml").is_none() {
        return Err(Problem::new(
            file,
            "",
            "",
            "a zip archive that is no XLSX workbook",
            "a CSV, TSV or XLSX table",
        ));
    }
    let mut left = limits.unpacked_bytes;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| broken(file, &error))?;
        let unpacked = std::io::copy(&mut part.take(left + 1), &mut std::io::sink())
            .map_err(|error| broken(file, &error))?;
        left = left.checked_sub(unpacked).ok_or_else(|| {
            let wanted = format!("at most {} bytes when unpacked", limits.unpacked_bytes);
            Problem::new(file, "", "", "a workbook that unpacks to more", wanted)
        })?;
        let part = archive.by_index(index).map_err(|error| broken(file, &error))?;
        let name = part.name().map_err(|error| broken(file, &error))?;
        if name.to_lowercase().ends_with("sharedstrings.xml")
            && let Some(strings) = declared_strings(part)
            && strings > unpacked
        {
            let found = format!("a workbook that claims {strings} texts in {unpacked} bytes");
            return Err(Problem::new(
                file,
                "",
                "",
                found,
                "no more texts than there are bytes",
            ));
        }
    }
    Ok(())
}

/// How many texts a table of shared texts claims to hold: calamine takes memory for them before it reads one.
fn declared_strings(part: impl std::io::Read) -> Option<u64> {
    let mut reader = quick_xml::Reader::from_reader(BufReader::new(part));
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element) | Event::Empty(element)) if element.local_name().as_ref() == "sst" => {
                let count = element
                    .attributes()
                    .flatten()
                    .find(|attribute| attribute.key.as_ref() == "uniqueCount")?;
                // What is no number is not believed by anybody; what is too large a number is the largest.
                let digits = count.value.trim();
                let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                return all_digits.then(|| digits.parse().unwrap_or(u64::MAX));
            }
            Ok(Event::Eof) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

fn value_text(value: &Data) -> String {
    match value {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number_text(*number),
        Data::Bool(flag) => flag.to_string(),
        Data::Error(error) => error.to_string(),
        Data::DateTime(serial) => date_text(*serial),
    }
}

/// A spreadsheet shows and keeps 15 significant digits; what binary adds beyond them is not in the file.
fn number_text(number: f64) -> String {
    format!("{number:.14e}")
        .parse::<f64>()
        .map_or_else(|_| number.to_string(), |rounded| format!("{}", rounded + 0.0))
}

/// Serials from 1900 to 9999; calamine panics far outside of them.
const DATE_SERIALS: std::ops::Range<f64> = 0.0..2_958_466.0;

fn date_text(serial: ExcelDateTime) -> String {
    let number = serial.as_f64();
    if !serial.is_datetime() || !DATE_SERIALS.contains(&number) {
        return number_text(number);
    }
    let Some(at) = serial.as_datetime() else {
        return number_text(number);
    };
    // Serials are fractions of a day: 10:30 comes back a few microseconds off.
    let at = (at + Duration::milliseconds(500))
        .with_nanosecond(0)
        .unwrap_or(at);
    if at.time() == NaiveTime::MIN {
        at.date().to_string()
    } else {
        at.to_string()
    }
}
