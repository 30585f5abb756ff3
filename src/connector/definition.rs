//! What a connector file may say. Every key is known by name; anything else is refused with the nearest name.

mod access;

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

pub use access::{
    Answer, Auth, AuthKind, Basic, Call, Case, Cost, Expired, Fields, Graphql, KeyAt, Limit, Meaning, Method,
    Names, Nonce, Remaining, Retry, Rotating, Rule, Sign, SignKind, SignedFields, Soap, Stamp, TokenAnswer,
};

/// A text of the file together with where it stands, for messages with a line.
pub type Text = Spanned<String>;

/// One connector file, as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Version of this language; this program reads 1.
    pub version: u32,
    pub name: String,
    #[serde(default)]
    pub about: String,
    /// IANA zone of the civil days that sales and snapshots count for; usually `${param:zone}`.
    pub zone: Text,
    #[serde(default)]
    pub params: BTreeMap<String, Param>,
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretUse>,
    pub http: Http,
    #[serde(default)]
    pub auth: Auth,
    #[serde(default)]
    pub stamp: Stamp,
    /// Put onto every request to the base host, in this order, anew for every attempt.
    #[serde(default)]
    pub sign: Vec<Sign>,
    pub soap: Option<Soap>,
    /// How often operations may be asked.
    #[serde(default)]
    pub limits: BTreeMap<String, Limit>,
    #[serde(default)]
    pub retry: Retry,
    #[serde(default)]
    pub answer: Answer,
    /// The stream whose first page `doctor` asks for.
    pub doctor: Text,
    pub stream: BTreeMap<String, Stream>,
    #[serde(default)]
    pub test: Vec<SelfTest>,
}

/// A value the configuration gives. Without `default` and `from` it must be given.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    pub about: String,
    pub default: Option<String>,
    /// Another parameter whose value picks this one from `values`.
    pub from: Option<String>,
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretUse {
    pub about: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    pub base: Text,
    /// Other hosts that answers may point to (`*.example.com` covers every host below it).
    #[serde(default)]
    pub hosts: Vec<String>,
    /// From sending to the last byte of the answer.
    #[serde(default = "thirty")]
    pub timeout_seconds: Text,
    #[serde(default = "body_limit")]
    pub max_body_bytes: u64,
    /// Requests under way at the same time, by all processes together; no limit when it is not said.
    #[serde(default)]
    pub parallel: Option<u32>,
    /// Sent with every request.
    #[serde(default)]
    pub headers: BTreeMap<String, Text>,
}

fn thirty() -> Text {
    Spanned::new(0..0, "30".to_owned())
}

fn body_limit() -> u64 {
    64 * 1024 * 1024
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    OrderLine,
    Stock,
    Inbound,
    InboundLine,
    Receipt,
}

/// Whether absence in the answer means absence in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Snapshot {
    Complete,
    Partial,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    pub record: RecordKind,
    pub snapshot: Snapshot,
    /// The stream whose every row this one is asked for.
    pub parent: Option<Text>,
    /// Complete stock snapshots: the provider's code of the one warehouse, or `*` for one run per configured warehouse.
    pub warehouse: Option<Text>,
    #[serde(default = "age")]
    pub max_age_hours: u32,
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
    /// Columns or fields whose presence is known and that are not mapped; others are counted as new.
    #[serde(default)]
    pub known: Vec<String>,
    pub map: BTreeMap<String, Text>,
}

fn age() -> u32 {
    36
}

/// An asynchronous report: ask for it, wait for it, fetch it at once because its address lives for minutes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub create: Call,
    /// Path of the report's id in the answer to `create`; `{report}` afterwards.
    pub id: Text,
    pub poll: Call,
    pub status: Text,
    pub pending: Vec<String>,
    pub done: Vec<String>,
    pub cancelled: Vec<String>,
    pub failed: Vec<String>,
    pub every_seconds: u64,
    pub longest_minutes: u64,
    /// Path of the document's id in the answer to `poll`; `{document}` afterwards.
    pub document_id: Text,
    pub document: Call,
    pub url: Text,
    /// Path of the compression's name; `GZIP` is known, absent is none.
    pub compression: Text,
    /// A report asked for longer ago than this is asked for anew after a crash.
    pub keep_hours: u32,
}

/// The moving window of a stream. Placeholders `{from}` and `{to}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// How far back the very first pull goes; usually `${param:history_days}`.
    pub start_days: Text,
    /// The longest window one request may have.
    pub window_days: u32,
    /// Late changes: every pull starts this long before the last one's end.
    #[serde(default)]
    pub lookback_hours: u32,
    /// Windows end this long before now, because the source is not yet settled.
    #[serde(default)]
    pub hold_back_minutes: u32,
    /// `rfc3339` or a pattern such as `%Y-%m-%d %H:%M:%S`.
    pub format: Text,
    /// Zone in which the pattern is written.
    #[serde(default = "utc")]
    pub zone: Text,
}

fn utc() -> Text {
    Spanned::new(0..0, "UTC".to_owned())
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    #[serde(default)]
    pub kind: PageKind,
    /// `token`: path of the next token in the answer, and the query parameter or placeholder `{token}` it fills.
    pub next: Option<Text>,
    /// `token`: query parameter that carries it from the second page on.
    pub query: Option<String>,
    /// `token`: whether the other query parameters are left away when the token is sent.
    #[serde(default)]
    pub alone: bool,
    /// `number`: path of the number of rows in all.
    pub total: Option<Text>,
    /// `number`: rows per page, also `{size}`.
    pub size: Option<u32>,
    #[serde(default = "max_pages")]
    pub max_pages: u32,
}

fn max_pages() -> u32 {
    5_000
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageKind {
    #[default]
    None,
    Token,
    Number,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decode {
    #[serde(default)]
    pub kind: DecodeKind,
    /// Tried in this order; the last one takes what the others refuse.
    #[serde(default)]
    pub encoding: Vec<Text>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecodeKind {
    #[default]
    Json,
    Tsv,
    Csv,
}

/// A recorded page and the rows it must become.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SelfTest {
    pub name: String,
    pub stream: Text,
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// Mapped fields of the parent row, for streams that have a parent.
    #[serde(default)]
    pub parent: BTreeMap<String, String>,
    /// The page as text; `\t` and `\n` as TOML writes them.
    pub page: String,
    /// Mapped fields per row, as text; an absent field is null.
    pub rows: Vec<BTreeMap<String, String>>,
    #[serde(default)]
    pub rejected: u32,
    #[serde(default)]
    pub skipped: u32,
}
