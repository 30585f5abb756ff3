//! Who asks, how a request is written and signed, how often, and what an answer means.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toml::Spanned;

use super::Text;

/// Texts by name, in the order they are written.
#[derive(Debug, Clone, Default)]
pub struct Fields(pub Vec<(String, Text)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Fields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of texts")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry::<String, Text>()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(Read)
    }
}

/// One name, or several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Names;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }
            fn visit_str<E>(self, name: &str) -> Result<Names, E> {
                Ok(Names(vec![name.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        from.deserialize_any(Read)
    }
}

/// How a request proves who asks.
///
/// `headers`, `query` and `body` go with every request to the base host, whatever the kind; `{access_token}` in them is
/// the token that kinds with a `url` get there.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    #[serde(default)]
    pub kind: AuthKind,
    #[serde(default)]
    pub headers: BTreeMap<String, Text>,
    #[serde(default)]
    pub query: Fields,
    /// Put into JSON bodies, before the fields of the call.
    pub body: Option<Json>,
    /// `basic`: sent as `Authorization: Basic …`; for kinds with a `url`, with the token request only.
    pub basic: Option<Basic>,
    /// Where a token is asked for, with which form or JSON body and headers.
    pub url: Option<Text>,
    pub form: Option<Fields>,
    pub json: Option<Json>,
    #[serde(default)]
    pub request_headers: BTreeMap<String, Text>,
    /// Where the token stands in the answer and how long it lives.
    #[serde(default)]
    pub answer: TokenAnswer,
    /// The header that carries the token, and what stands before it: short for an entry of `headers`.
    pub header: Option<String>,
    #[serde(default)]
    pub prefix: String,
    /// Each refresh token works once, and its answer gives the next one: `{refresh_token}` in `form` or `json`.
    pub rotating: Option<Rotating>,
    /// All processes use one token, kept in the store: for systems where a new login ends the one before.
    #[serde(default)]
    pub one_session: bool,
    /// An answer that means "the token has run out".
    pub expired: Option<Expired>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(transform = crate::connector::schema::also_headers)]
pub enum AuthKind {
    #[default]
    None,
    /// What `headers`, `query` and `body` say.
    #[serde(alias = "headers")]
    Keys,
    Basic,
    RefreshToken,
    ClientCredentials,
    Login,
}

impl AuthKind {
    /// Whether a token is asked for.
    #[must_use]
    pub fn asks(self) -> bool {
        matches!(self, Self::RefreshToken | Self::ClientCredentials | Self::Login)
    }
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    pub user: Text,
    pub password: Text,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TokenAnswer {
    /// Path of the token.
    pub token: String,
    /// Path of the seconds it lives.
    pub life: String,
    /// When the answer does not say.
    pub life_seconds: u32,
    /// A condition that a good answer meets, where 200 alone does not say.
    pub ok: Option<Text>,
    /// Paths of what is wrong, the first text counts.
    pub message: Vec<String>,
}

impl Default for TokenAnswer {
    fn default() -> Self {
        Self {
            token: "access_token".to_owned(),
            life: "expires_in".to_owned(),
            life_seconds: 3600,
            ok: None,
            message: vec!["error".to_owned()],
        }
    }
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotating {
    /// The first refresh token, as the authorisation gave it. Another text here starts anew from it.
    pub first: Text,
    /// Path of the next one in the answer.
    pub next: Text,
}

/// All that is said must hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expired {
    pub status: Vec<u16>,
    /// Must occur in the body.
    pub text: String,
    /// A condition on the body.
    pub when: Option<Text>,
}

/// `{timestamp}` and `{nonce}`: made anew for every attempt.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stamp {
    /// `ms`, `s`, `rfc3339` or a pattern such as `%Y-%m-%d %H:%M:%S`.
    pub timestamp: Text,
    /// Zone in which the pattern is written.
    pub zone: Text,
    /// Whether a JSON body carries it as a number.
    pub number: bool,
    pub nonce: Nonce,
}

impl Default for Stamp {
    fn default() -> Self {
        Self {
            timestamp: Text::from("ms"),
            zone: Text::from("UTC"),
            number: false,
            nonce: Nonce::Hex,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nonce {
    /// 32 hexadecimal digits.
    #[default]
    Hex,
    /// The same as a version 4 UUID.
    Uuid,
}

/// One signature of a request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    pub kind: SignKind,
    /// `query.NAME`, `header.NAME` or `body.PATH`.
    pub into: Text,
    pub key: Text,
    /// What is signed, one after the other. Besides the places of texts: `{method}`, `{path}`, `{body}`, `{body.PATH}`,
    /// `{query.NAME}`.
    #[serde(default)]
    pub parts: Vec<Text>,
    /// `md5_wrap`: where the key stands.
    #[serde(default)]
    pub key_at: KeyAt,
    /// `aes_ecb_md5`: whose fields are signed.
    #[serde(default)]
    pub fields: Vec<SignedFields>,
    #[serde(default)]
    pub case: Case,
    /// Whether JSON inside the parts has its keys sorted.
    pub sorted: Option<bool>,
}

/// How the signed text is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignKind {
    /// MD5 in hex of the parts with the key around, before or after them.
    Md5Wrap,
    /// HMAC-SHA256 in hex of the parts; JSON with sorted keys.
    HmacSortedJson,
    /// Base64 of AES-128-ECB, under the key, of the MD5 in upper hex of `name=value&…` sorted by name.
    AesEcbMd5,
    /// MD5 in hex of (MD5 in hex of the parts, then the key). Without parts, the body.
    BodyMd5,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyAt {
    Before,
    #[default]
    After,
    Around,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignedFields {
    Query,
    Body,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Case {
    #[default]
    Lower,
    Upper,
}

/// The envelope of calls that say `soap`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Soap {
    pub namespace: String,
    /// The element inside the body. A header `SOAPAction` is said in `http.headers` or in the call.
    pub operation: String,
    /// Child elements of every call, in this order. `{json}` is the call's `body` as JSON text.
    #[serde(default)]
    pub fields: Fields,
}

/// How often an operation may be asked: exactly one of the four ways to say it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limit {
    /// Requests per second in the long run, and how many at once after a rest.
    pub rate: Option<f64>,
    pub burst: Option<u32>,
    /// At most so many in any so many seconds.
    pub requests: Option<u32>,
    pub seconds: Option<u32>,
    /// At most so many a civil day, which begins at midnight of `zone`.
    pub per_day: Option<u32>,
    pub zone: Option<Text>,
    /// Points that the server counts and tells in each answer.
    pub cost: Option<Cost>,
}

/// Where an answer tells what it cost and what is left.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cost {
    pub requested: String,
    pub actual: String,
    pub maximum: String,
    pub available: String,
    pub restore: String,
    /// Points of a call whose cost no answer has told yet.
    pub first: u32,
}

impl Default for Cost {
    fn default() -> Self {
        let status = |name: &str| format!("extensions.cost.throttleStatus.{name}");
        Self {
            requested: "extensions.cost.requestedQueryCost".to_owned(),
            actual: "extensions.cost.actualQueryCost".to_owned(),
            maximum: status("maximumAvailable"),
            available: status("currentlyAvailable"),
            restore: status("restoreRate"),
            first: 100,
        }
    }
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Attempts in all, the first one counted.
    pub attempts: u32,
    /// The first wait without a word from the server; doubles each time.
    pub first_wait_ms: u64,
    pub longest_wait_seconds: u64,
    /// Headers that tell how long to wait, in seconds or as a date.
    pub wait_headers: Vec<String>,
    /// A header with requests per second: the wait is one over it.
    pub rate_header: Option<String>,
    /// A header with the moment from which requests are welcome again: Unix seconds or milliseconds, a date, or
    /// seconds from now.
    pub reset_header: Option<String>,
    /// A header with the number of requests left.
    pub remaining: Option<Remaining>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_wait_ms: 500,
            longest_wait_seconds: 120,
            wait_headers: vec!["retry-after".to_owned()],
            rate_header: None,
            reset_header: None,
            remaining: None,
        }
    }
}

