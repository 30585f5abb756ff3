//! Cases, claims and their dossiers (R68–R70), on both engines and through the commands.

mod clocks;
pub mod commands;
mod files;
mod follow;
mod kill;
mod laws;
mod night;
pub mod stage;
mod timing;
