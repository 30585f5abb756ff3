//! One contract for jobs and occurrences, run on both engines.

use chrono::Duration;
use linkstar::store::work::{self, JobChange, JobFilter, JobState, NewJob, Occurrence, OccurrenceState};

use super::{account, at, engines};

const LEASE: Duration = Duration::seconds(60);

pub fn job<'a>(kind: &'a str, key: &'a str) -> NewJob<'a> {
    NewJob {
        kind,
        dedupe_key: key,
        payload: "{}",
        priority: 0,
        run_after: at(0),
        max_attempts: 2,
        occurrence: None,
    }
}

#[tokio::test]
async fn a_job_is_live_once_retries_and_ends_dead_where_a_person_can_revive_it() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let account = account();
        let mut tx = store.write().await.unwrap();
        let id = work::enqueue(&mut tx, &account, &job("night", "2026-11-22"), at(0))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            work::enqueue(&mut tx, &account, &job("night", "2026-11-22"), at(0))
                .await
                .unwrap(),
            None
        );
        let (first, _) = work::claim(&mut tx, &account, &["night"], "w", at(1), LEASE)
            .await
            .unwrap()
            .unwrap();
        assert!(
            work::claim(&mut tx, &account, &["mail", "night"], "v", at(1), LEASE)
                .await
                .unwrap()
                .is_none()
        );
        work::fail(&mut tx, &first, "no network", Some(at(10)), at(2))
            .await
            .unwrap();
        assert!(
            work::claim(&mut tx, &account, &["night"], "w", at(9), LEASE)
                .await
                .unwrap()
                .is_none()
        );
        let (second, _) = work::claim(&mut tx, &account, &["night"], "w", at(10), LEASE)
            .await
            .unwrap()
            .unwrap();
        work::fail(&mut tx, &second, "no network", None, at(11))
            .await
            .unwrap();
        let dead = work::find(&mut tx, &account, &id).await.unwrap().unwrap();
        assert_eq!((dead.state, dead.attempt), (JobState::Dead, 2));
        let attempts = work::job_attempts(&mut tx, &account, &id).await.unwrap();
        assert_eq!(
            attempts.iter().map(|a| a.outcome.as_deref()).collect::<Vec<_>>(),
            [Some("retry"), Some("dead")]
        );
        let dead_from = JobChange::Done { from: JobState::Dead };
        assert_eq!(
            work::retry(&mut tx, &account, &id, at(80)).await.unwrap(),
            dead_from
        );
        let (third, _) = work::claim(&mut tx, &account, &["night"], "w", at(80), LEASE)
            .await
            .unwrap()
            .unwrap();
        work::complete(&mut tx, &third, at(81)).await.unwrap();
        let done = JobChange::NotFrom(JobState::Done);
        assert_eq!(
            work::drop_job(&mut tx, &account, &id, at(82)).await.unwrap(),
            done
        );
        let second_life = work::enqueue(&mut tx, &account, &job("night", "2026-11-22"), at(83))
            .await
            .unwrap()
            .unwrap();
        assert_ne!(second_life, id, "a second life is a second job");
        let unknown = work::retry(&mut tx, &account, "nobody", at(84)).await.unwrap();
        assert_eq!(unknown, JobChange::Unknown);
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn an_occurrence_is_inserted_once_and_follows_its_job() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let account = account();
        let date = "2026-11-22".parse().unwrap();
        let occurrence = Occurrence {
            schedule: "night".to_owned(),
            civil_date: date,
            state: OccurrenceState::Due,
            due_at: at(0),
            note: None,
        };
        let mut tx = store.write().await.unwrap();
        for first in [true, false] {
            let inserted = work::insert_occurrence(&mut tx, &account, &occurrence, at(0))
                .await
                .unwrap();
            assert_eq!(inserted, first);
        }
        let mut last = Vec::new();
        for (schedule, until) in [
            ("night", "2026-11-22"),
            ("night", "2026-11-21"),
            ("weekly", "2026-11-22"),
        ] {
            let until = until.parse().unwrap();
            last.push(
                work::last_occurrence(&mut tx, &account, schedule, until)
                    .await
                    .unwrap(),
            );
        }
        assert_eq!(last, [Some(date), None, None]);

        let new = NewJob {
            occurrence: Some(("night", date)),
            ..job("night", "2026-11-22")
        };
        work::enqueue(&mut tx, &account, &new, at(0))
            .await
            .unwrap()
            .unwrap();
        let mut seen = Vec::new();
        for (second, error) in [(1, Some("no network")), (100, None)] {
            let (claim, _) = work::claim(&mut tx, &account, &["night"], "w", at(second), LEASE)
                .await
                .unwrap()
                .unwrap();
            seen.extend(work::list_occurrences(&mut tx, &account, 5).await.unwrap());
            match error {
                Some(error) => {
                    work::fail(&mut tx, &claim, error, Some(at(100)), at(2))
                        .await
                        .unwrap();
                }
                None => work::complete(&mut tx, &claim, at(101)).await.unwrap(),
            }
            seen.extend(work::list_occurrences(&mut tx, &account, 5).await.unwrap());
        }
        tx.commit().await.unwrap();
        let states: Vec<_> = seen
            .iter()
            .map(|seen| (seen.state, seen.note.as_deref()))
            .collect();
        assert_eq!(
            states,
            [
                (OccurrenceState::Running, None),
                (OccurrenceState::Due, Some("no network")),
                (OccurrenceState::Running, None),
                (OccurrenceState::Done, None)
            ]
        );
    }
}

