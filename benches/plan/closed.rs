//! Policies in the closed loop on real sales, with a known law of lead times: what `docs/planning.md` shows.
//!
//! `cargo bench --bench plan -- loop sales.csv [target …]`; rows `sku,date,qty`. The last 52 weeks are lived through.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{Days, NaiveDate};
use linkstar::backtest::{Cell, History, LeadTable, Rule, Settings, World, WorldLane, run};
use linkstar::order::Mode;
use linkstar::planner::{DailySales, Observation, Policy, SalesClass, Stage, StageTimes};

use super::shop;

/// An item that sold next to nothing in the days that count has stock for ever: a year of it is enough to say so.
const MOST_DAYS: f64 = 365.0;

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        let (a, b) = (1.0 - self.next(), self.next());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }

    /// 20 days and a gamma of mean 15 and standard deviation 8, whole days begun (Marsaglia and Tsang).
    fn lead(&mut self) -> u16 {
        let shape = (15.0_f64 / 8.0).powi(2);
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let z = self.normal();
            let v = (1.0 + c * z).powi(3);
            if v > 0.0 && (1.0 - self.next()).ln() < 0.5 * z * z + d - d * v + d * v.ln() {
                return 20 + (d * v * 15.0 / shape) as u16;
            }
        }
    }
}

/// Reads the sales, lives every policy at every target, prints a row each.
pub fn run_loop(path: &str, targets: &[u16], rules: &[String]) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut sales: BTreeMap<&str, BTreeMap<NaiveDate, u32>> = BTreeMap::new();
    for row in text.lines().skip(1) {
        let mut cells = row.split(',');
        let (Some(sku), Some(date), Some(units)) = (cells.next(), cells.next(), cells.next()) else {
            continue;
        };
        if let (Ok(date), Ok(units)) = (date.parse::<NaiveDate>(), units.parse::<u32>()) {
            *sales.entry(sku).or_default().entry(date).or_default() += units;
        }
    }
    if sales.is_empty() {
        println!("`{path}` has no rows `sku,date,qty`");
        return;
    }
    let mut dice = Dice(0x5EED);
    let receipts: Vec<u64> = (0..30).map(|_| u64::from(dice.lead())).collect();
    let law: Vec<(u16, u16)> = (0..20_000).map(|_| (0, dice.lead())).collect();
    println!(
        "policy                  target  items  coverage  fill    out    days mean/median/units  often/weekly/seldom/rare    thirds of items     quarters"
    );
    for target in targets {
        let policy = Policy {
            service_permille: *target,
            ..Policy::default()
        };
        let history = history(&sales, &receipts, policy.clone());
        let settings = Settings {
            weeks: Some(52),
            ..Settings::default()
        };
        let mut world = match World::of(&history, &settings) {
            Ok(world) => world,
            Err(refusal) => {
                println!("{refusal}");
                return;
            }
        };
        let truth = LeadTable::new(law.clone()).expect("twenty thousand ways");
        let lanes = Arc::new(vec![WorldLane {
            mode: Mode::Sea,
            times: truth,
        }]);
        for item in &mut world.items {
            item.lanes = Arc::clone(&lanes);
        }
        for name in rules {
            let rule = match Rule::named(name, &policy) {
                Ok(rule) => rule,
                Err(error) => {
                    println!("{error}");
                    return;
                }
            };
            let life = run(&world, &rule, 0, 1, &mut |_| {});
            print_row(&world, name, *target, &life.tally.cells);
            for state in &life.calibration {
                println!(
                    "    {:8} read at {} after {} decisions, attained {}",
                    state.class.code(),
                    state.read_permille(),
                    state.outcomes,
                    state.attained_ppm / 1000
                );
            }
        }
    }
}

