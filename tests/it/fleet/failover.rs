//! PostgreSQL killed and started again, and killed for good with a standby in its place, while a night runs.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::children::{Draw, ended_well, size};
use super::kill::settle;
use super::stage::{Stage, assert_as_undisturbed};

use crate::services::{has, services, unique};

/// Servers of their own; stopped when dropped.
struct Pair {
    folder: PathBuf,
    ports: Vec<u16>,
}

impl Pair {
    fn up(kind: &str) -> Self {
        let name = format!("linkstar-pair-{}-{}", std::process::id(), unique());
        let folder = std::env::temp_dir().join(name);
        let out = script(&["up", &folder.display().to_string(), kind]);
        let ports = out
            .lines()
            .filter_map(|line| line.split_once('=')?.1.parse().ok())
            .collect();
        Self { folder, ports }
    }

    fn run(&self, what: &str, which: &str) {
        script(&[what, &self.folder.display().to_string(), which]);
    }

    fn server(&self) -> String {
        format!("postgres://linkstar@127.0.0.1:{}/postgres", self.ports[0])
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        script(&["down", &self.folder.display().to_string()]);
    }
}

fn script(args: &[&str]) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/pg_pair.sh");
    let out =
        tokio::task::block_in_place(|| Command::new(path).args(args).output()).expect("the script runs");
    assert!(
        out.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[expect(clippy::disallowed_methods, reason = "a measurement, not a decision")]
fn measured(stage: &Stage) -> Duration {
    let watch = Instant::now();
    stage.night();
    watch.elapsed()
}

/// `LINKSTAR_RESTARTS` nights (1 in the ordinary run), in each of which the server is killed three times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_during_which_postgresql_is_killed_and_started_again_ends_right() {
    let Some(services) = services() else { return };
    let pair = Pair::up("alone");
    let url = format!("postgres://linkstar@127.0.0.1:{}/linkstar", pair.ports[0]);
    let stage = Stage::on(&services, Some(url), &pair.server()).await;
    let before = stage.mails();
    let took = measured(&stage);
    settle(&stage);
    let calm = stage.left(&before).await;
    let mut draw = Draw(0x0dab_a5e0);
    let mut doubtful = 0;
    let rounds = size("LINKSTAR_RESTARTS", 1);
    for round in 0..rounds {
        stage.restore().await;
        let before = stage.mails();
        let night = stage.shop.spawn(&["night", "--at", &stage.at]);
        let mut instants = Vec::new();
        for _ in 0..3 {
            let pause = took / 12 + draw.below(took / 4);
            tokio::time::sleep(pause).await;
            instants.push(pause);
            pair.run("kill", "a");
            tokio::time::sleep(Duration::from_millis(300)).await;
            pair.run("start", "a");
        }
        let what = format!("round {round}, server killed after pauses of {instants:?}");
        ended_well(night, &what).await;
        settle(&stage);
        doubtful += assert_as_undisturbed(&calm, stage.left(&before).await, &what);
    }
    println!("server killed 3 times in each of {rounds} nights, {doubtful} doubtful mails, the same state");
}

/// `LINKSTAR_FAILOVERS` nights (1 in the ordinary run), each with a pair of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_night_during_which_a_standby_takes_over_ends_right() {
    let Some(services) = services() else { return };
    let mut draw = Draw(0xfa11_0e40);
    let mut doubtful = 0;
    let rounds = size("LINKSTAR_FAILOVERS", 1);
    for round in 0..rounds {
        let pair = Pair::up("both");
        let url = format!(
            "postgres://linkstar@127.0.0.1:{},127.0.0.1:{}/linkstar",
            pair.ports[0], pair.ports[1]
        );
        let stage = Stage::on(&services, Some(url), &pair.server()).await;
        let before = stage.mails();
        let took = measured(&stage);
        settle(&stage);
        let calm = stage.left(&before).await;
        stage.restore().await;
        let before = stage.mails();
        let night = stage.shop.spawn(&["night", "--at", &stage.at]);
        let pause = took / 12 + draw.below(took * 3 / 4);
        tokio::time::sleep(pause).await;
        pair.run("kill", "a");
        pair.run("promote", "b");
        let what = format!("round {round}, primary killed after {pause:?} of {took:?}");
        ended_well(night, &what).await;
        settle(&stage);
        doubtful += assert_as_undisturbed(&calm, stage.left(&before).await, &what);
    }
    println!("{rounds} nights with a failover, {doubtful} doubtful mails, the same state");
}

/// A pooler that gives every transaction another connection, and refuses settings it does not know.
pub struct Bouncer {
    folder: PathBuf,
    pub port: u16,
}

impl Bouncer {
    pub fn before(url: &str) -> Self {
        let rest = url.split_once("://").expect("a scheme").1;
        let (login, place) = rest.rsplit_once('@').expect("a login");
        let (user, password) = login.split_once(':').expect("a password");
        let (host, port) = place
            .split('/')
            .next()
            .and_then(|place| place.rsplit_once(':'))
            .expect("a port");
        let name = format!("linkstar-bouncer-{}-{}", std::process::id(), unique());
        let folder = std::env::temp_dir().join(name);
        let out = Self::script(&["up", &folder.display().to_string(), host, port, user, password]);
        let port = out
            .trim()
            .strip_prefix("PORT=")
            .and_then(|port| port.parse().ok())
            .expect("a port");
        Self { folder, port }
    }

    fn script(args: &[&str]) -> String {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/pgbouncer.sh");
        let out = Command::new(path).args(args).output().expect("the script runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        Self::script(&["down", &self.folder.display().to_string()]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_through_a_pooler_by_transaction_do_what_one_does_without() {
    let Some(services) = services() else { return };
    if !has_pgbouncer() {
        return;
    }
    let url = crate::services::fresh_database(&services).await;
    let stage = Stage::on(&services, Some(url.clone()), &services.database_url).await;
    let before = stage.mails();
    stage.night();
    let calm = stage.left(&before).await;

    let bouncer = Bouncer::before(&services.database_url);
    stage.restore().await;
    let (login, rest) = url.rsplit_once('@').expect("a login");
    let name = rest.rsplit_once('/').expect("a database").1;
    let pooled = format!("{login}@127.0.0.1:{}/{name}", bouncer.port);
    stage.shop.edit_config(&url, &pooled);
    let before = stage.mails();
    let nights: Vec<Child> = (0..3)
        .map(|_| stage.shop.spawn(&["night", "--at", &stage.at]))
        .collect();
    for night in nights {
        ended_well(night, "through the pooler").await;
    }
    assert_as_undisturbed(&calm, stage.left(&before).await, "through the pooler");

    // An empty database, and three that bring it to this version at once.
    let empty = crate::services::fresh_database(&services).await;
    let name = empty.rsplit_once('/').expect("a database").1;
    stage
        .shop
        .edit_config(&pooled, &format!("{login}@127.0.0.1:{}/{name}", bouncer.port));
    let firsts: Vec<Child> = (0..3).map(|_| stage.shop.spawn(&["status"])).collect();
    for first in firsts {
        ended_well(first, "migrating through the pooler").await;
    }
}

pub fn has_pgbouncer() -> bool {
    std::path::Path::new("/usr/sbin/pgbouncer").is_file() || has("pgbouncer", "pgbouncer")
}
