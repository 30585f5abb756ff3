//! Online calibration: the place the demand is read at is moved by what earlier decisions attained.
//!
//! A decision is judged once its own interval (review and lead time) has passed: what was wanted in it, against the
//! position the decision left. Wanted is what was sold, and for days out of stock what such days sold otherwise: so a
//! stock-out that an earlier order caused does not count against this one unless this one's units would not have
//! sufficed either, and what people did to the quantity does not matter. Adaptive conformal inference (Gibbs and
//! Candès 2021), by segment, in steps and within bounds; whole numbers only, so that the same decisions give the same
//! state.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::{Deserialize, Serialize};

use super::context::{Context, WarehouseContext};
use super::lead::LaneDays;
use super::model::{Explain, Plan};
use super::snapshot::{DailySales, ItemSeries, Policy, Snapshot};
use crate::ids::{Sku, WarehouseCode};
use crate::order::Mode;

/// How often an item sells: the share of its in-stock days with sales.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SalesClass {
    /// On more than half of its days.
    Often,
    /// On a quarter to half.
    Weekly,
    /// On a tenth to a quarter.
    Seldom,
    Rare,
}

impl SalesClass {
    pub const ALL: [Self; 4] = [Self::Often, Self::Weekly, Self::Seldom, Self::Rare];

    /// Of days with sales among in-stock days.
    #[must_use]
    pub fn of(demand_days: i64, days: i64) -> Self {
        let share = |times: i64| demand_days.saturating_mul(times) > days;
        match (share(2), share(4), share(10)) {
            (true, _, _) => Self::Often,
            (_, true, _) => Self::Weekly,
            (_, _, true) => Self::Seldom,
            _ => Self::Rare,
        }
    }

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Often => "often",
            Self::Weekly => "weekly",
            Self::Seldom => "seldom",
            Self::Rare => "rare",
        }
    }

    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }
}

/// Fewer judged decisions move nothing.
pub const LEAST_OUTCOMES: i64 = 200;
/// Days of decisions the memory reaches over; until then all count alike.
const MEMORY: i64 = 26;
/// Days on which nothing was missed that a new segment is taken to have had: a day has hundreds of decisions, and more
/// than one such day kept the first half year a point above its target.
const PRIOR: i64 = 1;
/// One day's decisions move the place by at most this share of what the target leaves over, in thousandths.
const MOST_STEP: i64 = 200;
/// The place stays within these, in millionths, whatever was attained.
const BOUNDS: (i64, i64) = (500_000, 999_000);
const WHOLE: i64 = 1_000_000;

/// What the decisions of one segment attained, and how far the place read is moved for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    pub warehouse: WarehouseCode,
    /// Of the lane quantities follow.
    pub mode: Mode,
    pub class: SalesClass,
    pub target_permille: u16,
    /// Added to the target, in millionths.
    pub shift_ppm: i64,
    /// Decisions judged so far, and the days they were made on.
    pub outcomes: i64,
    pub days: i64,
    /// Where they were read, and the share of them that was covered, the recent ones counting more, in millionths.
    pub read_ppm: i64,
    pub attained_ppm: i64,
}

