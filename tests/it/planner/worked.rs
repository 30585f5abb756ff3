//! Published cases and the documentation's own example, through the command a person would type.

use std::fs;
use std::path::Path;

use linkstar::cli::plan_dir;
use linkstar::wording::Lang;
use serde_json::Value;

use super::day;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn json(folder: &Path, as_of: &str) -> Value {
    let mut out = Vec::new();
    let code = plan_dir::run(folder, day(as_of), true, Lang::En, &mut out).expect("a readable folder");
    let value: Value = serde_json::from_slice(&out).expect("JSON");
    assert_eq!(code, plan_dir::EXIT_COMPLETE, "{}", value["problems"]);
    value
}

fn line<'a>(plan: &'a Value, sku: &str) -> &'a Value {
    plan["lines"]
        .as_array()
        .and_then(|lines| lines.iter().find(|line| line["sku"] == sku))
        .expect("the line")
}

fn node<'a>(tree: &'a Value, key: &str) -> Option<&'a Value> {
    if tree["key"] == key {
        return Some(tree);
    }
    tree["terms"]
        .as_array()
        .and_then(|terms| terms.iter().find_map(|term| node(term, key)))
}

fn explained<'a>(line: &'a Value, key: &str) -> Option<&'a str> {
    node(&line["explain"], key).and_then(|node| node["value"].as_str())
}

/// A copy of a fixture folder that a test may change.
fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(Path::new(ROOT).join("tests/fixtures/planner").join(name)).expect("fixture") {
        let entry = entry.expect("entry");
        fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("copied");
    }
    folder
}

#[test]
fn r13_the_published_dates_come_out_of_a_folder() {
    let folder = copy("worked");
    let plan = json(folder.path(), "2026-08-10");
    // 20 days of production and 45 on the way from 10 August.
    assert_eq!(line(&plan, "HALLOWEEN")["eta"], "2026-10-14");
    // 300 units at 12 a day last 25 days, the order comes after 45: 20 days and 240 units are lost.
    let twelve = line(&plan, "TWELVE");
    assert_eq!(twelve["velocity"], "12");
    assert_eq!(twelve["stockout"]["p50"], "2026-09-04");
    assert_eq!(twelve["certain_shortage"], 240);
    assert_eq!(explained(twelve, "gap_until_arrival"), Some("20"));
    assert_eq!(twelve["order_by"], "2026-07-21");
    assert_eq!(twelve["level"], "critical");
}

#[test]
fn r17_a_thousand_units_in_30_days_serve_none_of_the_days_before() {
    let plan = json(copy("worked").path(), "2026-08-10");
    let late = line(&plan, "LATE");
    assert_eq!(late["stockout"]["p50"], "2026-08-15");
    // Days 5 to 30 want 250 units.
    assert!(late["need_units"].as_i64() >= Some(250), "{}", late["need_units"]);
    assert!(explained(late, "late_inbound").is_some_and(|units| units != "0"));
}

#[test]
fn r20_need_9800_carton_500_orders_10000_and_a_need_below_the_minimum_is_raised() {
    let folder = copy("worked");
    let first = json(folder.path(), "2026-08-10");
    let level = line(&first, "CARTON")["order_up_to"].as_i64().expect("a level");
    let stock = fs::read_to_string(folder.path().join("stock.csv")).expect("stock");
    let stock = stock.replace("CARTON,0,", &format!("CARTON,{},", level - 9_800));
    fs::write(folder.path().join("stock.csv"), stock).expect("written");
    let plan = json(folder.path(), "2026-08-10");
    let carton = line(&plan, "CARTON");
    assert_eq!(carton["need_units"], 9_800);
    assert_eq!(carton["suggested_units"], 10_000);
    assert_eq!(carton["suggested_cartons"], 20);
    // 1,000 at least, in cartons of 24.
    let minimum = line(&plan, "MINIMUM");
    assert!(
        minimum["need_units"]
            .as_i64()
            .is_some_and(|need| (1..1_000).contains(&need))
    );
    assert_eq!(minimum["suggested_units"], 1_008);
    assert!(
        minimum["reasons"]
            .as_array()
            .expect("reasons")
            .contains(&"moq_raised".into())
    );
    fs::write(folder.path().join("policy.toml"), "moq = \"wait\"\n").expect("written");
    let waiting = json(folder.path(), "2026-08-10");
    assert_eq!(line(&waiting, "MINIMUM")["suggested_units"], 0);
}

/// Name and text of every file the documentation shows.
fn shown_files(document: &str) -> Vec<(&str, &str)> {
    let part = document
        .split("## An example to copy")
        .nth(1)
        .and_then(|rest| rest.split("## How files are read").next())
        .expect("the example's chapter");
    part.split("\n\n`")
        .skip(1)
        .filter_map(|block| {
            let (name, rest) = block.split_once("`\n```")?;
            let (_, text) = rest.split_once('\n')?;
            Some((name, text.split_once("```")?.0))
        })
        .collect()
}

#[test]
fn the_documented_example_gives_the_documented_output() {
    let document = fs::read_to_string(Path::new(ROOT).join("docs/plan-from-files.md")).expect("document");
    let files = shown_files(&document);
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    let all = [
        "items.csv",
        "sales.csv",
        "stock.csv",
        "inbound.csv",
        "warehouses.csv",
        "policy.toml",
    ];
    assert_eq!(names, all);
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let mut out = Vec::new();
    let code = plan_dir::run(folder.path(), day("2026-11-22"), false, Lang::En, &mut out).expect("a plan");
    let out = String::from_utf8(out).expect("text");
    assert_eq!(code, plan_dir::EXIT_COMPLETE, "{out}");
    let shown = document
        .split_once("```text\n")
        .and_then(|(_, rest)| rest.split_once("```"))
        .map_or("", |(text, _)| text);
    // The first line names the plan, by a hash that the engine's version is part of.
    let without_name = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(without_name(shown), without_name(&out));
}