fn print_row(world: &World, name: &str, target: u16, cells: &[Vec<Cell>]) {
    let of = |wanted: &dyn Fn(SalesClass, usize) -> bool| {
        let mut sum = Cell::default();
        for (item, quarters) in world.items.iter().zip(cells) {
            for (quarter, cell) in quarters.iter().enumerate() {
                if wanted(item.class, quarter) {
                    sum.add(cell);
                }
            }
        }
        sum
    };
    let share = |part: i64, whole: i64| part as f64 / whole.max(1) as f64;
    let all = of(&|_, _| true);
    let mut days: Vec<f64> = cells
        .iter()
        .filter_map(|quarters| {
            let mut sum = Cell::default();
            quarters.iter().for_each(|cell| sum.add(cell));
            (sum.demand > 0).then(|| (sum.stock_days as f64 / sum.demand as f64).min(MOST_DAYS))
        })
        .collect();
    days.sort_by(f64::total_cmp);
    let mean = days.iter().sum::<f64>() / days.len().max(1) as f64;
    let median = days.get(days.len() / 2).copied().unwrap_or(0.0);
    let coverage = |cell: Cell| format!("{:.3}", share(cell.covered, cell.decisions));
    let classes: Vec<String> = SalesClass::ALL
        .iter()
        .map(|class| coverage(of(&|of, _| of == *class)))
        .collect();
    // The same by thirds of the items, those that sold on most days first.
    let mut order: Vec<(f64, usize)> = world
        .items
        .iter()
        .enumerate()
        .map(|(place, item)| (selling_share(&item.series.sales), place))
        .collect();
    order.sort_by(|one, other| other.0.total_cmp(&one.0));
    let thirds: Vec<String> = (0..3)
        .map(|third| {
            let mut sum = Cell::default();
            for (_, place) in &order[order.len() * third / 3..order.len() * (third + 1) / 3] {
                cells[*place].iter().for_each(|cell| sum.add(cell));
            }
            coverage(sum)
        })
        .collect();
    let quarters: Vec<String> = (0..world.quarters())
        .map(|quarter| coverage(of(&|_, of| of == quarter)))
        .collect();
    println!(
        "{name:24}{:.3}  {:5}  {}     {:.3}  {:4.1}%  {mean:6.1} {median:6.1} {:6.1}    {}   {}   {}",
        f64::from(target) / 1000.0,
        world.items.len(),
        coverage(all),
        share(all.sold, all.demand),
        100.0 * share(all.out_days, all.days),
        all.stock_days as f64 / all.demand.max(1) as f64,
        classes.join("/"),
        thirds.join("/"),
        quarters.join("/"),
    );
}

/// Share of the last year's days with a sale.
fn selling_share(sales: &DailySales) -> f64 {
    let length = sales.units.len();
    let days = length.min(365);
    let sold = (length - days..length).filter(|day| sales.units.get(*day).unwrap_or(0) > 0);
    sold.count() as f64 / days.max(1) as f64
}

fn history(sales: &BTreeMap<&str, BTreeMap<NaiveDate, u32>>, receipts: &[u64], policy: Policy) -> History {
    let last = sales
        .values()
        .flat_map(BTreeMap::keys)
        .max()
        .copied()
        .unwrap_or_default();
    let as_of = last + Days::new(1);
    let seen_from = as_of - Days::new(600);
    let series = sales
        .iter()
        .filter_map(|(sku, days)| {
            let first_day = *days.keys().next()?;
            let length = u64::try_from((as_of - first_day).num_days()).ok()?;
            // One day in two hundred is cut to the largest of the others: a single order for a hotel says nothing of
            // the policies.
            let units: Vec<u32> = (0..length)
                .map(|day| days.get(&(first_day + Days::new(day))).copied().unwrap_or(0))
                .collect();
            let mut sorted = units.clone();
            sorted.sort_unstable();
            let cap = sorted
                .get(sorted.len() * 995 / 1000)
                .copied()
                .unwrap_or(u32::MAX)
                .max(1);
            Some(shop::item(
                sku,
                DailySales {
                    first_day,
                    units: units.into_iter().map(|units| Some(units.min(cap))).collect(),
                    in_stock: Vec::new(),
                },
            ))
        })
        .collect();
    History {
        snapshot: shop::snapshot(
            as_of,
            StageTimes {
                stage: Stage::Transit,
                p50: None,
                p90: None,
                observed: receipts
                    .iter()
                    .map(|days| Observation {
                        from: seen_from,
                        to: seen_from + Days::new(*days),
                    })
                    .collect(),
            },
            series,
        ),
        policy,
        stock: BTreeMap::new(),
        rates: BTreeMap::new(),
    }
}
