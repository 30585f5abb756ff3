//! What else a workbook holds that points at rows: charts, pictures, lists, sparklines, arrays, pivot tables.

use std::collections::BTreeMap;

use rust_xlsxwriter::{
    Chart, ChartType, ConditionalFormat3ColorScale, ConditionalFormatType, DataValidation, Formula, Image,
    Sparkline, Table, Workbook, Worksheet,
};

use super::super::judge::parts;
use super::{Dice, SHEETS};

/// Two pixels by one.
const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R', 0, 0, 0, 2, 0, 0,
    0, 1, 8, 2, 0, 0, 0, 0x7b, 0x40, 0xe8, 0xdd, 0, 0, 0, 0x0f, b'I', b'D', b'A', b'T', 0x78, 0xda, 0x63,
    0xf8, 0xcf, 0xc0, 0xc0, 0xf0, 0x9f, 0x01, 0, 0x07, 0xfe, 0x01, 0xff, 0x6f, 0x9c, 0xd1, 0x83, 0, 0, 0, 0,
    b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

/// Beside the cells: columns from T on, and rows from 50 on.
pub fn add(sheet: &mut Worksheet, dice: &mut Dice) {
    let row = |dice: &mut Dice| dice.row();
    let picture = Image::new_from_buffer(PNG).expect("a picture");
    sheet
        .insert_image(row(dice), 20, &picture)
        .expect("a picture on the sheet");
    let from = row(dice);
    let to = from + u32::try_from(dice.below(9)).expect("small");
    let mut chart = Chart::new(ChartType::Column);
    chart
        .add_series()
        .set_categories(("Data", from - 1, 0, to - 1, 0))
        .set_values(("汇总 1", from - 1, 1, to - 1, 1));
    let title = row(dice);
    chart
        .add_series()
        .set_name(("It's", title, 2))
        .set_values(("Data", from, 2, to, 2));
    sheet.insert_chart(row(dice), 22, &chart).expect("a chart");
    // A list of Excel's, in columns that hold nothing else.
    let from = row(dice) + 2;
    let to = from + 2 + u32::try_from(dice.below(5)).expect("small");
    for place in from..=to {
        sheet.write_number(place, 31, f64::from(place)).expect("a number");
    }
    sheet
        .add_table(from - 1, 30, to, 31, &Table::new())
        .expect("a list");
    let line = Sparkline::new().set_range(("Data", from, 1, from, 6));
    sheet.add_sparkline(row(dice), 34, &line).expect("a sparkline");
    let list = DataValidation::new()
        .allow_list_formula(format!("='It''s'!$D$2:$D${}", row(dice) + 3).as_str().into());
    let at = row(dice);
    sheet
        .add_data_validation(at, 36, at + 3, 36, &list)
        .expect("a validation");
    let limit = Formula::new(format!("=$B${}", row(dice)));
    let scale = ConditionalFormat3ColorScale::new().set_midpoint(ConditionalFormatType::Formula, limit);
    sheet
        .add_conditional_format(2, 38, 9, 38, &scale)
        .expect("a colour scale");
    // One row high: an array that is split is refused.
    for first in [0, 20, 60] {
        let formula = format!("=Data!B{0}:D{0}*2", first + 3);
        sheet
            .write_array_formula(first, 40, first, 42, formula.as_str())
            .expect("an array formula");
    }
}

/// Names that are seen from the cell that uses them, and half of them fixed.
pub fn add_names(book: &mut Workbook, dice: &mut Dice) {
    let row = dice.row();
    for (name, formula) in [
        ("Left", format!("=Data!B{row}")),
        ("Column", format!("=Data!$B{row}")),
        ("Row", format!("='汇总 1'!B${row}")),
    ] {
        book.define_name(name, &formula).expect("a name");
    }
}

/// A pivot table far below, whose figures come from the rows of the first sheet.
pub fn with_pivot(book: &[u8], from: u32, to: u32) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const RELS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let mut parts: BTreeMap<String, Vec<u8>> = parts(book);
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
    let mut put = |name: &str, text: String| {
        parts.insert(name.to_owned(), format!("{head}{text}").into_bytes());
    };
    put(
        "xl/pivotCache/pivotCacheDefinition1.xml",
        format!(
            "<pivotCacheDefinition xmlns=\"{MAIN}\" refreshOnLoad=\"1\" refreshedVersion=\"3\" recordCount=\"0\"><cacheSource type=\"worksheet\"><worksheetSource ref=\"AE{from}:AF{to}\" sheet=\"{}\"/></cacheSource><cacheFields count=\"2\"><cacheField name=\"Column1\" numFmtId=\"0\"><sharedItems/></cacheField><cacheField name=\"Column2\" numFmtId=\"0\"><sharedItems/></cacheField></cacheFields></pivotCacheDefinition>",
            SHEETS[0]
        ),
    );
    put(
        "xl/pivotTables/pivotTable1.xml",
        format!(
            "<pivotTableDefinition xmlns=\"{MAIN}\" name=\"P\" cacheId=\"7\" dataCaption=\"v\"><location ref=\"A80:B90\" firstHeaderRow=\"1\" firstDataRow=\"1\" firstDataCol=\"1\"/><pivotFields count=\"2\"><pivotField axis=\"axisRow\" showAll=\"0\"><items count=\"1\"><item t=\"default\"/></items></pivotField><pivotField dataField=\"1\" showAll=\"0\"/></pivotFields><rowFields count=\"1\"><field x=\"0\"/></rowFields><dataFields count=\"1\"><dataField name=\"s\" fld=\"1\" baseField=\"0\" baseItem=\"0\"/></dataFields></pivotTableDefinition>"
        ),
    );
    put(
        "xl/pivotTables/_rels/pivotTable1.xml.rels",
        format!(
            "<Relationships xmlns=\"{RELS}\"><Relationship Id=\"rId1\" Type=\"{RELATIONS}/pivotCacheDefinition\" Target=\"../pivotCache/pivotCacheDefinition1.xml\"/></Relationships>"
        ),
    );
    let mut edit = |name: &str, before: &str, entry: &str| {
        let text = String::from_utf8(parts[name].clone()).expect("UTF-8");
        assert!(text.contains(before), "{before} in {name}");
        let now = text.replacen(before, &format!("{entry}{before}"), 1);
        parts.insert(name.to_owned(), now.into_bytes());
    };
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    edit(
        "[Content_Types].xml",
        "</Types>",
        &format!(
            "<Override PartName=\"/xl/pivotCache/pivotCacheDefinition1.xml\" ContentType=\"{kind}.pivotCacheDefinition+xml\"/><Override PartName=\"/xl/pivotTables/pivotTable1.xml\" ContentType=\"{kind}.pivotTable+xml\"/>"
        ),
    );
    edit(
        "xl/_rels/workbook.xml.rels",
        "</Relationships>",
        &format!(
            "<Relationship Id=\"rId97\" Type=\"{RELATIONS}/pivotCacheDefinition\" Target=\"pivotCache/pivotCacheDefinition1.xml\"/>"
        ),
    );
    edit(
        "xl/workbook.xml",
        "</workbook>",
        "<pivotCaches><pivotCache cacheId=\"7\" r:id=\"rId97\"/></pivotCaches>",
    );
    edit(
        "xl/worksheets/_rels/sheet3.xml.rels",
        "</Relationships>",
        &format!(
            "<Relationship Id=\"rId98\" Type=\"{RELATIONS}/pivotTable\" Target=\"../pivotTables/pivotTable1.xml\"/>"
        ),
    );
    super::packed(&parts)
}
