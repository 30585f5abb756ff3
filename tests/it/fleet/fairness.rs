//! An account with much to do does not keep the others waiting, and a pooler that swallows wake-ups does not either.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use linkstar::args;
use linkstar::clock::FixedClock;
use linkstar::ids::AccountId;
use linkstar::jobs::{JobEnd, JobFailure, JobHandler, Worker, WorkerOptions};
use linkstar::store::Store;
use linkstar::store::work::{self, Job, JobClaim, NewJob};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::failover::{Bouncer, has_pgbouncer};
use crate::services::{fresh_database, services};

const MANY: usize = 10_000;
const FEW: usize = 10;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).expect("an instant")
}

fn account(id: &str) -> AccountId {
    AccountId::new(id).expect("an account id")
}

async fn due(store: &Store, account: &AccountId, jobs: usize) {
    let jobs = i64::try_from(jobs).expect("a count");
    let mut tx = store.write().await.expect("a transaction");
    let statement = "INSERT INTO job (account_id, job_id, kind, dedupe_key, payload, state, priority, run_after,
             attempt, max_attempts, created_at, updated_at)
         WITH RECURSIVE n (i) AS (SELECT CAST($2 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $3)
         SELECT $1, 'job-' || CAST(i AS TEXT), 'k', CAST(i AS TEXT), '{}', 'ready', 0, $4, 0, 5, $4, $4 FROM n";
    let made = tx
        .execute(statement, args![account, 1_i64, jobs, now()])
        .await
        .expect("jobs");
    assert_eq!(i64::try_from(made).expect("a count"), jobs);
    tx.commit().await.expect("a commit");
}

/// Counts what was done, and how much of the other account was done when the last of its own was.
struct Count {
    done: Arc<AtomicUsize>,
}

impl JobHandler for Count {
    fn run<'a>(&'a self, _job: &'a Job, _claim: &'a JobClaim) -> BoxFuture<'a, Result<JobEnd, JobFailure>> {
        Box::pin(async move {
            self.done.fetch_add(1, Ordering::SeqCst);
            Ok(JobEnd::Done)
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_due_jobs_of_one_account_do_not_starve_another() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut urls = vec![format!("sqlite:{}", dir.path().join("linkstar.db").display())];
    if let Some(services) = services() {
        urls.push(fresh_database(&services).await);
    }
    for url in urls {
        let store = Arc::new(Store::open(&url).await.expect("the store opens"));
        // The big account comes first by every order there is: its name, its instant, its place in line.
        let (big, small) = (account("a-big"), account("z-small"));
        due(&store, &big, MANY).await;
        due(&store, &small, FEW).await;
        let gate = Arc::new(Semaphore::new(1));
        let (stop, stopping) = watch::channel(false);
        let start = |account: &AccountId| {
            let done = Arc::new(AtomicUsize::new(0));
            let worker = Worker::new(
                Arc::clone(&store),
                Arc::new(FixedClock::new(now())),
                account.clone(),
                format!("worker of {account}"),
                WorkerOptions::default(),
            )
            .gate(Arc::clone(&gate))
            .handle(
                "k",
                Arc::new(Count {
                    done: Arc::clone(&done),
                }),
            );
            let stopping = stopping.clone();
            let task = tokio::spawn(async move { worker.run(stopping).await.expect("the store answers") });
            (done, task)
        };
        let (big_done, big_task) = start(&big);
        while big_done.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let before = big_done.load(Ordering::SeqCst);
        let (small_done, small_task) = start(&small);
        timeout(Duration::from_secs(60), async {
            while small_done.load(Ordering::SeqCst) < FEW {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .expect("the small account is served");
        let meanwhile = big_done.load(Ordering::SeqCst) - before;
        println!("{url}: {meanwhile} jobs of the big account while {FEW} of the small one were done");
        // One for one, and what was under way while this test looked.
        assert!(meanwhile <= 3 * FEW, "{meanwhile}");
        stop.send(true).expect("listened to");
        big_task.await.expect("an end");
        small_task.await.expect("an end");
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_by_transaction_the_poll_finds_what_no_wake_up_told() {
    let Some(services) = services() else { return };
    if !has_pgbouncer() {
        return;
    }
    let url = fresh_database(&services).await;
    let bouncer = Bouncer::before(&services.database_url);
    let (login, rest) = url.rsplit_once('@').expect("a login");
    let name = rest.rsplit_once('/').expect("a database").1;
    let pooled = format!("{login}@127.0.0.1:{}/{name}", bouncer.port);
    let (store, other) = (
        Arc::new(Store::open(&pooled).await.expect("the store opens")),
        Store::open(&pooled).await.expect("the store opens"),
    );
    let account = account("main");
    let done = Arc::new(AtomicUsize::new(0));
    let (stop, stopping) = watch::channel(false);
    let options = WorkerOptions {
        idle: Duration::from_millis(300),
        ..WorkerOptions::default()
    };
    let worker = Worker::new(
        Arc::clone(&store),
        Arc::new(FixedClock::new(now())),
        account.clone(),
        "worker",
        options,
    )
    .handle(
        "k",
        Arc::new(Count {
            done: Arc::clone(&done),
        }),
    );
    let task = tokio::spawn(async move { worker.run(stopping).await.expect("the store answers") });
    for round in 1..=5 {
        // Rested: LISTEN has been sent, and the pooler has given its connection to somebody else.
        tokio::time::sleep(Duration::from_millis(400)).await;
        let key = format!("job {round}");
        let job = NewJob {
            kind: "k",
            dedupe_key: &key,
            payload: "{}",
            priority: 0,
            run_after: now(),
            max_attempts: 5,
            occurrence: None,
        };
        let mut tx = other.write().await.expect("a transaction");
        work::enqueue(&mut tx, &account, &job, now())
            .await
            .expect("enqueued");
        tx.commit().await.expect("a commit");
        timeout(Duration::from_secs(10), async {
            while done.load(Ordering::SeqCst) < round {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("found by looking");
    }
    stop.send(true).expect("listened to");
    task.await.expect("an end");
    store.close().await;
    other.close().await;
}
