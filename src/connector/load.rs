//! From the text of a connector file to a definition that can be run, with every fault named at its line and column.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::check::Check;
use super::definition::{File, RecordKind, Text};
use super::path::Path;
use super::pipe::{Pipe, Source};
use super::tree::Want;
use crate::declared::Guess;
use crate::problem::Problem;

/// A connector file that was read and checked.
#[derive(Debug, Clone)]
pub struct Definition {
    pub file: File,
    /// How each stream reads rows.
    pub streams: BTreeMap<String, Reading>,
    /// File name for messages.
    pub origin: String,
    /// Of its text: what was read with another text may be read again.
    pub sha256: String,
    /// The folder that folders in the file lie in: that of the configuration.
    pub home: PathBuf,
}

/// The compiled map of a stream.
#[derive(Debug, Clone)]
pub struct Reading {
    pub rows: Option<Path>,
    /// One per field of the record, in its order; None where the field is not mapped.
    pub fields: Vec<Option<FieldMap>>,
    /// What streams below a row are asked with besides its fields.
    pub pass: Vec<(String, FieldMap)>,
    /// Columns by any of their other names, written small and without blanks.
    pub aliases: BTreeMap<String, String>,
    /// Fields of the record that make the key, and the one that says which row is newer.
    pub key: Vec<usize>,
    pub newest: Option<usize>,
    /// Inside a row: what the next page goes on from, and the id of an ascending cursor.
    pub last: Option<Path>,
    pub id: Option<Path>,
    /// The parts of an answer that anything here reads.
    pub want: Want,
}

impl Reading {
    /// Every source a value comes from.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.fields
            .iter()
            .flatten()
            .chain(self.pass.iter().map(|(_, map)| map))
            .flat_map(FieldMap::sources)
    }

    /// The name the definition has for a column that goes by another one.
    #[must_use]
    pub fn declared_name<'n>(&'n self, column: &'n str) -> &'n str {
        self.aliases
            .get(&plain_name(column))
            .map_or(column, String::as_str)
    }
}

/// A column's name without what differs between languages' and versions' ways to write it.
#[must_use]
pub(super) fn plain_name(name: &str) -> String {
    crate::mapping::table::half_width(name)
        .chars()
        .filter(|sign| !sign.is_whitespace() && !matches!(sign, '-' | '_' | '*'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[derive(Debug, Clone)]
pub struct FieldMap {
    pub source: Source,
    pub pipes: Vec<Pipe>,
}

impl FieldMap {
    /// Its own source, and those its pipes look at.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        std::iter::once(&self.source).chain(self.pipes.iter().flat_map(|pipe| pipe.sources()))
    }
}

/// The heads of a table that a stream reads, however they are written.
#[derive(Debug, Clone, Default)]
pub struct Heads(BTreeMap<String, String>);

impl Heads {
    /// `more` are names that are read besides those of the map.
    #[must_use]
    pub fn new<'n>(reading: &'n Reading, more: impl Iterator<Item = &'n str>) -> Self {
        let mapped = reading.sources().filter_map(|source| match source {
            Source::Path(path) => Some(path.text()),
            _ => None,
        });
        let own: BTreeMap<String, String> = mapped
            .chain(more)
            .map(|name| (plain_name(name), name.to_owned()))
            .collect();
        let mut all = own.clone();
        for (plain, declared) in &reading.aliases {
            if own.contains_key(&plain_name(declared)) {
                all.entry(plain.clone()).or_insert_with(|| declared.clone());
            }
        }
        Self(all)
    }

    /// The name the file has for a head; None when nothing reads it.
    #[must_use]
    pub fn name_of(&self, head: &str) -> Option<String> {
        self.0.get(&plain_name(head)).cloned()
    }
}

/// Everything that is wrong with a connector file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionError {
    pub problems: Vec<Problem>,
}

impl fmt::Display for DefinitionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for DefinitionError {}

