//! The reconciliation as files a bookkeeper opens: a CSV for programs and a workbook for people.

use std::fmt::Write as _;
use std::path::Path;

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use crate::cli::CliError;
use crate::reconcile::{Line, Verdict};
use crate::wording::{Lang, text};

const COLUMNS: [&str; 11] = [
    "order",
    "warehouse",
    "sku",
    "shipped",
    "announced",
    "received",
    "put_away",
    "damaged",
    "difference",
    "state",
    "verdict",
];

/// Order, warehouse and SKU; the figures; state and verdict as the given words.
fn cells(line: &Line, state: String, verdict: String) -> ([String; 3], [Option<i64>; 6], [String; 2]) {
    (
        [
            line.order.to_string(),
            line.warehouse.to_string(),
            line.sku.to_string(),
        ],
        [
            Some(line.shipped),
            line.announced,
            Some(line.received),
            Some(line.put_away),
            Some(line.damaged),
            Some(line.difference),
        ],
        [state, verdict],
    )
}

pub fn write(folder: &Path, lines: &[Line], lang: Lang) -> Result<(), CliError> {
    let path = folder.join("reconciliation.csv");
    std::fs::write(&path, csv(lines)).map_err(|source| CliError::File {
        what: "write",
        path,
        source,
    })?;
    let path = folder.join("reconciliation.xlsx");
    workbook(lines, lang)
        .and_then(|mut book| book.save(&path))
        .map_err(|error| CliError::Usage(format!("cannot write {}: {error}", path.display())))
}

fn csv(lines: &[Line]) -> String {
    let mut out = COLUMNS.join(",");
    out.push('\n');
    for line in lines {
        let (names, figures, words) =
            cells(line, line.state.code().to_owned(), line.verdict.code().to_owned());
        let figures = figures.map(|figure| figure.map_or_else(String::new, |figure| figure.to_string()));
        let _ = writeln!(
            out,
            "{},{},{}",
            names.join(","),
            figures.join(","),
            words.join(",")
        );
    }
    out
}

fn workbook(lines: &[Line], lang: Lang) -> Result<Workbook, XlsxError> {
    let mut book = Workbook::new();
    let word = |key: &str| text(lang, &format!("cli.demo.book.{key}"), &[]);
    let differing: Vec<&Line> = lines.iter().filter(|line| line.differs()).collect();
    let all: Vec<&Line> = lines.iter().collect();
    for (key, rows) in [("differences", differing), ("all", all)] {
        fill(book.add_worksheet().set_name(word(key))?, &rows, lang)?;
    }
    Ok(book)
}

fn fill(sheet: &mut Worksheet, rows: &[&Line], lang: Lang) -> Result<(), XlsxError> {
    let head = Format::new()
        .set_bold()
        .set_font_color(Color::White)
        .set_background_color(Color::RGB(0x1F_3A_5F))
        .set_align(FormatAlign::Center)
        .set_border_bottom(FormatBorder::Thin);
    let number = Format::new().set_num_format("#,##0;[Red]-#,##0;0");
    let tint = |verdict: Verdict| match verdict {
        Verdict::Short => Format::new().set_background_color(Color::RGB(0xF8_D7_DA)),
        Verdict::Over => Format::new().set_background_color(Color::RGB(0xFF_F3_CD)),
        Verdict::Exact => Format::new().set_background_color(Color::RGB(0xD9_EA_D3)),
        _ => Format::new(),
    };
    for (column, (name, width)) in (0_u16..).zip(
        COLUMNS
            .iter()
            .zip([18.0, 16.0, 14.0, 10.0, 11.0, 10.0, 10.0, 10.0, 11.0, 12.0, 16.0]),
    ) {
        let title = text(lang, &format!("cli.demo.book.{name}"), &[]);
        sheet.write_string_with_format(0, column, title, &head)?;
        sheet.set_column_width(column, width)?;
    }
    for (row, line) in (1_u32..).zip(rows) {
        let (names, figures, words) = cells(line, line.state.text(lang), line.verdict.text(lang));
        for (column, name) in (0_u16..).zip(names) {
            sheet.write_string(row, column, name)?;
        }
        for (column, figure) in (3_u16..).zip(figures) {
            if let Some(figure) = figure.and_then(|figure| i32::try_from(figure).ok()) {
                sheet.write_number_with_format(row, column, figure, &number)?;
            }
        }
        for (column, word) in (9_u16..).zip(words) {
            sheet.write_string_with_format(row, column, word, &tint(line.verdict))?;
        }
    }
    sheet.set_freeze_panes(1, 3)?;
    let last = u32::try_from(rows.len()).unwrap_or(0);
    sheet.autofilter(0, 0, last, 10)?;
    Ok(())
}
