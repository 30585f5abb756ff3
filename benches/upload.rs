//! How fast files reach a forwarder's OpenSSH through the outbox, against the `sftp` command in the same run.
//!
//! `eval "$(tests/servers/services.sh up)"` with the variables exported, then `cargo bench --bench upload`: one file of
//! 200 MB, and 1,000 files of 20 kB, each on the loopback and behind a link with 5 ms each way. Smaller with
//! `cargo bench --bench upload -- MEGABYTES FILES`. Ours is everything from the first claim to the last result in
//! SQLite, with sync, read-back and rename; `sftp` is the whole command: start, login, `put` (or `put -f`, which syncs as
//! ours does) to a hidden name, `rename`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use chrono::DateTime;
use linkstar::clock::FixedClock;
use linkstar::delivery::{Channel, State};
use linkstar::ids::AccountId;
use linkstar::jobs::{Senders, deliver_due};
use linkstar::store::Store;
use linkstar::store::outbox::{self, NewMessage};
use linkstar::telemetry::Stopwatch;
use linkstar::transport::sftp::{Target, Tuning};

type Failed = Box<dyn std::error::Error>;

const ROUNDS: usize = 3;
const SMALL_BYTES: usize = 20_000;

struct Server {
    port: u16,
    user: String,
    key_file: PathBuf,
    known_hosts: PathBuf,
    tree: PathBuf,
    fault_api: String,
}

fn variable(name: &str) -> Result<String, Failed> {
    std::env::var(name).map_err(|_| format!("{name} is not set: start tests/servers/services.sh").into())
}

impl Server {
    fn read() -> Result<Self, Failed> {
        let url = variable("SFTP_URL")?;
        let odd = || format!("SFTP_URL {url}");
        let rest = url.strip_prefix("sftp://").ok_or_else(odd)?;
        let (login, place) = rest.split_once('@').ok_or_else(odd)?;
        let port = place
            .split('/')
            .next()
            .and_then(|place| place.rsplit_once(':'))
            .and_then(|(_, port)| port.parse().ok())
            .ok_or_else(odd)?;
        Ok(Self {
            port,
            user: login.split(':').next().unwrap_or_default().to_owned(),
            key_file: variable("SFTP_KEY")?.into(),
            known_hosts: variable("SFTP_KNOWN_HOSTS")?.into(),
            tree: variable("SFTP_TREE")?.into(),
            fault_api: variable("FAULT_API_URL")?,
        })
    }

    /// The same server behind a link that delays each direction.
    fn behind(&self, delay_ms: u32, dir: &Path) -> Result<Self, Failed> {
        let name = format!("upload-{}", std::process::id());
        let made = control(
            &format!("{}/proxies", self.fault_api),
            &format!(
                r#"{{"name":"{name}","listen":"127.0.0.1:0","upstream":"127.0.0.1:{}"}}"#,
                self.port
            ),
        )?;
        let made: serde_json::Value = serde_json::from_str(&made)?;
        let port = made["listen"]
            .as_str()
            .and_then(|listen| listen.rsplit_once(':'))
            .and_then(|(_, port)| port.parse().ok())
            .ok_or("the proxy says no port")?;
        for stream in ["upstream", "downstream"] {
            control(
                &format!("{}/proxies/{name}/toxics", self.fault_api),
                &format!(
                    r#"{{"name":"{stream}","type":"latency","stream":"{stream}","attributes":{{"latency":{delay_ms}}}}}"#
                ),
            )?;
        }
        let text = std::fs::read_to_string(&self.known_hosts)?;
        let key = text.split_once(' ').ok_or("known_hosts has no key")?.1;
        let known_hosts = dir.join("known_hosts");
        std::fs::write(&known_hosts, format!("[127.0.0.1]:{port} {key}"))?;
        Ok(Self {
            port,
            user: self.user.clone(),
            key_file: self.key_file.clone(),
            known_hosts,
            tree: self.tree.clone(),
            fault_api: self.fault_api.clone(),
        })
    }

    /// A fresh folder that the SFTP user may write.
    fn folder(&self, name: &str) -> Result<(String, PathBuf), Failed> {
        use std::os::unix::fs::PermissionsExt as _;
        let remote = format!("in/bench-{}-{name}", std::process::id());
        let local = self.tree.join(&remote);
        let _ = std::fs::remove_dir_all(&local);
        std::fs::create_dir_all(&local)?;
        std::fs::set_permissions(&local, std::fs::Permissions::from_mode(0o777))?;
        Ok((remote, local))
    }

    /// Seconds the `sftp` command takes for the files of a folder, by `put` or by `put -f`, which syncs.
    fn by_sftp(&self, put: &str, files: &Path, names: &[String], remote: &str) -> Result<f64, Failed> {
        use std::fmt::Write as _;
        let mut batch = String::new();
        for name in names {
            writeln!(batch, "{put} {}/{name} {remote}/.{name}.part", files.display())?;
            writeln!(batch, "rename {remote}/.{name}.part {remote}/{name}")?;
        }
        let script = files.join("batch");
        std::fs::write(&script, batch)?;
        let watch = Stopwatch::start();
        let status = Command::new("sftp")
            .args(["-q", "-F", "/dev/null", "-b"])
            .arg(&script)
            .args(["-P", &self.port.to_string(), "-i"])
            .arg(&self.key_file)
            .args(["-o", "IdentitiesOnly=yes", "-o"])
            .arg(format!("UserKnownHostsFile={}", self.known_hosts.display()))
            .arg(format!("{}@127.0.0.1", self.user))
            .stdout(Stdio::null())
            .status()?;
        let took = watch.elapsed().as_secs_f64();
        std::fs::remove_file(&script)?;
        if status.success() {
            Ok(took)
        } else {
            Err("sftp failed".into())
        }
    }

