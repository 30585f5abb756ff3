//! The first version of a connector file, from one page of the system: finds the rows, guesses what it can by the names
//! the trade uses, and names what it cannot. A person reads it before it is worth anything; it never guesses silently.

mod words;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value as Json;

use super::definition::{RecordKind, SelfTest};
use super::load::Definition;
use super::record::{Field, FieldKind};
use super::selftest;
use words::WORDS;

/// How many rows of the page the test inside the file keeps.
const TEST_ROWS: usize = 3;
const MAX_LEVELS: usize = 6;

/// A connector file for `name` with one stream of `record`; with a page (JSON, or a table with tabs or commas) its rows
/// and fields are looked for and the page becomes the file's first test.
///
/// # Errors
/// What is wrong with the page.
pub fn draft(name: &str, record: RecordKind, page: Option<&str>) -> Result<String, String> {
    let page = page.map(Sample::read).transpose()?;
    let mut text = head(name, record);
    stream(&mut text, record, page.as_ref(), false);
    if let Some(page) = &page {
        test(&mut text, record, page);
    }
    Ok(text)
}

/// The same for a system that is not asked: `file` is one of its exports, CSV or XLSX, with its name.
///
/// # Errors
/// What is wrong with the file.
pub fn draft_of_export(name: &str, record: RecordKind, file: (&str, &[u8])) -> Result<String, String> {
    let page = Sample::of_export(file.1)?;
    let mut text = head(name, record);
    if let Some(from) = text.find("[secrets.api_key]") {
        text.replace_range(from.., FOLDER);
    }
    stream(&mut text, record, Some(&page), true);
    let star = file
        .0
        .rfind('.')
        .map_or("", |dot| file.0.get(dot..).unwrap_or_default());
    let line = format!("file = {}", quoted(&format!("*{star}")));
    text = text.replacen(
        "request = { method = \"GET\", path = \"/v1/path\", limit = \"all\" }",
        &line,
        1,
    );
    test(&mut text, record, &page);
    Ok(text)
}

const FOLDER: &str = r#"[params.folder]
about = "the folder the exports lie in"

[files]
folder = "${param:folder}"
"#;

/// One page of the system, cut to a few rows.
struct Sample {
    rows: Option<String>,
    decode: Option<&'static str>,
    /// Path from the row and the value found there first.
    leaves: Vec<(String, String)>,
    text: String,
}

impl Sample {
    fn read(page: &str) -> Result<Self, String> {
        match serde_json::from_str::<Json>(page) {
            Ok(json) => Self::of_json(json),
            Err(why) if page.trim_start().starts_with(['{', '[']) => {
                Err(format!("the page is no JSON: {why}"))
            }
            Err(_) => Self::of_table(page),
        }
    }

    fn of_json(mut json: Json) -> Result<Self, String> {
        let mut found = Vec::new();
        lists(&json, &mut Vec::new(), &mut found);
        // The list with the most rows; of two alike the outer one.
        let keys = found
            .into_iter()
            .rev()
            .max_by_key(|(_, rows)| *rows)
            .map(|(keys, _)| keys)
            .ok_or("the page holds no list of rows")?;
        let at = keys
            .iter()
            .try_fold(&mut json, |at, key| at.get_mut(key))
            .and_then(Json::as_array_mut)
            .ok_or("the page holds no list of rows")?;
        at.truncate(TEST_ROWS);
        let mut leaves = Vec::new();
        for row in at.iter() {
            collect(row, "", &mut leaves, 0);
        }
        let text = serde_json::to_string_pretty(&json).map_err(|why| why.to_string())?;
        Ok(Self {
            rows: Some(format!("{}[]", keys.join("."))),
            decode: None,
            leaves,
            text,
        })
    }

