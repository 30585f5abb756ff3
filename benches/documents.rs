//! Bench `documents`: one shipment of 50 cartons, every built-in mapping that is for it, then the export and the import
//! pack. Each shipment in a process of its own, so that reading mappings, schemas and fonts counts; the limit is CPU time.

use std::process::Command;

use chrono::NaiveDate;
use linkstar::mapping::definition::{Mapping, builtin, builtin_file};
use linkstar::mapping::model::DocumentContext;
use linkstar::order::model::StockingOrder;
use linkstar::order::{Container, Pallet, PartyRole};
use linkstar::pack::{PackKind, Request, Tariff, assemble};

const CARTONS: usize = 50;
const CARTONS_A_PALLET: usize = 10;
const LIMIT_MS: f64 = 1_000.0;
const RUNS: usize = 5;
/// A sample order, and what of it differs from a plain one.
const SHIPMENTS: [(&str, &str); 2] = [
    ("samples/usual.json", "to a GB warehouse"),
    ("samples/long.json", "to Amazon in the US"),
];

fn main() {
    match std::env::var("LINKSTAR_BENCH_JOB") {
        Ok(sample) => shipment(&sample),
        Err(_) => compare(),
    }
}

/// Milliseconds this thread has run, as Linux counts them.
fn ran_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split_whitespace().next().unwrap_or_default();
    first.parse::<f64>().unwrap_or_default() / 1e6
}

/// The sample with exactly so many cartons: the first ones, or its own again; lines are what lies in them.
fn order(sample: &str) -> StockingOrder {
    let bytes = builtin_file(sample).expect("a sample");
    let mut order: StockingOrder = serde_json::from_slice(&bytes).expect("an order");
    let own = std::mem::take(&mut order.cartons);
    for (no, carton) in (1_u32..).zip(own.iter().cycle().take(CARTONS)) {
        let mut carton = carton.clone();
        carton.no = no;
        carton.mark = format!("{}U{no:06}", order.number);
        carton.sscc = sscc(no);
        order.cartons.push(carton);
    }
    for line in &mut order.lines {
        let contents = order.cartons.iter().flat_map(|carton| &carton.contents);
        line.units = contents
            .filter(|content| content.line == line.no)
            .map(|content| content.units)
            .sum();
    }
    order.lines.retain(|line| line.units > 0);
    declare(&mut order);
    let pallets = order.cartons.chunks(CARTONS_A_PALLET);
    order.pallets = (1_u32..)
        .zip(pallets)
        .map(|(no, cartons)| Pallet {
            no,
            sscc: sscc(1_000 + no),
            cartons: cartons.iter().map(|carton| carton.no).collect(),
            dims: linkstar::quantity::Dims {
                length_mm: 1_200,
                width_mm: 800,
                height_mm: 1_600,
            },
            gross_g: cartons.iter().map(|carton| carton.gross_g).sum::<i64>() + 20_000,
        })
        .collect();
    order
}

/// What only the declarations of the authorities ask for.
fn declare(order: &mut StockingOrder) {
    let shipper = &mut order.shipper;
    for text in [&mut shipper.local_id, &mut shipper.contact] {
        if text.is_empty() {
            *text = "4403161234".to_owned();
        }
    }
    for role in [PartyRole::Declarant, PartyRole::Consolidator] {
        order.parties.insert(role, order.shipper.clone());
    }
    order.export.dxp_id = "DXPENT0000000001".to_owned();
    order.export.typist_card = "8930000012345".to_owned();
}

/// A licence plate below an example prefix, with its check digit.
fn sscc(serial: u32) -> String {
    let body = format!("10614141{serial:09}");
    let sum: u32 = (0_usize..)
        .zip(body.chars())
        .map(|(place, digit)| digit.to_digit(10).unwrap_or_default() * if place % 2 == 0 { 3 } else { 1 })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

fn shipment(sample: &str) {
    let mut at = ran_ms();
    let mut step = |what: &str, bytes: usize| {
        let now = ran_ms();
        println!("{:.1}\t{bytes}\t{what}", now - at);
        at = now;
    };
    let mappings = builtin().unwrap_or_else(|problems| stop(&format!("{problems:#?}")));
    step("mappings read", 0);
    let order = order(sample);
    let issued = NaiveDate::from_ymd_opt(2026, 11, 23).expect("a date");
    let mut context = DocumentContext::new(issued, format!("{}-1", order.number));
    context.transport.containers.push(Container {
        number: "CSQU3054383".to_owned(),
        size_type: "45G1".to_owned(),
        seal: "S1".to_owned(),
    });
    context.transport.house_bill = "HB26110001".to_owned();
    context.transport.vessel = "EVER GIVEN".to_owned();
    context.transport.voyage = "0123W".to_owned();
    context.transport.departs_at = "2026-12-20T18:00:00+08:00".parse().ok();
    step("order read", 0);
    let fitting: Vec<&Mapping> = mappings.iter().filter(|one| one.is_for(&order)).collect();
    for mapping in fitting {
        match mapping.write(&order, &context) {
            Ok(written) => step(&mapping.meta.id, written.bytes.len()),
            Err(problems) => stop(&format!("{}: {problems:#?}", mapping.meta.id)),
        }
    }
    for (kind, name) in [
        (PackKind::Export, "export pack"),
        (PackKind::Import, "import pack"),
    ] {
        let pack = assemble(&Request {
            kind,
            order: &order,
            context: &context,
            mappings: &mappings,
            papers: &[],
            findings: &[],
            tariff: &Tariff::default(),
            power_of_attorney: "POA-7",
            inspection: "",
        });
        match pack.write() {
            Ok(bytes) => step(name, bytes.len()),
            Err(error) => stop(&format!("{name}: {error}")),
        }
    }
}

fn compare() {
    let program = std::env::current_exe().expect("this program");
    let mut over = false;
    for (sample, what) in SHIPMENTS {
        let run = || {
            let output = Command::new(&program)
                .env("LINKSTAR_BENCH_JOB", sample)
                .output()
                .expect("runs");
            if !output.status.success() {
                stop(&String::from_utf8_lossy(&output.stderr));
            }
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let total: f64 = steps(&text).map(|(ms, _, _)| ms).sum();
            (total, text)
        };
        let runs: Vec<(f64, String)> = (0..RUNS).map(|_| run()).collect();
        let best = runs.iter().min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((total, text)) = best else { continue };
        println!("{CARTONS} cartons {what}, best of {RUNS}");
        for (ms, bytes, name) in steps(text) {
            println!("  {name:<32} {ms:7.1} ms {:9.1} kB", bytes / 1e3);
        }
        println!("  {:<32} {total:7.1} ms (limit {LIMIT_MS})", "all");
        over |= *total > LIMIT_MS;
    }
    if over {
        stop("over the limit");
    }
}

/// Milliseconds, bytes and name of each line of a run.
fn steps(text: &str) -> impl Iterator<Item = (f64, f64, &str)> {
    text.lines().filter_map(|line| {
        let mut parts = line.split('\t');
        let ms = parts.next()?.parse().ok()?;
        let bytes = parts.next()?.parse().ok()?;
        Some((ms, bytes, parts.next()?))
    })
}

fn stop(reason: &str) -> ! {
    eprintln!("{reason}");
    std::process::exit(1)
}
