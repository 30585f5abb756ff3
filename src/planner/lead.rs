//! Lead times as distributions: learned from what was seen, or from the fallback table, said which.

use chrono::{Datelike as _, NaiveDate};

use super::demand::{Dice, normal_quantile};
use super::snapshot::{LaneOption, Policy, Stage, StageTimes};
use crate::ids::ForwarderId;
use crate::order::Mode;

/// No way takes longer; a longer one is a wrong date.
const MOST_DAYS: i64 = 400;
/// Earlier dates are the zero of some clock, not a shipment.
const FIRST_YEAR: i32 = 2000;

/// One stage's days.
#[derive(Debug, Clone, PartialEq)]
pub struct StageDays {
    pub stage: Stage,
    pub learned: bool,
    /// Observations used.
    pub used: usize,
    /// Observations left out: negative, from before 2000, longer than any way, or far beyond all others.
    pub dropped: usize,
    pub p50: i64,
    pub p90: i64,
    /// Sorted observations, empty for the table.
    sorted: Vec<f64>,
}

impl StageDays {
    /// None when there is neither enough history nor a table value.
    #[must_use]
    pub fn learn(times: &StageTimes, min_observations: i64) -> Option<Self> {
        let days: Vec<Option<i64>> = times
            .observed
            .iter()
            .map(|seen| {
                let days = (seen.to - seen.from).num_days();
                (seen.from.year() >= FIRST_YEAR && (0..=MOST_DAYS).contains(&days)).then_some(days)
            })
            .collect();
        let mut sorted: Vec<f64> = days.iter().flatten().map(|days| *days as f64).collect();
        sorted.sort_by(f64::total_cmp);
        leave_out_far_ones(&mut sorted);
        let used = sorted.len();
        let dropped = days.len() - used;
        let enough = used > 0 && used as i64 >= min_observations;
        if !enough {
            let p50 = times.p50?.clamp(0, MOST_DAYS);
            return Some(Self {
                stage: times.stage,
                learned: false,
                used,
                dropped,
                p50,
                // A single number is what somebody promised: no spread is invented.
                p90: times.p90.unwrap_or(p50).clamp(p50, MOST_DAYS),
                sorted: Vec::new(),
            });
        }
        let mut learned = Self {
            stage: times.stage,
            learned: true,
            used,
            dropped,
            p50: 0,
            p90: 0,
            sorted,
        };
        learned.p50 = learned.at(0.5).round() as i64;
        learned.p90 = learned.at(0.9).round() as i64;
        Some(learned)
    }

