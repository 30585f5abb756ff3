//! Slots that were missed and goods that came late: a case each, with what it costs and who had the goods (R53, R68–R70).

use std::fs;

use linkstar::money::{Currency, Money};
use linkstar::store::bills;
use rust_decimal::Decimal;

use super::commands::{read, says};
use super::stage::{RULES, Stage, unpack};
use crate::night::shop::Ran;

const LATE: &str = "LS-20261122-001-T";
const SLOT: &str = "LS-20261122-001-A";

/// Promised for 10 October, three days free, then 50 a day and no more than 600.
const CONTRACT: &str = r#"
[[regime]]
id = "huatuo-contract"
zh = "华拓合同"
en = "Huatuo contract"
against = "carrier"
forwarders = ["huatuo"]

[[clock]]
id = "huatuo-contract"
regime = "huatuo-contract"
kinds = ["delay", "missed_slot"]
from = "reported"
notice = "3d"
claim = "14d"
valid_from = "2026-01-01"
source = "contract 2026, clause 6"
checked = "2026-11-01"

[[late]]
id = "huatuo-late"
regime = "huatuo-contract"
promise = "37d"
free_days = 3
per_day = "50"
most = "600"
currency = "GBP"
valid_from = "2026-01-01"
source = "contract 2026, clause 6"
checked = "2026-11-01"
"#;

async fn contracted(fee: &str) -> Stage {
    under(CONTRACT, fee).await
}

async fn under(contract: &str, fee: &str) -> Stage {
    let stage = Stage::new(None).await;
    fs::write(stage.path("claims.toml"), format!("{RULES}\n{contract}")).expect("a file");
    let mut config = fs::read_to_string(&stage.config_file).expect("a file");
    config.push_str(fee);
    fs::write(&stage.config_file, config).expect("a file");
    // Slots are told in the warehouse's own time.
    let warehouses = stage.file(
        "warehouses.csv",
        "code,name,country,zone\ngoodcang:UKMA,GoodCang Manchester,GB,Europe/London\n",
    );
    let import = ["catalog", "import", &warehouses, "--effective", "2026-01-01"];
    says(&stage.linkstar(&import), 0, &[]);
    stage
}

async fn on(stage: &Stage, day: &str) -> linkstar::night::cases::Followed {
    let opened = stage.open(day).await;
    let followed = opened.reconciled(&[], day).await;
    opened.store.close().await;
    followed
}

fn tell(stage: &Stage, milestone: &str, at: &str) {
    let order = stage.order.number.to_string();
    says(&stage.linkstar(&["events", "add", &order, milestone, at]), 0, &[]);
}

