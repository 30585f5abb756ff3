//! The command line.

pub mod args;
pub mod plan_dir;
