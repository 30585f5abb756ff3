//! Cases follow the differences, and the database keeps claimed units within missing ones (R56, R68, R70).

use linkstar::args;
use linkstar::claim::Party;
use linkstar::claim::case::{CaseEventKind, CaseState};
use linkstar::claim::evidence::{Evidence, Paper, Tag};
use linkstar::claim::state::{Asked, ClaimEventKind, ClaimState};
use linkstar::ids::AccountId;
use linkstar::reconcile::{Kind, Standing};
use linkstar::store::claims::{self, ClaimStoreError};
use rust_decimal::Decimal;

use super::stage::{Opened, Stage, committed, day, noon};
use crate::services::{fresh_database, services};

/// The same on both engines; PostgreSQL only where its server runs.
async fn stages() -> Vec<Stage> {
    let mut stages = vec![Stage::new(None).await];
    if let Some(services) = services() {
        let url = fresh_database(&services).await;
        stages.push(Stage::new(Some(&url)).await);
    }
    stages
}

const CASE: &str = "LS-20261122-001-L";

fn asked(stage: &Stage, units: i64) -> Asked {
    super::stage::asked(stage, stage.short(units).id.as_str(), units)
}

async fn draft(opened: &Opened, asked: Asked) -> Result<String, ClaimStoreError> {
    let mut tx = opened.store.write().await.expect("the store works");
    let claim = claims::draft(&mut tx, &opened.account(), asked, ("wang", noon("2026-10-20"))).await?;
    committed(tx).await;
    Ok(claim.number)
}

async fn add(opened: &Opened, paper: Paper, name: &str, cartons: i64) {
    let evidence = Evidence {
        paper,
        name: name.to_owned(),
        sha256: String::new(),
        tag: Tag::Open,
        cartons: Some(cartons),
        clean: Some(true),
        at: Some(noon("2026-10-12")),
        note: String::new(),
        costs: Vec::new(),
    };
    let mut tx = opened.store.write().await.expect("the store works");
    claims::add_evidence(
        &mut tx,
        &opened.account(),
        CASE,
        (evidence, name.as_bytes()),
        ("wang", noon("2026-10-20")),
    )
    .await
    .expect("added");
    committed(tx).await;
}

