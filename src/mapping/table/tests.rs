use super::*;

const KNOWN: [Column; 4] = [
    Column::required("sku").or(&["商品编码", "MSKU"]),
    Column::required("units").or(&["数量"]),
    Column::optional("carton_units"),
    Column::optional("at").or(&["日期"]),
];

fn table(text: &str) -> Table {
    read("t.csv", text.as_bytes(), &Limits::default()).unwrap()
}

fn refused(bytes: &[u8], limits: &Limits) -> String {
    read("t", bytes, limits).unwrap_err().to_string()
}

fn book(fill: impl FnOnce(&mut rust_xlsxwriter::Worksheet)) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    fill(book.add_worksheet());
    book.add_worksheet()
        .set_name("Decisions")
        .unwrap()
        .write(0, 0, "second")
        .unwrap();
    book.save_to_buffer().unwrap()
}

#[test]
fn heads_are_found_below_titles_in_any_order_by_name_or_alias() {
    let table = table("月度报表,,\r\n\r\n数量,商品编码,日期\r\n\r\n１２,Ａ1,2026-11-22\r\n");
    let columns = table.columns(&KNOWN).unwrap();
    let mut rows = columns.rows();
    let mut row = rows.next().unwrap();
    assert_eq!(row.code("sku").as_deref(), Some("A1"));
    assert_eq!(row.int("units"), Some(12));
    assert_eq!(row.date("at").unwrap().to_string(), "2026-11-22");
    assert_eq!(row.number(), 5);
    assert!(rows.next().is_none() && columns.warnings().is_empty());
}

#[test]
fn places_are_the_lines_a_person_counts() {
    let table = table("\n\nsku,units\n\"a\nb\",1\n\n\nc,x\n");
    let columns = table.columns(&KNOWN).unwrap();
    let numbers: Vec<usize> = columns.rows().map(|row| row.number()).collect();
    assert_eq!(numbers, [4, 8]);
    let mut row = columns.rows().nth(1).unwrap();
    assert_eq!(row.int("units"), None);
    assert_eq!(
        row.problems()[0].to_string(),
        "t.csv, line 8, `units`: found `x`, wanted a whole number"
    );
}

#[test]
fn missing_and_doubled_columns_are_one_problem_each() {
    let problems = table("skuu,sku,SKU\nx,1,2\n").columns(&KNOWN).unwrap_err();
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "t.csv, line 1, `SKU`: found `SKU`, wanted this column once, it stands at line 1 too",
            "t.csv, line 1, `units`: found `skuu, sku, SKU`, wanted a column `units`",
        ]
    );
}

#[test]
fn an_unknown_column_is_a_warning_with_the_nearest_name() {
    let table = table("sku,units,carton_unit,colour\nA,1,2,red\n");
    let columns = table.columns(&KNOWN).unwrap();
    let shown: Vec<String> = columns.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "t.csv, line 1, `carton_unit`: found `carton_unit`, wanted a known column (this one is not read), perhaps `carton_units`",
            "t.csv, line 1, `colour`: found `colour`, wanted a known column (this one is not read)",
        ]
    );
}

#[test]
fn a_row_longer_than_its_header_is_refused() {
    let table = table("sku,units\nMug, blue,3\n");
    let columns = table.columns(&KNOWN).unwrap();
    let row = columns.rows().next().unwrap();
    assert_eq!(
        row.into_problems()[0].to_string(),
        "t.csv, line 2: found `3 cells`, wanted at most 2, as the header has"
    );
}

#[test]
fn the_delimiter_is_the_one_the_header_has_most_of() {
    for text in [
        "sku\tunits\n5\" pipe\t1\nB\t2\n",
        "sku;units\nA;1\nB;2\n",
        "\"sku\",\"units\"\nA,1\nB,2\n",
    ] {
        let table = table(text);
        let columns = table.columns(&KNOWN).unwrap();
        let units: Vec<Option<i64>> = columns.rows().map(|mut row| row.int("units")).collect();
        assert_eq!(units, [Some(1), Some(2)], "{text}");
    }
}

#[test]
fn an_open_quotation_mark_is_named_where_it_opens() {
    let problem = read("t.csv", b"sku,units\nA,1\n\"B,2\nC,3\n", &Limits::default()).unwrap_err();
    assert_eq!(
        problem.to_string(),
        r#"t.csv, line 3: found `"B,2\nC,3\n`, wanted a closing quotation mark (") before the end of the file"#
    );
}

