//! Whole nights against the simulated world: marketplace, warehouse, forwarder and mail server on loopback.

mod answers;
mod commands;
mod daemon;
mod deliveries;
mod engines;
mod inputs;
mod kill;
pub mod shop;
mod sources;
mod state;
