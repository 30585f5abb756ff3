//! The tests inside a connector file: a recorded page and the rows it must become.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};

use super::decode::{Content, DecodeError, Page, parse, unpack_text};
use super::definition::{SelfTest, Stream};
use super::load::Definition;
use super::made::Found;
use super::paging::{Answered, Pager, counted};
use super::rows::{InFile, PageRows, Reader, Seen};
use super::template::{Part, Template};
use super::tree::Node;
use super::{Bound, ConnectorConfig};
use crate::ids::{SourceId, WarehouseCode};
use crate::problem::Problem;
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
        .chain(super::requesttest::run(definition))
        .collect();
    if failures.is_empty() {
        Ok(definition.file.test.len() + definition.file.request_test.len())
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
    read(definition, test).map(|paper| paper.rows.texts)
}

fn file_name(test: &SelfTest) -> &str {
    test.file.as_deref().unwrap_or("test")
}

/// When the file of a test was made; None where answers are read. On paper it is never too late.
fn made(bound: &Bound, test: &SelfTest, page: &mut Page<'_>) -> Result<Option<DateTime<Utc>>, Vec<String>> {
    let name = test.stream.get_ref();
    let (Some(_), Some(stream)) = (&bound.folder, bound.stream(name)) else {
        return Ok(None);
    };
    let found = Found {
        name: file_name(test),
        modified: DateTime::UNIX_EPOCH,
        now: DateTime::<Utc>::MAX_UTC - chrono::Duration::days(1),
    };
    // Who reads another stream's file does not say when it was made.
    let said = |problem: Box<Problem>| vec![problem.to_string()];
    let Content::Table(table) = &mut page.content else {
        return bound.made(stream, found, None).map(Some).map_err(said);
    };
    let heads = bound.heads(name);
    table
        .find_header(&|head| heads.name_of(head), &[])
        .map_err(|error| vec![error.to_string()])?;
    let inside = table
        .as_written()
        .map(|written| (written, table.header.as_slice()));
    bound.made(stream, found, inside).map(Some).map_err(said)
}

/// What became of a test's page.
struct Paper {
    rows: PageRows,
    made: Option<DateTime<Utc>>,
    /// What would be stored of it.
    stored: Result<String, String>,
    /// What leads to the next page; empty when there is none.
    next: Result<String, String>,
}

fn read(definition: &Definition, test: &SelfTest) -> Result<Paper, Vec<String>> {
    let name = test.stream.get_ref();
    let bound = bind(definition, test)?;
    let Some((stream, reading)) = bound.stream(name) else {
        return Err(vec![format!("no stream `{name}`")]);
    };
    let asked = bound.snapshots(stream).into_iter().next();
    let limit = definition.file.max_bytes();
    let wrong = |error: DecodeError| vec![error.to_string()];
    let unpacked = unpack_text(&stream.decode, test.page.as_bytes(), limit).map_err(wrong)?;
    let mut page = parse(&stream.decode, &unpacked, &reading.want).map_err(wrong)?;
    let made = made(&bound, test, &mut page)?;
    let reader = Reader {
        file: made.map(|made| InFile {
            name: file_name(test),
            made,
            shared: bound.is_shared(stream),
        }),
        parent: Some(&test.parent),
        asked: asked.as_ref(),
        keep_texts: true,
        // A page on paper is read at no time.
        now: Some(chrono::DateTime::UNIX_EPOCH),
        ..Reader::default()
    };
    let rows = bound
        .read(name, &mut page, reader, &mut Seen::default())
        .map_err(|error| vec![error.to_string()])?;
    let stored = match bound.redacted((stream, reading), &unpacked) {
        Ok(Some(bytes)) => Ok(String::from_utf8_lossy(&bytes).trim().to_owned()),
        Ok(None) => Ok(test.page.trim().to_owned()),
        Err(error) => Err(error.to_string()),
    };
    let next = next(&bound, stream, page.tree(), &rows);
    Ok(Paper {
        rows,
        made,
        stored,
        next,
    })
}

fn differences(definition: &Definition, test: &SelfTest) -> Vec<String> {
    let Paper {
        rows,
        made,
        stored,
        next,
    } = match read(definition, test) {
        Ok(paper) => paper,
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
    for wanted in &test.warnings {
        if !rows.warnings.contains_key(wanted) {
            let counted: Vec<&str> = rows.warnings.keys().map(String::as_str).collect();
            why.push(format!("no warning `{wanted}`, but: {}", counted.join("; ")));
        }
    }
    if let Some(wanted) = &test.as_of {
        let made = made.map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        if made != *wanted {
            why.push(format!("the file is of `{made}`, expected `{wanted}`"));
        }
    }
    if let Some(wanted) = &test.stored
        && stored.as_deref() != Ok(wanted.trim())
    {
        why.push(format!("stored would be {stored:?}"));
    }
    if let Some(wanted) = &test.next
        && next.as_ref() != Ok(wanted)
    {
        why.push(format!("next is {next:?}, expected `{wanted}`"));
    }
    why
}

/// What leads from this page to the next one; empty when it is the last.
fn next(bound: &Bound, stream: &Stream, tree: Option<&Node<'_>>, rows: &PageRows) -> Result<String, String> {
    let mut pager = Pager::default();
    let answered = Answered {
        tree,
        header: &|_| None,
        rows: counted(&stream.page, tree).unwrap_or(rows.seen),
        last: rows.last.clone(),
        base: &bound.base,
    };
    let more = pager
        .advance(&stream.page, &answered)
        .map_err(|error| error.to_string())?;
    Ok(match (more, pager.token()) {
        (false, _) => String::new(),
        (true, Some(token)) => token.to_owned(),
        (true, None) => pager.number(&stream.page).to_string(),
    })
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
    // Which folder it is does not matter to a page.
    let folder = definition.file.files.as_ref().map(|files| files.folder.get_ref());
    for part in folder
        .and_then(|text| Template::parse(text).ok())
        .iter()
        .flat_map(Template::parts)
    {
        if let Part::Param(name) = part {
            params.entry(name.clone()).or_insert_with(|| "test".to_owned());
        }
    }
    let mut codes: Vec<String> = definition
        .file
        .stream
        .values()
        .filter_map(|stream| stream.warehouse.as_ref())
        .map(|code| code.get_ref().clone())
        .filter(|code| code != "*")
        .collect();
    codes.extend(code);
    if codes.is_empty() {
        // A test of another stream of the file need not say which warehouses there are.
        codes.extend(
            definition
                .file
                .stream
                .values()
                .filter_map(|stream| stream.warehouse.as_ref())
                .map(|_| "W".to_owned())
                .next(),
        );
    }
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
