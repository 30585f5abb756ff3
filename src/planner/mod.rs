//! How much, when and how: `plan(snapshot, policy) -> Plan`, pure and repeatable.

pub mod model;
pub mod snapshot;

pub use model::*;
pub use snapshot::*;
