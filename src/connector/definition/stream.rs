//! What a stream may say: what to ask, how to read the answer, which rows become which facts.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::{AsOf, Call, FileNames, Text};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    OrderLine,
    Stock,
    Inbound,
    InboundLine,
    Receipt,
    /// Something that happened to a shipment or container on its way.
    Event,
    /// Goods that a customer sent back.
    Return,
    /// The system's own number of a code of goods. Asked for when an order is told, never by a pull.
    Code,
}

/// Whether absence in the answer means absence in the world.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Snapshot {
    Complete,
    #[default]
    Partial,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = crate::connector::schema::fields_of_records)]
pub struct Stream {
    pub record: RecordKind,
    #[serde(default)]
    pub snapshot: Snapshot,
    /// The stream whose every row this one is asked for.
    pub parent: Option<Text>,
    /// Asked for only when this is `yes`; usually `${param:NAME}`, for what not every account has.
    pub enabled: Option<Text>,
    /// The stream whose answers this one reads too, instead of asking: inbounds and their lines in one list.
    pub answer_of: Option<Text>,
    /// Stock: the provider's code of the one warehouse, or `*` for one run per configured warehouse.
    pub warehouse: Option<Text>,
    /// One run of pages per value, `{each.NAME}` in the request; with several names, per combination.
    #[serde(default)]
    pub each: BTreeMap<String, Vec<Text>>,
    /// The names that others have for our orders under way: asked for batch by batch.
    pub references: Option<References>,
    #[serde(default = "age")]
    pub max_age_hours: u32,
    /// `[files]`: names of the files the stream is in, with `*` and `?`; several are parted by `|` or are a list.
    /// `{warehouse}` is the provider's code of the warehouse whose stock a file tells.
    pub file: Option<FileNames>,
    /// `[files]`: what says when a file was made, tried in this order; without it the time of its last change.
    #[serde(default)]
    pub as_of: AsOf,
    /// `[files]`: a file of orders tells everything of so many days before it was made; without it, of the days from its
    /// first order to its last.
    pub covers_days: Option<Text>,
    /// Of `xlsx` and `table`: a row with a cell that is one of these words is a sum and no data.
    #[serde(default)]
    pub totals: Vec<String>,
    pub request: Option<Call>,
    pub report: Option<Report>,
    pub cursor: Option<Cursor>,
    #[serde(default)]
    pub page: Page,
    #[serde(default)]
    pub decode: Decode,
    /// Path of the rows inside the answer, `data[]`; not used by tables.
    #[serde(default)]
    pub rows: Option<Text>,
    /// Rows for which this is false belong to somebody else; they are counted, not taken.
    pub only: Option<Text>,
    /// A row for which this is false cannot be counted: it is kept out with its reason.
    pub must: Option<Text>,
    /// Columns or fields whose presence is known and that are not mapped; others are counted as new.
    #[serde(default)]
    pub known: Vec<String>,
    /// Other names a column goes by (another language, other blanks); case, blanks, `-` and `_` do not matter.
    #[serde(default)]
    pub alias: BTreeMap<String, Vec<String>>,
    /// Names of fields that hold personal data: taken out of what is stored, and never mapped.
    #[serde(default)]
    pub pii: Vec<Text>,
    /// `yes`: personal data stays in the stored answers; usually `${param:keep_pii}`.
    pub keep_pii: Option<Text>,
    /// Mapped fields that say which rows are the same row.
    #[serde(default)]
    pub key: Vec<Text>,
    /// The mapped time that says which of two rows with the same key is the newer one.
    pub newest: Option<Text>,
    /// Receipts: `units` is what has come in all, not what has come on top.
    #[serde(default)]
    pub running_total: bool,
    /// Inbounds: one that was closed and read to the end is not asked for again below, while it says the same.
    #[serde(default)]
    pub closed_is_final: bool,
    /// Further values of a row for the streams below it, `{parent.NAME}` and `parent:NAME`.
    #[serde(default)]
    pub pass: BTreeMap<String, Text>,
    pub map: BTreeMap<String, Text>,
}

/// `{each.references}` is a batch, separated by commas; `for_each = "references"` goes through it, `{reference}` is one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct References {
    /// `inbound`, `booking`, `container` or `tracking`.
    pub kind: Text,
    /// How many are asked for at once.
    #[serde(default = "single")]
    pub batch: usize,
    /// What `doctor` asks for.
    pub probe: Text,
}

fn single() -> usize {
    1
}

fn age() -> u32 {
    36
}

