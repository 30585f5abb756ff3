//! Repeatable chance: every decision of the world has a name, and its draw depends on the seed and that name only,
//! never on the order in which decisions are taken.

/// A small generator (SplitMix64) seeded by the name of one decision.
#[derive(Debug, Clone)]
pub struct Draw(u64);

impl Draw {
    #[must_use]
    pub fn new(seed: u64, name: &[&str]) -> Self {
        // FNV-1a over the parts with a separator, then one mixing step.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for part in name {
            for byte in part.bytes().chain([0x1f]) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        let mut draw = Self(hash);
        draw.bits();
        draw
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
        let high = (self.bits() >> 11) as f64;
        high / 9_007_199_254_740_992.0
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Uniform in `0..n`; 0 when `n` is not positive.
    pub fn below(&mut self, n: i64) -> i64 {
        match u64::try_from(n) {
            Ok(n) if n > 0 => i64::try_from(self.bits() % n).unwrap_or(0),
            _ => 0,
        }
    }

    /// Uniform in `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high - low + 1)
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Lognormal whose 10th and 90th percentiles are `low` and `high`.
    pub fn lognormal(&mut self, low: f64, high: f64) -> f64 {
        let (low, high) = (low.max(0.01).ln(), high.max(0.01).ln());
        let spread = (high - low) / (2.0 * 1.281_551_565_545);
        (f64::midpoint(low, high) + spread * self.normal()).exp()
    }

    /// Gamma by Marsaglia and Tsang's squeeze, for shapes of at least 1.
    fn gamma(&mut self, shape: f64) -> f64 {
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && (1.0 - self.unit()).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    /// Beta for shapes of at least 1.
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let x = self.gamma(a);
        let y = self.gamma(b);
        x / (x + y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_depends_on_its_name_and_seed_only() {
        assert_eq!(Draw::new(7, &["a", "b"]).bits(), Draw::new(7, &["a", "b"]).bits());
        assert_ne!(Draw::new(7, &["a", "b"]).bits(), Draw::new(7, &["ab"]).bits());
        assert_ne!(Draw::new(7, &["a"]).bits(), Draw::new(8, &["a"]).bits());
    }

    #[test]
    fn the_distributions_have_the_stated_percentiles_and_mean() {
        let mut draws: Vec<f64> = (0..4000)
            .map(|n: i32| Draw::new(1, &["sail", &n.to_string()]).lognormal(20.0, 35.0))
            .collect();
        draws.sort_by(f64::total_cmp);
        assert!((draws[400] - 20.0).abs() < 0.8 && (draws[3600] - 35.0).abs() < 1.4);
        let mean = (0..4000)
            .map(|n: i32| Draw::new(1, &["short", &n.to_string()]).beta(1.2, 18.0))
            .sum::<f64>()
            / 4000.0;
        assert!((mean - 0.0625).abs() < 0.004, "{mean}");
    }
}
