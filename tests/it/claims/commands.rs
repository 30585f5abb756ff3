//! One claim through the commands of the real binary, from the difference to the money (R68–R70).

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::stage::{Stage, unpack};
use crate::night::shop::Ran;

fn says(ran: &Ran, code: i32, texts: &[&str]) {
    assert_eq!(ran.code, Some(code), "{ran:#?}");
    for text in texts {
        assert!(
            ran.out.contains(text) || ran.err.contains(text),
            "`{text}` is not in {ran:#?}"
        );
    }
}

fn read(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:#?}"))
}

const CASE: &str = "LS-20261122-001-L";
const CLAIM: &str = "LS-20261122-001-L-1";

async fn short() -> Stage {
    let stage = Stage::new(None).await;
    let opened = stage.open("2026-10-16").await;
    opened
        .reconciled(&[stage.carton(0), stage.short(7)], "2026-10-16")
        .await;
    opened.store.close().await;
    stage
}

fn evidence(stage: &Stage, args: &[&str]) -> Ran {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r70_the_clock_of_amazon_is_told_not_before_day_15_and_critical_on_day_50() {
    let mut stage = Stage::new(None).await;
    // The same order to a fulfilment centre: what was counted says when it was delivered.
    stage.order.warehouse = linkstar::ids::WarehouseCode::new("amazon:GB").expect("a code");
    stage.order.number = linkstar::ids::OrderNo::new("LS-AMZ-1").expect("a number");
    let opened = stage.open("2026-09-01").await;
    let mut tx = opened.store.write().await.expect("the store works");
    let at = super::stage::noon;
    linkstar::store::orders::create(
        &mut tx,
        &opened.account(),
        &stage.order,
        super::stage::day("2026-10-20"),
        "wang",
        at("2026-09-01"),
    )
    .await
    .expect("an order");
    tx.commit().await.expect("committed");
    opened.reconciled(&[stage.short(20)], "2026-09-04").await;
    opened.store.close().await;
    let case = "LS-AMZ-1-L";
    let pod = stage.file("pod.pdf", "12");
    let added = stage.linkstar(&[
        "case",
        "evidence",
        "add",
        case,
        &pod,
        "--paper",
        "delivery_proof",
        "--at",
        "2026-09-01T10:00+01:00",
        "--by",
        "wang",
    ]);
    says(&added, 0, &[]);
    says(
        &stage.linkstar(&[
            "case",
            "assign",
            case,
            "warehouse",
            "--reason",
            "POD",
            "--by",
            "wang",
        ]),
        0,
        &[],
    );
    says(
        &stage.linkstar(&["case", "show", case, "--at", "2026-09-04T12:00:00Z"]),
        0,
        &[
            "not before 2026-09-16",
            "last day 2026-10-31",
            "amazon-inbound-60d",
        ],
    );
    let severity = |on: &str| {
        let ran = stage.linkstar(&[
            "deadlines",
            "--json",
            "--days",
            "90",
            "--at",
            &format!("{on}T12:00:00Z"),
        ]);
        let listed = read(&ran);
        let alerts = listed["alerts"].as_array().expect("alerts").clone();
        let alert = alerts
            .iter()
            .find(|alert| alert["rule"] == "claim_last_day")
            .unwrap_or_else(|| panic!("{listed:#}"))
            .clone();
        assert!(
            alert["not_before"]
                .as_str()
                .is_some_and(|day| day.starts_with("2026-09-15T23:00")),
            "{alert}"
        );
        alert["severity"].as_str().expect("a severity").to_owned()
    };
    assert_eq!(severity("2026-09-04"), "notice");
    // Day 50.
    assert_eq!(severity("2026-10-20"), "warning");
    assert_eq!(severity("2026-10-21"), "critical");
    assert_eq!(severity("2026-11-02"), "missed");
    // Too early is refused, with the day.
    let invoice = stage.file("inv.pdf", "x");
    let added = stage.linkstar(&[
        "case",
        "evidence",
        "add",
        case,
        &invoice,
        "--paper",
        "cost_invoice",
        "--number",
        "I",
        "--on",
        "2026-07-01",
        "--line",
        "85123A=900@1GBP",
        "--by",
        "wang",
    ]);
    says(&added, 0, &[]);
    let early = "2026-09-10T12:00:00Z";
    says(
        &stage.linkstar(&["claim", "draft", case, "--by", "wang", "--at", early]),
        0,
        &["20.00 GBP"],
    );
    says(
        &stage.linkstar(&[
            "claim",
            "submit",
            "LS-AMZ-1-L-1",
            "--ticket",
            "T",
            "--by",
            "wang",
            "--at",
            early,
        ]),
        2,
        &["cannot go out before 2026-09-16"],
    );
    says(
        &stage.linkstar(&[
            "claim",
            "submit",
            "LS-AMZ-1-L-1",
            "--ticket",
            "T",
            "--by",
            "wang",
            "--at",
            "2026-09-20T12:00:00Z",
        ]),
        0,
        &[],
    );
    let ran = stage.linkstar(&[
        "deadlines",
        "--json",
        "--days",
        "90",
        "--at",
        "2026-10-22T12:00:00Z",
    ]);
    let listed = read(&ran);
    let still = listed["alerts"]
        .as_array()
        .expect("alerts")
        .iter()
        .any(|alert| alert["rule"] == "claim_last_day" && alert["resolved_at"].is_null());
    assert!(
        !still,
        "what was asked for has no last day to ask any more: {listed:#}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r70_limits_insurance_and_what_is_not_known_are_said() {
    let stage = short().await;
    let at = "2026-10-21T09:00:00Z";
    let draft = |args: &[&str]| {
        let mut all = vec!["claim", "draft", CASE, "--by", "wang", "--at", at];
        all.extend(args);
        stage.linkstar(&all)
    };
    says(&draft(&[]), 2, &["nobody is named yet"]);
    says(
        &draft(&["--against", "customs"]),
        2,
        &["no rules say what a customs owes here"],
    );
    says(
        &draft(&["--against", "carrier", "--regime", "cimm"]),
        2,
        &["no rules are known as `cimm`"],
    );
    says(
        &draft(&["--against", "carrier", "--regime", "amazon-fc"]),
        2,
        &["`amazon-fc` is about a warehouse, not a carrier"],
    );
    // One carton is known to be gone: 666.67 rights, and the goods are worth less.
    says(&draft(&["--against", "carrier"]), 0, &["55 units", "118.25 GBP"]);
    says(
        &stage.linkstar(&[
            "claim",
            "withdraw",
            CLAIM,
            "--reason",
            "the insurer pays",
            "--by",
            "wang",
        ]),
        0,
        &[],
    );
    // 118.25 + 10 % less 500 CNY at 1.05 / 9.7.
    says(&draft(&["--against", "insurer"]), 0, &["75.96 GBP"]);
    says(
        &stage.linkstar(&["case", "close", CASE, "--reason", "small", "--by", "wang"]),
        0,
        &[],
    );
    says(
        &stage.linkstar(&["case", "assign", CASE, "carrier", "--reason", "x", "--by", "wang"]),
        2,
        &["case LS-20261122-001-L is closed"],
    );
    says(
        &stage.linkstar(&["case", "reopen", CASE, "--reason", "not small", "--by", "wang"]),
        0,
        &[],
    );
    // A faulty file of rules is told before anything else.
    fs::write(
        stage.path("claims.toml"),
        "version = 1\n[[sdr]]\ncurrency = 'GBP'\nrate = '-1'\non = '2026-01-01'\nsource = ''\n",
    )
    .expect("a file");
    says(
        &stage.linkstar(&["case", "list"]),
        2,
        &["`sdr[1].rate`: found `-1`, wanted more than 0", "`sdr[1].source`"],
    );
}
