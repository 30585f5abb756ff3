//! Old contents go, entries stay, and what is held stays whole.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use linkstar::clock::{Clock, FixedClock};
use linkstar::config::{self, Config, RetentionRules};
use linkstar::http::Pace;
use linkstar::jobs::{JobEnd, JobFailure, JobHandler, Worker, WorkerOptions};
use linkstar::night::{Night, Tools};
use linkstar::order::OrderEventKind;
use linkstar::schedule::{self, RETENTION};
use linkstar::store::archive::{self, Retained, RetentionRun};
use linkstar::store::copy::{Proof, copy};
use linkstar::store::upkeep::{self, Checked, Part, Sample};
use linkstar::store::work::{Job, JobClaim, JobFilter, JobState, OccurrenceState};
use linkstar::store::{Store, blob, run, work};
use tokio::sync::{Mutex, watch};

use crate::services::{fresh_database, services};

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

/// The bytes and the papers as `db check` sees them.
async fn checked(store: &Store) -> (Checked, Checked) {
    let today = at(0).date_naive();
    let mut parts = upkeep::check(store, Sample::All, today).await.expect("checked");
    let mut part = |wanted| {
        let place = parts
            .iter()
            .position(|part| part.part == wanted)
            .expect("the part");
        parts.swap_remove(place)
    };
    (part(Part::Bytes), part(Part::Papers))
}

#[tokio::test]
async fn r72_what_a_rule_deleted_is_not_missing_for_a_check_nor_for_a_copy() {
    let dir = tempfile::tempdir().expect("a folder");
    let from = format!("sqlite:{}", dir.path().join("from.db").display());
    let store = Store::open(&from).await.expect("a store");
    filled(&store).await;
    let (before, _) = checked(&store).await;
    assert_eq!((before.by_rule, before.findings), (0, Vec::new()));
    assert_eq!(retain(&store, "2029-01-01", false).await.deleted.len(), 2);
    store.close().await;
    let mut targets = vec![format!("sqlite:{}", dir.path().join("to.db").display())];
    if let Some(services) = services() {
        targets.push(fresh_database(&services).await);
    }
    for url in std::iter::once(&from).chain(&targets) {
        if *url != from {
            let proofs = copy(&from, url, &mut |_| ControlFlow::Continue(()))
                .await
                .expect("copied");
            assert!(proofs.iter().all(Proof::holds));
        }
        let store = Store::open(url).await.expect("a store");
        let (bytes, papers) = checked(&store).await;
        assert_eq!((bytes.by_rule, bytes.looked_at), (2, bytes.of));
        assert_eq!((bytes.findings, papers.findings), (Vec::new(), Vec::new()));
        let found = verify(&store).await;
        assert_eq!((found.faults.len(), found.deleted.len()), (0, 2));
        assert!(
            found.deleted[0]
                .why
                .starts_with("deleted by retention on 2029-01-01")
        );
        if *url == from {
            store.close().await;
            continue;
        }
        // Emptied by somebody, with no deletion that tells of it.
        tamper(
            &store,
            "UPDATE blob SET encoding = 'deleted' WHERE kind = 'document'
             AND sha256 = (SELECT MIN(b.sha256) FROM blob b WHERE b.kind = 'document')",
        )
        .await;
        let (bytes, _) = checked(&store).await;
        assert_eq!(bytes.by_rule, 2);
        assert_eq!(bytes.findings.len(), 1);
        assert!(
            bytes.findings[0].ends_with("cannot be read back: it is gone and no deletion tells of it"),
            "{:?}",
            bytes.findings
        );
        store.close().await;
    }
}

struct House {
    store: Store,
    config: Config,
    tools: Tools,
    clock: Arc<FixedClock>,
    turn: Mutex<()>,
}

impl JobHandler for House {
    fn run<'a>(&'a self, job: &'a Job, _claim: &'a JobClaim) -> BoxFuture<'a, Result<JobEnd, JobFailure>> {
        Box::pin(async move {
            let night = Night {
                store: &self.store,
                clock: &*self.clock,
                config: &self.config,
                tools: &self.tools,
                dry_run: false,
            };
            schedule::handle(&night, &self.turn, job).await
        })
    }
}

impl House {
    fn new(store: Store, home: &Path, archive: &str) -> Arc<Self> {
        let text = format!(
            "[account]\nid='main'\nname='x'\nzone='Asia/Shanghai'\n[night]\nat='02:00'\nmail_by='09:00'\n{archive}"
        );
        let config = config::load_text("linkstar.toml", &text, home, &|_| None).expect("a configuration");
        Arc::new(Self {
            tools: Tools::new(&config, Pace::Skip).expect("tools"),
            store,
            config,
            clock: Arc::new(FixedClock::new(at(0))),
            turn: Mutex::new(()),
        })
    }