async fn case(opened: &Opened) -> linkstar::claim::case::Case {
    let mut tx = opened.store.read().await.expect("the store works");
    claims::get(&mut tx, &opened.account(), CASE)
        .await
        .expect("readable")
        .expect("a case")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r68_a_case_opens_from_a_final_difference_once_and_proposes_who_it_was() {
    for stage in stages().await {
        let opened = stage.open("2026-10-15").await;
        let mut not_final = stage.short(20);
        not_final.standing = Standing::Provisional;
        assert_eq!(opened.reconciled(&[not_final], "2026-10-14").await.opened, 0);
        let mut unsure = stage.short(20);
        unsure.or = vec![Kind::PackMultiple];
        assert_eq!(opened.reconciled(&[unsure], "2026-10-15").await.opened, 0);

        let first = opened.reconciled(&[stage.short(20)], "2026-10-16").await;
        assert_eq!((first.opened, first.changed), (1, 1));
        let again = opened.reconciled(&[stage.short(20)], "2026-10-17").await;
        assert_eq!(again, linkstar::night::cases::Followed::default());
        assert_eq!(case(&opened).await.units(), 20);

        let cartons = i64::try_from(stage.order.cartons.len()).expect("few");
        add(&opened, Paper::DeliveryProof, "pod.pdf", cartons).await;
        add(&opened, Paper::ReceiptReport, "report.pdf", cartons - 2).await;
        opened.reconciled(&[stage.short(20)], "2026-10-18").await;
        let known = case(&opened).await;
        assert_eq!(known.against(), Some(Party::Warehouse), "{:?}", known.proposal);
        // The carrier's own paper says otherwise: nobody is named any more, and the conflict is.
        add(&opened, Paper::DeliveryProof, "carrier.pdf", cartons - 2).await;
        opened.reconciled(&[stage.short(20)], "2026-10-19").await;
        let proposal = case(&opened).await.proposal.expect("a proposal");
        assert_eq!((proposal.party, proposal.conflicts.len()), (None, 1));
        opened.store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r70_two_claims_on_the_same_units_are_refused_by_the_database_too() {
    for stage in stages().await {
        let opened = stage.open("2026-10-16").await;
        let account = opened.account();
        opened.reconciled(&[stage.short(20)], "2026-10-16").await;
        let first = draft(&opened, asked(&stage, 15)).await.expect("drafted");
        let error = draft(&opened, asked(&stage, 6)).await.expect_err("taken");
        let id = stage.short(20).id.to_string();
        assert_eq!(
            error.to_string(),
            format!("6 units of difference {id} are asked for and 5 are free: {CASE}-1 holds 15")
        );
        let second = draft(&opened, asked(&stage, 5)).await.expect("the rest");
        assert_eq!(
            (first.as_str(), second.as_str()),
            ("LS-20261122-001-L-1", "LS-20261122-001-L-2")
        );

        // Beside all code: the same unit again, a unit that is not missing, fewer missing than claimed.
        let insert = "INSERT INTO claim_unit (account_id, difference_id, unit, units, claim_no) VALUES ($1, $2, $3, $4, $5)";
        for (unit, units) in [(7_i64, 20_i64), (21, 20), (21, 21)] {
            let mut tx = opened.store.write().await.expect("the store works");
            let refused = tx
                .execute(insert, args![&account, &id, unit, units, &second])
                .await;
            let refused = match refused {
                Ok(_) => tx.commit().await.err(),
                Err(error) => Some(error),
            };
            assert!(refused.is_some(), "unit {unit} of {units}");
        }
        let mut tx = opened.store.write().await.expect("the store works");
        let fewer = tx
            .execute(
                "UPDATE case_line SET units = 19 WHERE account_id = $1 AND difference_id = $2",
                args![&account, &id],
            )
            .await;
        assert!(fewer.is_err(), "20 are claimed");
        drop(tx);
        // Another account's claims have nothing to do with it.
        let mut tx = opened.store.read().await.expect("the store works");
        let other = AccountId::new("other").expect("an id");
        assert!(
            claims::claims(&mut tx, &other)
                .await
                .expect("readable")
                .is_empty()
        );
        drop(tx);
        opened.store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r56_late_found_units_reduce_the_draft_then_withdraw_it_and_the_log_says_so() {
    for stage in stages().await {
        let opened = stage.open("2026-10-16").await;
        let account = opened.account();
        opened.reconciled(&[stage.short(20)], "2026-10-16").await;
        // A draft whose amount can be computed again: a limit by weight of the goods on the invoice.
        let mut wanted = asked(&stage, 20);
        wanted.party = Party::Carrier;
        wanted.regime = "cmr".to_owned();
        let number = draft(&opened, wanted).await.expect("drafted");
        let followed = opened.reconciled(&[stage.short(8)], "2026-10-17").await;
        assert_eq!((followed.reduced, followed.withdrawn), (1, 0));
        let mut tx = opened.store.read().await.expect("the store works");
        let claim = claims::claim(&mut tx, &account, &number)
            .await
            .expect("readable")
            .expect("a claim");
        assert_eq!((claim.state, claim.asked.units()), (ClaimState::Draft, 8));
        let sum: Decimal = claim.asked.amount.terms.iter().map(|term| term.amount).sum();
        assert_eq!(sum, claim.asked.amount.total.amount);
        drop(tx);
        let followed = opened.reconciled(&[], "2026-10-18").await;
        assert_eq!((followed.reduced, followed.withdrawn), (0, 1));
        let mut tx = opened.store.read().await.expect("the store works");
        let log = claims::claim_events(&mut tx, &account, &number)
            .await
            .expect("readable");
        let said: Vec<&str> = log
            .iter()
            .map(|event| match &event.kind {
                ClaimEventKind::Reduced { reason, .. } | ClaimEventKind::Withdrawn { reason } => {
                    reason.as_str()
                }
                _ => "drafted",
            })
            .collect();
        assert_eq!(said, ["drafted", "units were found", "units were found"]);
        drop(tx);
        assert_eq!(case(&opened).await.state, CaseState::Closed);
        // Missing again: the case is taken up again, and its units are free.
        opened.reconciled(&[stage.short(12)], "2026-10-19").await;
        assert_eq!(
            (case(&opened).await.state, case(&opened).await.units()),
            (CaseState::Open, 12)
        );
        draft(&opened, asked(&stage, 12)).await.expect("free");
        opened.store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r70_units_found_after_a_claim_went_out_are_told_and_free_again_and_drafts_give_way_first() {
    for stage in stages().await {
        let opened = stage.open("2026-10-16").await;
        let account = opened.account();
        opened.reconciled(&[stage.short(20)], "2026-10-16").await;
        let out = draft(&opened, asked(&stage, 12)).await.expect("drafted");
        let kept = draft(&opened, asked(&stage, 8)).await.expect("drafted");
        let submitted = linkstar::claim::state::ClaimEvent {
            at: noon("2026-10-20"),
            by: "wang".to_owned(),
            kind: ClaimEventKind::Submitted {
                on: day("2026-10-20"),
                ticket: "T-1".to_owned(),
            },
        };
        let mut tx = opened.store.write().await.expect("the store works");
        claims::append_claim(&mut tx, &account, &out, submitted)
            .await
            .expect("submitted");
        committed(tx).await;
        // 15 of 20 are found: the draft goes whole, the claim that is out is told of the rest.
        let followed = opened.reconciled(&[stage.short(5)], "2026-10-21").await;
        assert_eq!((followed.withdrawn, followed.found), (1, 1));
        let mut tx = opened.store.read().await.expect("the store works");
        let find = async |tx: &mut linkstar::store::Tx, number: &str| {
            claims::claim(tx, &account, number)
                .await
                .expect("readable")
                .expect("a claim")
        };
        assert_eq!(find(&mut tx, &kept).await.state, ClaimState::Withdrawn);
        let claim = find(&mut tx, &out).await;
        assert_eq!((claim.state, claim.found), (ClaimState::Submitted, 7));
        let id = stage.short(5).id.to_string();
        assert_eq!(
            claims::held(&mut tx, &account, &id).await.expect("readable"),
            [(out.clone(), 5)]
        );
        drop(tx);
        opened.store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r69_a_case_is_about_one_order_and_kind_and_takes_both_cartons_and_damage() {
    for stage in stages().await {
        let opened = stage.open("2026-10-16").await;
        let broken = stage.difference(1, Kind::Damaged, None, 3);
        let all = [stage.carton(0), stage.carton(1), broken];
        let followed = opened.reconciled(&all, "2026-10-16").await;
        assert_eq!((followed.opened, followed.changed), (2, 3));
        let mut tx = opened.store.read().await.expect("the store works");
        let cases = claims::cases(&mut tx, &opened.account()).await.expect("readable");
        let shown: Vec<(String, i64)> = cases
            .iter()
            .map(|case| (case.number.clone(), case.units()))
            .collect();
        assert_eq!(
            shown,
            [
                ("LS-20261122-001-D".to_owned(), 3),
                ("LS-20261122-001-L".to_owned(), 96)
            ]
        );
        let log = claims::case_events(&mut tx, &opened.account(), CASE)
            .await
            .expect("readable");
        assert!(
            matches!(log[0].kind, CaseEventKind::Opened { .. }) && log.len() == 4,
            "{log:?}"
        );
        drop(tx);
        opened.store.close().await;
    }
}
