//! A module may use its own floor and everything below, never above.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const FLOORS: [(&str, u8); 33] = [
    ("calendar", 0),
    ("catalog", 0),
    ("clock", 0),
    ("deadline", 0),
    ("declared", 0),
    ("delivery", 0),
    ("digest", 0),
    ("identity", 0),
    ("ids", 0),
    ("ledger", 0),
    ("money", 0),
    ("order", 0),
    ("planner", 0),
    ("problem", 0),
    ("quantity", 0),
    ("reconcile", 0),
    ("scorecard", 0),
    ("secret", 0),
    ("wording", 0),
    ("backtest", 1),
    ("claim", 1),
    ("connector", 1),
    ("mapping", 1),
    ("pack", 1),
    ("report", 1),
    ("config", 2),
    ("http", 2),
    ("store", 2),
    ("telemetry", 2),
    ("transport", 2),
    ("jobs", 3),
    ("night", 3),
    ("schedule", 3),
];
const EDGES: [&str; 3] = ["cli", "simulate", "web"];

fn floor(module: &str) -> Option<u8> {
    if EDGES.contains(&module) {
        return Some(4);
    }
    FLOORS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, floor)| *floor)
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src is readable") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(String, PathBuf, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    files.sort();
    files
        .into_iter()
        .filter(|path| !path.ends_with("lib.rs") && !path.ends_with("main.rs"))
        .map(|path| {
            let inside = path.strip_prefix(&src).expect("below src").to_path_buf();
            let module = inside
                .iter()
                .next()
                .expect("a name")
                .to_string_lossy()
                .replace(".rs", "");
            let text = fs::read_to_string(&path).expect("readable");
            (module, inside, text)
        })
        .collect()
}

#[test]
fn every_module_has_a_floor_and_every_floor_a_module() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let text = fs::read_to_string(src.join("lib.rs")).expect("readable");
    let declared: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_suffix(';'))
        .filter_map(|line| line.strip_prefix("pub mod ").or(line.strip_prefix("mod ")))
        .collect();
    let placed: BTreeSet<&str> = FLOORS.iter().map(|(name, _)| *name).chain(EDGES).collect();
    assert_eq!(declared, placed);
    assert_eq!(placed.len(), FLOORS.len() + EDGES.len(), "a module stands twice");
}

#[test]
fn no_arrow_runs_up() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        let own = floor(&module)
            .unwrap_or_else(|| panic!("module `{module}` has no floor in tests/architecture.rs"));
        for (number, line) in text.lines().enumerate() {
            for part in line.split("crate::").skip(1) {
                let used: String = part
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                if floor(&used).is_some_and(|used_floor| used_floor > own) {
                    wrong.push(format!(
                        "{}:{}: floor {own} uses `{used}`",
                        path.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_two_lowest_floors_do_no_io() {
    let forbidden = [
        "std::fs",
        "std::net",
        "tokio::",
        "sqlx::",
        "reqwest::",
        "async fn",
        "std::env",
    ];
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        if floor(&module) > Some(1) {
            continue;
        }
        let body = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in body.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(word) = forbidden.iter().find(|word| code.contains(**word)) {
                wrong.push(format!("{}:{}: `{word}`", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_store_speaks_sql_and_no_file_is_a_drawer() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if ["utils", "util", "common", "helpers", "misc"].contains(&stem.as_str()) {
            wrong.push(format!("{}: a drawer", path.display()));
        }
        let body = text.split("#[cfg(test)]").next().unwrap_or_default();
        if module != "store" && (body.contains("SELECT ") || body.contains("INSERT INTO ")) {
            wrong.push(format!("{}: SQL outside the store", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "fuzz/src"] {
        rust_files(&root.join(folder), &mut files);
    }
    let long: Vec<String> = files
        .iter()
        .filter_map(|path| {
            let lines = fs::read_to_string(path).expect("readable").lines().count();
            (lines > 500).then(|| format!("{}: {lines} lines", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}
