//! Death at every commit boundary, and at random instants.
//!
//! The big run: `LINKSTAR_KILL_STRIDE=1 LINKSTAR_KILLS=200 cargo test --test it fleet::kill`. The stride is the distance
//! between two commit boundaries that are tried (1: every one); the kills are `SIGKILL`s at random instants, as many for
//! each engine with one worker and with three.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::children::{Draw, ended, ended_well, kill, size};
use super::stage::{Engine, Left, Stage, assert_as_undisturbed, excuse_the_delivery};
use crate::services::services;

/// The night without a disturbance, and how long it took.
#[expect(clippy::disallowed_methods, reason = "a measurement, not a decision")]
async fn calm_night(stage: &Stage) -> (Left, Duration) {
    let before = stage.mails();
    let watch = Instant::now();
    stage.night();
    let took = watch.elapsed();
    let calm = stage.left(&before).await;
    assert!(calm.dropped.len() >= 6, "orders with their papers");
    assert_eq!(calm.mails.len(), 2, "one mail a reader");
    (calm, took)
}

/// All ways to die, on one stage.
async fn killed(engine: Engine, stride: u64, kills: u64) {
    let Some(services) = services() else { return };
    let stage = Stage::new(&services, engine).await;
    let (calm, took) = calm_night(&stage).await;
    at_commits(&stage, engine, &calm, stride).await;
    at_random_instants(&stage, engine, &calm, took, kills).await;
    together(&stage, &calm).await;
    three_workers(&stage, engine, kills).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_a_killed_night_ends_as_an_undisturbed_one_on_sqlite() {
    killed(Engine::Sqlite, 67, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r40_a_killed_night_ends_as_an_undisturbed_one_on_postgresql() {
    killed(Engine::Postgres, 71, 3).await;
}

async fn at_commits(stage: &Stage, engine: Engine, calm: &Left, stride: u64) {
    let stride = size("LINKSTAR_KILL_STRIDE", stride);
    let (mut boundary, mut deaths, mut doubtful) = (1, 0, 0);
    loop {
        stage.restore().await;
        let mails = stage.mails();
        let ran = stage.night_aborted_at(boundary);
        if ran.code.is_some() {
            assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
            break;
        }
        deaths += 1;
        stage.night();
        let what = format!("{engine:?}, dead at commit boundary {boundary}");
        doubtful += assert_as_undisturbed(calm, stage.left(&mails).await, &what);
        boundary += stride;
    }
    assert!(deaths >= 2, "{deaths} deaths: the failpoints are not reached");
    println!(
        "{engine:?}: {deaths} deaths at boundaries up to {boundary}, {doubtful} doubtful mails, nothing lost or doubled"
    );
}

/// So many kills fall into one night.
const KILLS_A_ROUND: u64 = 4;

/// One process at a time, killed at random instants and started again; uploads break and answers get lost meanwhile.
async fn at_random_instants(stage: &Stage, engine: Engine, calm: &Left, took: Duration, kills: u64) {
    let kills = size("LINKSTAR_KILLS", kills);
    let mut draw = Draw(0x005e_ed0f_2026);
    let (mut killed, mut round, mut doubtful) = (0, 0, 0);
    while killed < kills {
        assert!(round < kills, "the night ends before it can be killed");
        stage.restore().await;
        let before = stage.mails();
        stage.answer_every_mail();
        // Every second round an answer is lost, every third uploads break somewhere in the files.
        if round % 2 == 1 {
            stage.lose_the_answer_to(usize::from(round % 4 == 1));
        }
        let broken = round % 3 == 2;
        if broken {
            stage.break_uploads_after(3_000 + u32::try_from(round * 2_711 % 60_000).expect("small"));
        }
        let mut instants = Vec::new();
        let slot = took / u32::try_from(KILLS_A_ROUND).expect("small");
        for _ in 0..KILLS_A_ROUND {
            let instant = slot / 8 + draw.below(slot * 2);
            let mut child = stage.shop.spawn(&["night", "--at", &stage.at]);
            tokio::time::sleep(instant).await;
            if kill(&mut child) {
                killed += 1;
                instants.push(instant);
            }
        }
        if broken {
            stage.mend_uploads();
        }
        stage.night();
        if broken {
            settle(stage);
        }
        let what = format!("{engine:?}, round {round}, killed after {instants:?} of {took:?}");
        let mut left = stage.left(&before).await;
        if broken || round % 2 == 1 {
            excuse_the_delivery(&mut left);
        }
        doubtful += assert_as_undisturbed(calm, left, &what);
        round += 1;
    }
    stage.answer_every_mail();
    println!(
        "{engine:?}, 1 worker: {killed} kills in {round} nights, {doubtful} doubtful mails, nothing lost or doubled"
    );
}

/// Three processes that do the same night of the same account at once.
async fn together(stage: &Stage, calm: &Left) {
    stage.restore().await;
    let before = stage.mails();
    let nights: Vec<_> = (0..3)
        .map(|_| stage.shop.spawn(&["night", "--at", &stage.at]))
        .collect();
    for night in nights {
        ended_well(night, "three at once").await;
    }
    let doubtful = assert_as_undisturbed(calm, stage.left(&before).await, "three at once");
    assert_eq!(doubtful, 0);
}

/// What had to wait after a broken attempt goes out when its time has come.
pub fn settle(stage: &Stage) {
    for hour in 1..=3 {
        let later = crate::night::shop::morning(1) + chrono::Duration::hours(hour);
        stage.ends_well(&["deliver", "--at", &later.to_rfc3339()]);
    }
}

/// Three daemons on one database, each killed now and then and started again.
#[expect(
    clippy::disallowed_methods,
    reason = "the daemons are other processes and live by the wall clock"
)]
async fn three_workers(stage: &Stage, engine: Engine, kills: u64) {
    stage.restore().await;
    let watch = Instant::now();
    let (calm, _) = three_until_over(stage, &mut [], &mut Draw(1)).await;
    let took = watch.elapsed();
    assert!(calm.dropped.len() >= 6 && calm.mails.len() == 2);
    let kills = size("LINKSTAR_KILLS", kills);
    let mut draw = Draw(0x00f1_ee70_2026);
    let (mut killed, mut round, mut doubtful) = (0, 0_u64, 0);
    while killed < kills {
        assert!(round < kills, "the night ends before it can be killed");
        stage.restore().await;
        stage.answer_every_mail();
        if round % 2 == 1 {
            stage.lose_the_answer_to(0);
        }
        let mut instants: Vec<Duration> = (0..KILLS_A_ROUND).map(|_| draw.below(took)).collect();
        instants.sort();
        let what = format!("{engine:?}, 3 workers, round {round}, kills at {instants:?} of {took:?}");
        let (mut left, hit) = three_until_over(stage, &mut instants, &mut draw).await;
        if round % 2 == 1 {
            excuse_the_delivery(&mut left);
        }
        killed += hit;
        doubtful += assert_as_undisturbed(&calm, left, &what);
        round += 1;
    }
    println!(
        "{engine:?}, 3 workers: {killed} kills in {round} nights, {doubtful} doubtful mails, nothing lost or doubled"
    );
}

const A_NIGHT_TAKES_AT_MOST: Duration = Duration::from_secs(180);

/// Runs a scheduler and three workers until the night is over; kills a worker at each of the instants and starts it
/// again.
#[expect(
    clippy::disallowed_methods,
    reason = "the daemons are other processes and live by the wall clock"
)]
async fn three_until_over(stage: &Stage, instants: &mut [Duration], draw: &mut Draw) -> (Left, u64) {
    let before: BTreeSet<String> = stage.mails();
    let started = Instant::now();
    let mut scheduler = stage.daemon("scheduler", "scheduler", started);
    let mut workers: Vec<_> = (0..3)
        .map(|number| stage.daemon(&format!("worker-{number}"), "worker", started))
        .collect();
    let mut hit = 0;
    let mut next = instants.iter().copied().peekable();
    loop {
        if let Some(instant) = next.peek().copied() {
            tokio::time::sleep(instant.saturating_sub(started.elapsed())).await;
            next.next();
            let one = (draw.next() * 3.0) as usize % 3;
            hit += u64::from(kill(&mut workers[one]));
            workers[one] = stage.daemon(&format!("worker-{one}"), "worker", started);
            continue;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        if stage.is_over().await {
            break;
        }
        assert!(
            started.elapsed() < A_NIGHT_TAKES_AT_MOST,
            "the night does not end; see {}",
            stage.shop.folder.path().display()
        );
    }
    for child in workers.iter_mut().chain([&mut scheduler]) {
        stop(child).await;
    }
    (stage.left_at_any_hour(&before).await, hit)
}

/// SIGTERM, and a clean end.
pub async fn stop(child: &mut std::process::Child) {
    let asked = std::process::Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(asked.success());
    let status = ended(child, 40, "a daemon that was asked to stop").await;
    assert_eq!(status.code(), Some(0), "a daemon ends cleanly");
}