/// With fewer than `keep` requests left, everybody rests before the next one: until the reset, else `rest_ms`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Remaining {
    pub header: String,
    pub keep: u32,
    pub rest_ms: u64,
}

/// What a good answer looks like when the status alone does not say.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Read in this order, before everything else; the first that holds decides.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// `ask == 'Success' or code == 0`; without it every 2xx is good.
    pub ok: Option<Text>,
    /// A business answer that means "slow down".
    pub throttled: Option<Text>,
    /// Where an error says what is wrong; the first path with a text counts.
    #[serde(default)]
    pub message: Vec<Text>,
}

/// All conditions that are said must hold.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub is: Meaning,
    #[serde(default)]
    pub status: Vec<u16>,
    /// Texts that headers must contain.
    #[serde(default)]
    pub header: BTreeMap<String, String>,
    /// Must occur in the body.
    #[serde(default)]
    pub text: String,
    /// A condition on the body.
    pub when: Option<Text>,
    /// Said to a person before the server's own words.
    #[serde(default)]
    pub message: String,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    Ok,
    /// The same again, newly stamped and signed.
    Retry,
    Throttled,
    /// The token has run out: a new one, once, then the same again.
    Expired,
    Forbidden,
    Refused,
    /// The connector file or the configuration asks for something the server does not do.
    Configuration,
    /// There is nothing for this question.
    Empty,
    /// Too much for one answer: the window is cut in two.
    Split,
}

/// One request. Texts may hold `{placeholders}`, `${param:…}` and `${secret:…}`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    pub method: Method,
    pub path: Text,
    /// Keys into `[limits]`: one, or several that all count this call.
    #[schemars(with = "Option<Names>")]
    pub limit: Option<Spanned<Names>>,
    #[serde(default)]
    pub query: BTreeMap<String, Text>,
    #[serde(default)]
    pub headers: BTreeMap<String, Text>,
    /// JSON body, its keys in this order. A text that is one placeholder takes the placeholder's type.
    pub body: Option<Json>,
    /// `application/x-www-form-urlencoded`, in this order.
    pub form: Option<Fields>,
    /// Sent as it stands.
    pub text: Option<Text>,
    /// Of `text`; `text/plain; charset=utf-8` when it is not said.
    pub content_type: Option<String>,
    /// Child elements besides those of `[soap]`.
    pub soap: Option<Fields>,
    pub graphql: Option<Graphql>,
}

impl Call {
    /// Keys into `[limits]`.
    #[must_use]
    pub fn limits(&self) -> &[String] {
        self.limit
            .as_ref()
            .map_or(&[], |names| names.get_ref().0.as_slice())
    }
}

/// A GraphQL document (its braces are its own) and its variables.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Graphql {
    pub query: Text,
    pub variables: Option<Json>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// As HTTP writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}
