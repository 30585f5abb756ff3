//! Several processes, killed processes and servers that go away: the night ends as if nothing had happened.

pub mod children;
mod cost;
mod daemons;
mod failover;
mod fairness;
pub mod kill;
mod memory;
mod stage;
