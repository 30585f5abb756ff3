//! When stock runs out, from demand and arrivals together.
//!
//! The early edge of demand beside the late edge of every arrival happens once in a hundred, not once in ten. Where the
//! day of an arrival is uncertain, 65 paths pair each slice of demand with another slice of every arrival: the same pairs for every line and every day, so that only facts move a date.

use crate::planner::balance::Arrival;
use crate::planner::demand::normal_quantile;
use crate::planner::forecast::DemandView;
use crate::planner::supply::law::Z90;

/// Odd, so that the middle path is the expected one.
const PATHS: usize = 65;
/// Prime to their number: each sends the paths through all slices once.
const STRIDES: [usize; 8] = [29, 43, 19, 53, 37, 11, 59, 21];
/// Places of the tenth, the middle and the ninetieth of a hundred among the paths' days, in order.
const RANKS: [usize; 3] = [6, 32, 58];

/// Normal scores of the slices, in order.
#[derive(Debug, Clone)]
pub struct Scores([f64; PATHS]);

impl Default for Scores {
    fn default() -> Self {
        Self(std::array::from_fn(|slice| {
            normal_quantile((slice as f64 + 0.5) / PATHS as f64)
        }))
    }
}

/// Memory of a thread.
#[derive(Debug, Default)]
pub struct JointBuffers {
    arrivals: Vec<(i64, i64)>,
    coming: Vec<Coming>,
    outs: Vec<i64>,
    /// Demand of the first days: expected, beyond it at the upper edge, and the lower edge. None of them ever falls.
    middle: Vec<f64>,
    above: Vec<f64>,
    below: Vec<f64>,
}

impl JointBuffers {
    /// Takes a line's demand over the horizon.
    pub fn load(&mut self, horizon: usize, demand: &DemandView, ahead: &[f64]) {
        self.middle.clear();
        self.above.clear();
        self.below.clear();
        let (mut above, mut below) = (0.0_f64, 0.0_f64);
        let ahead = ahead.get(..=horizon).unwrap_or(ahead);
        for stretch in demand.stretches() {
            let end = stretch.until.min(ahead.len());
            let from = self.middle.len();
            for (days, ahead) in ahead[..end].iter().enumerate().skip(from) {
                let (low, high) = stretch.edges(days);
                let middle = demand.level * ahead;
                above = above.max(middle * high - middle);
                below = below.max(middle * low).min(middle);
                self.middle.push(middle);
                self.above.push(above);
                self.below.push(below);
            }
        }
    }

    fn horizon(&self) -> usize {
        self.middle.len().saturating_sub(1)
    }

    /// Demand of the first days at a normal score.
    fn wanted(&self, days: usize, score: f64) -> f64 {
        let edges = score / Z90;
        if edges >= 0.0 {
            self.middle[days] + self.above[days] * edges
        } else if edges >= -1.0 {
            self.middle[days] + (self.below[days] - self.middle[days]) * -edges
        } else {
            self.below[days] * (1.5 + 0.5 * edges).max(0.0)
        }
    }
}

impl Scores {
    /// The tenth, the middle and the ninetieth of a hundred stock-outs; None is beyond the horizon. Where no arrival is
    /// uncertain only demand decides, and its three paths are enough.
    #[must_use]
    pub fn stockouts(
        &self,
        available: i64,
        arrivals: &[Arrival],
        buffers: &mut JointBuffers,
    ) -> [Option<i64>; 3] {
        buffers.coming.clear();
        buffers.coming.extend(arrivals.iter().map(Coming::new));
        let certain = arrivals.iter().all(|arrival| arrival.late_day <= arrival.day);
        if certain {
            // More demand is an earlier day: the ranks from the other end.
            return RANKS.map(|rank| self.path(PATHS - 1 - rank, available, buffers));
        }
        let mut outs = std::mem::take(&mut buffers.outs);
        outs.clear();
        for path in 0..PATHS {
            let out = self.path(path, available, buffers);
            outs.push(out.unwrap_or(i64::MAX));
        }
        outs.sort_unstable();
        let found = RANKS.map(|rank| outs.get(rank).copied().filter(|day| *day != i64::MAX));
        buffers.outs = outs;
        found
    }

