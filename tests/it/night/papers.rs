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
    shop.issued(&["GLS-84755=144", "CER-21877=36"])
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
    shop.edit_config("contract_no = \"LT-{order}\"\n", "");
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

/// One good of each kind the demo sells, a carton of each.
const ALL_KINDS: [&str; 28] = [
    "BAG", "LUN", "GLS", "BWL", "SGN", "WOD", "FRM", "NAP", "PLA", "PAP", "BUN", "XMS", "CRD", "RIB", "HWB",
    "LIT", "STR", "CER", "GAM", "DOM", "PEN", "CHK", "BOX", "CLK", "KNB", "CUT", "CTL", "CLI",
];

#[tokio::test(flavor = "multi_thread")]
async fn r44_r48_any_good_of_the_demo_can_be_declared_and_imported() {
    let shop = Shop::new(5).await;
    let items = fs::read_to_string(shop.home.join("catalog/items.csv")).expect("the catalog");
    let codes = fs::read_to_string(shop.home.join("catalog/codes.csv")).expect("the catalog");
    let mut reader = csv::Reader::from_reader(items.as_bytes());
    let goods: Vec<std::collections::BTreeMap<String, String>> =
        reader.deserialize().map(|row| row.expect("a row")).collect();
    let line = |kind: &&str| {
        let sold = |sku: &str| {
            codes
                .lines()
                .any(|code| code.starts_with("goodcang-uk,") && code.split(',').nth(4) == Some(sku))
        };
        let good = goods
            .iter()
            .find(|good| good["sku"].starts_with(*kind) && sold(&good["sku"]));
        good.map(|good| format!("{}={}", good["sku"], good["carton_units"]))
    };
    let lines: Vec<String> = ALL_KINDS.iter().filter_map(line).collect();
    assert!(lines.len() >= 26, "{lines:?}");
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let number = shop.issued(&lines);
    let out = shop.folder.path().join("out").display().to_string();
    let export = run(&shop, &["papers", "export", &number, "--save", &out]);
    assert_eq!(export.code, Some(0), "{export:?}");
    let import = [
        "papers",
        "import",
        &number,
        "--save",
        &out,
        "--power-of-attorney",
        "POA-7",
    ];
    let import = run(&shop, &import);
    assert_eq!(import.code, Some(0), "{import:?}");
    let papers = |pack: &str| -> Vec<String> {
        let zip = fs::File::open(format!("{out}/{number}-R1-{pack}-pack.zip")).expect("the pack");
        let zip = zip::ZipArchive::new(zip).expect("a zip");
        zip.file_names()
            .map(|name| name.expect("a name").into_owned())
            .collect()
    };
    let export = papers("export");
    for paper in [
        format!("documents/{number}-R1-DecMessage.xml"),
        format!("documents/{number}-R1-CEB303.xml"),
        format!("documents/{number}-contract-r1.xlsx"),
    ] {
        assert!(export.contains(&paper), "no {paper} in {export:?}");
    }
    let import = papers("import");
    assert!(
        import
            .iter()
            .any(|name| name.contains("CDS") || name.contains("cds")),
        "{import:?}"
    );
}
