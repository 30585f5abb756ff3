//! The way of a line's units in figures, from the plan to the dock (R55).

use serde::Serialize;

/// What stands before the counts of a line. `None` is what nobody has said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// Suggested by the plan, before a person changed it.
    pub planned: Option<i64>,
    pub packed: Option<i64>,
    /// On the papers of the order as it stands now.
    pub declared: Option<i64>,
    /// Of the whole order.
    pub cartons: Option<i64>,
    /// Of the whole order, by the proof of delivery that somebody put to a case.
    pub delivered_cartons: Option<i64>,
}
