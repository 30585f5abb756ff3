//! What goes to the other side: the counts and findings of the warehouse, and several claims in one file.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use linkstar::order::{OrderEvent, OrderEventKind, OrderState};
use linkstar::reconcile::{Difference, DifferenceId};
use linkstar::store::orders;

use super::commands::{CASE, CLAIM, evidence, read, says};
use super::stage::{Stage, day, noon, unpack};

const AT: &str = "2026-10-21T09:00:00Z";

fn assign(stage: &Stage, case: &str, party: &str) {
    let args = ["case", "assign", case, party, "--reason", "POD", "--by", "wang"];
    says(&stage.linkstar(&args), 0, &[]);
}

fn draft(stage: &Stage, case: &str) {
    let args = [
        "claim",
        "draft",
        case,
        "--by",
        "wang",
        "--at",
        AT,
        "--currency",
        "GBP",
    ];
    says(&stage.linkstar(&args), 0, &[]);
}

/// The maker's invoice that covers everything.
fn costs(stage: &Stage, case: &str, name: &str) {
    let invoice = stage.file(name, name);
    let args = [
        "case",
        "evidence",
        "add",
        case,
        &invoice,
        "--paper",
        "cost_invoice",
        "--number",
        name,
        "--on",
        "2026-07-01",
        "--line",
        "85123A=900@1.50GBP",
        "--by",
        "wang",
    ];
    says(&stage.linkstar(&args), 0, &[]);
}

/// Everything a CSV file of a dossier says, by head.
fn table(path: &std::path::Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// Found below `evidence/`, whatever number it has.
fn evidence_file(folder: &std::path::Path, name: &str) -> std::path::PathBuf {
    let mut files = fs::read_dir(folder.join("evidence"))
        .expect("evidence")
        .map(|file| file.expect("a file").path())
        .filter(|path| path.to_string_lossy().ends_with(name));
    let found = files.next().expect(name);
    assert_eq!(files.next(), None);
    found
}

/// A report with scans, wrong labels, photos and notes, dropped in twice: told once, what was not counted is not zero.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r54_r69_what_the_warehouse_wrote_beside_its_counts_stands_in_the_dossier() {
    let stage = Stage::new(None).await;
    let warehouses = stage.file(
        "warehouses.csv",
        "code,name,country,zone\ngoodcang:UKMA,GoodCang Manchester,GB,Europe/London\n",
    );
    says(
        &stage.linkstar(&["catalog", "import", &warehouses, "--effective", "2026-01-01"]),
        0,
        &[],
    );
    let marks: Vec<&str> = stage
        .order
        .cartons
        .iter()
        .map(|carton| carton.mark.as_str())
        .collect();
    let report = stage.file(
        "report.csv",
        &format!(
            "参考号,箱号,SKU,预报数量,收货数量,扫描数量,破损数量,错标数量,错货数量,照片,备注,收货时间\n\
             {order},{one},85123A,48,47,46,1,2,0,a.jpg;b.jpg,\"外箱潮湿, \"\"wet\"\" corner\",2026-10-14 09:30\n\
             {order},{two},85123A,48,48,,,,,,,2026-10-14 10:00\n",
            order = stage.order.number,
            one = marks[0],
            two = marks[1],
        ),
    );
    for _ in 0..2 {
        let args = ["receive", &report, "--at", "2026-10-15T09:00:00Z"];
        let ran = stage.linkstar(&args);
        assert!(ran.code == Some(0) || ran.code == Some(1), "{ran:#?}");
    }
    let opened = stage.open("2026-10-16").await;
    opened.reconciled(&[stage.short(7)], "2026-10-16").await;
    opened.store.close().await;
    assign(&stage, CASE, "warehouse");
    costs(&stage, CASE, "INV-1");
    let photo = stage.file("a.jpg", "not really a picture");
    says(&evidence(&stage, &[&photo, "--paper", "carton_photos"]), 0, &[]);
    let shown = stage.linkstar(&["case", "show", CASE, "--at", AT]);
    says(
        &shown,
        0,
        &["Photos the warehouse names that nobody has put here: b.jpg"],
    );
    draft(&stage, CASE);
    let to = stage.path("one.zip").display().to_string();
    says(
        &stage.linkstar(&["claim", "dossier", CLAIM, "--to", &to, "--by", "wang", "--at", AT]),
        0,
        &[],
    );
    let folder = stage.path("one");
    unpack(&stage.path("one.zip"), &folder);

    let found = table(&evidence_file(&folder, "findings.csv"));
    let told: Vec<Vec<&str>> = found
        .iter()
        .map(|row| {
            [
                "carton",
                "sku",
                "expected",
                "counted",
                "scanned",
                "wrong_label",
                "wrong_item",
                "photos",
                "photos_put_to_the_case",
                "note",
            ]
            .map(|head| row[head].as_str())
            .to_vec()
        })
        .collect();
    assert_eq!(
        told,
        [
            vec![
                marks[0],
                "85123A",
                "48",
                "47",
                "46",
                "2",
                "0",
                "a.jpg b.jpg",
                "a.jpg",
                "外箱潮湿, \"wet\" corner"
            ],
            vec![marks[1], "85123A", "48", "48", "", "", "", "", "", ""],
        ]
    );
    // In the warehouse's own time it was half past nine.
    assert_eq!(found[0]["at"], "2026-10-14T08:30:00+00:00");
    // The counts themselves are receipts, each once.
    let counted = table(&evidence_file(&folder, "receipts.csv"));
    let mut counted: Vec<(&str, &str, &str)> = counted
        .iter()
        .map(|row| {
            (
                row["carton"].as_str(),
                row["kind"].as_str(),
                row["units"].as_str(),
            )
        })
        .collect();
    counted.sort_unstable();
    assert_eq!(
        counted,
        [
            (marks[0], "damaged", "1"),
            (marks[0], "mislabelled", "2"),
            (marks[0], "received", "47"),
            (marks[1], "received", "48"),
        ]
    );
}

