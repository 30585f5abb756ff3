//! Several processes, killed processes and servers that go away: the night ends as if nothing had happened.

mod children;
mod cost;
mod daemons;
mod failover;
mod kill;
mod memory;
mod stage;
