//! Workbooks: a forwarder's own filled without loss, and ours written new.

pub mod carton_ranges;
pub mod fresh;
pub mod template;
