//! Bench `workbook`: 100,000 rows of 20 columns through a declared workbook of ours, and through the bare writer in
//! constant memory, in one process each and in the same run. What counts is the ratio.

use std::process::Command;

use linkstar::mapping::definition::{Kind, Mapping};
use linkstar::mapping::value::{Maps, Scope};
use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};

const ROWS: usize = 100_000;
const COLUMNS: usize = 20;
const CPU_RATIO_MAX: f64 = 2.0;
const RSS_MIB_MAX: f64 = 60.0;

fn main() {
    match std::env::var("LINKSTAR_BENCH_JOB").as_deref() {
        Ok("bare") => report(&bare()),
        Ok("ours") => report(&ours()),
        _ => compare(),
    }
}

/// Ten numbers and ten texts that are never the same twice.
fn text(row: usize, column: usize) -> String {
    format!("SKU-{row:06}-{column:02} 品名")
}

fn bare() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet_with_constant_memory().expect("a sheet");
    for row in 0..ROWS {
        let line = u32::try_from(row).expect("few rows");
        for column in 0..COLUMNS {
            let at = u16::try_from(column).expect("few columns");
            match column % 2 {
                0 => sheet.write_number(line, at, f64::from(line) + f64::from(at) / 100.0),
                _ => sheet.write_string(line, at, text(row, column)),
            }
            .expect("a cell");
        }
    }
    book.save_to_buffer().expect("a workbook")
}

fn mapping() -> Mapping {
    let mut columns = String::new();
    let mut widths = Vec::new();
    for (column, name) in NAMES.iter().enumerate() {
        let letters =
            linkstar::mapping::xlsx::address::column_letters(u32::try_from(column + 1).expect("few"));
        let kind = if column % 2 == 0 { "number" } else { "text" };
        columns.push_str(&format!(
            "  {{ title = \"{name}\", columns = \"{letters}\", value = \"{{row.{name}}}\", type = \"{kind}\" }},\n"
        ));
        widths.push("40");
    }
    let text = format!(
        "[mapping]\nlanguage = 1\nid = \"bench\"\nversion = 1\nkind = \"xlsx-new\"\ndocument = \"bench\"\nfile_name = \"b.xlsx\"\n\
         [xlsx-new]\nsheet = \"S\"\ntitle = \"b\"\nwidths = [{}]\n[[xlsx-new.blocks]]\n[xlsx-new.blocks.table]\n\
         each = [\"row in cartons\"]\ncolumns = [\n{columns}]\n",
        widths.join(", ")
    );
    Mapping::parse("bench.toml", &text, &|_| None).unwrap_or_else(|problems| stop(&format!("{problems:#?}")))
}

/// Names a carton of the model has: the mapping is checked like any other.
const NAMES: [&str; COLUMNS] = [
    "no",
    "mark",
    "units",
    "size_cm",
    "net_g",
    "net_kg",
    "gross_g",
    "gross_kg",
    "length_mm",
    "length_cm",
    "width_mm",
    "width_cm",
    "height_mm",
    "height_cm",
    "volume_mm3",
    "volume_m3",
    "of",
    "mixed",
    "contents",
    "mark",
];

fn ours() -> Vec<u8> {
    let mapping = mapping();
    let Kind::XlsxNew(page) = &mapping.kind else {
        stop("the bench's mapping is a page of ours")
    };
    let (model, maps) = (json!({}), Maps::new());
    let mut rows = (0..ROWS).map(|row| {
        let cells = NAMES.iter().enumerate().map(|(column, name)| {
            let value = match column % 2 {
                0 => Value::String(format!("{row}.{column:02}")),
                _ => Value::String(text(row, column)),
            };
            ((*name).to_owned(), value)
        });
        Value::Object(cells.collect())
    });
    let scope = Scope::new(&model, &maps);
    let written = page.stream("bench.toml", &scope, &mut rows);
    written.unwrap_or_else(|problems| stop(&format!("{problems:#?}")))
}

