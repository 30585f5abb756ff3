//! Old contents go, entries stay, and what is held stays whole.

use chrono::{DateTime, Utc};
use linkstar::config::RetentionRules;
use linkstar::order::OrderEventKind;
use linkstar::store::archive::{self, Retained, RetentionRun};
use linkstar::store::{Store, blob};

use super::{account, at, engines, event, filled, tamper, verify, write};

async fn retain(store: &Store, day: &str, dry_run: bool) -> Retained {
    let now: DateTime<Utc> = format!("{day}T03:00:00Z").parse().expect("an instant");
    let rules = RetentionRules::shipped().expect("sound rules");
    let run = RetentionRun {
        rules: &rules,
        today: now.date_naive(),
        now,
        by: "test",
    };
    let mut tx = write(store).await;
    let done = archive::retain(&mut tx, &account(), run, dry_run)
        .await
        .expect("the store answers");
    tx.commit().await.expect("committed");
    done
}

fn kinds(done: &Retained) -> Vec<&str> {
    done.deleted.iter().map(|due| due.kind.as_str()).collect()
}

/// The things of `filled` are of 2026-11.
#[tokio::test]
async fn r72_contents_go_when_their_years_are_over_and_the_order_is_and_the_entries_stay() {
    for store in engines().await {
        let order = filled(&store).await;
        assert_eq!(retain(&store, "2028-12-31", false).await, Retained::default());
        assert_eq!(kinds(&retain(&store, "2029-01-01", true).await), ["page", "page"]);
        assert_eq!(verify(&store).await.deleted.len(), 0, "a dry run deletes nothing");
        assert_eq!(
            kinds(&retain(&store, "2029-01-01", false).await),
            ["page", "page"]
        );
        assert_eq!(
            retain(&store, "2050-01-01", true).await,
            Retained::default(),
            "an order under way keeps everything"
        );
        let mut tx = write(&store).await;
        assert!(
            event(
                &mut tx,
                &order,
                OrderEventKind::ShortClosed { missing: 3 },
                at(100)
            )
            .await
        );
        tx.commit().await.expect("committed");
        assert_eq!(retain(&store, "2036-12-31", true).await, Retained::default());

        let mut tx = write(&store).await;
        let placed =
            archive::place_hold(&mut tx, &account(), &order, ("test", "customs audit"), at(101)).await;
        assert!(placed.expect("held"));
        tx.commit().await.expect("committed");
        let held = retain(&store, "2037-01-01", false).await;
        assert_eq!((held.deleted.len(), held.held.len()), (0, 5), "{held:?}");

        let mut tx = write(&store).await;
        assert!(
            archive::lift_hold(&mut tx, &account(), &order, "test", at(102))
                .await
                .expect("lifted")
        );
        tx.commit().await.expect("committed");
        let gone = retain(&store, "2037-01-01", false).await;
        assert_eq!(
            kinds(&gone),
            ["document", "document", "message", "received", "sent"]
        );

        let found = verify(&store).await;
        assert_eq!(found.faults, []);
        assert_eq!(found.deleted.len(), 7);
        let said = found
            .deleted
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n");
        assert!(
            said.contains(&format!(
                "document `order/{order}/r1/commercial-invoice`: deleted by retention on 2037-01-01"
            )),
            "{said}"
        );
        let mut tx = store.read().await.expect("the store answers");
        let error = blob::get(&mut tx, &account(), &gone.deleted[0].sha256)
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("it was deleted by retention"),
            "{error}"
        );
        drop(tx);

        // Somebody who empties a blob himself, or forges the log, is seen.
        tamper(&store, "DELETE FROM archive_entry WHERE kind = 'deletion' AND seq = (SELECT MAX(seq) FROM archive_entry)").await;
        let found = verify(&store).await;
        let said = found
            .faults
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n");
        assert!(
            said.contains("its content is gone and no deletion tells of it"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn r72_a_message_that_has_not_ended_its_way_and_a_shared_content_stay() {
    let store = Store::open("sqlite::memory:").await.expect("a store");
    let order = filled(&store).await;
    let mut tx = write(&store).await;
    assert!(
        event(
            &mut tx,
            &order,
            OrderEventKind::ShortClosed { missing: 3 },
            at(100)
        )
        .await
    );
    tx.commit().await.expect("committed");
    tamper(&store, "UPDATE outbox SET state = 'doubtful'").await;
    let done = retain(&store, "2050-01-01", true).await;
    // The packing list's bytes are the doubtful message's bytes.
    let subjects: Vec<&str> = done.deleted.iter().map(|due| due.subject.as_str()).collect();
    assert!(
        !subjects.iter().any(|subject| subject.ends_with("packing-list")),
        "{subjects:?}"
    );
    assert!(
        subjects
            .iter()
            .any(|subject| subject.ends_with("commercial-invoice")),
        "{subjects:?}"
    );
}
