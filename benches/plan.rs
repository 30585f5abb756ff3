//! Plans many SKU-warehouses of a year of daily sales, and says what that costs against reading the same bytes.
//!
//! All figures are CPU time over all threads. `cargo bench --bench plan -- [lines]`; 100,000 lines when nothing is given.
//! `cargo bench --bench plan -- backtest sales.csv` measures the quality instead, on rows `sku,date,qty`;
//! `export FILE [lines]` writes the demand for `benches/plan/peers.sh`, which compares with polars, duckdb and statsforecast;
//! `stored [lines]` plans from a database, figures only, in parts;
//! `quality sales.csv [cap]` and `weekly weekly.csv` its distribution over fixed intervals;
//! `cargo bench --bench plan -- loop sales.csv [targets] [policies]` the closed loop (targets such as `900,950`).

#[path = "plan/backtest.rs"]
mod backtest;
#[path = "plan/closed.rs"]
mod closed;
#[path = "plan/export.rs"]
mod export;
#[path = "plan/quality.rs"]
mod quality;
#[path = "plan/shop.rs"]
mod shop;
#[path = "plan/stored.rs"]
mod stored;

use std::hint::black_box;

use chrono::{Days, NaiveDate};
use linkstar::digest::sha256_hex;
use linkstar::ids::{Sku, WarehouseCode};
use linkstar::order::Mode;
use linkstar::planner::brief::teacher_step;
use linkstar::planner::{
    Briefing, DailySales, DataState, InboundShipment, ItemSeries, LaneOption, Observation, Policy, Snapshot,
    Stage, StageTimes, WarehouseFacts, plan,
};
use rayon::prelude::*;

const DAYS: usize = 365;
const WAREHOUSES: usize = 4;

/// CPU seconds of all threads: what other programs do meanwhile does not count, as it would by the clock on the wall.
fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = cpu_nanoseconds();
    let value = work();
    ((cpu_nanoseconds() - start) / 1e9, value)
}

/// The scheduler's own account, thread by thread: the ticks of `/proc/self/stat` are too coarse for the shortest work.
fn cpu_nanoseconds() -> f64 {
    std::fs::read_dir("/proc/self/task")
        .expect("Linux")
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok())
        .filter_map(|account| account.split_whitespace().next()?.parse::<f64>().ok())
        .sum()
}

/// Most memory this process had at once.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or("?").trim().to_owned()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(place) = arguments.iter().position(|argument| argument == "backtest") {
        backtest::run(arguments.get(place + 1).map_or("", String::as_str));
        return;
    }
    let after = |word: &str| {
        let place = arguments.iter().position(|argument| argument == word)?;
        arguments.get(place + 1)
    };
    if let Some(place) = arguments.iter().position(|argument| argument == "export") {
        let lines = arguments.get(place + 2).and_then(|lines| lines.parse().ok());
        export::run(
            arguments.get(place + 1).map_or("", String::as_str),
            lines.unwrap_or(100_000),
        );
        return;
    }
    if let Some(lines) = after("stored") {
        stored::run(lines.parse().unwrap_or(100_000));
        return;
    }
    if let Some(url) = after("stored-in") {
        stored::measure(url);
        return;
    }
    if let Some(path) = after("quality") {
        quality::daily(path, arguments.iter().any(|argument| argument == "cap"));
        return;
    }
    if let Some(path) = after("weekly") {
        quality::weekly(path);
        return;
    }
    if let Some(place) = arguments.iter().position(|argument| argument == "loop") {
        let rest: Vec<&String> = arguments[place + 1..]
            .iter()
            .filter(|argument| !argument.starts_with("--"))
            .collect();
        let list = |place: usize, otherwise: &str| -> Vec<String> {
            let text = rest.get(place).map_or(otherwise, |text| text.as_str());
            text.split(',').map(str::to_owned).collect()
        };
        let targets: Vec<u16> = list(1, "900,950,980")
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect();
        let rules = list(2, "min-max,seller-velocity,linkstar-uncalibrated,linkstar");
        closed::run_loop(rest.first().map_or("", |path| path.as_str()), &targets, &rules);
        return;
    }
    let lines = arguments
        .iter()
        .find_map(|argument| argument.parse::<usize>().ok())
        .unwrap_or(100_000);
    let as_of: NaiveDate = "2026-11-22".parse().unwrap_or_default();
    let facts = snapshot(as_of, lines);
    let bytes = lines * DAYS * 4;

    let flat: Vec<u32> = facts
        .series
        .iter()
        .flat_map(|item| item.sales.units.iter().map(|units| units.unwrap_or(0)))
        .collect();
    let best_of_five = |work: &dyn Fn() -> u64| {
        (0..5)
            .map(|_| seconds(|| black_box(work())).0)
            .fold(f64::INFINITY, f64::min)
    };
    let read = best_of_five(&|| flat.par_iter().map(|units| u64::from(*units)).sum());
    drop(flat);

    let name = seconds(|| {
        let digests: Vec<String> = facts
            .series
            .par_iter()
            .map(|item| serde_json::to_vec(item).map_or_else(|_| String::new(), |bytes| sha256_hex(&bytes)))
            .collect();
        black_box(digests.len())
    })
    .0;
    let run = |policy: &Policy| {
        let (time, plan) = seconds(|| plan(&facts, policy, None));
        (time, plan.funnel, plan.lines.len())
    };
    let (whole, funnel, planned) = run(&Policy::default());
    let (figures, counted) = seconds(|| {
        let policy = Policy::default();
        // The items are too many to teach in one go: as many of each warehouse as a whole plan would take.
        let step = teacher_step(lines / WAREHOUSES);
        let teachers: Vec<ItemSeries> = (0..WAREHOUSES)
            .flat_map(|place| {
                facts
                    .series
                    .iter()
                    .skip(place)
                    .step_by(WAREHOUSES * step)
                    .cloned()
            })
            .collect();
        let mut briefing = Briefing::new(&facts, &teachers, &policy).expect("nothing couples the lines");
        black_box(briefing.plan(&facts.series));
        briefing.funnel()
    });
    assert_eq!(counted, funnel, "figures alone are the plan's");
    let threads = rayon::current_num_threads();
    let per_line = whole / lines as f64 * 1e6;
    let peak = peak();

    println!("{planned} lines x {DAYS} days, {threads} threads, funnel {funnel:?}");
    println!("whole plan              {whole:8.3} CPU s  {per_line:7.1} us a line; peak memory {peak}");
    println!(
        "  figures               {figures:8.3} s   {:5.1} %   {:.1} us a line",
        100.0 * figures / whole,
        figures / lines as f64 * 1e6
    );
    println!(
        "  naming (JSON + SHA)   {name:8.3} s   {:5.1} %",
        100.0 * name / whole
    );
    println!(
        "  words and trees       {:8.3} s   {:5.1} %",
        whole - figures - name,
        100.0 * (whole - figures - name) / whole
    );
    println!(
        "summing the same {:.0} MB  {read:8.4} s   {:.1} GB/s",
        bytes as f64 / 1e6,
        bytes as f64 / read / 1e9
    );
    println!("plan / sum of its bytes {:8.0}", whole / read);

    let mut one = facts.clone();
    one.series.truncate(1);
    one.warehouses
        .retain(|facts| facts.warehouse == one.series[0].warehouse);
    let policy = Policy::default();
    const AGAIN: u32 = 2_000;
    let (single, ()) = seconds(|| {
        for _ in 0..AGAIN {
            black_box(plan(&one, &policy, None).lines.len());
        }
    });
    let single = single / f64::from(AGAIN);
    println!("one line planned again  {:8.0} us", single * 1e6);
}

