//! Policies on a known world: the order they rank in, what they may see, what is concluded and refused.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

use linkstar::backtest::{
    Cell, Conclusion, History, Life, Rates, Refusal, Report, Rule, Settings, World, report, run,
};
use linkstar::order::Mode;
use linkstar::planner::{DailySales, Policy};
use linkstar::report::backtest::files;
use linkstar::wording::Lang;
use proptest::prelude::*;

use crate::planner::{after, code, day, item, lane, snapshot};

const AS_OF: &str = "2026-11-22";

/// Small seeded dice of the tests' own.
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn poisson(&mut self, mean: f64) -> u32 {
        let (mut units, mut product) = (0, self.unit());
        while product > (-mean).exp() {
            units += 1;
            product *= self.unit();
        }
        units
    }
}

/// Items that sell a Poisson number a day, brought in exactly `lead` days.
fn world_of(items: usize, days: usize, mean: f64, lead: i64, seed: u64) -> History {
    let mut dice = Dice(seed | 1);
    let series = (0..items)
        .map(|n| {
            let sales: Vec<u32> = (0..days).map(|_| dice.poisson(mean)).collect();
            item(&format!("S{n:03}"), day(AS_OF), &sales, 0)
        })
        .collect();
    History {
        snapshot: snapshot(day(AS_OF), vec![lane(Mode::Sea, lead, lead, 1)], series),
        policy: Policy {
            season: false,
            paths: 200,
            ..Policy::default()
        },
        stock: BTreeMap::new(),
        rates: BTreeMap::new(),
    }
}

fn lives(world: &World, rules: &[Rule], settings: &Settings) -> Vec<(String, Vec<Life>)> {
    rules
        .iter()
        .map(|rule| {
            let lives = (0..settings.runs).map(|number| run(world, rule, number, settings.seed, &mut |_| {}));
            (rule.name().to_owned(), lives.collect())
        })
        .collect()
}

fn reported(history: &History, names: &[&str], settings: &Settings) -> Report {
    let world = World::of(history, settings).expect("a world");
    let rules: Vec<Rule> = names
        .iter()
        .map(|name| Rule::named(name, &history.policy).expect("a policy"))
        .collect();
    report(&world, &lives(&world, &rules, settings), settings)
}

fn once(weeks: i64) -> Settings {
    Settings {
        weeks: Some(weeks),
        runs: 1,
        ..Settings::default()
    }
}

#[test]
fn r80_on_demand_with_a_known_optimum_the_best_level_ranks_first() {
    // A unit a day costs 1 to keep, a lost unit 133: at the end of a week the critical ratio is 133 / (133 + 7) = .95.
    let history = world_of(20, 500, 6.0, 14, 0xA11CE);
    let world = World::of(&history, &once(40)).expect("a world");
    // Six a day over 21 days: a Poisson of 126, whose .95 quantile is 145, about 24 days of demand.
    let cost = |name: &str| {
        let rule = Rule::named(name, &history.policy).expect("a policy");
        let life = run(&world, &rule, 0, 1, &mut |_| {});
        let mut sum = Cell::default();
        life.tally.cells.iter().flatten().for_each(|cell| sum.add(cell));
        sum.stock_days + 133 * (sum.demand - sum.sold)
    };
    let [short, low, best, high] = ["cover-19", "cover-21", "cover-24", "cover-30"].map(cost);
    assert!(
        best < low && low < short && best < high,
        "{short} {low} {best} {high}"
    );
}

