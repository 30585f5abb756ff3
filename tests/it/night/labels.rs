//! Labels before hand-over, what the domestic warehouse has, and the day that is written on papers, through the real binary.

use std::fs;

use chrono::Duration;
use linkstar::ids::{SourceId, WarehouseCode};
use linkstar::ledger::{Buckets, StockRow};
use linkstar::store::facts;
use serde_json::Value;

use super::shop::{Ran, Shop, morning};

fn run(shop: &Shop, args: &[&str]) -> Ran {
    let at = morning(0).to_rfc3339();
    let mut all = vec!["--lang", "en", "order"];
    all.extend(args);
    all.extend(["--at", &at]);
    shop.linkstar(&all)
}

fn shown(shop: &Shop, number: &str) -> Value {
    let ran = shop.linkstar(&["order", "show", number, "--json"]);
    assert!(ran.out.trim_start().starts_with('{'), "no JSON: {ran:?}");
    serde_json::from_str(&ran.out).expect("JSON")
}

fn file(shop: &Shop, name: &str, text: &str) -> String {
    let path = shop.folder.path().join(name);
    fs::write(&path, text).expect("written");
    path.display().to_string()
}

/// An issued order of two cartons.
fn issued(shop: &Shop) -> String {
    shop.issued(&["GLS-84755=144"])
}

