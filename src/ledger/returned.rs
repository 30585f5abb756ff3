//! Goods that customers sent back.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::FactKey;
use crate::ids::SourceId;

/// One line of a return, as the warehouse took it in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerReturn {
    pub source: SourceId,
    /// The number on the label of the returned unit, or everything that stays the same about the line.
    pub key: FactKey,
    pub order_id: String,
    pub sku_code: String,
    pub units: i64,
    pub returned_at: DateTime<Utc>,
    /// What state it came back in, in the source's words: `SELLABLE`, `DEFECTIVE`, …
    pub disposition: Option<String>,
    /// Why, in the source's words.
    pub reason: Option<String>,
    /// Where it came in.
    pub centre: Option<String>,
}

impl CustomerReturn {
    /// What a line without a number of its own is known by; lines that say the same are counted.
    #[must_use]
    pub fn said(&self) -> String {
        let at = self.returned_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!("said|{}|{}|{at}", self.order_id, self.sku_code)
    }
}
