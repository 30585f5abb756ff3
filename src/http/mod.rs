//! Asks what a connector says, over HTTP.
//!
//! [`Client`] sends one request safely (hosts, sizes, times), [`call`] paces and repeats it as the definition says,
//! [`token`] gets access tokens, [`shared`] keeps the pace of all processes, [`puller`] runs a stream page by page, [`doctor()`] asks one read question per source and names what it meets.

mod call;
pub mod doctor;
mod kept;
pub mod puller;
mod send;
mod shared;
pub mod tape;
mod token;
mod vault;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use chrono::{DateTime, Duration, Utc};
use ring::rand::SecureRandom as _;

pub use doctor::{Diagnosis, doctor};
pub use write::Told;

use crate::clock::Clock;
use crate::connector::bucket::Bucket;
use crate::ids::SourceId;
use crate::secret::Secret;

/// What went wrong, sorted by what a person has to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureKind {
    /// The credentials have run out or are wrong: authorise again.
    Expired,
    /// A refresh token that works once was used up and its successor never reached us: authorise again.
    TokenLost,
    /// The key or the address of this machine is not allowed.
    Forbidden,
    /// Too many requests, also after waiting.
    Throttled,
    /// No answer in time.
    Slow,
    /// No connection, or the server is in trouble.
    Unreachable,
    /// The answer is not what the definition says.
    WrongSchema,
    /// Understood and refused.
    Refused,
    /// There is nothing for this question.
    Empty,
    /// More than one answer can hold was asked for.
    TooMuch,
    /// The source pages in a way that loses rows or never ends.
    Paging,
    /// The source ended a report with an error of its own.
    Fatal,
    /// No file that the source is read from is there.
    NoFile,
    /// The configuration or the connector file cannot be used.
    Configuration,
}

impl FailureKind {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::TokenLost => "token_lost",
            Self::Forbidden => "forbidden",
            Self::Throttled => "throttled",
            Self::Slow => "slow",
            Self::Unreachable => "unreachable",
            Self::WrongSchema => "wrong_schema",
            Self::Refused => "refused",
            Self::Empty => "empty",
            Self::TooMuch => "too_much",
            Self::Paging => "paging",
            Self::Fatal => "fatal",
            Self::NoFile => "no_file",
            Self::Configuration => "configuration",
        }
    }
}

/// A request or stream that did not work, in words that hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {text}", .kind.code())]
pub struct Failure {
    pub kind: FailureKind,
    pub text: String,
}

impl Failure {
    #[must_use]
    pub fn new(kind: FailureKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }
}

/// Whether waits are waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    Real,
    /// For a simulated clock: waits pass at once and are added to what the clock says.
    Skip,
}

/// Access token and buckets of one source. They outlive a pull.
#[derive(Default)]
struct Session {
    token: tokio::sync::Mutex<Option<Token>>,
    buckets: Mutex<BTreeMap<String, Bucket>>,
}

struct Token {
    value: Secret,
    until: DateTime<Utc>,
}

/// The HTTP client of the whole process.
pub struct Client {
    inner: reqwest::Client,
    pace: Pace,
    skipped_ns: AtomicI64,
    random: ring::rand::SystemRandom,
    sessions: Mutex<BTreeMap<SourceId, Arc<Session>>>,
    /// The other processes, once [`Client::share`] was called.
    shared: OnceLock<shared::Shared>,
    tape: OnceLock<tape::Tape>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(10);

impl Client {
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(pace: Pace) -> Result<Self, Failure> {
        // One provider for the process; a second call finds it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let inner = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .no_proxy()
            .build()
            .map_err(|error| {
                Failure::new(FailureKind::Configuration, format!("cannot set up TLS: {error}"))
            })?;
        Ok(Self {
            inner,
            pace,
            skipped_ns: AtomicI64::new(0),
            random: ring::rand::SystemRandom::new(),
            sessions: Mutex::new(BTreeMap::new()),
            shared: OnceLock::new(),
            tape: OnceLock::new(),
        })
    }

    /// Different in every call, unknown to others.
    fn nonce(&self) -> [u8; 16] {
        let mut nonce = [0; 16];
        if self.random.fill(&mut nonce).is_err() {
            tracing::error!("the system gives no random numbers");
        }
        nonce
    }

    fn session(&self, source: &SourceId) -> Arc<Session> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(sessions.entry(source.clone()).or_default())
    }

    fn now(&self, clock: &dyn Clock) -> DateTime<Utc> {
        clock.now() + Duration::nanoseconds(self.skipped_ns.load(Ordering::Relaxed))
    }

    async fn pause(&self, wait: std::time::Duration) {
        if wait.is_zero() {
            return;
        }
        match self.pace {
            Pace::Real => tokio::time::sleep(wait).await,
            Pace::Skip => {
                let nanos = i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX / 4);
                self.skipped_ns.fetch_add(nanos, Ordering::Relaxed);
            }
        }
    }
}
