//! Orders by hand, through the real binary: drafts, gates, packing, scanning back, splitting and merging.

use std::fs;

use linkstar::order::OrderState;
use linkstar::store::orders;
use serde_json::Value;

use super::shop::{Ran, Shop, morning};

fn at() -> String {
    morning(0).to_rfc3339()
}

fn order(shop: &Shop, args: &[&str]) -> Ran {
    let at = at();
    let mut all = vec!["--lang", "en", "order"];
    all.extend(args);
    if !matches!(args.first(), Some(&("show" | "problems" | "rules"))) {
        all.extend(["--at", &at]);
    }
    shop.linkstar(&all)
}

fn json(ran: &Ran) -> Value {
    assert!(ran.out.trim_start().starts_with(['{', '[']), "no JSON: {ran:?}");
    serde_json::from_str(&ran.out).expect("JSON")
}

fn new(shop: &Shop, lines: &[&str]) -> (Ran, String) {
    let ran = shop.draft(lines);
    let number = json(&ran)["order"].as_str().expect("a number").to_owned();
    (ran, number)
}

fn file(shop: &Shop, name: &str, text: &str) -> String {
    let path = shop.folder.path().join(name);
    fs::write(&path, text).expect("written");
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r22_r30_r32_from_a_draft_to_verified_cartons() {
    let shop = Shop::new(3).await;
    // Everything that cannot stand in an order, at once.
    let args = [
        "new",
        "--to",
        "goodcang:UKMA",
        "--mode",
        "sea",
        "--line",
        "NO-SUCH=5",
        "--line",
    ];
    let refused = order(
        &shop,
        &[&args[..], &["GLS-84755=0", "--line", "BAG-22386=-3"]].concat(),
    );
    assert_eq!(refused.code, Some(2), "{refused:?}");
    for said in ["SKU NO-SUCH", "SKU GLS-84755, `units`: found `0`", "found `-3`"] {
        assert!(refused.err.contains(said), "{said}: {}", refused.err);
    }
    let (ran, number) = new(&shop, &["GLS-84755=144", "CER-21877=36"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let early = order(&shop, &["pack", &number, "--file", "nowhere.csv"]);
    assert_eq!(early.code, Some(2), "{early:?}");
    let edited = order(
        &shop,
        &[
            "edit",
            &number,
            "--reason",
            "less",
            "--units",
            "CER-21877=0",
            "--units",
            "BAG-22386=60",
        ],
    );
    assert_eq!(edited.code, Some(0), "{edited:?}");
    let issued = order(&shop, &["issue", &number]);
    assert_eq!(issued.code, Some(0), "{issued:?}");
    assert!(issued.out.contains("issued with 6 documents"), "{issued:?}");
    let again = order(&shop, &["issue", &number]);
    assert_eq!(again.code, Some(2), "{again:?}");

    // A list that is wrong is refused whole, and more than the warehouse has is not packed.
    let head = "carton,sku,units,gross_kg,length_cm,width_cm,height_cm\n";
    let wrong = file(
        &shop,
        "wrong.csv",
        &format!("{head}1-2,GLS-84755,72,10,46,31,25\n4,BAG-22386,60,11,49,31,28\n"),
    );
    let refused = order(&shop, &["pack", &number, "--file", &wrong]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused
            .err
            .contains("found `3`, wanted carton numbers from 1 without holes"),
        "{refused:?}"
    );
    let list = file(
        &shop,
        "packing.csv",
        &format!("{head}1-2,GLS-84755,72,10.2,46,31,25\n3,LT001-22386,60,11.1,49,31,28\n"),
    );
    let stock = file(&shop, "stock.csv", "sku,units\nGLS-84755,100\n");
    let short = order(&shop, &["pack", &number, "--file", &list, "--stock", &stock]);
    assert_eq!(short.code, Some(2), "{short:?}");
    assert!(
        short.err.contains("SKU GLS-84755, `stock`: found `100`"),
        "{short:?}"
    );
    let on = |rows: &str| {
        let head = "pallet,cartons,gross_kg,length_cm,width_cm,height_cm\n";
        file(&shop, "pallets.csv", &format!("{head}{rows}"))
    };
    let left = on("1,1-2,25,120,100,60\n");
    let refused = order(&shop, &["pack", &number, "--file", &list, "--pallets", &left]);
    assert!(
        refused
            .err
            .contains("pallets.csv, `cartons`: found `3`, wanted every carton on a pallet"),
        "{refused:?}"
    );
    let pallets = on("1,1-2,25,120,100,60\n2,3,16.5,120,100,45\n");
    let packed = order(&shop, &["pack", &number, "--file", &list, "--pallets", &pallets]);
    assert_eq!(packed.code, Some(0), "{packed:?}");
    assert!(
        packed.out.contains("packed: 3 cartons, 31.500 kg; revision 2"),
        "{packed:?}"
    );
    assert!(order(&shop, &["show", &number]).out.contains("labels unverified"));
    let frozen = order(&shop, &["pack", &number, "--file", &list]);
    assert!(frozen.err.contains("its cartons stand"), "{frozen:?}");

    // R29: the instruction says what changed and what is short.
    let out = shop.folder.path().join("out").display().to_string();
    let told = order(&shop, &["instruct", &number, "--save", &out, "--stock", &stock]);
    assert_eq!(told.code, Some(1), "{told:?}");
    let papers: Vec<String> = fs::read_dir(&out)
        .expect("a folder")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert!(
        papers.contains(&format!("{number}-outbound-r2.xlsx"))
            && papers.contains(&format!("{number}-R2-carton-marks.pdf")),
        "{papers:?}"
    );
    let changes = json(&order(&shop, &["show", &number, "--changes", "--json"]));
    assert_eq!(changes[0]["revision"], 2, "{changes}");

    let scans =
        |numbers: &[u32]| -> String { numbers.iter().map(|no| format!("{number}U{no:06}\n")).collect() };
    let some = file(&shop, "some.txt", &scans(&[1, 3, 3]));
    let open = order(&shop, &["scan", &number, "--file", &some]);
    assert_eq!(open.code, Some(1), "{open:?}");
    assert!(open.out.contains("2 findings"), "{open:?}");
    let all = file(&shop, "all.txt", &scans(&[1, 2, 3]));
    assert_eq!(order(&shop, &["scan", &number, "--file", &all]).code, Some(0));
    let shown = json(&order(&shop, &["show", &number, "--json"]));
    assert_eq!(shown["labels_verified"], true);
    assert_eq!(shown["state"], "packed");
    let kinds: Vec<&str> = shown["events"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|event| event["kind"].as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "created", "edited", "reached", "reissued", "packed", "scanned", "scanned"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r25_r26_r27_what_stops_a_draft_stands_in_list_sheet_json_and_mail_until_it_is_mended() {
    let shop = Shop::new(4).await;
    let (ran, number) = new(&shop, &["LIT-21731=144"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // Papers of the lamp are taken out of the register by days that are over.
    let ended = file(
        &shop,
        "certificates.csv",
        "type,number,country,skus,categories,valid_to\nukca,LT-DOC-2024-011,GB,LIT-21731,,2026-05-01\n\
         un38_3,UN383-24-0731,,LIT-21731,,2026-05-01\n",
    );
    assert_eq!(shop.linkstar(&["catalog", "import", &ended]).code, Some(0));
    let held = order(&shop, &["issue", &number, "--json"]);
    assert_eq!(held.code, Some(1), "{held:?}");
    let problems = json(&held)["problems"].clone();
    let fields: Vec<(&str, &str)> = problems
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| Some((one["field"].as_str()?, one["level"].as_str()?)))
        .collect();
    assert_eq!(fields, [("ukca", "block"), ("un38_3", "block")], "{held:?}");
    assert_eq!(
        json(&order(&shop, &["show", &number, "--json"]))["state"],
        "draft"
    );
    assert!(shop.dropped().is_empty(), "nothing was sent");
    let sheet = shop.folder.path().join("problems.xlsx");
    let listed = order(&shop, &["problems", "--save", &sheet.display().to_string()]);
    assert_eq!(listed.code, Some(1), "{listed:?}");
    assert!(
        listed.out.contains(&number) && listed.out.contains("UN 38.3"),
        "{listed:?}"
    );
    let table = linkstar::mapping::table::read(
        "problems.xlsx",
        &fs::read(&sheet).expect("a workbook"),
        &linkstar::mapping::table::Limits::default(),
    )
    .expect("a table");
    assert_eq!(table.row_count(), 3, "a head and two rows");
    // The mail has them, in the reader's language, and its workbook a sheet.
    shop.night(0).await;
    let page = Shop::page(&shop.last_mail());
    for said in ["备货单问题清单", "UN38.3", "阻断", number.as_str()] {
        assert!(page.contains(said), "{said}");
    }
    // Mended, it goes.
    let mended = file(
        &shop,
        "certificates-2.csv",
        "type,number,country,skus\nukca,NEW-1,GB,LIT-21731\nun38_3,NEW-2,,LIT-21731\n",
    );
    assert_eq!(shop.linkstar(&["catalog", "import", &mended]).code, Some(0));
    let issued = order(&shop, &["issue", &number]);
    assert_eq!(issued.code, Some(0), "{issued:?}");
    assert_eq!(order(&shop, &["problems"]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r22_split_and_merge_keep_every_unit_in_one_order() {
    let shop = Shop::new(5).await;
    let (_, one) = new(&shop, &["GLS-84755=144", "BAG-22386=60"]);
    assert_eq!(order(&shop, &["issue", &one]).code, Some(0));
    let nothing_left = order(
        &shop,
        &[
            "split",
            &one,
            "--reason",
            "x",
            "--units",
            "GLS-84755=144",
            "--units",
            "BAG-22386=60",
        ],
    );
    assert_eq!(nothing_left.code, Some(2), "{nothing_left:?}");
    let split = order(
        &shop,
        &["split", &one, "--reason", "later", "--units", "BAG-22386=60"],
    );
    assert_eq!(split.code, Some(0), "{split:?}");
    let mut all = json(&shop.linkstar(&["order", "list", "--json"]));
    let rows = all.as_array_mut().expect("a list");
    // Those that were under way before.
    rows.retain(|row| {
        row["order"]
            .as_str()
            .is_some_and(|number| number.starts_with("BH"))
    });
    let two = all[1]["order"].as_str().expect("the new one").to_owned();
    assert_eq!(
        (&all[0]["units"], &all[1]["units"]),
        (&144.into(), &60.into()),
        "{all}"
    );
    assert_eq!(
        (&all[0]["state"], &all[1]["state"]),
        (&"approved".into(), &"approved".into())
    );
    assert_eq!(all[0]["revision"], 2);
    let (_, draft) = new(&shop, &["GLS-84755=72"]);
    let other = order(&shop, &["merge", &one, &draft, "--reason", "x"]);
    assert!(other.err.contains("wanted issued"), "{other:?}");
    let merged = order(&shop, &["merge", &one, &two, "--reason", "one container"]);
    assert_eq!(merged.code, Some(0), "{merged:?}");
    let store = shop.store().await;
    let mut tx = store.read().await.expect("a transaction");
    let account = shop.config().account.id;
    let mut stored = orders::all(&mut tx, &account).await.expect("orders");
    stored.retain(|stored| stored.order.number.as_str().starts_with("BH"));
    let units: Vec<(OrderState, i64)> = stored
        .iter()
        .map(|stored| (stored.state, stored.order.totals().units))
        .collect();
    assert_eq!(
        units,
        [
            (OrderState::Approved, 204),
            (OrderState::Cancelled, 60),
            (OrderState::Draft, 72)
        ]
    );
    for one in &stored {
        let events = orders::events(&mut tx, &account, &one.order.number)
            .await
            .expect("a log");
        let replayed = linkstar::order::replay(events.iter().map(|event| &event.kind));
        assert_eq!(replayed, Ok(one.state), "{}", one.order.number);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r7_r25_rules_are_listed_and_papers_that_cannot_be_kept_are_refused() {
    let shop = Shop::new(6).await;
    let asks = |country: &str, mode: &str| {
        let ran = order(
            &shop,
            &["rules", country, "--mode", mode, "--on", "2026-10-01", "--json"],
        );
        let rules = json(&ran)["rules"].clone();
        rules
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|rule| rule["id"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert!(asks("US", "sea").contains(&"isf".to_owned()));
    assert!(!asks("US", "air").contains(&"isf".to_owned()));
    assert_eq!(order(&shop, &["rules", "BR"]).code, Some(1));
    // A pack of one's own with a fault: nothing starts, and the line is named.
    fs::create_dir_all(shop.home.join("rules")).expect("a folder");
    fs::write(
        shop.home.join("rules/br.toml"),
        "version = 1\n[[pack]]\nid = \"br\"\nzh = \"巴西\"\nen = \"Brazil\"\ncountries = [\"BR\"]\ncolour = 1\n",
    )
    .expect("written");
    shop.edit_config("[order]\n", "[order]\nrules = \"rules\"\n");
    let refused = order(&shop, &["rules", "BR"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("br.toml, line 7, column 1"), "{refused:?}");
    shop.edit_config("rules = \"rules\"\n", "");

    let folder = shop.folder.path();
    fs::write(folder.join("ce.pdf"), b"%PDF-1.7\n1 0 obj\n").expect("written");
    fs::write(folder.join("same.pdf"), b"%PDF-1.7\n1 0 obj\n").expect("written");
    fs::write(folder.join("empty.pdf"), b"").expect("written");
    fs::write(
        folder.join("locked.pdf"),
        b"%PDF-1.7\ntrailer << /Encrypt 5 0 R >>",
    )
    .expect("written");
    fs::write(folder.join("tool.exe"), b"MZ\x90\x00").expect("written");
    let huge = fs::File::create(folder.join("huge.pdf")).expect("created");
    huge.set_len(200 << 20).expect("200 MiB");
    let table = file(
        &shop,
        "certificates.csv",
        "type,number,file\nce,1,ce.pdf\nce,2,same.pdf\nce,3,empty.pdf\nce,4,locked.pdf\nce,5,tool.exe\nce,6,huge.pdf\n\
         ce,7,../home/linkstar.toml\nce,8,gone.pdf\nuck,9,\n",
    );
    let ran = shop.linkstar(&["catalog", "import", &table, "--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let report = json(&ran);
    assert_eq!(report[0]["new"], 2, "{ran:?}");
    let wanted: Vec<String> = report[0]["problems"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|problem| {
            problem["wanted"]
                .as_str()
                .unwrap_or_default()
                .chars()
                .take(24)
                .collect()
        })
        .collect();
    assert_eq!(wanted.len(), 7, "{wanted:?}");
    let store = shop.store().await;
    let stored = super::state::dump(&store, "certificate", "number sha256").await;
    let papers: std::collections::BTreeSet<&str> = stored
        .iter()
        .filter(|row| row.starts_with("1 ") || row.starts_with("2 "))
        .filter_map(|row| row.split(" | ").nth(1))
        .collect();
    assert_eq!(papers.len(), 1, "the same bytes once: {stored:?}");
}