#[test]
fn r80_even_demand_is_ordered_up_to_what_it_needs_and_no_more() {
    // Ten a day for certain: review 7 and lead 14 need 210, and nothing is ever lost. Less is lost, more is kept.
    let mut history = world_of(10, 400, 1.0, 14, 3);
    for item in &mut history.snapshot.series {
        let days = item.sales.units.len();
        item.sales.units = (0..days).map(|_| Some(10)).collect();
    }
    let report = reported(&history, &["base-stock", "min-max", "seller-velocity"], &once(26));
    let figures = |place: usize| {
        let all = &report.policies[place].all;
        let value = |range: Option<linkstar::backtest::Range>| range.expect("known").value;
        (value(all.fill), value(all.stock_days))
    };
    let ((exact, held), (short, less), (long, more)) = (figures(0), figures(1), figures(2));
    assert_eq!(exact.to_string(), "1");
    assert!(
        short < exact && less < held,
        "min-max leaves the review out: {short} {less}"
    );
    assert!(
        long == exact && more > held,
        "safety days are kept for nothing: {more} {held}"
    );
    assert_eq!(
        report.policies[1]
            .against_first
            .as_ref()
            .map(|against| against.conclusion),
        Some(Conclusion::Leaner)
    );
    assert_eq!(
        report.policies[2]
            .against_first
            .as_ref()
            .map(|against| against.conclusion),
        Some(Conclusion::Worse)
    );
}

#[test]
fn r80_history_below_sixty_days_refuses_to_conclude() {
    let refused = World::of(&world_of(20, 59, 3.0, 14, 1), &Settings::default()).expect_err("refused");
    assert_eq!(refused, Refusal::ShortHistory { days: 59 });
    assert!(World::of(&world_of(20, 60, 3.0, 14, 1), &Settings::default()).is_ok());
    let refused = World::of(&world_of(20, 100, 3.0, 14, 1), &once(12)).expect_err("refused");
    assert_eq!(
        refused,
        Refusal::TooManyWeeks {
            weeks: 12,
            left: 16,
            days: 100
        }
    );
}

#[test]
fn r80_few_items_have_figures_and_no_conclusion() {
    let report = reported(&world_of(3, 300, 3.0, 14, 9), &["linkstar", "min-max"], &once(16));
    assert!(!report.conclusive);
    let against = report.policies[1].against_first.as_ref().expect("compared");
    assert_eq!(against.conclusion, Conclusion::TooLittle);
    let fill = report.policies[0].all.fill.expect("a figure");
    assert_eq!((fill.low, fill.high), (None, None));
}

#[test]
fn r80_the_same_policy_twice_shows_no_difference() {
    let report = reported(
        &world_of(12, 300, 3.0, 14, 5),
        &["linkstar-uncalibrated", "linkstar-uncalibrated"],
        &once(20),
    );
    let against = report.policies[1].against_first.as_ref().expect("compared");
    assert_eq!(against.conclusion, Conclusion::NoDifference);
    assert!(against.fill.expect("a difference").value.is_zero());
}

