//! What the policies and models of the planner cost: `cargo bench --bench policies`.
//!
//! Each line is the fastest of twenty batches. The limits are promises of the project and end the program with an
//! error when broken; the ratio is to one pass over the distribution or series itself, measured in the same run.
//!
//! `cargo bench --bench policies -- score weekly.csv` judges the models on rows `sku,week,qty` instead.

#[path = "policies/score.rs"]
mod score;

use std::hint::black_box;
use std::process::ExitCode;

use linkstar::planner::inventory::{
    Demand, Echelon, SerialDemand, newsvendor, order_up_to, serial_base_stock,
};
use linkstar::planner::models::tournament::{Contest, FAST, run};

/// Microseconds of one run, by the fastest of twenty batches: on a shared machine the one least disturbed.
#[expect(clippy::disallowed_methods, reason = "a bench measures the clock on the wall")]
fn fastest<T>(runs: u32, work: impl Fn() -> T) -> f64 {
    (0..20)
        .map(|_| {
            let start = std::time::Instant::now();
            for _ in 0..runs {
                black_box(work());
            }
            start.elapsed().as_secs_f64() * 1e6 / f64::from(runs)
        })
        .fold(f64::INFINITY, f64::min)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(place) = arguments.iter().position(|argument| argument == "score") {
        return score::run(arguments.get(place + 1).map_or("", String::as_str));
    }
    let poisson = Demand::Poisson { mean: 50.0 };
    let terms = fastest(100, || poisson.pmf_until(1e-17));
    let points = SerialDemand::Points(vec![(0, 0.5), (10_000, 0.5)]);
    let stage = [Echelon {
        holding: 1.0,
        lead: 1.0,
    }];
    let chain = [Echelon {
        holding: 1.0,
        lead: 1.0,
    }; 3];
    let year: Vec<f64> = (0..365u32)
        .map(|day| f64::from(day * 7919 % 11 * u32::from(day % 3 == 0)))
        .collect();
    let contest = Contest {
        interval: 42,
        target: 0.95,
        warm_up: 180,
        stride: 14,
        best: 3,
    };
    let lines = [
        ("terms of a Poisson of 50", terms, None),
        (
            "newsvendor, Poisson 50",
            fastest(100, || newsvendor(1.0, 9.0, &poisson)),
            None,
        ),
        (
            "(s, S) exact, Poisson 50, K 64, h 1, p 9",
            fastest(20, || order_up_to((1.0, 9.0, 64.0), &poisson)),
            Some(1_000.0),
        ),
        (
            "serial system, nothing or 10,000 units",
            fastest(20, || serial_base_stock(&stage, 2.0, &points)),
            Some(10_000.0),
        ),
        (
            "serial system, three stages, normal",
            fastest(1, || {
                serial_base_stock(&chain, 20.0, &SerialDemand::Normal { mean: 5.0, sd: 1.0 })
            }),
            None,
        ),
        (
            "tournament of 12 models, a year of days, 11 origins",
            fastest(1, || run(&year, &FAST, &contest)),
            None,
        ),
    ];
    let mut kept = true;
    println!("{:<54} {:>12} {:>12} {:>10}", "", "µs", "× terms", "limit µs");
    for (name, took, limit) in lines {
        let limit_text = limit.map_or(String::new(), |limit: f64| format!("{limit:.0}"));
        println!("{name:<54} {took:>12.2} {:>12.1} {limit_text:>10}", took / terms);
        if limit.is_some_and(|limit| took > limit) {
            println!("  broken: {name}");
            kept = false;
        }
    }
    if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
