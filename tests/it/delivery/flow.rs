//! The worker and the daemon on both engines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{NaiveTime, Weekday};
use futures_util::future::BoxFuture;
use linkstar::clock::{Clock, FixedClock};
use linkstar::jobs::{JobEnd, JobFailure, JobHandler, Ran, Worker, WorkerOptions};
use linkstar::schedule::daemon::{self, Daemon};
use linkstar::schedule::{CatchUp, Schedule, tick};
use linkstar::store::Store;
use linkstar::store::work::{self, Job, JobChange, JobClaim, JobFilter, JobState, NewJob, OccurrenceState};
use tokio::sync::watch;

use super::{account, at, engines};

/// Behaves as the payload says and counts how often it was called.
#[derive(Default)]
struct Obedient {
    calls: AtomicU32,
}

#[expect(clippy::panic, reason = "a job that panics is what is tested")]
impl JobHandler for Obedient {
    fn run<'a>(&'a self, job: &'a Job, _: &'a JobClaim) -> BoxFuture<'a, Result<JobEnd, JobFailure>> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match job.payload.as_str() {
                r#""retry""# => Err(JobFailure::retry("no network")),
                r#""fail""# => Err(JobFailure::fail("the order is gone")),
                r#""panic""# => panic!("index out of bounds"),
                r#""slow""# => {
                    tokio::time::sleep(Duration::from_millis(400)).await;
                    Ok(JobEnd::Done)
                }
                r#""endless""# => std::future::pending().await,
                _ => Ok(JobEnd::Done),
            }
        })
    }
}

fn options() -> WorkerOptions {
    WorkerOptions {
        idle: Duration::from_millis(20),
        patience: Duration::from_secs(20),
        ..WorkerOptions::default()
    }
}

async fn enqueue(store: &Store, payload: &str) -> String {
    let mut tx = store.write().await.expect("the store answers");
    let new = NewJob {
        kind: "step",
        dedupe_key: payload,
        payload,
        priority: 0,
        run_after: at(0),
        max_attempts: 2,
        occurrence: None,
    };
    let id = work::enqueue(&mut tx, &account(), &new, at(0))
        .await
        .expect("the store answers")
        .expect("the row is there");
    tx.commit().await.expect("the store answers");
    id
}

async fn find(store: &Store, id: &str) -> Job {
    let mut tx = store.read().await.expect("the store answers");
    work::find(&mut tx, &account(), id)
        .await
        .expect("the store answers")
        .expect("the row is there")
}

fn worker(
    store: &Arc<Store>,
    clock: &Arc<FixedClock>,
    handler: &Arc<Obedient>,
    options: WorkerOptions,
) -> Worker {
    Worker::new(
        Arc::clone(store),
        Arc::clone(clock) as Arc<dyn Clock>,
        account(),
        "w",
        options,
    )
    .handle("step", Arc::clone(handler) as Arc<dyn JobHandler>)
}

