//! Lead times as distributions: learned from what was seen, or from the fallback table, said which.

use chrono::NaiveDate;

use super::demand::{Dice, LeadSlices};
use super::snapshot::{LaneOption, Policy, Stage, StageTimes};
use super::supply::calendar::{Calendars, MissingYear};
use super::supply::facts::CustomsExam;
use super::supply::law::Pools;
use super::supply::stage::{FAR, StageDays};
use crate::ids::{ForwarderId, WarehouseCode};
use crate::order::Mode;

/// What a lane is learned among: other lanes, calendars, customs.
pub struct World<'a> {
    pub as_of: NaiveDate,
    pub review_days: i64,
    pub warehouse: &'a WarehouseCode,
    pub country: &'a str,
    pub pools: &'a Pools,
    pub calendars: &'a Calendars,
    pub exams: &'a [CustomsExam],
}

/// A lane's days, ready to be sampled.
#[derive(Debug, Clone, PartialEq)]
pub struct LaneDays {
    pub mode: Mode,
    pub forwarder: Option<ForwarderId>,
    pub stages: Vec<StageDays>,
    /// Ordered today to sellable, one value per path, sorted.
    pub total: Vec<u16>,
    /// Ordered at the next review to sellable, sorted; empty where no calendar makes a difference.
    next: Vec<u16>,
    /// The same in slices.
    pub slices: LeadSlices,
    /// Hand-over to sellable, days of work only, sorted.
    pub after_hand_over: Vec<u16>,
    /// Order to sellable, days of work only, sorted; empty when that is `total`.
    work: Vec<u16>,
    /// The first year a calendar of this lane lacks.
    pub missing: Option<MissingYear>,
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
        world: &World<'_>,
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
        let mut stages: Vec<StageDays> = wanted
            .into_iter()
            .map(|times| StageDays::learn(times, lane.mode, world, policy.min_observations))
            .collect::<Option<_>>()?;
        let exam = world.exams.iter().find(|exam| {
            exam.warehouse.as_ref().is_none_or(|code| code == world.warehouse)
                && exam.mode.is_none_or(|mode| mode == lane.mode)
                && exam.share_permille > 0
        });
        // Where clearance is learned by itself, or the passage as a whole, the exams are in what was seen.
        let seen = |days: &StageDays| {
            days.is_learned() && matches!(days.stage, Stage::Clearance | Stage::Transit | Stage::CustomsExam)
        };
        if let Some(exam) = exam.filter(|_| !stages.iter().any(seen)) {
            let clock =
                world
                    .calendars
                    .clock(Stage::Clearance, world.warehouse, Some(lane.mode), world.as_of);
            stages.push(StageDays::exam(exam, clock.near()));
            stages.sort_by_key(|days| days.stage);
        }
        Some(Self::sample(lane, stages, policy, paths, world))
    }

    fn sample(
        lane: &LaneOption,
        stages: Vec<StageDays>,
        policy: &Policy,
        paths: usize,
        world: &World<'_>,
    ) -> Self {
        let review = world.review_days.clamp(0, 365);
        let stops = stages
            .iter()
            .any(|days| days.clock.stops_within(0, LONGEST_AHEAD));
        let alone = stages.len() == 1;
        let mut dice = Dice::new(policy.seed ^ 0x1EAD_71E5);
        let sorted = |sums: Vec<f64>, less: f64| -> Vec<u16> {
            let mut days: Vec<u16> = sums
                .into_iter()
                .map(|sum| (sum - less).round().clamp(0.0, 2.0 * FAR) as u16)
                .collect();
            days.sort_unstable();
            days
        };
        // Each slice of a stage's distribution, in order.
        let slices: Vec<Vec<f64>> = stages
            .iter()
            .map(|days| {
                let slice = |slice: usize| days.at((slice as f64 + 0.5) / paths as f64);
                (0..paths).map(slice).collect()
            })
            .collect();
        // Work in days; and the same by the calendar, begun today and begun at the next review.
        let mut draw = |after: bool, stops: bool| -> [Vec<f64>; 3] {
            let mut sums = vec![0.0; paths];
            let (mut today, mut next) = match stops {
                true => (vec![0.0; paths], vec![review as f64; paths]),
                false => (Vec::new(), Vec::new()),
            };
            for (days, slices) in stages
                .iter()
                .zip(&slices)
                .filter(|(days, _)| !after || !days.stage.is_before_hand_over())
            {
                // Every stage gets each slice of its distribution once, in an order of its own.
                let mut order: Vec<usize> = (0..paths).collect();
                // Of a single stage the order is nothing.
                for index in (1..if alone { 1 } else { paths }).rev() {
                    order.swap(index, dice.below(index + 1));
                }
                for (path, slice) in order.into_iter().enumerate() {
                    let took = slices[slice];
                    sums[path] += took;
                    if stops {
                        today[path] = days.clock.advance(today[path], took);
                        next[path] = days.clock.advance(next[path], took);
                    }
                }
            }
            sums.iter_mut().for_each(|sum| *sum = sum.min(FAR));
            [sums, today, next]
        };
        let [work, today, next] = draw(false, stops);
        let [after, ..] = draw(true, false);
        let work = sorted(work, 0.0);
        let after_hand_over = sorted(after, 0.0);
        let (total, next, work) = if stops {
            (sorted(today, 0.0), sorted(next, review as f64), work)
        } else {
            (work, Vec::new(), Vec::new())
        };
        let mut lane = Self {
            mode: lane.mode,
            forwarder: lane.forwarder.clone(),
            stages,
            slices: LeadSlices::new(if next.is_empty() { &total } else { &next }),
            next: if next == total { Vec::new() } else { next },
            total,
            after_hand_over,
            work,
            missing: None,
        };
        lane.missing = lane.find_missing(world.as_of, review);
        lane
    }

    /// The first year that a stage may fall into and its calendar lacks: ordered today, or at the next review.
    fn find_missing(&self, as_of: NaiveDate, review: i64) -> Option<MissingYear> {
        let (mut from, mut late) = (0.0, review as f64);
        for days in &self.stages {
            let end = days.clock.advance(late, days.at(0.9));
            let missing = days.clock.missing(as_of, from as i64, end.ceil() as i64);
            if missing.is_some() {
                return missing;
            }
            from += days.at(0.1);
            late = end;
        }
        None
    }

    /// Order to sellable at a probability in thousandths, ordered today.
    #[must_use]
    pub fn total_at(&self, permille: u16) -> i64 {
        at(&self.total, permille)
    }

    /// Ordered at the next review to sellable, sorted.
    #[must_use]
    fn until_next(&self) -> &[u16] {
        if self.next.is_empty() {
            &self.total
        } else {
            &self.next
        }
    }

    #[must_use]
    pub fn until_next_at(&self, permille: u16) -> i64 {
        at(self.until_next(), permille)
    }

    /// Hand-over to sellable at a probability in thousandths, days of work.
    #[must_use]
    pub fn after_hand_over_at(&self, permille: u16) -> i64 {
        at(&self.after_hand_over, permille)
    }

    /// Days that calendars add to an order of today, at the median.
    #[must_use]
    pub fn calendar_days(&self) -> i64 {
        match self.work.is_empty() {
            true => 0,
            false => self.total_at(500) - at(&self.work, 500),
        }
    }

    /// The last day to order what must be sellable on `day`.
    #[must_use]
    pub fn latest_order(&self, day: i64, permille: u16) -> i64 {
        let work = if self.work.is_empty() {
            &self.total
        } else {
            &self.work
        };
        self.back_from(day, at(work, permille), permille, |_| true)
    }

    /// The last day to hand over what must be sellable on `day`.
    #[must_use]
    pub fn latest_hand_over(&self, day: i64, permille: u16) -> i64 {
        let work = self.after_hand_over_at(permille);
        self.back_from(day, work, permille, |stage| !stage.is_before_hand_over())
    }

    /// Stages share the lane's late days as they would alone, and each waits by its own calendar.
    fn back_from(&self, day: i64, work: i64, permille: u16, counts: impl Fn(Stage) -> bool) -> i64 {
        let stages = || self.stages.iter().filter(|days| counts(days.stage));
        if stages().all(|days| days.clock.never_stops()) {
            return day - work;
        }
        let p = f64::from(permille) / 1000.0;
        let alone: f64 = stages().map(|days| days.at(p)).sum();
        let share = if alone > 0.0 { work as f64 / alone } else { 0.0 };
        let mut at = day as f64;
        for days in stages().rev() {
            at = days.clock.retreat(at, days.at(p) * share);
        }
        (at + 1e-6).floor() as i64
    }

    /// Whether the table gives more than a quarter of the way: a fixed putaway beside a learned passage is no news.
    #[must_use]
    pub fn is_fallback(&self) -> bool {
        let days = |learned: bool| -> i64 {
            let of = self.stages.iter().filter(|days| days.is_learned() == learned);
            of.filter(|days| days.share_permille == 1000)
                .map(|days| days.p50)
                .sum()
        };
        days(false) * 3 > days(true) || self.stages.iter().all(|days| !days.is_learned())
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

    /// Days still to go for goods that are in `stage` for `elapsed` days; None when the lane has no such stage.
    #[must_use]
    pub fn remaining_in(&self, stage: Stage, elapsed: i64) -> Option<(i64, i64, bool)> {
        const GRID: usize = 40;
        let place = self.stages.iter().position(|days| days.stage == stage)?;
        let points = |days: &StageDays| -> Vec<f64> {
            (0..GRID)
                .map(|slice| days.at((slice as f64 + 0.5) / GRID as f64))
                .collect()
        };
        let here = points(self.stages.get(place)?);
        let mut left: Vec<f64> = here
            .iter()
            .map(|days| days - elapsed as f64)
            .filter(|left| *left > 0.0)
            .collect();
        let overdue = left.len() * 10 < GRID;
        if left.is_empty() {
            left.push(LEAST_OVERDUE_DAYS as f64);
        }
        for days in self.stages.get(place + 1..)? {
            let mut sums: Vec<f64> = Vec::with_capacity(left.len() * GRID);
            for more in points(days) {
                sums.extend(left.iter().map(|left| left + more));
            }
            sums.sort_by(f64::total_cmp);
            let step = sums.len().div_ceil(GRID);
            left = sums.into_iter().skip(step / 2).step_by(step).collect();
        }
        left.sort_by(f64::total_cmp);
        let rank = |share: usize| left.get((left.len() * share / 100).min(left.len() - 1)).copied();
        Some((rank(50)?.round() as i64, rank(90)?.round() as i64, overdue))
    }

    /// The day goods that would be there on `day` are taken in: a warehouse that is shut lets them wait.
    #[must_use]
    pub fn taken_in(&self, day: i64) -> i64 {
        self.stages.last().map_or(day, |days| days.clock.open_from(day))
    }
}

