//! The files of the chain, read beside a plan's others.

use std::collections::BTreeMap;

use linkstar::cli::plan_dir;
use linkstar::mapping::plan_folder;
use linkstar::order::Mode;
use linkstar::planner::{Reason, RoundTo, Rounding, Stage, TargetRule};
use linkstar::wording::Lang;

use super::{code, day};

fn sales(rows: &[(&str, &str, u32)]) -> String {
    let mut text = "warehouse,sku,date,units\n".to_owned();
    for (warehouse, sku, units) in rows {
        for back in 1..=120 {
            let date = super::after(day("2026-11-22"), -back);
            text.push_str(&format!("{warehouse},{sku},{date},{units}\n"));
        }
    }
    text
}

/// A platform's warehouse behind an overseas one, a lamp that loses margin by sea, storage, events.
fn files() -> BTreeMap<String, Vec<u8>> {
    let sales = sales(&[("goodcang:UKMA", "LAMP", 12), ("amazon:GB", "MUG", 10)]);
    [
        ("sales.csv", sales.as_str()),
        ("items.csv", "sku,name_zh,name_en,carton_units,unit_cost\nLAMP,台灯,Lamp,20,30\nMUG,马克杯,Mug,10,8\n"),
        (
            "stock.csv",
            "warehouse,sku,available,pending_putaway\ngoodcang:UKMA,LAMP,300,0\namazon:GB,MUG,50,0\ngoodcang:UKMA,MUG,260,0\n",
        ),
        (
            "lanes.csv",
            "warehouse,mode,production_p50,transit_p50,transit_p90\ngoodcang:UKMA,sea,,45,45\ngoodcang:UKMA,air,,10,10\n",
        ),
        ("warehouses.csv", "code,country\ngoodcang:UKMA,GB\namazon:GB,GB\n"),
        ("terms.csv", "sku,margin,volume_cm3\nLAMP,50,9000\n"),
        (
            "freight.csv",
            "warehouse,mode,per_unit\ngoodcang:UKMA,sea,5\ngoodcang:UKMA,air,40\n",
        ),
        (
            "transfers.csv",
            "from,to,days_p50,days_p90,cost,relay,cartons\ngoodcang:UKMA,amazon:GB,4,6,2,yes,yes\n",
        ),
        ("storage.csv", "warehouse,from_age,rate,currency\ngoodcang:UKMA,0,0,GBP\ngoodcang:UKMA,31,0.40,GBP\n"),
        ("stock_lots.csv", "warehouse,sku,since,units\ngoodcang:UKMA,LAMP,2026-11-02,300\n"),
        (
            "deadlines.csv",
            "calendar,name,date\nspring,Spring sale,2027-01-20\nspring,Autumn sale,2026-09-01\n",
        ),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
    .collect()
}

fn written(files: &BTreeMap<String, Vec<u8>>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).expect("written");
    }
    folder
}

