//! What a connector file may say. Every key is known by name; anything else is refused with the nearest name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;
use toml::Spanned;

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
    /// Token bucket per operation.
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

/// How a request proves who asks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    #[serde(default)]
    pub kind: AuthKind,
    /// `refresh_token`: where to ask for an access token, with which form.
    pub url: Option<Text>,
    #[serde(default)]
    pub form: BTreeMap<String, Text>,
    /// `refresh_token`: the header that carries the access token, and what stands before it.
    pub header: Option<String>,
    #[serde(default)]
    pub prefix: String,
    /// An answer that means "the access token has run out".
    pub expired: Option<Expired>,
    /// `headers`: sent with every request to the base host.
    #[serde(default)]
    pub headers: BTreeMap<String, Text>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    #[default]
    None,
    Headers,
    RefreshToken,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expired {
    pub status: Vec<u16>,
    /// Must occur in the body; empty: the status alone says it.
    #[serde(default)]
    pub text: String,
}

/// Requests per second in the long run, and how many at once after a rest.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    pub rate: f64,
    pub burst: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Attempts in all, the first one counted.
    pub attempts: u32,
    /// The first wait without a word from the server; doubles each time.
    pub first_wait_ms: u64,
    pub longest_wait_seconds: u64,
    /// A header with requests per second: the wait is one over it.
    pub rate_header: Option<String>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_wait_ms: 500,
            longest_wait_seconds: 120,
            rate_header: None,
        }
    }
}

/// What a good answer looks like when the status alone does not say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// `ask == 'Success' or code == 0`; without it every 2xx is good.
    pub ok: Option<Text>,
    /// A business answer that means "slow down".
    pub throttled: Option<Text>,
    /// Where an error says what is wrong; the first path with a text counts.
    #[serde(default)]
    pub message: Vec<Text>,
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

/// One request. Texts may hold `{placeholders}`, `${param:…}` and `${secret:…}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    pub method: Method,
    pub path: Text,
    /// Key into `[limits]`.
    pub limit: Option<Text>,
    #[serde(default)]
    pub query: BTreeMap<String, Text>,
    #[serde(default)]
    pub headers: BTreeMap<String, Text>,
    /// JSON body. A text that is one placeholder takes the placeholder's type.
    pub body: Option<Json>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
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