impl Definition {
    /// Reads and checks a connector file.
    ///
    /// # Errors
    /// Every fault at once: of the TOML, else of the shape and, beside what is missing, of the meaning.
    pub fn parse(origin: &str, text: &str) -> Result<Self, DefinitionError> {
        let mut file: File = match crate::declared::read_guessing(origin, text) {
            Ok(file) => file,
            Err(misshapen) => {
                let mut problems = misshapen.problems;
                if let Some(guess) = misshapen.guess {
                    problems.extend(meant(origin, text, guess));
                }
                return Err(DefinitionError { problems });
            }
        };
        read_as_written(&mut file);
        inherit(&mut file);
        let mut check = Check {
            origin,
            text,
            file: &file,
            asked: Vec::new(),
            problems: Vec::new(),
            extra: &[],
        };
        let streams = check.everything();
        let problems = check.problems;
        if problems.is_empty() {
            Ok(Self {
                file,
                streams,
                origin: origin.to_owned(),
                sha256: crate::digest::sha256_hex(text.as_bytes()),
                home: PathBuf::new(),
            })
        } else {
            Err(DefinitionError { problems })
        }
    }

    /// The same with the folder of the configuration that uses it.
    #[must_use]
    pub fn at_home(mut self, home: &std::path::Path) -> Self {
        self.home = home.to_owned();
        self
    }

    /// Streams that are asked for once per row of this one.
    pub fn children<'a>(&'a self, stream: &'a str) -> impl Iterator<Item = &'a str> {
        self.file
            .stream
            .iter()
            .filter(move |(_, child)| {
                child
                    .parent
                    .as_ref()
                    .is_some_and(|parent| parent.get_ref() == stream)
            })
            .map(|(name, _)| name.as_str())
    }

    /// Streams that read the answers of this one too.
    pub fn readers<'a>(&'a self, stream: &'a str) -> impl Iterator<Item = &'a str> {
        self.file
            .stream
            .iter()
            .filter(move |(_, reader)| {
                reader
                    .answer_of
                    .as_ref()
                    .is_some_and(|asked| asked.get_ref() == stream)
            })
            .map(|(name, _)| name.as_str())
    }

    /// Streams that are asked or read with this one, each after the one it stands below.
    #[must_use]
    pub fn descendants<'a>(&'a self, stream: &'a str) -> Vec<&'a str> {
        let mut found: Vec<&str> = self.children(stream).chain(self.readers(stream)).collect();
        let mut next = 0;
        while let Some(name) = found.get(next).copied() {
            found.extend(self.children(name).chain(self.readers(name)));
            next += 1;
        }
        found
    }

    /// Streams that a pull asks for or reads.
    pub fn pulled(&self) -> impl Iterator<Item = &str> {
        self.file
            .stream
            .iter()
            .filter(|(_, stream)| stream.record != RecordKind::Code)
            .map(|(name, _)| name.as_str())
    }

    /// Streams that stand on their own and are pulled.
    pub fn roots(&self) -> impl Iterator<Item = &str> {
        self.file
            .stream
            .iter()
            .filter(|(_, stream)| {
                stream.parent.is_none() && stream.answer_of.is_none() && stream.record != RecordKind::Code
            })
            .map(|(name, _)| name.as_str())
    }
}

