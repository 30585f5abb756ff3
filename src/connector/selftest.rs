//! The tests inside a connector file: a recorded page and the rows it must become.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::decode::decode;
use super::definition::SelfTest;
use super::load::Definition;
use super::rows::{PageRows, Reader};
use super::{Bound, ConnectorConfig};
use crate::ids::{SourceId, WarehouseCode};
use crate::secret::Secret;

/// A test of a connector file that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestFailure {
    pub test: String,
    pub why: Vec<String>,
}

impl fmt::Display for TestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "test `{}` failed: {}", self.test, self.why.join("; "))
    }
}

/// Runs every test of the file; the number of tests when all hold.
///
/// # Errors
/// The tests that do not hold, with what differs.
pub fn run_tests(definition: &Definition) -> Result<usize, Vec<TestFailure>> {
    let failures: Vec<TestFailure> = definition
        .file
        .test
        .iter()
        .filter_map(|test| {
            let why = differences(definition, test);
            (!why.is_empty()).then(|| TestFailure {
                test: test.name.clone(),
                why,
            })
        })
        .collect();
    if failures.is_empty() {
        Ok(definition.file.test.len())
    } else {
        Err(failures)
    }
}

/// What the file makes of a test's page, mapped fields as text.
///
/// # Errors
/// Why the page cannot be read.
pub(super) fn rows(
    definition: &Definition,
    test: &SelfTest,
) -> Result<Vec<BTreeMap<String, String>>, Vec<String>> {
    read(definition, test).map(|rows| rows.texts)
}

fn read(definition: &Definition, test: &SelfTest) -> Result<PageRows, Vec<String>> {
    let name = test.stream.get_ref();
    let bound = bind(definition, test)?;
    let Some((stream, _)) = bound.stream(name) else {
        return Err(vec![format!("no stream `{name}`")]);
    };
    let asked = bound.snapshots(stream).into_iter().next();
    let page = decode(&stream.decode, test.page.as_bytes()).map_err(|error| vec![error.to_string()])?;
    let reader = Reader {
        parent: Some(&test.parent),
        asked: asked.as_ref(),
        keep_texts: true,
        page: 0,
    };
    bound
        .read(name, &page, reader)
        .map_err(|error| vec![error.to_string()])
}

fn differences(definition: &Definition, test: &SelfTest) -> Vec<String> {
    let rows = match read(definition, test) {
        Ok(rows) => rows,
        Err(why) => return why,
    };
    let mut why = Vec::new();
    for (index, expected) in test.rows.iter().enumerate() {
        match rows.texts.get(index) {
            None => why.push(format!("row {} is missing", index + 1)),
            Some(found) => compare(index + 1, expected, found, &mut why),
        }
    }
    if rows.texts.len() > test.rows.len() {
        why.push(format!(
            "{} rows came, {} are expected",
            rows.texts.len(),
            test.rows.len()
        ));
    }
    if rows.rejected_count != u64::from(test.rejected) {
        why.push(format!(
            "{} rows were rejected, {} are expected",
            rows.rejected_count, test.rejected
        ));
        why.extend(rows.rejected.iter().map(ToString::to_string));
    }
    if rows.skipped != u64::from(test.skipped) {
        why.push(format!(
            "{} rows were skipped, {} are expected",
            rows.skipped, test.skipped
        ));
    }
    why
}

fn compare(
    row: usize,
    expected: &BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
    why: &mut Vec<String>,
) {
    let names: std::collections::BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    for name in names {
        let (wanted, got) = (expected.get(name), found.get(name));
        if wanted != got {
            let show =
                |value: Option<&String>| value.map_or("nothing".to_owned(), |value| format!("`{value}`"));
            why.push(format!(
                "row {row}, `{name}`: expected {}, got {}",
                show(wanted),
                show(got)
            ));
        }
    }
}

/// A source as if configured: its secrets are blanks, its warehouses the ones the test names.
fn bind(definition: &Definition, test: &SelfTest) -> Result<Bound, Vec<String>> {
    let id = |error: crate::ids::IdError| vec![error.to_string()];
    let mut params = test.params.clone();
    let code = params.remove("warehouse");
    let mut codes: Vec<String> = definition
        .file
        .stream
        .values()
        .filter_map(|stream| stream.warehouse.as_ref())
        .map(|code| code.get_ref().clone())
        .filter(|code| code != "*")
        .collect();
    codes.extend(code);
    let warehouses = codes
        .into_iter()
        .map(|code| {
            Ok((
                code.clone(),
                WarehouseCode::new(format!("test:{code}")).map_err(id)?,
            ))
        })
        .collect::<Result<_, Vec<String>>>()?;
    let config = ConnectorConfig {
        id: SourceId::new("test").map_err(id)?,
        definition: Arc::new(definition.clone()),
        params,
        secrets: definition
            .file
            .secrets
            .keys()
            .map(|name| (name.clone(), Secret::new("test")))
            .collect(),
        warehouses,
    };
    Bound::new(&config).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}
