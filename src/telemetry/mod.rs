//! Logs, progress, the wall clock, and the service manager.

pub mod notify;

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tracing_subscriber::EnvFilter;

use crate::clock::Clock;
use crate::config::{LogFormat, LogSection};

/// The wall clock: the only place that reads it.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that was put somewhere and goes on from there, for rehearsals.
#[derive(Debug, Clone, Copy)]
pub struct RehearsalClock {
    start: DateTime<Utc>,
    since: Stopwatch,
}

impl RehearsalClock {
    #[must_use]
    pub fn starting(start: DateTime<Utc>) -> Self {
        Self {
            start,
            since: Stopwatch::start(),
        }
    }
}

impl Clock for RehearsalClock {
    fn now(&self) -> DateTime<Utc> {
        self.start + self.since.elapsed()
    }
}

/// Measures how long something took, for logs and run records; never for decisions.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "durations are shown, not decided on")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Logs to standard error, so that data on standard output stays clean. A second call changes nothing.
pub fn init_logs(section: &LogSection) {
    // What these two say at `info` is about themselves; a level of their own in the configuration wins.
    let level = format!("tokio_cron_scheduler=warn,sqlx=error,{}", section.level);
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let _ = match section.format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder
            .with_target(false)
            .with_ansi(std::io::stderr().is_terminal())
            .try_init(),
    };
}

/// Progress of a long job: a line that rewrites itself on a terminal, plain lines elsewhere.
#[derive(Debug)]
pub struct Progress {
    what: String,
    terminal: bool,
    quiet: bool,
}

impl Progress {
    #[must_use]
    pub fn new(what: impl Into<String>, quiet: bool) -> Self {
        Self {
            what: what.into(),
            terminal: std::io::stderr().is_terminal(),
            quiet,
        }
    }

    /// Shows how far it is.
    pub fn at(&self, done: usize, of: usize, now: &str) {
        if self.quiet {
            return;
        }
        let mut err = std::io::stderr().lock();
        // A closed terminal must not stop the work.
        let _ = if self.terminal {
            write!(err, "\r\x1b[2K{} {done}/{of} {now}", self.what).and_then(|()| err.flush())
        } else {
            writeln!(err, "{} {done}/{of} {now}", self.what)
        };
    }

    /// Ends the line.
    pub fn done(&self) {
        if self.terminal && !self.quiet {
            let _ = writeln!(std::io::stderr());
        }
    }
}
