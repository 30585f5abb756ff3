//! A second morning that can be run again and again: an answer waits in the inbox, a report at the forwarder, and the
//! forwarder and the mail server are real ones behind a fault proxy.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Instant;

use linkstar::ids::AccountId;
use linkstar::store::plans;
use sqlx::Connection as _;
use toml::Value;

use crate::night::shop::{Ran, Shop, copy_tree, files, morning, run};
use crate::night::state::{State, assert_same, dump, state};
use crate::services::{Services, control, fresh_database, open_for_all, unique};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// What one night left behind, inside and outside.
pub struct Left {
    pub state: State,
    pub dropped: BTreeMap<String, Vec<u8>>,
    /// Arrived mails by `Message-ID`.
    pub mails: BTreeMap<String, usize>,
    /// What the steps of the nights complained of: shown where a state differs.
    pub problems: Vec<String>,
}

pub struct Stage {
    pub shop: Shop,
    pub services: Services,
    /// The home folder as it was before the night.
    before: PathBuf,
    /// The database, and a copy of it from before the night.
    database: Option<(String, String)>,
    /// Where databases are made.
    server: String,
    /// The forwarder's folder on this machine, with `in` and `out`.
    folder: PathBuf,
    readers: Vec<String>,
    proxies: [Proxy; 2],
    pub at: String,
}

/// A proxy of its own in front of a server.
struct Proxy {
    url: String,
    port: u16,
}

impl Proxy {
    fn new(services: &Services, upstream: u16) -> Self {
        let name = format!("fleet-{}-{}", std::process::id(), unique());
        let body = format!(r#"{{"name":"{name}","listen":"127.0.0.1:0","upstream":"127.0.0.1:{upstream}"}}"#);
        let made = control("POST", &format!("{}/proxies", services.fault_api), &body);
        let made: serde_json::Value = serde_json::from_str(&made).expect("JSON");
        let listen = made["listen"].as_str().expect("an address");
        Self {
            url: format!("{}/proxies/{name}", services.fault_api),
            port: port_of(listen),
        }
    }

    /// Every connection is reset when so many bytes have gone through.
    fn reset_after(&self, bytes: u32) {
        let body = format!(
            r#"{{"name":"fault","type":"reset_after","stream":"upstream","attributes":{{"bytes":{bytes}}}}}"#
        );
        control("POST", &format!("{}/toxics", self.url), &body);
    }

    fn heal(&self) {
        control("DELETE", &format!("{}/toxics/fault", self.url), "");
    }
}

fn port_of(place: &str) -> u16 {
    place
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok())
        .expect("a port")
}

/// `smtp://user:password@host:port`
fn login(url: &str) -> (&str, &str, u16) {
    let rest = url.split_once("://").expect("a scheme").1;
    let (login, place) = rest.rsplit_once('@').expect("a login");
    let (user, password) = login.split_once(':').expect("a password");
    (user, password, port_of(place))
}

fn table<'v>(value: &'v mut Value, key: &str) -> &'v mut toml::Table {
    value
        .get_mut(key)
        .and_then(Value::as_table_mut)
        .expect("a section of the configuration")
}

