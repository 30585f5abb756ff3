//! What an inbound mapping file may say.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::declared::Sections;
use crate::ids::ForwarderId;
use crate::problem::{Problem, nearest};

/// Version of the language of inbound mapping files that this program reads.
const LANGUAGE: u32 = 1;
const MAX_FILE_BYTES: usize = 256 * 1024;

/// What a file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InboundKind {
    BookingConfirmation,
    BookingRejection,
    Tracking,
    Bill,
    CustomsReceipt,
}

/// How a fact is written down once it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    Text,
    Code,
    Int,
    Decimal,
    Day,
    Instant,
}

/// Name, type, and whether a record without it says nothing.
type Known = (&'static str, FieldType, bool);

impl InboundKind {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::BookingConfirmation => "booking-confirmation",
            Self::BookingRejection => "booking-rejection",
            Self::Tracking => "tracking",
            Self::Bill => "bill",
            Self::CustomsReceipt => "customs-receipt",
        }
    }

    /// The facts this kind knows.
    #[must_use]
    pub fn fields(self) -> &'static [Known] {
        use FieldType::{Code, Day, Decimal, Instant, Int, Text};
        match self {
            Self::BookingConfirmation => &[
                ("order", Code, true),
                ("reference", Code, false),
                ("inbound_no", Code, false),
                ("cartons", Int, false),
                ("units", Int, false),
                ("accepted_at", Instant, false),
            ],
            Self::BookingRejection => &[
                ("order", Code, true),
                ("reason", Text, true),
                ("reference", Code, false),
                ("rejected_at", Instant, false),
            ],
            Self::Tracking => &[
                ("order", Code, true),
                ("status", Text, true),
                ("at", Instant, true),
                ("certainty", Code, false),
                ("place", Text, false),
                ("reference", Code, false),
                ("container", Code, false),
                ("vessel", Text, false),
            ],
            Self::Bill => &[
                ("bill_no", Code, true),
                ("order", Code, false),
                ("charge", Text, false),
                ("amount", Decimal, true),
                ("currency", Code, true),
                ("issued_on", Day, false),
            ],
            Self::CustomsReceipt => &[
                ("declaration_no", Code, true),
                ("seq_no", Code, false),
                ("order", Code, false),
                ("status", Text, true),
                ("at", Instant, false),
                ("note", Text, false),
            ],
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// CSV, TSV or XLSX with a header row.
    Table,
    Json,
    Xml,
    /// Lines that begin with known words.
    Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    language: u32,
    id: String,
    version: u32,
    kind: InboundKind,
    #[serde(default)]
    party: Option<ForwarderId>,
    format: Format,
    #[serde(default)]
    rows: String,
    #[serde(default)]
    zone: Option<Tz>,
}

/// Where a fact stands: the first of these that is there and not empty.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Column heads; dotted paths in JSON; element paths in XML (local names, `/`); beginnings of lines in text,
    /// or `*` for all lines after the first.
    pub from: Vec<String>,
    /// Their word to ours.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
}

/// A test inside a mapping file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    pub file: String,
    /// The records that come out, each with all its facts; none at all when the file must not be recognised.
    pub expect: Vec<BTreeMap<String, String>>,
    /// How many faults are found beside them.
    #[serde(default)]
    pub problems: usize,
}

/// An inbound mapping, read and checked.
#[derive(Debug, Clone)]
pub struct Inbound {
    pub id: String,
    pub version: u32,
    pub kind: InboundKind,
    /// The forwarder who writes so; anybody when absent.
    pub party: Option<ForwarderId>,
    pub format: Format,
    /// Where the rows lie in JSON or XML; the whole file is one row when empty.
    pub(super) rows: String,
    /// Zone of times without offset; the account's when absent.
    pub(super) zone: Option<Tz>,
    pub(super) fields: BTreeMap<String, Source>,
    /// A row counts only when it says one of these words there; any word when the list is empty.
    pub(super) when: BTreeMap<String, Vec<String>>,
    pub tests: Vec<Case>,
}