    /// What becomes due at an instant, and is done then; the nights are not of interest here.
    async fn at(self: &Arc<Self>, instant: &str) -> usize {
        self.clock.set(instant.parse().expect("an instant"));
        let schedules: Vec<_> = schedule::configured(&self.config)
            .into_iter()
            .filter(|schedule| schedule.name != schedule::NIGHT)
            .collect();
        let started = schedule::tick(&self.store, &*self.clock, &account(), &schedules)
            .await
            .expect("a tick")
            .started
            .len();
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let worker = Worker::new(
            Arc::new(self.store.clone()),
            clock,
            account(),
            "w",
            WorkerOptions::default(),
        )
        .handle(RETENTION, Arc::clone(self) as Arc<dyn JobHandler>);
        let (_send, mut stop) = watch::channel(false);
        while worker
            .run_one(&mut stop)
            .await
            .expect("the store answers")
            .is_some()
        {}
        started
    }

    async fn runs(&self) -> Vec<(String, String, String)> {
        let mut tx = self.store.read().await.expect("a transaction");
        let runs = run::latest(&mut tx, &account(), 10).await.expect("runs");
        runs.into_iter()
            .map(|run| {
                (
                    run.run_id,
                    run.state,
                    run.steps.into_iter().map(|step| step.counts).collect(),
                )
            })
            .collect()
    }
}

fn ran(date: &str, deleted: usize) -> (String, String, String) {
    let counts = format!("{{\"deleted\":{deleted},\"held\":0}}");
    (format!("retention-{date}"), "done".to_owned(), counts)
}

#[tokio::test]
async fn r72_named_rules_are_followed_every_day_once_and_each_run_is_recorded() {
    for store in engines().await {
        filled(&store).await;
        let home = tempfile::tempdir().expect("a folder");
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/retention.toml");
        std::fs::copy(shipped, home.path().join("retention.toml")).expect("rules");
        let house = House::new(store, home.path(), "[archive]\nretention='retention.toml'\n");
        house.at("2028-12-31T00:30:00Z").await;
        assert_eq!(house.at("2028-12-31T00:59:00Z").await, 0, "not before its hour");
        assert_eq!(house.at("2028-12-31T01:01:00Z").await, 1);
        assert_eq!(house.at("2029-01-01T01:01:00Z").await, 1);
        assert_eq!(house.at("2029-01-01T09:00:00Z").await, 0, "once a day");
        assert_eq!(house.at("2029-01-02T01:01:00Z").await, 1);
        assert_eq!(
            house.runs().await,
            [ran("2029-01-02", 0), ran("2029-01-01", 2), ran("2028-12-31", 0)]
        );
        let mut tx = house.store.read().await.expect("a transaction");
        let jobs = work::list(&mut tx, &account(), &JobFilter::default(), 10)
            .await
            .expect("jobs");
        assert!(
            jobs.iter()
                .all(|job| job.kind == RETENTION && job.state == JobState::Done)
        );
        let occurrences = work::list_occurrences(&mut tx, &account(), 10)
            .await
            .expect("occurrences");
        // The first one only marks from where on days count.
        let done = occurrences
            .iter()
            .filter(|occurrence| occurrence.state == OccurrenceState::Done);
        assert_eq!(done.count(), 3);
        drop(tx);
        assert_eq!(verify(&house.store).await.deleted.len(), 2);
    }
}

#[tokio::test]
async fn r72_without_rules_of_ones_own_nothing_is_deleted_and_wrong_ones_wait_for_a_person() {
    let home = tempfile::tempdir().expect("a folder");
    let house = House::new(
        Store::open("sqlite::memory:").await.expect("a store"),
        home.path(),
        "",
    );
    filled(&house.store).await;
    house.at("2040-01-01T00:30:00Z").await;
    assert_eq!(house.at("2040-01-01T02:00:00Z").await, 0);
    assert_eq!(house.runs().await, []);

    std::fs::write(home.path().join("mine.toml"), "version = 1\n").expect("rules");
    let store = Store::open("sqlite::memory:").await.expect("a store");
    let house = House::new(store, home.path(), "[archive]\nretention='mine.toml'\n");
    filled(&house.store).await;
    house.at("2040-01-01T00:30:00Z").await;
    assert_eq!(house.at("2040-01-01T02:00:00Z").await, 1);
    let mut tx = house.store.read().await.expect("a transaction");
    let jobs = work::list(&mut tx, &account(), &JobFilter::default(), 10)
        .await
        .expect("jobs");
    assert_eq!(jobs[0].state, JobState::Dead);
    let said = jobs[0].last_error.clone().unwrap_or_default();
    assert!(
        said.starts_with("rules of retention are wrong: ")
            && said.contains("mine.toml, `rule`: found `document`"),
        "{said}"
    );
    drop(tx);
    assert_eq!(verify(&house.store).await.deleted.len(), 0);
}
