//! What a connector file may say. Every key is known by name; anything else is refused with the nearest name.

mod access;
mod files;
mod request_test;
mod stream;
mod text;
mod write;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;

pub use access::{
    Answer, Auth, AuthKind, Basic, Call, Case, Cost, Expired, Fields, Graphql, KeyAt, Limit, Meaning, Method,
    Names, Nonce, Remaining, Retry, Rotating, Rule, Sign, SignKind, SignedFields, Soap, Stamp, TokenAnswer,
};
pub use files::{AsOf, FileNames, Files, Way};
pub use request_test::RequestTest;
pub use stream::*;
pub use text::Text;
pub use write::{Faults, Find, Gives, Write};

/// One connector file, as written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(transform = crate::connector::schema::http_or_files)]
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
    /// How a system is asked; either this or `files`.
    pub http: Option<Http>,
    /// Where files lie that people or another program put there; either this or `http`.
    pub files: Option<Files>,
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
    /// Requests with an effect, made from an order.
    #[serde(default)]
    pub write: BTreeMap<String, Write>,
    #[serde(default)]
    pub test: Vec<SelfTest>,
    #[serde(default)]
    pub request_test: Vec<RequestTest>,
}

impl File {
    /// How it is asked; what holds by default where nothing is asked.
    #[must_use]
    pub fn http(&self) -> &Http {
        static NONE: LazyLock<Http> = LazyLock::new(Http::default);
        self.http.as_ref().unwrap_or(&NONE)
    }

    /// No answer and no file may be larger, unpacked.
    #[must_use]
    pub fn max_bytes(&self) -> u64 {
        match &self.files {
            Some(files) => files.max_file_bytes,
            None => self.http().max_body_bytes,
        }
    }
}

/// A value the configuration gives. Without `default` and `from` it must be given.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Param {
    pub about: String,
    pub default: Option<String>,
    /// Another parameter whose value picks this one from `values`.
    pub from: Option<String>,
    #[serde(default)]
    pub values: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretUse {
    pub about: String,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
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

impl Default for Http {
    fn default() -> Self {
        Self {
            base: Text::from(""),
            hosts: Vec::new(),
            timeout_seconds: thirty(),
            max_body_bytes: body_limit(),
            parallel: None,
            headers: BTreeMap::new(),
        }
    }
}

fn thirty() -> Text {
    Text::from("30")
}

fn body_limit() -> u64 {
    64 * 1024 * 1024
}