impl Inbound {
    /// True for the text of an inbound mapping, so that one command checks both languages of mapping files.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.lines().any(|line| line.trim() == "[inbound]")
    }

    /// # Errors
    /// Everything that is wrong with the file, at once.
    pub fn parse(file: &str, text: &str) -> Result<Self, Vec<Problem>> {
        if text.len() > MAX_FILE_BYTES {
            let wanted = format!("at most {MAX_FILE_BYTES} bytes");
            return Err(vec![Problem::new(
                file,
                "",
                "",
                format!("{} bytes", text.len()),
                wanted,
            )]);
        }
        let mut sections = Sections::parse(file, text)?;
        let head: Option<Head> = sections.take("inbound");
        let fields: BTreeMap<String, Source> = sections.take("fields").unwrap_or_default();
        let when: BTreeMap<String, Vec<String>> = sections.take("when").unwrap_or_default();
        let tests: Vec<Case> = sections.take_each("test");
        match &head {
            Some(head) => check(head, &fields, &mut sections),
            None => sections.fault(
                "inbound",
                "",
                "a section [inbound] with language, id, version, kind and format",
            ),
        }
        if tests.is_empty() {
            sections.fault(
                "test",
                "",
                "at least one [[test]] with a file and what comes out of it",
            );
        }
        sections.finish(&["inbound", "fields", "when", "test"])?;
        let Some(head) = head else { return Err(Vec::new()) };
        Ok(Self {
            id: head.id,
            version: head.version,
            kind: head.kind,
            party: head.party,
            format: head.format,
            rows: head.rows,
            zone: head.zone,
            fields,
            when,
            tests,
        })
    }
}

fn check(head: &Head, fields: &BTreeMap<String, Source>, sections: &mut Sections<'_>) {
    if head.language != LANGUAGE {
        sections.fault(
            "inbound.language",
            head.language.to_string(),
            LANGUAGE.to_string(),
        );
    }
    if head.id.trim().is_empty() {
        sections.fault("inbound.id", &head.id, "a name");
    }
    if !head.rows.is_empty() && matches!(head.format, Format::Table | Format::Text) {
        sections.fault(
            "inbound.rows",
            &head.rows,
            "nothing: only JSON and XML have a place of rows",
        );
    }
    let known = head.kind.fields();
    for (name, source) in fields {
        if !known.iter().any(|(known, _, _)| known == name) {
            let names: Vec<&str> = known.iter().map(|(name, _, _)| *name).collect();
            let wanted = match nearest(name, names.iter().copied()) {
                Some(near) => format!("a fact of this kind; did you mean `{near}`?"),
                None => format!("one of {}", names.join(", ")),
            };
            sections.fault("fields", name, wanted);
        }
        if source.from.is_empty() {
            sections.fault(&format!("fields.{name}.from"), "", "at least one place");
        }
    }
    for (name, _, needed) in known {
        if *needed && !fields.contains_key(*name) {
            sections.fault(
                &format!("fields.{name}"),
                "",
                format!("a place: every {} has it", head.kind.code()),
            );
        }
    }
}

const BUILTIN: [(&str, &str); 7] = [
    (
        "booking-status.toml",
        include_str!("../../../mappings/inbound/booking-status.toml"),
    ),
    (
        "cds-notification.toml",
        include_str!("../../../mappings/inbound/cds-notification.toml"),
    ),
    (
        "customs-receipt-list.toml",
        include_str!("../../../mappings/inbound/customs-receipt-list.toml"),
    ),
    (
        "forwarder-bill.toml",
        include_str!("../../../mappings/inbound/forwarder-bill.toml"),
    ),
    (
        "huatuo-booking-confirmation.toml",
        include_str!("../../../mappings/inbound/huatuo-booking-confirmation.toml"),
    ),
    (
        "huatuo-booking-rejection.toml",
        include_str!("../../../mappings/inbound/huatuo-booking-rejection.toml"),
    ),
    (
        "tracking-list.toml",
        include_str!("../../../mappings/inbound/tracking-list.toml"),
    ),
];

/// The inbound mappings that ship with linkstar, by id.
///
/// # Errors
/// Never with the files this program was built with (a test reads them all).
pub fn builtin() -> Result<Vec<Inbound>, Vec<Problem>> {
    builtin_with(&[])
}

/// As [`builtin`], with files `(name, text)` of one's own; one with a shipped id replaces it.
///
/// # Errors
/// The problems of all files together.
pub fn builtin_with(own: &[(String, String)]) -> Result<Vec<Inbound>, Vec<Problem>> {
    let (mut all, mut problems) = (Vec::<Inbound>::new(), Vec::new());
    for (name, text) in own {
        match Inbound::parse(name, text) {
            Ok(mapping) if all.iter().any(|known| known.id == mapping.id) => {
                let wanted = "an id of its own: another file has it too";
                problems.push(Problem::new(name, "", "inbound.id", mapping.id, wanted));
            }
            Ok(mapping) => all.push(mapping),
            Err(more) => problems.extend(more),
        }
    }
    for (name, text) in BUILTIN {
        match Inbound::parse(name, text) {
            Ok(mapping) if all.iter().any(|known| known.id == mapping.id) => {}
            Ok(mapping) => all.push(mapping),
            Err(more) => problems.extend(more),
        }
    }
    all.sort_by(|a, b| a.id.cmp(&b.id));
    if problems.is_empty() {
        Ok(all)
    } else {
        Err(problems)
    }
}
