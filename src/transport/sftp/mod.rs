//! Files to and from a forwarder over SFTP.
//!
//! The server must be recorded in `known_hosts`; an unknown key and a changed key both stop the connection, with
//! different words. Every step has a deadline of our own: an SSH peer that falls silent otherwise holds a worker for
//! ever. The upload protocol is described in `docs/delivery.md`.

mod error;
mod folder;
mod host_key;
mod inbox;
mod place;
mod probe;
mod read;
mod sync;
mod upload;

pub use error::SftpError;

use std::collections::BTreeSet;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use russh::Disconnect;
use russh::client::{self, AuthResult, Handle};
use russh::keys::{PrivateKeyWithHashAlg, load_secret_key};
use russh_sftp::client::{Config as SftpConfig, RawSftpSession};
use russh_sftp::extensions::LimitsExtension;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::delivery::Capabilities;
use host_key::{HostKeys, Verifier};
use upload::Pace;

/// A forwarder's SFTP account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Forwarder id: the target of its messages in the outbox.
    pub id: String,
    pub host: String,
    pub port: u16,
    pub user: String,
    /// Private key in OpenSSH's format, ed25519 or ECDSA, without a passphrase.
    pub key_file: PathBuf,
    /// The only host keys that are trusted.
    pub known_hosts: PathBuf,
    /// Folder that documents are dropped in.
    pub out_dir: String,
    /// Folder that receipts and confirmations are fetched from.
    pub in_dir: Option<String>,
    /// For the whole of connecting, key exchange and login.
    pub connect_timeout: Duration,
    /// For each answer afterwards.
    pub idle_timeout: Duration,
    /// Pause between the two looks at an inbound file's size.
    pub settle: Duration,
    pub tuning: Tuning,
}

/// How much at once, and what to do with what is half there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tuning {
    pub bytes_per_second: Option<u64>,
    /// Attempts, by all processes together.
    pub messages_per_minute: Option<u32>,
    /// A file of at least so many bytes goes on where an earlier attempt broke off; a smaller one starts again.
    pub resume_from: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            bytes_per_second: None,
            messages_per_minute: None,
            resume_from: 4 * 1024 * 1024,
        }
    }
}

impl Target {
    /// `sftp://user@host:port`, as shown in receipts and errors.
    #[must_use]
    pub fn address(&self) -> String {
        format!("sftp://{}@{}:{}", self.user, self.host, self.port)
    }
}

/// An open SFTP session.
pub struct Session {
    target: Target,
    ssh: Arc<Handle<Verifier>>,
    raw: RawSftpSession,
    /// What the server announced, by name.
    announced: BTreeSet<String>,
    capabilities: Capabilities,
    /// Bytes in one request.
    chunk: usize,
    pace: Arc<Pace>,
}

impl Session {
    /// Connects, checks the host key, logs in and starts SFTP.
    ///
    /// # Errors
    /// [`SftpError`] says which of these failed.
    pub async fn open(target: &Target) -> Result<Self, SftpError> {
        timeout(target.connect_timeout, connect(target))
            .await
            .unwrap_or_else(|_| {
                Err(SftpError::Silent {
                    what: format!("connecting to {}", target.address()),
                    seconds: target.connect_timeout.as_secs_f32(),
                })
            })
    }

    /// Another channel of the same connection, or `None` when the server gives no more of them. Syncs of several
    /// channels happen at once, those of one channel one after the other.
    pub async fn beside(&self) -> Option<Self> {
        let started = timeout(self.target.idle_timeout, start_sftp(&self.ssh, &self.target)).await;
        match started {
            Ok(Ok((raw, announced))) => Some(Self {
                target: self.target.clone(),
                ssh: Arc::clone(&self.ssh),
                raw,
                announced,
                capabilities: self.capabilities,
                chunk: self.chunk,
                pace: Arc::clone(&self.pace),
            }),
            Ok(Err(error)) => {
                tracing::debug!(target_id = self.target.id, %error, "no further channel");
                None
            }
            Err(_) => None,
        }
    }

    /// Whether its bytes are limited: then several channels gain nothing.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.pace.is_limited()
    }

    /// Says good-bye; a server that does not answer is left behind after the idle time.
    pub async fn close(self) {
        let farewell = async {
            let _ = self.raw.close_session();
            self.ssh.disconnect(Disconnect::ByApplication, "", "").await
        };
        if timeout(self.target.idle_timeout, farewell).await.is_err() {
            tracing::debug!(
                target_id = self.target.id,
                "sftp server did not take the good-bye"
            );
        }
    }

    /// One request under the idle deadline.
    async fn ask<T>(
        &self,
        what: &str,
        path: &str,
        request: impl Future<Output = Result<T, russh_sftp::client::error::Error>>,
    ) -> Result<T, SftpError> {
        match timeout(self.target.idle_timeout, request).await {
            Ok(answer) => answer.map_err(|error| SftpError::of_request(what, path, 0, error)),
            Err(_) => Err(self.silent(&format!("{what} `{path}`"))),
        }
    }

    fn silent(&self, what: &str) -> SftpError {
        SftpError::Silent {
            what: format!("{what} at {}", self.target.address()),
            seconds: self.target.idle_timeout.as_secs_f32(),
        }
    }
}

