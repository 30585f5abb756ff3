//! Bench `plan`.

fn main() {}