    /// The days at a probability: between observations linear, the table's two values as a lognormal.
    fn at(&self, p: f64) -> f64 {
        if self.learned {
            let last = self.sorted.len() - 1;
            let place = (p * (self.sorted.len() + 1) as f64 - 1.0).clamp(0.0, last as f64);
            let below = place.floor() as usize;
            let above = (below + 1).min(last);
            return self.sorted[below] + (self.sorted[above] - self.sorted[below]) * (place - below as f64);
        }
        let (p50, p90) = (self.p50 as f64, self.p90 as f64);
        if self.p90 <= self.p50 {
            return p50;
        }
        const Z90: f64 = 1.281_551_565_544_600_4;
        let z = normal_quantile(p);
        if self.p50 > 0 {
            (p50 * ((p90 / p50).ln() * z / Z90).exp()).min(MOST_DAYS as f64)
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

/// A lane's days, ready to be sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct LaneDays {
    pub mode: Mode,
    pub forwarder: Option<ForwarderId>,
    pub stages: Vec<StageDays>,
    /// Order to sellable, one value per path, sorted.
    pub total: Vec<u16>,
    /// Hand-over to sellable, sorted.
    pub after_hand_over: Vec<u16>,
}

impl LaneDays {
    /// None when a stage is unknown: a lead time with a hole is not a lead time.
    #[must_use]
    pub fn learn(
        lane: &LaneOption,
        production: Option<&StageTimes>,
        putaway: Option<&StageTimes>,
        policy: &Policy,
        paths: usize,
    ) -> Option<Self> {
        let own = |stage: Stage| lane.stages.iter().any(|times| times.stage == stage);
        let mut wanted: Vec<&StageTimes> = lane
            .stages
            .iter()
            .filter(|times| !(production.is_some() && times.stage == Stage::Production))
            .collect();
        wanted.extend(production);
        wanted.extend(putaway.filter(|_| !own(Stage::Putaway)));
        wanted.sort_by_key(|times| times.stage);
        if wanted.is_empty() {
            return None;
        }
        let stages: Vec<StageDays> = wanted
            .into_iter()
            .map(|times| StageDays::learn(times, policy.min_observations))
            .collect::<Option<_>>()?;
        let mut dice = Dice::new(policy.seed ^ 0x1EAD_71E5);
        let mut draw = |after: bool| -> Vec<u16> {
            let mut sums = vec![0.0; paths];
            for days in stages
                .iter()
                .filter(|days| !after || !days.stage.is_before_hand_over())
            {
                // Every stage gets each slice of its distribution once, in an order of its own.
                let mut order: Vec<usize> = (0..paths).collect();
                for index in (1..paths).rev() {
                    order.swap(index, dice.below(index + 1));
                }
                for (sum, slice) in sums.iter_mut().zip(order) {
                    *sum += days.at((slice as f64 + 0.5) / paths as f64);
                }
            }
            let mut days: Vec<u16> = sums
                .into_iter()
                .map(|sum| sum.round().clamp(0.0, MOST_DAYS as f64) as u16)
                .collect();
            days.sort_unstable();
            days
        };
        let total = draw(false);
        let after_hand_over = draw(true);
        Some(Self {
            mode: lane.mode,
            forwarder: lane.forwarder.clone(),
            stages,
            total,
            after_hand_over,
        })
    }

    /// Order to sellable at a probability in thousandths.
    #[must_use]
    pub fn total_at(&self, permille: u16) -> i64 {
        at(&self.total, permille)
    }

    /// Hand-over to sellable at a probability in thousandths.
    #[must_use]
    pub fn after_hand_over_at(&self, permille: u16) -> i64 {
        at(&self.after_hand_over, permille)
    }

    /// Whether the table gives more than a quarter of the way: a fixed putaway beside a learned passage is no news.
    #[must_use]
    pub fn is_fallback(&self) -> bool {
        let days = |learned: bool| -> i64 {
            let of = self.stages.iter().filter(|days| days.learned == learned);
            of.map(|days| days.p50).sum()
        };
        days(false) * 3 > days(true) || self.stages.iter().all(|days| !days.learned)
    }

    #[must_use]
    pub fn dropped(&self) -> usize {
        self.stages.iter().map(|days| days.dropped).sum()
    }

    /// Days still to go for goods under way for `elapsed` days: (median, p90, whether they are overdue).
    #[must_use]
    pub fn remaining(&self, elapsed: i64) -> (i64, i64, bool) {
        let later = self
            .after_hand_over
            .partition_point(|days| i64::from(*days) <= elapsed);
        let left = &self.after_hand_over[later..];
        if left.is_empty() {
            // Older than anything seen: the lane's own spread again, and at least some days.
            let spread =
                (self.after_hand_over_at(900) - self.after_hand_over_at(500)).max(LEAST_OVERDUE_DAYS);
            return (spread, spread * 2, true);
        }
        let (p50, p90) = (at(left, 500), at(left, 900));
        let overdue = elapsed > self.after_hand_over_at(900);
        ((p50 - elapsed).max(0), (p90 - elapsed).max(0), overdue)
    }
}

/// An overdue shipment is never predicted for today.
pub const LEAST_OVERDUE_DAYS: i64 = 3;

/// An overdue shipment that nothing else is known of: it may take as long again as it is late, within reason.
#[must_use]
pub fn overdue_without_lane(eta: NaiveDate, as_of: NaiveDate) -> i64 {
    (as_of - eta).num_days().clamp(LEAST_OVERDUE_DAYS, 30)
}

fn at(sorted: &[u16], permille: u16) -> i64 {
    if sorted.is_empty() {
        return 0;
    }
    let rank = (sorted.len() * usize::from(permille))
        .div_ceil(1000)
        .clamp(1, sorted.len())
        - 1;
    i64::from(sorted[rank])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::snapshot::Observation;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn times(stage: Stage, p50: i64, p90: i64, seen: &[i64]) -> StageTimes {
        let from = day("2026-01-01");
        StageTimes {
            stage,
            p50: Some(p50),
            p90: Some(p90),
            observed: seen
                .iter()
                .map(|days| Observation {
                    from,
                    to: from + chrono::Duration::days(*days),
                })
                .collect(),
        }
    }

    fn lane(stages: Vec<StageTimes>) -> LaneDays {
        let lane = LaneOption {
            mode: Mode::Sea,
            forwarder: None,
            service: String::new(),
            priority: 1,
            stages,
        };
        LaneDays::learn(&lane, None, None, &Policy::default(), 1000).unwrap()
    }

    #[test]
    fn one_shipment_of_ten_months_among_thirty_is_left_out_and_counted() {
        let mut seen: Vec<i64> = (0..30).map(|n| 30 + n % 9).collect();
        let clean = lane(vec![times(Stage::Transit, 35, 45, &seen)]);
        seen.push(299);
        let far = lane(vec![times(Stage::Transit, 35, 45, &seen)]);
        assert_eq!((far.total_at(990), far.dropped()), (clean.total_at(990), 1));
        // A wide way is not a wrong one, nor a putaway that takes a month once.
        let wide = lane(vec![times(Stage::Transit, 35, 45, &[20, 30, 40, 60, 90])]);
        assert_eq!(wide.dropped(), 0);
        let putaway = lane(vec![times(Stage::Putaway, 2, 4, &[1, 2, 2, 3, 30])]);
        assert_eq!(putaway.dropped(), 0);
    }

    #[test]
    fn the_table_keeps_its_own_percentiles_and_stages_add_up() {
        let lane = lane(vec![
            times(Stage::Production, 20, 20, &[]),
            times(Stage::Transit, 35, 45, &[]),
        ]);
        assert_eq!((lane.total_at(500), lane.total_at(900)), (55, 65));
        assert_eq!(lane.after_hand_over_at(900), 45);
        assert!(lane.is_fallback());
    }

    #[test]
    fn independent_stages_are_less_spread_than_the_sum_of_their_p90() {
        let lane = lane(vec![
            times(Stage::Sail, 20, 30, &[]),
            times(Stage::Clearance, 10, 20, &[]),
        ]);
        assert!(lane.total_at(900) < 50 && lane.total_at(900) > 40);
    }

    #[test]
    fn goods_under_way_are_conditioned_on_their_age() {
        let lane = lane(vec![times(Stage::Transit, 0, 0, &[30, 32, 34, 36, 60])]);
        assert!(!lane.is_fallback());
        let (fresh, _, _) = lane.remaining(0);
        let (aged, _, overdue) = lane.remaining(33);
        assert_eq!((fresh, overdue), (34, false));
        // Past 33 days the short passages are no longer possible.
        assert!(aged > 1 && aged < 28, "{aged}");
        let (lost, later, overdue) = lane.remaining(200);
        assert!(lost >= LEAST_OVERDUE_DAYS && later > lost && overdue);
    }

    #[test]
    fn an_unknown_stage_makes_the_lane_unknown() {
        let mut hole = times(Stage::Transit, 1, 1, &[20, 21]);
        (hole.p50, hole.p90) = (None, None);
        let lane = LaneOption {
            mode: Mode::Sea,
            forwarder: None,
            service: String::new(),
            priority: 1,
            stages: vec![hole],
        };
        assert!(LaneDays::learn(&lane, None, None, &Policy::default(), 100).is_none());
    }
}
