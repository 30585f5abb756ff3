//! Slots that were missed and goods that came late: a case each, with what it costs and who had the goods (R53, R68–R70).

use std::fs;

use super::commands::{read, says};
use super::stage::{RULES, Stage, unpack};

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
    let stage = Stage::new(None).await;
    fs::write(stage.path("claims.toml"), format!("{RULES}\n{CONTRACT}")).expect("a file");
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
    let draft = |more: &[&str]| {
        let mut args = vec![
            "claim",
            "draft",
            LATE,
            "--by",
            "wang",
            "--currency",
            "GBP",
            "--at",
            at,
        ];
        args.extend(more);
        stage.linkstar(&args)
    };
    says(
        &draft(&["--against", "insurer"]),
        2,
        &["a policy pays for goods that are gone or broken"],
    );
    let first = format!("{LATE}:85123A=5");
    says(&draft(&["--units", &first]), 2, &["a claim asks for all of it"]);
    says(&draft(&["--fee", "9GBP"]), 2, &["for a missed slot"]);
    says(&draft(&[]), 0, &["350.00 GBP"]);
    // Two claims on the same days are refused.
    says(&draft(&[]), 2, &["is claimed already"]);

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
    let draft = |more: &[&str]| {
        let mut args = vec![
            "claim",
            "draft",
            SLOT,
            "--by",
            "wang",
            "--currency",
            "GBP",
            "--at",
            at,
        ];
        args.extend(more);
        stage.linkstar(&args)
    };
    says(&draft(&[]), 0, &["80.00 GBP"]);
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
    says(&draft(&["--fee", "95GBP"]), 0, &["95.00 GBP"]);
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