#[test]
fn a_folder_with_a_chain_plans_modes_transfers_storage_and_events_in_both_languages() {
    let folder = written(&files());
    for (lang, name) in [(Lang::Zh, "chain_plan_zh"), (Lang::En, "chain_plan_en")] {
        let mut out = Vec::new();
        let code = plan_dir::run(folder.path(), day("2026-11-22"), false, lang, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(code, plan_dir::EXIT_COMPLETE, "{text}");
        insta::assert_snapshot!(name, text);
    }
    let input = plan_folder::read(&files(), day("2026-11-22")).unwrap();
    let plan = super::plan(&input.snapshot, &input.policy);
    let texts: Vec<String> = plan
        .lines
        .iter()
        .flat_map(|line| [Lang::Zh, Lang::En].map(|lang| linkstar::planner::explain_text(line, lang)))
        .collect();
    let texts = texts.join("\n");
    assert!(!texts.contains("[plan."), "{texts}");
    insta::assert_snapshot!("chain_explain", texts);
    let lamp = plan
        .lines
        .iter()
        .find(|line| line.sku.as_str() == "LAMP")
        .unwrap();
    let parts = &lamp.supply.as_ref().unwrap().parts;
    assert_eq!(parts[0].mode, Mode::Air);
    assert!(lamp.reasons.contains(&Reason::ModeSplit));
}

#[test]
fn every_bad_cell_of_the_chain_is_listed_and_good_rows_still_load() {
    let mut files = files();
    let mut put = |name: &str, text: &str| files.insert(name.to_owned(), text.as_bytes().to_vec());
    put(
        "calendar.csv",
        "calendar,from,to,stages,warehouse\nwh,2026-12-24,2026-12-20,putaway,\nwh,2026-12-24,2026-12-26,putaway sleep,\nwh,2026-12-24,2026-12-26,putaway,\n",
    );
    put(
        "returns.csv",
        "warehouse,sku,rate,resellable\ngoodcang:UKMA,,8%,0.6\ngoodcang:UKMA,LAMP,150%,1\n",
    );
    put(
        "stages.csv",
        "warehouse,mode,stage,p50,p90\ngoodcang:UKMA,sea,sail,30,36\ngoodcang:UKMA,boat,sail,30,36\n",
    );
    put(
        "policy.toml",
        "target = \"cost\"\nbudget = 9000\nbudget_currency = \"CNY\"\ncontainer_m3 = 68\norigin_calendar = \"fr\"\n",
    );
    let input = plan_folder::read(&files, day("2026-11-22")).unwrap();
    let told: Vec<String> = input.problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("chain_problems", told.join("\n"));
    let supply = &input.snapshot.supply;
    assert_eq!(
        (supply.closures.len(), supply.returns.len(), supply.stages.len()),
        (1, 1, 1)
    );
    assert_eq!(
        (
            supply.returns[0].rate_permille,
            supply.returns[0].resellable_permille
        ),
        (80, 600)
    );
    assert_eq!(supply.stages[0].times.stage, Stage::Sail);
    assert_eq!(input.policy.supply.target, TargetRule::Cost);
    assert_eq!(input.policy.supply.container_l, Some(68_000));
    assert_eq!(
        input
            .policy
            .supply
            .budget
            .map(|budget| budget.to_string())
            .as_deref(),
        Some("9000.00 CNY")
    );
}

#[test]
fn r16_a_calendar_that_ends_is_a_problem_of_the_folder_and_the_exit_code_says_so() {
    let mut files = files();
    files.insert(
        "deadlines.csv".to_owned(),
        b"calendar,name,date\nspring,Spring sale,2026-12-30\n".to_vec(),
    );
    let folder = written(&files);
    let mut out = Vec::new();
    let code = plan_dir::run(folder.path(), day("2026-11-22"), false, Lang::En, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(code, plan_dir::EXIT_PROBLEMS);
    assert!(text.contains("calendar `spring` not extended to 2027"), "{text}");
}

#[test]
fn r20_a_folder_says_which_ways_take_whole_pallets_and_a_word_that_is_none_is_named() {
    let mut files = files();
    files.insert(
        "terms.csv".to_owned(),
        "sku,margin,每托箱数\nLAMP,50,4\nMUG,9,0\n".into(),
    );
    files.insert(
        "rounding.csv".to_owned(),
        "warehouse,mode,to\ngoodcang:UKMA,sea,托盘\ngoodcang:UKMA,boat,pallet\namazon:GB,,palette\n".into(),
    );
    let input = plan_folder::read(&files, day("2026-11-22")).unwrap();
    assert_eq!(
        input.snapshot.supply.rounding,
        [Rounding {
            warehouse: code("goodcang:UKMA"),
            mode: Some(Mode::Sea),
            to: RoundTo::Pallet
        }]
    );
    let pallets: Vec<_> = input
        .snapshot
        .supply
        .items
        .iter()
        .map(|item| item.pallet_cartons)
        .collect();
    assert_eq!(pallets, [Some(4), None]);
    let problems: Vec<String> = input.problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(problems.join("\n"), @r"
    terms.csv, line 3, `pallet_cartons`: found `0`, wanted whole cartons above 0
    rounding.csv, line 3, `mode`: found `boat`, wanted sea, rail, truck, air or express
    rounding.csv, line 4, `to`: found `palette`, wanted carton, pallet or container
    ");
}
