//! The law of a stage's days, from few passages: what the lane itself showed, held by what its route, its mode and the
//! table say, each as far as there is evidence.
//!
//! With ten passages the largest seen is no ninth decile of the next one: the law here is that of the *next* passage,
//! wider than the passages seen by what is not known of their mean and spread (Student's t in logarithms). From ten
//! passages on it is theirs alone, read at (n + 1)p, which covers p whatever the law; beyond the last one the tail of
//! the logarithms goes on.

use std::collections::BTreeMap;

use super::stage::{FAR, clean_days};
use crate::ids::WarehouseCode;
use crate::order::Mode;
use crate::planner::demand::normal_quantile;
use crate::planner::snapshot::{Snapshot, Stage};

/// Where the days of a stage come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    Lane,
    /// The same mode to the same country.
    Route,
    Mode,
    Table,
}

impl Source {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Lane => "learned",
            Self::Route => "learned_route",
            Self::Mode => "learned_mode",
            Self::Table => "fallback",
        }
    }
}

/// Passages in logarithms: how many, their mean, their squared deviations.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    pub count: f64,
    pub mean: f64,
    pub squares: f64,
}

fn seen(days: &[f64]) -> Seen {
    if days.is_empty() {
        return Seen::default();
    }
    let count = days.len() as f64;
    let mean = days.iter().map(|days| days.ln_1p()).sum::<f64>() / count;
    let squares = days.iter().map(|days| (days.ln_1p() - mean).powi(2)).sum();
    Seen { count, mean, squares }
}

/// What all lanes of a plan showed, by mode and stage.
#[derive(Debug, Clone, Default)]
pub struct Pools(BTreeMap<(Mode, Stage), Vec<Peer>>);

/// A lane of the mode: country, warehouse, what it showed.
type Peer = (String, WarehouseCode, Seen);

impl Pools {
    /// Lanes of one warehouse and mode share their receipts: the longest list of them counts once.
    #[must_use]
    pub fn new(snapshot: &Snapshot) -> Self {
        let countries: BTreeMap<&WarehouseCode, &str> = snapshot
            .supply
            .countries
            .iter()
            .map(|(code, country)| (code, country.as_str()))
            .collect();
        let mut lists: BTreeMap<(Mode, Stage, &WarehouseCode), Vec<f64>> = BTreeMap::new();
        for facts in &snapshot.warehouses {
            for lane in &facts.lanes {
                let lane = snapshot.supply.finer(&facts.warehouse, lane);
                for times in &lane.stages {
                    let (days, _) = clean_days(times, None);
                    let list = lists
                        .entry((lane.mode, times.stage, &facts.warehouse))
                        .or_default();
                    if days.len() > list.len() {
                        *list = days;
                    }
                }
            }
        }
        let mut pools = Self::default();
        for ((mode, stage, code), days) in lists {
            if !days.is_empty() {
                let country = countries.get(code).copied().unwrap_or_default().to_owned();
                let entry = (country, code.clone(), seen(&days));
                pools.0.entry((mode, stage)).or_default().push(entry);
            }
        }
        pools
    }

    /// The other lanes of the route, and of the mode.
    fn peers(
        &self,
        mode: Mode,
        stage: Stage,
        warehouse: &WarehouseCode,
        country: &str,
    ) -> (Vec<Seen>, Vec<Seen>) {
        let (mut route, mut wide) = (Vec::new(), Vec::new());
        for (other, code, seen) in self.0.get(&(mode, stage)).into_iter().flatten() {
            if code != warehouse {
                wide.push(*seen);
                if !country.is_empty() && other == country {
                    route.push(*seen);
                }
            }
        }
        (route, wide)
    }
}

/// Between lanes of a route, between routes of a mode, and a table against the truth: deviations in logarithms, where
/// too few lanes are known to tell.
const BETWEEN_LANES: f64 = 0.15;
const BETWEEN_ROUTES: f64 = 0.3;
const OF_A_TABLE: f64 = 0.4;
/// Deviation within a lane nobody knows anything of.
const WITHIN: f64 = 0.25;
/// Passages from which on a lane needs no other's help.
const ENOUGH: f64 = 10.0;
const FEW: f64 = 4.0;

#[derive(Debug, Clone, PartialEq)]
pub struct Law {
    pub source: Source,
    /// Own passages, in order.
    sorted: Vec<f64>,
    mean: f64,
    scale: f64,
    freedom: f64,
}

