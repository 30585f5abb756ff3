//! Reads connector files and says what to ask next and what an answer means. Does no IO.
//!
//! One TOML file per system ([`definition`]); [`load`] checks it and names faults at their line. [`Bound`] is a
//! definition with one source's parameters and secrets: it makes requests ([`request`]), judges answers ([`answer`])
//! and reads rows ([`rows`]) into canonical facts ([`record`]).

pub mod answer;
mod body;
pub mod bucket;
pub mod cell;
mod check;
mod check_access;
pub mod decode;
pub mod definition;
pub mod draft;
pub mod expr;
pub mod file_name;
pub mod forecast;
pub mod load;
pub mod made;
pub mod manual;
pub mod paging;
pub mod path;
mod pii;
pub mod pipe;
pub mod record;
pub mod request;
mod requesttest;
pub mod rows;
pub mod schema;
pub mod scrub;
mod selftest;
mod sign;
pub mod template;
pub mod tree;
pub mod wait;
pub mod window;
pub mod write;

mod bound;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use crate::secret::Secret;
pub use bound::Bound;
pub use load::{Definition, DefinitionError, Reading};
pub use selftest::{TestFailure, run_tests};

use crate::ids::{SourceId, WarehouseCode};

/// One configured source: a connector file and what it needs to know about this seller's account there.
#[derive(Debug, Clone)]
pub struct ConnectorConfig {
    pub id: SourceId,
    pub definition: Arc<Definition>,
    pub params: BTreeMap<String, String>,
    pub secrets: BTreeMap<String, Secret>,
    /// Fulfilment channel, or the provider's warehouse code, to our code.
    pub warehouses: BTreeMap<String, WarehouseCode>,
}

/// The text at a path of an answer; None when it is absent or null.
///
/// # Errors
/// When the path is none.
pub fn text_at(json: Option<&serde_json::Value>, path: &str) -> Result<Option<String>, String> {
    let path = path::Path::parse(path)?;
    Ok(json.and_then(|json| path.get(json)).and_then(|value| {
        cell::Cell::of_json(value)
            .show()
            .map(std::borrow::Cow::into_owned)
    }))
}
