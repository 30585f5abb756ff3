//! A forwarder's answer to a booking: a small JSON file that names our order and what was accepted.

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// What a forwarder says about an order. Figures it does not repeat are not compared.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BookingReply {
    pub order: String,
    /// The warehouse's own number of the announcement, when the forwarder made it.
    #[serde(default)]
    pub inbound_no: String,
    #[serde(default)]
    pub cartons: Option<i64>,
    #[serde(default)]
    pub units: Option<i64>,
    #[serde(default)]
    pub accepted_at: Option<DateTime<Utc>>,
}

/// Longer files are no confirmations.
const MAX_BYTES: usize = 64 * 1024;

/// Reads the answer; `None` when the file is something else.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<BookingReply> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_is_told_from_other_files() {
        let text = br#"{"order": "BH260504-01", "inbound_no": "FBA15", "cartons": 28, "units": 2406, "accepted_at": "2026-05-04T02:10:00Z", "more": 1}"#;
        let reply = read(text).unwrap();
        assert_eq!((reply.order.as_str(), reply.cartons), ("BH260504-01", Some(28)));
        assert_eq!(read(b"{\"no\": 1}"), None);
        assert_eq!(read(b"order,sku\n"), None);
    }
}
