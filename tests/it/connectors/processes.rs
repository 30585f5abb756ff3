//! Three real processes of the program on one database: the pace they keep together, and refresh tokens that work once,
//! also when a process is killed between asking for a token and writing it down.
//!
//! No virtual clock crosses processes. The rates are small and real, and the server judges by its own clock: what it
//! sees of a request comes later than the turn the request took, by the way through the machine, so that requests may
//! stand closer together at its door than they were let go. It allows that much and no more.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use linkstar::store::Store;
use linkstar::telemetry::Stopwatch;
use serde_json::json;

use super::desk::{Desk, Heard, Said, databases, file, pairs, said, stock};
use crate::fleet::children::{ended, kill};

/// Requests a second, and how many at once.
const RATE: f64 = 1.5;
const BURST: u32 = 2;
/// How much later than its turn a request may come to the door on a machine that does other things too.
const LATE: Duration = Duration::from_millis(1_500);

fn home(folder: &Path, url: &str, database: &str, access: &str, secrets: &[(&str, &str)]) {
    let given: Vec<String> = secrets
        .iter()
        .map(|(name, value)| {
            std::fs::write(folder.join(name), value).expect("written");
            format!("{name} = '${{file:{name}}}'")
        })
        .collect();
    let config = format!(
        "[account]\nid = 'main'\nname = 'test'\nlanguage = 'en'\n[store]\nurl = '{database}'\n\
         [[connector]]\nid = 'desk'\nuses = 'desk.toml'\nparams = {{ url = '{url}' }}\n\
         secrets = {{ {} }}\nwarehouses = {{ W = 'desk:W' }}\n",
        given.join(", ")
    );
    std::fs::write(folder.join("linkstar.toml"), config).expect("written");
    std::fs::write(folder.join("desk.toml"), file(access, secrets)).expect("written");
}

