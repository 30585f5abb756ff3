//! The command line.

pub mod plan_dir;
