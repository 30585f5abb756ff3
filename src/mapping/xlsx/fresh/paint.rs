//! From rows of cells to a workbook file.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::prelude::ToPrimitive as _;
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::super::cell::Want;
use super::layout::{Look, PageCell, PageRow, Rows, Style};
use super::{Align, TextLook, XlsxNew};
use crate::mapping::value::{Scope, Template};
use crate::problem::Problem;

const FONT: &str = "Microsoft YaHei";
const INK: Color = Color::RGB(0x1F_29_33);
const MUTED: Color = Color::RGB(0x5B_67_70);
const LINE: Color = Color::RGB(0xB8_C2_CC);
const HEADER_GROUND: Color = Color::RGB(0xE4_EB_F2);
const TOTAL_GROUND: Color = Color::RGB(0xF3_F6_F9);
const WARNING: Color = Color::RGB(0xB4_23_18);

impl XlsxNew {
    pub(super) fn paint(
        &self,
        file: &str,
        scope: &Scope<'_>,
        rows: Rows<'_>,
        constant_memory: bool,
    ) -> Result<Vec<u8>, Vec<Problem>> {
        let wrong = |error: XlsxError| {
            vec![Problem::new(
                file,
                &self.sheet,
                "",
                error.to_string(),
                "a sheet Excel can hold",
            )]
        };
        let mut workbook = Workbook::new();
        workbook.set_properties(&self.properties(scope).map_err(wrong)?);
        for name in self.sheets(scope) {
            let sheet = match constant_memory {
                true => workbook.add_worksheet_with_constant_memory().map_err(wrong)?,
                false => workbook.add_worksheet(),
            };
            self.page(sheet, name).map_err(wrong)?;
        }
        let mut formats = Formats::default();
        let mut repeated = BTreeMap::new();
        let sheet_name = self.sheet.clone();
        let mut sink = |row: &PageRow<'_>| {
            if row.repeated {
                repeated.insert(row.sheet, row.no - 1);
            }
            let sheet = workbook.worksheet_from_index(row.sheet);
            let painted = sheet.and_then(|sheet| paint_row(sheet, row, &mut formats));
            painted.map_err(|error| {
                Problem::new(
                    file,
                    format!("sheet {sheet_name}, row {}", row.no),
                    "",
                    error.to_string(),
                    "a row Excel can hold",
                )
            })
        };
        let laid = self.lay_out(file, scope, rows, &mut sink)?;
        // Checked before anything leaves; the written cells are compared once more when the file is read back.
        let problems = laid.wrong_totals(file, &self.sheet);
        if !problems.is_empty() {
            return Err(problems);
        }
        let last = u16::try_from(self.widths.len().saturating_sub(1)).unwrap_or(u16::MAX);
        for (no, rows) in laid.rows.iter().enumerate() {
            let sheet = workbook.worksheet_from_index(no).map_err(wrong)?;
            if let Some(row) = repeated.get(&no) {
                sheet.set_repeat_rows(*row, *row).map_err(wrong)?;
            }
            sheet
                .set_print_area(0, 0, rows.saturating_sub(1), last)
                .map_err(wrong)?;
        }
        workbook.save_to_buffer().map_err(wrong)
    }

    /// The date in the properties is the document's: the same order gives the same bytes on every day.
    fn properties(&self, scope: &Scope<'_>) -> Result<DocProperties, XlsxError> {
        let issued = Template::parse("{document.issued_on}").ok();
        let issued = issued.and_then(|template| template.fill(scope).ok().flatten());
        let issued: Option<NaiveDate> = issued.and_then(|text| text.parse().ok());
        let created = match issued {
            Some(date) => ExcelDateTime::parse_from_str(&date.to_string())?,
            None => ExcelDateTime::from_ymd(2000, 1, 1)?,
        };
        let title = self.title.fill(scope).ok().flatten().unwrap_or_default();
        Ok(DocProperties::new()
            .set_creation_datetime(&created)
            .set_title(title))
    }

    fn page(&self, sheet: &mut Worksheet, name: &str) -> Result<(), XlsxError> {
        sheet.set_name(name)?;
        for (column, width) in (0_u16..).zip(&self.widths) {
            sheet.set_column_width(column, *width)?;
        }
        sheet
            .set_paper_size(9)
            .set_print_fit_to_pages(1, 0)
            .set_print_center_horizontally(true);
        sheet.set_margins(0.45, 0.45, 0.5, 0.6, 0.3, 0.3);
        sheet.set_footer("&L&8&A&R&8&P / &N").set_screen_gridlines(false);
        if self.landscape {
            sheet.set_landscape();
        }
        Ok(())
    }
}