    /// The header is the row with the most heads that the trade uses, or else the first one with as many cells as any.
    fn of_export(bytes: &[u8]) -> Result<Self, String> {
        let limits = crate::mapping::table::Limits::default();
        let table =
            crate::mapping::table::read("the file", bytes, &limits).map_err(|problem| problem.to_string())?;
        let rows: Vec<&[String]> = table.raw_rows().map(|(_, cells)| cells).collect();
        let known = |cells: &[String]| {
            let is = |cell: &String| {
                WORDS
                    .iter()
                    .any(|(_, words)| words.contains(&bare(cell).as_str()))
            };
            (cells.iter().filter(|cell| is(cell)).count(), cells.len())
        };
        let best = rows
            .iter()
            .take(20)
            .map(|cells| known(cells))
            .max()
            .unwrap_or_default();
        let header = rows
            .iter()
            .take(20)
            .position(|cells| known(cells) == best)
            .unwrap_or(0);
        let heads = rows.get(header).copied().unwrap_or_default();
        let first = rows
            .get(header + 1)
            .copied()
            .ok_or("the file has no row below its header")?;
        let leaves = heads
            .iter()
            .map(|head| head.trim().to_owned())
            .zip(first.iter().cloned().chain(std::iter::repeat_with(String::new)))
            .filter(|(head, _)| !head.is_empty())
            .collect();
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        for cells in rows.iter().take(header + 1 + TEST_ROWS) {
            writer.write_record(*cells).map_err(|why| why.to_string())?;
        }
        let text = writer.into_inner().map_err(|why| why.to_string())?;
        Ok(Self {
            rows: None,
            decode: None,
            leaves,
            text: String::from_utf8(text).map_err(|why| why.to_string())?,
        })
    }

    fn of_table(page: &str) -> Result<Self, String> {
        let kept: Vec<&str> = page.lines().take(1 + TEST_ROWS).collect();
        let header = kept.first().copied().unwrap_or_default();
        let (mark, kind) = if header.contains('\t') {
            ('\t', "tsv")
        } else {
            (',', "csv")
        };
        if !header.contains(mark) || kept.len() < 2 {
            return Err("the page is neither JSON nor a table with a header and rows".to_owned());
        }
        let values = |line: &str| -> Vec<String> {
            line.split(mark)
                .map(|cell| cell.trim_matches('"').to_owned())
                .collect()
        };
        let first = kept.get(1).map(|line| values(line)).unwrap_or_default();
        let leaves = values(header)
            .into_iter()
            .zip(first.into_iter().chain(std::iter::repeat_with(String::new)))
            .collect();
        Ok(Self {
            rows: None,
            decode: Some(kind),
            leaves,
            text: kept.join("\n") + "\n",
        })
    }
}

/// Every list of objects, with how many there are.
fn lists(json: &Json, keys: &mut Vec<String>, found: &mut Vec<(Vec<String>, usize)>) {
    let Json::Object(fields) = json else { return };
    for (key, value) in fields {
        keys.push(key.clone());
        match value {
            Json::Array(rows) if rows.iter().any(Json::is_object) => found.push((keys.clone(), rows.len())),
            Json::Object(_) if keys.len() < MAX_LEVELS => lists(value, keys, found),
            _ => {}
        }
        keys.pop();
    }
}

fn collect(row: &Json, under: &str, leaves: &mut Vec<(String, String)>, level: usize) {
    let Json::Object(fields) = row else { return };
    for (key, value) in fields {
        let path = format!("{under}{key}");
        match value {
            Json::Object(_) if level < MAX_LEVELS => collect(value, &format!("{path}."), leaves, level + 1),
            Json::Object(_) | Json::Array(_) => {}
            _ if leaves.iter().any(|(known, _)| *known == path) => {}
            Json::String(text) => leaves.push((path, text.clone())),
            other => leaves.push((path, other.to_string())),
        }
    }
}