#[test]
fn content_decides_not_the_name() {
    assert!(refused(b"<html><table></table>", &Limits::default()).contains("an HTML or XML page"));
    assert!(
        refused(b"\xEF\xBB\xBF <?xml version='1.0'?>", &Limits::default()).contains("an HTML or XML page")
    );
    assert!(refused(b"%PDF-1.7", &Limits::default()).contains("a PDF document"));
    assert!(refused(b" \n\n", &Limits::default()).contains("an empty file"));
    assert!(refused(b"PK\x03\x04 broken", &Limits::default()).contains("a workbook that opens"));
    assert!(
        refused(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 broken", &Limits::default())
            .contains("an old XLS workbook")
    );
    let xlsx = book(|sheet| {
        sheet.write(0, 0, "sku").unwrap();
        sheet.write(0, 1, "units").unwrap();
    });
    assert_eq!(
        read("装箱单.xls", &xlsx, &Limits::default()).unwrap().row_count(),
        1
    );
}

#[test]
fn workbook_values_come_out_exactly_with_their_cells() {
    let bytes = book(|sheet| {
        let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm");
        for (column, head) in (0_u16..).zip(["sku", "units", "carton_units", "at"]) {
            sheet.write(2, column, head).unwrap();
        }
        sheet.write(3, 0, "00012345").unwrap();
        sheet.write(3, 1, 12.0).unwrap();
        sheet.write(3, 2, 0.1 + 0.2).unwrap();
        let at = chrono::NaiveDate::from_ymd_opt(2026, 11, 22)
            .unwrap()
            .and_hms_opt(10, 30, 0)
            .unwrap();
        sheet.write_datetime_with_format(3, 3, at, &date).unwrap();
        let sum = rust_xlsxwriter::Formula::new("=1+6").set_result("7");
        sheet.write_formula(4, 1, sum).unwrap();
        sheet.write(4, 2, "x").unwrap();
    });
    let table = read("t.xlsx", &bytes, &Limits::default()).unwrap();
    let columns = table.columns(&KNOWN).unwrap();
    let mut rows = columns.rows();
    let row = rows.next().unwrap();
    let cells = ["sku", "units", "carton_units", "at"].map(|name| row.cell(name));
    assert_eq!(cells, ["00012345", "12", "0.3", "2026-11-22 10:30:00"]);
    let mut row = rows.next().unwrap();
    assert_eq!(
        (row.int("units"), row.int("carton_units"), row.number()),
        (Some(7), None, 5)
    );
    assert_eq!(row.problems()[0].place, "cell C5");
}

#[test]
fn a_sheet_can_be_chosen_by_name() {
    let bytes = book(|sheet| {
        sheet.write(0, 0, "first").unwrap();
    });
    let limits = Limits::default();
    let chosen = read_sheet("t.xlsx", &bytes, Some("Decisions"), &limits).unwrap();
    assert_eq!(chosen.raw_rows().next().unwrap().1, ["second"]);
    let problem = read_sheet("t.xlsx", &bytes, Some("Decision"), &limits).unwrap_err();
    assert_eq!(
        problem.to_string(),
        "t.xlsx: found `sheets Sheet1, Decisions`, wanted a sheet `Decision`, perhaps `Decisions`"
    );
}

#[test]
fn limits_refuse_the_whole_file() {
    let limits = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        limits
    };
    let text = b"sku,units\nAAAA,1\nB,2\n";
    assert!(refused(text, &limits(|l| l.bytes = 10)).contains("at most 10 bytes"));
    assert!(refused(text, &limits(|l| l.rows = 2)).contains("line 3: found `one more row`"));
    assert!(refused(text, &limits(|l| l.columns = 1)).contains("at most 1 columns"));
    assert!(refused(text, &limits(|l| l.cell_chars = 3)).contains("a cell of at most 3 characters"));
    // A far corner must not cost the rectangle before it.
    let far = book(|sheet| {
        sheet.write(1_048_575, 16_383, "x").unwrap();
    });
    assert!(refused(&far, &Limits::default()).contains("cell XFD1048576"));
    let bomb = book(|sheet| {
        for row in 0..2_000 {
            sheet.write(row, 0, "0".repeat(1_000)).unwrap();
        }
    });
    assert!(refused(&bomb, &limits(|l| l.unpacked_bytes = 20_000)).contains("unpacks to more"));
    // Two thousand mentions of one text of a thousand characters: 100 kB of XML, 2 MB of cells.
    assert!(refused(&bomb, &limits(|l| l.unpacked_bytes = 1_000_000)).contains("1000000 bytes of text"));
}