/// Days ahead in which calendars are looked at.
const LONGEST_AHEAD: i64 = 800;

/// An overdue shipment is never predicted for today.
pub const LEAST_OVERDUE_DAYS: i64 = 3;

/// An overdue shipment that nothing else is known of: it may take as long again as it is late, within reason.
#[must_use]
pub fn overdue_without_lane(eta: NaiveDate, as_of: NaiveDate) -> i64 {
    (as_of - eta).num_days().clamp(LEAST_OVERDUE_DAYS, 30)
}

/// The middle day; and of a late edge the day whose chance is nearest to the wanted one: the first day whose chance
/// reaches it would keep its promise more often than it says, by half a day's chance on average.
fn at(sorted: &[u16], permille: u16) -> i64 {
    let count = sorted.len();
    if count == 0 {
        return 0;
    }
    let wanted = count * usize::from(permille);
    let rank = wanted.div_ceil(1000).clamp(1, count) - 1;
    let day = sorted[rank];
    let before = sorted.partition_point(|days| *days < day);
    let through = sorted.partition_point(|days| *days <= day);
    match before.checked_sub(1) {
        Some(last) if permille > 500 && wanted.abs_diff(before * 1000) < wanted.abs_diff(through * 1000) => {
            i64::from(sorted[last])
        }
        _ => i64::from(day),
    }
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
        learn(&lane, 1000).unwrap()
    }

    fn learn(lane: &LaneOption, paths: usize) -> Option<LaneDays> {
        let warehouse = WarehouseCode::new("goodcang:UKMA").unwrap();
        let policy = Policy::default();
        let world = World {
            as_of: day("2026-06-01"),
            review_days: 7,
            warehouse: &warehouse,
            country: "",
            pools: &Pools::default(),
            calendars: &Calendars::new(&super::super::supply::SupplyFacts::default(), &policy),
            exams: &[],
        };
        LaneDays::learn(lane, None, None, &policy, paths, &world)
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
        assert!((33..=38).contains(&fresh) && !overdue, "{fresh}");
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
        assert!(learn(&lane, 100).is_none());
    }
}
