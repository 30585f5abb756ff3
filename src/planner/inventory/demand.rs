//! Distributions of demand: quantiles, and the loss functions costs are made of.

use libm::erfc;
use statrs::function::erf::erfc_inv;
use statrs::function::gamma::checked_gamma_ur;

use super::error::{InventoryError, finite, length, not_negative, positive, share};

/// Demand of one period (or of a lead time), in units.
#[derive(Debug, Clone, PartialEq)]
pub enum Demand {
    Normal {
        mean: f64,
        sd: f64,
    },
    /// Mean and standard deviation of the logarithm.
    Lognormal {
        mu: f64,
        sigma: f64,
    },
    Exponential {
        rate: f64,
    },
    Gamma {
        shape: f64,
        scale: f64,
    },
    Uniform {
        low: f64,
        high: f64,
    },
    Poisson {
        mean: f64,
    },
    /// Failures before the `r`-th success of probability `p`; `r` need not be whole.
    NegativeBinomial {
        r: f64,
        p: f64,
    },
    /// Probabilities of 0, 1, 2, … units.
    Pmf(Vec<f64>),
}

/// Expected units short of a level, and expected units left above it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    pub short: f64,
    pub left: f64,
}

/// No count distribution is summed over more terms than this.
const MOST_TERMS: usize = 4_000_000;

pub(super) fn normal_density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// P(Z > z) of a standard normal.
pub(super) fn normal_tail(z: f64) -> f64 {
    0.5 * erfc(z / std::f64::consts::SQRT_2)
}

/// The standard normal quantile.
pub(super) fn normal_quantile(probability: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfc_inv(2.0 * probability)
}

/// Expected shortfall of a standard normal beyond `z`, in standard deviations.
pub fn standard_normal_loss(z: f64) -> Loss {
    let short = normal_density(z) - z * normal_tail(z);
    Loss {
        short,
        left: short + z,
    }
}

/// Half the expected squares of the standard normal's shortfall and surplus at `z`.
pub fn standard_normal_second_loss(z: f64) -> Loss {
    let short = 0.5 * ((z * z + 1.0) * normal_tail(z) - z * normal_density(z));
    Loss {
        short,
        left: 0.5 * (z * z + 1.0) - short,
    }
}

/// P(X > x) of a gamma with this shape, at `x` in units of its scale.
fn gamma_tail(shape: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    // `None` only outside of a positive shape and a positive x.
    checked_gamma_ur(shape, x).unwrap_or(0.0)
}

impl Demand {
    /// A negative binomial with this mean and standard deviation, the variance above the mean.
    pub fn negative_binomial(mean: f64, sd: f64) -> Result<Self, InventoryError> {
        positive("mean demand", mean)?;
        positive("variance above the mean", sd * sd - mean)?;
        let demand = Self::NegativeBinomial {
            r: mean * mean / (sd * sd - mean),
            p: mean / (sd * sd),
        };
        demand.check()?;
        Ok(demand)
    }

    pub fn check(&self) -> Result<(), InventoryError> {
        match self {
            Self::Normal { mean, sd } => {
                finite("mean demand", *mean)?;
                positive("standard deviation of demand", *sd)
            }
            Self::Lognormal { mu, sigma } => {
                finite("mean of the logarithm", *mu)?;
                positive("standard deviation of the logarithm", *sigma)
            }
            Self::Exponential { rate } => positive("rate", *rate),
            Self::Gamma { shape, scale } => {
                // The series of the incomplete gamma function does not end in time beyond.
                positive("shape less 0.000001", shape - 1e-6)?;
                positive("1,000,000 less shape", 1e6 - shape)?;
                positive("scale", *scale)
            }
            Self::Uniform { low, high } => {
                finite("low", *low)?;
                positive("high less low", high - low)
            }
            Self::Poisson { mean } => {
                positive("mean demand", *mean)?;
                self.summable()
            }
            Self::NegativeBinomial { r, p } => {
                positive("r", *r)?;
                share("p", *p)?;
                self.summable()
            }
            Self::Pmf(probabilities) => {
                if probabilities.is_empty() {
                    return length("probabilities", 1, 0);
                }
                for probability in probabilities {
                    not_negative("probability", *probability)?;
                }
                let sum: f64 = probabilities.iter().sum();
                if (sum - 1.0).abs() <= 1e-6 {
                    return Ok(());
                }
                Err(InventoryError::Parameter {
                    parameter: "sum of the probabilities",
                    wanted: "1",
                    got: sum,
                })
            }
        }
    }

