//! The demand of the bench for others to read: one unsigned 16-bit number a day, oldest first, line after line.

use std::io::{BufWriter, Write as _};

use linkstar::planner::brief::velocity_table;

use super::{DAYS, seconds, snapshot};

pub fn run(path: &str, lines: usize) {
    let as_of = "2026-11-22".parse().unwrap_or_default();
    let facts = snapshot(as_of, lines);
    let mut file = BufWriter::new(std::fs::File::create(path).expect("a file"));
    for item in &facts.series {
        for units in item.sales.units.iter().flatten() {
            let units = u16::try_from(units).expect("few units a day");
            file.write_all(&units.to_le_bytes()).expect("written");
        }
    }
    file.flush().expect("written");
    // The first call pays for the threads.
    let _ = velocity_table(&facts.series[..lines.min(1000)], as_of);
    let (cpu, table) = seconds(|| velocity_table(&facts.series, as_of));
    let sums: Vec<String> = (0..6)
        .map(|window| {
            let sum: f64 = table.iter().filter_map(|row| row[window]).sum();
            format!("{sum:.3}")
        })
        .collect();
    println!(
        "{:22} {cpu:8.3} CPU s {:21} {:7.2} us a line  [{}]  ({} MB in memory)",
        "velocity_table",
        "",
        cpu / lines as f64 * 1e6,
        sums.join(", "),
        lines * DAYS * 4 / 1_000_000
    );
}
