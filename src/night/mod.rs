//! The steps of one night, one file each.

pub mod pull;
