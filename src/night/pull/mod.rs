//! Pull: pages through the connectors, normalised into facts, page and cursor committed together.
//!
//! Every stream stands alone: one that fails is reported and the others go on (R78). A stock snapshot is taken whole or
//! not at all; sales move forward page by page; an inbound's cursor moves only after everything below it was read.

mod events;
mod files;
mod inbounds;
mod progress;
mod sales;
mod stock;

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use futures_util::future::{join, join_all};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::connector::definition::RecordKind;
use crate::connector::rows::PageRows;
use crate::connector::{Bound, ConnectorConfig};
use crate::http::{Client, Failure, FailureKind};
use crate::ids::{AccountId, SourceId};
use crate::problem::Problem;
use crate::store::facts::{PullOutcome, PullState};
use crate::store::{Store, StoreError};

/// What a pull of one source did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullReport {
    pub source: SourceId,
    /// In the order of their names, streams below others included.
    pub streams: Vec<StreamReport>,
    /// Why the source could not be asked at all.
    pub problems: Vec<Problem>,
}

impl PullReport {
    /// The worst state of its streams; failed when it could not be asked at all.
    #[must_use]
    pub fn state(&self) -> PullState {
        if !self.problems.is_empty() {
            return PullState::Failed;
        }
        let worst = self.streams.iter().map(|stream| stream.state).max();
        match worst {
            Some(PullState::Failed)
                if self
                    .streams
                    .iter()
                    .any(|stream| stream.state != PullState::Failed) =>
            {
                PullState::Partial
            }
            Some(worst) => worst,
            None => PullState::Failed,
        }
    }
}

/// What a pull of one stream did. Rows are rows taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamReport {
    pub stream: String,
    pub state: PullState,
    pub pages: i64,
    pub rows: i64,
    pub skipped: i64,
    pub rejected_count: i64,
    /// The first of the rejected rows, with their reasons.
    #[serde(skip)]
    pub rejected: Vec<Problem>,
    pub warnings: BTreeMap<String, i64>,
    pub problem: Option<String>,
    /// As-of of the data, when the pull came to its end.
    pub as_of: Option<DateTime<Utc>>,
    /// The same run has pulled this to its end before.
    #[serde(default)]
    pub again: bool,
}

/// Rejected rows kept in a report; all are counted.
const MAX_REJECTED: usize = 50;

impl StreamReport {
    fn new(stream: &str) -> Self {
        Self {
            stream: stream.to_owned(),
            state: PullState::Ok,
            pages: 0,
            rows: 0,
            skipped: 0,
            rejected_count: 0,
            rejected: Vec::new(),
            warnings: BTreeMap::new(),
            problem: None,
            as_of: None,
            again: false,
        }
    }

    fn count(&mut self, rows: &PageRows) {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.pages += 1;
        self.rows += i64::try_from(rows.facts.len()).unwrap_or(i64::MAX);
        self.skipped += number(rows.skipped);
        self.rejected_count += number(rows.rejected_count);
        let room = MAX_REJECTED.saturating_sub(self.rejected.len());
        self.rejected.extend(rows.rejected.iter().take(room).cloned());
        for (warning, count) in &rows.warnings {
            self.warn(warning, *count);
        }
        let counted = [
            (rows.duplicates, "row that came again, word for word"),
            (rows.superseded, "row of which a newer state came"),
            (rows.orphans, "row without the row it belongs to"),
        ];
        for (count, what) in counted {
            if count > 0 {
                self.warn(what, number(count));
            }
        }
        if let Some(first) = rows.rejected.first() {
            self.degrade(&format!(
                "{} rows rejected, the first: {first}",
                rows.rejected_count
            ));
        }
    }

    fn warn(&mut self, warning: &str, count: i64) {
        *self.warnings.entry(warning.to_owned()).or_insert(0) += count;
    }

    /// Something is missing, but not everything.
    fn degrade(&mut self, problem: &str) {
        self.state = self.state.max(PullState::Partial);
        self.problem.get_or_insert_with(|| problem.to_owned());
    }

    /// The stream could not go on. What was committed before stays.
    fn fail(&mut self, problem: &str) {
        self.state = if self.pages > 0 {
            PullState::Partial
        } else {
            PullState::Failed
        };
        // What stopped it says more than what was odd on the way.
        self.problem = Some(problem.to_owned());
    }

    fn outcome(&self, max_age: Duration) -> PullOutcome {
        PullOutcome {
            state: self.state,
            pages: self.pages,
            rows: self.rows,
            warnings: self.warnings.clone(),
            problem: self.problem.clone(),
            as_of: self.as_of,
            max_age,
            again: self.again,
        }
    }
}