/// CPU seconds and peak memory of this process, as Linux counts them.
fn report(bytes: &[u8]) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |place: usize| {
        fields
            .get(place)
            .and_then(|text| text.parse::<f64>().ok())
            .unwrap_or_default()
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak
        .and_then(|line| line.split_whitespace().next())
        .unwrap_or("0");
    println!("{} {peak} {}", (ticks(11) + ticks(12)) / 100.0, bytes.len());
}

fn compare() {
    let program = std::env::current_exe().expect("this program");
    let run = |job: &str| -> (f64, f64, f64) {
        let mut best = (f64::MAX, 0.0, 0.0);
        for _ in 0..3 {
            let output = Command::new(&program)
                .env("LINKSTAR_BENCH_JOB", job)
                .output()
                .expect("runs");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let numbers: Vec<f64> = text
                .split_whitespace()
                .filter_map(|text| text.parse().ok())
                .collect();
            let [cpu, peak, bytes] = numbers[..] else {
                stop(&format!(
                    "{job} failed: {}",
                    String::from_utf8_lossy(&output.stderr)
                ))
            };
            if cpu < best.0 {
                best = (cpu, peak / 1024.0, bytes / 1e6);
            }
        }
        best
    };
    let (bare, ours) = (run("bare"), run("ours"));
    println!("workbook of {ROWS} rows x {COLUMNS} columns, best of 3");
    println!(
        "  bare writer, constant memory  {:6.2} CPU s  {:6.1} MiB peak  {:5.1} MB",
        bare.0, bare.1, bare.2
    );
    println!(
        "  declared workbook, streamed   {:6.2} CPU s  {:6.1} MiB peak  {:5.1} MB",
        ours.0, ours.1, ours.2
    );
    peers();
    let ratio = ours.0 / bare.0.max(0.01);
    println!(
        "  ratio {ratio:.2} (limit {CPU_RATIO_MAX}), peak {:.1} MiB (limit {RSS_MIB_MAX})",
        ours.1
    );
    if ratio > CPU_RATIO_MAX || ours.1 > RSS_MIB_MAX {
        stop("over the limit");
    }
}

/// Other people's writers with the same rows, where they are there: openpyxl, and umya (`LINKSTAR_BENCH_UMYA`, the
/// program of `benches/workbook/umya`).
fn peers() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/workbook");
    let sizes = [ROWS.to_string(), COLUMNS.to_string()];
    let ran = Command::new("python3")
        .arg(here.join("openpyxl_write.py"))
        .args(&sizes)
        .output();
    match ran {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let numbers: Vec<f64> = text
                .split_whitespace()
                .filter_map(|text| text.parse().ok())
                .collect();
            if let [cpu, peak, bytes] = numbers[..] {
                show("openpyxl, write only", cpu, peak / 1024.0, bytes / 1e6);
            }
        }
        _ => println!("  openpyxl is not installed"),
    }
    let Ok(program) = std::env::var("LINKSTAR_BENCH_UMYA") else {
        println!("  umya: LINKSTAR_BENCH_UMYA does not name benches/workbook/umya's program");
        return;
    };
    let file = std::env::temp_dir().join(format!("linkstar-bench-{}.xlsx", std::process::id()));
    let ran = Command::new("/usr/bin/time")
        .args(["-f", "%U %S %M", &program])
        .args(&sizes)
        .arg(&file)
        .output();
    let bytes = std::fs::metadata(&file).map_or(0, |found| found.len());
    if std::fs::remove_file(&file).is_err() {
        println!("  umya wrote nothing");
        return;
    }
    let text = ran
        .map(|output| String::from_utf8_lossy(&output.stderr).into_owned())
        .unwrap_or_default();
    let last = text.lines().last().unwrap_or_default();
    let numbers: Vec<f64> = last
        .split_whitespace()
        .filter_map(|text| text.parse().ok())
        .collect();
    if let [user, system, peak] = numbers[..] {
        let megabytes = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1e6;
        show("umya-spreadsheet", user + system, peak / 1024.0, megabytes);
    }
}

fn show(what: &str, cpu: f64, peak: f64, megabytes: f64) {
    println!("  {what:<28}  {cpu:6.2} CPU s  {peak:6.1} MiB peak  {megabytes:5.1} MB");
}

fn stop(reason: &str) -> ! {
    eprintln!("{reason}");
    std::process::exit(1)
}
