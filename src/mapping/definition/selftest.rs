//! The tests inside a mapping file: an order, what the document must say, or why it must not be written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Assets, Kind, Mapping, Written, builtin_file};
use crate::mapping::model::DocumentContext;
use crate::mapping::xlsx::At;
use crate::mapping::xlsx::book::Book;
use crate::order::model::StockingOrder;

/// The order that tests and previews are made with when they name none, below `mappings/`.
pub const SAMPLE: &str = "samples/usual.json";

/// One test of a mapping file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    name: String,
    /// An order as JSON, by its name below `mappings/`.
    #[serde(default = "sample")]
    order: String,
    /// Values of the order changed for this test, by path: `"importer.vat" = ""`, `"lines.0.units" = 12`.
    #[serde(default)]
    with: BTreeMap<String, toml::Value>,
    /// Cells by sheet and address, `"模板!B1" = "…"`; by address alone for delimited text.
    #[serde(default)]
    expect: BTreeMap<String, String>,
    /// Texts that stand in the document, for formats that are text, and lines of a PDF.
    #[serde(default)]
    contains: Vec<String>,
    #[serde(default)]
    file_name: Option<String>,
    /// Texts that the refusal names; the document must not be written then.
    #[serde(default)]
    refused: Vec<String>,
}

fn sample() -> String {
    SAMPLE.to_owned()
}

/// An order to try a mapping with: JSON below the folder of the mappings, or one that ships with the program.
///
/// # Errors
/// Why there is no such order, in words.
pub fn sample_order(name: &str, assets: Assets<'_>) -> Result<StockingOrder, String> {
    let value = read(name, assets)?;
    serde_json::from_value(value).map_err(|error| format!("{name} is no order: {error}"))
}

fn read(name: &str, assets: Assets<'_>) -> Result<Value, String> {
    let bytes = assets(name).or_else(|| builtin_file(name));
    let bytes = bytes.ok_or_else(|| format!("there is no order {name}"))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{name} is no JSON: {error}"))
}

impl Mapping {
    #[must_use]
    pub fn test_count(&self) -> usize {
        self.tests.len()
    }

    /// Runs the tests of the file; gives how many held.
    ///
    /// # Errors
    /// One text for each test that does not hold.
    pub fn run_tests(&self, assets: Assets<'_>) -> Result<usize, Vec<String>> {
        let mut failures = Vec::new();
        for case in &self.tests {
            if let Err(why) = self.run(case, assets) {
                failures.push(format!("{}, test `{}`: {why}", self.meta.id, case.name));
            }
        }
        match failures.is_empty() {
            true => Ok(self.tests.len()),
            false => Err(failures),
        }
    }

    fn run(&self, case: &Case, assets: Assets<'_>) -> Result<(), String> {
        let mut order = read(&case.order, assets)?;
        for (path, value) in &case.with {
            let value = serde_json::to_value(value).map_err(|error| error.to_string())?;
            *place(&mut order, path).ok_or_else(|| format!("the order has no `{path}`"))? = value;
        }
        let order: StockingOrder =
            serde_json::from_value(order).map_err(|error| format!("the changed order is none: {error}"))?;
        let context = DocumentContext::new(order.created_on, order.number.as_str());
        let written = match (self.write(&order, &context), case.refused.is_empty()) {
            (Ok(written), true) => written,
            (Ok(_), false) => return Err("written, and wanted refused".to_owned()),
            (Err(problems), refusal) => {
                let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
                let unsaid = case
                    .refused
                    .iter()
                    .find(|text| !said.iter().any(|said| said.contains(*text)));
                return match (refusal, unsaid) {
                    (false, None) => Ok(()),
                    (true, _) => Err(format!("refused:\n{}", said.join("\n"))),
                    (false, Some(text)) => Err(format!(
                        "refused, and `{text}` is not named:\n{}",
                        said.join("\n")
                    )),
                };
            }
        };
        if let Some(wanted) = &case.file_name
            && *wanted != written.file_name
        {
            return Err(format!(
                "the file is called {}, wanted {wanted}",
                written.file_name
            ));
        }
        let text = match &self.kind {
            Kind::Pdf(_) => {
                let runs =
                    crate::mapping::pdf::read::runs(&written.bytes).map_err(|error| error.to_string())?;
                let texts: Vec<&str> = runs.iter().map(|run| run.text.as_str()).collect();
                texts.join("\n").into()
            }
            _ => String::from_utf8_lossy(&written.bytes),
        };
        if let Some(missing) = case.contains.iter().find(|part| !text.contains(part.as_str())) {
            return Err(format!("`{missing}` does not stand in {}", written.file_name));
        }
        self.cells(case, &written)
    }

    fn cells(&self, case: &Case, written: &Written) -> Result<(), String> {
        let mut wrong = Vec::new();
        let mut compare = |place: &str, found: String, wanted: &str| {
            if found != wanted {
                wrong.push(format!("{place} is `{found}`, wanted `{wanted}`"));
            }
        };
        if let Kind::Csv(_) = &self.kind {
            let limits = crate::mapping::table::Limits::default();
            let table = crate::mapping::table::read(&written.file_name, &written.bytes, &limits);
            let table = table.map_err(|problem| problem.to_string())?;
            for (place, wanted) in &case.expect {
                let at = At::parse(place).ok_or_else(|| format!("`{place}` is no cell such as B2"))?;
                let row = usize::try_from(at.row)
                    .ok()
                    .and_then(|row| table.raw_rows().nth(row - 1));
                let column = usize::try_from(at.column).unwrap_or(usize::MAX);
                let found = row.and_then(|(_, cells)| cells.get(column - 1).cloned());
                compare(place, found.unwrap_or_default(), wanted);
            }
        } else if !case.expect.is_empty() {
            let mut book =
                Book::open(&written.file_name, &written.bytes).map_err(|found| found.to_string())?;
            let mut grids = BTreeMap::new();
            for (place, wanted) in &case.expect {
                let cell = place.rsplit_once('!');
                let cell = cell.and_then(|(sheet, at)| Some((sheet, At::parse(at)?)));
                let (sheet, at) = cell.ok_or_else(|| format!("`{place}` is no cell such as Sheet1!B2"))?;
                if !grids.contains_key(sheet) {
                    grids.insert(sheet, book.grid(sheet).map_err(|problem| problem.to_string())?);
                }
                let found = grids.get(sheet).and_then(|grid| grid.cells.get(&at));
                compare(
                    place,
                    found.map(|found| found.shown()).unwrap_or_default(),
                    wanted,
                );
            }
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong.join("; ")),
        }
    }
}

/// `lines.0.goods.hs_cn` inside the order; groups that are not there yet are made.
fn place<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    let mut now = value;
    for step in path.split('.') {
        now = match (now, step.parse::<usize>()) {
            (Value::Array(items), Ok(number)) => items.get_mut(number)?,
            (Value::Object(map), _) => map.entry(step.to_owned()).or_insert(Value::Null),
            (other, Err(_)) if other.is_null() => {
                *other = Value::Object(serde_json::Map::new());
                other
                    .as_object_mut()?
                    .entry(step.to_owned())
                    .or_insert(Value::Null)
            }
            _ => return None,
        };
    }
    Some(now)
}
