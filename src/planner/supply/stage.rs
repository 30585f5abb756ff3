//! One stage of a way: the days it takes, from what was seen or from the table, and when it stands still.

use chrono::{Datelike as _, NaiveDate};

use super::calendar::Clock;
use super::facts::CustomsExam;
use super::law::{Law, Place, Source, Z90};
use crate::order::Mode;
use crate::planner::demand::normal_quantile;
use crate::planner::lead::World;
use crate::planner::snapshot::{Stage, StageTimes};

/// No way takes longer; a longer one is a wrong date.
pub const MOST_DAYS: i64 = 400;
pub const FAR: f64 = MOST_DAYS as f64;
/// Earlier dates are the zero of some clock, not a shipment.
const FIRST_YEAR: i32 = 2000;

/// Days of all usable passages, sorted, and how many were left out: negative, from before 2000, longer than any way, or
/// far beyond all others. Days on which the stage stood still are no days of work.
#[must_use]
pub fn clean_days(times: &StageTimes, clock: Option<(&Clock, NaiveDate)>) -> (Vec<f64>, usize) {
    let mut sorted: Vec<f64> = times
        .observed
        .iter()
        .filter_map(|seen| {
            let days = (seen.to - seen.from).num_days();
            if seen.from.year() < FIRST_YEAR || !(0..=MOST_DAYS).contains(&days) {
                return None;
            }
            Some(match clock {
                Some((clock, as_of)) if !clock.never_stops() => {
                    clock.worked((seen.from - as_of).num_days(), (seen.to - as_of).num_days())
                }
                _ => days,
            } as f64)
        })
        .collect();
    sorted.sort_by(f64::total_cmp);
    leave_out_far_ones(&mut sorted);
    let dropped = times.observed.len() - sorted.len();
    (sorted, dropped)
}

/// One stage's days.
#[derive(Debug, Clone, PartialEq)]
pub struct StageDays {
    pub stage: Stage,
    pub source: Source,
    /// Observations used.
    pub used: usize,
    /// Observations left out.
    pub dropped: usize,
    pub p50: i64,
    pub p90: i64,
    /// Thousandths of shipments that take this stage at all.
    pub share_permille: u16,
    law: Option<Law>,
    pub clock: Clock,
}

impl StageDays {
    /// None when there is neither enough history nor a table value.
    #[must_use]
    pub fn learn(times: &StageTimes, mode: Mode, world: &World<'_>, min_observations: i64) -> Option<Self> {
        let clock = world
            .calendars
            .clock(times.stage, world.warehouse, Some(mode), world.as_of);
        let (sorted, dropped) = clean_days(times, Some((&clock, world.as_of)));
        let used = sorted.len();
        let place = Place {
            mode,
            stage: times.stage,
            warehouse: world.warehouse,
            country: world.country,
        };
        // A single number is what somebody promised: no spread is invented.
        let table = times.p50.map(|p50| {
            let p50 = p50.clamp(0, MOST_DAYS);
            (p50, times.p90.unwrap_or(p50).clamp(p50, MOST_DAYS))
        });
        let known = table.map(|(p50, p90)| (p50 as f64, p90 as f64));
        let law = Law::learn(sorted, known, world.pools, &place, min_observations);
        let mut days = Self {
            stage: times.stage,
            source: law.as_ref().map_or(Source::Table, |law| law.source),
            used,
            dropped,
            p50: 0,
            p90: 0,
            share_permille: 1000,
            law,
            clock: clock.near(),
        };
        (days.p50, days.p90) = match &days.law {
            Some(law) => (law.day(0.5), law.day(0.9)),
            None => table?,
        };
        Some(days)
    }

    /// The share of shipments that customs open, and what that takes.
    #[must_use]
    pub fn exam(exam: &CustomsExam, clock: Clock) -> Self {
        let p50 = exam.days_p50.clamp(0, MOST_DAYS);
        Self {
            stage: Stage::CustomsExam,
            source: Source::Table,
            used: 0,
            dropped: 0,
            p50,
            p90: exam.days_p90.clamp(p50, MOST_DAYS),
            share_permille: exam.share_permille.min(1000),
            law: None,
            clock,
        }
    }

    #[must_use]
    pub fn is_learned(&self) -> bool {
        self.source != Source::Table
    }

    /// The days at a probability: by the law learned, or the table's two values as a lognormal.
    #[must_use]
    pub fn at(&self, p: f64) -> f64 {
        if let Some(law) = &self.law {
            return law.at(p);
        }
        let share = f64::from(self.share_permille) / 1000.0;
        if p < 1.0 - share || share <= 0.0 {
            return 0.0;
        }
        let p = (p - (1.0 - share)) / share;
        let (p50, p90) = (self.p50 as f64, self.p90 as f64);
        if self.p90 <= self.p50 {
            return p50;
        }
        let z = normal_quantile(p);
        if self.p50 > 0 {
            (p50 * ((p90 / p50).ln() * z / Z90).exp()).min(FAR)
        } else {
            p90 * (z / Z90).max(0.0)
        }
    }
}

/// Days above three times the median, and more than a month above it, are a wrong date or a shipment that was lost:
/// one such in thirty would otherwise stand for one order in thirty, and double what is ordered.
fn leave_out_far_ones(sorted: &mut Vec<f64>) {
    const LEAST: usize = 5;
    if sorted.len() < LEAST {
        return;
    }
    let median = sorted[sorted.len() / 2];
    let most = (3.0 * median).max(median + 30.0);
    sorted.truncate(sorted.partition_point(|days| *days <= most));
}
