//! How far chance reaches: items drawn again with replacement, the same draws for every policy.

use super::dice;
use super::report::Range;
use crate::planner::round_stat;

/// Sets of items drawn.
const DRAWS: u64 = 400;

/// A sum over items, or the ratio of two.
pub(super) struct Measure {
    part: Vec<f64>,
    whole: Option<Vec<f64>>,
}

impl Measure {
    pub(super) fn ratio(part: Vec<f64>, whole: Vec<f64>) -> Self {
        Self {
            part,
            whole: Some(whole),
        }
    }

    pub(super) fn total(part: Vec<f64>) -> Self {
        Self { part, whole: None }
    }

    /// With each item counted so often.
    fn value(&self, times: &[u16]) -> Option<f64> {
        let sum = |values: &[f64]| -> f64 {
            values
                .iter()
                .zip(times)
                .map(|(value, times)| value * f64::from(*times))
                .sum()
        };
        match &self.whole {
            None => Some(sum(&self.part)),
            Some(whole) => {
                let whole = sum(whole);
                (whole > 0.0).then(|| sum(&self.part) / whole)
            }
        }
    }
}

/// The draws.
pub(super) struct Ranges {
    once: Vec<u16>,
    draws: Vec<Vec<u16>>,
}

impl Ranges {
    /// `enough`: whether there are items enough to draw from; without, figures stand without an interval.
    pub(super) fn new(items: usize, seed: u64, enough: bool) -> Self {
        let draw = |draw: u64| {
            let mut times = vec![0_u16; items];
            for place in 0..items as u64 {
                let chosen = (dice::unit(seed, &[3, draw, place]) * items as f64) as usize;
                if let Some(times) = times.get_mut(chosen) {
                    *times = times.saturating_add(1);
                }
            }
            times
        };
        Self {
            once: vec![1; items],
            draws: if enough {
                (0..DRAWS).map(draw).collect()
            } else {
                Vec::new()
            },
        }
    }

    pub(super) fn of(&self, measure: &Measure) -> Option<Range> {
        self.range(|times| measure.value(times))
    }

    /// Of the difference, drawn together: what both share cancels.
    pub(super) fn difference(&self, one: &Measure, other: &Measure) -> Option<Range> {
        self.range(|times| Some(one.value(times)? - other.value(times)?))
    }

    fn range(&self, value: impl Fn(&[u16]) -> Option<f64>) -> Option<Range> {
        let middle = value(&self.once)?;
        let mut drawn: Vec<f64> = self.draws.iter().filter_map(|times| value(times)).collect();
        drawn.sort_by(f64::total_cmp);
        let at = |permille: usize| {
            let place = (drawn.len() * permille / 1000).min(drawn.len().saturating_sub(1));
            drawn.get(place).copied().and_then(round_stat)
        };
        Some(Range {
            value: round_stat(middle)?,
            low: at(25),
            high: at(975),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_holds_the_figure_and_narrows_with_more_items() {
        let width = |items: usize| {
            let part: Vec<f64> = (0..items).map(|n| (n % 7) as f64).collect();
            let range = Ranges::new(items, 1, true)
                .of(&Measure::ratio(part, vec![10.0; items]))
                .unwrap();
            let (low, high) = (range.low.unwrap(), range.high.unwrap());
            assert!(low <= range.value && range.value <= high);
            high - low
        };
        assert!(width(700) < width(70));
    }

    #[test]
    fn equal_measures_differ_by_nothing_and_too_few_items_have_no_interval() {
        let measure = || Measure::ratio(vec![1.0, 5.0, 2.0], vec![9.0, 9.0, 9.0]);
        let zero = Ranges::new(3, 1, true)
            .difference(&measure(), &measure())
            .unwrap();
        assert!(zero.low == zero.high && zero.value.is_zero());
        assert_eq!(Ranges::new(3, 1, false).of(&measure()).unwrap().low, None);
        assert_eq!(
            Ranges::new(1, 1, true).of(&Measure::ratio(vec![0.0], vec![0.0])),
            None
        );
    }
}