/// Asks for a case in pounds, at an hour.
fn draft(stage: &Stage, case: &str, at: &str, more: &[&str]) -> Ran {
    let mut args = vec![
        "claim",
        "draft",
        case,
        "--by",
        "wang",
        "--currency",
        "GBP",
        "--at",
        at,
    ];
    args.extend(more);
    stage.linkstar(&args)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r68_goods_later_than_the_contract_promises_are_a_case_and_a_claim_for_its_days() {
    let stage = contracted("").await;
    assert_eq!(on(&stage, "2026-10-13").await.opened, 0, "the free days are free");
    assert_eq!(on(&stage, "2026-10-14").await.opened, 1);
    assert_eq!(
        on(&stage, "2026-10-15").await,
        linkstar::night::cases::Followed::default()
    );
    let shown = |at: &str| stage.linkstar(&["case", "show", LATE, "--at", at]);
    says(
        &shown("2026-10-15T09:00:00Z"),
        0,
        &["Promised for 2026-10-10 (huatuo-late), not delivered by 2026-10-15: 5 days late so far"],
    );
    tell(&stage, "delivered", "2026-10-20T10:00+01:00");
    assert_eq!(
        (
            on(&stage, "2026-10-21").await.opened,
            on(&stage, "2026-10-22").await.changed
        ),
        (0, 0)
    );
    let at = "2026-10-22T09:00:00Z";
    says(
        &shown(at),
        0,
        &[
            "delivered on 2026-10-20: 10 days late",
            "with the carrier or forwarder",
            "2026-10-28",
        ],
    );
    says(
        &draft(&stage, LATE, at, &["--against", "insurer"]),
        2,
        &["a policy pays for goods that are gone or broken"],
    );
    let first = format!("{LATE}:85123A=5");
    says(
        &draft(&stage, LATE, at, &["--units", &first]),
        2,
        &["a claim asks for all of it"],
    );
    says(
        &draft(&stage, LATE, at, &["--fee", "9GBP"]),
        2,
        &["for a missed slot"],
    );
    says(&draft(&stage, LATE, at, &[]), 0, &["350.00 GBP"]);
    // Two claims on the same days are refused.
    says(&draft(&stage, LATE, at, &[]), 2, &["is claimed already"]);

    let claim = format!("{LATE}-1");
    let to = stage.path("late.zip").display().to_string();
    says(
        &stage.linkstar(&[
            "claim", "dossier", &claim, "--to", &to, "--by", "wang", "--at", at,
        ]),
        0,
        &[],
    );
    unpack(&stage.path("late.zip"), &stage.path("late"));
    let letter = fs::read_to_string(stage.path("late/01-letter.txt")).expect("a letter");
    for text in [
        "Promised for 2026-10-10 (huatuo-late), delivered on 2026-10-20: 10 days late",
        "承诺 2026-10-10 送达",
        "7 days late (after 3 free) × 50 GBP a day",
    ] {
        assert!(letter.contains(text), "`{text}` is not in {letter}");
    }
    assert!(!letter.contains("what became of these goods"), "{letter}");
    // It was there in time after all: the case is closed and the draft gives way.
    tell(&stage, "delivered", "2026-10-12T10:00+01:00");
    let followed = on(&stage, "2026-10-23").await;
    assert_eq!(followed.withdrawn, 1, "{followed:?}");
    let listed = read(&stage.linkstar(&["case", "list", "--all", "--json", "--at", "2026-10-23T09:00:00Z"]));
    assert_eq!(listed["cases"][0]["state"], "closed", "{listed:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_a_missed_slot_is_a_case_with_its_fee_who_had_the_goods_and_what_shows_it() {
    let fee = "[deadlines.appointment.\"goodcang:UKMA\"]\nmissed_fee = { amount = \"80.00\", currency = \"GBP\" }\n";
    let stage = contracted(fee).await;
    tell(&stage, "appointment", "2026-10-08T09:00+01:00");
    assert_eq!(on(&stage, "2026-10-07").await.opened, 0);
    assert_eq!(on(&stage, "2026-10-09").await.opened, 1);
    assert_eq!(
        on(&stage, "2026-10-09").await,
        linkstar::night::cases::Followed::default()
    );
    let at = "2026-10-09T12:00:00Z";
    let shown = |at: &str| stage.linkstar(&["case", "show", SLOT, "--at", at]);
    says(
        &shown(at),
        0,
        &[
            "missed slot",
            "Nobody came to the slot of 2026-10-08 09:00 BST; fee 80.00 GBP",
            "When the goods should have been there (2026-10-08 08:00 UTC), they were with the carrier or forwarder",
            "proof of delivery",
        ],
    );
    says(
        &stage.linkstar(&["deadlines", "--days", "60", "--at", at]),
        1,
        &[SLOT],
    );
    says(&draft(&stage, SLOT, at, &[]), 0, &["80.00 GBP"]);
    let claim = format!("{SLOT}-1");
    let withdraw = [
        "claim",
        "withdraw",
        &claim,
        "--reason",
        "billed otherwise",
        "--by",
        "wang",
    ];
    says(&stage.linkstar(&withdraw), 0, &[]);
    says(&draft(&stage, SLOT, at, &["--fee", "95GBP"]), 0, &["95.00 GBP"]);
    // A refusal at the door puts it to the warehouse.
    let refusal = stage.file("refusal.pdf", "no dock free");
    let add = [
        "case", "evidence", "add", SLOT, &refusal, "--paper", "refusal", "--by", "wang",
    ];
    says(&stage.linkstar(&add), 0, &["refused", "warehouse"]);

    // Booked again, and missed again: one case, both slots.
    tell(&stage, "appointment", "2026-10-11T09:00+01:00");
    let again = on(&stage, "2026-10-12").await;
    assert_eq!((again.opened, again.changed), (0, 1), "{again:?}");
    says(
        &shown("2026-10-12T12:00:00Z"),
        0,
        &["2026-10-08 09:00", "2026-10-11 09:00"],
    );
    // The proof that it was there in the morning of the first slot closes it.
    tell(&stage, "delivered", "2026-10-08T11:00+01:00");
    on(&stage, "2026-10-13").await;
    says(&shown("2026-10-13T12:00:00Z"), 0, &["closed"]);
}

/// Two per cent of the freight a begun week, and no more than a tenth of it: nothing is reckoned before the freight is known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r68_a_share_of_the_freight_is_asked_once_the_freight_is_known() {
    let contract = CONTRACT.replace(
        "per_day = \"50\"\nmost = \"600\"\ncurrency = \"GBP\"",
        "freight_percent = \"2\"\nfreight_per = \"week\"\nmost_freight_percent = \"10\"",
    );
    assert_ne!(contract, CONTRACT);
    let stage = under(&contract, "").await;
    tell(&stage, "delivered", "2026-10-21T10:00+01:00");
    assert_eq!(on(&stage, "2026-10-22").await.opened, 1);
    let at = "2026-10-22T12:00:00Z";
    let unknown = draft(&stage, LATE, at, &[]);
    says(
        &unknown,
        2,
        &[
            "the freight of this order is not known",
            "huatuo-late",
            "--freight",
        ],
    );
    // Eleven days late, three of them free: two begun weeks.
    says(
        &draft(&stage, LATE, at, &["--freight", "1500GBP"]),
        0,
        &["60.00 GBP"],
    );
    let withdraw = |claim: &str| {
        let args = ["claim", "withdraw", claim, "--reason", "billed", "--by", "wang"];
        says(&stage.linkstar(&args), 0, &[]);
    };
    withdraw(&format!("{LATE}-1"));
    says(
        &draft(&stage, SLOT, at, &["--freight", "9GBP"]),
        2,
        &["there is no case"],
    );
    // Carriage as billed, without what comes on top of it; a credit note counts.
    let opened = stage.open("2026-10-22").await;
    let mut tx = opened.store.write().await.expect("the store works");
    let charge = |charge: &str, amount: i64| bills::Charge {
        charge: charge.to_owned(),
        amount: Money::new(Decimal::from(amount), Currency::GBP),
    };
    let charges = [
        charge("海运费", 1_000),
        charge("Ocean freight credit", -200),
        charge("燃油附加费 freight surcharge", 90),
        charge("清关费", 80),
    ];
    bills::keep(
        &mut tx,
        &opened.account(),
        (&stage.order.number, "B-7"),
        &charges,
        "test",
    )
    .await
    .expect("kept");
    tx.commit().await.expect("committed");
    opened.store.close().await;
    says(&draft(&stage, LATE, at, &[]), 0, &["32.00 GBP"]);
    let shown = stage.linkstar(&["claim", "show", &format!("{LATE}-2"), "--at", at]);
    says(
        &shown,
        0,
        &["2 × 2 % of the freight as billed, 1000.00 GBP + -200.00 GBP"],
    );
}

/// A carrier that is no partner is taken for seven days after the slot, by the clocks of the place: they go back on 25 October.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_a_window_of_seven_days_ends_at_the_same_hour_over_a_change_of_the_clocks() {
    let terms = "[deadlines.appointment.\"goodcang:UKMA\"]\nwindow_days = 7\nmissed_fee = { amount = \"80.00\", currency = \"GBP\" }\n";
    let stage = contracted(terms).await;
    tell(&stage, "appointment", "2026-10-20T13:30+01:00");
    let listed = read(&stage.linkstar(&[
        "deadlines",
        "--json",
        "--days",
        "90",
        "--at",
        "2026-10-19T12:00:00Z",
    ]));
    let due = listed["alerts"]
        .as_array()
        .and_then(|alerts| alerts.iter().find(|alert| alert["rule"] == "appointment"))
        .map(|alert| alert["due"].clone());
    // Half past one in the afternoon in London is half past one in UTC by then, not half past twelve.
    assert_eq!(due, Some("2026-10-27T13:30:00Z".into()), "{listed:#}");
    let slots = async |day: &str| {
        on(&stage, day).await;
        let listed = read(&stage.linkstar(&[
            "case",
            "list",
            "--all",
            "--json",
            "--at",
            &format!("{day}T12:30:00Z"),
        ]));
        let cases = listed["cases"].as_array().expect("cases");
        cases.iter().filter(|case| case["kind"] == "missed_slot").count()
    };
    // The window is open on its last day at noon, and closed on the next.
    assert_eq!(slots("2026-10-23").await, 0);
    assert_eq!(slots("2026-10-27").await, 0);
    assert_eq!(slots("2026-10-28").await, 1);
    let shown = stage.linkstar(&["case", "show", SLOT, "--at", "2026-10-28T12:30:00Z"]);
    says(&shown, 0, &["80.00 GBP"]);
    // On the sixth day it was there: nothing was missed.
    tell(&stage, "delivered", "2026-10-26T11:00+00:00");
    on(&stage, "2026-10-29").await;
    says(
        &stage.linkstar(&["case", "show", SLOT, "--at", "2026-10-29T12:30:00Z"]),
        0,
        &["closed"],
    );
}
