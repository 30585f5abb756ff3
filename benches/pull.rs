//! Bench `pull`.

fn main() {}