impl Calibration {
    /// The state of a line's segment; None until enough of its decisions were judged.
    #[must_use]
    pub fn of<'a>(
        policy: &'a Policy,
        warehouse: &WarehouseCode,
        mode: Mode,
        class: SalesClass,
        target_permille: u16,
    ) -> Option<&'a Self> {
        let found = policy.calibration.iter().find(|segment| {
            segment.class == class
                && segment.target_permille == target_permille
                && segment.mode == mode
                && segment.warehouse == *warehouse
        })?;
        (policy.calibrate && found.outcomes >= LEAST_OUTCOMES).then_some(found)
    }

    /// The target moved, in thousandths.
    #[must_use]
    pub fn read_permille(&self) -> u16 {
        let read = (i64::from(self.target_permille) * 1000 + self.shift_ppm).clamp(BOUNDS.0, BOUNDS.1);
        u16::try_from((read + 500) / 1000).unwrap_or(self.target_permille)
    }

    /// Where the target is read, and why.
    #[must_use]
    pub fn explain(&self) -> Explain {
        Explain {
            terms: vec![
                Explain::fact("outcomes", self.outcomes.to_string(), ""),
                Explain::percent("read_before", (self.read_ppm + 500) / 1000),
                Explain::percent("attained", (self.attained_ppm + 500) / 1000),
            ],
            ..Explain::percent("service_calibrated", i64::from(self.read_permille()))
        }
    }

    /// Takes in one day's decisions: how many, and the sums of where they were read and of what they covered, in
    /// millionths.
    ///
    /// The place is the target and what such decisions fell short of the place they were read at. Adding a little of
    /// each day's miss to the last place (the plain recursion) was tried: outcomes come a whole interval late, and it
    /// swings.
    fn learn(&mut self, count: i64, read_ppm: i64, covered_ppm: i64) {
        let target = i64::from(self.target_permille) * 1000;
        let (read, covered) = (read_ppm / count.max(1), covered_ppm / count.max(1));
        let seen = self.days.min(MEMORY);
        let blend = |old: i64, new: i64, weight: i64| (old * weight + new) / (weight + 1);
        self.read_ppm = blend(self.read_ppm, read, seen);
        self.attained_ppm = blend(self.attained_ppm, covered, seen);
        let most = (WHOLE - target) * MOST_STEP / 1000;
        let step = (read - covered - self.shift_ppm) / (self.days + PRIOR).min(MEMORY);
        let place = target + self.shift_ppm + step.clamp(-most, most);
        self.shift_ppm = place.clamp(BOUNDS.0, BOUNDS.1) - target;
        self.outcomes += count;
        self.days += 1;
    }
}

/// Lead times at which a decision is judged, in thousandths: all of its distribution, not one chance of it.
const JUDGED_AT: [u16; 5] = [100, 300, 500, 700, 900];

/// What a line decided, to be judged later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub as_of: NaiveDate,
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub mode: Mode,
    pub class: SalesClass,
    pub target_permille: u16,
    /// Where the target was read.
    pub read_permille: u16,
    /// Everything on hand, under way and suggested.
    pub position: i64,
    /// Units expected over review and lead time.
    pub mean: i64,
    /// Expected units a day, in thousandths: what a day out of stock is taken for when nothing else is known.
    pub rate_milli: i64,
    /// Review and lead time at five places of the lead time's distribution, rising.
    pub days: [i64; JUDGED_AT.len()],
}

/// What came of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Share of its intervals in which the position covered what was wanted, in millionths.
    pub covered_ppm: i64,
    /// Units wanted, mean over its intervals.
    pub wanted: i64,
}

impl Decision {
    /// The first day on which it can be judged.
    #[must_use]
    pub fn due(&self) -> NaiveDate {
        super::balance::day_after(self.as_of, self.days.into_iter().max().unwrap_or(0))
    }

    /// What came of it. None when most of the days have no data.
    #[must_use]
    pub fn judge(&self, sales: &DailySales) -> Option<Outcome> {
        let longest = self.days.into_iter().max().filter(|days| *days > 0)?;
        let offset = (self.as_of - sales.first_day).num_days();
        let day = |ahead: i64| -> Option<u32> {
            let index = usize::try_from(offset + ahead).ok()?;
            if sales.out_of_stock(index) {
                return None;
            }
            sales.units.get(index)
        };
        let seen: Vec<Option<u32>> = (0..longest).map(day).collect();
        let known = seen.iter().flatten().count() as i64;
        let known_days_unstocked = (0..longest)
            .filter(|ahead| usize::try_from(offset + ahead).is_ok_and(|index| sales.out_of_stock(index)))
            .count() as i64;
        if (known + known_days_unstocked) * 2 < longest {
            return None;
        }
        let sold: i64 = seen.iter().flatten().map(|units| i64::from(*units) * 1000).sum();
        let missing = if known >= DAYS_THAT_TELL {
            sold / known
        } else {
            self.rate_milli
        };
        let (mut covered, mut all) = (0, 0);
        for days in self.days {
            let wanted: i64 = seen
                .iter()
                .take(usize::try_from(days).unwrap_or(0))
                .map(|units| units.map_or(missing, |units| i64::from(units) * 1000))
                .sum();
            covered += i64::from(wanted <= self.position.saturating_mul(1000));
            all += wanted;
        }
        let intervals = JUDGED_AT.len() as i64;
        Some(Outcome {
            covered_ppm: covered * WHOLE / intervals,
            wanted: (all / intervals + 500) / 1000,
        })
    }
}

