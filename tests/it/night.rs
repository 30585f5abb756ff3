//! Whole nights against the simulated world: marketplace, warehouse, forwarder and mail server on loopback.

mod amend;
mod announce;
mod answers;
mod arrivals;
mod calibration;
mod cash;
mod chain;
mod clocks;
mod commands;
mod daemon;
mod deliveries;
mod desk;
mod engines;
mod forecast;
mod inputs;
mod labels;
mod learned;
mod papers;
pub mod shop;
mod sources;
pub mod state;
mod trial;
