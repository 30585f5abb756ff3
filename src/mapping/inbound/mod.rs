//! Files that forwarders and authorities send: confirmations, rejections, tracking lists, bills, customs receipts.
//!
//! One TOML file for each (sender, kind, layout) in `mappings/inbound/`: how the file is recognised, where each fact
//! stands, and tests of its own. A file that no mapping recognises is for a person.

mod definition;
mod document;
mod rows;
mod selftest;

pub use definition::{Format, Inbound, InboundKind, builtin, builtin_with};
pub use document::{Document, shown};
pub use rows::{Reading, Record};
pub use selftest::run_tests;

use chrono_tz::Tz;

/// What the mappings make of a file: every one that recognises it, in the order of their ids. `sender` is the
/// forwarder whose folder it came from; a file that a person dropped may be anybody's.
#[must_use]
pub fn read(mappings: &[Inbound], sender: Option<&str>, document: &Document<'_>, zone: Tz) -> Vec<Reading> {
    mappings
        .iter()
        .filter(|mapping| match (&mapping.party, sender) {
            (Some(party), Some(sender)) => party.as_str() == sender,
            _ => true,
        })
        .filter_map(|mapping| mapping.read(document, zone))
        .collect()
}

#[cfg(test)]
mod tests;