/// In-stock days of an interval that say what its days out of stock would have sold.
const DAYS_THAT_TELL: i64 = 14;

/// The decisions a plan made, in the order of its lines. Lines without a quantity decided nothing.
#[must_use]
pub fn decisions(snapshot: &Snapshot, policy: &Policy, plan: &Plan) -> Vec<Decision> {
    let context = Context::new(snapshot, policy);
    let warehouses: BTreeMap<&WarehouseCode, WarehouseContext<'_>> = snapshot
        .warehouses
        .iter()
        .map(|facts| {
            let paced = |item: &&ItemSeries| item.production.is_some() && item.warehouse == facts.warehouse;
            let items: Vec<&ItemSeries> = snapshot.series.iter().filter(paced).collect();
            (&facts.warehouse, context.warehouse(Some(facts), &items))
        })
        .collect();
    let items: BTreeMap<(&WarehouseCode, &Sku), &ItemSeries> = snapshot
        .series
        .iter()
        .map(|item| ((&item.warehouse, &item.sku), item))
        .collect();
    plan.lines
        .iter()
        .filter_map(|line| {
            let suggested = line.suggested_units?;
            let item = items.get(&(&line.warehouse, &line.sku))?;
            let warehouse = warehouses.get(&line.warehouse)?;
            let lanes: &[LaneDays] = match &item.production {
                Some(production) => warehouse.lanes_with(production),
                None => &warehouse.lanes,
            };
            let lane = lanes.first()?;
            let explain = &line.explain;
            let units = |key: &str| explain.units_of(key).unwrap_or(0);
            let permille = |key: &str| -> Option<u16> {
                let percent: Decimal = explain.find(key)?.value.parse().ok()?;
                (percent * Decimal::TEN).to_u16()
            };
            let target_permille = permille("service_target")?;
            Some(Decision {
                as_of: plan.as_of,
                warehouse: line.warehouse.clone(),
                sku: line.sku.clone(),
                mode: lane.mode,
                class: SalesClass::of(units("demand_days"), units("days_used")),
                target_permille,
                read_permille: permille("service_calibrated").unwrap_or(target_permille),
                // The terms of the sum take stock off: they are negative there.
                position: line.available?
                    - units("less_pending")
                    - units("less_inbound")
                    - units("less_returns")
                    + suggested,
                mean: units("demand_mean"),
                rate_milli: line
                    .velocity
                    .and_then(|rate| (rate * Decimal::ONE_THOUSAND).to_i64())
                    .unwrap_or(0),
                days: JUDGED_AT
                    .map(|permille| policy.review_days.clamp(0, 365) + lane.until_next_at(permille)),
            })
        })
        .collect()
}

/// Takes what was judged into the states: each day's decisions of a segment together, the oldest day first. `judged`
/// are decisions with their covered shares in millionths; their order does not matter.
pub fn learn<'a>(states: &mut Vec<Calibration>, judged: impl Iterator<Item = (&'a Decision, i64)>) {
    type Key<'a> = (NaiveDate, &'a WarehouseCode, Mode, SalesClass, u16);
    let mut batches: BTreeMap<Key<'a>, (i64, i64, i64)> = BTreeMap::new();
    for (decision, covered) in judged {
        let key = (
            decision.as_of,
            &decision.warehouse,
            decision.mode,
            decision.class,
            decision.target_permille,
        );
        let batch = batches.entry(key).or_default();
        batch.0 += 1;
        batch.1 += i64::from(decision.read_permille) * 1000;
        batch.2 += covered;
    }
    for ((_, warehouse, mode, class, target_permille), (count, read, covered)) in batches {
        let place = states.iter().position(|state| {
            (&state.warehouse, state.mode, state.class, state.target_permille)
                == (warehouse, mode, class, target_permille)
        });
        let place = place.unwrap_or_else(|| {
            states.push(Calibration {
                warehouse: warehouse.clone(),
                mode,
                class,
                target_permille,
                shift_ppm: 0,
                outcomes: 0,
                days: 0,
                read_ppm: 0,
                attained_ppm: 0,
            });
            states.len() - 1
        });
        if let Some(state) = states.get_mut(place) {
            state.learn(count, read, covered);
        }
    }
    states.sort();
}

#[cfg(test)]
mod tests;
