//! Papers of an order at the desk, through the real binary: which it can have, writing any of them, packs, edited files.

use std::fs;

use serde_json::Value;

use super::shop::{Ran, Shop, morning};

fn run(shop: &Shop, args: &[&str]) -> Ran {
    let at = morning(0).to_rfc3339();
    let mut all = vec!["--lang", "en"];
    all.extend(args);
    all.extend(["--at", &at]);
    shop.linkstar(&all)
}

/// A drafted and issued order of two lines.
fn issued(shop: &Shop) -> String {
    let new = run(
        shop,
        &[
            "order",
            "new",
            "--to",
            "goodcang:UKMA",
            "--mode",
            "sea",
            "--line",
            "GLS-84755=144",
            "--line",
            "CER-21877=36",
            "--json",
        ],
    );
    let said: Value = serde_json::from_str(&new.out).expect("JSON");
    let number = said["order"].as_str().expect("a number").to_owned();
    let done = run(shop, &["order", "issue", &number]);
    assert_eq!(done.code, Some(0), "{done:?}");
    number
}

fn names(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn r34_every_paper_says_whether_it_is_ready_and_what_it_lacks_and_is_written_when_named() {
    let shop = Shop::new(5).await;
    let number = issued(&shop);
    let listed = run(&shop, &["papers", "list", &number, "--json"]);
    assert_eq!(listed.code, Some(0), "{listed:?}");
    let listed: Value = serde_json::from_str(&listed.out).expect("JSON");
    let paper = |id: &str| -> Value {
        let papers = listed["papers"].as_array().expect("papers");
        papers
            .iter()
            .find(|paper| paper["paper"] == id)
            .unwrap_or(&Value::Null)
            .clone()
    };
    let state = |id: &str| (paper(id)["sent"].as_bool(), paper(id)["ready"].as_bool());
    assert_eq!(state("packing-list"), (Some(true), Some(true)));
    assert_eq!(state("unit-label"), (Some(false), Some(true)));
    assert_eq!(state("pallet-label"), (Some(false), Some(false)));
    assert_eq!(
        paper("isf-10"),
        Value::Null,
        "a form of the US is none of an order to GB"
    );
    let lacks = paper("sales-contract")["problems"].to_string();
    assert!(lacks.contains("export.contract_no"), "{lacks}");

    let out = shop.folder.path().join("out").display().to_string();
    let wanted = [
        "papers",
        "write",
        &number,
        "--paper",
        "unit-label",
        "--paper",
        "carton-mark-zpl",
    ];
    let written = run(&shop, &[&wanted[..], &["--save", &out]].concat());
    assert_eq!(written.code, Some(0), "{written:?}");
    let labels = [
        format!("{number}-R1-carton-marks.zpl"),
        format!("{number}-R1-unit-labels.pdf"),
    ];
    assert_eq!(names(&out), labels);
    // The same order gives the same papers on whatever day they are written, and what is missing is not written.
    let first = fs::read(format!("{out}/{}", labels[1])).expect("labels");
    run(&shop, &[&wanted[..], &["--save", &out]].concat());
    assert_eq!(fs::read(format!("{out}/{}", labels[1])).expect("labels"), first);
    let refused = run(
        &shop,
        &[
            "papers",
            "write",
            &number,
            "--paper",
            "sales-contract",
            "--save",
            &out,
        ],
    );
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(names(&out), labels);
    let slip = run(
        &shop,
        &[
            "papers",
            "write",
            &number,
            "--paper",
            "unit-labels",
            "--save",
            &out,
        ],
    );
    assert_eq!(slip.code, Some(2), "{slip:?}");
    assert!(slip.err.contains("perhaps unit-label"), "{slip:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn r35_r48_edited_papers_are_compared_and_a_pack_without_its_papers_is_not_written() {
    let shop = Shop::new(5).await;
    let number = issued(&shop);
    let out = shop.folder.path().join("out").display().to_string();
    let written = run(&shop, &["papers", "write", &number, "--save", &out]);
    assert_eq!(written.code, Some(0), "{written:?}");
    let xml = format!("{out}/{number}-R1-packing-list.xml");
    let same = run(&shop, &["papers", "compare", &number, &xml]);
    assert_eq!(same.code, Some(0), "{same:?}");
    let text = fs::read_to_string(&xml).expect("the packing list");
    let edited = text.replacen(">180<", ">181<", 1);
    assert_ne!(text, edited, "the document says how many units there are");
    fs::write(&xml, edited).expect("written");
    let other = run(&shop, &["papers", "compare", &number, &xml]);
    assert_eq!(other.code, Some(1), "{other:?}");
    assert!(other.out.contains("181"), "{other:?}");

    // Nobody has named a power of attorney: the checklist says so, and there is no ZIP.
    let pack = run(&shop, &["papers", "import", &number, "--save", &out]);
    assert_eq!(pack.code, Some(1), "{pack:?}");
    assert!(pack.out.contains("Power of attorney"), "{pack:?}");
    assert!(!names(&out).iter().any(|name| name.ends_with(".zip")));
    let whole = [
        "papers",
        "import",
        &number,
        "--save",
        &out,
        "--power-of-attorney",
        "POA-7",
    ];
    let pack = run(&shop, &whole);
    assert_eq!(pack.code, Some(0), "{pack:?}");
    let zip = names(&out)
        .into_iter()
        .find(|name| name.ends_with(".zip"))
        .expect("a pack");
    let first = fs::read(format!("{out}/{zip}")).expect("the pack");
    run(&shop, &whole);
    assert_eq!(
        fs::read(format!("{out}/{zip}")).expect("the pack"),
        first,
        "the same bytes"
    );
}
