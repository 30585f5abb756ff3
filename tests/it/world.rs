//! Tests of the room `world`: the simulated parties answer in the official shapes, to real clients.

mod exchange;
mod shapes;

use std::path::Path;

use chrono::{DateTime, Utc};
use linkstar::simulate::{RunningWorld, WorldOptions, start};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

async fn world(dir: &Path) -> RunningWorld {
    // The shared crypto provider of the HTTP client; a second install is refused and means the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut options = WorldOptions::new(dir, 7, at("2026-05-11T18:00:00Z"));
    options.history_days = 40;
    start(options).await.expect("the world starts")
}
