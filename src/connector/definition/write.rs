//! What a system can be told about an order: one declared request per effect.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, Text};

/// A request with an effect at the other side. It is sent once; whether an earlier one arrived is looked up first.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Write {
    pub about: String,
    /// What the number in the answer is.
    pub gives: Gives,
    /// Filled from the order.
    pub request: Call,
    /// Their words for ours, by place and by our word: `words = { mode = { sea = "4" } }`.
    #[serde(default)]
    pub words: BTreeMap<String, BTreeMap<String, String>>,
    /// Path of the number in the answer.
    pub number: Text,
    /// How to see whether our reference is known there. Without it a lost answer is for a person.
    pub find: Option<Find>,
    /// A stream of codes, whose ids fill `{goods_id}` of a line. The goods are looked up before each request.
    pub ids: Option<Text>,
    /// Where a refusal says what is wrong with which line.
    pub faults: Option<Faults>,
    /// After a lost answer: how long until a look can be trusted to see what arrived.
    #[serde(default = "minute")]
    pub settle_seconds: u32,
}

fn minute() -> u32 {
    60
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gives {
    /// The warehouse's number of the announced shipment.
    Inbound,
    /// A carrier's number of a booking.
    Booking,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Find {
    /// A stream of inbounds that moves by a window; its `reference` is compared with ours.
    pub stream: Text,
    /// States of what was taken back at the other side: as good as not there.
    #[serde(default)]
    pub gone: Vec<String>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Faults {
    /// Path of a list of faults, or of a table with one list of texts per field; the answer itself when it is left out.
    pub at: Option<Text>,
    /// Inside a fault: the code of the goods, the name of the field, what is wrong.
    pub sku: Option<Text>,
    pub field: Option<Text>,
    pub text: Option<Text>,
}
