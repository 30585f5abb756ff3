//! Tests of requests inside the file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Text;

/// A moment and secrets, and the request they must become.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestTest {
    pub name: String,
    /// Whose request it is: a stream's, or that of a `write`.
    pub stream: Option<Text>,
    /// The request of `[write.NAME]` for the example order.
    pub write: Option<Text>,
    /// For a write: the system's numbers of the goods, by their code.
    #[serde(default)]
    pub ids: BTreeMap<String, String>,
    /// `request`, or `create`, `poll`, `document` of a report.
    #[serde(default = "request")]
    pub call: String,
    /// The instant of the request, `2026-01-02T03:04:05Z`.
    #[serde(default = "epoch")]
    pub now: String,
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// Those that are not named are `test`.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// What `{page}`, `{warehouse}` and the like are filled with.
    #[serde(default)]
    pub places: BTreeMap<String, String>,
    #[serde(default)]
    pub token: String,
    pub url: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
}

fn request() -> String {
    "request".to_owned()
}

fn epoch() -> String {
    "2026-01-01T00:00:00Z".to_owned()
}