const PACKING: &str =
    "carton,sku,units,gross_kg,length_cm,width_cm,height_cm\n1-2,GLS-84755,72,10.2,46,31,25\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r32_goods_and_their_papers_wait_for_their_labels_and_a_person_may_say_why_they_do_not() {
    let shop = Shop::new(3).await;
    let list = file(&shop, "packing.csv", PACKING);
    // Nobody asked: packed and handed over.
    let free = issued(&shop);
    assert_eq!(run(&shop, &["pack", &free, "--file", &list]).code, Some(0));
    let gone = run(&shop, &["hand-over", &free, "--by", "wang"]);
    assert_eq!(gone.code, Some(0), "{gone:?}");
    assert_eq!(shown(&shop, &free)["state"], "handed_over");

    // Asked for with the instruction: the goods and the papers of their cartons wait.
    let held = issued(&shop);
    let out = shop.folder.path().join("out").display().to_string();
    let told = run(
        &shop,
        &["instruct", &held, "--save", &out, "--scan-back", "--by", "wang"],
    );
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(run(&shop, &["pack", &held, "--file", &list]).code, Some(0));
    let waiting = |number: &str| -> usize {
        let ran = shop.linkstar(&["outbox", "list", "--json"]);
        let rows: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("no JSON: {ran:?}"));
        rows.as_array()
            .expect("a list")
            .iter()
            .filter(|row| row.to_string().contains(&format!("order/{number}/r2/")))
            .count()
    };
    assert_eq!(waiting(&held), 0, "papers of unverified cartons stay");
    let refused = run(&shop, &["hand-over", &held, "--by", "wang"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("found `packed, unverified`"), "{refused:?}");

    // The forwarder says he has them: kept, told, and not believed.
    let confirmation = format!(
        r#"{{"order": "{held}", "inbound_no": "FBA15", "cartons": 2, "accepted_at": "2026-05-04T01:00:00Z"}}"#
    );
    let out_there = shop.world.endpoints().sftp_folder.join("out");
    fs::write(out_there.join(format!("confirmed-{held}.json")), confirmation).expect("left for us");
    let night = shop.night(0).await;
    let receive = super::shop::step(&night, linkstar::night::Step::Receive);
    assert!(
        receive.problems.join("\n").contains("packed, unverified"),
        "{receive:?}"
    );
    let state = shown(&shop, &held);
    assert_eq!(
        (&state["state"], &state["hand_over_waits"]),
        (&"packed".into(), &true.into()),
        "{state}"
    );
    let problems = shop.linkstar(&["--lang", "en", "order", "problems"]);
    assert!(problems.out.contains("packed, unverified"), "{problems:?}");

    // Photographs: one that is none, then all of them.
    let pictures = shop.folder.path().join("pictures");
    fs::create_dir_all(&pictures).expect("a folder");
    fs::write(pictures.join("1.jpg"), b"\xff\xd8\xff\xe0 label").expect("written");
    fs::write(pictures.join("2.jpg"), b"").expect("written");
    let photos = file(&shop, "photos.csv", "carton,photo\n1,1.jpg\n2,2.jpg\n");
    let folder = pictures.display().to_string();
    let scan = [
        "scan", &held, "--photos", &photos, "--folder", &folder, "--by", "li",
    ];
    let open = run(&shop, &scan);
    assert_eq!(open.code, Some(1), "{open:?}");
    assert!(
        open.out.contains("a picture that is not empty") && open.out.contains("carton 2, `photo`"),
        "{open:?}"
    );
    assert_eq!(shown(&shop, &held)["state"], "packed");
    fs::write(pictures.join("2.jpg"), b"\xff\xd8\xff\xe0 label").expect("written");
    let clean = run(&shop, &scan);
    assert_eq!(clean.code, Some(0), "{clean:?}");
    let state = shown(&shop, &held);
    assert_eq!(
        state["state"], "handed_over",
        "what the forwarder said counts now: {state}"
    );
    assert_eq!(state["shipped_on"], "2026-05-04");
    assert!(waiting(&held) > 0, "the papers go");

    // A scan with findings holds; a person says why they go all the same.
    let waived = issued(&shop);
    assert_eq!(run(&shop, &["pack", &waived, "--file", &list]).code, Some(0));
    let scans = file(&shop, "scans.txt", &format!("{waived}U000001\n"));
    assert_eq!(run(&shop, &["scan", &waived, "--file", &scans]).code, Some(1));
    assert_eq!(run(&shop, &["hand-over", &waived]).code, Some(2));
    let args = [
        "hand-over",
        &waived,
        "--by",
        "wang",
        "--unverified",
        "scanner broken",
    ];
    assert_eq!(run(&shop, &args).code, Some(0));
    let state = shown(&shop, &waived);
    assert_eq!(state["state"], "handed_over");
    let log = state["events"].as_array().expect("events");
    let said = log
        .iter()
        .find(|event| event["kind"] == "labels_waived")
        .expect("logged");
    assert_eq!(
        (&said["by"], &said["reason"]),
        (&"wang".into(), &"scanner broken".into())
    );

    // A forwarder who always wants it.
    shop.edit_config("[[forwarder]]\n", "[[forwarder]]\nscan_back = \"always\"\n");
    let always = issued(&shop);
    assert_eq!(run(&shop, &["hand-over", &always]).code, Some(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r29_nothing_is_packed_beyond_what_the_domestic_warehouse_last_said_it_has() {
    let shop = Shop::new(3).await;
    let number = issued(&shop);
    let list = file(&shop, "packing.csv", PACKING);
    shop.edit_config("[order]\n", "[order]\nships_from = \"eccang:SZ01\"\n");
    let pack = ["pack", &number, "--file", &list];
    let never = run(&shop, &pack);
    assert_eq!(never.code, Some(2), "{never:?}");
    assert!(
        never.err.contains("found `none (eccang:SZ01 was never asked)`"),
        "{never:?}"
    );
    let has = |units: i64| StockRow {
        source: SourceId::new("eccang-sz").expect("an id"),
        warehouse: WarehouseCode::new("eccang:SZ01").expect("a code"),
        sku_code: "GLS-84755".to_owned(),
        buckets: Buckets {
            available: Some(units),
            reserved: Some(4),
            ..Buckets::default()
        },
        total: None,
    };
    let told = async |units: i64| {
        let store = shop.store().await;
        let mut tx = store.write().await.expect("a transaction");
        let row = has(units);
        let account = shop.config().account.id;
        let zone = chrono_tz::Asia::Shanghai;
        facts::put_snapshot(
            &mut tx,
            &account,
            &row.source,
            &row.warehouse,
            zone,
            morning(0),
            std::slice::from_ref(&row),
        )
        .await
        .expect("stored")
        .expect("taken");
        tx.commit().await.expect("committed");
        store.close().await;
    };
    told(100).await;
    let short = run(&shop, &pack);
    assert_eq!(short.code, Some(2), "{short:?}");
    assert!(
        short
            .err
            .contains("SKU GLS-84755, `stock`: found `104 (eccang:SZ01, 2026-05-04)`, wanted 144"),
        "{short:?}"
    );
    let out = shop.folder.path().join("out").display().to_string();
    let instructed = run(&shop, &["instruct", &number, "--save", &out]);
    assert_eq!(instructed.code, Some(1), "{instructed:?}");
    let with = [&pack[..], &["--beyond-stock", "forty come tomorrow"]].concat();
    assert_eq!(run(&shop, &with).code, Some(0));
    let other = issued(&shop);
    told(140).await;
    assert_eq!(
        run(&shop, &["pack", &other, "--file", &list]).code,
        Some(0),
        "144 with what is reserved"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r35_an_edited_paper_is_compared_with_the_day_it_was_issued_and_not_with_the_orders() {
    let shop = Shop::new(5).await;
    let number = shop.drafted(&["GLS-84755=144"]);
    // Drafted on Monday, issued on Thursday.
    let thursday = (morning(0) + Duration::days(3)).to_rfc3339();
    let done = shop.linkstar(&["order", "issue", &number, "--at", &thursday]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let out = shop.folder.path().join("out").display().to_string();
    let saved = shop.linkstar(&["order", "show", &number, "--save", &out]);
    assert_eq!(saved.code, Some(0), "{saved:?}");
    let papers: Vec<String> = fs::read_dir(&out)
        .expect("a folder")
        .map(|entry| entry.expect("entry").path().display().to_string())
        .filter(|name| name.ends_with(".xml") || name.ends_with(".xlsx"))
        .collect();
    assert!(papers.len() >= 3, "{papers:?}");
    let mut args = vec!["papers", "compare", &number];
    args.extend(papers.iter().map(String::as_str));
    let next_week = (morning(0) + Duration::days(7)).to_rfc3339();
    args.extend(["--at", &next_week]);
    let compared = shop.linkstar(&args);
    assert_eq!(compared.code, Some(0), "{compared:?}");
    // Written again, they say the same day.
    let again = shop.folder.path().join("again").display().to_string();
    let ran = shop.linkstar(&["papers", "write", &number, "--save", &again, "--at", &next_week]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for paper in papers.iter().filter(|paper| paper.ends_with(".xml")) {
        let name = paper.rsplit('/').next().expect("a name");
        let sent = fs::read_to_string(paper).expect("as sent");
        let written = fs::read_to_string(format!("{again}/{name}")).expect("as written again");
        assert!(sent == written, "{name}:\n{sent}\n{written}");
    }
}
