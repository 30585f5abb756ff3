//! Lead times of a lane as they really fall, learned from all that was seen: the world's dice, not the policy's view.

use super::dice;
use crate::planner::{LaneOption, StageTimes};

/// Days from order to sellable, split at the hand-over, the shortest ways first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadTable(Vec<(u16, u16)>);

/// Ways drawn into a table.
const WAYS: u64 = 2_000;
const MOST_DAYS: i64 = 400;
const Z90: f64 = 1.281_551_565_5;

impl LeadTable {
    /// Every draw of a known law: (days before the hand-over, days after it).
    #[must_use]
    pub fn new(mut ways: Vec<(u16, u16)>) -> Option<Self> {
        ways.sort_by_key(|(before, after)| (u32::from(*before) + u32::from(*after), *before));
        (!ways.is_empty()).then_some(Self(ways))
    }

    /// Of a lane's stages: what was seen where at least `least` passages were, else the table's two values. None when a
    /// stage has neither.
    #[must_use]
    pub fn learn(
        lane: &LaneOption,
        production: Option<&StageTimes>,
        putaway: Option<&StageTimes>,
        least: i64,
        seed: u64,
    ) -> Option<Self> {
        let has = |stage| lane.stages.iter().any(|times| times.stage == stage);
        let stages: Vec<&StageTimes> = lane
            .stages
            .iter()
            .filter(|times| production.is_none_or(|own| own.stage != times.stage))
            .chain(production)
            .chain(putaway.filter(|times| !has(times.stage)))
            .collect();
        if stages.is_empty() {
            return None;
        }
        let laws: Vec<(bool, Law)> = stages
            .iter()
            .map(|times| Some((times.stage.is_before_hand_over(), Law::of(times, least)?)))
            .collect::<Option<_>>()?;
        let ways = (0..WAYS)
            .map(|way| {
                let (mut before, mut after) = (0, 0);
                for (stage, (is_before, law)) in (0..).zip(&laws) {
                    let days = law.days(dice::unit(seed, &[way, stage]));
                    *(if *is_before { &mut before } else { &mut after }) += days;
                }
                let fit = |days: i64| u16::try_from(days.clamp(0, MOST_DAYS)).unwrap_or(0);
                (fit(before), fit(after))
            })
            .collect();
        Self::new(ways)
    }

    /// The way at a chance in [0, 1): days before the hand-over, days after it.
    #[must_use]
    pub fn at(&self, chance: f64) -> (i64, i64) {
        let place = ((chance * self.0.len() as f64) as usize).min(self.0.len() - 1);
        let (before, after) = self.0[place];
        (i64::from(before), i64::from(after))
    }

    /// Order to sellable at a probability in thousandths.
    #[must_use]
    pub fn total_at(&self, permille: u16) -> i64 {
        let (before, after) = self.at(f64::from(permille) / 1000.0);
        before + after
    }
}

enum Law {
    Seen(Vec<i64>),
    /// Median, and the spread of the logarithm.
    Table(f64, f64),
}

impl Law {
    fn of(times: &StageTimes, least: i64) -> Option<Self> {
        let mut seen: Vec<i64> = times
            .observed
            .iter()
            .map(|seen| (seen.to - seen.from).num_days())
            .filter(|days| (0..=MOST_DAYS).contains(days))
            .collect();
        seen.sort_unstable();
        if !seen.is_empty() && seen.len() as i64 >= least {
            // One wrong date is not a way: the rule of the planner's own learner.
            let median = seen[seen.len() / 2];
            seen.retain(|days| *days <= median * 3 || *days <= median + 30);
            return Some(Self::Seen(seen));
        }
        let median = times.p50?.max(0) as f64;
        let late = times.p90.map_or(median, |late| late as f64).max(median);
        let spread = if median > 0.0 {
            (late / median).ln() / Z90
        } else {
            0.0
        };
        Some(Self::Table(median, spread))
    }

    fn days(&self, chance: f64) -> i64 {
        match self {
            Self::Seen(seen) => seen[((chance * seen.len() as f64) as usize).min(seen.len() - 1)],
            Self::Table(median, spread) => {
                let z = normal_quantile(chance);
                (median * (z * spread).exp()).round() as i64
            }
        }
    }
}

fn normal_quantile(chance: f64) -> f64 {
    let demand = crate::planner::inventory::Demand::Normal { mean: 0.0, sd: 1.0 };
    demand.quantile(chance.clamp(1e-6, 1.0 - 1e-6)).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::Mode;
    use crate::planner::{Observation, Stage};

    fn times(stage: Stage, table: Option<(i64, i64)>, seen: &[i64]) -> StageTimes {
        let from: chrono::NaiveDate = "2026-01-01".parse().unwrap();
        StageTimes {
            stage,
            p50: table.map(|days| days.0),
            p90: table.map(|days| days.1),
            observed: seen
                .iter()
                .map(|days| Observation {
                    from,
                    to: from + chrono::Duration::days(*days),
                })
                .collect(),
        }
    }

    fn lane(stages: Vec<StageTimes>) -> Option<LeadTable> {
        let lane = LaneOption {
            mode: Mode::Sea,
            forwarder: None,
            service: String::new(),
            priority: 1,
            stages,
        };
        LeadTable::learn(&lane, None, None, 5, 3)
    }

    #[test]
    fn a_table_gives_back_its_two_values_and_receipts_what_was_seen() {
        let table = lane(vec![times(Stage::Transit, Some((40, 52)), &[])]).unwrap();
        assert!((table.total_at(500) - 40).abs() <= 1 && (table.total_at(900) - 52).abs() <= 1);
        let seen = lane(vec![times(
            Stage::Transit,
            Some((40, 52)),
            &[20, 21, 22, 23, 24, 299],
        )])
        .unwrap();
        assert_eq!((seen.total_at(1), seen.total_at(999)), (20, 24));
        let split = lane(vec![
            times(Stage::Production, Some((15, 15)), &[]),
            times(Stage::Transit, Some((30, 30)), &[]),
        ]);
        assert_eq!(split.unwrap().at(0.5), (15, 30));
    }

    #[test]
    fn a_stage_nobody_knows_makes_no_table() {
        assert!(lane(vec![times(Stage::Transit, None, &[20, 21])]).is_none());
        assert!(lane(Vec::new()).is_none());
    }
}