    /// Seconds the outbox takes for the same files.
    async fn by_outbox(&self, files: &Path, names: &[String], remote: &str) -> Result<f64, Failed> {
        let dir = tempfile::tempdir()?;
        let store = Store::open(&format!("sqlite:{}", dir.path().join("linkstar.db").display())).await?;
        let account = AccountId::new("main").map_err(|error| error.to_string())?;
        let now = DateTime::from_timestamp(1_795_000_000, 0).ok_or("an instant")?;
        let mut tx = store.write().await?;
        for name in names {
            let bytes = std::fs::read(files.join(name))?;
            let new = NewMessage {
                business_key: name,
                channel: Channel::Sftp,
                target: "huatuo",
                remote_name: name,
                kind: "document",
                bytes: &bytes,
                envelope: None,
                message_id: None,
                depends_on: None,
                run_after: now,
            };
            let _ = outbox::enqueue(&mut tx, &account, &new, now).await?;
        }
        tx.commit().await?;
        let target = Target {
            id: "huatuo".to_owned(),
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: self.user.clone(),
            key_file: self.key_file.clone(),
            known_hosts: self.known_hosts.clone(),
            out_dir: remote.to_owned(),
            in_dir: None,
            connect_timeout: Duration::from_secs(20),
            idle_timeout: Duration::from_secs(60),
            settle: Duration::from_secs(1),
            tuning: Tuning::default(),
        };
        let senders = Senders {
            sftp: std::slice::from_ref(&target),
            ..Senders::default()
        };
        let clock = FixedClock::new(now);
        let watch = Stopwatch::start();
        let report = deliver_due(&store, &clock, &account, &senders, "bench").await?;
        let took = watch.elapsed().as_secs_f64();
        if report.count(State::Sent) == names.len() {
            Ok(took)
        } else {
            Err(format!("{} of {} sent", report.count(State::Sent), names.len()).into())
        }
    }
}

fn control(url: &str, body: &str) -> Result<String, Failed> {
    let out = Command::new("curl")
        .args(["-sS", "-f", "-m", "10", "-X", "POST", url, "-d", body])
        .output()?;
    if out.status.success() {
        Ok(String::from_utf8(out.stdout)?)
    } else {
        Err(format!("{url}: {}", String::from_utf8_lossy(&out.stderr)).into())
    }
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}

/// Both ways in turn, `rounds` times; the best of each counts, because neighbours only ever slow down.
async fn compare(
    what: &str,
    server: &Server,
    (count, size): (usize, usize),
    rounds: usize,
) -> Result<(), Failed> {
    let files = tempfile::tempdir()?;
    let mut names = Vec::with_capacity(count);
    for number in 0..count {
        let name = format!("SO-{number:05}.xml");
        let seed = u64::try_from(number + 1)?;
        std::fs::write(files.path().join(&name), noise(seed, size))?;
        names.push(name);
    }
    let (mut theirs, mut synced, mut ours) = (f64::MAX, f64::MAX, f64::MAX);
    for _ in 0..rounds {
        for (put, best) in [("put", &mut theirs), ("put -f", &mut synced)] {
            let (remote, local) = server.folder("sftp")?;
            *best = best.min(server.by_sftp(put, files.path(), &names, &remote)?);
            std::fs::remove_dir_all(local)?;
        }
        let (remote, local) = server.folder("outbox")?;
        ours = ours.min(server.by_outbox(files.path(), &names, &remote).await?);
        for name in &names {
            if std::fs::read(local.join(name))? != std::fs::read(files.path().join(name))? {
                return Err(format!("{name} arrived with other bytes").into());
            }
        }
        std::fs::remove_dir_all(local)?;
    }
    println!(
        "{what:<44} put {theirs:>8.3} s   put -f {synced:>8.3} s   outbox {ours:>8.3} s   ratio {:>6.2}, synced {:>6.2}",
        theirs / ours,
        synced / ours
    );
    Ok(())
}

fn main() -> Result<(), Failed> {
    let mut sizes = std::env::args()
        .skip(1)
        .filter_map(|argument| argument.parse().ok());
    let megabytes: usize = sizes.next().unwrap_or(200);
    let files: usize = sizes.next().unwrap_or(1_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::read()?;
        let dir = tempfile::tempdir()?;
        let large = (1, megabytes * 1_000_000);
        let small = (files, SMALL_BYTES);
        compare(
            &format!("1 file of {megabytes} MB, loopback"),
            &server,
            large,
            ROUNDS,
        )
        .await?;
        compare(
            &format!("{files} files of 20 kB, loopback"),
            &server,
            small,
            ROUNDS,
        )
        .await?;
        let far = server.behind(5, dir.path())?;
        compare(
            &format!("{files} files of 20 kB, 10 ms there and back"),
            &far,
            small,
            1,
        )
        .await
    })
}
