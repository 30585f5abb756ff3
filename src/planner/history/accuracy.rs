//! How good forecasts were: what a plan expected of each line over review and lead time against what was sold then.

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};
use serde::Serialize;

use crate::ids::{Sku, WarehouseCode};
use crate::planner::model::{Plan, PlanLine};

/// Service levels that are judged, and the terms they stand under.
pub const TARGETS: [(u16, &str); 3] = [(900, "demand_p90"), (950, "demand_p95"), (980, "demand_p98")];

/// What a plan said of one line: the sum over `from..until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub from: NaiveDate,
    /// The first day that is no longer of it.
    pub until: NaiveDate,
    pub expected: i64,
    pub levels: [i64; 3],
    pub class: String,
}

/// What a plan said of its lines. A line without a quantity said nothing.
#[must_use]
pub fn said(plan: &Plan) -> Vec<Said> {
    plan.lines
        .iter()
        .filter_map(|line| said_of(plan.as_of, line))
        .collect()
}

fn said_of(as_of: NaiveDate, line: &PlanLine) -> Option<Said> {
    let level = line.explain.units_of("order_up_to")?;
    let safety = line.explain.units_of("safety").unwrap_or(0);
    let days: i64 = line.explain.find("protection")?.value.parse().ok()?;
    let mut levels = [0; 3];
    for (slot, (_, key)) in levels.iter_mut().zip(TARGETS) {
        *slot = line.explain.units_of(key)?;
    }
    Some(Said {
        warehouse: line.warehouse.clone(),
        sku: line.sku.clone(),
        from: as_of,
        until: as_of.checked_add_signed(Duration::days(days))?,
        expected: level - safety,
        levels,
        class: line
            .explain
            .find("class_demand")
            .map_or_else(|| "unknown".to_owned(), |term| term.value.to_string()),
    })
}

/// Sums over lines; losses in thousandths of a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Accuracy {
    pub lines: i64,
    pub left_out: i64,
    pub sold: i64,
    pub expected: i64,
    pub error: i64,
    pub loss: [i64; 3],
    pub covered: [i64; 3],
}

impl Accuracy {
    fn add(&mut self, said: &Said, sold: i64) {
        self.lines += 1;
        self.sold += sold;
        self.expected += said.expected;
        self.error += (sold - said.expected).abs();
        for (place, (permille, _)) in TARGETS.iter().enumerate() {
            let short = sold - said.levels[place];
            let permille = i64::from(*permille);
            self.loss[place] += if short >= 0 {
                permille * short
            } else {
                (permille - 1000) * short
            };
            self.covered[place] += i64::from(short <= 0);
        }
    }

    /// Adds another's sums.
    pub fn join(&mut self, other: &Self) {
        self.lines += other.lines;
        self.left_out += other.left_out;
        self.sold += other.sold;
        self.expected += other.expected;
        self.error += other.error;
        for place in 0..TARGETS.len() {
            self.loss[place] += other.loss[place];
            self.covered[place] += other.covered[place];
        }
    }

    /// Thousandths of what was sold; nothing when nothing was.
    fn of_sold(&self, thousandths: i64) -> Option<i64> {
        (self.sold > 0).then(|| thousandths / self.sold)
    }

    /// Sum of absolute errors over units sold, in thousandths.
    #[must_use]
    pub fn wape(&self) -> Option<i64> {
        self.of_sold(self.error * 1000)
    }

    /// Sold less expected over sold, in thousandths: above zero the forecast was too low.
    #[must_use]
    pub fn bias(&self) -> Option<i64> {
        self.of_sold((self.sold - self.expected) * 1000)
    }

    /// Pinball loss over units sold, in thousandths.
    #[must_use]
    pub fn pinball(&self, place: usize) -> Option<i64> {
        self.of_sold(self.loss.get(place).copied()?)
    }

    /// Share of lines covered, in thousandths.
    #[must_use]
    pub fn coverage(&self, place: usize) -> Option<i64> {
        let covered = self.covered.get(place).copied()?;
        (self.lines > 0).then(|| covered * 1000 / self.lines)
    }
}

/// Judges what was said, by warehouse and class. `sold` answers the units of an interval; None leaves the line out:
/// what was sold on a day without stock is not what was wanted.
#[must_use]
pub fn judge(
    said: &[Said],
    sold: impl Fn(&Said) -> Option<i64>,
) -> BTreeMap<(WarehouseCode, String), Accuracy> {
    let mut judged: BTreeMap<(WarehouseCode, String), Accuracy> = BTreeMap::new();
    for line in said {
        let entry = judged
            .entry((line.warehouse.clone(), line.class.clone()))
            .or_default();
        match sold(line) {
            Some(units) => entry.add(line, units),
            None => entry.left_out += 1,
        }
    }
    judged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(expected: i64, levels: [i64; 3]) -> Said {
        Said {
            warehouse: WarehouseCode::new("main").unwrap(),
            sku: Sku::new("A").unwrap(),
            from: "2026-01-01".parse().unwrap(),
            until: "2026-02-12".parse().unwrap(),
            expected,
            levels,
            class: "smooth".to_owned(),
        }
    }

    #[test]
    fn errors_bias_and_losses_add_up() {
        let said = [
            line(100, [130, 150, 180]),
            line(50, [60, 70, 80]),
            line(9, [9, 9, 9]),
        ];
        let judged = judge(&said, |line| match line.expected {
            100 => Some(140),
            50 => Some(40),
            _ => None,
        });
        let all = judged.values().next().unwrap();
        assert_eq!(
            (all.lines, all.left_out, all.sold, all.expected, all.error),
            (2, 1, 180, 150, 50)
        );
        // .90: 10 units short cost 900 each, 20 over 100 each.
        assert_eq!(all.loss[0], 9_000 + 2_000);
        assert_eq!(all.covered, [1, 2, 2]);
        assert_eq!((all.wape(), all.bias()), (Some(277), Some(166)));
        assert_eq!((all.pinball(0), all.coverage(0)), (Some(61), Some(500)));
        assert_eq!(Accuracy::default().wape(), None);
    }
}
