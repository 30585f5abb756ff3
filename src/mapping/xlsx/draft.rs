//! A first mapping for a workbook nobody has mapped yet: what its labels and titles seem to ask for, as a file to
//! look through, finish and test.

mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::address::{At, column_letters};
use super::book::{Book, Found, Grid};
use super::package::{Package, chain};
use crate::digest::sha256_hex;
use crate::problem::Problem;
use words::{Guess, in_head, in_row};

/// A header row has at least so many titles that are known.
const MIN_TITLES: usize = 3;
/// A form begins near the top; further down there are goods.
const MAX_ROWS: u32 = 200;

/// What the new mapping is for.
#[derive(Debug, Clone)]
pub struct Purpose<'a> {
    pub id: &'a str,
    pub document: &'a str,
    pub party: Option<&'a str>,
    pub country: Option<&'a str>,
}

/// Drafts a mapping file. `template` is the workbook's name as the mapping will give it.
///
/// # Errors
/// When the file is no workbook, or no row of it looks like the header of a table and no cell like a label.
pub fn draft(template: &str, bytes: &[u8], purpose: &Purpose<'_>) -> Result<String, Problem> {
    let unreadable =
        |found: String| Problem::new(template, "", "", found, "a workbook (.xlsx) that can be read");
    let mut book = Book::open(template, bytes)?;
    let sheets = Package::open(bytes).and_then(|mut package| package.sheets());
    let sheets = sheets.map_err(|error| unreadable(chain(&error)))?;
    let mut out = head(template, bytes, purpose);
    let mut any = false;
    for (name, _) in &sheets {
        let grid = book.grid(name)?;
        any |= sheet(&mut out, name, &grid);
    }
    match any {
        true => Ok(out),
        false => Err(Problem::new(
            template,
            "",
            "",
            "no label and no header row that is known",
            "a form with labels such as 收件人 or a table with titles such as SKU",
        )),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn head(template: &str, bytes: &[u8], purpose: &Purpose<'_>) -> String {
    let mut out = String::from(
        "# A draft: look at every line, then `linkstar mapping check` and `linkstar mapping preview`.\n\n[mapping]\nlanguage = 1\n",
    );
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(out, "{key} = {}", quoted(value));
    };
    line("id", purpose.id);
    if let Some(party) = purpose.party {
        line("party", party);
    }
    if let Some(country) = purpose.country {
        line("country", country);
    }
    line("document", purpose.document);
    line("kind", "xlsx-template");
    line("file_name", &format!("{{order.number}}-{}.xlsx", purpose.id));
    let _ = writeln!(
        out,
        "version = 1\n\n[xlsx-template]\ntemplate = {}\nsha256 = \"{}\"",
        quoted(template),
        sha256_hex(bytes)
    );
    out
}

/// The row with the most titles that are known, with those titles.
fn header(grid: &Grid) -> Option<(u32, Vec<(At, String)>)> {
    let mut rows: BTreeMap<u32, Vec<(At, String)>> = BTreeMap::new();
    for (at, found) in grid.cells.iter().filter(|(at, _)| at.row <= MAX_ROWS) {
        if let Found::Text(text) = found {
            rows.entry(at.row).or_default().push((*at, text.clone()));
        }
    }
    let known = |titles: &[(At, String)]| titles.iter().filter(|(_, text)| in_row(text).is_some()).count();
    rows.into_iter()
        .map(|(row, titles)| (known(&titles), row, titles))
        .filter(|(count, _, _)| *count >= MIN_TITLES)
        // The first of equals: goods below may repeat words of the titles.
        .max_by_key(|(count, row, _)| (*count, std::cmp::Reverse(*row)))
        .map(|(_, row, titles)| (row, titles))
}

fn sheet(out: &mut String, name: &str, grid: &Grid) -> bool {
    let header = header(grid);
    let above = header.as_ref().map_or(MAX_ROWS, |(row, _)| row.saturating_sub(1));
    let labels = labels(grid, above);
    // A list of names, such as the hidden sheet of a drop-down, says the same again and again.
    let different: std::collections::BTreeSet<&str> =
        labels.iter().map(|(_, _, _, guess)| guess.path).collect();
    if header.is_none() && (labels.is_empty() || different.len() * 2 <= labels.len()) {
        return false;
    }
    let _ = writeln!(out, "\n[[xlsx-template.sheets]]\nname = {}", quoted(name));
    if !labels.is_empty() {
        out.push_str("cells = [\n");
        for (label_at, text, at, guess) in &labels {
            let beside = At {
                column: label_at.column + 1,
                ..*label_at
            };
            let place = match *at == beside {
                true => String::new(),
                false => format!(", label_at = \"{label_at}\""),
            };
            let _ = writeln!(
                out,
                "  {{ at = \"{at}\", label = {}{place}, value = {}{} }},",
                quoted(text),
                quoted(guess.path),
                guess.options(text)
            );
        }
        out.push_str("]\n");
    }
    if let Some((row, titles)) = header {
        table(out, grid, row, &titles);
    }
    true
}

/// Labels above the table, each with the cell its value goes to.
fn labels(grid: &Grid, last: u32) -> Vec<(At, String, At, Guess)> {
    let mut labels = Vec::new();
    for (at, found) in grid.cells.range(
        ..At {
            row: last.saturating_add(1),
            column: 0,
        },
    ) {
        let Found::Text(text) = found else { continue };
        let Some(guess) = in_head(text).filter(|_| !placeholder(text)) else {
            continue;
        };
        let merge = grid.merges.iter().find(|area| area.from == *at);
        let beside = At {
            column: merge.map_or(at.column, |area| area.to.column) + 1,
            ..*at
        };
        let covered = grid
            .merges
            .iter()
            .any(|area| area.contains(beside) && area.from != beside);
        // Two labels side by side: the value of the first is somewhere else.
        let label = |text: &str| in_head(text).is_some() && !placeholder(text) && text.chars().count() < 12;
        let taken = match grid.cells.get(&beside) {
            Some(Found::Text(next)) => label(next),
            _ => grid.formulas.contains(&beside),
        };
        if !covered && !taken && text.chars().count() < 40 {
            labels.push((*at, text.clone(), beside, guess));
        }
    }
    labels
}

/// What other programs put where a value goes: `{收货地址.国家}`, `${center}`.
fn placeholder(text: &str) -> bool {
    text.contains(['{', '}'])
}

fn table(out: &mut String, grid: &Grid, row: u32, titles: &[(At, String)]) {
    let known: Vec<(&At, &String, Guess)> = titles
        .iter()
        .filter_map(|(at, text)| Some((at, text, in_row(text)?)))
        .collect();
    let cartons = known.iter().any(|(_, _, guess)| guess.path.contains("carton"));
    let first = row + 1;
    let sample = known
        .iter()
        .any(|(at, _, _)| grid.cells.contains_key(&At { row: first, ..**at }));
    let key = known
        .iter()
        .find(|(_, _, guess)| guess.path.contains(".sku") || guess.path.contains("mark"))
        .or(known.first());
    let each = match cartons {
        true => "[\"carton in cartons\", \"content in carton.contents\"]",
        false => "[\"content in lines\"]",
    };
    let _ = writeln!(
        out,
        "[xlsx-template.sheets.table]\neach = {each}\nheader_row = {row}\nfirst_row = {first}\nsample_rows = {}\nkey = \"{}\"\nrow_name = \"{{content.goods.sku}}\"\ncolumns = [",
        u32::from(sample),
        key.map_or_else(String::new, |(at, _, _)| column_letters(at.column)),
    );
    let mut formulas = Vec::new();
    for (at, text) in titles {
        let letters = column_letters(at.column);
        let target = At { row: first, ..*at };
        match in_row(text) {
            // The workbook works it out.
            Some(_) if grid.formulas.contains(&target) => formulas.push(text.clone()),
            Some(guess) => {
                let _ = writeln!(
                    out,
                    "  {{ column = \"{letters}\", title = {}, value = {}{} }},",
                    quoted(text),
                    quoted(guess.path),
                    guess.options(text)
                );
            }
            None => {
                let _ = writeln!(
                    out,
                    "  # {{ column = \"{letters}\", title = {}, value = \"\" }},",
                    quoted(text)
                );
            }
        }
    }
    out.push_str("]\n");
    if !formulas.is_empty() {
        let _ = writeln!(out, "# The workbook works out: {}", formulas.join(", "));
    }
    let column = |path: &str| {
        let mut known = known.iter();
        known
            .find(|(_, _, guess)| guess.path == path)
            .map(|(at, _, _)| column_letters(at.column))
    };
    if let Some(units) = column("{content.units}") {
        let _ = writeln!(
            out,
            "checks = [{{ total = \"{{totals.units}}\", sum = \"{units}\" }}]"
        );
    }
}
