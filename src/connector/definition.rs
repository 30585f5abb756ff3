//! What a connector file may say. Every key is known by name; anything else is refused with the nearest name.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

mod stream;

pub use stream::*;

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
