//! Judges the models on real weekly sales: the sum of twelve weeks from three origins, the future hidden.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use chrono::NaiveDate;
use linkstar::planner::models::tournament::{Contest, FAST, Model, run as contest};
use linkstar::planner::models::{BLEND_TUNING, BlendTuning, bias, blend, common_season, wape};

const WEEKS_AHEAD: usize = 12;
const YEAR: usize = 52;
const ORIGINS: [&str; 3] = ["2011-07-11", "2011-08-08", "2011-09-05"];

type Sales = BTreeMap<String, BTreeMap<String, f64>>;

fn read(path: &str) -> Result<Sales, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("reading {path}: {error}"))?;
    let mut sales = Sales::new();
    for (number, line) in text.lines().enumerate().skip(1) {
        let mut fields = line.split(',');
        let (Some(sku), Some(week), Some(Ok(units))) =
            (fields.next(), fields.next(), fields.next().map(str::parse::<f64>))
        else {
            return Err(format!("{path} line {}: not sku,week,qty", number + 1));
        };
        *sales
            .entry(sku.to_owned())
            .or_default()
            .entry(week.to_owned())
            .or_default() += units;
    }
    Ok(sales)
}

/// All Mondays from the first to the last that sold: a week without any sale is a week too.
fn calendar(sales: &Sales) -> Vec<String> {
    let days: BTreeSet<NaiveDate> = sales
        .values()
        .flat_map(BTreeMap::keys)
        .filter_map(|week| week.parse().ok())
        .collect();
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Vec::new();
    };
    first
        .iter_weeks()
        .take_while(|day| day <= last)
        .map(|day| day.to_string())
        .collect()
}

/// An item at an origin: what was known, and what came.
struct Case {
    item: usize,
    origin: usize,
    known: Vec<f64>,
    came: f64,
}

pub fn run(path: &str) -> ExitCode {
    let sales = match read(path) {
        Ok(sales) => sales,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let weeks = calendar(&sales);
    let mut cases = Vec::new();
    for (item, sold) in sales.values().enumerate() {
        let y: Vec<f64> = weeks
            .iter()
            .map(|week| sold.get(week).copied().unwrap_or_default())
            .collect();
        let first = y.iter().position(|units| *units > 0.0).unwrap_or(y.len());
        for (number, day) in ORIGINS.iter().enumerate() {
            let Some(origin) = weeks.iter().position(|week| week == day) else {
                continue;
            };
            if origin >= first + YEAR && origin + WEEKS_AHEAD <= y.len() {
                cases.push(Case {
                    item,
                    origin: number,
                    known: y[first..origin].to_vec(),
                    came: y[origin..origin + WEEKS_AHEAD].iter().sum(),
                });
            }
        }
    }
    let seasons: Vec<f64> = (0..ORIGINS.len())
        .map(|origin| {
            let known = cases
                .iter()
                .filter(|case| case.origin == origin)
                .map(|case| case.known.as_slice());
            common_season(known, YEAR, WEEKS_AHEAD).unwrap_or(1.0)
        })
        .collect();
    println!("{} items and origins; common season {seasons:.3?}", cases.len());
    println!(
        "{:<44} {:>7} {:>8}   even items       odd items        by origin",
        "", "WAPE", "bias"
    );
    let sum = |ahead: Vec<f64>| ahead.iter().sum::<f64>();
    let alone = |model: Model| move |case: &Case| model.forecast(&case.known, WEEKS_AHEAD).map_or(0.0, sum);
    let entrants = |best: usize, target: f64| {
        move |case: &Case| {
            let rules = Contest {
                interval: WEEKS_AHEAD,
                target,
                warm_up: 26,
                stride: 2,
                best,
            };
            contest(&case.known, &FAST, &rules).map_or(0.0, |verdict| sum(verdict.forecast))
        }
    };
    let blended = |tuning: BlendTuning| {
        let seasons = seasons.clone();
        move |case: &Case| {
            blend(&case.known, YEAR, seasons[case.origin], &tuning, WEEKS_AHEAD).map_or(0.0, sum)
        }
    };
    let seasonal = |belief: f64| {
        let seasons = seasons.clone();
        let judge = entrants(3, 0.5);
        move |case: &Case| judge(case) * (1.0 + belief * (seasons[case.origin] - 1.0))
    };
    print(&cases, "TSB 0.1 0.1", alone(Model::Tsb(0.1, 0.1)));
    print(&cases, "SES 0.1", alone(Model::Ses(0.1)));
    print(&cases, "SES 0.2", alone(Model::Ses(0.2)));
    print(&cases, "IMAPA", alone(Model::Imapa));
    print(&cases, "Theta", alone(Model::Theta(1)));
    print(&cases, "tournament at .50, best 3", entrants(3, 0.5));
    print(&cases, "tournament at .50, best 6", entrants(6, 0.5));
    print(&cases, "tournament at .50, season believed 0.3", seasonal(0.3));
    print(&cases, "tournament at .50, season believed 0.5", seasonal(0.5));
    for belief in [0.0, 0.2, BLEND_TUNING.belief, 0.4] {
        let name = format!("blend, season believed {belief}");
        print(
            &cases,
            &name,
            blended(BlendTuning {
                belief,
                ..BLEND_TUNING
            }),
        );
    }
    let (half, judge) = (blended(BLEND_TUNING), seasonal(BLEND_TUNING.belief));
    print(
        &cases,
        "mean of blend and tournament, both at 0.3",
        |case: &Case| f64::midpoint(half(case), judge(case)),
    );
    ExitCode::SUCCESS
}

fn print(cases: &[Case], name: &str, forecast: impl Fn(&Case) -> f64) {
    let judged: Vec<(&Case, f64)> = cases.iter().map(|case| (case, forecast(case))).collect();
    let score = |take: &dyn Fn(&Case) -> bool| {
        let (came, said): (Vec<f64>, Vec<f64>) = judged
            .iter()
            .filter(|(case, _)| take(case))
            .map(|(case, said)| (case.came, *said))
            .unzip();
        let figure = |score: Result<Option<f64>, _>| score.ok().flatten().unwrap_or(f64::NAN);
        (figure(wape(&came, &said)), figure(bias(&came, &said)))
    };
    let (error, low) = score(&|_| true);
    let text: Vec<String> = [
        score(&|case| case.item % 2 == 0),
        score(&|case| case.item % 2 == 1),
        score(&|case| case.origin == 0),
        score(&|case| case.origin == 1),
        score(&|case| case.origin == 2),
    ]
    .iter()
    .map(|(error, low)| format!("{error:.4} {:+6.1} %", low * 100.0))
    .collect();
    println!(
        "{name:<44} {error:>7.4} {:>+6.1} %   {}",
        low * 100.0,
        text.join("  ")
    );
}