/// Why a stream stopped.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Source(#[from] Failure),
    #[error("cannot store what was pulled")]
    Store(#[from] StoreError),
}

impl Stopped {
    fn text(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(inner) = cause {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            cause = inner.source();
        }
        text
    }
}

/// Everything the streams of one source share.
struct Pull<'a> {
    store: &'a Store,
    clock: &'a dyn Clock,
    account: &'a AccountId,
    client: &'a Client,
    bound: &'a Bound,
    run: Option<&'a str>,
}

/// Pulls every stream of one source. Never fails as a whole: what went wrong stands in the report and in the history.
///
/// A stream that this run has pulled to its end before is not pulled again: a run taken up after a crash shows the
/// same rows and costs the source nothing.
pub async fn pull(
    store: &Store,
    clock: &dyn Clock,
    account: &AccountId,
    config: &ConnectorConfig,
    client: &Client,
    run: Option<&str>,
) -> PullReport {
    let bound = match Bound::new(config) {
        Ok(bound) => bound,
        Err(problems) => {
            return PullReport {
                source: config.id.clone(),
                streams: Vec::new(),
                problems,
            };
        }
    };
    let pull = Pull {
        store,
        clock,
        account,
        client,
        bound: &bound,
        run,
    };
    // Streams of orders one after the other: two that tell of the same order must not write it at the same time.
    let (orders, others): (Vec<&str>, Vec<&str>) = bound.roots().partition(|name| {
        bound
            .stream(name)
            .is_some_and(|(stream, _)| stream.record == RecordKind::OrderLine)
    });
    let orders = async {
        let mut reports = Vec::new();
        for name in orders {
            reports.extend(pull.root(name).await);
        }
        reports
    };
    let others = join_all(others.into_iter().map(|name| pull.root(name)));
    let (mut streams, others) = join(orders, others).await;
    streams.extend(others.into_iter().flatten());
    streams.sort_by(|a, b| a.stream.cmp(&b.stream));
    PullReport {
        source: config.id.clone(),
        streams,
        problems: Vec::new(),
    }
}

impl Pull<'_> {
    /// A stream that stands on its own, with those below it.
    async fn root(&self, name: &str) -> Vec<StreamReport> {
        let Some((stream, _)) = self.bound.stream(name) else {
            return Vec::new();
        };
        let started = self.clock.now();
        let cut_off = self.store.cut_off();
        let children = self.bound.definition.descendants(name);
        let mut reports: Vec<StreamReport> = std::iter::once(name)
            .chain(children)
            .map(StreamReport::new)
            .collect();
        let settled = match self.begin(&mut reports, started).await {
            Ok(progress::Begin::Go { settled }) => settled,
            Ok(progress::Begin::Done) => return reports,
            Err(error) => {
                let text = Stopped::Store(error).text();
                reports.iter_mut().for_each(|report| report.fail(&text));
                return reports;
            }
        };
        if let Some((report, below)) = reports.split_first_mut() {
            let done = match stream.record {
                RecordKind::OrderLine => self.sales(name, report).await,
                RecordKind::Stock => self.stock(name, stream, report).await,
                RecordKind::Inbound => {
                    let settled = settled && stream.closed_is_final;
                    self.inbounds(name, settled, (report, below)).await
                }
                RecordKind::Receipt | RecordKind::Event | RecordKind::Return => {
                    self.events(name, stream, report).await
                }
                RecordKind::InboundLine | RecordKind::Code => Err(Stopped::Source(Failure::new(
                    FailureKind::Configuration,
                    format!("stream `{name}` needs a parent stream of inbounds"),
                ))),
            };
            if let Err(stopped) = done {
                report.fail(&stopped.text());
                for child in below.iter_mut() {
                    child.fail(&format!("`{name}` stopped: {}", stopped.text()));
                }
            }
        }
        if self.store.cut_off() != cut_off && reports.iter().any(|report| report.state != PullState::Ok) {
            // The database went away meanwhile, and what is missing may be missing for that. The pull has no end yet:
            // taken up again, it goes on after what was committed and counts that too.
            return reports;
        }
        if let Err(error) = self.end(&mut reports, started).await {
            let text = Stopped::Store(error).text();
            reports.iter_mut().for_each(|report| report.fail(&text));
        }
        for report in &reports {
            tracing::info!(
                source = %self.bound.source,
                stream = report.stream,
                state = report.state.code(),
                pages = report.pages,
                rows = report.rows,
                problem = report.problem,
                "pulled"
            );
        }
        reports
    }

    fn max_age(&self, stream: &str) -> Duration {
        let hours = self
            .bound
            .stream(stream)
            .map_or(0, |(stream, _)| stream.max_age_hours);
        Duration::hours(i64::from(hours))
    }
}
