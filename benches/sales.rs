//! Daily sales as rows and as packed series: what loading, the nightly change, a whole plan's read and one SKU's read cost.
//!
//! `cargo bench --bench sales -- [rows] [postgres://…]`; 500,000 rows when nothing is given, on SQLite always and on
//! PostgreSQL when its URL is given (the database must be empty). The rows are those of sellers of half a million rows
//! each. Costs are CPU seconds of this process; on PostgreSQL those of the server's backend are added.
//!
//! Three layouts hold the same facts and must give the same sums:
//! * `day`: the product's own table, one row a day, the day before the SKU in the key, written and read by the
//!   product's statements;
//! * `sku`: the same rows with the SKU before the day in the key, on SQLite without a second copy for the key;
//! * `packed`: one blob per SKU, channel and year, derived from `day`, patched where `day` changed.

#[path = "sales/cost.rs"]
mod cost;
#[path = "sales/facts.rs"]
mod facts;
#[path = "sales/layout.rs"]
mod layout;

use cost::{Cost, Meter, peak_memory};
use facts::{Seller, Shape};
use layout::Layout;
use linkstar::store::Store;
use linkstar::store::dialect::Engine;

const ROWS_OF_A_SELLER: usize = 500_000;
/// SKUs looked up one at a time.
const LOOKUPS: usize = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rows = arguments
        .iter()
        .find_map(|argument| argument.replace(['_', ','], "").parse::<usize>().ok())
        .unwrap_or(ROWS_OF_A_SELLER);
    let postgres = arguments.iter().find(|argument| argument.starts_with("postgres"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}", folder.path().join("sales.db").display());
        measure(&url, rows).await;
        if let Some(url) = postgres {
            measure(url, rows).await;
        }
    });
}

async fn measure(url: &str, rows: usize) {
    let store = Store::open(url).await.expect("the database opens");
    layout::create(&store).await;
    let sellers: Vec<Seller> = Shape::new(rows, ROWS_OF_A_SELLER).sellers();
    let (mut written, mut changed) = (0, 0);
    let mut loads = Vec::new();
    for layout in Layout::ALL {
        let meter = Meter::start(&store).await;
        let mut rows = 0;
        for seller in &sellers {
            rows += layout.load(&store, seller).await;
        }
        loads.push(meter.stop(&store).await);
        written = written.max(rows);
    }
    let mut nights = Vec::new();
    for layout in Layout::ALL {
        let meter = Meter::start(&store).await;
        changed = 0;
        for seller in &sellers {
            changed += layout.night(&store, seller).await;
        }
        nights.push(meter.stop(&store).await);
    }
    let mut table = Vec::new();
    let mut sums = Vec::new();
    for (layout, (load, night)) in Layout::ALL.into_iter().zip(loads.into_iter().zip(nights)) {
        let meter = Meter::start(&store).await;
        let mut sum = facts::Sum::default();
        for seller in &sellers {
            sum.add(&layout.whole(&store, seller).await);
        }
        let whole = meter.stop(&store).await;

        let seller = sellers.first().expect("a seller");
        let meter = Meter::start(&store).await;
        for n in 0..LOOKUPS {
            let sku = seller.sku(n * 7 % seller.series);
            sum.add(&layout.one(&store, seller, &sku).await);
        }
        let one = meter.stop(&store).await;
        table.push((layout, load, night, whole, one, layout.bytes(&store).await));
        sums.push(sum);
    }
    assert!(
        sums.iter().all(|sum| *sum == sums[0]),
        "the layouts disagree: {sums:?}"
    );
    report(&store, &table, sellers.len(), written, changed);
    store.close().await;
}

type Line = (Layout, Cost, Cost, Cost, Cost, i64);

fn report(store: &Store, table: &[Line], sellers: usize, written: usize, changed: usize) {
    let engine = match store.engine() {
        Engine::Sqlite => "SQLite",
        Engine::Postgres => "PostgreSQL",
    };
    println!(
        "{engine}: {written} rows of {sellers} sellers; a night changes {changed} rows; one SKU is the mean of {LOOKUPS}"
    );
    println!(
        "{:8} {:>13} {:>13} {:>13} {:>13} {:>9}",
        "", "load", "night", "whole read", "one SKU", "MB"
    );
    let Some((_, load0, night0, whole0, one0, bytes0)) = table.first() else {
        return;
    };
    for (layout, load, night, whole, one, bytes) in table {
        let lookups = LOOKUPS as f64;
        println!(
            "{:8} {:11.2} s {:11.2} s {:11.2} s {:10.3} ms {:9.1}   CPU",
            layout.name(),
            load.cpu,
            night.cpu,
            whole.cpu,
            one.cpu / lookups * 1e3,
            *bytes as f64 / 1e6
        );
        println!(
            "{:8} {:11.2} s {:11.2} s {:11.2} s {:10.3} ms             wall",
            "",
            load.wall,
            night.wall,
            whole.wall,
            one.wall / lookups * 1e3
        );
        println!(
            "{:8} {:13.2} {:13.2} {:13.2} {:13.4} {:9.2}   of `day`",
            "",
            load.cpu / load0.cpu,
            night.cpu / night0.cpu,
            whole.cpu / whole0.cpu,
            one.cpu / one0.cpu,
            *bytes as f64 / *bytes0 as f64
        );
    }
    println!("peak memory {}", peak_memory());
}
