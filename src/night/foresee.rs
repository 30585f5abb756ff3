//! What the next pull will ask and how long its limits make it take, told before it begins.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};

use super::Night;
use crate::connector::forecast::{Forecast, Work};
use crate::connector::window::Resume;
use crate::connector::{Bound, ConnectorConfig};
use crate::ids::{AccountId, SourceId};
use crate::problem::Problem;
use crate::store::facts::{self, StreamNote};
use crate::store::{StoreError, Tx};
use crate::wording::{Lang, text};

/// A pull that takes longer than this says so before its first request.
const LONG_MINUTES: i64 = 5;

/// Why a pull cannot be foreseen.
#[derive(Debug, thiserror::Error)]
pub enum ForeseeError {
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Source(Vec<Problem>),
    #[error("{0}")]
    Days(String),
    #[error("the state of `{stream}` cannot be read")]
    State {
        stream: String,
        #[source]
        source: serde_json::Error,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One stream of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreseen {
    pub source: SourceId,
    pub stream: String,
    /// Whether nothing of it was ever pulled to the end of a window.
    pub first: bool,
    pub work: Work,
    pub forecast: Forecast,
}

impl Foreseen {
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.forecast.takes >= Duration::minutes(LONG_MINUTES)
    }

    /// `amazon-uk/orders`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}/{}", self.source, self.stream)
    }

    /// Hours with one decimal, rounded up: `0.3`, `98.3`.
    #[must_use]
    pub fn hours(&self) -> String {
        hours(self.forecast.takes)
    }

    /// Windows, calls and time in one line.
    #[must_use]
    pub fn sentence(&self, lang: Lang) -> String {
        let key = if self.forecast.takes < Duration::minutes(1) {
            "cli.forecast.soon"
        } else {
            "cli.forecast.line"
        };
        let (windows, calls) = (self.work.windows.to_string(), self.forecast.calls_in_words());
        let places = [
            ("stream", self.label()),
            ("windows", windows),
            ("calls", calls),
            ("hours", self.hours()),
            (
                "slowest",
                self.forecast.slowest.clone().unwrap_or_else(|| "-".to_owned()),
            ),
        ];
        let places: Vec<(&str, &str)> = places
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        text(lang, key, &places)
    }
}

fn hours(takes: Duration) -> String {
    let tenths = (takes.num_seconds() + 359) / 360;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// Every stream that the next pull of a source asks for. `rows` tells how many rows a stream has, by `source/stream` or
/// by the name of the stream alone.
///
/// # Errors
/// When the source is not configured well, or its state cannot be read.
pub async fn foresee(
    tx: &mut Tx,
    account: &AccountId,
    now: DateTime<Utc>,
    connector: &ConnectorConfig,
    rows: &BTreeMap<String, u64>,
) -> Result<Vec<Foreseen>, ForeseeError> {
    let bound = Bound::new(connector).map_err(ForeseeError::Source)?;
    let mut all = Vec::new();
    for name in connector.definition.pulled() {
        if !bound.asks_for(name) {
            continue;
        }
        let (first, work) = work(tx, (account, now), &bound, name, rows).await?;
        if let Some(forecast) = bound.forecast(name, work) {
            all.push(Foreseen {
                source: connector.id.clone(),
                stream: name.to_owned(),
                first,
                work,
                forecast,
            });
        }
    }
    Ok(all)
}

async fn work(
    tx: &mut Tx,
    (account, now): (&AccountId, DateTime<Utc>),
    bound: &Bound,
    name: &str,
    rows: &BTreeMap<String, u64>,
) -> Result<(bool, Work), ForeseeError> {
    let known = |name: &str| {
        rows.get(&format!("{}/{name}", bound.source))
            .or_else(|| rows.get(name))
            .copied()
    };
    let mut work = Work {
        windows: 1,
        rows: known(name),
        parents: None,
    };
    let Some((stream, _)) = bound.stream(name) else {
        return Ok((false, work));
    };
    if let Some(parent) = &stream.parent {
        work.parents = known(parent.get_ref());
    }
    let mut first = false;
    if let Some(cursor) = &stream.cursor
        && let Some(days) = &cursor.start_days
    {
        let mut resume: Resume =
            match facts::stream_note(tx, account, &bound.source, name, StreamNote::Resume).await? {
                Some(text) => serde_json::from_str(&text).map_err(|source| ForeseeError::State {
                    stream: name.to_owned(),
                    source,
                })?,
                None => Resume::default(),
            };
        first = resume.until.is_none();
        let days = bound
            .given
            .fill_text(days.get_ref())
            .map_err(ForeseeError::Days)?;
        let days = days
            .trim()
            .parse()
            .map_err(|_| ForeseeError::Days(format!("`{days}` is no number of days to start with")))?;
        if !cursor.catch_up {
            resume.let_go(days, bound.zone, now);
        }
        let windows = resume.windows(cursor, days, bound.zone, now).len();
        work.windows = u64::try_from(windows).unwrap_or(u64::MAX);
    } else if stream.warehouse.is_some() {
        work.windows = u64::try_from(bound.snapshots(stream).len()).unwrap_or(u64::MAX);
    }
    Ok((first, work))
}

/// What is known before the pull of every source. A source that cannot be asked says so when it is pulled.
///
/// # Errors
/// When the store fails.
pub async fn before_pull(night: &Night<'_>) -> Result<Vec<Foreseen>, StoreError> {
    let mut tx = night.store.read().await?;
    let mut all = Vec::new();
    for connector in &night.tools.connectors {
        match foresee(&mut tx, night.account(), night.now(), connector, &BTreeMap::new()).await {
            Ok(streams) => all.extend(streams),
            Err(ForeseeError::Store(error)) => return Err(error),
            Err(error) => tracing::warn!(source = %connector.id, %error, "the pull cannot be foreseen"),
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_rounded_up_to_a_tenth() {
        assert_eq!(hours(Duration::seconds(353_572)), "98.3");
        assert_eq!(hours(Duration::seconds(61)), "0.1");
    }
}