    /// Where the terms of a count have become negligible.
    fn far(&self) -> f64 {
        self.mean() + 40.0 * self.variance().sqrt() + 100.0
    }

    fn summable(&self) -> Result<(), InventoryError> {
        if self.far() <= MOST_TERMS as f64 {
            return Ok(());
        }
        Err(InventoryError::TooLarge {
            what: "the distribution of demand",
            needs: self.far(),
            most: MOST_TERMS,
        })
    }

    pub fn is_count(&self) -> bool {
        matches!(
            self,
            Self::Poisson { .. } | Self::NegativeBinomial { .. } | Self::Pmf(_)
        )
    }

    pub fn mean(&self) -> f64 {
        match self {
            Self::Normal { mean, .. } | Self::Poisson { mean } => *mean,
            Self::Lognormal { mu, sigma } => (mu + 0.5 * sigma * sigma).exp(),
            Self::Exponential { rate } => 1.0 / rate,
            Self::Gamma { shape, scale } => shape * scale,
            Self::Uniform { low, high } => f64::midpoint(*low, *high),
            Self::NegativeBinomial { r, p } => r * (1.0 - p) / p,
            Self::Pmf(probabilities) => probabilities
                .iter()
                .enumerate()
                .map(|(units, probability)| units as f64 * probability)
                .sum(),
        }
    }

    pub fn variance(&self) -> f64 {
        match self {
            Self::Normal { sd, .. } => sd * sd,
            Self::Lognormal { sigma, .. } => (sigma * sigma).exp_m1() * self.mean() * self.mean(),
            Self::Exponential { rate } => 1.0 / (rate * rate),
            Self::Gamma { shape, scale } => shape * scale * scale,
            Self::Uniform { low, high } => (high - low) * (high - low) / 12.0,
            Self::Poisson { mean } => *mean,
            Self::NegativeBinomial { r, p } => r * (1.0 - p) / (p * p),
            Self::Pmf(probabilities) => {
                let mean = self.mean();
                probabilities
                    .iter()
                    .enumerate()
                    .map(|(units, probability)| (units as f64 - mean).powi(2) * probability)
                    .sum()
            }
        }
    }

