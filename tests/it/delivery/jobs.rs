//! One contract for jobs and occurrences, run on both engines.

use chrono::Duration;
use linkstar::store::work::{self, JobState, NewJob, Occurrence, OccurrenceState};

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
        // The process dies in its last attempt: a job that kills its worker must not do so for ever.
        let lost = work::requeue_lost(&mut tx, &account, None, at(71)).await.unwrap();
        assert_eq!(lost, [second]);
        let dead = work::find(&mut tx, &account, &id).await.unwrap().unwrap();
        assert_eq!((dead.state, dead.attempt), (JobState::Dead, 2));
        let attempts = work::job_attempts(&mut tx, &account, &id).await.unwrap();
        assert_eq!(
            attempts.iter().map(|a| a.outcome.as_deref()).collect::<Vec<_>>(),
            [Some("retry"), Some("lost")]
        );
        assert!(work::retry(&mut tx, &account, &id, at(80)).await.unwrap());
        let (third, _) = work::claim(&mut tx, &account, &["night"], "w", at(80), LEASE)
            .await
            .unwrap()
            .unwrap();
        work::complete(&mut tx, &third, at(81)).await.unwrap();
        assert!(!work::drop_job(&mut tx, &account, &id, at(82)).await.unwrap());
        assert_ne!(
            work::enqueue(&mut tx, &account, &job("night", "2026-11-22"), at(83))
                .await
                .unwrap()
                .unwrap(),
            id,
            "a second life is a second job"
        );
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
