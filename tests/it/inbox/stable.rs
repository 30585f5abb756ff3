//! A file that somebody is still writing waits.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::time::Duration;

use linkstar::clock::FixedClock;
use linkstar::night::{Night, inbox};

use super::stage::{Stage, morning, names};

fn night<'a>(stage: &'a Stage, clock: &'a FixedClock) -> Night<'a> {
    Night {
        store: &stage.store,
        clock,
        config: &stage.config,
        tools: &stage.tools,
        dry_run: false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r41_a_file_whose_size_changes_between_two_looks_waits() {
    let mut stage = Stage::new().await;
    stage.tools.inbox_settle = Duration::from_millis(400);
    let clock = FixedClock::new(morning(0));
    let path = stage.inbox().join("report.csv");
    fs::write(&path, "reference,sku,kind,units,at\n").expect("written");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writer = {
        let path = path.clone();
        std::thread::spawn(move || {
            let mut file = OpenOptions::new().append(true).open(path).expect("opened");
            while stopped.recv_timeout(Duration::from_millis(50)).is_err() {
                file.write_all(b"BH1,85123A,received,3,2026-05-04T10:00:00Z\n")
                    .expect("written");
            }
        })
    };
    for _ in 0..2 {
        let (files, problems) = inbox::new_files(&night(&stage, &clock))
            .await
            .expect("the store works");
        assert!(files.is_empty());
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "report.csv, `size`: found `still being written`, wanted a file that stands still; it is read next time"
            ]
        );
    }
    let (code, list) = stage.linkstar(&["inbox", "list"]);
    assert!(
        list.contains("still being written: `report.csv`"),
        "{code:?} {list}"
    );
    stop.send(()).expect("the writer lives");
    writer.join().expect("the writer ends");
    let (files, problems) = inbox::new_files(&night(&stage, &clock))
        .await
        .expect("the store works");
    assert_eq!((files.len(), problems.len()), (1, 0));
    assert_eq!(files[0].bytes, fs::read(&path).expect("read"));
}

#[tokio::test]
async fn r41_what_another_run_saw_counts_after_a_restart() {
    let mut stage = Stage::new().await;
    stage.tools.inbox_settle = Duration::from_secs(3_600);
    let clock = FixedClock::new(morning(0));
    stage.somebody_drops("a.csv", "x,y\n1,2\n");
    // Killed between its two looks.
    let killed = tokio::time::timeout(
        Duration::from_millis(500),
        inbox::new_files(&night(&stage, &clock)),
    )
    .await;
    assert!(killed.is_err(), "it waits for its second look");
    clock.set(morning(0) + chrono::Duration::hours(1));
    let (files, _) = tokio::time::timeout(Duration::from_secs(20), inbox::new_files(&night(&stage, &clock)))
        .await
        .expect("the first look counts: nothing is waited for")
        .expect("the store works");
    assert_eq!(files.len(), 1);
    // Touched meanwhile: two looks again.
    let file = OpenOptions::new()
        .append(true)
        .open(stage.inbox().join("a.csv"))
        .expect("opened");
    let later = std::time::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
    file.set_modified(later).expect("touched");
    let killed = tokio::time::timeout(
        Duration::from_millis(500),
        inbox::new_files(&night(&stage, &clock)),
    )
    .await;
    assert!(killed.is_err(), "another time is another file");
    // A clock set back proves no standing still.
    clock.set(morning(0) - chrono::Duration::days(3));
    let killed = tokio::time::timeout(
        Duration::from_millis(500),
        inbox::new_files(&night(&stage, &clock)),
    )
    .await;
    assert!(killed.is_err(), "a look of tomorrow says nothing");
}

#[tokio::test]
async fn unfinished_names_are_left_alone_and_vanished_files_are_forgotten() {
    let stage = Stage::new().await;
    let clock = FixedClock::new(morning(0));
    for name in ["~$reply.xlsx", ".hidden.csv", "big.csv.part", "copy.crdownload"] {
        stage.somebody_drops(name, "x");
    }
    let (files, problems) = inbox::new_files(&night(&stage, &clock))
        .await
        .expect("the store works");
    assert_eq!((files.len(), problems.len()), (0, 0));
    assert_eq!(names(&stage.inbox()).len(), 4);
    stage.somebody_drops("a.csv", "x,y\n");
    assert_eq!(
        inbox::new_files(&night(&stage, &clock))
            .await
            .expect("works")
            .0
            .len(),
        1
    );
    fs::remove_file(stage.inbox().join("a.csv")).expect("gone");
    inbox::new_files(&night(&stage, &clock)).await.expect("works");
    let mut tx = stage.store.read().await.expect("the store answers");
    let looks = linkstar::store::inbox::looks(&mut tx, &super::stage::account(), "inbox").await;
    assert!(looks.expect("read").is_empty());
}