async fn connect(target: &Target) -> Result<Session, SftpError> {
    let address = target.address();
    let keys = HostKeys::read(&target.known_hosts, &target.host, target.port)?;
    let key = load_secret_key(&target.key_file, None).map_err(|source| SftpError::KeyFile {
        path: target.key_file.clone(),
        source: Box::new(source),
    })?;
    let stream = TcpStream::connect((target.host.as_str(), target.port))
        .await
        .map_err(|source| SftpError::Connect {
            address: address.clone(),
            source,
        })?;
    // Small requests wait for their answers; without this each may wait for the peer's delayed acknowledgement.
    let _ = stream.set_nodelay(true);

    let config = client::Config {
        preferred: keys.preferred(),
        ..client::Config::default()
    };
    let first_line = keys.first_line();
    let verifier = Verifier::new(keys);
    let verdict = verifier.verdict();
    let mut ssh = client::connect_stream(Arc::new(config), stream, verifier)
        .await
        .map_err(|source| {
            verdict
                .take()
                .unwrap_or_else(|| host_key::explain(target, first_line, source))
        })?;

    let signer = PrivateKeyWithHashAlg::new(Arc::new(key), None);
    let lost = |what: &str, source: russh::Error| SftpError::Lost {
        what: format!("{what} at {address}"),
        why: source.to_string(),
    };
    match ssh
        .authenticate_publickey(target.user.as_str(), signer)
        .await
        .map_err(|source| lost("logging in", source))?
    {
        AuthResult::Success => {}
        // A server that refuses says how else one may log in; the library says the same, without that, of a
        // connection that broke meanwhile.
        AuthResult::Failure {
            remaining_methods, ..
        } if remaining_methods.is_empty() && is_gone(&ssh).await => {
            return Err(SftpError::Lost {
                what: format!("logging in at {address}"),
                why: "the connection was closed".to_owned(),
            });
        }
        AuthResult::Failure { .. } => {
            return Err(SftpError::AuthRefused {
                address,
                key_file: target.key_file.clone(),
            });
        }
    }
    let (raw, announced) = start_sftp(&ssh, target).await?;
    let chunk = if announced.contains(LIMITS) {
        raw.limits().await.map_or(CHUNK, |limits| chunk_within(&limits))
    } else {
        CHUNK
    };
    let has = |name: &str| announced.contains(name);
    Ok(Session {
        target: target.clone(),
        ssh: Arc::new(ssh),
        raw,
        capabilities: Capabilities::announced(has(FSYNC), has(HARDLINK), has(POSIX_RENAME)),
        announced,
        chunk,
        pace: Arc::new(Pace::new(target.tuning.bytes_per_second)),
    })
}

/// Starts SFTP in a channel of its own, which is a process of its own at the other side.
async fn start_sftp(
    ssh: &Handle<Verifier>,
    target: &Target,
) -> Result<(RawSftpSession, BTreeSet<String>), SftpError> {
    let address = target.address();
    let lost = |what: &str, source: russh::Error| SftpError::Lost {
        what: format!("{what} at {address}"),
        why: source.to_string(),
    };
    let channel = ssh
        .channel_open_session()
        .await
        .map_err(|source| lost("opening a channel", source))?;
    channel
        .request_subsystem(true, "sftp")
        .await
        .map_err(|source| lost("starting SFTP", source))?;
    let config = SftpConfig {
        // Ours is the shorter one; this only stops a request that nobody waits for any more.
        request_timeout_secs: target.idle_timeout.as_secs().saturating_add(5),
        ..SftpConfig::default()
    };
    let raw = RawSftpSession::new_with_config(channel.into_stream(), config);
    let version = raw
        .init()
        .await
        .map_err(|error| SftpError::of_request("starting SFTP", &address, 0, error))?;
    Ok((raw, version.extensions.into_keys().collect()))
}

/// Whether the connection has ended. Its task may be about to say so.
async fn is_gone(ssh: &Handle<Verifier>) -> bool {
    for _ in 0..20 {
        if ssh.is_closed() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}

const FSYNC: &str = "fsync@openssh.com";
const HARDLINK: &str = "hardlink@openssh.com";
const POSIX_RENAME: &str = "posix-rename@openssh.com";
const LIMITS: &str = "limits@openssh.com";

/// Servers that say nothing of their limits have been seen to stop at 32 KiB.
const CHUNK: usize = 32 * 1024;
/// OpenSSH takes 256 KiB less the header.
const MAX_CHUNK: u64 = 255 * 1024;

/// The largest request both directions take; a limit of 0 is no limit.
fn chunk_within(limits: &LimitsExtension) -> usize {
    let least = [limits.max_read_len, limits.max_write_len]
        .into_iter()
        .filter(|limit| *limit > 0)
        .fold(MAX_CHUNK, u64::min);
    usize::try_from(least).map_or(CHUNK, |least| least.max(1024))
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{}/{name}", folder.trim_end_matches('/'))
    }
}
