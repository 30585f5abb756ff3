//! A small plan, its explanations and its mail-like text, kept to the byte.

use std::path::Path;

use linkstar::cli::plan_dir;
use linkstar::planner::{diff_plans, diff_text, explain_text};
use linkstar::wording::Lang;

use super::{day, folder};

fn folder_path() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/planner/small")
}

fn run(json: bool, lang: Lang) -> (i32, String) {
    let mut out = Vec::new();
    let code = plan_dir::run(&folder_path(), day("2026-11-22"), json, lang, &mut out).unwrap();
    (code, String::from_utf8(out).unwrap())
}

#[test]
fn the_small_folder_plans_to_the_same_text_in_both_languages() {
    for (lang, name) in [(Lang::Zh, "small_plan_zh"), (Lang::En, "small_plan_en")] {
        let (code, text) = run(false, lang);
        assert_eq!(code, plan_dir::EXIT_COMPLETE, "{text}");
        insta::assert_snapshot!(name, text);
    }
}

#[test]
fn the_small_folder_plans_to_the_same_json() {
    let (code, text) = run(true, Lang::En);
    assert_eq!(code, plan_dir::EXIT_COMPLETE);
    assert_eq!(text, run(true, Lang::Zh).1);
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    // The projection and the sales are long; their first days tell enough.
    for line in value["lines"].as_array_mut().unwrap() {
        line["projection"].as_array_mut().unwrap().truncate(2);
        line["sales_60"].as_array_mut().unwrap().truncate(3);
    }
    insta::assert_snapshot!("small_plan_json", serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn explain_reads_in_both_languages_and_leaves_no_key_untranslated() {
    let input = folder::small();
    let plan = linkstar::planner::plan(&input.snapshot, &input.policy, None);
    for (lang, name) in [(Lang::Zh, "explain_zh"), (Lang::En, "explain_en")] {
        let all: Vec<String> = plan.lines.iter().map(|line| explain_text(line, lang)).collect();
        let all = all.join("\n");
        assert!(!all.contains("[plan."), "{all}");
        insta::assert_snapshot!(name, all);
    }
}

#[test]
fn a_difference_reads_in_both_languages() {
    let input = folder::small();
    let before = linkstar::planner::plan(&input.snapshot, &input.policy, None);
    let mut later = input.snapshot.clone();
    later.series[0].available = Some(0);
    let after = linkstar::planner::plan(&later, &input.policy, Some(&before));
    let diff = diff_plans(&before, &after);
    insta::assert_snapshot!(
        "diff",
        format!("{}{}", diff_text(&diff, Lang::Zh), diff_text(&diff, Lang::En))
    );
}