fn bare(name: &str) -> String {
    name.chars()
        .filter(|sign| sign.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The path whose last name the trade uses for this field.
fn guess<'a>(field: &Field, page: &'a Sample, taken: &BTreeSet<&str>) -> Option<&'a (String, String)> {
    let words = WORDS.iter().find(|(name, _)| *name == field.name)?.1;
    words.iter().find_map(|word| {
        page.leaves.iter().find(|(path, _)| {
            let last = path.rsplit('.').next().unwrap_or_default();
            !taken.contains(path.as_str()) && bare(last) == *word
        })
    })
}

fn pipes(field: &Field, found: &str) -> String {
    match field.kind {
        FieldKind::Text => String::new(),
        FieldKind::Int => " | int".to_owned(),
        FieldKind::Flag => " | enum(true=true, false=false)".to_owned(),
        FieldKind::Word(words) => {
            let first = words.first().copied().unwrap_or_default();
            format!(" | enum({found}={first})")
        }
        FieldKind::Time if chrono::DateTime::parse_from_rfc3339(found).is_ok() => {
            " | ts('rfc3339')".to_owned()
        }
        FieldKind::Time => " | ts('%Y-%m-%d %H:%M:%S', 'UTC')".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn head(name: &str, record: RecordKind) -> String {
    let stream = stream_name(record);
    format!(
        r#"# What the system is, what is pulled from it, and what is odd about it.
version = 1
name = {name}
about = ""
# The zone of the civil days that sales and snapshots count for.
zone = "UTC"
doctor = "{stream}"

[secrets.api_key]
about = "where a person finds the key: portal, page, button"

[http]
base = "https://api.example.com"

[auth]
kind = "headers"
headers = {{ authorization = "Bearer ${{secret:api_key}}" }}

# What the system's documentation allows: requests a second, and how many at once after a rest.
[limits]
all = {{ rate = 1.0, burst = 1 }}

# Where errors arrive with HTTP 200, say what a good answer looks like:
# [answer]
# ok = "code == 0"
# message = ["message"]
"#,
        name = quoted(name)
    )
}

fn stream_name(record: RecordKind) -> &'static str {
    match record {
        RecordKind::OrderLine => "orders",
        RecordKind::Stock => "stock",
        RecordKind::Inbound => "inbound",
        RecordKind::InboundLine => "inbound_lines",
        RecordKind::Receipt => "receipts",
        RecordKind::Event => "events",
        RecordKind::Return => "returns",
        RecordKind::Code => "codes",
    }
}

fn stream(text: &mut String, record: RecordKind, page: Option<&Sample>, export: bool) {
    let name = stream_name(record);
    let word = record.word();
    let _ = write!(text, "\n[stream.{name}]\nrecord = \"{word}\"\n");
    if record == RecordKind::Stock {
        text.push_str(
            "# complete: a SKU that is absent has no stock. If the system leaves out what did not move, write partial.\n\
             snapshot = \"complete\"\nwarehouse = \"*\"\n",
        );
    } else {
        text.push_str("snapshot = \"partial\"\n");
    }
    if !export && matches!(record, RecordKind::InboundLine | RecordKind::Receipt) {
        text.push_str("# Asked once per inbound: declare [stream.inbound] too.\nparent = \"inbound\"\n");
    }
    text.push_str("request = { method = \"GET\", path = \"/v1/path\", limit = \"all\" }\n");
    text.push_str(if export {
        "# When a file was made; left out: when it was changed last.\n# as_of = { name = \"%Y%m%d\" }\n\
         # Rows with such a cell are sums and no data.\ntotals = [\"合计\", \"总计\", \"小计\", \"Total\"]\n"
    } else {
        "# page = { kind = \"number\", total = \"total\", size = 100 }\n"
    });
    let mut taken = BTreeSet::new();
    let mut map = String::new();
    let mut others: Vec<String> = Vec::new();
    for field in record.fields() {
        let needed = if field.required {
            "required"
        } else {
            "if the system has it"
        };
        match page.and_then(|page| guess(field, page, &taken)) {
            Some((path, found)) => {
                taken.insert(path.as_str());
                let pipes = match field.kind {
                    FieldKind::Time if export => " | ts('year_first', 'Asia/Shanghai')".to_owned(),
                    _ => pipes(field, found),
                };
                let doubt = match field.kind {
                    FieldKind::Time if pipes.contains("UTC") || export => "   # the zone is a guess",
                    FieldKind::Word(_) | FieldKind::Flag => "   # write down every word of theirs",
                    _ => "",
                };
                let path = if export && super::path::Path::parse(path).is_err() {
                    others.push(format!("{} = [{}]", field.name, quoted(path)));
                    field.name
                } else {
                    path.as_str()
                };
                let entry = quoted(&format!("{path}{pipes}"));
                let _ = writeln!(map, "{} = {entry}{doubt}", field.name);
            }
            None => {
                let _ = writeln!(map, "# {} = \"\"   # {needed}", field.name);
            }
        }
    }
    if let Some(page) = page {
        if let Some(rows) = &page.rows {
            let _ = writeln!(text, "rows = {}", quoted(rows));
        }
        if let Some(kind) = page.decode {
            let _ = writeln!(text, "decode = {{ kind = \"{kind}\" }}");
        }
        // A table names its columns, a JSON row its own fields, not those below them.
        let mut left: Vec<&str> = Vec::new();
        for (path, _) in &page.leaves {
            let head = path.split('.').next().unwrap_or_default();
            let read = taken.iter().any(|path| path.split('.').next() == Some(head));
            if !read && !left.contains(&head) {
                left.push(head);
            }
        }
        if !left.is_empty() {
            let names: Vec<String> = left.into_iter().map(quoted).collect();
            let _ = writeln!(
                text,
                "# Seen and not mapped; what is not listed here is counted as new.\nknown = [{}]",
                names.join(", ")
            );
        }
        if !others.is_empty() {
            let _ = writeln!(text, "alias = {{ {} }}", others.join(", "));
        }
    } else {
        text.push_str("rows = \"items[]\"\n");
    }
    let _ = write!(text, "\n[stream.{name}.map]\n{map}");
}

/// The page as a test, with the rows that the draft makes of it, for a person to compare with what he knows to be true.
fn test(text: &mut String, record: RecordKind, page: &Sample) {
    let name = stream_name(record);
    let literal = if page.text.contains("'''") {
        quoted(&page.text)
    } else {
        format!("'''\n{}\n'''", page.text.trim_end())
    };
    let mut params = String::new();
    let asked = (record == RecordKind::Stock).then(|| {
        let found = WORDS
            .iter()
            .find(|(field, _)| *field == "warehouse")
            .and_then(|(_, words)| {
                page.leaves
                    .iter()
                    .find(|(path, _)| words.contains(&bare(path).as_str()))
            });
        found.map_or("W1", |(_, value)| value.as_str())
    });
    if let Some(code) = asked {
        let _ = writeln!(params, "params = {{ warehouse = {} }}", quoted(code));
    }
    let mut block =
        format!("\n[[test]]\nname = \"a first page\"\nstream = \"{name}\"\n{params}page = {literal}\n");
    let rows = Definition::parse("draft", &format!("{text}{block}rows = []\n"))
        .ok()
        .and_then(|definition| {
            let test: &SelfTest = definition.file.test.first()?;
            selftest::rows(&definition, test).ok()
        });
    match rows {
        Some(rows) => {
            block.push_str("# What this file makes of the page: compare it with what you know.\nrows = [\n");
            for row in rows {
                let cells: Vec<String> = row
                    .iter()
                    .map(|(name, value)| format!("{name} = {}", quoted(value)))
                    .collect();
                let _ = writeln!(block, "    {{ {} }},", cells.join(", "));
            }
            block.push_str("]\n");
        }
        None => {
            block.push_str("# Once `check` is content, `test` shows the rows that belong here.\nrows = []\n");
        }
    }
    text.push_str(&block);
}

#[cfg(test)]
mod tests;
