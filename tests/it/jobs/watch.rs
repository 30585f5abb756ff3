//! The watch over the day's mail: one alert when nobody got it, none when somebody did.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use futures_util::future::BoxFuture;
use linkstar::clock::{Clock, FixedClock};
use linkstar::config::{self, Config};
use linkstar::delivery::{Channel, State, Verdict};
use linkstar::http::Pace;
use linkstar::jobs::{JobEnd, JobFailure, JobHandler, Ran, Worker, WorkerOptions};
use linkstar::night::{Night, Tools};
use linkstar::schedule::{MAIL_BY, Schedule, configured, handle, tick};
use linkstar::store::Store;
use linkstar::store::outbox::{self, Enqueued, NewMessage};
use linkstar::store::run::{self, StepView};
use linkstar::store::work::{Job, JobClaim};
use tokio::sync::{Mutex, watch};

use super::super::services::{Services, control, services};
use super::{account, engines};

const DATE: &str = "2026-06-02";

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

/// 09:00 in Shanghai on [`DATE`] is 01:00 in UTC.
fn config(services: &Services, reader: &str, home: &Path) -> Config {
    let (login, place) = services
        .smtp_url
        .trim_start_matches("smtp://")
        .trim_end_matches('/')
        .split_once('@')
        .expect("a login in the URL");
    let (user, password) = login.split_once(':').expect("a password");
    let (host, port) = place.split_once(':').expect("a port");
    let text = format!(
        "[account]\nid='main'\nname='Shop'\nzone='Asia/Shanghai'\n[night]\nat='06:30'\nmail_by='09:00'\n\
         [mail]\nhost='{host}'\nport={port}\nuser='{user}'\npassword='${{env:P}}'\nca_file='{}'\nfrom='linkstar <l@example.com>'\n\
         [[mail.recipients]]\naddress='zh-{reader}@example.com'\nlanguage='zh-CN'\n\
         [[mail.recipients]]\naddress='en-{reader}@example.com'\nlanguage='en'\n",
        services.tls_ca.display()
    );
    config::load_text("linkstar.toml", &text, home, &|_| Some(password.to_owned())).expect("a configuration")
}

struct House {
    store: Store,
    config: Config,
    tools: Tools,
    clock: Arc<FixedClock>,
    turn: Mutex<()>,
}

impl JobHandler for House {
    fn run<'a>(&'a self, job: &'a Job, _claim: &'a JobClaim) -> BoxFuture<'a, Result<JobEnd, JobFailure>> {
        Box::pin(async move {
            let night = Night {
                store: &self.store,
                clock: &*self.clock,
                config: &self.config,
                tools: &self.tools,
                dry_run: false,
            };
            handle(&night, &self.turn, job).await
        })
    }
}

impl House {
    /// Just after midnight, so that the marks of both schedules are set before the hour that is tried.
    async fn open(store: Store, config: Config) -> Arc<Self> {
        let house = Self {
            tools: Tools::new(&config, Pace::Skip).expect("tools"),
            store,
            config,
            clock: Arc::new(FixedClock::new(utc("2026-06-01T16:05:00Z"))),
            turn: Mutex::new(()),
        };
        assert_eq!(house.tick().await, 0);
        Arc::new(house)
    }

    fn watches(&self) -> Vec<Schedule> {
        let all = configured(&self.config);
        all.into_iter().filter(|schedule| schedule.watch).collect()
    }

    async fn tick(&self) -> usize {
        tick(&self.store, &*self.clock, &account(), &self.watches())
            .await
            .expect("a tick")
            .started
            .len()
    }

    /// Ticks at an instant and does what became due.
    async fn at(self: &Arc<Self>, instant: &str) -> Vec<Ran> {
        self.clock.set(utc(instant));
        self.tick().await;
        let worker = Worker::new(
            Arc::new(self.store.clone()),
            Arc::clone(&self.clock) as Arc<dyn Clock>,
            account(),
            "watch",
            WorkerOptions::default(),
        )
        .handle(MAIL_BY, Arc::clone(self) as Arc<dyn JobHandler>);
        let (_send, mut stop) = watch::channel(false);
        let mut ran = Vec::new();
        while let Some(one) = worker.run_one(&mut stop).await.expect("the store answers") {
            ran.push(one);
        }
        ran
    }

    async fn mails(&self) -> Vec<(String, State)> {
        let mut tx = self.store.read().await.expect("a transaction");
        let mut mails: Vec<_> = outbox::list(&mut tx, &account(), None, 100)
            .await
            .expect("messages")
            .into_iter()
            .map(|message| (message.business_key, message.state))
            .collect();
        mails.sort();
        mails
    }

