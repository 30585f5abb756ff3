//! When the night begins: civil times in a named zone become occurrences, occurrences become jobs.
//!
//! [`due_occurrences`] is pure and decides; [`tick()`] writes what it decided; [`daemon`] ticks.

mod civil;
pub mod daemon;
mod tick;

pub use civil::{CatchUp, Decision, Planned, Schedule, ScheduleError, due_occurrences};
pub use tick::{Ticked, tick};
