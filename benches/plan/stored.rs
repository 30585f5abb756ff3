//! A plan of very many lines from the database, figures only: time by phase, and the memory of one part.
//!
//! `cargo bench --bench plan -- stored [lines]`. One process stores the inputs as the product does, another reads and plans
//! them, so that the memory shown is the reader's alone.

use std::process::Command;
use std::time::Instant;

use chrono::{DateTime, NaiveDate, Utc};
use linkstar::ids::AccountId;
use linkstar::night::whatif::compare;
use linkstar::planner::{Funnel, ItemSeries, Plan, Policy, plan};
use linkstar::store::plans::{self, Inputs};
use linkstar::store::{Store, Tx};
use rayon::prelude::*;

use super::{DAYS, seconds, snapshot};

fn account() -> AccountId {
    AccountId::new("main").expect("an account")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

/// Stores the inputs of so many lines, then measures in a process of its own.
pub fn run(lines: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("plan.db").display());
    let (cpu, ()) = seconds(|| runtime().block_on(store(&url, lines)));
    println!("stored {lines} lines x {DAYS} days in {cpu:.1} CPU s");
    let own = std::env::current_exe().expect("this program");
    let status = Command::new(own)
        .args(["stored-in", &url])
        .status()
        .expect("started");
    assert!(status.success(), "the measurement failed: {status}");
}

async fn store(url: &str, lines: usize) {
    let as_of: NaiveDate = "2026-11-22".parse().unwrap_or_default();
    let facts = snapshot(as_of, lines);
    let policy = Policy::default();
    // The plan beside its inputs is not what is measured: its head is enough.
    let none = linkstar::planner::Snapshot {
        series: Vec::new(),
        ..facts.clone()
    };
    let head = Plan {
        funnel: Funnel::default(),
        ..plan(&none, &policy, None)
    };
    let now: DateTime<Utc> = "2026-11-22T02:30:00Z".parse().expect("an instant");
    let store = Store::open(url).await.expect("a store");
    let mut tx = store.write().await.expect("a transaction");
    plans::save(&mut tx, &account(), &head, &facts, &policy, &Vec::new(), now)
        .await
        .expect("saved");
    tx.commit().await.expect("committed");
    store.close().await;
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
pub fn measure(url: &str) {
    let runtime = runtime();
    runtime.block_on(async {
        let store = Store::open(url).await.expect("a store");
        let mut tx = store.read().await.expect("a transaction");
        let head = plans::latest_head(&mut tx, &account())
            .await
            .expect("readable")
            .expect("a plan");
        let start = Instant::now();
        let before = super::cpu_nanoseconds();
        let told = compare(&mut tx, &account(), &head, &[], 0, &|_, _| {})
            .await
            .expect("planned");
        let (cpu, wall) = (
            (super::cpu_nanoseconds() - before) / 1e9,
            start.elapsed().as_secs_f64(),
        );
        let lines = told.items as f64;
        println!("{} lines, funnel {:?}", told.items, told.funnel_before);
        println!(
            "plan from the database  {cpu:8.2} CPU s  {wall:6.2} s  {:5.1} us a line; peak memory {}",
            cpu / lines * 1e6,
            super::peak()
        );
        phases(&mut tx, &head, cpu / lines).await;
        drop(tx);
        store.close().await;
    });
}

/// Parts that are looked at phase by phase.
const LOOKED_AT: usize = 100;

async fn phases(tx: &mut Tx, head: &plans::PlanHead, whole: f64) {
    let inputs = Inputs::of(tx, &account(), head).await.expect("inputs");
    let some = &inputs.parts[..inputs.parts.len().min(LOOKED_AT)];
    let lines: usize = some.iter().map(|part| part.items).sum();
    let before = super::cpu_nanoseconds();
    let mut packed = Vec::new();
    for part in some {
        packed.push(plans::read_part(tx, &account(), part).await.expect("a part"));
    }
    let read = (super::cpu_nanoseconds() - before) / 1e9;
    let (open, items) = seconds(|| -> Vec<ItemSeries> {
        let open = |part: plans::Part| part.open().expect("whole");
        packed.into_par_iter().flat_map_iter(open).collect()
    });
    let (table, rows) = seconds(|| linkstar::planner::brief::velocity_table(&items, inputs.head.as_of));
    let (sum, _) = seconds(|| {
        let units = |item: &ItemSeries| item.sales.units.iter().flatten().map(u64::from).sum::<u64>();
        std::hint::black_box(items.par_iter().map(units).sum::<u64>())
    });
    let a_line = |seconds: f64| seconds / lines as f64 * 1e6;
    let share = |seconds: f64| 100.0 * seconds / lines as f64 / whole;
    println!(
        "  read the bytes        {:6.2} us a line  {:5.1} %",
        a_line(read),
        share(read)
    );
    println!(
        "  unpack, check, parse  {:6.2} us a line  {:5.1} %",
        a_line(open),
        share(open)
    );
    let plan = whole - (read + open) / lines as f64;
    println!(
        "  plan                  {:6.2} us a line  {:5.1} %",
        plan * 1e6,
        100.0 * plan / whole
    );
    println!(
        "sum of the same days    {:6.2} us a line: {:.1} GB/s; the whole is {:.0} times that",
        a_line(sum),
        (lines * DAYS * size_of::<u32>()) as f64 / sum / 1e9,
        whole * lines as f64 / sum
    );
    println!(
        "velocity table, 6 windows, of {} lines: {:.1} CPU ms for 100,000",
        rows.len(),
        table / rows.len() as f64 * 1e8
    );
}