/// A shop's demand: most items sell on few days, some on most; no two alike, always the same.
fn snapshot(as_of: NaiveDate, lines: usize) -> Snapshot {
    let code = |n: usize| {
        WarehouseCode::new(format!("goodcang:W{n}")).unwrap_or_else(|error| unreachable!("{error}"))
    };
    let series: Vec<ItemSeries> = (0..lines)
        .into_par_iter()
        .map(|n| item(as_of, code(n % WAREHOUSES), n))
        .collect();
    let observed = (0..30_u64)
        .map(|n| Observation {
            from: as_of - Days::new(300),
            to: as_of - Days::new(300) + Days::new(25 + (n * 7) % 23),
        })
        .collect();
    let lane = LaneOption {
        mode: Mode::Sea,
        forwarder: None,
        service: String::new(),
        priority: 1,
        stages: vec![StageTimes {
            stage: Stage::Transit,
            p50: Some(35),
            p90: Some(45),
            observed,
        }],
    };
    Snapshot {
        as_of,
        sources: Vec::new(),
        warehouses: (0..WAREHOUSES)
            .map(|n| WarehouseFacts {
                warehouse: code(n),
                lanes: vec![lane.clone()],
                putaway: None,
            })
            .collect(),
        series,
        demand: linkstar::planner::DemandFacts::default(),
        supply: linkstar::planner::SupplyFacts::default(),
    }
}

fn item(as_of: NaiveDate, warehouse: WarehouseCode, n: usize) -> ItemSeries {
    let mut state = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let busy = next() % 90 + 4;
    let size = next() % 12 + 1;
    let units = (0..DAYS)
        .map(|_| {
            let sold = next() % 100 < busy;
            Some(if sold {
                u32::try_from(next() % size + 1).unwrap_or(1)
            } else {
                0
            })
        })
        .collect();
    let stock = i64::try_from(next() % 400).unwrap_or(0);
    ItemSeries {
        warehouse,
        sku: Sku::new(format!("SKU-{n:06}")).unwrap_or_else(|error| unreachable!("{error}")),
        name_zh: String::new(),
        name_en: String::new(),
        active: true,
        sales: DailySales {
            first_day: as_of - Days::new(DAYS as u64),
            units,
            in_stock: Vec::new(),
        },
        sales_state: DataState::Complete,
        available: Some(stock),
        pending_putaway: Some(0),
        stock_state: DataState::Complete,
        inbound: vec![InboundShipment {
            reference: "SO-1".to_owned(),
            units: stock / 2,
            shipped_on: Some(as_of - Days::new(20)),
            mode: Some(Mode::Sea),
            eta: None,
            known: true,
        }],
        production: None,
        carton_units: Some(24),
        moq: None,
        unit_cost: None,
        service_permille: None,
    }
}