/// An asynchronous job: ask for it, wait for it, fetch its result at once because its address lives for minutes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub create: Call,
    /// Path of the job's id in the answer to `create`; `{report}` afterwards.
    pub id: Text,
    pub poll: Call,
    /// Paths in the answer to `poll`.
    pub status: Text,
    pub pending: Vec<String>,
    pub done: Vec<String>,
    pub cancelled: Vec<String>,
    pub failed: Vec<String>,
    /// Where a failed job says why.
    pub reason: Option<Text>,
    pub every_seconds: u64,
    pub longest_minutes: u64,
    /// Path of the document's id in the answer to `poll`; `{document}` afterwards. Goes with `document`.
    pub document_id: Option<Text>,
    /// The call that tells the result's address; without it the answer to `poll` does.
    pub document: Option<Call>,
    /// Path of the result's address in the answer to `document`, or to `poll`.
    pub url: Text,
    /// Path of the number of objects in the answer to `poll`: 0 means no result, and a result with another number of
    /// objects is none.
    pub count: Option<Text>,
    /// Path of the compression's name; `GZIP` is known, absent is none.
    pub compression: Option<Text>,
    /// A job asked for longer ago than this is asked for anew after a crash.
    pub keep_hours: u32,
    /// Asking sooner than this is refused by the source, or gives an empty result.
    #[serde(default)]
    pub at_most_every_minutes: u32,
}

/// How far a stream has come. Windows fill `{from}` and `{to}`, ascending ids `{after}`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    #[serde(default)]
    pub kind: CursorKind,
    /// `window`: how far back the very first pull goes; usually `${param:history_days}`.
    pub start_days: Option<Text>,
    /// `window`: the longest span one request may have, in days or in hours.
    pub window_days: Option<u32>,
    pub window_hours: Option<u32>,
    /// Late changes: every pull starts this long before the last one's end.
    #[serde(default)]
    pub lookback_hours: u32,
    /// `false`: what lies further back than `start_days` is another stream's; a pull that comes later than that starts anew.
    #[serde(default = "yes")]
    pub catch_up: bool,
    /// Windows end this long before now, because the source is not yet settled.
    #[serde(default)]
    pub hold_back_minutes: u32,
    /// `rfc3339`, `epoch_s`, `epoch_ms`, or a pattern such as `%Y-%m-%d %H:%M:%S`.
    #[serde(default = "rfc3339")]
    pub format: Text,
    /// Zone in which the pattern is written.
    #[serde(default = "utc")]
    pub zone: Text,
    /// Whether the source counts the end of a window in.
    #[serde(default)]
    pub bounds: Bounds,
    /// An answer that means "too much at once": the window is asked for again in two halves. A rule of `[answer]` that
    /// is `split` says the same for every stream.
    pub split: Option<Text>,
    /// `id`: path of the id inside a row.
    pub id: Option<Text>,
    /// `id`: what the very first pull starts after.
    #[serde(default = "zero")]
    pub start: Text,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CursorKind {
    #[default]
    Window,
    Id,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bounds {
    /// From the start on, up to but without the end.
    #[default]
    HalfOpen,
    /// Both ends are counted in: `{to}` is sent one unit of the format earlier.
    Closed,
}

fn yes() -> bool {
    true
}

fn utc() -> Text {
    Text::from("UTC")
}

fn rfc3339() -> Text {
    Text::from("rfc3339")
}

fn zero() -> Text {
    Text::from("0")
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Page {
    #[serde(default)]
    pub kind: PageKind,
    /// `token`, `url`, `query`: path of what leads to the next page, or `header:NAME`. `row`: path inside the last row.
    pub next: Option<Text>,
    /// `token`, `row`: query parameter that carries it from the second page on.
    pub query: Option<String>,
    /// `token`, `row`: whether the other query parameters are left away when the token is sent.
    #[serde(default)]
    pub alone: bool,
    /// `token`, `row`: the other query parameters from the second page on, in place of those of the first.
    #[serde(default)]
    pub then: BTreeMap<String, Text>,
    /// `number`, `offset`: path (or `header:NAME`) of the number of rows in all.
    pub total: Option<Text>,
    /// `number`: path (or `header:NAME`) of the number of pages in all.
    pub pages: Option<Text>,
    /// A condition on the answer that says that there is a next page.
    pub more: Option<Text>,
    /// Rows per page, also `{size}`.
    pub size: Option<u32>,
    /// What pages, totals and offsets count, where rows lie deeper: `orders[]` when rows are `orders[].lines[]`.
    pub count: Option<Text>,
    /// `number`, `offset`: the end is a page that is not full. Only where the source tells nothing better.
    #[serde(default)]
    pub short_is_last: bool,
    /// `number`: what the first page is called, 1 or 0.
    #[serde(default = "one")]
    pub first: u32,
    #[serde(default = "max_pages")]
    pub max_pages: u32,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            kind: PageKind::None,
            next: None,
            query: None,
            alone: false,
            then: BTreeMap::new(),
            total: None,
            pages: None,
            more: None,
            size: None,
            count: None,
            short_is_last: false,
            first: one(),
            max_pages: max_pages(),
        }
    }
}

