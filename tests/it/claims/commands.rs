//! One claim through the commands of the real binary, from the difference to the money (R68–R70).

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::stage::{Stage, unpack};
use crate::night::shop::Ran;

pub fn says(ran: &Ran, code: i32, texts: &[&str]) {
    assert_eq!(ran.code, Some(code), "{ran:#?}");
    for text in texts {
        assert!(
            ran.out.contains(text) || ran.err.contains(text),
            "`{text}` is not in {ran:#?}"
        );
    }
}

pub fn read(ran: &Ran) -> Value {
    let read = serde_json::from_str(&ran.out);
    assert!(read.is_ok(), "{ran:#?}");
    read.expect("JSON")
}

pub const CASE: &str = "LS-20261122-001-L";
pub const CLAIM: &str = "LS-20261122-001-L-1";

pub async fn short() -> Stage {
    let stage = Stage::new(None).await;
    let opened = stage.open("2026-10-16").await;
    opened
        .reconciled(&[stage.carton(0), stage.short(7)], "2026-10-16")
        .await;
    opened.store.close().await;
    stage
}

pub fn evidence(stage: &Stage, args: &[&str]) -> Ran {
    let mut all = vec!["case", "evidence", "add", CASE];
    all.extend(args);
    all.extend(["--by", "wang"]);
    stage.linkstar(&all)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r68_to_r70_from_the_case_to_the_money() {
    let stage = short().await;
    let at = "2026-10-21T09:00:00Z";
    says(
        &stage.linkstar(&["case", "list", "--at", at]),
        1,
        &[CASE, "55", "undetermined"],
    );
    // While nobody is named, the nearest day of all who may be: the list and the clock say the same.
    let listed = read(&stage.linkstar(&["case", "list", "--json", "--at", at]));
    let last_day = listed["cases"][0]["last_day"].as_str().expect("a day").to_owned();
    let clocks = read(&stage.linkstar(&["deadlines", "--json", "--days", "400", "--at", at]));
    let alerts = clocks["alerts"].as_array().expect("alerts");
    let own = alerts.iter().find(|alert| alert["rule"] == "claim_last_day");
    let due: chrono::DateTime<chrono::Utc> = own
        .and_then(|alert| alert["due"].as_str()?.parse().ok())
        .expect("a clock");
    let before = due.with_timezone(&chrono_tz::Europe::London) - chrono::Duration::seconds(1);
    assert_eq!(before.date_naive().to_string(), last_day);
    says(
        &stage.linkstar(&["case", "show", "LS-20261122-001-X"]),
        2,
        &["did you mean `LS-20261122-001-L`?"],
    );
    let pod = stage.file("pod.pdf", "signed for 11 cartons");
    let pod_says = [
        "--paper",
        "delivery_proof",
        "--cartons",
        "11",
        "--clean",
        "--at",
        "2026-10-12T10:00+01:00",
    ];
    let mut added = vec![pod.as_str()];
    added.extend(pod_says);
    says(&evidence(&stage, &added), 0, &[]);
    says(
        &evidence(&stage, &added),
        2,
        &["the same file as delivery_proof is there already"],
    );
    let report = stage.file("report.pdf", "counted 10 cartons");
    says(
        &evidence(&stage, &[&report, "--paper", "receipt_report", "--cartons", "10"]),
        0,
        &[
            "Last clean hand-over: proof of delivery (pod.pdf: 11)",
            "with the warehouse",
        ],
    );
    let chat = stage.file("chat.txt", "Miss Li, phone 138");
    says(
        &evidence(&stage, &[&chat, "--paper", "message", "--tag", "personal"]),
        0,
        &[],
    );
    says(
        &evidence(&stage, &[&chat, "--paper", "pod"]),
        2,
        &["invalid value 'pod' for '--paper"],
    );

    // Under the contract the maker's invoices must cover everything that was sent since the first of them.
    says(
        &stage.linkstar(&["claim", "draft", CASE, "--by", "wang", "--at", at]),
        2,
        &["the cost value of 85123A is not known"],
    );
    let invoice = stage.file("inv1.pdf", "200 pieces");
    let first = [
        invoice.as_str(),
        "--paper",
        "cost_invoice",
        "--number",
        "INV-1",
        "--on",
        "2026-07-01",
        "--line",
        "85123A=200@1.50GBP",
    ];
    says(&evidence(&stage, &first), 0, &[]);
    says(
        &stage.linkstar(&["claim", "draft", CASE, "--by", "wang", "--at", at]),
        1,
        &[
            "cost invoices of 85123A cover 200 units and must cover 252",
            CLAIM,
            "55 units",
            "82.50 GBP",
        ],
    );
    says(
        &stage.linkstar(&[
            "claim", "submit", CLAIM, "--ticket", "T-17", "--by", "wang", "--at", at,
        ]),
        2,
        &["cost invoices do not cover the units: 85123A has 200 of 252"],
    );
    says(
        &stage.linkstar(&["claim", "draft", CASE, "--by", "wang", "--at", at]),
        2,
        &["every unit of case LS-20261122-001-L is claimed already, or found"],
    );
    says(
        &stage.linkstar(&[
            "claim",
            "withdraw",
            CLAIM,
            "--reason",
            "second invoice came",
            "--by",
            "wang",
        ]),
        0,
        &["withdrawn"],
    );
    let more = stage.file("inv2.pdf", "100 pieces");
    let second = [
        more.as_str(),
        "--paper",
        "cost_invoice",
        "--number",
        "INV-2",
        "--on",
        "2026-08-01",
        "--line",
        "85123A=100@1.80GBP",
    ];
    says(&evidence(&stage, &second), 0, &[]);
    let two = format!("{CASE}-2");
    // (200 × 1.50 + 100 × 1.80) / 300 = 1.60 each.
    says(
        &stage.linkstar(&["claim", "draft", CASE, "--by", "wang", "--at", at]),
        0,
        &[&two, "88.00 GBP"],
    );

    r69_dossier(&stage, &two, at);

    says(
        &stage.linkstar(&[
            "claim", "submit", &two, "--ticket", "T-17", "--by", "wang", "--at", at,
        ]),
        0,
        &[],
    );
    says(
        &stage.linkstar(&[
            "claim",
            "answer",
            &two,
            "--rejected",
            "no weights",
            "--on",
            "2026-10-25",
            "--by",
            "wang",
        ]),
        0,
        &["rejected"],
    );
    says(
        &stage.linkstar(&[
            "claim",
            "appeal",
            &two,
            "--reason",
            "weights enclosed",
            "--by",
            "wang",
            "--at",
            at,
        ]),
        0,
        &["appealed"],
    );
    says(
        &stage.linkstar(&[
            "claim",
            "answer",
            &two,
            "--accepted",
            "88.01GBP",
            "--by",
            "wang",
            "--at",
            at,
        ]),
        2,
        &["88.01 GBP is more than the 88.00 GBP that was asked"],
    );
    says(
        &stage.linkstar(&[
            "claim",
            "answer",
            &two,
            "--accepted",
            "80GBP",
            "--by",
            "wang",
            "--at",
            at,
        ]),
        0,
        &["accepted"],
    );
    let pay = |amount: &str, reference: &str| {
        stage.linkstar(&[
            "claim",
            "pay",
            &two,
            amount,
            "--reference",
            reference,
            "--on",
            "2026-11-01",
            "--by",
            "wang",
        ])
    };
    says(&pay("30GBP", "B-1"), 0, &["recovered 30.00 GBP"]);
    says(&pay("30GBP", "B-1"), 0, &["recovered 30.00 GBP"]);
    says(
        &pay("31GBP", "B-1"),
        2,
        &["payment `B-1` is known as 30.00 GBP, not 31.00 GBP"],
    );
    says(&pay("50GBP", "B-2"), 0, &["settled", "recovered 80.00 GBP"]);
    let ledger = read(&stage.linkstar(&["claim", "ledger", "--json"]));
    assert_eq!(ledger["payments"].as_array().map(Vec::len), Some(2), "{ledger}");
    let shown = read(&stage.linkstar(&["claim", "show", &two, "--json", "--at", at]));
    assert_eq!(shown["log"].as_array().map(Vec::len), Some(7), "{shown}");
    assert_eq!(shown["claim"]["state"], "settled");
}

/// Twice the same bytes, hashes that verify, everything on the list or on the page of what is missing, nothing personal.
fn r69_dossier(stage: &Stage, claim: &str, at: &str) {
    let write = |name: &str| {
        let to = stage.path(name);
        let ran = stage.linkstar(&[
            "claim",
            "dossier",
            claim,
            "--to",
            &to.display().to_string(),
            "--by",
            "wang",
            "--at",
            at,
        ]);
        says(&ran, 0, &[name]);
        fs::read(to).expect("a dossier")
    };
    let first = write("one.zip");
    assert_eq!(first, write("two.zip"), "the same facts, the same bytes");
    let folder = stage.path("unpacked");
    unpack(&stage.path("one.zip"), &folder);
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "SHA256SUMS"])
        .current_dir(&folder)
        .output()
        .expect("sha256sum runs");
    assert!(checked.status.success(), "{checked:?}");
    let lines = String::from_utf8_lossy(&checked.stdout).lines().count();
    let evidence = fs::read_dir(folder.join("evidence")).expect("evidence").count();
    assert_eq!(lines, evidence + 4, "index, letter twice, facts");
    let facts: Value =
        serde_json::from_slice(&fs::read(folder.join("claim.json")).expect("facts")).expect("JSON");
    let there: Vec<&str> = facts["papers"]
        .as_array()
        .expect("papers")
        .iter()
        .filter_map(|paper| paper["paper"].as_str())
        .collect();
    for paper in ["delivery_proof", "receipt_report", "cost_invoice"] {
        assert!(there.contains(&paper), "{paper}: {facts:#}");
    }
    // The order was made without papers here: the packing list is on the page of what is missing.
    assert_eq!(facts["missing"].to_string(), r#"["packing_list"]"#);
    assert_eq!(facts["withheld"].to_string(), r#"["message"]"#);
    for file in fs::read_dir(folder.join("evidence")).expect("evidence") {
        let bytes = fs::read(file.expect("a file").path()).expect("readable");
        assert!(!String::from_utf8_lossy(&bytes).contains("Miss Li"));
    }
    if let Ok(keep) = std::env::var("LINKSTAR_KEEP_DOSSIER") {
        fs::copy(stage.path("one.zip"), keep).expect("kept");
    }
}

/// Lost and broken units of one shipment, held against one party: one claim, one letter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r70_one_claim_may_ask_for_two_cases_of_an_order_and_no_unit_twice() {
    let stage = Stage::new(None).await;
    let opened = stage.open("2026-10-16").await;
    let broken = stage.difference(0, linkstar::reconcile::Kind::Damaged, None, 4);
    opened
        .reconciled(&[stage.short(7), broken.clone()], "2026-10-16")
        .await;
    opened.store.close().await;
    let at = "2026-10-21T09:00:00Z";
    let damage = "LS-20261122-001-D";
    let assign = |case: &str, party: &str| {
        let args = ["case", "assign", case, party, "--reason", "POD", "--by", "wang"];
        says(&stage.linkstar(&args), 0, &[]);
    };
    assign(CASE, "warehouse");
    assign(damage, "carrier");
    let report = stage.file("report.csv", "reference,sku,scanned_units\n");
    says(&evidence(&stage, &[&report, "--paper", "receipt_report"]), 0, &[]);
    let invoice = stage.file("inv1.pdf", "252 pieces");
    let line = [
        "--paper",
        "cost_invoice",
        "--number",
        "INV-1",
        "--on",
        "2026-07-01",
        "--line",
        "85123A=252@1.50GBP",
    ];
    let mut args = vec!["case", "evidence", "add", damage, invoice.as_str()];
    args.extend(line);
    args.extend(["--by", "wang"]);
    says(&stage.linkstar(&args), 0, &[]);
    let draft = |more: &[&str]| {
        let mut args = vec![
            "claim",
            "draft",
            CASE,
            "--by",
            "wang",
            "--at",
            at,
            "--currency",
            "GBP",
        ];
        args.extend(more);
        stage.linkstar(&args)
    };
    says(
        &draft(&["--with", damage]),
        2,
        &["held against different parties"],
    );
    assign(damage, "warehouse");
    says(&draft(&["--with", CASE]), 2, &["cannot go into one claim"]);
    says(&draft(&["--with", "LS-20261122-001-X"]), 2, &["did you mean"]);
    // The invoice lies with the other case and counts for both: 11 units at 1.50.
    says(&draft(&["--with", damage]), 0, &["11 units", "16.50 GBP"]);
    let other = ["claim", "draft", damage, "--by", "wang", "--at", at];
    says(&stage.linkstar(&other), 2, &["is claimed already"]);
    let listed = read(&stage.linkstar(&["case", "list", "--json", "--at", at]));
    for case in listed["cases"].as_array().expect("cases") {
        assert_eq!(case["claims"][0], CLAIM, "{listed:#}");
    }
    let to = stage.path("both.zip").display().to_string();
    says(
        &stage.linkstar(&["claim", "dossier", CLAIM, "--to", &to, "--by", "wang", "--at", at]),
        0,
        &[],
    );
    unpack(&stage.path("both.zip"), &stage.path("both"));
    let letter = fs::read_to_string(stage.path("both/01-letter.txt")).expect("a letter");
    assert!(
        letter.contains("11 units (loss, damage)") && letter.contains("丢失/少收、破损"),
        "{letter}"
    );
    assert!(letter.contains(broken.id.as_str()), "{letter}");
    // Four broken ones were not broken after all: the draft asks for the seven that are lost.
    let opened = stage.open("2026-10-22").await;
    let followed = opened.reconciled(&[stage.short(7)], "2026-10-22").await;
    opened.store.close().await;
    assert_eq!((followed.reduced, followed.withdrawn), (1, 0), "{followed:?}");
    let shown = read(&stage.linkstar(&["claim", "show", CLAIM, "--json", "--at", "2026-10-22T12:00:00Z"]));
    assert_eq!(shown["claim"]["amount"]["total"]["amount"], "10.50", "{shown:#}");
}