#[test]
fn columns_are_lettered_as_in_a_sheet() {
    assert_eq!(
        [0, 25, 26, 701, 702, 16_383].map(column_letters),
        ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
    );
}

#[test]
fn a_note_beside_a_sheets_table_does_not_refuse_the_row() {
    let bytes = book(|sheet| {
        for (row, cells) in [["sku", "units", ""], ["A", "1", "checked by Li"]]
            .into_iter()
            .enumerate()
        {
            for (column, cell) in cells.into_iter().enumerate() {
                sheet
                    .write(u32::try_from(row).unwrap(), u16::try_from(column).unwrap(), cell)
                    .unwrap();
            }
        }
    });
    let table = read("t.xlsx", &bytes, &Limits::default()).unwrap();
    let columns = table.columns(&KNOWN).unwrap();
    assert!(columns.rows().all(|row| row.problems().is_empty()));
}

mod hostile {
    use std::io::{Cursor, Read as _, Write as _};
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    static XLSX: LazyLock<Vec<u8>> = LazyLock::new(|| {
        book(|sheet| {
            for row in 0..20 {
                sheet.write(row, 0, format!("SKU-{row}")).unwrap();
                sheet.write(row, 1, row).unwrap();
            }
        })
    });

    /// Writes bytes over the parts of a workbook and packs them again, so that the damage is not seen by the zip.
    fn damage(bytes: &[u8], hits: &[(prop::sample::Index, u8)]) -> Vec<u8> {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut damaged = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for index in 0..archive.len() {
            let mut part = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            part.read_to_end(&mut content).unwrap();
            let name = part.name().unwrap().into_owned();
            if name.ends_with("sheet1.xml") || name.ends_with("Strings.xml") {
                for (place, byte) in hits {
                    let index = place.index(content.len());
                    content[index] = *byte;
                }
            }
            damaged
                .start_file(name, zip::write::SimpleFileOptions::default())
                .unwrap();
            damaged.write_all(&content).unwrap();
        }
        damaged.finish().unwrap().into_inner()
    }

    fn hits() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)
    }

    #[test]
    fn a_claim_of_more_texts_than_bytes_is_refused() {
        let mut archive = zip::ZipArchive::new(Cursor::new(XLSX.as_slice())).unwrap();
        let mut lying = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for index in 0..archive.len() {
            let mut part = archive.by_index(index).unwrap();
            let name = part.name().unwrap().into_owned();
            let mut content = String::new();
            part.read_to_string(&mut content).unwrap();
            lying
                .start_file(name, zip::write::SimpleFileOptions::default())
                .unwrap();
            let content = content.replace("uniqueCount=\"21\"", "uniqueCount=\"99999999999999\"");
            lying.write_all(content.as_bytes()).unwrap();
        }
        let lying = lying.finish().unwrap().into_inner();
        assert!(refused(&lying, &Limits::default()).contains("claims 99999999999999 texts"));
        assert!(read("t", &XLSX, &Limits::default()).is_ok());
    }

    proptest! {
        #[test]
        fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = read("t", &bytes, &Limits::default());
        }

        #[test]
        fn any_text_gives_rows_or_one_problem(text in "[a-c,;\t\"\r\n\u{FF11}]{0,80}") {
            if let Ok(table) = read("t", text.as_bytes(), &Limits::default()) {
                let lines = text.matches('\n').count() + 1;
                prop_assert!(table.raw_rows().all(|(number, cells)| number <= lines && !cells.is_empty()));
            }
        }

        #[test]
        fn damaged_workbooks_give_an_answer(hits in hits()) {
            if let Ok(table) = read("t", &damage(&XLSX, &hits), &Limits::default()) {
                let _ = table.columns(&KNOWN);
            }
        }
    }
}