/// A second order to the same warehouse, handed over on the same day.
async fn second(stage: &Stage) -> Difference {
    let mut order = stage.order.clone();
    order.number = linkstar::ids::OrderNo::new("LS-20261122-002").expect("a number");
    for carton in &mut order.cartons {
        carton.mark = carton.mark.replace("-001", "-002");
    }
    let opened = stage.open("2026-09-01").await;
    let mut tx = opened.store.write().await.expect("the store works");
    let account = opened.account();
    orders::create(
        &mut tx,
        &account,
        &order,
        day("2026-10-20"),
        "wang",
        noon("2026-09-01"),
    )
    .await
    .expect("an order");
    let event = OrderEvent {
        at: noon("2026-09-03"),
        by: "wang".to_owned(),
        kind: OrderEventKind::Reached {
            state: OrderState::HandedOver,
        },
    };
    orders::append(&mut tx, &account, &order.number, event)
        .await
        .expect("handed over");
    tx.commit().await.expect("committed");
    opened.store.close().await;
    let own = stage.short(5);
    Difference {
        id: DifferenceId::of(&order.number, None, &own.sku, own.kind, None),
        order: order.number,
        ..own
    }
}

/// What a warehouse is asked for in a month goes to it in one file under one ticket; every claim stays a claim of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r69_claims_of_several_orders_go_out_in_one_file_and_stay_claims_of_their_own() {
    let stage = Stage::new(None).await;
    let other = second(&stage).await;
    let opened = stage.open("2026-10-16").await;
    opened
        .reconciled(&[stage.short(7), other.clone()], "2026-10-16")
        .await;
    opened.store.close().await;
    let second_case = format!("{}-L", other.order);
    let second_claim = format!("{second_case}-1");
    for (case, invoice) in [(CASE, "INV-1"), (&second_case, "INV-2")] {
        assign(&stage, case, "warehouse");
        costs(&stage, case, invoice);
        draft(&stage, case);
    }
    let dossier = |claims: &[&str], name: &str| {
        let to = stage.path(name).display().to_string();
        let mut args = vec!["claim", "dossier"];
        args.extend(claims);
        args.extend(["--to", &to, "--by", "wang", "--at", AT]);
        stage.linkstar(&args)
    };
    says(&dossier(&[CLAIM, CLAIM], "twice.zip"), 2, &["is named twice"]);
    says(
        &dossier(&[CLAIM, "LS-20261122-009-L-1"], "none.zip"),
        2,
        &["there is no claim"],
    );
    assert!(!stage.path("none.zip").exists());
    says(&dossier(&[CLAIM, &second_claim], "both.zip"), 0, &[]);
    says(&dossier(&[&second_claim, CLAIM], "again.zip"), 0, &[]);
    let bytes = |name: &str| fs::read(stage.path(name)).expect("a file");
    assert_eq!(
        bytes("both.zip"),
        bytes("again.zip"),
        "in whatever order they are named"
    );
    let folder = stage.path("both");
    unpack(&stage.path("both.zip"), &folder);
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(&folder)
        .output()
        .expect("sha256sum runs");
    assert!(checked.status.success(), "{checked:?}");
    let cover = fs::read_to_string(folder.join("00-claims.txt")).expect("a cover");
    for text in [
        format!("{CLAIM} | LS-20261122-001 | loss | 7 |"),
        format!("{second_claim} | LS-20261122-002 | 丢失/少收 | 5 |"),
        "Total |  |  | 12 |  | 18.00 GBP".to_owned(),
        "合计 |  |  | 12 |  | 18.00 GBP".to_owned(),
    ] {
        assert!(cover.contains(&text), "`{text}` is not in {cover}");
    }
    for claim in [CLAIM, &second_claim] {
        let letter = fs::read_to_string(folder.join(claim).join("01-letter.txt")).expect("a letter");
        assert!(letter.contains(claim), "{letter}");
        assert!(folder.join(claim).join("00-index.pdf").exists());
    }
    // One goes to somebody else: nothing goes out.
    let submit = |claims: &[&str], ticket: &str| {
        let mut args = vec!["claim", "submit"];
        args.extend(claims);
        args.extend(["--ticket", ticket, "--by", "wang", "--at", AT]);
        stage.linkstar(&args)
    };
    let states = || {
        let listed = read(&stage.linkstar(&["claim", "list", "--json"]));
        let mut states: Vec<String> = listed["claims"]
            .as_array()
            .expect("claims")
            .iter()
            .map(|claim| format!("{} {} {}", claim["number"], claim["state"], claim["ticket"]))
            .collect();
        states.sort();
        states
    };
    let before = states();
    says(
        &submit(&[CLAIM, "LS-20261122-009-L-1"], "T-1"),
        2,
        &["there is no claim"],
    );
    assert_eq!(states(), before, "all of them, or none");
    says(&submit(&[CLAIM, &second_claim], "T-17"), 0, &[]);
    let wanted = [CLAIM, &second_claim].map(|claim| format!("\"{claim}\" \"submitted\" \"T-17\""));
    assert_eq!(states(), wanted);
    // Each is answered and paid by itself; one transfer may pay both.
    let answer = [
        "claim",
        "answer",
        &second_claim,
        "--rejected",
        "no POD",
        "--by",
        "wang",
        "--at",
        AT,
    ];
    says(&stage.linkstar(&answer), 0, &["rejected"]);
    assert!(states()[0].contains("submitted"), "{:?}", states());
}
