//! Wake-ups are a courtesy; the poll is the truth.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use linkstar::args;
use linkstar::clock::{Clock as _, FixedClock};
use linkstar::jobs::{JobEnd, JobFailure, JobHandler, Worker, WorkerOptions};
use linkstar::store::Store;
use linkstar::store::dialect::Engine;
use linkstar::store::work::{self, Job, JobClaim};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::contract::job;
use super::{account, at, databases};

/// Tells which job it got.
struct Tell(mpsc::UnboundedSender<String>);

impl JobHandler for Tell {
    fn run<'a>(&'a self, job: &'a Job, _claim: &'a JobClaim) -> BoxFuture<'a, Result<JobEnd, JobFailure>> {
        Box::pin(async move {
            self.0
                .send(job.dedupe_key.clone())
                .map_err(|_| JobFailure::fail("nobody listens"))?;
            Ok(JobEnd::Done)
        })
    }
}

struct Running {
    told: mpsc::UnboundedReceiver<String>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

fn start(store: &Store, idle: Duration) -> Running {
    let (tell, told) = mpsc::unbounded_channel();
    let (stop, stopping) = watch::channel(false);
    let options = WorkerOptions {
        idle,
        ..WorkerOptions::default()
    };
    let worker = Worker::new(
        Arc::new(store.clone()),
        Arc::new(FixedClock::new(at(0))),
        account(),
        "worker",
        options,
    )
    .handle("k", Arc::new(Tell(tell)));
    let task = tokio::spawn(async move {
        worker.run(stopping).await.expect("the store answers");
    });
    Running { told, stop, task }
}

async fn enqueue(store: &Store, key: &str) {
    let now = FixedClock::new(at(0)).now();
    let mut tx = store.write().await.expect("a transaction");
    work::enqueue(&mut tx, &account(), &job("k", key), now)
        .await
        .expect("enqueued");
    tx.commit().await.expect("a commit");
}

/// An idle time that no test waits for: what comes earlier was woken.
const NEVER: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_enqueue_wakes_the_workers_of_this_process_and_on_postgresql_of_every_other() {
    let dir = tempfile::tempdir().unwrap();
    for url in databases(dir.path()).await {
        let store = Store::open(&url).await.unwrap();
        let other = Store::open(&url).await.unwrap();
        let mut running = start(&store, NEVER);
        // The worker has looked, found nothing and rests; its listener stands.
        sleep(Duration::from_millis(500)).await;
        enqueue(&store, "here").await;
        let told = timeout(SOON, running.told.recv()).await.unwrap();
        assert_eq!(told.as_deref(), Some("here"));
        if store.engine() == Engine::Postgres {
            enqueue(&other, "there").await;
            let told = timeout(SOON, running.told.recv()).await.unwrap();
            assert_eq!(told.as_deref(), Some("there"));
        }
        running.stop.send(true).unwrap();
        running.task.await.unwrap();
        store.close().await;
        other.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_that_is_cut_off_listens_again_and_the_poll_finds_what_was_missed() {
    let dir = tempfile::tempdir().unwrap();
    for url in databases(dir.path()).await {
        let store = Store::open(&url).await.unwrap();
        let other = Store::open(&url).await.unwrap();
        let poll = Duration::from_millis(200);
        let mut running = start(&store, poll);
        sleep(Duration::from_millis(500)).await;
        if store.engine() == Engine::Postgres {
            let cut = "SELECT COUNT(pg_terminate_backend(pid)) AS n FROM pg_stat_activity
                 WHERE datname = current_database() AND query LIKE 'LISTEN %'";
            let mut tx = other.write().await.unwrap();
            let row = tx.row(cut, args![]).await.unwrap().unwrap();
            assert_eq!(row.get::<i64>("n").unwrap(), 1, "one listener a process");
            tx.commit().await.unwrap();
        }
        // From another process: SQLite's has no wake-up, PostgreSQL's may be lost.
        for key in ["one", "two", "three"] {
            enqueue(&other, key).await;
            let told = timeout(SOON, running.told.recv()).await.unwrap();
            assert_eq!(told.as_deref(), Some(key));
        }
        running.stop.send(true).unwrap();
        running.task.await.unwrap();
        store.close().await;
        other.close().await;
    }
}
