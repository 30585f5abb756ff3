//! Jobs against the transactions of the engine under them.
//!
//! Per engine and number of workers: claims a second (claim and record of an empty job) and the latency of a job from
//! enqueue to done. The limit is what the same engine commits in the same run: a job takes at least two transactions,
//! one that claims and one that records. PostgreSQL is taken from `DATABASE_URL` (tests/servers/services.sh; a scratch
//! database is made in it), SQLite from a file in the temporary folder.
//!
//! `cargo bench --bench jobs`

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use linkstar::args;
use linkstar::clock::Clock as _;
use linkstar::ids::AccountId;
use linkstar::jobs::{JobEnd, JobFailure, JobHandler, Worker, WorkerOptions};
use linkstar::store::Store;
use linkstar::store::dialect::Engine;
use linkstar::store::work::{self, Job, JobClaim, JobState, NewJob};
use linkstar::telemetry::{Stopwatch, SystemClock};
use sqlx::Connection as _;
use tokio::sync::watch;

type Done<T> = Result<T, Box<dyn Error + Send + Sync>>;

const TRANSACTIONS: u64 = 1_000;
const JOBS: u64 = 1_000;
const LATENCIES: u64 = 300;
const WORKERS: [usize; 4] = [1, 2, 4, 8];

#[derive(Default)]
struct Count(AtomicU64);

impl JobHandler for Count {
    fn run<'a>(&'a self, _job: &'a Job, _claim: &'a JobClaim) -> BoxFuture<'a, Result<JobEnd, JobFailure>> {
        Box::pin(async move {
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(JobEnd::Done)
        })
    }
}

fn account(name: &str) -> Done<AccountId> {
    Ok(AccountId::new(name)?)
}

async fn enqueue(store: &Store, account: &AccountId, keys: std::ops::Range<u64>) -> Done<Vec<String>> {
    let now = SystemClock.now();
    let mut tx = store.write().await?;
    let mut ids = Vec::new();
    for key in keys {
        let new = NewJob {
            kind: "empty",
            dedupe_key: &key.to_string(),
            payload: "{}",
            priority: 0,
            run_after: now,
            max_attempts: 1,
            occurrence: None,
        };
        ids.extend(work::enqueue(&mut tx, account, &new, now).await?);
    }
    tx.commit().await?;
    Ok(ids)
}

