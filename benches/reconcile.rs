//! Shipped lines against receipt lines, from two files to differences by kind, on two threads; beside duckdb and polars
//! in the same run where `LINKSTAR_BENCH_PYTHON` names a Python that has them (`benches/reconcile/peers.sh`).
//!
//!     cargo bench --bench reconcile -- 10000000

#[path = "reconcile/lines.rs"]
mod lines;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;

use linkstar::ids::WarehouseCode;
use linkstar::ledger::ReceiptKind;
use linkstar::reconcile::Rules;
use linkstar::reconcile::book::{Book, Known, Packed, Sent, Told};
use linkstar::telemetry::Stopwatch;

type Found = BTreeMap<String, (u64, i64)>;

const THREADS: u64 = 2;
const NEW_LINES: u64 = 1_000;
const GOAL_MS: f64 = 50.0;

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let first = words.next();
    if first.as_deref() == Some("ours") {
        let folder = words.next().expect("a folder");
        let count = words.next().and_then(|word| word.parse().ok()).expect("a count");
        return ours(Path::new(&folder), count);
    }
    let count: u64 = first.and_then(|word| word.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir().expect("a folder");
    let events = lines::write(folder.path(), count).expect("both files");
    println!("{count} shipped lines, {events} receipts beside those told twice");
    let own = std::env::current_exe().expect("this program");
    let here = folder.path().to_str().expect("a path");
    let ours = said(Command::new(own).args(["ours", here, &count.to_string()]));
    show("linkstar", &ours, None);
    if let Some(python) = std::env::var_os("LINKSTAR_BENCH_PYTHON") {
        for peer in ["duckdb", "polars"] {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/reconcile/peer.py");
            let as_of = lines::AS_OF.to_string();
            let theirs = said(Command::new(&python).args([script, peer, here, &as_of]));
            show(peer, &theirs, Some(&ours));
            assert_eq!(theirs["found"], ours["found"], "{peer} finds the same");
        }
    }
    println!("found {}", ours["found"]);
    let [worst, cpu] = ["batch_ms", "batch_cpu_ms"].map(|name| ours[name].as_f64().expect("a figure"));
    println!(
        "a batch of {NEW_LINES} new lines into the kept books: {worst:.1} ms at worst of five, goal {GOAL_MS} ms; \
         {cpu:.1} ms of it on a core"
    );
}

fn said(command: &mut Command) -> serde_json::Value {
    let output = command.output().expect("it starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("text");
    serde_json::from_str(text.lines().last().expect("a line")).expect("JSON")
}

fn show(who: &str, said: &serde_json::Value, ours: Option<&serde_json::Value>) {
    let figure = |name: &str| said[name].as_f64().expect("a figure");
    let ratio = |name: &str| ours.map_or(1.0, |ours| figure(name) / ours[name].as_f64().expect("a figure"));
    println!(
        "{who:9} {:7.2} s ({:.2})   {:7.2} CPU s ({:.2})   {:6.0} MiB ({:.2})",
        figure("wall"),
        ratio("wall"),
        figure("cpu"),
        ratio("cpu"),
        figure("mib"),
        ratio("mib")
    );
}

/// Reads both files, judges, takes five batches more, and prints what it cost.
fn ours(folder: &Path, count: u64) {
    let watch = Stopwatch::start();
    let mut shards: Vec<BTreeMap<u64, Book>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|shard| scope.spawn(move || read(folder, shard, count)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a shard"))
            .collect()
    });
    let (wall, cpu) = (watch.elapsed().as_secs_f64(), cpu_seconds());
    let mut found = Found::new();
    for ((kind, determined), (lines, units)) in shards.iter().flatten().flat_map(|(_, book)| book.tally()) {
        assert!(determined, "{kind:?}");
        let sum = found.entry(kind.code().to_owned()).or_default();
        *sum = (sum.0 + lines, sum.1 + units);
    }
    let bytes: usize = shards.iter().flatten().map(|(_, book)| book.bytes()).sum();
    let (mib, mut worst) = (peak_mib(), (0_f64, 0_f64));
    for round in 0..5 {
        let (wall, cpu) = batch(&mut shards, count, round);
        worst = (worst.0.max(wall), worst.1.max(cpu));
    }
    let found: BTreeMap<_, _> = found
        .into_iter()
        .map(|(kind, sums)| (kind, [sums.0 as i64, sums.1]))
        .collect();
    let figures = serde_json::json!({
        "wall": wall, "cpu": cpu, "mib": mib, "books_mib": bytes as f64 / 1_048_576.0,
        "batch_ms": worst.0, "batch_cpu_ms": worst.1, "found": found,
    });
    println!("{figures}");
}