#[test]
fn r13_the_same_history_gives_the_same_bytes_in_whatever_order_it_comes() {
    let history = world_of(10, 260, 2.0, 20, 77);
    let settings = Settings { runs: 2, ..once(16) };
    let names = ["linkstar", "seller-velocity", "r,Q"];
    let first = serde_json::to_string(&reported(&history, &names, &settings)).expect("JSON");
    let mut turned = history.clone();
    turned.snapshot.series.reverse();
    let again = serde_json::to_string(&reported(&turned, &names, &settings)).expect("JSON");
    assert_eq!(first, again);
    let other = Settings { seed: 1, ..settings };
    assert_ne!(
        first,
        serde_json::to_string(&reported(&history, &names, &other)).expect("JSON")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Everything from one day on is changed, sales, stock marks and recorded stock alike: no order before it moves.
    #[test]
    fn r80_the_future_is_hidden(turn in 120_usize..280, seed in 1_u64..1_000, units in 0_u32..60) {
        let mut history = world_of(4, 300, 2.0, 14, seed);
        // Stock-outs, whose demand others stand in for, must not look ahead either.
        for item in &mut history.snapshot.series {
            item.sales.in_stock = (0..300).map(|day| Some(day % 41 != 0)).collect();
        }
        let mut changed = history.clone();
        for item in &mut changed.snapshot.series {
            for place in turn..300 {
                item.sales.units.set(place, (place % 5 != 0).then_some(units));
                item.sales.in_stock[place] = Some(place % 3 != 0);
            }
            item.available = Some(9_999);
        }
        for name in ["linkstar", "seller-velocity", "min-max", "s,S"] {
            let orders = |history: &History| -> Vec<(usize, usize, i64)> {
                let world = World::of(history, &once(20)).expect("a world");
                let first = 300 - 140;
                let rule = Rule::named(name, &history.policy).expect("a policy");
                let mut orders = run(&world, &rule, 0, 0, &mut |_| {}).orders;
                orders.retain(|(day, _, _)| first + day <= turn);
                orders
            };
            prop_assert_eq!(orders(&history), orders(&changed), "{}", name);
        }
    }
}

#[test]
fn r80_what_happened_stands_beside_it_where_it_was_recorded() {
    let mut history = world_of(9, 300, 2.0, 14, 31);
    let keys: Vec<_> = history
        .snapshot
        .series
        .iter()
        .map(|item| (item.warehouse.clone(), item.sku.clone()))
        .collect();
    for key in keys {
        // Fifty on the shelf each evening, none on every tenth day.
        let days = (1..=140).map(|back| (after(day(AS_OF), -back), if back % 10 == 0 { 0 } else { 50 }));
        history.stock.insert(key.clone(), days.collect());
        let rates = Rates {
            currency: linkstar::money::Currency::CNY,
            storage: Some("0.01".parse().expect("an amount")),
            freight: None,
        };
        history.rates.insert(key, rates);
    }
    let report = reported(&history, &["linkstar"], &once(20));
    let happened = report.happened.as_ref().expect("recorded");
    let out = happened.out_of_stock.expect("known").value;
    assert!(out > "0.09".parse().expect("a share") && out < "0.11".parse().expect("a share"));
    assert!(happened.coverage.is_none(), "nobody wrote down what was decided");
    assert!(happened.storage_fees.is_some() && report.policies[0].all.freight.is_none());
}

#[test]
fn the_report_needs_nothing_from_elsewhere_and_is_whole_in_both_languages() {
    let report = reported(&world_of(10, 260, 2.0, 20, 8), &["linkstar", "s,S"], &once(16));
    for lang in [Lang::Zh, Lang::En] {
        let files = files(&report, lang).expect("the carried font");
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "report.html",
                "frontier.svg",
                "frontier.png",
                "quarters.svg",
                "quarters.png",
                "classes.svg",
                "classes.png"
            ]
        );
        let (pictures, pages): (Vec<_>, Vec<_>) = files.iter().partition(|(name, _)| name.ends_with(".png"));
        for (name, bytes) in pictures {
            // Twice the size of the SVG, as the header of the PNG says.
            assert_eq!(
                bytes.get(16..24),
                Some(&[0, 0, 5, 240, 0, 0, 2, 248][..]),
                "{name}"
            );
        }
        let fonts = linkstar::mapping::label::font::Fonts::built_in().expect("the carried font");
        for (name, bytes) in pages {
            let text = std::str::from_utf8(bytes).expect("UTF-8");
            if name.ends_with(".svg") {
                let drawn = text.replace('\n', "");
                assert_eq!(
                    fonts.missing(&drawn),
                    None,
                    "{name}: its picture leaves a letter out"
                );
            }
            assert!(!text.contains("[backtest."), "a text is missing in {name}");
            for word in ["<script", "src=", "href=", "url(", "NaN", "\"inf"] {
                assert!(!text.contains(word), "{name}: {word}");
            }
        }
        let page = String::from_utf8_lossy(&files[0].1).into_owned();
        assert_eq!(page.matches("<svg ").count(), 3);
        assert_eq!(page.matches("<svg ").count(), page.matches("</svg>").count());
    }
}

