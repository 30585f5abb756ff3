//! Dates, limits and what is not known, as the commands tell them (R42, R70).

use std::fs;

use super::commands::{CASE, CLAIM, read, says, short};
use super::stage::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r42_one_shipment_is_not_enough_data_and_nobody_is_ranked() {
    let stage = short().await;
    let at = "2026-10-21T09:00:00Z";
    says(
        &stage.linkstar(&["scorecard", "--parts", "--at", at]),
        0,
        &[
            "huatuo",
            "sea goodcang:UKMA",
            "2026Q3",
            "not enough data",
            "nobody is ranked",
        ],
    );
    let scores = read(&stage.linkstar(&["scorecard", "--json", "--at", at]));
    assert_eq!(scores["scores"][0]["shipments"], 1, "{scores:#}");
    assert!(scores["scores"][0]["kept_p90"].is_null());
    says(
        &stage.linkstar(&["scorecard", "--since", "2027-01-01", "--at", at]),
        0,
        &["Nothing has been sent"],
    );
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r70_rates_are_shown_with_their_day_and_what_is_too_old_says_so() {
    let stage = Stage::new(None).await;
    let at = |at: &str| stage.linkstar(&["claim", "rates", "--at", at]);
    says(
        &at("2026-11-12T09:00:00Z"),
        1,
        &["USD", "1.36", "2026-11-10", "holds", "EUR", "older than 31 days"],
    );
    let rates = read(&stage.linkstar(&["claim", "rates", "--json", "--at", "2025-12-24T09:00:00Z"]));
    assert_eq!(rates["rates"].as_array().map(Vec::len), Some(4), "{rates:#}");
    says(&at("2025-12-24T09:00:00Z"), 0, &["1.36718", "brecorder.com"]);
    says(&at("2024-12-24T09:00:00Z"), 1, &["One SDR is"]);
}