/// The books of every second warehouse.
fn read(folder: &Path, shard: u64, count: u64) -> BTreeMap<u64, Book> {
    let rules = Rules::default().book(&WarehouseCode::new("goodcang:UKMA").expect("a code"));
    let mut books: BTreeMap<u64, Book> = BTreeMap::new();
    let share = (count / lines::WAREHOUSES) as usize;
    let mut rows: Vec<(String, String, i64)> = Vec::new();
    let mut head: Option<(String, u64, i32, bool)> = None;
    let mut ship = |head: &(String, u64, i32, bool), rows: &mut Vec<(String, String, i64)>| {
        let book = books.entry(head.1).or_insert_with(|| {
            let mut book = Book::new(rules);
            book.reserve(share + share / 20, share + share / 20, 11);
            book
        });
        let packed: Vec<Packed<'_>> = rows
            .iter()
            .map(|(carton, sku, units)| Packed {
                carton: Some(carton),
                sku,
                units: *units,
            })
            .collect();
        book.ship(&Sent {
            order: &head.0,
            inbounds: &[],
            eta_p90: head.2,
            rows: &packed,
        });
        if head.3 {
            book.close(
                &head.0,
                Some((i64::from(lines::AS_OF - 1) * 86_400_000, lines::AS_OF - 1)),
            );
        }
        rows.clear();
    };
    each_row(&folder.join("shipped.csv"), shard, 1, |row| {
        if head.as_ref().is_none_or(|head| head.0 != row[0]) {
            if let Some(head) = &head {
                ship(head, &mut rows);
            }
            head = Some((
                row[0].to_owned(),
                number(row[1]),
                whole(row[5]) as i32,
                row[6] == "1",
            ));
        }
        rows.push((row[2].to_owned(), row[3].to_owned(), whole(row[4])));
    });
    if let Some(head) = &head {
        ship(head, &mut rows);
    }
    each_row(&folder.join("receipts.csv"), shard, 1, |row| {
        if let Some(book) = books.get_mut(&number(row[1])) {
            let on = whole(row[7]) as i32;
            book.take(&Told {
                origin: "api",
                key: row[0],
                reference: row[2],
                carton: Some(row[3]),
                sku: row[4],
                known: Known::Code,
                kind: match row[5] {
                    "damaged" => ReceiptKind::Damaged,
                    _ => ReceiptKind::Received,
                },
                units: whole(row[6]),
                at: i64::from(on) * 86_400_000,
                on,
                lot: None,
                value: None,
            });
        }
    });
    for book in books.values_mut() {
        book.judge(lines::AS_OF);
    }
    books
}

/// Rows of the shard's warehouses, split at their commas.
fn each_row(path: &Path, shard: u64, warehouse: usize, mut take: impl FnMut(&[&str; 8])) {
    let mut reader = BufReader::with_capacity(1 << 20, std::fs::File::open(path).expect("a file"));
    let mut text = String::new();
    reader.read_line(&mut text).expect("a head");
    loop {
        text.clear();
        if reader.read_line(&mut text).expect("a row") == 0 {
            return;
        }
        let mut row = [""; 8];
        for (place, cell) in text.trim_end().splitn(8, ',').enumerate() {
            row[place] = cell;
        }
        if number(row[warehouse]) % THREADS == shard {
            take(&row);
        }
    }
}

fn number(warehouse: &str) -> u64 {
    warehouse
        .get(1..)
        .and_then(|digits| digits.parse().ok())
        .expect("a warehouse")
}

fn whole(text: &str) -> i64 {
    text.parse().expect("a whole number")
}

/// A line with the texts a report has of it: key, order, carton, SKU.
type New = (lines::Line, String, String, String, String);

/// Puts the shard's new lines into its books and brings every difference up to date. Says how many shipments were judged,
/// and the milliseconds this thread was on a core for it: on a busy machine the clock on the wall counts the others too.
fn take(shard: u64, books: &mut BTreeMap<u64, Book>, new: &[New]) -> (usize, f64) {
    let before = thread_cpu_ms();
    for (one, key, order, carton, sku) in new.iter().filter(|(one, ..)| one.warehouse % THREADS == shard) {
        let book = books.get_mut(&one.warehouse).expect("its book");
        book.take(&Told {
            origin: "api",
            key,
            reference: order,
            carton: Some(carton),
            sku,
            known: Known::Code,
            kind: ReceiptKind::Received,
            units: 1,
            at: i64::from(lines::AS_OF) * 86_400_000,
            on: lines::AS_OF,
            lot: None,
            value: None,
        });
    }
    let judged = books.values_mut().map(|book| book.judge(lines::AS_OF)).sum();
    (judged, thread_cpu_ms() - before)
}

/// Milliseconds that new lines all over the books take until every difference is up to date: by the clock, and on the core
/// of the thread that needed more.
fn batch(shards: &mut [BTreeMap<u64, Book>], count: u64, round: u64) -> (f64, f64) {
    let new: Vec<New> = (0..NEW_LINES)
        .map(|at| {
            let one = lines::line(lines::mixed(round << 32 | at) % count);
            (
                one,
                format!("N{round}-{at}"),
                format!("SO{:08}", one.shipment),
                format!("U{:09}", one.carton),
                format!("S{:06}", one.sku),
            )
        })
        .collect();
    let new = &new;
    let watch = Stopwatch::start();
    let (judged, cpu) = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .zip(shards)
            .map(|(shard, books)| scope.spawn(move || take(shard, books, new)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a shard"))
            .fold((0, 0_f64), |sum, one| (sum.0 + one.0, sum.1.max(one.1)))
    });
    let took = watch.elapsed().as_secs_f64() * 1000.0;
    assert!(judged as u64 > NEW_LINES / 2, "{judged}");
    (took, cpu)
}

/// What the scheduler says this thread has had of a core: nanoseconds, the first figure of the file.
fn thread_cpu_ms() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.expect("nanoseconds") / 1e6
}

/// User and system time of this process: the first two counts behind the name in `/proc/self/stat`, of a hundredth each.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let behind = stat.rsplit_once(") ").expect("a name").1;
    let ticks = behind
        .split(' ')
        .skip(11)
        .take(2)
        .map(|field| field.parse::<f64>().expect("ticks"));
    ticks.sum::<f64>() / 100.0
}

fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("a peak");
    line.trim()
        .trim_end_matches(" kB")
        .trim()
        .parse::<f64>()
        .expect("kB")
        / 1024.0
}