    /// The probabilities of 0, 1, 2, … of a count, without end where it has none. Each term follows from the one before;
    /// the first is kept as a logarithm, so that a large mean does not lose the start.
    pub(super) fn terms(&self) -> Terms<'_> {
        let (log, ratio) = match self {
            Self::Poisson { mean } => (-mean, Ratio::Poisson(*mean)),
            Self::NegativeBinomial { r, p } => (r * p.ln(), Ratio::NegativeBinomial(*r, 1.0 - p)),
            Self::Pmf(probabilities) => (0.0, Ratio::Listed(probabilities)),
            _ => (0.0, Ratio::Listed(&[])),
        };
        Terms { log, ratio, next: 0 }
    }

    /// The probabilities of 0 to where less than `tail` is left above.
    pub fn pmf_until(&self, tail: f64) -> Result<Vec<f64>, InventoryError> {
        self.check()?;
        // A list may have holes: no term of it ends it.
        if let Self::Pmf(probabilities) = self {
            return Ok(probabilities.clone());
        }
        let mut sum = 0.0;
        let mut probabilities = Vec::new();
        let (mean, far) = (self.mean(), self.far());
        for term in self.terms() {
            sum += term;
            probabilities.push(term);
            let units = probabilities.len() as f64;
            // A sum of many terms may stay a few last bits below one: then a negligible term ends it.
            let negligible = 1.0 - sum <= tail || term <= tail * 1e-3;
            if (units > mean && negligible) || units > far {
                break;
            }
        }
        Ok(probabilities)
    }

    /// P(X ≤ x).
    pub fn cdf(&self, x: f64) -> f64 {
        match self {
            Self::Normal { mean, sd } => normal_tail((mean - x) / sd),
            Self::Lognormal { mu, sigma } if x > 0.0 => normal_tail((mu - x.ln()) / sigma),
            Self::Exponential { rate } if x > 0.0 => -(-rate * x).exp_m1(),
            Self::Gamma { shape, scale } if x > 0.0 => 1.0 - gamma_tail(*shape, x / scale),
            Self::Uniform { low, high } => ((x - low) / (high - low)).clamp(0.0, 1.0),
            Self::Poisson { .. } | Self::NegativeBinomial { .. } | Self::Pmf(_) if x >= 0.0 => {
                let mut sum = 0.0;
                for (units, term) in self.terms().enumerate().take(MOST_TERMS) {
                    if units as f64 > x {
                        break;
                    }
                    sum += term;
                }
                sum.min(1.0)
            }
            _ => 0.0,
        }
    }

    /// The smallest x with P(X ≤ x) at least `probability`.
    pub fn quantile(&self, probability: f64) -> Result<f64, InventoryError> {
        self.check()?;
        share("probability", probability)?;
        Ok(match self {
            Self::Normal { mean, sd } => mean + sd * normal_quantile(probability),
            Self::Lognormal { mu, sigma } => (mu + sigma * normal_quantile(probability)).exp(),
            Self::Exponential { rate } => -(-probability).ln_1p() / rate,
            Self::Uniform { low, high } => low + probability * (high - low),
            Self::Gamma { .. } => self.by_halves(probability),
            Self::Poisson { .. } | Self::NegativeBinomial { .. } | Self::Pmf(_) => {
                let mut sum = 0.0;
                let mut last = 0;
                let far = self.far();
                for (units, term) in self.terms().enumerate().take(MOST_TERMS) {
                    sum += term;
                    last = units;
                    // A sum of many terms ends a few last bits below one.
                    if sum >= probability || units as f64 > far {
                        break;
                    }
                }
                last as f64
            }
        })
    }

    /// A continuous quantile by bisection, to the last bits.
    fn by_halves(&self, probability: f64) -> f64 {
        let mut low = 0.0;
        let mut high = self.mean() + self.variance().sqrt();
        while self.cdf(high) < probability && high < f64::MAX / 4.0 {
            low = high;
            high *= 2.0;
        }
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            if self.cdf(middle) < probability {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    /// Expected units short and left at the level `x` (a whole one for counts).
    pub fn loss(&self, x: f64) -> Loss {
        let from_short = |short: f64| Loss {
            short,
            left: short + x - self.mean(),
        };
        match self {
            Self::Normal { mean, sd } => {
                let standard = standard_normal_loss((x - mean) / sd);
                Loss {
                    short: sd * standard.short,
                    left: sd * standard.left,
                }
            }
            Self::Uniform { low, high } => {
                let inside = x.clamp(*low, *high);
                from_short((high - inside).powi(2) / (2.0 * (high - low)) + (low - x).max(0.0))
            }
            Self::Lognormal { .. } | Self::Exponential { .. } | Self::Gamma { .. } => {
                if x <= 0.0 {
                    return from_short(self.mean() - x);
                }
                let [none, one, _] = self.moments_above(x);
                from_short(one - x * none)
            }
            Self::Poisson { .. } | Self::NegativeBinomial { .. } | Self::Pmf(_) => {
                let mut left = 0.0;
                for (units, term) in self.terms().enumerate().take(MOST_TERMS) {
                    if units as f64 >= x {
                        break;
                    }
                    left += (x - units as f64) * term;
                }
                Loss {
                    short: (left + self.mean() - x).max(0.0),
                    left,
                }
            }
        }
    }

    /// Half the expected squares: of `(X − x)⁺` and `(x − X)⁺` for continuous demand, of the products
    /// `(X − x)(X − x − 1)` and `(x − X)(x − X + 1)` for counts. They sum the first losses over levels.
    pub fn second_loss(&self, x: f64) -> Loss {
        let spread = self.variance() + (self.mean() - x).powi(2);
        match self {
            Self::Normal { mean, sd } => {
                let standard = standard_normal_second_loss((x - mean) / sd);
                Loss {
                    short: sd * sd * standard.short,
                    left: sd * sd * standard.left,
                }
            }
            Self::Uniform { low, high } => {
                let inside = x.clamp(*low, *high);
                let width = high - low;
                let short = if x < *low {
                    0.5 * spread
                } else {
                    (high - inside).powi(3) / (6.0 * width)
                };
                Loss {
                    short,
                    left: 0.5 * spread - short,
                }
            }
            Self::Lognormal { .. } | Self::Exponential { .. } | Self::Gamma { .. } => {
                let short = if x <= 0.0 {
                    0.5 * spread
                } else {
                    let [none, one, two] = self.moments_above(x);
                    0.5 * (two - 2.0 * x * one + x * x * none)
                };
                Loss {
                    short,
                    left: 0.5 * spread - short,
                }
            }
            Self::Poisson { .. } | Self::NegativeBinomial { .. } | Self::Pmf(_) => {
                let mut left = 0.0;
                for (units, term) in self.terms().enumerate().take(MOST_TERMS) {
                    let gap = x - units as f64;
                    if gap <= 0.0 {
                        break;
                    }
                    left += 0.5 * gap * (gap + 1.0) * term;
                }
                Loss {
                    short: 0.5 * (spread - (self.mean() - x)) - left,
                    left,
                }
            }
        }
    }

    /// E\[Xᵏ; X > x\] for k = 0, 1, 2 and a positive x.
    fn moments_above(&self, x: f64) -> [f64; 3] {
        match self {
            Self::Lognormal { mu, sigma } => {
                let at = |k: f64| {
                    (k * mu + 0.5 * k * k * sigma * sigma).exp()
                        * normal_tail((x.ln() - mu) / sigma - k * sigma)
                };
                [at(0.0), at(1.0), at(2.0)]
            }
            Self::Exponential { rate } => {
                let tail = (-rate * x).exp();
                let one = x + 1.0 / rate;
                [tail, tail * one, tail * (x * x + 2.0 * one / rate)]
            }
            Self::Gamma { shape, scale } => {
                let at = |k: f64| gamma_tail(shape + k, x / scale);
                [
                    at(0.0),
                    shape * scale * at(1.0),
                    shape * (shape + 1.0) * scale * scale * at(2.0),
                ]
            }
            _ => [0.0; 3],
        }
    }
}

enum Ratio<'a> {
    Poisson(f64),
    NegativeBinomial(f64, f64),
    Listed(&'a [f64]),
}

pub(super) struct Terms<'a> {
    log: f64,
    ratio: Ratio<'a>,
    next: usize,
}

impl Iterator for Terms<'_> {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let k = self.next as f64;
        self.next += 1;
        match self.ratio {
            Ratio::Listed(probabilities) => probabilities.get(self.next - 1).copied(),
            Ratio::Poisson(mean) => {
                if k > 0.0 {
                    self.log += (mean / k).ln();
                }
                Some(self.log.exp())
            }
            Ratio::NegativeBinomial(r, fail) => {
                if k > 0.0 {
                    self.log += (fail * (r + k - 1.0) / k).ln();
                }
                Some(self.log.exp())
            }
        }
    }
}