    /// The first day of one path that is not fully served.
    fn path(&self, path: usize, available: i64, buffers: &mut JointBuffers) -> Option<i64> {
        if available < 0 {
            return Some(0);
        }
        buffers.arrivals.clear();
        for (index, arrival) in buffers.coming.iter().enumerate() {
            let slice = (path * STRIDES[index % STRIDES.len()] + 7 * index + 3) % PATHS;
            buffers
                .arrivals
                .push((arrival.day_at(self.0[slice]), arrival.units));
        }
        buffers.arrivals.sort_unstable();
        let score = self.0[path];
        first_empty(available, &buffers.arrivals, buffers.horizon(), |days| {
            buffers.wanted(days, score)
        })
    }
}

/// An arrival's day: lognormal through its median and its late edge.
#[derive(Debug, Clone, Copy)]
struct Coming {
    p50: f64,
    /// Logarithm of the late edge over the median, or days between them where the median is today.
    late: f64,
    units: i64,
}

impl Coming {
    fn new(arrival: &Arrival) -> Self {
        let (p50, p90) = (arrival.day.max(0) as f64, arrival.late_day.max(0) as f64);
        let late = match p50 > 0.0 {
            true => (p90.max(p50) / p50).ln(),
            false => p90,
        };
        Self {
            p50,
            late,
            units: arrival.units,
        }
    }

    /// The day at a normal score.
    fn day_at(&self, score: f64) -> i64 {
        let edges = score / Z90;
        let days = match self.p50 > 0.0 {
            _ if self.late <= 0.0 => self.p50,
            true => self.p50 * (self.late * edges).exp(),
            false => self.late * edges.max(0.0),
        };
        days.round().min(2_000.0) as i64
    }
}

/// The first day whose demand is not fully served. Between two arrivals the units that came are a constant.
fn first_empty(
    available: i64,
    arrivals: &[(i64, i64)],
    horizon: usize,
    wanted: impl Fn(usize) -> f64,
) -> Option<i64> {
    let (mut come, mut from, mut next) = (available as f64, 0_usize, 0_usize);
    loop {
        while let Some((day, units)) = arrivals.get(next)
            && *day <= from as i64
        {
            come += *units as f64;
            next += 1;
        }
        let until = arrivals.get(next).map_or(horizon, |(day, _)| {
            usize::try_from(*day).unwrap_or(0).min(horizon)
        });
        // Days `from..until` have `come` to sell from; the first one that wants more.
        let empty = |day: usize| wanted(day + 1) > come + 1e-6 || come - wanted(day) <= 1e-6;
        if until > from && empty(until - 1) {
            let (mut low, mut high) = (from, until - 1);
            while low < high {
                let middle = usize::midpoint(low, high);
                if empty(middle) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            return i64::try_from(low).ok();
        }
        if until >= horizon {
            return None;
        }
        from = until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_empty_day_is_that_of_a_walk_day_by_day() {
        let mut seed = crate::planner::demand::Dice::new(5);
        for _ in 0..500 {
            let available = seed.below(300) as i64;
            let mut arrivals: Vec<(i64, i64)> = (0..seed.below(4))
                .map(|_| (seed.below(80) as i64, seed.below(200) as i64))
                .collect();
            arrivals.sort_unstable();
            let rate = 1.0 + seed.below(9) as f64;
            let found = first_empty(available, &arrivals, 90, |days| rate * days as f64);
            let walked = (0..90_i64).find(|day| {
                let come: i64 = arrivals
                    .iter()
                    .filter(|(on, _)| on <= day)
                    .map(|(_, units)| units)
                    .sum();
                let come = (available + come) as f64;
                let gone = rate * *day as f64;
                gone + rate > come + 1e-6 || come - gone <= 1e-6
            });
            assert_eq!(found, walked, "{available} {arrivals:?} {rate}");
        }
    }

    #[test]
    fn both_edges_at_once_are_rarer_than_one_in_ten() {
        let arrival = Arrival {
            day: 30,
            late_day: 40,
            units: 500,
        };
        let coming = Coming::new(&arrival);
        assert_eq!((coming.day_at(0.0), coming.day_at(Z90)), (30, 40));
    }
}
