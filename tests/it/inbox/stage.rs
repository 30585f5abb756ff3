//! A shop with one order under way, and a forwarder who leaves files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use linkstar::clock::FixedClock;
use linkstar::config::{self, Config};
use linkstar::http::Pace;
use linkstar::ids::{AccountId, OrderNo};
use linkstar::night::{Night, NightReport, Step, StepReport, Tools};
use linkstar::order::{OrderEventKind, OrderState};
use linkstar::store::inbox::{self, InboxFile};
use linkstar::store::{Store, orders};

use crate::papers::orders::order;
use crate::services::{Services, open_for_all};

pub struct Stage {
    pub home: tempfile::TempDir,
    /// Where the forwarder leaves files for us.
    pub theirs: PathBuf,
    pub config: Config,
    pub store: Store,
    pub tools: Tools,
    pub order: OrderNo,
}

const MAIL: &str = "[mail]\nhost = '127.0.0.1'\nport = 9\nuser = 'u'\npassword = '${file:password}'\nfrom = 'linkstar <r@example.test>'\n[[mail.recipients]]\naddress = 'zh@example.test'\n[[mail.recipients]]\naddress = 'en@example.test'\nlanguage = 'en'\n";

pub fn account() -> AccountId {
    AccountId::new("main").expect("an account id")
}

pub fn morning(day: i64) -> DateTime<Utc> {
    let first: DateTime<Utc> = "2026-05-03T22:30:00Z".parse().expect("an instant");
    first + Duration::days(day)
}

impl Stage {
    /// The forwarder's files lie in a folder of this machine.
    pub async fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let theirs = home.path().join("huatuo/out");
        fs::create_dir_all(&theirs).expect("a folder");
        fs::create_dir_all(home.path().join("huatuo/in")).expect("a folder");
        Self::with(home, theirs, "folder = 'huatuo'\n", None).await
    }

    /// The same on a real OpenSSH server, and the facts in PostgreSQL.
    pub async fn on_servers(services: &Services, database: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let name = format!("inbox-{}-{}", std::process::id(), crate::services::unique());
        let theirs = services.sftp.tree.join("out").join(&name);
        fs::create_dir_all(&theirs).expect("the server's tree is writable");
        open_for_all(&theirs);
        let sftp = &services.sftp;
        let section = format!(
            "[forwarder.sftp]\nhost = '{}'\nport = {}\nuser = '{}'\nkey_file = '{}'\nknown_hosts = '{}'\nout_dir = 'in'\nin_dir = 'out/{name}'\nsettle_seconds = 0\n",
            sftp.host,
            sftp.port,
            sftp.user,
            sftp.key_file.display(),
            sftp.known_hosts.display()
        );
        Self::with(home, theirs, &section, Some(database)).await
    }

    async fn with(home: tempfile::TempDir, theirs: PathBuf, way: &str, database: Option<&str>) -> Self {
        fs::create_dir_all(home.path().join("inbox")).expect("a folder");
        fs::write(home.path().join("password"), "secret").expect("a file");
        let url = database.unwrap_or("sqlite:linkstar.db");
        let text = format!(
            "[account]\nid = 'main'\nname = 'x'\nlanguage = 'en'\n[store]\nurl = '{url}'\n{MAIL}\n[[forwarder]]\nid = 'huatuo'\nname = 'Huatuo'\ndocuments = ['packing-list']\n{way}"
        );
        let file = home.path().join("linkstar.toml");
        fs::write(&file, text).expect("a configuration");
        let config = config::load(&file).expect("a sound configuration");
        let store = Store::open(&config.store_url()).await.expect("a store");
        let tools = Tools::new(&config, Pace::Skip).expect("sound files");
        let mut issued = order(7);
        issued.plan = None;
        let number = issued.number.clone();
        let mut tx = store.write().await.expect("the store answers");
        orders::create(&mut tx, &account(), &issued, issued.eta, "test", morning(-1))
            .await
            .expect("an order");
        tx.commit().await.expect("committed");
        Self {
            home,
            theirs,
            config,
            store,
            tools,
            order: number,
        }
    }

    pub fn inbox(&self) -> PathBuf {
        self.home.path().join("inbox")
    }

    pub fn they_leave(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.theirs.join(name);
        fs::write(&path, bytes).expect("written");
        open_for_all(&path);
    }

    pub fn somebody_drops(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.inbox().join(name), bytes).expect("written");
    }

    pub async fn night(&self, day: i64) -> NightReport {
        self.run(day, false).await
    }

    /// What the readers of that morning's mail are told, in Chinese and in English.
    pub async fn mails(&self, day: i64) -> (String, String) {
        self.run(day, true).await;
        let date = NaiveDate::from_ymd_opt(2026, 5, 4).expect("a date") + Duration::days(day);
        let folder = self.home.path().join("data/dry-run").join(date.to_string());
        let read = |name: &str| fs::read_to_string(folder.join(name)).expect("a preview");
        (read("zh_example_test.txt"), read("en_example_test.txt"))
    }

    async fn run(&self, day: i64, dry_run: bool) -> NightReport {
        let clock = FixedClock::new(morning(day));
        let night = Night {
            store: &self.store,
            clock: &clock,
            config: &self.config,
            tools: &self.tools,
            dry_run,
        };
        night.run(night.today()).await.expect("the store works")
    }

    pub async fn state(&self) -> OrderState {
        let mut tx = self.store.read().await.expect("the store answers");
        let stored = orders::get(&mut tx, &account(), &self.order).await.expect("read");
        stored.expect("the order").state
    }

    /// The order's events after its approval, each with who said so.
    pub async fn said(&self) -> Vec<(String, OrderEventKind)> {
        let mut tx = self.store.read().await.expect("the store answers");
        let events = orders::events(&mut tx, &account(), &self.order)
            .await
            .expect("read");
        events
            .into_iter()
            .skip(2)
            .map(|event| (event.by, event.kind))
            .collect()
    }

    pub async fn files(&self) -> Vec<InboxFile> {
        let mut tx = self.store.read().await.expect("the store answers");
        inbox::newest(&mut tx, &account(), 100).await.expect("read")
    }

    pub fn linkstar(&self, args: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_linkstar"))
            .args(args)
            .current_dir(self.home.path())
            .output()
            .expect("the binary runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }
}

pub fn receive(report: &NightReport) -> &StepReport {
    report
        .steps
        .iter()
        .find(|(step, _)| *step == Step::Receive)
        .map(|(_, report)| report)
        .expect("the step")
}

pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}