fn linkstar(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_linkstar"))
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn folder(days: i64, skus: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("writable");
    let mut dice = Dice(0xF01D);
    let mut sales = "sku,date,units\n".to_owned();
    for sku in 0..skus {
        for back in (1..=days).rev() {
            let date = after(day(AS_OF), -back);
            sales.push_str(&format!("K{sku},{date},{}\n", dice.poisson(2.0)));
        }
    }
    write("sales.csv", &sales);
    write("warehouses.csv", "code,mode,lead_p50,lead_p90\nmain,sea,20,26\n");
    write("policy.toml", "service_level = 0.9\n");
    folder
}

fn path(folder: &Path) -> String {
    folder.to_string_lossy().into_owned()
}

#[test]
fn the_command_says_what_it_found_by_its_exit_code() {
    let enough = folder(200, 8);
    let from = path(enough.path());
    let out = enough.path().join("out");
    let done = linkstar(&[
        "backtest",
        "--from",
        &from,
        "--as-of",
        AS_OF,
        "--runs",
        "1",
        "--policy",
        "linkstar,min-max",
        "--lang",
        "en",
        "--report",
        &path(&out),
    ]);
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(
        done.status.code(),
        Some(0),
        "{text}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(text.starts_with("Backtest 2026-08-16 to 2026-11-22"), "{text}");
    assert!(
        ["report.html", "frontier.svg", "frontier.png"]
            .iter()
            .all(|name| out.join(name).is_file())
    );

    let json = linkstar(&[
        "backtest", "--from", &from, "--as-of", AS_OF, "--runs", "1", "--json",
    ]);
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(value["backtest"]["policies"][0]["policy"], "linkstar");
    assert_eq!(value["backtest"]["service_permille"], 900);

    let few = folder(200, 2);
    let some = linkstar(&[
        "backtest",
        "--from",
        &path(few.path()),
        "--as-of",
        AS_OF,
        "--runs",
        "1",
    ]);
    assert_eq!(some.status.code(), Some(1));

    let short = folder(41, 8);
    let refused = linkstar(&[
        "backtest",
        "--from",
        &path(short.path()),
        "--as-of",
        AS_OF,
        "--lang",
        "en",
    ]);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&refused.stdout),
        "Nothing can be concluded: the history has 41 days, at least 60 are needed\n"
    );

    let unknown = linkstar(&["backtest", "--from", &from, "--as-of", AS_OF, "--policy", "eoq"]);
    assert_eq!(unknown.status.code(), Some(2));
    insta::assert_snapshot!(
        String::from_utf8_lossy(&unknown.stderr),
        @"error: no policy `eoq`; there are linkstar · seller-velocity · min-max · R,S · s,S · r,Q · base-stock · linkstar-uncalibrated · seller-velocity-in-stock · cover-DAYS"
    );
}

#[test]
fn sales_of_a_young_item_take_no_part_and_are_counted() {
    let mut history = world_of(9, 300, 2.0, 14, 2);
    let young = item("YOUNG", day(AS_OF), &[2; 50], 0);
    history.snapshot.series.push(young);
    let mut never = item("NEVER", day(AS_OF), &[0; 300], 0);
    never.sales = DailySales {
        units: (0..300).map(|_| Some(0)).collect(),
        ..never.sales
    };
    history.snapshot.series.push(never);
    let mut elsewhere = item("ELSEWHERE", day(AS_OF), &[2; 300], 0);
    elsewhere.warehouse = code("nowhere");
    history.snapshot.series.push(elsewhere);
    let world = World::of(&history, &once(20)).expect("a world");
    let counts: Vec<(&str, usize)> = world
        .left_out
        .iter()
        .map(|(why, count)| (why.code(), *count))
        .collect();
    assert_eq!(world.items.len(), 9);
    assert_eq!(
        counts,
        [("too_young", 1), ("never_sold", 1), ("lead_time_unknown", 1)]
    );
}
