//! Cases, claims and their dossiers (R68–R70), on both engines and through the commands.

mod clocks;
mod commands;
mod follow;
mod kill;
mod laws;
mod night;
mod stage;
mod timing;
