//! What a connector file may say. Every key is known by name; anything else is refused with the nearest name.

mod access;
mod request_test;
mod stream;
mod text;
mod write;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub use access::{
    Answer, Auth, AuthKind, Basic, Call, Case, Cost, Expired, Fields, Graphql, KeyAt, Limit, Meaning, Method,
    Names, Nonce, Remaining, Retry, Rotating, Rule, Sign, SignKind, SignedFields, Soap, Stamp, TokenAnswer,
};
pub use request_test::RequestTest;
pub use stream::*;
pub use text::Text;
pub use write::{Faults, Find, Gives, Write};

/// One connector file, as written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
    /// Requests with an effect, made from an order.
    #[serde(default)]
    pub write: BTreeMap<String, Write>,
    #[serde(default)]
    pub test: Vec<SelfTest>,
    #[serde(default)]
    pub request_test: Vec<RequestTest>,
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

fn thirty() -> Text {
    Text::from("30")
}

fn body_limit() -> u64 {
    64 * 1024 * 1024
}