/// Faults of meaning in a file of which parts are missing: those that hold whatever the parts will say.
fn meant(origin: &str, text: &str, guess: Guess<File>) -> Vec<Problem> {
    let Guess {
        read: mut file,
        names,
    } = guess;
    let below = |name: &str, head: &str| {
        let rest = name.strip_prefix(head);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    if names.iter().any(|name| name == "stream") {
        return Vec::new();
    }
    read_as_written(&mut file);
    inherit(&mut file);
    let mut check = Check {
        origin,
        text,
        file: &file,
        asked: Vec::new(),
        problems: Vec::new(),
        extra: &[],
    };
    check.everything();
    let unsure = |stream: &str| {
        // What a stream above does not map yet may be what this one asks for.
        let mut at = Some(stream);
        for _ in 0..=file.stream.len() {
            let Some(name) = at else { return false };
            let head = format!("stream.{name}");
            if names.iter().any(|guessed| below(guessed, &head)) {
                return true;
            }
            let stream = file.stream.get(name);
            at = stream
                .and_then(|stream| stream.parent.as_ref().or(stream.answer_of.as_ref()))
                .map(|above| above.get_ref().as_str());
        }
        true
    };
    let mut problems = check.problems;
    problems.retain(|problem| {
        let guessed = names.iter().any(|name| below(&problem.field, name));
        let mut parts = problem.field.split('.');
        let unsure = match (parts.next(), parts.next()) {
            (Some("stream"), Some(stream)) => unsure(stream),
            (Some("write"), _) => names.iter().any(|name| name.starts_with("stream.")),
            _ => false,
        };
        !guessed && !unsure
    });
    problems
}

/// People's exports are tables, whatever they are packed in.
fn read_as_written(file: &mut File) {
    if file.files.is_none() {
        return;
    }
    for stream in file.stream.values_mut() {
        // What stands nowhere was not said.
        let unsaid = stream.decode.layers.iter().all(|layer| layer.span().is_empty());
        if unsaid {
            stream.decode.layers = vec![Text::from("table")];
        }
    }
}

/// Who reads another stream's answers finds them packed as that one does, under the same heads.
fn inherit(file: &mut File) {
    let packed: Vec<_> = file
        .stream
        .iter()
        .filter_map(|(name, stream)| {
            let asked = file.stream.get(stream.answer_of.as_ref()?.get_ref())?;
            Some((
                name.clone(),
                (asked.decode.clone(), asked.alias.clone(), asked.totals.clone()),
            ))
        })
        .collect();
    for (name, (decode, alias, totals)) in packed {
        if let Some(stream) = file.stream.get_mut(&name) {
            stream.decode = decode;
            if stream.alias.is_empty() {
                stream.alias = alias;
            }
            if stream.totals.is_empty() {
                stream.totals = totals;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"version = 1
name = "x"
zone = "UTC"
doctor = "stock"
[http]
base = "https://example.com"
[limits]
all = { rate = 1.0, burst = 1 }
[stream.stock]
record = "stock"
snapshot = "complete"
warehouse = "*"
request = { method = "GET", path = "/stock", limit = "all" }
rows = "data[]"
[stream.stock.map]
sku_code = "sku"
available = "units | int"
"#;

    fn said(text: &str) -> String {
        Definition::parse("x.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn a_small_file_is_enough() {
        let definition = Definition::parse("x.toml", GOOD).unwrap();
        assert_eq!(definition.roots().collect::<Vec<_>>(), ["stock"]);
    }

    #[test]
    fn an_unknown_key_is_refused_at_its_line_with_the_nearest_name() {
        assert_eq!(
            said(&GOOD.replace("snapshot =", "snapshto =")),
            "x.toml, line 11, column 1, `stream.stock`: found `snapshto`, wanted a known name; did you mean `snapshot`?"
        );
        assert!(said(&GOOD.replace("version = 1", "version = ")).starts_with("x.toml, line 1"));
    }

    #[test]
    fn switches_and_second_questions_that_cannot_hold_are_refused() {
        let with =
            |lines: &str| said(&GOOD.replace("warehouse = \"*\"", &format!("warehouse = \"*\"\n{lines}")));
        assert_eq!(
            with("enabled = \"${param:on}\""),
            "x.toml, line 13, column 20, `stream.stock.enabled`: found `on`, wanted a declared name; none is declared\n\
             x.toml, line 13, column 11, `stream.stock.enabled`: found `${param:on}`, wanted none: a stream below another goes with it, and `doctor` asks \
             for its stream in every case"
        );
        let page = "page = { kind = \"token\", next = \"n\", query = \"t\", alone = true, then = { w = \"{warehose}\" }, count = \"a..b\" }";
        let found = with(page);
        for text in [
            "`stream.stock.page.alone`: found `true`, wanted either `alone` or `then`",
            "`stream.stock.page.then`: found `warehose`, wanted a declared name, did you mean `warehouse`?",
            "`stream.stock.page.count`",
        ] {
            assert!(found.contains(text), "{found}");
        }
        let receipts = GOOD
            .replace("record = \"stock\"", "record = \"receipt\"\nkey = [\"sku_code\"]")
            .replace("snapshot = \"complete\"\nwarehouse = \"*\"", "snapshot = \"partial\"")
            .replace("available = \"units | int\"", "units = \"n | int\"\ninbound_no = \"i\"\nwarehouse = \"w\"\nkind = \"d | enum(GOOD=received+put_away)\"\nat = \"t | ts('rfc3339')\"");
        assert_eq!(
            said(&receipts),
            "x.toml, line 11, column 8, `stream.stock.key`: found ``, wanted none where one row is two receipts"
        );
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let text = GOOD
            .replace("limit = \"all\"", "limit = \"al\"")
            .replace("available =", "avialable =")
            .replace("sku_code = \"sku\"", "sku_code = \"sku | trm\"")
            .replace("doctor = \"stock\"", "doctor = \"stok\"")
            .replace("/stock", "/stock?w={warehose}&k=${secret:key}");
        insta::assert_snapshot!(said(&text), @r#"
        x.toml, line 4, column 10, `doctor`: found `stok`, wanted a name of this file, did you mean `stock`?
        x.toml, line 13, column 83, `stream.stock.request.limit`: found `al`, wanted a name of this file, did you mean `all`?
        x.toml, line 13, column 47, `stream.stock.request`: found `warehose`, wanted a declared name, did you mean `warehouse`?
        x.toml, line 13, column 68, `stream.stock.request`: found `key`, wanted a declared name; none is declared
        x.toml, line 17, column 1, `stream.stock.map`: found `avialable`, wanted a field of the record, did you mean `available`?
        x.toml, line 16, column 19, `stream.stock.map.sku_code`: found `trm`, wanted a pipe that exists; of `trm`: did you mean `trim`?
        "#);
    }

    #[test]
    fn a_source_must_be_declared_where_it_is_named() {
        let text = GOOD.replace("available = \"units", "available = \"param:unitz");
        assert_eq!(
            said(&text),
            "x.toml, line 17, column 20, `stream.stock.map.available`: found `unitz`, wanted a declared name; none is declared"
        );
        let text = GOOD.replace("\"units | int\"", "\"parent:untis | int\"");
        assert!(said(&text).contains("found `untis`"));
    }

    #[test]
    fn who_reads_the_answers_of_another_stream_asks_nothing_itself_and_unpacks_as_that_one_does() {
        let text = format!(
            "{GOOD}[stream.inbound]\nrecord = \"inbound\"\nrequest = {{ method = \"GET\", path = \"/in\" }}\ndecode = [\"xml\"]\n\
             rows = \"in[]\"\nmap = {{ inbound_no = \"no\", warehouse = \"wh\", state = \"st\", closed = \"done\" }}\n\
             [stream.lines]\nrecord = \"inbound_line\"\nanswer_of = \"inbound\"\nrows = \"in[].lines[]\"\n\
             map = {{ inbound_no = \"^.no\", sku_code = \"sku\" }}\n"
        );
        let definition = Definition::parse("x.toml", &text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(definition.roots().collect::<Vec<_>>(), ["inbound", "stock"]);
        assert_eq!(definition.descendants("inbound"), ["lines"]);
        let lines = &definition.file.stream["lines"];
        assert_eq!(lines.decode.last(), crate::connector::decode::Layer::Xml);
        assert_eq!(lines.snapshot, crate::connector::definition::Snapshot::Partial);

        let own = text.replace(
            "answer_of = \"inbound\"",
            "answer_of = \"inbound\"\nparent = \"inbound\"",
        );
        let wanted = "no `request`, `report`, `parent`, `cursor`, `page` or `each` beside it";
        assert!(said(&own).contains(&format!(
            "`stream.lines.answer_of`: found `inbound`, wanted {wanted}"
        )));
        let stock = text.replace("answer_of = \"inbound\"", "answer_of = \"stock\"");
        let wanted = "a request for inbounds or below one, read for lines, receipts or events";
        assert!(said(&stock).contains(&format!(
            "`stream.lines.answer_of`: found `stock`, wanted {wanted}"
        )));
        let nobody = text.replace("answer_of = \"inbound\"", "answer_of = \"inbond\"");
        let wanted = "a name of this file, did you mean `inbound`?";
        assert!(said(&nobody).contains(&format!(
            "`stream.lines.answer_of`: found `inbond`, wanted {wanted}"
        )));
    }

    #[test]
    fn a_record_cannot_be_without_its_key() {
        let text = GOOD
            .replace("sku_code = \"sku\"\n", "")
            .replace("version = 1", "version = 2");
        let said = said(&text);
        assert!(said.contains("`version`: found `2`, wanted 1"), "{said}");
        assert!(said.contains("`stream.stock.map.sku_code`"), "{said}");
    }
}
