//! Whatever is done, in whatever order, by whatever clock: the chain verifies.

use chrono::Duration;
use linkstar::config::RetentionRules;
use linkstar::order::{OrderEventKind, OrderState};
use linkstar::store::archive::{self, RetentionRun};
use linkstar::store::{Store, orders};
use proptest::prelude::*;

use super::{account, at, document, event, message, page, received, verify, write};
use crate::papers::orders::order;

#[derive(Debug, Clone)]
enum Act {
    Page(u8),
    Document(u8),
    Message(u8),
    Received(u8),
    Reached(OrderState),
    Cancelled,
    Closed,
    Hold,
    Lift,
    /// Run the retention job so many years from now.
    Retain(i64),
    /// Begin again after a transaction that was lost.
    Lost(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_u8..6).prop_map(Act::Page),
        4 => (0_u8..6).prop_map(Act::Document),
        3 => (0_u8..6).prop_map(Act::Message),
        3 => (0_u8..6).prop_map(Act::Received),
        3 => proptest::sample::select(&OrderState::ALL[..]).prop_map(Act::Reached),
        1 => Just(Act::Cancelled),
        1 => Just(Act::Closed),
        1 => Just(Act::Hold),
        1 => Just(Act::Lift),
        2 => (0_i64..40).prop_map(Act::Retain),
        1 => (0_u8..6).prop_map(Act::Lost),
    ]
}

async fn run(acts: Vec<(Act, i64)>) {
    let store = Store::open("sqlite::memory:").await.expect("a store");
    let rules = RetentionRules::shipped().expect("sound rules");
    let mut issued = order(3);
    issued.plan = None;
    let number = issued.number.clone();
    let mut tx = write(&store).await;
    orders::create(&mut tx, &account(), &issued, issued.eta, "test", at(0))
        .await
        .expect("an order");
    tx.commit().await.expect("committed");
    let mut deleted = 0;
    for (act, hours) in &acts {
        let now = at(0) + Duration::hours(*hours);
        let mut tx = write(&store).await;
        match act {
            Act::Page(n) => page(&mut tx, &[*n; 40], now).await,
            Act::Document(n) => document(&mut tx, &number, &format!("d{n}"), &[*n; 40], now).await,
            Act::Message(n) => message(&mut tx, &format!("order/{number}/r1/d{n}"), &[*n; 40], now).await,
            Act::Received(n) => received(&mut tx, &format!("f{n}.csv"), &[*n, 1], &number, now).await,
            Act::Reached(state) => {
                event(&mut tx, &number, OrderEventKind::Reached { state: *state }, now).await;
            }
            Act::Cancelled => {
                let reason = "x".to_owned();
                event(&mut tx, &number, OrderEventKind::Cancelled { reason }, now).await;
            }
            Act::Closed => {
                event(&mut tx, &number, OrderEventKind::ShortClosed { missing: 1 }, now).await;
            }
            Act::Hold => {
                archive::place_hold(&mut tx, &account(), &number, ("test", "audit"), now)
                    .await
                    .expect("held");
            }
            Act::Lift => {
                archive::lift_hold(&mut tx, &account(), &number, "test", now)
                    .await
                    .expect("lifted");
            }
            Act::Retain(years) => {
                let then = now + Duration::days(366 * years);
                let run = RetentionRun {
                    rules: &rules,
                    today: then.date_naive(),
                    now: then,
                    by: "test",
                };
                let done = archive::retain(&mut tx, &account(), run, false)
                    .await
                    .expect("retained");
                deleted += done.deleted.len();
            }
            Act::Lost(n) => {
                page(&mut tx, &[*n, 9], now).await;
                drop(tx);
                continue;
            }
        }
        tx.commit().await.expect("committed");
    }
    let found = verify(&store).await;
    assert_eq!(found.faults, [], "{acts:?}");
    assert!(found.deleted.len() <= deleted, "{acts:?}");
    store.close().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn r72_any_sequence_of_acts_leaves_a_chain_that_verifies(
        acts in proptest::collection::vec((act(), -200_i64..2_000), 1..40)
    ) {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(run(acts));
    }
}