/// Whose passage it is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub mode: Mode,
    pub stage: Stage,
    pub warehouse: &'a WarehouseCode,
    pub country: &'a str,
}

impl Law {
    /// None when too little was seen anywhere: then the table stands alone.
    #[must_use]
    pub fn learn(
        sorted: Vec<f64>,
        table: Option<(f64, f64)>,
        pools: &Pools,
        place: &Place<'_>,
        min_observations: i64,
    ) -> Option<Self> {
        let own = seen(&sorted);
        let (route, wide) = pools.peers(place.mode, place.stage, place.warehouse, place.country);
        let total = |peers: &[Seen]| own.count + peers.iter().map(|peer| peer.count).sum::<f64>();
        let enough = |count: f64| count > 0.0 && count >= min_observations as f64;
        let source = if enough(own.count) {
            Source::Lane
        } else if !route.is_empty() && enough(total(&route)) {
            Source::Route
        } else if !wide.is_empty() && enough(total(&wide)) {
            Source::Mode
        } else {
            return None;
        };
        // The spread within a lane: that of the others counts for six passages, a table's for two.
        let peers = if route.is_empty() { &wide } else { &route };
        let freedom_of = |peers: &[Seen]| peers.iter().map(|peer| peer.count - 1.0).sum::<f64>();
        // Nought days are a stage that nobody timed.
        let table_log = table.filter(|(p50, _)| *p50 > 0.0).map(|(p50, p90)| {
            let spread = (p90.ln_1p() - p50.ln_1p()) / Z90;
            (p50.ln_1p(), if spread > 0.0 { spread } else { WITHIN })
        });
        let (prior_variance, prior_freedom) = if freedom_of(peers) >= 1.0 {
            let squares: f64 = peers.iter().map(|peer| peer.squares).sum();
            (squares / freedom_of(peers), freedom_of(peers).min(6.0))
        } else {
            let spread = table_log.map_or(WITHIN, |(_, spread)| spread);
            (spread * spread, if table_log.is_some() { 2.0 } else { 1.0 })
        };
        let freedom = prior_freedom + (own.count - 1.0).max(0.0);
        let variance = ((prior_freedom * prior_variance + own.squares) / freedom).max(1e-4);
        // The mean, from the widest to the nearest.
        let mut held = table_log.map(|(mean, _)| (mean, OF_A_TABLE * OF_A_TABLE));
        for (peers, between) in [(&wide, BETWEEN_ROUTES), (&route, BETWEEN_LANES)] {
            if !peers.is_empty() {
                let (mean, uncertain) = middle(peers, variance, between, held);
                held = Some((mean, uncertain + spread_between(peers, variance, between)));
            }
        }
        let (mean, uncertain) = match held {
            Some((prior, doubt)) if own.count > 0.0 => {
                let precision = 1.0 / doubt + own.count / variance;
                (
                    (prior / doubt + own.count * own.mean / variance) / precision,
                    1.0 / precision,
                )
            }
            Some(held) => held,
            None => (own.mean, variance / own.count.max(1.0)),
        };
        Some(Self {
            source,
            sorted,
            mean,
            scale: (variance + uncertain).sqrt(),
            freedom,
        })
    }

    /// The whole day of a probability: the middle one, or of a late edge the one whose chance is nearest (a day stands
    /// for all of it, so its end is what is promised).
    #[must_use]
    pub fn day(&self, p: f64) -> i64 {
        let end = if p > 0.5 { 0.5 } else { 0.0 };
        (self.at(p) - end).round().max(0.0) as i64
    }

    /// The days that the next passage keeps to with probability `p`.
    #[must_use]
    pub fn at(&self, p: f64) -> f64 {
        let count = self.sorted.len() as f64;
        let own = ((count - FEW) / (ENOUGH - FEW)).clamp(0.0, 1.0);
        let place = p * (count + 1.0) - 1.0;
        if own >= 1.0 && place <= count - 1.0 {
            return self.among(place);
        }
        // What is left out of the learning is not put back in as a tail.
        let middle = self.mean.exp_m1();
        let most = (3.0 * middle).max(middle + 30.0).clamp(0.0, FAR);
        let held = |p: f64| {
            let days = (self.mean + self.scale * t_quantile(p, self.freedom)).exp_m1();
            days.clamp(0.0, most)
        };
        if own <= 0.0 {
            return held(p);
        }
        let last = self.sorted.len() - 1;
        let seen = if place > last as f64 {
            // Beyond the last one: as much further as the logarithms say.
            let beyond = held(p) + 1.0;
            let edge = held(count / (count + 1.0)) + 1.0;
            let longest = self.sorted[last];
            ((longest + 1.0) * (beyond / edge).max(1.0) - 1.0).min(most.max(longest))
        } else {
            self.among(place)
        };
        own * seen + (1.0 - own) * held(p)
    }

