//! The real servers that tests/servers/services.sh starts, found through the variables it prints.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use linkstar::store::Store;
use linkstar::transport::sftp::{Target, Tuning};
use sqlx::Connection as _;

/// Where the servers listen and what opens them.
#[derive(Debug, Clone)]
pub struct Services {
    pub database_url: String,
    pub sftp: SftpServer,
    /// The same server behind the fault proxy.
    pub fault_sftp: SftpServer,
    /// Control of the fault proxy: `FAULT_API_URL`.
    pub fault_api: String,
    /// `smtp://user:password@host:port`, STARTTLS and AUTH required.
    pub smtp_url: String,
    pub fault_smtp_url: String,
    /// `smtps://…` of the same sink: TLS from the first byte.
    pub smtps_url: String,
    /// What the SMTP sink stored, and its faults.
    pub smtp_api: String,
    /// Certificate that the SMTP sink and PostgreSQL present.
    pub tls_ca: PathBuf,
}

#[derive(Debug, Clone)]
pub struct SftpServer {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub key_file: PathBuf,
    pub known_hosts: PathBuf,
    /// The server's tree on this machine: `in`, `out`, `ro` (not writable), `small` (1 MiB).
    pub tree: PathBuf,
}

const REQUIRED: &str = "LINKSTAR_REQUIRE_SERVICES";

/// The servers, or `None` with the reason printed. With `LINKSTAR_REQUIRE_SERVICES=1` a missing one is a failure.
pub fn services() -> Option<Services> {
    static FOUND: OnceLock<Result<Services, String>> = OnceLock::new();
    match FOUND.get_or_init(read) {
        Ok(services) => Some(services.clone()),
        Err(reason) => {
            missing(reason);
            None
        }
    }
}

/// Says that a server or program is not there and a test is skipped; fails where everything is required.
pub fn missing(reason: &str) {
    assert!(
        std::env::var(REQUIRED).as_deref() != Ok("1"),
        "{REQUIRED}=1, but {reason}"
    );
    println!("skipped: {reason}; tests/run.sh installs and starts everything");
}

/// True when the program is found on the PATH; otherwise see [`missing`].
pub fn has(program: &str, package: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|paths| std::env::split_paths(&paths).any(|folder| folder.join(program).is_file()));
    if !found {
        missing(&format!(
            "`{program}` is not installed (Debian package {package})"
        ));
    }
    found
}

/// SQLite in memory always, and the PostgreSQL of [`services`]. It is shared: a test commits nothing there, or
/// works in an account of its own.
pub async fn stores() -> Vec<Store> {
    let mut stores = vec![Store::open("sqlite::memory:").await.expect("a store in memory")];
    if let Some(services) = services() {
        stores.push(
            Store::open(&services.database_url)
                .await
                .expect("PostgreSQL opens"),
        );
    }
    stores
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("{name} is not set"))
}

fn read() -> Result<Services, String> {
    Ok(Services {
        database_url: variable("DATABASE_URL")?,
        sftp: sftp_server("SFTP_URL")?,
        fault_sftp: sftp_server("FAULT_SFTP_URL")?,
        fault_api: variable("FAULT_API_URL")?,
        smtp_url: variable("SMTP_URL")?,
        fault_smtp_url: variable("FAULT_SMTP_URL")?,
        smtps_url: variable("SMTPS_URL")?,
        smtp_api: variable("SMTP_API_URL")?,
        tls_ca: variable("TLS_CA")?.into(),
    })
}

fn sftp_server(name: &str) -> Result<SftpServer, String> {
    let url = variable(name)?;
    let odd = || format!("{name} is not sftp://user[:password]@host:port/…");
    let rest = url.strip_prefix("sftp://").ok_or_else(odd)?;
    let (login, place) = rest.split_once('@').ok_or_else(odd)?;
    let authority = place.split('/').next().unwrap_or_default();
    let (host, port) = authority.split_once(':').ok_or_else(odd)?;
    Ok(SftpServer {
        host: host.to_owned(),
        port: port.parse().map_err(|_| odd())?,
        user: login.split(':').next().unwrap_or_default().to_owned(),
        key_file: variable("SFTP_KEY")?.into(),
        known_hosts: variable("SFTP_KNOWN_HOSTS")?.into(),
        tree: variable("SFTP_TREE")?.into(),
    })
}

impl SftpServer {
    /// A target below `in`, in a folder of its own, so that tests do not meet.
    pub fn target(&self, id: &str) -> Target {
        let folder = format!("{id}-{}-{}", std::process::id(), unique());
        let local = self.tree.join("in").join(&folder);
        std::fs::create_dir_all(&local).expect("the server's tree is writable");
        open_for_all(&local);
        self.target_in(id, &format!("in/{folder}"))
    }

    pub fn target_in(&self, id: &str, out_dir: &str) -> Target {
        Target {
            id: id.to_owned(),
            host: self.host.clone(),
            port: self.port,
            user: self.user.clone(),
            key_file: self.key_file.clone(),
            known_hosts: self.known_hosts.clone(),
            out_dir: out_dir.to_owned(),
            in_dir: None,
            connect_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(10),
            settle: Duration::from_millis(200),
            tuning: Tuning::default(),
        }
    }

    /// Where a folder of the server lies on this machine.
    pub fn local(&self, folder: &str) -> PathBuf {
        self.tree.join(folder)
    }

    /// A known-hosts file for another address of the same server, such as the fault proxy.
    pub fn known_hosts_for(&self, port: u16, dir: &std::path::Path) -> PathBuf {
        let text = std::fs::read_to_string(&self.known_hosts).expect("known_hosts is readable");
        let key = text.split_once(' ').expect("a host and its key").1;
        let file = dir.join(format!("known_hosts-{port}"));
        std::fs::write(&file, format!("[127.0.0.1]:{port} {key}")).expect("known_hosts is written");
        file
    }
}

/// The SFTP user of the server is not the user that runs the tests.
pub fn open_for_all(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).expect("mode is set");
}

pub fn unique() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An empty PostgreSQL database; the server's end takes it away.
pub async fn fresh_database(services: &Services) -> String {
    let (server, _) = services
        .database_url
        .rsplit_once('/')
        .expect("a database in the URL");
    let name = format!("test_{}_{}", std::process::id(), unique());
    let mut connection = sqlx::PgConnection::connect(&services.database_url)
        .await
        .expect("PostgreSQL answers");
    for statement in [
        format!("DROP DATABASE IF EXISTS {name}"),
        format!("CREATE DATABASE {name}"),
    ] {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .expect("a fresh database");
    }
    format!("{server}/{name}")
}

/// One request to a control API of the servers, by curl (which services.sh installs).
pub fn control(method: &str, url: &str, body: &str) -> String {
    let out = Command::new("curl")
        .args(["-sS", "-f", "-m", "10", "-X", method, url])
        .args((!body.is_empty()).then_some("-d"))
        .args((!body.is_empty()).then_some(body))
        .output()
        .expect("curl runs");
    assert!(
        out.status.success(),
        "{method} {url}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn services_are_found_or_the_reason_is_printed() {
    if let Some(services) = services() {
        assert_ne!(services.sftp.port, services.fault_sftp.port);
        assert!(services.sftp.key_file.exists() && services.tls_ca.exists());
        assert!(!services.smtp_url.is_empty() && !services.smtp_api.is_empty());
        assert!(services.fault_smtp_url.starts_with("smtp://"));
    }
}
