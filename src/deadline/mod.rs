//! What must be done by when: one engine for every clock that costs money when it runs out (R67).
//!
//! [`due`] computes instants from what is known of a voyage, a stay or a claim. [`Duty`] is one clock of one subject.
//! [`RuleBook`] says, as dated data, how early each kind is told. [`watch()`] compares the duties of now with the alerts of
//! before and says what a person must be told: each reminder once, again when the clock moves nearer, and nothing
//! that nobody resolved is ever forgotten.

mod book;
pub mod due;
mod model;
pub mod ports;
mod shown;
mod watch;

pub use book::{BookRule, RuleBook};
pub use model::{Alert, Duty, Member, Notice, Rule, Severity, Told, Why};
pub use shown::{Shown, facts_text, notice_text, rule_text, severity_text, shown, when};
pub use watch::{Watched, acknowledge, snooze, watch};

#[cfg(test)]
mod laws;
