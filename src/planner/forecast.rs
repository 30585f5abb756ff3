//! What one item's history says of its coming demand.

use super::context::{Context, WarehouseContext, known_days};
use super::demand::{Dice, History, TUNING, quantile};
use super::snapshot::ItemSeries;
use super::supply::joint::JointBuffers;

/// Memory a thread uses for one line after the other.
#[derive(Default)]
pub struct Buffers {
    pub history: History,
    pub sample: Vec<f64>,
    pub ahead: Vec<u16>,
    pub joint: JointBuffers,
    days: Vec<(usize, f64)>,
}

/// What is known of demand.
#[derive(Debug, Clone, Default)]
pub struct DemandView {
    pub velocity_7: Option<f64>,
    pub velocity_30: Option<f64>,
    pub velocity_90: Option<f64>,
    /// In-stock days with data that were used.
    pub days_used: i64,
    pub out_of_stock_days: i64,
    pub gap_days: i64,
    pub demand_days: i64,
    pub trend: f64,
    /// Season divided out, trend put in.
    pub level: f64,
    /// Units taken off single extreme days.
    pub outlier_units: i64,
    /// Upper and lower demand against the expected one at the anchors.
    spread: [(f64, f64); ANCHORS.len()],
}

/// Days ahead at which the spread of demand is measured; between them it is interpolated.
const ANCHORS: [u16; 3] = [14, 45, 120];
const ANCHOR_PATHS: usize = 128;
/// A day of more than so many times the mean of the other days with sales is cut to that, and the cut is shown.
const OUTLIER_TIMES: f64 = 50.0;
const OUTLIER_LEAST_DAYS: usize = 10;

/// None when no in-stock day has data: a velocity of nothing is unknown, not zero.
pub fn learn_demand(
    item: &ItemSeries,
    context: &Context<'_>,
    warehouse: &WarehouseContext<'_>,
    buffers: &mut Buffers,
) -> Option<DemandView> {
    let wanted = usize::try_from(context.policy.history_days.clamp(1, 731)).unwrap_or(365);
    buffers.days.clear();
    buffers.days.extend(
        known_days(item, context.as_of, LONGEST_HISTORY)
            .take(wanted)
            .map(|(back, units)| (back, f64::from(units))),
    );
    let oldest = buffers.days.last()?.0;
    let velocity = |days: usize| {
        let window = &buffers.days[..days.min(buffers.days.len())];
        Some(window.iter().map(|(_, units)| units).sum::<f64>() / window.len() as f64)
    };
    let (velocity_7, velocity_30, velocity_90) = (velocity(7), velocity(30), velocity(90));
    let mut out_of_stock = 0;
    let end = (context.as_of - item.sales.first_day).num_days();
    for back in 1..=oldest {
        let index = usize::try_from(end - back as i64).unwrap_or(usize::MAX);
        out_of_stock += i64::from(item.sales.out_of_stock(index));
    }
    let days_used = buffers.days.len() as i64;
    let outlier_units = cut_outliers(&mut buffers.days);
    let back = &warehouse.season_back;
    buffers.history.load(
        buffers
            .days
            .iter()
            .rev()
            .map(|(days, units)| (*units, back.get(days - 1).copied().unwrap_or(1.0))),
    );
    let history = &buffers.history;
    let trend = history.trend(&TUNING);
    let mut view = DemandView {
        velocity_7,
        velocity_30,
        velocity_90,
        days_used,
        out_of_stock_days: out_of_stock,
        gap_days: oldest as i64 - days_used - out_of_stock,
        demand_days: history.demand_days() as i64,
        trend,
        level: history.long_level() * trend,
        outlier_units,
        spread: [(1.0, 1.0); ANCHORS.len()],
    };
    if view.level > 0.0 {
        let mut dice = line_dice(item, context);
        let step = (context.draws.len() / ANCHOR_PATHS).max(1);
        let draws: Vec<f64> = context
            .draws
            .iter()
            .copied()
            .step_by(step)
            .take(ANCHOR_PATHS)
            .collect();
        for (spread, anchor) in view.spread.iter_mut().zip(ANCHORS) {
            buffers.ahead.clear();
            buffers.ahead.resize(draws.len(), anchor);
            buffers.history.sample(
                &TUNING,
                &warehouse.season_ahead,
                &buffers.ahead,
                &draws,
                &mut dice,
                &mut buffers.sample,
            );
            let mean = view.level * warehouse.season_ahead[usize::from(anchor)];
            let high = quantile(&mut buffers.sample, 900) / mean;
            let low = quantile(&mut buffers.sample, 100) / mean;
            *spread = (low.min(1.0), high.max(1.0));
        }
    }
    Some(view)
}

/// Days searched back to fill the history with in-stock days.
const LONGEST_HISTORY: usize = 1_500;

fn cut_outliers(days: &mut [(usize, f64)]) -> i64 {
    let (mut total, mut sold_days, mut largest) = (0.0, 0_usize, 0.0_f64);
    for (_, units) in days.iter() {
        total += units;
        sold_days += usize::from(*units > 0.0);
        largest = largest.max(*units);
    }
    if sold_days < OUTLIER_LEAST_DAYS {
        return 0;
    }
    let cap = (OUTLIER_TIMES * (total - largest) / (sold_days - 1) as f64).round();
    if largest <= cap {
        return 0;
    }
    let mut cut = 0.0;
    for (_, units) in days.iter_mut() {
        if *units > cap {
            cut += *units - cap;
            *units = cap;
        }
    }
    cut as i64
}

/// The dice of a line: by its name, so that no fact moves them.
pub fn line_dice(item: &ItemSeries, context: &Context<'_>) -> Dice {
    // FNV-1a: stable over versions of the compiler.
    let mut hash = 0xCBF2_9CE4_8422_2325_u64 ^ context.policy.seed;
    for byte in item
        .warehouse
        .as_str()
        .bytes()
        .chain([0])
        .chain(item.sku.as_str().bytes())
    {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    }
    Dice::new(hash)
}

impl DemandView {
    /// Expected demand of a day ahead.
    #[must_use]
    pub fn expected(&self, season_ahead: &[f64], day: usize) -> f64 {
        let day = day.min(season_ahead.len().saturating_sub(2));
        self.level * (season_ahead[day + 1] - season_ahead[day])
    }

    /// Cumulative demand of the first `days` days at the upper or lower edge of what is likely.
    #[must_use]
    pub fn cumulative(&self, season_ahead: &[f64], days: usize, upper: bool) -> f64 {
        let pick = |(low, high): (f64, f64)| if upper { high } else { low };
        self.level * season_ahead[days] * self.interpolate(days, pick)
    }

    fn interpolate(&self, day: usize, pick: impl Fn((f64, f64)) -> f64) -> f64 {
        let spread = &self.spread;
        let day = day as f64;
        let place = |index: usize| f64::from(ANCHORS[index]);
        if day <= place(0) {
            return pick(spread[0]);
        }
        for index in 1..ANCHORS.len() {
            if day <= place(index) {
                let share = (day - place(index - 1)) / (place(index) - place(index - 1));
                return pick(spread[index - 1]) * (1.0 - share) + pick(spread[index]) * share;
            }
        }
        pick(spread[ANCHORS.len() - 1])
    }
}
