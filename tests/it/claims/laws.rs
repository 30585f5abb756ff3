//! Whatever happens: no unit is claimed twice, and none that is not missing (R70).

use linkstar::args;
use linkstar::claim::state::{Claim, ClaimEvent, ClaimEventKind, ClaimState};
use linkstar::reconcile::Difference;
use linkstar::store::claims;
use proptest::prelude::*;

use super::stage::{Opened, Stage, committed, noon};

#[derive(Debug, Clone)]
enum Step {
    /// So many are missing of the first and the second difference.
    Missing(i64, i64),
    Draft(usize, i64),
    Submit(usize),
    Withdraw(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_i64..9, 0_i64..9).prop_map(|(one, other)| Step::Missing(one, other)),
        3 => (0_usize..2, 1_i64..7).prop_map(|(which, units)| Step::Draft(which, units)),
        1 => (0_usize..6).prop_map(Step::Submit),
        1 => (0_usize..6).prop_map(Step::Withdraw),
    ]
}

async fn all(opened: &Opened) -> Vec<Claim> {
    let mut tx = opened.store.read().await.expect("the store works");
    claims::claims(&mut tx, &opened.account())
        .await
        .expect("readable")
}

async fn told(opened: &Opened, number: Option<&Claim>, kind: ClaimEventKind) {
    let Some(claim) = number else { return };
    let mut tx = opened.store.write().await.expect("the store works");
    let event = ClaimEvent {
        at: noon("2026-10-20"),
        by: "wang".to_owned(),
        kind,
    };
    if claims::append_claim(&mut tx, &opened.account(), &claim.number, event)
        .await
        .is_ok()
    {
        committed(tx).await;
    }
}

/// The rows of the database, counted beside all code.
async fn holds(opened: &Opened, missing: &[Difference]) {
    let account = opened.account();
    let mut tx = opened.store.read().await.expect("the store works");
    let rows = tx
        .rows(
            "SELECT u.difference_id AS d, CAST(COUNT(*) AS BIGINT) AS n, CAST(MAX(u.unit) AS BIGINT) AS most
             FROM claim_unit u WHERE u.account_id = $1 GROUP BY u.difference_id",
            args![&account],
        )
        .await
        .expect("rows");
    for row in &rows {
        let id: String = row.get("d").expect("an id");
        let claimed: i64 = row.get("n").expect("a count");
        let there = missing
            .iter()
            .find(|one| one.id.as_str() == id)
            .map_or(0, |one| one.units);
        assert!(
            claimed <= there,
            "{claimed} of {id} are claimed and {there} missing"
        );
    }
    // What each claim asks for, less what was found since, is what it holds.
    for claim in claims::claims(&mut tx, &account).await.expect("readable") {
        let row = tx
            .row(
                "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM claim_unit WHERE account_id = $1 AND claim_no = $2",
                args![&account, &claim.number],
            )
            .await
            .expect("a row")
            .expect("a row");
        let held: i64 = row.get("n").expect("a count");
        let wanted = if claim.state == ClaimState::Withdrawn {
            0
        } else {
            claim.asked.units() - claim.found
        };
        assert_eq!(held, wanted, "{claim:?}");
    }
}

async fn walk(steps: Vec<Step>) {
    let stage = Stage::new(None).await;
    let opened = stage.open("2026-10-16").await;
    let mut missing: Vec<Difference> = Vec::new();
    for step in steps {
        match step {
            Step::Missing(one, other) => {
                missing = vec![stage.short(one), stage.carton(0)];
                missing[1].units = other;
                missing.retain(|difference| difference.units > 0);
                opened.reconciled(&missing, "2026-10-16").await;
                let again = opened.reconciled(&missing, "2026-10-16").await;
                assert_eq!(
                    again,
                    linkstar::night::cases::Followed::default(),
                    "twice is once"
                );
            }
            Step::Draft(which, units) => {
                let ids = [stage.short(1).id, stage.carton(0).id];
                let asked = super::stage::asked(&stage, ids[which].as_str(), units);
                let mut tx = opened.store.write().await.expect("the store works");
                let drafted =
                    claims::draft(&mut tx, &opened.account(), asked, ("wang", noon("2026-10-20"))).await;
                if drafted.is_ok() {
                    committed(tx).await;
                }
            }
            Step::Submit(which) => {
                let kind = ClaimEventKind::Submitted {
                    on: super::stage::day("2026-10-20"),
                    ticket: "T".to_owned(),
                };
                told(&opened, all(&opened).await.get(which), kind).await;
            }
            Step::Withdraw(which) => {
                let kind = ClaimEventKind::Withdrawn {
                    reason: "no".to_owned(),
                };
                told(&opened, all(&opened).await.get(which), kind).await;
            }
        }
        holds(&opened, &missing).await;
    }
    opened.store.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]
    #[test]
    fn r70_claimed_units_are_never_more_than_missing_ones_and_nothing_is_claimed_twice(
        steps in proptest::collection::vec(step(), 1..14),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(walk(steps));
    }
}