    /// Between two passages in order.
    fn among(&self, place: f64) -> f64 {
        let last = self.sorted.len() - 1;
        let place = place.clamp(0.0, last as f64);
        let below = place.floor() as usize;
        let above = (below + 1).min(last);
        self.sorted[below] + (self.sorted[above] - self.sorted[below]) * (place - below as f64)
    }
}

pub const Z90: f64 = 1.281_551_565_544_600_4;

/// Mean over lanes, each weighted by what it knows, held by what is known already; and its variance.
fn middle(peers: &[Seen], variance: f64, between: f64, held: Option<(f64, f64)>) -> (f64, f64) {
    let between = spread_between(peers, variance, between);
    let (mut weights, mut sum) = match held {
        Some((mean, doubt)) => (1.0 / doubt, mean / doubt),
        None => (0.0, 0.0),
    };
    for peer in peers {
        let weight = 1.0 / (between + variance / peer.count);
        weights += weight;
        sum += weight * peer.mean;
    }
    (sum / weights, 1.0 / weights)
}

/// Variance between the means of lanes, the usual one counting for three of them.
fn spread_between(peers: &[Seen], variance: f64, usual: f64) -> f64 {
    let count = peers.len() as f64;
    let mean = peers.iter().map(|peer| peer.mean).sum::<f64>() / count;
    let squares: f64 = peers.iter().map(|peer| (peer.mean - mean).powi(2)).sum();
    let noise: f64 = peers.iter().map(|peer| variance / peer.count).sum::<f64>() / count * (count - 1.0);
    (((squares - noise).max(0.0) + 3.0 * usual * usual) / (count - 1.0 + 3.0)).max(0.0025)
}

