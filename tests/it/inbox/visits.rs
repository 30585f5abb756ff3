//! Visits to the forwarders' folders between two nights, on a folder and on a real OpenSSH server.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use linkstar::clock::{Clock, FixedClock};
use linkstar::jobs::{JobEnd, JobFailure, JobHandler, WorkerOptions};
use linkstar::night::{Night, StepReport, receive};
use linkstar::schedule::daemon::{Daemon, Part};
use linkstar::schedule::{Errand, RECEIVE, enqueue_errand, errands, handle};
use linkstar::store::Store;
use linkstar::store::work::{self, Job, JobClaim, JobFilter};
use linkstar::telemetry::SystemClock;
use tokio::sync::{Mutex, watch};

use super::stage::{Stage, account, morning};
use crate::services::{fresh_database, services};

fn night<'a>(stage: &'a Stage, clock: &'a dyn Clock) -> Night<'a> {
    Night {
        store: &stage.store,
        clock,
        config: &stage.config,
        tools: &stage.tools,
        dry_run: false,
    }
}

async fn visit(stage: &Stage, minutes: i64) -> StepReport {
    let clock = FixedClock::new(morning(0) + chrono::Duration::minutes(minutes));
    receive::between_nights(&night(stage, &clock))
        .await
        .expect("the store works")
}

async fn stages() -> Vec<Stage> {
    let mut stages = vec![Stage::new().await];
    if let Some(services) = services() {
        let database = fresh_database(&services).await;
        stages.push(Stage::on_servers(&services, &database).await);
    }
    stages
}