fn paint_row(sheet: &mut Worksheet, row: &PageRow<'_>, formats: &mut Formats) -> Result<(), XlsxError> {
    let no = row.no - 1;
    if let Some(height) = row.height {
        sheet.set_row_height(no, height.min(400.0))?;
    }
    for cell in &row.cells {
        if let Some(format) = formats.of(&cell.style) {
            paint_cell(sheet, no, cell, format)?;
        }
    }
    Ok(())
}

fn paint_cell(
    sheet: &mut Worksheet,
    row: u32,
    cell: &PageCell<'_>,
    format: &Format,
) -> Result<(), XlsxError> {
    let column = |column: u32| u16::try_from(column.saturating_sub(1)).unwrap_or(u16::MAX);
    let (from, to) = (column(cell.columns.from), column(cell.columns.to));
    if from < to {
        sheet.merge_range(row, from, row, to, "", format)?;
    }
    match &cell.want {
        Want::Empty => sheet.write_blank(row, from, format)?,
        // A string is a string: text that begins with `=` is never a formula.
        Want::Text(text) => sheet.write_string_with_format(row, from, text, format)?,
        Want::Number(number) => match number.to_f64() {
            Some(number) => sheet.write_number_with_format(row, from, number, format)?,
            None => sheet.write_string_with_format(row, from, number.to_string(), format)?,
        },
        Want::Date(date) => sheet.write_datetime_with_format(row, from, date, format)?,
    };
    Ok(())
}

/// A page has a dozen looks: they are found by looking through them, without allocating for each cell.
#[derive(Default)]
struct Formats(Vec<(Look, Align, Option<String>, Format)>);

impl Formats {
    fn of(&mut self, style: &Style<'_>) -> Option<&Format> {
        let same = |known: &(Look, Align, Option<String>, Format)| {
            (known.0, known.1, known.2.as_deref()) == (style.look, style.align, style.format)
        };
        let place = match self.0.iter().position(same) {
            Some(place) => place,
            None => {
                let name = style.format.map(str::to_owned);
                self.0.push((style.look, style.align, name, format(style)));
                self.0.len() - 1
            }
        };
        self.0.get(place).map(|(_, _, _, format)| format)
    }
}

fn format(style: &Style<'_>) -> Format {
    let align = match style.align {
        Align::Left => FormatAlign::Left,
        Align::Center => FormatAlign::Center,
        Align::Right => FormatAlign::Right,
    };
    let base = Format::new()
        .set_font_name(FONT)
        .set_font_size(style.look.points())
        .set_font_color(INK)
        .set_align(align)
        .set_align(FormatAlign::VerticalCenter);
    // A number cannot be broken; its distance from the border is part of its format (`_)`), because LibreOffice
    // leaves out the indent of some numbers.
    let base = match style.align {
        Align::Right => base,
        _ => base.set_text_wrap(),
    };
    let boxed = |format: Format| format.set_border(FormatBorder::Thin).set_border_color(LINE);
    let indented = |format: Format| match style.align {
        Align::Left => format.set_indent(1),
        Align::Center | Align::Right => format,
    };
    let base = match style.look.is_bold() {
        true => base.set_bold(),
        false => base,
    };
    let base = match style.look.is_muted() {
        true => base.set_font_color(MUTED),
        false => base,
    };
    let format = match style.look {
        Look::Text(TextLook::Warning) => base.set_font_color(WARNING),
        Look::Text(TextLook::Note) | Look::Label | Look::Value => base.set_align(FormatAlign::Top),
        Look::Text(_) => base,
        Look::Header => boxed(base.set_background_color(HEADER_GROUND)),
        Look::Cell => boxed(indented(base)),
        Look::Total => boxed(indented(base.set_background_color(TOTAL_GROUND))),
    };
    match style.format {
        Some(number) if style.align == Align::Right => format.set_num_format(format!("{number}_)")),
        Some(number) => format.set_num_format(number),
        None => format,
    }
}