/// The smallest transactions that write: one row each, as many writers at a time as there are workers.
async fn bare(url: &str, writers: usize) -> Done<f64> {
    let store = Store::open(url).await?;
    let watch = Stopwatch::start();
    let mut tasks = Vec::new();
    for writer in 0..writers {
        let store = store.clone();
        let account = account("bare")?;
        tasks.push(tokio::spawn(async move {
            for number in 0..TRANSACTIONS / writers as u64 {
                let key = format!("{writer}/{number}");
                let mut tx = store.write().await?;
                tx.execute(
                    "INSERT INTO bucket (account_id, source, operation, next_us, taken_us) VALUES ($1, 'bare', $2, 0, 0)
                     ON CONFLICT (account_id, source, operation) DO UPDATE SET next_us = bucket.next_us + 1",
                    args![&account, key],
                )
                .await?;
                tx.commit().await?;
            }
            Ok::<(), Box<dyn Error + Send + Sync>>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let rate = TRANSACTIONS as f64 / watch.elapsed().as_secs_f64();
    store.close().await;
    Ok(rate)
}

/// Workers of one account. On SQLite they share a store, as one process has; on PostgreSQL each has its own, as
/// processes have.
struct Crew {
    stores: Vec<Store>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    stop: watch::Sender<bool>,
    count: Arc<Count>,
}

impl Crew {
    async fn start(url: &str, home: &Store, account: &AccountId, workers: usize) -> Done<Self> {
        let (stop, stopping) = watch::channel(false);
        let count = Arc::new(Count::default());
        let (mut stores, mut tasks) = (Vec::new(), Vec::new());
        for number in 0..workers {
            let store = match home.engine() {
                Engine::Sqlite => home.clone(),
                Engine::Postgres => Store::open(url).await?,
            };
            let worker = Worker::new(
                Arc::new(store.clone()),
                Arc::new(SystemClock),
                account.clone(),
                format!("worker-{number}"),
                WorkerOptions::default(),
            )
            .handle("empty", Arc::clone(&count) as Arc<dyn JobHandler>);
            let stopping = stopping.clone();
            tasks.push(tokio::spawn(async move {
                if let Err(error) = worker.run(stopping).await {
                    eprintln!("worker: {error}");
                }
            }));
            stores.push(store);
        }
        Ok(Self {
            stores,
            tasks,
            stop,
            count,
        })
    }

    async fn end(self) -> Done<()> {
        self.stop.send(true)?;
        for task in self.tasks {
            task.await?;
        }
        for store in self
            .stores
            .iter()
            .filter(|store| store.engine() == Engine::Postgres)
        {
            store.close().await;
        }
        Ok(())
    }
}

/// Jobs a second: they are there before the workers begin, and each is claimed, run and recorded.
async fn claims(url: &str, workers: usize) -> Done<f64> {
    let store = Store::open(url).await?;
    let account = account(&format!("claims-{workers}"))?;
    enqueue(&store, &account, 0..JOBS).await?;
    let watch = Stopwatch::start();
    let crew = Crew::start(url, &store, &account, workers).await?;
    while crew.count.0.load(Ordering::SeqCst) < JOBS {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let rate = JOBS as f64 / watch.elapsed().as_secs_f64();
    crew.end().await?;
    store.close().await;
    Ok(rate)
}

/// Milliseconds from before the enqueue until the record of the job is committed, sorted. The workers rest in between:
/// what is measured is a wake-up, a claim and a record.
async fn latencies(url: &str, workers: usize) -> Done<Vec<f64>> {
    let store = Store::open(url).await?;
    let account = account(&format!("latency-{workers}"))?;
    let crew = Crew::start(url, &store, &account, workers).await?;
    // Every worker has looked once and rests; on PostgreSQL its listener stands.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let mut all = Vec::with_capacity(LATENCIES as usize);
    for number in 0..LATENCIES {
        let watch = Stopwatch::start();
        let ids = enqueue(&store, &account, number..number + 1).await?;
        let id = ids.first().ok_or("not enqueued")?;
        while crew.count.0.load(Ordering::SeqCst) <= number {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        loop {
            let mut tx = store.read().await?;
            let job = work::find(&mut tx, &account, id).await?.ok_or("gone")?;
            if job.state == JobState::Done {
                break;
            }
        }
        all.push(watch.elapsed().as_secs_f64() * 1e3);
    }
    crew.end().await?;
    store.close().await;
    all.sort_by(f64::total_cmp);
    Ok(all)
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let index = (sorted.len() as f64 * share) as usize;
    sorted
        .get(index.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(f64::NAN)
}

async fn engine(name: &str, url: &str) -> Done<()> {
    println!(
        "\n{name}\nworkers  bare tx/s   jobs/s  of the limit (bare / 2)   p50 ms   p99 ms   p50 in bare tx"
    );
    for workers in WORKERS {
        let bare = bare(url, workers).await?;
        let jobs = claims(url, workers).await?;
        let latency = latencies(url, workers).await?;
        let (p50, p99) = (quantile(&latency, 0.5), quantile(&latency, 0.99));
        let one = self::bare(url, 1).await?;
        println!(
            "{workers:>7}  {bare:>9.0}  {jobs:>7.0}  {:>22.2}  {p50:>9.2}  {p99:>7.2}  {:>15.1}",
            jobs / (bare / 2.0),
            p50 / 1e3 * one
        );
    }
    Ok(())
}

async fn postgres() -> Done<Option<String>> {
    let Ok(url) = std::env::var("DATABASE_URL") else {
        return Ok(None);
    };
    let (server, _) = url.rsplit_once('/').ok_or("no database in DATABASE_URL")?;
    let name = format!("bench_jobs_{}", std::process::id());
    let mut connection = sqlx::PgConnection::connect(&url).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await?;
    Ok(Some(format!("{server}/{name}")))
}

#[tokio::main]
async fn main() -> Done<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("jobs.db");
    engine(
        "SQLite (synchronous = FULL)",
        &format!("sqlite:{}", file.display()),
    )
    .await?;
    match postgres().await? {
        Some(url) => engine("PostgreSQL", &url).await?,
        None => println!("\nPostgreSQL: DATABASE_URL is not set"),
    }
    Ok(())
}