impl Stage {
    pub async fn new(services: &Services, engine: Engine) -> Self {
        let url = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(fresh_database(services).await),
        };
        Self::on(services, url, &services.database_url).await
    }

    /// On a database of a server that need not be the services' own.
    pub async fn on(services: &Services, url: Option<String>, server: &str) -> Self {
        let shop = Shop::with_store(7, url.as_deref()).await;
        shop.night(0).await;
        shop.answer();
        let opening = shop.world.opening_files().open_shipments;
        let row: Vec<&str> = opening
            .lines()
            .nth(1)
            .expect("a shipment under way")
            .split(',')
            .collect();
        let report = format!(
            "reference,carton,sku,kind,units,at\n{},,{},received,3,2026-05-04T12:00:00+01:00\n",
            row[0], row[5]
        );
        shop.advance(morning(1));
        let number = format!("fleet-{}-{}", std::process::id(), unique());
        let folder = services.sftp.tree.join("in").join(&number);
        for inner in ["in", "out"] {
            fs::create_dir_all(folder.join(inner)).expect("the server's tree is writable");
            open_for_all(&folder.join(inner));
        }
        open_for_all(&folder);
        fs::write(folder.join("out/receipt-by-hand.csv"), report).expect("a report");
        let readers: Vec<String> = ["ops", "buyer"]
            .iter()
            .map(|reader| format!("{reader}.{number}@lanting.example"))
            .collect();
        let (_, _, smtp_port) = login(&services.smtp_url);
        let proxies = [
            Proxy::new(services, services.sftp.port),
            Proxy::new(services, smtp_port),
        ];
        let mut stage = Self {
            before: shop.folder.path().join("before"),
            at: morning(1).to_rfc3339(),
            services: services.clone(),
            database: None,
            server: server.to_owned(),
            folder,
            readers,
            proxies,
            shop,
        };
        stage.point_at_the_real_servers(&number);
        copy_tree(&stage.shop.home, &stage.before);
        if let Some(url) = url {
            let copy = format!("{url}_before");
            recreate(server, &copy, Some(&url)).await;
            stage.database = Some((url, copy));
        }
        stage
    }

    fn point_at_the_real_servers(&self, number: &str) {
        let [sftp, smtp] = &self.proxies;
        let text = fs::read_to_string(&self.shop.config_file).expect("a configuration");
        let mut config: Value = toml::from_str(&text).expect("TOML");
        let (user, password, _) = login(&self.services.smtp_url);
        fs::write(self.shop.home.join("secrets/smtp_password"), password).expect("a secret");
        let mail = table(&mut config, "mail");
        mail.insert("host".to_owned(), "127.0.0.1".into());
        mail.insert("port".to_owned(), i64::from(smtp.port).into());
        mail.insert("user".to_owned(), user.into());
        mail.insert(
            "ca_file".to_owned(),
            self.services.tls_ca.display().to_string().into(),
        );
        let recipients = mail.get_mut("recipients").and_then(Value::as_array_mut);
        for (recipient, address) in recipients.expect("recipients").iter_mut().zip(&self.readers) {
            recipient
                .as_table_mut()
                .expect("a recipient")
                .insert("address".to_owned(), address.as_str().into());
        }
        let known = self
            .services
            .sftp
            .known_hosts_for(sftp.port, self.shop.folder.path());
        let forwarder = config
            .get_mut("forwarder")
            .and_then(|all| all.get_mut(0))
            .expect("a forwarder");
        let section = table(forwarder, "sftp");
        for (key, value) in [
            ("host", "127.0.0.1".to_owned()),
            ("user", self.services.sftp.user.clone()),
            ("key_file", self.services.sftp.key_file.display().to_string()),
            ("known_hosts", known.display().to_string()),
            ("out_dir", format!("in/{number}/in")),
            ("in_dir", format!("in/{number}/out")),
        ] {
            section.insert(key.to_owned(), value.into());
        }
        section.insert("port".to_owned(), i64::from(sftp.port).into());
        let text = toml::to_string(&config).expect("TOML");
        fs::write(&self.shop.config_file, text).expect("a configuration");
    }

    /// Everything as it was before the night.
    pub async fn restore(&self) {
        fs::remove_dir_all(&self.shop.home).expect("the home goes");
        copy_tree(&self.before, &self.shop.home);
        let drop = self.folder.join("in");
        for name in files(&drop).keys() {
            fs::remove_file(drop.join(name)).expect("the drop is emptied");
        }
        if let Some((url, copy)) = &self.database {
            recreate(&self.server, url, Some(copy)).await;
        }
    }

    pub fn night(&self) {
        self.ends_well(&["night", "--at", &self.at]);
    }

    pub fn ends_well(&self, args: &[&str]) {
        let ran = self.shop.linkstar(args);
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:?}");
    }

    /// The night, dead at a commit boundary; how it ended.
    pub fn night_aborted_at(&self, boundary: u64) -> Ran {
        let mut command = self.shop.command(&["night", "--at", &self.at]);
        command.env("LINKSTAR_ABORT_AT_COMMIT", boundary.to_string());
        run(&mut command)
    }

    /// A daemon whose clock starts where this morning's would stand now. What it says goes beside its home.
    pub fn daemon(&self, name: &str, role: &str, started: Instant) -> Child {
        let at = morning(1) + started.elapsed();
        let log = self.shop.folder.path().join(format!("{name}.log"));
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log");
        self.shop
            .command(&["run", "--role", role, "--at", &at.to_rfc3339()])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary starts")
    }

    /// So many bytes into each connection to the forwarder, it breaks.
    pub fn break_uploads_after(&self, bytes: u32) {
        self.proxies[0].reset_after(bytes);
    }

    pub fn mend_uploads(&self) {
        self.proxies[0].heal();
    }

    /// The next mail to the reader is stored, and the answer is lost.
    pub fn lose_the_answer_to(&self, reader: usize) {
        let fault =
            serde_json::json!({"stage": "after_store", "match": self.readers[reader], "action": "drop"});
        control(
            "POST",
            &format!("{}/faults", self.services.smtp_api),
            &fault.to_string(),
        );
    }

    /// Every mail is answered again. A sender that is killed before its mail was through leaves the lost answer to the
    /// next night, which must not be taken for undisturbed.
    pub fn answer_every_mail(&self) {
        for reader in &self.readers {
            let place = reader.replace('@', "%40");
            control(
                "DELETE",
                &format!("{}/faults/{place}", self.services.smtp_api),
                "",
            );
        }
    }

    /// Ids of the mails that are there now.
    pub fn mails(&self) -> BTreeSet<String> {
        let all = control("GET", &format!("{}/messages", self.services.smtp_api), "");
        let all: Vec<serde_json::Value> = serde_json::from_str(&all).expect("a list");
        all.iter()
            .filter(|mail| {
                self.readers
                    .iter()
                    .any(|reader| mail["rcpt_tos"] == serde_json::json!([reader]))
            })
            .map(|mail| mail["id"].to_string().trim_matches('"').to_owned())
            .collect()
    }

    pub async fn left(&self, mails_before: &BTreeSet<String>) -> Left {
        let store = self.shop.store().await;
        let state = state(&store).await;
        let problems = dump(&store, "run_step", "run_id step problem").await;
        store.close().await;
        let mut mails = BTreeMap::new();
        for id in self.mails().difference(mails_before) {
            let raw = control(
                "GET",
                &format!("{}/messages/{id}.eml", self.services.smtp_api),
                "",
            );
            let id = raw
                .lines()
                .find_map(|line| line.strip_prefix("Message-ID: "))
                .expect("a Message-ID");
            *mails.entry(id.trim().to_owned()).or_default() += 1;
        }
        Left {
            state,
            dropped: files(&self.folder.join("in")),
            mails,
            problems,
        }
    }

    /// As [`Stage::left`], without what says when it was written: the daemons' clocks go on. A plan is then known by its
    /// number and its lines.
    pub async fn left_at_any_hour(&self, mails_before: &BTreeSet<String>) -> Left {
        let mut left = self.left(mails_before).await;
        let store = self.shop.store().await;
        let mut tx = store.read().await.expect("the store reads");
        let account = AccountId::new("main").expect("an id");
        let plan = plans::latest(&mut tx, &account)
            .await
            .expect("the store reads")
            .expect("a plan");
        drop(tx);
        store.close().await;
        let mut lines: Vec<String> = plan
            .lines
            .iter()
            .map(|line| {
                format!(
                    "{} | {} | {:?} | {:?} | {:?}",
                    line.warehouse, line.sku, line.suggested_units, line.mode, line.data
                )
            })
            .collect();
        lines.sort();
        for (table, rows) in &mut left.state {
            for row in rows.iter_mut() {
                *row = row.replace(plan.id.as_str(), "the newest plan");
                // Columns of hashes and instants, counted from the end.
                let blank: &[usize] = match *table {
                    "plan" if row.starts_with("the newest plan") => &[2, 3],
                    "stock_snapshot" => &[3],
                    "outbox" if row.contains(" | mail | ") => &[3, 4],
                    _ => &[],
                };
                let mut parts: Vec<&str> = row.split(" | ").collect();
                let count = parts.len();
                for place in blank {
                    parts[count - place] = "…";
                }
                *row = parts.join(" | ");
            }
            rows.sort();
        }
        left.state.insert("lines of the newest plan", lines);
        left
    }

    /// Whether a night was run to its end and nothing waits to be sent.
    pub async fn is_over(&self) -> bool {
        let store = self.shop.store().await;
        let runs = dump(&store, "run", "run_id state").await;
        let waiting = dump(&store, "outbox", "state").await;
        store.close().await;
        runs.iter()
            .any(|run| run.starts_with("night-2026-05-05 | ") && !run.ends_with("running"))
            && !waiting.iter().any(|state| state == "due" || state == "leased")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        for proxy in &self.proxies {
            control("DELETE", &proxy.url, "");
        }
    }
}