fn taken(report: &StepReport) -> i64 {
    report.counts.get("files").copied().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r41_a_file_that_still_grows_over_two_visits_is_not_taken() {
    for stage in stages().await {
        stage.they_leave("report.csv", "order,status,reason\n");
        assert_eq!(
            taken(&visit(&stage, 0).await),
            0,
            "nobody knows yet whether it is whole"
        );
        let grow = |line: &str| {
            let mut file = OpenOptions::new()
                .append(true)
                .open(stage.theirs.join("report.csv"))
                .expect("opened");
            file.write_all(line.as_bytes()).expect("written");
        };
        // It stands still for as long as each connection lasts, and has grown at the next.
        for minutes in [15, 30] {
            grow("BH0,accepted,\n");
            let report = visit(&stage, minutes).await;
            assert_eq!(taken(&report), 0, "{minutes} {report:?}");
            assert_eq!(
                report.problems,
                ["huatuo: `report.csv` is still being written; next time"]
            );
        }
        grow(&format!("{},rejected,no MSDS\n", stage.order));
        assert_eq!(taken(&visit(&stage, 45).await), 0);
        let report = visit(&stage, 60).await;
        assert_eq!(taken(&report), 1, "{report:?}");
        let file = stage.files().await.remove(0);
        assert_eq!(
            (file.kind.as_str(), file.origin.as_str()),
            ("booking-rejection", "huatuo")
        );
        assert_eq!(stage.said().await.len(), 1, "it was whole");
        // It stays where it is, and is neither taken nor read again.
        for minutes in [75, 90] {
            let report = visit(&stage, minutes).await;
            assert_eq!((taken(&report), report.problems.len()), (0, 0), "{report:?}");
        }
        assert_eq!(stage.files().await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r41_the_night_takes_what_it_sees_for_the_first_time_but_not_what_a_visit_saw_growing() {
    for stage in stages().await {
        stage.they_leave(
            "old.csv",
            format!("order,status,reason\n{},rejected,no MSDS\n", stage.order),
        );
        stage.they_leave("growing.csv", "order,status,reason\nBH9,acc");
        visit(&stage, -10).await;
        stage.they_leave("growing.csv", "order,status,reason\nBH9,accepted,\nBH8,acc");
        stage.they_leave("new.csv", "order,status,reason\nBH1,rejected,too heavy\n");
        stage.night(0).await;
        let mut names: Vec<_> = stage.files().await.into_iter().map(|file| file.name).collect();
        names.sort();
        assert_eq!(names, ["new.csv", "old.csv"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r41_many_processes_make_one_visit_at_a_time() {
    let every = chrono::Duration::minutes(15);
    for stage in stages().await {
        let visits = Errand { kind: RECEIVE, every };
        assert!(errands(&stage.config).contains(&visits), "the default");
        let at = |minutes| FixedClock::new(morning(0) + chrono::Duration::minutes(minutes));
        let main = account();
        let all_tick = async |minutes| {
            let clock = at(minutes);
            let ticks = (0..8).map(|_| enqueue_errand(&stage.store, &clock, &main, visits));
            let done = futures_util::future::join_all(ticks).await;
            done.into_iter()
                .filter(|new| *new.as_ref().expect("the store works"))
                .count()
        };
        assert_eq!(all_tick(0).await, 1);
        assert_eq!(all_tick(14).await, 0, "it waits for a worker");
        let clock = at(20);
        let mut tx = stage.store.write().await.expect("the store works");
        let minute = chrono::Duration::minutes(60);
        let claim = work::claim(&mut tx, &main, &[RECEIVE], "w", clock.now(), minute)
            .await
            .expect("the store works")
            .expect("a job");
        tx.commit().await.expect("committed");
        assert_eq!(all_tick(40).await, 0, "it is being done, however long that takes");
        let mut tx = stage.store.write().await.expect("the store works");
        work::complete(&mut tx, &claim.0, at(41).now())
            .await
            .expect("the store works");
        tx.commit().await.expect("committed");
        assert_eq!(all_tick(42).await, 1, "the next one was due long ago");
        assert_eq!(all_tick(42).await, 0);
    }
}

struct House(Stage, Mutex<()>);

impl JobHandler for House {
    fn run<'a>(&'a self, job: &'a Job, _claim: &'a JobClaim) -> BoxFuture<'a, Result<JobEnd, JobFailure>> {
        Box::pin(async move { handle(&night(&self.0, &SystemClock), &self.1, job).await })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r41_two_daemons_take_a_file_between_the_nights_once() {
    for stage in stages().await {
        stage.they_leave(
            "a.csv",
            format!("order,status,reason\n{},rejected,no MSDS\n", stage.order),
        );
        let url = stage.config.store_url();
        let house = Arc::new(House(stage, Mutex::new(())));
        let (stop, stopping) = watch::channel(false);
        let mut running = Vec::new();
        for owner in ["one", "two"] {
            let daemon = Daemon {
                store: Arc::new(Store::open(&url).await.expect("the store opens")),
                clock: Arc::new(SystemClock),
                account: account(),
                owner: owner.to_owned(),
                schedules: Vec::new(),
                errands: vec![Errand {
                    kind: RECEIVE,
                    every: chrono::Duration::seconds(1),
                }],
                options: WorkerOptions::default(),
                part: Part::Both,
                gate: None,
            };
            let handler: Arc<dyn JobHandler> = Arc::clone(&house) as Arc<dyn JobHandler>;
            let stopping = stopping.clone();
            running.push(tokio::spawn(async move {
                linkstar::schedule::daemon::run(&daemon, handler, stopping).await
            }));
        }
        let mut looks = 600;
        while house.0.files().await.is_empty() {
            looks -= 1;
            assert!(looks > 0, "nobody looks");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        stop.send_replace(true);
        for daemon in running {
            daemon.await.expect("it ends").expect("it ends well");
        }
        assert_eq!(house.0.files().await.len(), 1);
        assert_eq!(house.0.said().await.len(), 1);
        let filter = JobFilter {
            kind: Some(RECEIVE),
            ..JobFilter::default()
        };
        let mut tx = house.0.store.read().await.expect("the store works");
        let jobs = work::list(&mut tx, &account(), &filter, 100).await.expect("read");
        assert!(jobs.len() >= 2, "{jobs:?}");
        assert!(
            jobs.iter()
                .all(|job| job.attempt <= 1 && job.last_error.is_none()),
            "{jobs:?}"
        );
    }
}
