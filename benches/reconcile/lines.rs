//! Two files: what was shipped, and what was received of it, some of it wrong.

use std::io::{BufWriter, Write};
use std::path::Path;

pub const AS_OF: i32 = 739_900;
pub const WAREHOUSES: u64 = 20;
/// Lines of one shipment.
const LINES: u64 = 20;
const SKUS: u64 = 200_000;

/// splitmix64 of a number: the same everywhere, and no state.
pub fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One shipped line, made from its number alone.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    pub shipment: u64,
    pub warehouse: u64,
    pub carton: u64,
    pub sku: u64,
    pub units: i64,
    pub eta_p90: i32,
    pub closed: bool,
    /// What goes wrong with it.
    fault: u64,
    /// Nothing is closed, and something is missing: late or still open.
    is_open: bool,
}

pub fn line(number: u64) -> Line {
    let (shipment, place) = (number / LINES, number % LINES);
    let chance = mixed(shipment);
    let is_open = chance.is_multiple_of(100);
    // Each SKU once in a shipment; what is missing and what is too many are never the same SKUs, so that nothing
    // pools and every engine must come to the same counts.
    let fault = mixed(number ^ 0x5eed) % 1000;
    let base = mixed(shipment ^ 0xabc) % (SKUS / 2 - LINES) + place;
    let sku = base * 2 + u64::from((20..30).contains(&fault) || (40..48).contains(&fault));
    Line {
        shipment,
        warehouse: chance % WAREHOUSES,
        carton: number,
        sku,
        units: 12 + (mixed(number) % 30) as i64,
        eta_p90: if is_open && chance.is_multiple_of(200) {
            AS_OF + 9
        } else {
            AS_OF - 1
        },
        closed: !is_open && chance.is_multiple_of(3),
        fault,
        is_open,
    }
}

/// Writes both files and says how many receipt lines there are.
pub fn write(folder: &Path, lines: u64) -> std::io::Result<u64> {
    let mut shipped = BufWriter::with_capacity(1 << 20, std::fs::File::create(folder.join("shipped.csv"))?);
    writeln!(shipped, "shipment,warehouse,carton,sku,units,eta_p90,closed")?;
    let mut receipts = BufWriter::with_capacity(1 << 20, std::fs::File::create(folder.join("receipts.csv"))?);
    writeln!(receipts, "event,warehouse,shipment,carton,sku,kind,units,day")?;
    let mut events = 0;
    for number in 0..lines {
        let one = line(number);
        writeln!(
            shipped,
            "SO{:08},W{:02},U{:09},S{:06},{},{},{}",
            one.shipment,
            one.warehouse,
            one.carton,
            one.sku,
            one.units,
            one.eta_p90,
            u8::from(one.closed)
        )?;
    }
    // Receipts come in another order than what was shipped.
    let mut at = 0;
    let step = (7_368_787 % lines.max(2)) | 1;
    for _ in 0..lines {
        at = (at + step) % lines;
        let one = line(at);
        let day = if one.is_open {
            AS_OF - 1
        } else {
            AS_OF - 20 - (at % 40) as i32
        };
        let mut tell = |carton: u64, sku: u64, kind: &str, units: i64, times: u8| {
            events += 1;
            let mut written = Ok(());
            for _ in 0..times {
                written = writeln!(
                    receipts,
                    "E{events:09},W{:02},SO{:08},U{carton:09},S{sku:06},{kind},{units},{day}",
                    one.warehouse, one.shipment
                );
            }
            written
        };
        let (carton, sku, units) = (one.carton, one.sku, one.units);
        match one.fault {
            // Missing, short, and the carton counted again are kept apart by their units from what is too many.
            0..10 => {}
            10..20 => tell(carton, sku, "received", units - 1 - (at % 5) as i64, 1)?,
            20..30 => tell(carton, sku, "received", units + 7, 1)?,
            30..40 => {
                tell(carton, sku, "received", units, 1)?;
                tell(carton, sku, "damaged", 3, 1)?;
            }
            40..45 => {
                tell(carton, sku, "received", units, 1)?;
                tell(carton, 900_000 + at % 1000, "received", 100 + (at % 50) as i64, 1)?;
            }
            45..48 => {
                tell(carton, sku, "received", units, 1)?;
                tell(999_000_000 - at, sku, "received", 60, 1)?;
            }
            48..53 => {
                tell(carton, sku, "received", units, 1)?;
                tell(carton, sku, "received", units, 1)?;
            }
            53..63 => tell(carton, sku, "received", units, 2)?,
            _ => tell(carton, sku, "received", units, 1)?,
        }
    }
    shipped.flush()?;
    receipts.flush()?;
    Ok(events)
}
