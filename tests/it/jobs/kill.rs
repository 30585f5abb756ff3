//! Workers that die or hang in the middle of a job: real processes, real signals.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use linkstar::clock::Clock as _;
use linkstar::jobs::{JobEnd, JobFailure, JobHandler, Stopped, Worker, WorkerOptions};
use linkstar::store::Store;
use linkstar::store::work::{self, Job, JobClaim, JobFilter, JobState, NewJob};
use linkstar::telemetry::SystemClock;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::{account, databases};

const DATABASE: &str = "LINKSTAR_TEST_WORKER_DATABASE";
const OWNER: &str = "LINKSTAR_TEST_WORKER_OWNER";
const LEASE: Duration = Duration::from_millis(1500);
const IDLE: Duration = Duration::from_millis(100);

/// Works for as long as its payload says, in milliseconds.
struct Sleep;

impl JobHandler for Sleep {
    fn run<'a>(&'a self, job: &'a Job, _claim: &'a JobClaim) -> BoxFuture<'a, Result<JobEnd, JobFailure>> {
        Box::pin(async move {
            let wait = job.payload.parse().map_err(|_| JobFailure::fail("no number"))?;
            // The second attempt is quick: what was slow was the process.
            if job.attempt == 1 {
                sleep(Duration::from_millis(wait)).await;
            }
            Ok(JobEnd::Done)
        })
    }
}

async fn run(store: Arc<Store>, owner: &str, stop: watch::Receiver<bool>) -> Stopped {
    let options = WorkerOptions {
        lease: LEASE,
        idle: IDLE,
        ..WorkerOptions::default()
    };
    Worker::new(store, Arc::new(SystemClock), account(), owner, options)
        .handle("sleep", Arc::new(Sleep))
        .run(stop)
        .await
        .expect("the store answers")
}

/// Not a test by itself: the process that is killed. It returns at once unless a parent set its variables.
#[tokio::test]
async fn worker_process_entry() {
    let Ok(database) = std::env::var(DATABASE) else {
        return;
    };
    let owner = std::env::var(OWNER).unwrap();
    let store = Arc::new(Store::open(&database).await.unwrap());
    let (_never, stop) = watch::channel(false);
    run(store, &owner, stop).await;
}

fn start_worker(database: &str, owner: &str) -> Child {
    Command::new(std::env::current_exe().expect("the path of this test binary"))
        .args(["--exact", "jobs::kill::worker_process_entry", "--nocapture"])
        .env(DATABASE, database)
        .env(OWNER, owner)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the worker starts")
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
}

async fn enqueue(store: &Store, key: &str, payload: &str) {
    let new = NewJob {
        kind: "sleep",
        dedupe_key: key,
        payload,
        priority: 0,
        run_after: SystemClock.now(),
        max_attempts: 3,
        occurrence: None,
    };
    let mut tx = store.write().await.expect("a transaction");
    work::enqueue(&mut tx, &account(), &new, SystemClock.now())
        .await
        .expect("enqueued");
    tx.commit().await.expect("a commit");
}

async fn jobs(store: &Store) -> Vec<Job> {
    let mut tx = store.read().await.expect("a transaction");
    work::list(&mut tx, &account(), &JobFilter::default(), 100)
        .await
        .expect("jobs")
}

async fn held_by(store: &Store, owner: &str) -> Option<Job> {
    jobs(store)
        .await
        .into_iter()
        .find(|job| job.state == JobState::Leased && job.lease_owner.as_deref() == Some(owner))
}

async fn outcomes(store: &Store, job_id: &str) -> Vec<(String, Option<String>, DateTime<Utc>)> {
    let mut tx = store.read().await.expect("a transaction");
    work::job_attempts(&mut tx, &account(), job_id)
        .await
        .expect("attempts")
        .into_iter()
        .map(|attempt| (attempt.owner, attempt.outcome, attempt.started_at))
        .collect()
}

