//! Row insertion, judged by LibreOffice's own command on generated workbooks.

mod features;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use linkstar::mapping::xlsx::insert_rows;
use rust_xlsxwriter::{
    ConditionalFormatCell, ConditionalFormatCellRule, ConditionalFormatFormula, DataValidation, Format,
    Formula, Note, Url, Workbook, Worksheet,
};

use crate::services::missing;

const BOOKS: u64 = 50;
const SHEETS: [&str; 3] = ["Data", "汇总 1", "It's"];

/// A small generator of our own: the same books in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn row(&mut self) -> u32 {
        u32::try_from(self.below(40) + 1).expect("small")
    }

    fn column(&mut self) -> char {
        char::from(b'A' + u8::try_from(self.below(8)).expect("small"))
    }

    fn dollar(&mut self) -> &'static str {
        if self.below(3) == 0 { "$" } else { "" }
    }

    fn cell(&mut self) -> String {
        let (column, row) = (self.column(), self.row());
        format!("{}{column}{}{row}", self.dollar(), self.dollar())
    }

    fn area(&mut self) -> String {
        let (a, b) = (self.row(), self.row());
        let (top, bottom) = (a.min(b), a.max(b));
        match self.below(6) {
            0 => format!("{top}:{bottom}"),
            1 => "C:E".to_owned(),
            _ => format!(
                "B{}{top}:{}D{}{bottom}",
                self.dollar(),
                self.dollar(),
                self.dollar()
            ),
        }
    }

    fn sheet(&mut self) -> String {
        match self.below(4) {
            0 => "Data!".to_owned(),
            1 => "'汇总 1'!".to_owned(),
            2 => "'It''s'!".to_owned(),
            _ => String::new(),
        }
    }

    fn formula(&mut self) -> String {
        match self.below(6) {
            0 => format!("={}{}", self.sheet(), self.cell()),
            1 => format!("=SUM({}{})", self.sheet(), self.area()),
            2 => format!(
                "=IF({}>3,{}{},\"B7 of 'Data'!B7\")",
                self.cell(),
                self.sheet(),
                self.cell()
            ),
            3 => format!(
                "=SUM({}{})*{}{}+LOG10(2)",
                self.sheet(),
                self.area(),
                self.sheet(),
                self.cell()
            ),
            4 => format!(
                "=IFERROR(OFFSET({}$A$1,ROW({}A{})*3+1,0),0)",
                self.sheet(),
                self.sheet(),
                self.row()
            ),
            _ => format!(
                "=VLOOKUP({},{}{},2,FALSE)&{}",
                self.cell(),
                self.sheet(),
                "$B$2:$D$30",
                self.cell()
            ),
        }
    }
}

fn fill(sheet: &mut Worksheet, dice: &mut Dice) {
    let number = Format::new().set_num_format("0.000");
    for row in 0..40_u32 {
        for column in 0..8_u16 {
            match dice.below(8) {
                0..=2 => sheet
                    .write_number(row, column, f64::from(row) + f64::from(column))
                    .map(|_| ()),
                3 => sheet
                    .write_number_with_format(row, column, f64::from(row), &number)
                    .map(|_| ()),
                4 => sheet
                    .write_formula(row, column, Formula::new(dice.formula()))
                    .map(|_| ()),
                5 => sheet
                    .write_string(row, column, format!("=text {row} & <B7>"))
                    .map(|_| ()),
                _ => Ok(()),
            }
            .expect("a cell");
        }
    }
    for no in 0..3_u32 {
        let from = dice.row() + no * 45;
        let to = from + u32::try_from(dice.below(4)).expect("small");
        sheet
            .merge_range(from, 9, to, 10, "merged", &Format::new())
            .expect("a merge");
    }
    for no in 0..2_u16 {
        let from = dice.row();
        let list = match dice.below(2) {
            0 => DataValidation::new()
                .allow_list_strings(&["是", "否"])
                .expect("a list"),
            _ => DataValidation::new()
                .allow_list_formula(format!("=Data!$B$2:$B${}", dice.row() + 3).as_str().into()),
        };
        let to = from + u32::try_from(dice.below(9)).expect("small");
        sheet
            .add_data_validation(from, 12 + no, to, 12 + no, &list)
            .expect("a validation");
    }
    let from = dice.row();
    let rule = ConditionalFormatCell::new()
        .set_rule(ConditionalFormatCellRule::GreaterThan(Formula::new("=$C$5")))
        .set_format(Format::new().set_bold());
    sheet
        .add_conditional_format(from, 0, from + 6, 3, &rule)
        .expect("a rule");
    let rule = ConditionalFormatFormula::new()
        .set_rule(format!("=$B{}>$D$9", from + 1).as_str())
        .set_format(Format::new().set_italic());
    sheet
        .add_conditional_format(from, 5, from + 9, 6, &rule)
        .expect("a rule");
    sheet
        .write_url(dice.row(), 15, Url::new(format!("internal:Data!B{}", dice.row())))
        .expect("a link");
    let noted = dice.row();
    sheet
        .insert_note(noted, 16, &Note::new("who looks at B7?"))
        .expect("a note");
    sheet
        .set_print_area(0, 0, 30 + dice.row(), 8)
        .expect("a print area");
    sheet
        .set_repeat_rows(0, u32::try_from(dice.below(12)).expect("small"))
        .expect("repeated rows");
    sheet.set_page_breaks(&[dice.row() + 1]).expect("a break");
    features::add(sheet, dice);
}