#[tokio::test]
async fn the_highest_priority_goes_first_then_what_is_due_longest_and_nothing_before_its_time() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let mut tx = store.write().await.unwrap();
        for (key, priority, second) in [
            ("late", 0, 3),
            ("early", 0, 1),
            ("urgent", 9, 2),
            ("future", 99, 50),
        ] {
            let new = NewJob {
                priority,
                run_after: at(second),
                ..job("k", key)
            };
            work::enqueue(&mut tx, &account(), &new, at(0)).await.unwrap();
        }
        let mut order = Vec::new();
        while let Some((_, job)) = work::claim(&mut tx, &account(), &["k"], "w", at(10), LEASE)
            .await
            .unwrap()
        {
            order.push(job.dedupe_key);
        }
        assert_eq!(order, ["urgent", "early", "late"]);
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn an_attempt_that_lost_its_lease_can_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let mut tx = store.write().await.unwrap();
        work::enqueue(&mut tx, &account(), &job("k", "a"), at(0))
            .await
            .unwrap();
        let (old, _) = work::claim(&mut tx, &account(), &["k"], "w", at(0), LEASE)
            .await
            .unwrap()
            .unwrap();
        work::requeue_lost(&mut tx, &account(), None, at(60))
            .await
            .unwrap();
        // The same worker, under the same name: only the attempt tells the two apart.
        let (new, _) = work::claim(&mut tx, &account(), &["k"], "w", at(61), LEASE)
            .await
            .unwrap()
            .unwrap();
        tx.commit().await.unwrap();
        for stale in [&old] {
            let mut tx = store.write().await.unwrap();
            assert!(work::heartbeat(&mut tx, stale, at(62), LEASE).await.is_err());
            assert!(work::complete(&mut tx, stale, at(62)).await.is_err());
            assert!(
                work::fail(&mut tx, stale, "no", Some(at(99)), at(62))
                    .await
                    .is_err()
            );
        }
        let mut tx = store.write().await.unwrap();
        work::heartbeat(&mut tx, &new, at(62), LEASE).await.unwrap();
        work::complete(&mut tx, &new, at(63)).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_lease_moves_back_with_the_clock_so_that_a_dead_worker_does_not_hold_it_for_days() {
    let dir = tempfile::tempdir().unwrap();
    let two_days = Duration::days(2);
    for store in engines(dir.path()).await {
        let mut tx = store.write().await.unwrap();
        work::enqueue(&mut tx, &account(), &job("k", "a"), at(0))
            .await
            .unwrap();
        let (claim, _) = work::claim(&mut tx, &account(), &["k"], "dead", at(0), LEASE)
            .await
            .unwrap()
            .unwrap();
        let back = at(0) - two_days;
        let lost = work::requeue_lost(&mut tx, &account(), None, back).await.unwrap();
        assert!(lost.is_empty(), "it may be alive");
        let later = back + LEASE;
        let lost = work::requeue_lost(&mut tx, &account(), None, later)
            .await
            .unwrap();
        assert_eq!(lost, [claim]);
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_dead_job_is_not_revived_beside_a_live_one_of_the_same_thing() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let mut tx = store.write().await.unwrap();
        let dead = work::enqueue(&mut tx, &account(), &job("k", "a"), at(0))
            .await
            .unwrap()
            .unwrap();
        let (claim, _) = work::claim(&mut tx, &account(), &["k"], "w", at(0), LEASE)
            .await
            .unwrap()
            .unwrap();
        work::fail(&mut tx, &claim, "never", None, at(1)).await.unwrap();
        let live = work::enqueue(&mut tx, &account(), &job("k", "a"), at(2))
            .await
            .unwrap()
            .unwrap();
        let superseded = JobChange::Superseded { by: live };
        assert_eq!(
            work::retry(&mut tx, &account(), &dead, at(3)).await.unwrap(),
            superseded
        );
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn history_is_cleaned_in_batches_and_what_a_person_must_see_stays() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let account = account();
        let mut tx = store.write().await.unwrap();
        for day in 0..7_u32 {
            let date = chrono::NaiveDate::from_ymd_opt(2026, 11, 1 + day).unwrap();
            let due_at = at(i64::from(day) * 86_400);
            let occurrence = Occurrence {
                schedule: "night".to_owned(),
                civil_date: date,
                state: OccurrenceState::Due,
                due_at,
                note: None,
            };
            work::insert_occurrence(&mut tx, &account, &occurrence, due_at)
                .await
                .unwrap();
            let key = date.to_string();
            let new = NewJob {
                occurrence: Some(("night", date)),
                run_after: due_at,
                ..job("night", &key)
            };
            work::enqueue(&mut tx, &account, &new, due_at).await.unwrap();
            let (claim, _) = work::claim(&mut tx, &account, &["night"], "w", due_at, LEASE)
                .await
                .unwrap()
                .unwrap();
            match day {
                // Dead, of the first day: it waits for a person.
                0 => work::fail(&mut tx, &claim, "never", None, due_at).await.unwrap(),
                // Still running when the others are long over.
                3 => {}
                _ => work::complete(&mut tx, &claim, due_at).await.unwrap(),
            }
        }
        tx.commit().await.unwrap();

        let (jobs_before, dates_before) = (at(5 * 86_400), at(86_400 * 30));
        let mut rounds = Vec::new();
        loop {
            let mut tx = store.write().await.unwrap();
            let cleaned = work::clean(&mut tx, &account, jobs_before, dates_before, 2)
                .await
                .unwrap();
            tx.commit().await.unwrap();
            rounds.push((cleaned.jobs, cleaned.attempts, cleaned.occurrences));
            if !cleaned.is_full(2) {
                break;
            }
        }
        assert_eq!(rounds, [(2, 2, 2), (1, 1, 1)]);
        let mut tx = store.read().await.unwrap();
        let left = work::list(&mut tx, &account, &JobFilter::default(), 10)
            .await
            .unwrap();
        let left: Vec<_> = left
            .iter()
            .map(|job| (job.dedupe_key.as_str(), job.state))
            .collect();
        assert_eq!(
            left,
            [
                ("2026-11-07", JobState::Done),
                ("2026-11-06", JobState::Done),
                ("2026-11-04", JobState::Leased),
                ("2026-11-01", JobState::Dead),
            ]
        );
        let dates = work::list_occurrences(&mut tx, &account, 10).await.unwrap();
        let dates: Vec<_> = dates.iter().map(|one| one.civil_date.to_string()).collect();
        assert_eq!(dates, ["2026-11-07", "2026-11-06", "2026-11-04", "2026-11-01"]);
    }
}

