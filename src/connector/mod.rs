//! Reads connector files and says what to ask next and what an answer means. Does no IO.
//!
//! One TOML file per system ([`definition`]); [`load`] checks it and names faults at their line. [`Bound`] is a
//! definition with one source's parameters and secrets: it makes requests ([`request`]), judges answers ([`answer`])
//! and reads rows ([`rows`]) into canonical facts ([`record`]).

pub mod answer;
pub mod bucket;
pub mod cell;
pub mod decode;
pub mod definition;
mod expr;
mod load;
pub mod paging;
mod path;
pub mod pipe;
pub mod record;
pub mod request;
pub mod rows;
mod secret;
mod selftest;
pub mod template;
pub mod wait;
pub mod window;

mod bound;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use bound::Bound;
pub use load::{Definition, DefinitionError, Reading};
pub use secret::Secret;
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