fn packed(parts: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        out.start_file(name, zip::write::SimpleFileOptions::default())
            .expect("a part");
        out.write_all(content).expect("written");
    }
    out.finish().expect("a zip").into_inner()
}

fn book(no: u64) -> Vec<u8> {
    let mut dice = Dice(no + 1);
    let mut book = Workbook::new();
    for name in SHEETS {
        let sheet = book.add_worksheet();
        sheet.set_name(name).expect("a name");
        fill(sheet, &mut dice);
    }
    let (from, to) = (dice.row(), dice.row() + 40);
    book.define_name("Prices", &format!("=Data!$B${from}:$D${to}"))
        .expect("a name");
    book.define_name("Rate", &format!("='汇总 1'!$C${}", dice.row()))
        .expect("a name");
    book.define_name("Data!Local", &format!("=Data!$A${}", dice.row()))
        .expect("a name");
    features::add_names(&mut book, &mut dice);
    let from = dice.row();
    let plain = book.save_to_buffer().expect("a workbook");
    features::with_pivot(&plain, from, from + 6)
}

/// Facts of each file, as openpyxl sees them.
fn structures(files: &[String]) -> Option<BTreeMap<String, Vec<String>>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/documents/structure.py");
    let ran = Command::new("python3")
        .arg(script)
        .args(files)
        .env("PYTHONIOENCODING", "utf-8")
        .output();
    let output = match ran {
        Ok(output) if output.status.code() != Some(3) => output,
        _ => {
            missing("python3 with openpyxl is not installed");
            return None;
        }
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut structures = BTreeMap::new();
    let mut facts = None;
    for line in String::from_utf8(output.stdout).expect("UTF-8").lines() {
        match line.strip_prefix("== ") {
            Some(file) => facts = Some(structures.entry(file.to_owned()).or_insert_with(Vec::new)),
            None => facts.as_mut().expect("a file first").push(line.to_owned()),
        }
    }
    Some(structures)
}

#[test]
fn rows_inserted_like_libreoffice_inserts_them_on_fifty_workbooks() {
    if !Path::new("/usr/bin/python3").exists()
        || !Command::new("/usr/bin/python3")
            .args(["-c", "import uno"])
            .status()
            .is_ok_and(|ran| ran.success())
    {
        missing("python3 with LibreOffice's own bridge is not installed (Debian package python3-uno)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: String| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let mut jobs = String::new();
    let mut pairs = Vec::new();
    for no in 0..BOOKS {
        let mut dice = Dice(no + 1_000);
        let sheet = SHEETS[usize::try_from(dice.below(3)).unwrap()];
        let (before, count) = (dice.row() + 1, dice.below(4) + 1);
        let plain = book(no);
        let ours = insert_rows(&plain, sheet, before, u32::try_from(count).unwrap()).unwrap();
        let [source, inserted] = [("plain", &plain), ("inserted", &ours)].map(|(name, bytes)| {
            let file = path(format!("{no}-{name}.xlsx"));
            std::fs::write(&file, bytes).unwrap();
            file
        });
        let [by_office, by_us] = ["office", "us"].map(|name| path(format!("{no}-by-{name}.xlsx")));
        writeln!(jobs, "{source}\t{by_office}\t{sheet}\t{before}\t{count}").unwrap();
        writeln!(jobs, "{inserted}\t{by_us}\t{sheet}\t1\t0").unwrap();
        pairs.push((no, sheet, before, count, by_office, by_us));
    }
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/documents/insert_rows_in_libreoffice.py");
    let mut office = Command::new("/usr/bin/python3")
        .arg(script)
        .arg(folder.path())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    office.stdin.take().unwrap().write_all(jobs.as_bytes()).unwrap();
    assert!(office.wait().unwrap().success(), "LibreOffice did its part");
    let files: Vec<String> = pairs
        .iter()
        .flat_map(|pair| [pair.4.clone(), pair.5.clone()])
        .collect();
    let Some(structures) = structures(&files) else {
        return;
    };
    let mut differing = String::new();
    for (no, sheet, before, count, by_office, by_us) in &pairs {
        let (theirs, ours) = (&structures[by_office], &structures[by_us]);
        assert!(theirs.len() > 300, "book {no} says something");
        for kind in [
            "!series ",
            "!chart ",
            "!image ",
            "!list ",
            "!pivot ",
            " limit ",
            " array ",
            " link ",
            "name Left",
        ] {
            assert!(
                ours.iter().any(|fact| fact.contains(kind)),
                "book {no} has no{kind}"
            );
        }
        let only = |of: &[String], not_of: &[String]| -> Vec<String> {
            of.iter().filter(|fact| !not_of.contains(fact)).cloned().collect()
        };
        let (lost, gained) = (only(theirs, ours), only(ours, theirs));
        if !lost.is_empty() || !gained.is_empty() {
            writeln!(
                differing,
                "book {no}, {count} rows before {before} of {sheet}:\n  LibreOffice {lost:#?}\n  ours {gained:#?}"
            )
            .unwrap();
        }
    }
    assert!(differing.is_empty(), "{differing}");
}
