//! When the night begins: civil times in a named zone become occurrences, occurrences become jobs.
//!
//! [`due_occurrences`] is pure and decides; [`tick()`] writes what it decided; [`daemon`] ticks. A schedule of the second
//! kind watches: [`watch`] tells when something that should have happened by its hour did not.

mod by_hand;
mod civil;
mod configured;
pub mod daemon;
mod errands;
mod handle;
mod housekeep;
mod tick;
mod urgent;
pub mod watch;

pub use by_hand::{RunDate, run_date};
pub use civil::{CatchUp, Decision, Planned, Schedule, ScheduleError, due_occurrences};
pub use configured::{MAIL_BY, NIGHT, RETENTION, configured, mail_date, mail_due};
pub use errands::{CLOCKS, Errand, RECEIVE, enqueue_errand, errands};
pub use handle::handle;
pub use housekeep::{RetainError, housekeep, retain};
pub use tick::{Ticked, tick};