    /// The day's mail to one reader, in the state that an attempt left it in.
    async fn daily(&self, reader: &str, verdict: Verdict) {
        let now = self.clock.now();
        let key = format!("mail/daily/{DATE}/{reader}");
        let new = NewMessage {
            business_key: &key,
            channel: Channel::Mail,
            target: reader,
            remote_name: "daily",
            kind: "mail",
            bytes: b"daily",
            envelope: None,
            message_id: None,
            depends_on: None,
            run_after: now,
        };
        let mut tx = self.store.write().await.expect("a transaction");
        let new = outbox::enqueue(&mut tx, &account(), &new, now)
            .await
            .expect("enqueued");
        assert_eq!(new, Enqueued::New);
        let lease = Duration::seconds(60);
        let (claim, _) = outbox::claim(&mut tx, &account(), (Channel::Mail, reader), "w", now, lease)
            .await
            .expect("a claim")
            .expect("a message");
        outbox::finish(&mut tx, &claim, &verdict, now)
            .await
            .expect("finished");
        tx.commit().await.expect("a commit");
    }
}

fn verdict(state: State, error: Option<&str>) -> Verdict {
    Verdict {
        state,
        run_after: None,
        receipt: None,
        error: error.map(str::to_owned),
    }
}

/// What the sink holds for a reader, decoded far enough to be searched.
fn received(services: &Services, reader: &str) -> Vec<String> {
    let listed = control("GET", &format!("{}/messages", services.smtp_api), "");
    let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).expect("JSON");
    listed
        .iter()
        .filter(|mail| mail["rcpt_tos"][0].as_str() == Some(reader))
        .map(|mail| mail["subject"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r75_a_mail_that_nobody_got_by_its_hour_leads_to_one_alert_for_each_reader() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let name = format!("{:?}-{}", store.engine(), std::process::id()).to_lowercase();
        let house = House::open(store, config(&services, &name, dir.path())).await;
        // The night got as far as its plan, and no further.
        let date = DATE.parse().unwrap();
        let mut tx = house.store.write().await.unwrap();
        let started_at = utc("2026-06-01T22:30:00Z");
        run::start(&mut tx, &account(), "night-2026-06-02", "night", date, started_at)
            .await
            .unwrap();
        let step = StepView {
            step: "plan".to_owned(),
            state: "failed".to_owned(),
            counts: "{}".to_owned(),
            problem: Some("no space left on device".to_owned()),
            started_at,
            ended_at: None,
        };
        run::record_step(&mut tx, &account(), "night-2026-06-02", &step)
            .await
            .unwrap();
        tx.commit().await.unwrap();

        assert!(
            house.at("2026-06-02T00:59:59Z").await.is_empty(),
            "not before its hour"
        );
        assert_eq!(house.at("2026-06-02T01:00:02Z").await.len(), 1);
        let (zh, en) = (format!("zh-{name}@example.com"), format!("en-{name}@example.com"));
        let alerts = [
            (format!("mail/alert/{DATE}/{en}"), State::Sent),
            (format!("mail/alert/{DATE}/{zh}"), State::Sent),
        ];
        assert_eq!(house.mails().await, alerts);
        assert_eq!(
            received(&services, &zh),
            [format!("[告警] {DATE} 的补货日报没有按时发出 · Shop")]
        );
        let mut tx = house.store.read().await.unwrap();
        let message = outbox::find(&mut tx, &account(), &alerts[0].0)
            .await
            .unwrap()
            .unwrap();
        let raw = linkstar::store::blob::get(&mut tx, &account(), &message.sha256)
            .await
            .unwrap();
        drop(tx);
        let raw = String::from_utf8_lossy(&raw).replace("=\r\n", "");
        for said in [
            "had reached none of its readers",
            "plan",
            "no space left on device",
        ] {
            assert!(raw.contains(said), "{said}: {raw}");
        }
        // Again and again, also after a restart of the watch and with a clock set back: one alert.
        for instant in [
            "2026-06-02T01:00:04Z",
            "2026-06-02T05:00:00Z",
            "2026-06-02T00:30:00Z",
            "2026-06-02T01:30:00Z",
        ] {
            assert!(house.at(instant).await.is_empty());
        }
        assert_eq!(received(&services, &en).len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r75_no_alert_when_one_reader_got_it_and_one_when_all_of_it_is_stuck() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let name = format!("{:?}-stuck-{}", store.engine(), std::process::id()).to_lowercase();
        let house = House::open(store, config(&services, &name, dir.path())).await;
        let (zh, en) = (format!("zh-{name}@example.com"), format!("en-{name}@example.com"));
        house.clock.set(utc("2026-06-01T23:00:00Z"));
        // One reader's server refuses: that is for a person, and stands in the outbox.
        house
            .daily(&zh, verdict(State::Refused, Some("550 no such user")))
            .await;
        house.daily(&en, verdict(State::Sent, None)).await;
        assert_eq!(house.at("2026-06-02T01:00:02Z").await.len(), 1);
        assert_eq!(house.mails().await.len(), 2, "no alert");

        // The next day nobody got it: what is doubtful is not delivered.
        house.clock.set(utc("2026-06-02T23:00:00Z"));
        assert_eq!(house.at("2026-06-03T01:00:02Z").await.len(), 1);
        let alerts = house
            .mails()
            .await
            .into_iter()
            .filter(|(key, state)| key.starts_with("mail/alert/2026-06-03/") && *state == State::Sent);
        assert_eq!(alerts.count(), 2);
    }
}