fn doctor(home: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_linkstar"))
        .arg("--config")
        .arg(home.join("linkstar.toml"))
        .arg("doctor")
        .current_dir(home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("linkstar starts")
}

/// So many processes one after the other, beside others; how many ended well.
async fn one_after_the_other(home: &Path, times: usize) -> usize {
    let mut good = 0;
    for _ in 0..times {
        let mut child = doctor(home);
        good += usize::from(ended(&mut child, 60, "doctor").await.success());
    }
    good
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_real_processes_keep_one_rate_and_burst() {
    let access = format!(
        "[auth]\nkind = \"none\"\n[retry]\nattempts = 1\n[limits]\nall = {{ rate = {RATE:.1}, burst = {BURST} }}\n\
         [stream.stock]\nrequest = {{ method = \"GET\", path = \"/stock\", limit = \"all\" }}"
    );
    let (_folder, urls) = databases().await;
    for database in urls {
        let seen: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let (log, clock) = (Arc::clone(&seen), Stopwatch::start());
        let desk = Desk::open(move |_: &Heard| {
            log.lock().expect("seen").push(clock.elapsed());
            stock()
        })
        .await;
        let folder = tempfile::tempdir().expect("a folder");
        home(folder.path(), &desk.url, &database, &access, &[]);
        // The first one makes the tables; three at once would only wait for each other.
        assert_eq!(one_after_the_other(folder.path(), 1).await, 1);
        let each = 4;
        let started = Stopwatch::start();
        let (a, b, c) = tokio::join!(
            one_after_the_other(folder.path(), each),
            one_after_the_other(folder.path(), each),
            one_after_the_other(folder.path(), each)
        );
        assert_eq!(a + b + c, 3 * each);
        let mut times = seen.lock().expect("seen").clone();
        times.sort_unstable();
        assert_eq!(times.len(), 3 * each + 1);
        for (first, from) in times.iter().enumerate() {
            for (more, to) in times[first..].iter().enumerate() {
                let span = *to - *from + LATE;
                let allowed = f64::from(BURST) + RATE * span.as_secs_f64();
                assert!(
                    (more + 1) as f64 <= allowed,
                    "{} requests within {:?}",
                    more + 1,
                    *to - *from
                );
            }
        }
        // Twelve beyond a burst of two take at least this long: the rate is kept over all. Processes that each kept their own
        // would need no longer than their starts.
        let least = (3.0 * each as f64 - f64::from(BURST)) / RATE;
        let took = started.elapsed().as_secs_f64();
        assert!(took >= least, "{took} s of at least {least} s");
    }
}

const ROTATING: &str = r#"
[auth]
kind = "refresh_token"
url = "${param:url}/refresh"
form = { refresh_token = "{refresh_token}" }
rotating = { first = "${secret:refresh_token}", next = "refresh_token" }
query = { access_token = "{access_token}" }
[retry]
attempts = 2
first_wait_ms = 100
"#;

#[derive(Default)]
struct Issued {
    /// Every refresh token that came, in the order they came.
    came: Vec<String>,
    number: u32,
    access: Option<String>,
    /// Whether the answer with the next token waits.
    held: bool,
}

#[derive(Clone, Default)]
struct Issuer(Arc<Mutex<Issued>>);

impl Issuer {
    fn answer(&self, heard: &Heard) -> Said {
        if heard.path != "/refresh" {
            let good = self.0.lock().expect("issued").access.clone();
            return match good {
                Some(access) if heard.query.get("access_token") == Some(&access) => stock(),
                _ => said(401, json!({})),
            };
        }
        let answer = {
            let mut state = self.0.lock().expect("issued");
            let token = pairs(&heard.body)["refresh_token"].clone();
            let newest = format!("refresh-{}", state.number);
            let new = token == newest;
            state.came.push(token);
            if !new {
                state.access = None;
                return said(400, json!({"error": "invalid_grant"}));
            }
            state.number += 1;
            let number = state.number;
            state.access = Some(format!("access-{number}"));
            json!({"access_token": format!("access-{number}"),
                "refresh_token": format!("refresh-{number}"), "expires_in": 7200})
        };
        // The token is used up and the next one made; who asked dies before the answer comes, however long that takes.
        let patience = Stopwatch::start();
        while self.0.lock().expect("issued").held && patience.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(10));
        }
        said(200, answer)
    }

    fn came(&self) -> Vec<String> {
        self.0.lock().expect("issued").came.clone()
    }

    fn expire(&self) {
        self.0.lock().expect("issued").access = None;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn r4_three_real_processes_use_a_refresh_token_once_also_when_one_is_killed_before_it_stores_the_next()
{
    let (_folder, urls) = databases().await;
    for database in urls {
        let issuer = Issuer::default();
        let answers = issuer.clone();
        let desk = Desk::open(move |heard| answers.answer(heard)).await;
        let folder = tempfile::tempdir().expect("a folder");
        let secrets = [("refresh_token", "refresh-0")];
        home(folder.path(), &desk.url, &database, ROTATING, &secrets);
        assert_eq!(one_after_the_other(folder.path(), 1).await, 1);
        assert_eq!(issuer.came(), ["refresh-0"]);
        // Three processes find the access token run out at the same time: one renews it, the others take what it got.
        for round in 1..=2 {
            issuer.expire();
            let (a, b, c) = tokio::join!(
                one_after_the_other(folder.path(), 1),
                one_after_the_other(folder.path(), 1),
                one_after_the_other(folder.path(), 1)
            );
            assert_eq!(a + b + c, 3);
            let came = issuer.came();
            assert_eq!(came.len(), 1 + round, "{came:?}");
            assert_eq!(came.iter().collect::<BTreeSet<_>>().len(), came.len());
        }
        // One is killed while the answer with the next token is on its way.
        issuer.expire();
        issuer.0.lock().expect("issued").held = true;
        let before = issuer.came().len();
        let mut victim = doctor(folder.path());
        let patience = Stopwatch::start();
        while issuer.came().len() == before && patience.elapsed() < Duration::from_secs(30) {
            // Not the runtime's clock: it may stand still while its thread holds the answer back.
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(kill(&mut victim), "it was killed while it waited");
        issuer.0.lock().expect("issued").held = false;
        the_lease_runs_out(&database).await;
        // Whether the dead one's request arrived, its token alone can tell: one process asks with it, once, and is refused.
        // From then on it is known to be lost, and nobody sends it any more.
        for _ in 0..2 {
            let (a, b, c) = tokio::join!(
                one_after_the_other(folder.path(), 1),
                one_after_the_other(folder.path(), 1),
                one_after_the_other(folder.path(), 1)
            );
            assert_eq!(a + b + c, 0, "a token that is used up is no good");
            let came = issuer.came();
            assert_eq!(came.len(), before + 2, "{came:?}");
            assert_eq!(came[before], came[before + 1], "{came:?}");
            assert_eq!(
                came.iter().collect::<BTreeSet<_>>().len(),
                came.len() - 1,
                "{came:?}"
            );
        }
        // A new authorisation starts anew.
        let newest = format!("refresh-{}", issuer.0.lock().expect("issued").number);
        std::fs::write(folder.path().join("refresh_token"), newest).expect("written");
        assert_eq!(one_after_the_other(folder.path(), 3).await, 3);
        assert_eq!(issuer.came().len(), before + 3);
    }
}

/// The time of who died, without waiting for it.
async fn the_lease_runs_out(database: &str) {
    let store = Store::open(database).await.expect("a store");
    let mut tx = store.write().await.expect("a transaction");
    tx.execute_exactly(
        1,
        "UPDATE credential SET lease_until = 0 WHERE account_id = $1 AND state = 'asking'",
        linkstar::args!["main"],
    )
    .await
    .expect("one that asks");
    tx.commit().await.expect("committed");
    store.close().await;
}