/// The last part of a URL.
fn name_of(url: &str) -> &str {
    url.rsplit_once('/').expect("a database in the URL").1
}

/// Drops the database and makes it again as a copy of another.
async fn recreate(server: &str, url: &str, like: Option<&str>) {
    let mut connection = sqlx::PgConnection::connect(server)
        .await
        .expect("PostgreSQL answers");
    let name = name_of(url);
    let template = like.map_or(String::new(), |like| format!(" TEMPLATE {}", name_of(like)));
    for statement in [
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        format!("CREATE DATABASE {name}{template}"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .expect("a fresh database");
    }
    connection.close().await.expect("an end");
}

/// Puts the doubtful mails aside and says which they were; a mail cannot be asked for.
pub fn take_doubtful(state: &mut State) -> Vec<String> {
    let outbox = state.get_mut("outbox").expect("the outbox");
    let mut doubtful = Vec::new();
    for row in outbox.iter_mut() {
        if let Some(head) = row.strip_suffix(" | doubtful") {
            assert!(row.contains(" | mail | "), "only a mail may be doubtful: {row}");
            doubtful.push(head.rsplit(" | ").next().unwrap_or_default().to_owned());
            *row = format!("{head} | sent");
        }
    }
    doubtful
}

/// Where the other side was made to fail, the step that sends says so, and with it the run.
pub fn excuse_the_delivery(left: &mut Left) {
    for table in ["run", "run_step"] {
        for row in left.state.get_mut(table).expect("runs") {
            let head = row.strip_suffix(" | partial").map(str::to_owned);
            if let Some(head) = head.filter(|head| table == "run" || head.ends_with(" | deliver")) {
                *row = format!("{head} | done");
            }
        }
    }
}

/// No file lost, doubled or partial; no mail lost, and at most one of each; the same state.
pub fn assert_as_undisturbed(calm: &Left, mut left: Left, what: &str) -> usize {
    let doubtful = take_doubtful(&mut left.state);
    assert_same(
        &calm.state,
        &left.state,
        &format!("{what}; problems {:#?}", left.problems),
    );
    assert_eq!(
        calm.dropped.keys().collect::<Vec<_>>(),
        left.dropped.keys().collect::<Vec<_>>(),
        "{what}: each file once, nothing left over"
    );
    assert!(calm.dropped == left.dropped, "{what}: a file has other bytes");
    for id in calm.mails.keys() {
        let arrived = left.mails.get(id).copied().unwrap_or(0);
        if doubtful.contains(id) {
            assert!(
                arrived <= 1,
                "{what}: a doubtful mail is not sent again by itself"
            );
        } else {
            assert_eq!(arrived, 1, "{what}: {id}");
        }
    }
    assert!(
        left.mails.keys().all(|id| calm.mails.contains_key(id)),
        "{what}: a mail nobody wrote"
    );
    doubtful.len()
}