/// Quantile of Student's t (Hill, CACM algorithm 396, 1970).
#[must_use]
pub fn t_quantile(p: f64, freedom: f64) -> f64 {
    if (p - 0.5).abs() < 1e-12 {
        return 0.0;
    }
    if p < 0.5 {
        return -t_quantile(1.0 - p, freedom);
    }
    let n = freedom.max(1.0);
    if n > 200.0 {
        return normal_quantile(p);
    }
    let tails = 2.0 * (1.0 - p);
    let a = 1.0 / (n - 0.5);
    let b = 48.0 / (a * a);
    let mut c = ((20_700.0 * a / b - 98.0) * a - 16.0) * a + 96.36;
    let d = ((94.5 / (b + c) - 3.0) / b + 1.0) * (a * std::f64::consts::FRAC_PI_2).sqrt() * n;
    let x = d * tails;
    let mut y = x.powf(2.0 / n);
    if y > 0.05 + a {
        let x = normal_quantile(tails / 2.0);
        y = x * x;
        if n < 5.0 {
            c += 0.3 * (n - 4.5) * (x + 0.6);
        }
        c += (((0.05 * d * x - 5.0) * x - 7.0) * x - 2.0) * x + b;
        y = (((((0.4 * y + 6.3) * y + 36.0) * y + 94.5) / c - y - 3.0) / b + 1.0) * x;
        y = (a * y * y).exp_m1();
    } else {
        y = ((1.0 / (((n + 6.0) / (n * y) - 0.089 * d - 0.822) * (n + 2.0) * 3.0) + 0.5 / (n + 4.0)) * y
            - 1.0)
            * (n + 1.0)
            / (n + 2.0)
            + 1.0 / y;
    }
    (n * y).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::demand::Dice;

    #[test]
    fn quantiles_of_t_are_those_of_the_tables() {
        for (p, freedom, wanted) in [
            (0.9, 4.0, 1.533_206),
            (0.95, 9.0, 1.833_113),
            (0.99, 3.0, 4.540_703),
            (0.975, 30.0, 2.042_272),
            (0.1, 9.0, -1.383_029),
        ] {
            let found = t_quantile(p, freedom);
            assert!((found - wanted).abs() < 2e-3, "{p} {freedom}: {found}");
        }
    }

    fn uniform(dice: &mut Dice) -> f64 {
        (dice.below(1 << 20) as f64 + 0.5) / f64::from(1 << 20)
    }

    /// Whole days of a passage, by one of five laws: lognormal, normal, gamma of shape 6 beyond 20 days, one in eight
    /// opened by customs, one that is late or early.
    fn passage(law: usize, scale: f64, dice: &mut Dice) -> f64 {
        let z = normal_quantile(uniform(dice));
        let days = match law {
            0 => scale * (0.25 * z).exp(),
            1 => scale * (1.0 + 0.2 * z),
            2 => 0.6 * scale + (0..6).map(|_| -uniform(dice).ln() * scale / 15.0).sum::<f64>(),
            3 => scale * (0.12 * z).exp() + if uniform(dice) < 0.125 { 0.5 * scale } else { 0.0 },
            _ => scale * (0.8 + 0.5 * uniform(dice)),
        };
        days.round().max(1.0)
    }

    #[test]
    fn r21_after_ten_receipts_a_lane_the_p90_covers_88_to_92_of_100_held_out() {
        let warehouse = WarehouseCode::new("x").unwrap();
        let place = Place {
            mode: Mode::Sea,
            stage: Stage::Transit,
            warehouse: &warehouse,
            country: "GB",
        };
        let mut dice = Dice::new(20_261_123);
        let (mut all, mut told) = ((0.0, 0.0), String::new());
        for law in 0..5 {
            let (mut covered, mut shown, mut plain) = (0.0, 0.0, 0.0);
            for _ in 0..800 {
                let scale = 15.0 + 40.0 * uniform(&mut dice);
                let mut days: Vec<f64> = (0..10).map(|_| passage(law, scale, &mut dice)).collect();
                days.sort_by(f64::total_cmp);
                let empirical = days[8];
                let law_of = Law::learn(days, Some((35.0, 50.0)), &Pools::default(), &place, 5).unwrap();
                let p90 = law_of.day(0.9) as f64;
                for _ in 0..50 {
                    let next = passage(law, scale, &mut dice);
                    covered += f64::from(u8::from(next <= p90));
                    plain += f64::from(u8::from(next <= empirical));
                    shown += 1.0;
                }
            }
            told.push_str(&format!(
                "law {law}: {:.3} (ninth of ten {:.3})\n",
                covered / shown,
                plain / shown
            ));
            assert!((0.87..=0.93).contains(&(covered / shown)), "{told}");
            all = (all.0 + covered, all.1 + shown);
        }
        let share = all.0 / all.1;
        assert!((0.88..=0.92).contains(&share), "{share:.4}\n{told}");
    }

    #[test]
    fn r21_few_passages_make_a_wider_law_than_they_are_and_other_lanes_narrow_it() {
        let warehouse = WarehouseCode::new("x").unwrap();
        let place = Place {
            mode: Mode::Sea,
            stage: Stage::Transit,
            warehouse: &warehouse,
            country: "GB",
        };
        let few = vec![30.0, 32.0, 34.0, 35.0, 36.0];
        let alone = Law::learn(few.clone(), None, &Pools::default(), &place, 5).unwrap();
        assert!(alone.at(0.95) > 36.0 && alone.at(0.5) > 32.0 && alone.at(0.5) < 35.5);
        let mut pools = Pools::default();
        let days: Vec<f64> = (0..40).map(|n| 40.0 + f64::from(n % 9)).collect();
        for name in ["a", "b", "c"] {
            let entry = ("GB".to_owned(), WarehouseCode::new(name).unwrap(), seen(&days));
            pools
                .0
                .entry((Mode::Sea, Stage::Transit))
                .or_default()
                .push(entry);
        }
        let held = Law::learn(few, None, &pools, &place, 5).unwrap();
        assert_eq!(held.source, Source::Lane);
        assert!(
            held.at(0.5) > alone.at(0.5),
            "the route pulls toward its own days"
        );
        let new = Law::learn(Vec::new(), None, &pools, &place, 5).unwrap();
        assert_eq!(new.source, Source::Route);
        assert!((40.0..50.0).contains(&new.at(0.5)));
        let elsewhere = Place {
            country: "US",
            ..place
        };
        let wide = Law::learn(Vec::new(), None, &pools, &elsewhere, 5).unwrap();
        assert_eq!(wide.source, Source::Mode);
        assert!(wide.at(0.9) > new.at(0.9), "less is known of another route");
    }
}
