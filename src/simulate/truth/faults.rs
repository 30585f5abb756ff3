//! What goes wrong with a shipment: decided once, written into its counts and noted line by line.

use chrono::{DateTime, Duration, Utc};

use super::draw::Draw;
use super::shipment::{Count, Fault, Injected, Shipment, working};

/// Probabilities of the receipt faults per line, times a factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaultRates {
    pub factor: f64,
}

impl FaultRates {
    fn p(self, base: f64) -> f64 {
        (base * self.factor).min(0.9)
    }
}

/// Takes up to `wanted` good units of a line out of its counts, last carton first; gives what was taken.
fn take(counts: &mut [Count], line: usize, wanted: i64) -> (i64, usize) {
    let (mut left, mut carton) = (wanted, 0);
    for count in counts.iter_mut().rev().filter(|count| count.line == line) {
        let taken = count.good.min(left);
        if taken > 0 {
            carton = count.carton;
        }
        count.good -= taken;
        left -= taken;
        if left == 0 {
            break;
        }
    }
    (wanted - left, carton)
}

pub fn inject(seed: u64, rates: FaultRates, shipment: &mut Shipment, multiples: &[i64]) {
    let mut draw = Draw::new(seed, &["faults", &shipment.order]);
    let closes_at = shipment.closes_at;
    lose_carton(rates, shipment, &mut draw);
    for line in 0..shipment.lines.len() {
        let pack = multiples.get(line).copied().unwrap_or(1).max(1);
        let Some(announced) = shipment.lines.get(line).map(|line| line.announced) else {
            continue;
        };
        // Always the same number of draws per line, so that one fault does not move another.
        let (short, over, hurt, pair, miscount) = (
            draw.chance(rates.p(0.06)),
            draw.chance(rates.p(0.015)),
            draw.chance(rates.p(0.01)),
            draw.chance(rates.p(0.004)),
            draw.chance(rates.p(0.01)),
        );
        let (rate, found, wait) = (draw.beta(1.2, 18.0), draw.chance(0.40), draw.between(2, 28));
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a share of one line's units"
        )]
        let share = |rate: f64| (((announced as f64) * rate / (pack as f64)).round() as i64).max(1) * pack;
        if short {
            let (units, carton) = take(&mut shipment.counts, line, share(rate));
            let fault = if found { Fault::LateFound } else { Fault::Short };
            note(shipment, line, fault, units);
            if found {
                let at = working(closes_at + Duration::days(wait));
                push(
                    shipment,
                    at,
                    Duration::hours(5),
                    carton,
                    line,
                    (units, 0, 0),
                    true,
                );
            }
        }
        if over {
            let units = share(0.02);
            if let Some(count) = shipment
                .counts
                .iter_mut()
                .rev()
                .find(|count| count.line == line && count.good > 0 && !count.found_late)
            {
                count.good += units;
                if let Some(line) = shipment.lines.get_mut(line) {
                    line.loaded += units;
                    line.moving += units;
                }
                note(shipment, line, Fault::Over, units);
            }
        }
        if hurt {
            let wanted = share(0.03);
            if let Some(count) = shipment
                .counts
                .iter_mut()
                .find(|count| count.line == line && count.good >= wanted && !count.found_late)
            {
                count.good -= wanted;
                count.damaged += wanted;
                note(shipment, line, Fault::Damaged, wanted);
            }
        }
        if pair {
            swap_sku(shipment, line, multiples);
        }
        if miscount {
            let units = share(0.02);
            let found = shipment
                .counts
                .iter_mut()
                .find(|count| count.line == line && !count.found_late);
            if let Some(count) = found {
                count.phantom += units;
                let carton = count.carton;
                let at = working(closes_at + Duration::hours(30));
                push(
                    shipment,
                    at,
                    Duration::hours(1),
                    carton,
                    line,
                    (0, 0, -units),
                    false,
                );
                note(shipment, line, Fault::Miscount, units);
            }
        }
    }
}

fn lose_carton(rates: FaultRates, shipment: &mut Shipment, draw: &mut Draw) {
    for carton in 0..shipment.cartons.len() {
        if !draw.chance(rates.p(0.003)) {
            continue;
        }
        let mut lost: Vec<(usize, i64)> = Vec::new();
        for count in shipment.counts.iter_mut().filter(|count| count.carton == carton) {
            lost.push((count.line, count.good));
            count.good = 0;
        }
        for (line, units) in lost {
            note(shipment, line, Fault::CartonLost, units);
        }
    }
}

/// A few units of the next line's SKU lie in this line's carton instead of its own.
fn swap_sku(shipment: &mut Shipment, line: usize, multiples: &[i64]) {
    let other = (line + 1) % shipment.lines.len().max(1);
    let single = |line: usize| multiples.get(line).is_none_or(|multiple| *multiple == 1);
    let same = |shipment: &Shipment| {
        let good = |line: usize| shipment.lines.get(line).map(|line| line.good);
        good(line) == good(other)
    };
    if same(shipment) || !single(line) || !single(other) {
        return;
    }
    let Some(count) = shipment
        .counts
        .iter_mut()
        .find(|count| count.line == line && count.good > 4 && !count.found_late)
    else {
        return;
    };
    let units = 4;
    count.good -= units;
    let (at, shelved_at, carton) = (count.at, count.shelved_at, count.carton);
    for (index, change) in [(line, -units), (other, units)] {
        if let Some(line) = shipment.lines.get_mut(index) {
            line.loaded += change;
            line.moving += change;
        }
        note(shipment, index, Fault::WrongSku, change);
    }
    push(shipment, at, shelved_at - at, carton, other, (units, 0, 0), false);
}

fn push(
    shipment: &mut Shipment,
    at: DateTime<Utc>,
    shelving: Duration,
    carton: usize,
    line: usize,
    (good, damaged, phantom): (i64, i64, i64),
    found_late: bool,
) {
    let shelved_at = at + shelving;
    shipment.counts.push(Count {
        at,
        shelved_at,
        carton,
        line,
        good,
        damaged,
        phantom,
        found_late,
    });
}

fn note(shipment: &mut Shipment, line: usize, fault: Fault, units: i64) {
    if units == 0 {
        return;
    }
    if let Some(line) = shipment.lines.get_mut(line) {
        line.injected.push(Injected { fault, units });
    }
}
