//! A seller with a home folder, a world around it, and the ways to run its nights.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use linkstar::cli::demo::{letters, person};
use linkstar::clock::{Clock as _, FixedClock};
use linkstar::config::{self, Config};
use linkstar::http::Pace;
use linkstar::night::{Night, NightReport, Step, StepReport, Tools};
use linkstar::simulate::shop;
use linkstar::simulate::{self, EndpointFault, FaultKind, Mail, RunningWorld, WorldOptions};
use linkstar::store::Store;
use tempfile::TempDir;

/// Short, so that a debug build pulls it in little time; long enough for a velocity.
const HISTORY_DAYS: i64 = 60;

/// 08:10 in Shanghai, so many days after Monday, 4 May 2026.
pub fn morning(day: i64) -> DateTime<Utc> {
    date(0).and_hms_opt(0, 10, 0).expect("a time").and_utc() + Duration::days(day)
}

pub fn date(day: i64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 5, 4).expect("a date") + Duration::days(day)
}

pub struct Shop {
    pub folder: TempDir,
    pub world: RunningWorld,
    pub home: PathBuf,
    pub config_file: PathBuf,
}

/// How a command of the real binary ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Shop {
    pub async fn new(seed: u64) -> Self {
        Self::with_store(seed, None).await
    }

    /// Only the URL of the store differs from [`Shop::new`].
    pub async fn with_store(seed: u64, url: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = WorldOptions::new(folder.path().join("world"), seed, morning(0));
        options.history_days = HISTORY_DAYS;
        let world = simulate::start(options).await.expect("a world");
        let home = folder.path().join("home");
        let config_file =
            shop::write(&home, world.endpoints(), &world.opening_files(), url).expect("a home folder");
        let text = fs::read_to_string(&config_file).expect("a configuration");
        fs::write(
            &config_file,
            format!("{text}\n[log]\nlevel = \"warn,linkstar=error\"\n"),
        )
        .expect("a configuration");
        let shop = Self {
            folder,
            world,
            home,
            config_file,
        };
        let catalog = shop.home.join("catalog").display().to_string();
        let imported = shop.linkstar(&["catalog", "import", &catalog, "--effective", "2025-01-01"]);
        assert_eq!(imported.code, Some(0), "{imported:?}");
        shop
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_linkstar"));
        command
            .arg("--config")
            .arg(&self.config_file)
            .args(args)
            .stdin(Stdio::null())
            .current_dir(&self.home);
        command
    }

    /// The real binary, to its end. The world goes on serving meanwhile.
    pub fn linkstar(&self, args: &[&str]) -> Ran {
        run(&mut self.command(args))
    }

    /// A draft by sea to the third-party warehouse, of lines such as `GLS-84755=144`.
    pub fn draft(&self, lines: &[&str]) -> Ran {
        let at = morning(0).to_rfc3339();
        let mut args = vec![
            "--lang",
            "en",
            "order",
            "new",
            "--to",
            "goodcang:UKMA",
            "--mode",
            "sea",
        ];
        for line in lines {
            args.extend(["--line", line]);
        }
        args.extend(["--json", "--at", &at]);
        self.linkstar(&args)
    }

    /// The number of such a draft.
    pub fn drafted(&self, lines: &[&str]) -> String {
        let ran = self.draft(lines);
        assert!(ran.out.trim_start().starts_with('{'), "no JSON: {ran:?}");
        let said: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
        said["order"].as_str().expect("a number").to_owned()
    }

    /// The number of such an order, issued the same morning.
    pub fn issued(&self, lines: &[&str]) -> String {
        let number = self.drafted(lines);
        let at = morning(0).to_rfc3339();
        let done = self.linkstar(&["--lang", "en", "order", "issue", &number, "--at", &at]);
        assert_eq!(done.code, Some(0), "{done:?}");
        number
    }

    pub fn spawn(&self, args: &[&str]) -> Child {
        self.command(args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts")
    }

    pub fn config(&self) -> Config {
        config::load(&self.config_file).expect("a sound configuration")
    }

    pub fn edit_config(&self, from: &str, to: &str) {
        let text = fs::read_to_string(&self.config_file).expect("a configuration");
        assert!(text.contains(from), "`{from}` is not in the configuration");
        fs::write(&self.config_file, text.replacen(from, to, 1)).expect("a configuration");
    }

    pub async fn store(&self) -> Store {
        Store::open(&self.config().store_url())
            .await
            .expect("the store opens")
    }

    pub async fn open(&self, at: DateTime<Utc>) -> Opened {
        let config = self.config();
        Opened {
            tools: Tools::new(&config, Pace::Skip).expect("tools"),
            store: Store::open(&config.store_url()).await.expect("the store opens"),
            clock: Arc::new(FixedClock::new(at)),
            config,
        }
    }

    /// One night in this process.
    pub async fn night(&self, day: i64) -> NightReport {
        let opened = self.open(morning(day)).await;
        let report = opened.night(false).run(date(day)).await.expect("the store works");
        opened.store.close().await;
        report
    }

    pub async fn deliver(&self, at: DateTime<Utc>) -> StepReport {
        let opened = self.open(at).await;
        let report = opened.night(false).deliver().await;
        opened.store.close().await;
        report
    }

    pub fn advance(&self, to: DateTime<Utc>) -> simulate::Advance {
        tokio::task::block_in_place(|| self.world.advance_to(to)).expect("the world moves")
    }

    pub fn fault(&self, endpoint: &str, fault: FaultKind, times: Option<u32>) {
        self.world.fault(EndpointFault {
            endpoint: endpoint.to_owned(),
            fault,
            times,
        });
    }

    /// The newest mail to 运营.
    pub fn last_mail(&self) -> Mail {
        self.mails_to("ops@").pop().expect("a mail")
    }

    pub fn mails_to(&self, reader: &str) -> Vec<Mail> {
        let mut mails = self.world.inbox();
        mails.retain(|mail| mail.to.iter().any(|to| to.starts_with(reader)));
        mails
    }

    /// The page of a mail, as a reader sees it.
    pub fn page(mail: &Mail) -> String {
        let bytes = fs::read(&mail.file).expect("a readable mail");
        letters::page(&letters::parts(&bytes)).expect("a page")
    }

    pub fn inbox(&self) -> PathBuf {
        self.home.join("inbox")
    }

    /// 运营 answers the newest mail.
    pub fn answer(&self) -> person::Answered {
        let answered = person::answer(&self.last_mail(), &self.inbox()).expect("an answer");
        assert!(answered.adopted > 0, "nothing was suggested: {answered:?}");
        answered
    }

    /// What lies in the forwarder's folder `in`, by name, hidden names included.
    pub fn dropped(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.world.endpoints().sftp_folder.join("in"))
    }
}

/// A shop that is open: what the command line would hold.
pub struct Opened {
    pub config: Config,
    pub store: Store,
    pub tools: Tools,
    pub clock: Arc<FixedClock>,
}

impl Opened {
    pub fn night(&self, dry_run: bool) -> Night<'_> {
        assert!(self.clock.now() >= morning(0));
        Night {
            store: &self.store,
            clock: &*self.clock,
            config: &self.config,
            tools: &self.tools,
            dry_run,
        }
    }
}

pub fn run(command: &mut Command) -> Ran {
    let output = tokio::task::block_in_place(|| command.output()).expect("the binary runs");
    Ran {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

pub fn step(report: &NightReport, wanted: Step) -> &StepReport {
    &report
        .steps
        .iter()
        .find(|(step, _)| *step == wanted)
        .expect("every step reports")
        .1
}

pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry"))
        .filter(|entry| entry.path().is_file())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("a readable file"))
        })
        .collect()
}

/// Everything below a folder, byte for byte.
pub fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