fn one() -> u32 {
    1
}

fn max_pages() -> u32 {
    5_000
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageKind {
    #[default]
    None,
    /// The answer holds a token that the next request carries.
    Token,
    /// `{page}` counts up.
    Number,
    /// `{offset}` counts the rows that came.
    Offset,
    /// The next request carries a field of the last row.
    Row,
    /// The header `Link` with `rel="next"`.
    Link,
    /// The answer holds the address of the next page.
    Url,
    /// The answer holds the query of the next page, sent as it stands.
    Query,
}

/// From bytes to a tree or a table, layer by layer: `["gzip", "jsonl"]`.
#[derive(Debug, Clone)]
pub struct Decode {
    pub layers: Vec<Text>,
    /// Where a decoded tree holds the text that the next layer reads: `Envelope.Body.callServiceResponse.response`.
    pub inside: Option<Text>,
    /// Of texts: tried in this order; the last one takes what the others refuse.
    pub encoding: Vec<Text>,
    /// Of `zip`: the one file to read; without it there must be only one.
    pub member: Option<String>,
    /// Of `csv`: what stands between two values.
    pub delimiter: Option<String>,
    /// Of tables: lines before the header row.
    pub skip_lines: u32,
    /// Of `xlsx` and `table`: the sheet to read; without it the first one that is shown.
    pub sheet: Option<String>,
    /// Of `xlsx` and `table`: the header is looked for in so many rows.
    pub header_within: u32,
}

fn header_within() -> u32 {
    20
}

impl Default for Decode {
    fn default() -> Self {
        Self {
            layers: vec![Text::from("json")],
            inside: None,
            encoding: Vec::new(),
            member: None,
            delimiter: None,
            skip_lines: 0,
            sheet: None,
            header_within: header_within(),
        }
    }
}

/// How an answer becomes a tree or a table.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::connector) struct DecodeTable {
    /// The one layer: `json`, `jsonl`, `xml`, `csv`, `tsv`, `xlsx`, `table`, `gzip` or `zip`.
    kind: Option<Text>,
    #[serde(default)]
    layers: Vec<Text>,
    inside: Option<Text>,
    #[serde(default)]
    encoding: Vec<Text>,
    member: Option<String>,
    delimiter: Option<String>,
    #[serde(default)]
    skip_lines: u32,
    /// Of `xlsx` and `table`: the sheet to read; without it the first one that is shown.
    sheet: Option<String>,
    /// Of `xlsx` and `table`: the header is looked for in so many rows.
    #[serde(default = "header_within")]
    header_within: u32,
}

impl<'de> Deserialize<'de> for Decode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Decode;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a list of layers such as [\"gzip\", \"jsonl\"], or a table with `kind` or `layers`",
                )
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Decode, A::Error> {
                Ok(Decode {
                    layers: Vec::deserialize(SeqAccessDeserializer::new(list))?,
                    ..Decode::default()
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Decode, A::Error> {
                let table = DecodeTable::deserialize(MapAccessDeserializer::new(map))?;
                let mut layers = table.layers;
                layers.extend(table.kind);
                if layers.is_empty() {
                    layers = Decode::default().layers;
                }
                Ok(Decode {
                    layers,
                    inside: table.inside,
                    encoding: table.encoding,
                    member: table.member,
                    delimiter: table.delimiter,
                    skip_lines: table.skip_lines,
                    sheet: table.sheet,
                    header_within: table.header_within,
                })
            }
        }
        from.deserialize_any(Either)
    }
}

/// A recorded page and the rows it must become.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SelfTest {
    pub name: String,
    pub stream: Text,
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// Mapped fields of the parent row, for streams that have a parent.
    #[serde(default)]
    pub parent: BTreeMap<String, String>,
    /// The page as text; `\t` and `\n` as TOML writes them. Layers that are no text (`gzip`, `zip`) are taken as done.
    pub page: String,
    /// `[files]`: the name of the file the page is.
    pub file: Option<String>,
    /// `[files]`: when it was made, as it must come out.
    pub as_of: Option<String>,
    /// Mapped fields per row, as text; an absent field is null.
    pub rows: Vec<BTreeMap<String, String>>,
    #[serde(default)]
    pub rejected: u32,
    #[serde(default)]
    pub skipped: u32,
    /// What is left of the page when personal data is taken out.
    pub stored: Option<String>,
    /// Warnings that must be among those that are counted.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// What stands in the page for the next one: the token, address, query or number; empty: it is the last.
    pub next: Option<String>,
}