#[tokio::test]
async fn a_worker_that_dies_is_no_failure_of_the_job_and_ten_in_a_row_are_the_jobs_end() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let account = account();
        let mut tx = store.write().await.unwrap();
        let id = work::enqueue(&mut tx, &account, &job("night", "2026-11-22"), at(0))
            .await
            .unwrap()
            .unwrap();
        let die = async |tx: &mut linkstar::store::Tx, now: i64| {
            work::claim(tx, &account, &["night"], "w", at(now), LEASE)
                .await
                .unwrap()
                .expect("a job");
            work::requeue_lost(tx, &account, None, at(now + 61))
                .await
                .unwrap();
            work::find(tx, &account, &id).await.unwrap().unwrap()
        };
        for deaths in 1..work::MOST_LOST {
            let job = die(&mut tx, i64::from(deaths) * 100).await;
            assert_eq!((job.state, job.attempt), (JobState::Ready, deaths));
            // Two failures of its own are what it was given, and what it still has.
            assert_eq!(job.max_attempts - job.attempt, 2);
        }
        let dead = die(&mut tx, 2_000).await;
        assert_eq!((dead.state, dead.attempt), (JobState::Dead, work::MOST_LOST));
        assert_eq!(
            dead.last_error.as_deref(),
            Some(
                "worker `w` was lost during the attempt; 10 workers died under this job, which may be what kills them"
            )
        );
        let attempts = work::job_attempts(&mut tx, &account, &id).await.unwrap();
        assert!(
            attempts
                .iter()
                .all(|attempt| attempt.outcome.as_deref() == Some("lost"))
        );
        // A person's wish begins to count anew.
        let revived = work::retry(&mut tx, &account, &id, at(5_000)).await.unwrap();
        assert_eq!(revived, JobChange::Done { from: JobState::Dead });
        let again = die(&mut tx, 5_001).await;
        assert_eq!(again.state, JobState::Ready);
    }
}