#[tokio::test]
async fn a_job_is_retried_panics_are_caught_and_a_hopeless_one_is_dead_at_once() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let store = Arc::new(store);
        let clock = Arc::new(FixedClock::new(at(0)));
        let handler = Arc::new(Obedient::default());
        let worker = worker(&store, &clock, &handler, options());
        let (_keep, mut stop) = watch::channel(false);
        for (payload, wanted, why) in [
            (r#""ok""#, JobState::Done, None),
            (r#""fail""#, JobState::Dead, Some("the order is gone")),
            (r#""retry""#, JobState::Ready, Some("no network")),
            (
                r#""panic""#,
                JobState::Ready,
                Some("the job panicked: index out of bounds"),
            ),
        ] {
            let id = enqueue(&store, payload).await;
            worker.run_one(&mut stop).await.unwrap().unwrap();
            let job = find(&store, &id).await;
            assert_eq!((job.state, job.last_error.as_deref()), (wanted, why), "{payload}");
        }
        assert_eq!(worker.run_one(&mut stop).await.unwrap(), None, "the others wait");
        clock.set(at(3600));
        for _ in 0..2 {
            let ran = worker.run_one(&mut stop).await.unwrap();
            assert!(
                matches!(ran, Some(Ran::Dead { .. })),
                "two attempts were given: {ran:?}"
            );
        }
        assert_eq!(handler.calls.load(Ordering::SeqCst), 6);
    }
}

#[tokio::test]
async fn a_stop_waits_for_the_running_job_and_cuts_off_an_endless_one() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let store = Arc::new(store);
        let clock = Arc::new(FixedClock::new(at(0)));
        for (payload, patience, wanted, cancelled) in [
            (r#""slow""#, Duration::from_secs(20), JobState::Done, false),
            (r#""endless""#, Duration::from_millis(100), JobState::Ready, true),
        ] {
            let handler = Arc::new(Obedient::default());
            let options = WorkerOptions {
                patience,
                ..options()
            };
            let worker = worker(&store, &clock, &handler, options);
            let (send, stop) = watch::channel(false);
            let id = enqueue(&store, payload).await;
            let stopper = async {
                while handler.calls.load(Ordering::SeqCst) == 0 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                send.send(true).unwrap();
            };
            let (stopped, ()) = tokio::join!(worker.run(stop), stopper);
            assert_eq!(stopped.unwrap().cancelled, cancelled, "{payload}");
            let job = find(&store, &id).await;
            assert_eq!(
                (job.state, job.lease_owner),
                (wanted, None),
                "{payload}: nothing stays leased"
            );
            if wanted == JobState::Ready {
                let mut tx = store.write().await.unwrap();
                let dropped = work::drop_job(&mut tx, &account(), &id, at(0)).await.unwrap();
                assert_eq!(dropped, JobChange::Done { from: wanted });
                tx.commit().await.unwrap();
            }
        }
    }
}

fn nightly(name: &str) -> Schedule {
    Schedule {
        name: name.to_owned(),
        time: NaiveTime::from_hms_opt(2, 30, 0).expect("the row is there"),
        zone: chrono_tz::Europe::Berlin,
        days: vec![
            Weekday::Mon,
            Weekday::Tue,
            Weekday::Wed,
            Weekday::Thu,
            Weekday::Fri,
            Weekday::Sat,
            Weekday::Sun,
        ],
        catch_up: CatchUp::Latest,
        max_age: chrono::Duration::hours(30),
        watch: false,
    }
}

#[tokio::test]
async fn r78_two_processes_tick_at_once_and_each_date_becomes_one_job() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let schedules = [nightly("night"), nightly("weekly")];
        let main = account();
        let clock = FixedClock::new("2026-10-24T01:00:00Z".parse().unwrap());
        let first = tick(&store, &clock, &account(), &schedules).await.unwrap();
        assert_eq!(
            (first.started.len(), first.skipped.len()),
            (0, 2),
            "the mark is set"
        );

        let mut started = Vec::new();
        for now in [
            "2026-10-25T00:29:59Z", // 02:29:59, the first time
            "2026-10-25T00:30:01Z", // 02:30, the first time
            "2026-10-25T01:30:01Z", // 02:30, the second time: the clocks went back
            "2026-10-24T20:00:00Z", // the machine's clock is set back
            "2026-10-26T01:30:01Z",
            "2026-10-29T10:00:00Z", // three days of downtime
        ] {
            clock.set(now.parse().unwrap());
            let (one, two) = tokio::join!(
                tick(&store, &clock, &main, &schedules),
                tick(&store, &clock, &main, &schedules)
            );
            let (one, two) = (one.unwrap(), two.unwrap());
            started.extend(one.started.into_iter().chain(two.started));
        }
        let nights: Vec<_> = started
            .iter()
            .filter(|(schedule, _)| schedule == "night")
            .map(|(_, date)| date.to_string())
            .collect();
        assert_eq!(nights, ["2026-10-25", "2026-10-26", "2026-10-29"]);
        let mut tx = store.read().await.unwrap();
        let ready = JobFilter {
            state: Some(JobState::Ready),
            ..JobFilter::default()
        };
        let jobs = work::list(&mut tx, &account(), &ready, 100).await.unwrap();
        assert_eq!(jobs.len(), 6, "{:?}", store.engine());
        let skipped = work::list_occurrences(&mut tx, &account(), 100)
            .await
            .unwrap()
            .into_iter()
            .filter(|occurrence| occurrence.state == OccurrenceState::Skipped)
            .count();
        assert_eq!(skipped, 6, "the 24th, 27th and 28th of both");
    }
}

#[tokio::test]
async fn the_daemon_runs_what_is_due_once_stops_cleanly_and_repeats_nothing_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let handler = Arc::new(Obedient::default());
        // One minute before its time: only a later tick can find it due.
        let clock = Arc::new(FixedClock::new("2026-11-22T01:29:00Z".parse().unwrap()));
        let daemon = Daemon {
            store: Arc::new(store),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            account: account(),
            owner: "daemon".to_owned(),
            errands: Vec::new(),
            schedules: vec![nightly("night")],
            options: options(),
            part: linkstar::schedule::daemon::Part::Both,
            gate: None,
        };
        for life in 0..2 {
            let (send, stop) = watch::channel(false);
            let stopper = async {
                // Until it has looked once: the mark of the day before is there.
                for _ in 0..400 {
                    let mut tx = daemon.store.read().await.unwrap();
                    let dates = work::list_occurrences(&mut tx, &account(), 10).await.unwrap();
                    drop(tx);
                    if !dates.is_empty() {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                assert_eq!(
                    handler.calls.load(Ordering::SeqCst),
                    life,
                    "nothing before its time"
                );
                clock.set("2026-11-22T01:31:00Z".parse().unwrap());
                // In the second life nothing comes: wait for longer than a tick.
                for _ in 0..if life == 0 { 1200 } else { 100 } {
                    if life == 0 && handler.calls.load(Ordering::SeqCst) > 0 {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
                send.send(true).unwrap();
            };
            let run: BoxFuture<'_, _> = Box::pin(daemon::run(
                &daemon,
                Arc::clone(&handler) as Arc<dyn JobHandler>,
                stop,
            ));
            let (stopped, ()) = tokio::join!(run, stopper);
            let stopped = stopped.unwrap();
            assert_eq!(stopped.done, u64::from(life == 0));
        }
        assert_eq!(handler.calls.load(Ordering::SeqCst), 1);
        let mut tx = daemon.store.read().await.unwrap();
        let occurrences = work::list_occurrences(&mut tx, &account(), 10).await.unwrap();
        let states: Vec<_> = occurrences
            .iter()
            .map(|occurrence| (occurrence.civil_date.to_string(), occurrence.state))
            .collect();
        assert_eq!(
            states,
            [
                ("2026-11-22".to_owned(), OccurrenceState::Done),
                ("2026-11-21".to_owned(), OccurrenceState::Skipped)
            ]
        );
    }
}