/// A process that holds a job, and the job.
async fn started(database: &str, store: &Store, owner: &str) -> (Child, Job) {
    let child = start_worker(database, owner);
    let claimed = timeout(Duration::from_secs(60), async {
        loop {
            if let Some(job) = held_by(store, owner).await {
                return job;
            }
            sleep(Duration::from_millis(50)).await;
        }
    });
    (child, claimed.await.expect("the worker claims a job"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_job_of_a_killed_process_stays_running_for_longer_than_its_lease() {
    let dir = tempfile::tempdir().unwrap();
    for database in databases(dir.path()).await {
        let store = Arc::new(Store::open(&database).await.unwrap());
        for key in ["a", "b"] {
            enqueue(&store, key, "3600000").await;
        }
        let (mut first, _) = started(&database, &store, "first").await;
        let (mut second, _) = started(&database, &store, "second").await;
        let (stop, stopping) = watch::channel(false);
        let survivor = tokio::spawn(run(Arc::clone(&store), "survivor", stopping));
        for child in [&mut first, &mut second] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let lost: Vec<Job> = [held_by(&store, "first").await, held_by(&store, "second").await]
            .into_iter()
            .flatten()
            .collect();
        assert_eq!(lost.len(), 2, "each process died with a job");
        // The lease that was written last, the time until the next look, and what a busy machine adds.
        let ends = lost.iter().filter_map(|job| job.lease_until).max().unwrap();
        let wait = (ends - SystemClock.now()).to_std().unwrap_or_default();
        assert!(wait <= LEASE);
        sleep(wait).await;
        for _ in 0..100 {
            if jobs(&store).await.iter().all(|job| job.state == JobState::Done) {
                break;
            }
            sleep(IDLE).await;
        }
        for job in &lost {
            let seen = outcomes(&store, &job.job_id).await;
            let story: Vec<_> = seen
                .iter()
                .map(|(owner, outcome, _)| (owner.as_str(), outcome.as_deref()))
                .collect();
            let dead = job.lease_owner.as_deref().unwrap();
            assert_eq!(story, [(dead, Some("lost")), ("survivor", Some("done"))]);
            let late = seen[1].2 - job.lease_until.unwrap();
            assert!(late >= chrono::Duration::zero(), "not before the lease ended");
            assert!(late < chrono::Duration::seconds(3), "taken over {late} after it");
        }
        stop.send(true).unwrap();
        assert_eq!(survivor.await.unwrap().done, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_hung_for_longer_than_its_lease_changes_nothing_when_it_wakes() {
    let dir = tempfile::tempdir().unwrap();
    for database in databases(dir.path()).await {
        let store = Arc::new(Store::open(&database).await.unwrap());
        enqueue(&store, "a", "700").await;
        let (mut child, job) = started(&database, &store, "hung").await;
        signal(&child, "STOP");
        let (stop, stopping) = watch::channel(false);
        let survivor = tokio::spawn(run(Arc::clone(&store), "survivor", stopping));
        for _ in 0..100 {
            if jobs(&store).await[0].state == JobState::Done {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        let before = jobs(&store).await;
        assert_eq!(before[0].state, JobState::Done);
        signal(&child, "CONT");
        // Long enough for its work to end and for its record to be refused.
        sleep(Duration::from_millis(1500)).await;
        assert_eq!(jobs(&store).await, before);
        let story: Vec<_> = outcomes(&store, &job.job_id)
            .await
            .into_iter()
            .map(|(owner, outcome, _)| (owner, outcome.unwrap_or_default()))
            .collect();
        let wanted =
            [("hung", "lost"), ("survivor", "done")].map(|(owner, end)| (owner.to_owned(), end.to_owned()));
        assert_eq!(story, wanted);
        assert!(child.try_wait().unwrap().is_none(), "it lives and works on");
        child.kill().unwrap();
        child.wait().unwrap();
        stop.send(true).unwrap();
        assert_eq!(survivor.await.unwrap().done, 1);
    }
}
