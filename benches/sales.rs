//! Daily sales as rows alone, and as the product keeps them: rows with packed series beside. What loading, the nightly
//! change and a whole plan's read cost.
//!
//! `cargo bench --bench sales -- [rows] [postgres://…] [only]`; 500,000 rows when nothing is given, on SQLite always and on
//! PostgreSQL when its URL is given (the database must be empty); with `only` on PostgreSQL alone. The rows are those of
//! sellers of half a million rows each. Costs are CPU seconds of this process; on PostgreSQL those of the server's backends
//! are added. Both layouts must give the same sums.

#[path = "sales/cost.rs"]
mod cost;
#[path = "sales/facts.rs"]
mod facts;
#[path = "sales/layout.rs"]
mod layout;

use cost::{Cost, Meter};
use facts::{Seller, Shape, Sum};
use layout::{Layout, Read, bytes, check, copy_in, whole};
use linkstar::store::Store;
use linkstar::store::dialect::Engine;

const ROWS_OF_A_SELLER: usize = 500_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rows = arguments
        .iter()
        .find_map(|argument| argument.replace(['_', ','], "").parse::<usize>().ok())
        .unwrap_or(ROWS_OF_A_SELLER);
    let postgres = arguments.iter().find(|argument| argument.starts_with("postgres"));
    let only = arguments.iter().any(|argument| argument == "only");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        if !only {
            let folder = tempfile::tempdir().expect("a folder");
            let url = format!("sqlite:{}", folder.path().join("sales.db").display());
            measure(&url, rows).await;
        }
        if let Some(url) = postgres {
            measure(url, rows).await;
        }
    });
}

async fn measure(url: &str, rows: usize) {
    let store = Store::open(url).await.expect("the database opens");
    layout::create(&store).await;
    let sellers: Vec<Seller> = Shape::new(rows, ROWS_OF_A_SELLER).sellers();
    let engine = match store.engine() {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    };
    println!("{engine}, {} sellers", sellers.len());
    for layout in Layout::ALL {
        let meter = Meter::start(&store).await;
        let mut rows = 0;
        for seller in &sellers {
            rows += layout.load(&store, seller).await;
        }
        tell(
            &format!("load {rows}, {}", layout.name()),
            meter.stop(&store).await,
        );
    }
    if store.engine() == Engine::Postgres {
        let meter = Meter::start(&store).await;
        let rows = copy_in(url, &sellers).await;
        tell(&format!("load {rows}, rows by COPY"), meter.stop(&store).await);
    }
    for layout in Layout::ALL {
        let meter = Meter::start(&store).await;
        let mut changed = 0;
        for seller in &sellers {
            changed += layout.night(&store, seller).await;
        }
        tell(
            &format!("night of {changed}, {}", layout.name()),
            meter.stop(&store).await,
        );
    }
    // The one that keeps least comes first: what an allocator once had it may keep.
    let mut sums = Vec::new();
    for (read, name) in [
        (Read::Series, "series"),
        (Read::Stream, "rows, as they come"),
        (Read::AtOnce, "rows, at once"),
    ] {
        let meter = Meter::start(&store).await;
        let mut sum = Sum::default();
        for seller in &sellers {
            sum.add(&whole(read, &store, seller).await);
        }
        tell(&format!("whole read, {name}"), meter.stop(&store).await);
        sums.push(sum);
    }
    assert!(
        sums.iter().all(|sum| *sum == sums[0]),
        "the layouts disagree: {sums:?}"
    );
    let meter = Meter::start(&store).await;
    let mut years = 0;
    for seller in &sellers {
        years += check(&store, seller).await;
    }
    tell(&format!("check of {years} years"), meter.stop(&store).await);
    for table in Layout::ALL.iter().flat_map(|layout| layout.tables()) {
        println!("{table:28} {:10.1} MB", bytes(&store, table).await as f64 / 1e6);
    }
    store.close().await;
}

fn tell(what: &str, cost: Cost) {
    println!(
        "{what:28} {:10.2} CPU s ({:.2} in the server) {:10.2} s {:6} MiB",
        cost.cpu, cost.server, cost.wall, cost.peak
    );
}
