//! Demand over review + lead time when the lead time is no one number: a mixture over slices of its distribution, read
//! at any probability without sampling.

use super::{Spread, TUNING, normal_quantile, stretch};

/// Edges of the slices: the late ones are thin, because they decide.
const EDGES: [f64; 10] = [0.0, 0.2, 0.4, 0.6, 0.75, 0.87, 0.94, 0.97, 0.99, 1.0];
const SLICES: usize = EDGES.len() - 1;

/// Lead times in slices: the weight of each and its mean days. The same for all lines of a lane.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LeadSlices(Vec<(f64, f64)>);

impl LeadSlices {
    /// Of equally likely lead times, sorted.
    #[must_use]
    pub fn new(lead: &[u16]) -> Self {
        let place = |share: f64| (share * lead.len() as f64).round() as usize;
        let parts = EDGES.windows(2).map(|edge| &lead[place(edge[0])..place(edge[1])]);
        let slices = parts.filter(|part| !part.is_empty()).map(|part| {
            let days = part.iter().map(|days| f64::from(*days)).sum::<f64>() / part.len() as f64;
            (part.len() as f64 / lead.len() as f64, days)
        });
        Self(slices.collect())
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Slice {
    weight: f64,
    /// Cube root of the mean demand.
    root: f64,
    inverse_root: f64,
    /// The ninth part of the squared variation, and its root.
    ninth: f64,
    deviation: f64,
    inverse_deviation: f64,
}

/// Demand of one line over the days until the next order would have arrived.
#[derive(Debug, Clone, Default)]
pub struct Interval {
    slices: [Slice; SLICES],
    used: usize,
    mean: f64,
    variance: f64,
}

impl Interval {
    /// `ahead[k]` is the sum of the season's factors of the first `k` days.
    #[must_use]
    pub fn new(lead: &LeadSlices, review: i64, level: f64, spread: &Spread, ahead: &[f64]) -> Self {
        let mut interval = Self::default();
        let last = ahead.len().saturating_sub(1);
        let review = review.clamp(0, 365) as f64;
        let mut second = 0.0;
        for (slice, (weight, lead_days)) in interval.slices.iter_mut().zip(&lead.0) {
            let days = lead_days + review;
            let whole = (days.floor() as usize).min(last);
            let next = (whole + 1).min(last);
            let season = ahead[whole] + (ahead[next] - ahead[whole]) * (days - days.floor());
            let (mean, variation) = (level * season, spread.variation(days));
            interval.mean += weight * mean;
            second += weight * mean * mean * (1.0 + variation);
            let (ninth, root) = (variation / 9.0, mean.cbrt());
            let deviation = ninth.sqrt();
            *slice = Slice {
                weight: *weight,
                root,
                inverse_root: if mean > 0.0 { 1.0 / root } else { 0.0 },
                ninth,
                deviation,
                inverse_deviation: 1.0 / deviation,
            };
            interval.used += 1;
        }
        interval.variance = (second - interval.mean * interval.mean).max(0.0);
        interval
    }

    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    #[must_use]
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// Probability that demand is at most the value whose cube root is given.
    fn below(&self, root: f64) -> f64 {
        self.slices[..self.used]
            .iter()
            .map(|slice| {
                // The stretched place, and the place it was stretched from.
                let y = (root * slice.inverse_root - 1.0 + slice.ninth) * slice.inverse_deviation;
                let z = if y <= 1.0 {
                    y
                } else {
                    1.0 + ((1.0 + 4.0 * TUNING.tail * (y - 1.0)).sqrt() - 1.0) / (2.0 * TUNING.tail)
                };
                slice.weight * normal_share(z)
            })
            .sum()
    }

    /// The demand that is not exceeded with so many thousandths of probability.
    #[must_use]
    pub fn quantile(&self, permille: u16) -> f64 {
        if self.mean <= 0.0 || self.used == 0 {
            return 0.0;
        }
        let target = f64::from(permille.clamp(1, 999)) / 1000.0;
        let stretched = stretch(normal_quantile(target), TUNING.tail);
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for slice in &self.slices[..self.used] {
            let root = slice.root * (1.0 - slice.ninth + stretched * slice.deviation).max(0.0);
            (low, high) = (low.min(root), high.max(root));
        }
        // Between the slices' own quantiles; the interval halves at least every other step.
        let (mut below, mut above) = (self.below(low) - target, self.below(high) - target);
        // All the mass up to the target may lie at nothing.
        if below >= 0.0 {
            return low.powi(3);
        }
        let mut side = 0_i8;
        for _ in 0..STEPS {
            if high - low <= 1e-7 * high || above - below <= 1e-9 {
                break;
            }
            let root = (low * above - high * below) / (above - below);
            let value = self.below(root) - target;
            if value > 0.0 {
                (high, above) = (root, value);
                if side == 1 {
                    below /= 2.0;
                }
                side = 1;
            } else {
                (low, below) = (root, value);
                if side == -1 {
                    above /= 2.0;
                }
                side = -1;
            }
            if value.abs() < 1e-7 {
                return root.powi(3);
            }
        }
        high.powi(3)
    }
}

/// Steps of the search; it ends earlier, at a millionth of the probability.
const STEPS: usize = 40;

/// Probability of a standard normal value below `z` (Abramowitz and Stegun 26.2.17, error below 7.5e-8).
fn normal_share(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let tail = t
        * (0.319_381_530
            + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let upper = 0.398_942_280_401_432_7 * (-0.5 * z * z).exp() * tail;
    if z < 0.0 { upper } else { 1.0 - upper }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::demand::shape;

    fn flat() -> Vec<f64> {
        (0..=400).map(f64::from).collect()
    }

    #[test]
    fn one_lead_time_is_the_shape_itself() {
        let spread = Spread {
            lasting: 0.2,
            weekly: 0.0,
        };
        let interval = Interval::new(&LeadSlices::new(&[35; 100]), 7, 10.0, &spread, &flat());
        assert!((interval.mean() - 420.0).abs() < 1e-9);
        assert!((interval.variance().sqrt() / 420.0 - 0.2_f64.sqrt()).abs() < 1e-9);
        for permille in [1, 500, 900, 950, 980, 999] {
            let z = normal_quantile(f64::from(permille) / 1000.0);
            let wanted = 420.0 * shape(0.2, TUNING.tail, z);
            assert!(
                (interval.quantile(permille) / wanted - 1.0).abs() < 1e-4,
                "{permille}"
            );
        }
    }

    #[test]
    fn two_lead_times_have_the_quantile_of_their_mixture() {
        let spread = Spread {
            lasting: 1e-6,
            weekly: 0.0,
        };
        let mut lead = vec![20; 90];
        lead.extend([60; 10]);
        let interval = Interval::new(&LeadSlices::new(&lead), 0, 10.0, &spread, &flat());
        // Nine in ten take 20 days, the tenth 60: nothing between is a demand anybody sees.
        assert!((interval.quantile(800) - 200.0).abs() < 2.0);
        assert!((interval.quantile(970) - 600.0).abs() < 6.0);
        assert!((interval.mean() - 240.0).abs() < 1e-6);
    }

    #[test]
    fn quantiles_rise_and_nothing_is_nothing() {
        let spread = Spread {
            lasting: 3.0,
            weekly: 8.0,
        };
        let lead = LeadSlices::new(&(20..80).collect::<Vec<u16>>());
        let interval = Interval::new(&lead, 7, 0.02, &spread, &flat());
        let levels: Vec<f64> = (1..1000).map(|permille| interval.quantile(permille)).collect();
        assert!(levels.iter().all(|level| level.is_finite() && *level >= 0.0));
        assert!(levels.windows(2).all(|pair| pair[0] <= pair[1] * (1.0 + 1e-6)));
        assert_eq!(Interval::new(&lead, 7, 0.0, &spread, &flat()).quantile(950), 0.0);
        assert_eq!(
            Interval::new(&LeadSlices::default(), 7, 1.0, &spread, &flat()).quantile(950),
            0.0
        );
    }

    #[test]
    fn the_normal_share_is_the_known_one() {
        for (z, share) in [
            (0.0, 0.5),
            (1.644_853_627, 0.95),
            (-1.281_551_566, 0.1),
            (3.0, 0.998_650_102),
        ] {
            assert!((normal_share(z) - share).abs() < 1e-7, "{z}");
        }
    }
}
