//! How many calls a pull will make and how long its limits make it take, before it begins.

use std::collections::BTreeMap;

use chrono::Duration;

use super::Bound;
use super::bucket::Pace;
use super::definition::{Call, Stream};

/// What a stream has to be asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Windows, each at least one question or report.
    pub windows: u64,
    /// Rows in all, where somebody knows; then pages are counted from them.
    pub rows: Option<u64>,
    /// Rows of the streams above, each asked for by itself.
    pub parents: Option<u64>,
}

/// Calls and time of one stream, from full buckets on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// By the limit that counts them; calls without one stand under an empty name.
    pub calls: BTreeMap<String, u64>,
    /// What the slowest limit needs. The way of the answers is not in it.
    pub takes: Duration,
    /// The limit that takes longest; None when nothing has to wait.
    pub slowest: Option<String>,
}

/// Rows a page has, where the file does not say.
const PAGE: u64 = 100;
/// How often a report is looked at, on average.
const POLLS: u64 = 2;

impl Bound {
    /// None when there is no such stream, or it reads the answers of another one.
    #[must_use]
    pub fn forecast(&self, stream: &str, work: Work) -> Option<Forecast> {
        let (stream, _) = self
            .stream(stream)
            .filter(|(stream, _)| stream.answer_of.is_none() && stream.file.is_none())?;
        let mut calls = BTreeMap::new();
        let mut count = |call: &Call, times: u64| {
            let limits = call.limits();
            let names = if limits.is_empty() {
                vec![""]
            } else {
                limits.iter().map(String::as_str).collect()
            };
            for name in names {
                *calls.entry(name.to_owned()).or_insert(0) += times;
            }
        };
        let values: u64 = stream.each.values().map(|values| values.len() as u64).product();
        let times = work
            .windows
            .max(1)
            .saturating_mul(work.parents.unwrap_or(1))
            .saturating_mul(values.max(1));
        let mut polling = Duration::zero();
        if let Some(report) = &stream.report {
            count(&report.create, times);
            count(&report.poll, times.saturating_mul(POLLS));
            if let Some(document) = &report.document {
                count(document, times);
            }
            let seconds = report.every_seconds.saturating_mul(times);
            polling = Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1000));
        }
        if let Some(call) = &stream.request {
            let pages = work.rows.map_or(0, |rows| rows.div_ceil(page_of(stream)));
            count(call, pages.max(times));
        }
        let (takes, slowest) = self.slowest(&calls);
        Some(Forecast {
            calls,
            slowest: slowest.filter(|_| takes >= polling),
            takes: takes.max(polling),
        })
    }

    fn slowest(&self, calls: &BTreeMap<String, u64>) -> (Duration, Option<String>) {
        let mut longest = (Duration::zero(), None);
        for (name, count) in calls {
            let limit = self.definition.file.limits.get(name);
            let takes = match limit.and_then(|limit| Pace::of(limit).ok()) {
                Some(Pace::Bucket(rate)) => rate.after(*count),
                Some(Pace::Daily(per_day)) => {
                    let days = count.div_ceil(u64::from(per_day)).saturating_sub(1);
                    Duration::days(i64::try_from(days).unwrap_or(i64::from(u32::MAX)))
                }
                // What a call costs is only known from answers.
                Some(Pace::Cost(_)) | None => continue,
            };
            if takes > longest.0 {
                longest = (takes, Some(name.clone()));
            }
        }
        longest
    }
}

fn page_of(stream: &Stream) -> u64 {
    stream.page.size.map_or(PAGE, u64::from).max(1)
}

impl Forecast {
    /// `createReport 14, getReport 28`.
    #[must_use]
    pub fn calls_in_words(&self) -> String {
        let calls: Vec<String> = self
            .calls
            .iter()
            .map(|(name, count)| {
                if name.is_empty() {
                    count.to_string()
                } else {
                    format!("{name} {count}")
                }
            })
            .collect();
        calls.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::connector::{ConnectorConfig, Definition};
    use crate::ids::SourceId;

    fn bound(access: &str) -> Bound {
        let text = format!(
            r#"version = 1
name = "x"
zone = "UTC"
doctor = "orders"
[http]
base = "https://example.com"
{access}
[stream.orders.map]
inbound_no = "id"
warehouse = "w"
state = "s"
closed = "'false'"
"#
        );
        let config = ConnectorConfig {
            id: SourceId::new("x").unwrap(),
            definition: Arc::new(
                Definition::parse("x.toml", &text).unwrap_or_else(|error| panic!("{error}")),
            ),
            params: BTreeMap::new(),
            secrets: BTreeMap::new(),
            warehouses: BTreeMap::new(),
        };
        Bound::new(&config).unwrap()
    }

    const ORDERS: &str = r#"
[limits]
searchOrders = { rate = 0.0056, burst = 20 }
[stream.orders]
record = "inbound"
snapshot = "partial"
rows = "orders[]"
page = { kind = "token", next = "next", query = "token" }
request = { method = "GET", path = "/orders", limit = "searchOrders" }
"#;

    const REPORTS: &str = r#"
[limits]
create = { rate = 0.0167, burst = 15 }
get = { rate = 2.0, burst = 15 }
[stream.orders]
record = "inbound"
snapshot = "partial"
[stream.orders.cursor]
start_days = "365"
window_days = 30
format = "rfc3339"
[stream.orders.report]
id = "id"
status = "status"
pending = ["WAIT"]
done = ["DONE"]
cancelled = []
failed = []
every_seconds = 30
longest_minutes = 60
document_id = "doc"
url = "url"
compression = "c"
keep_hours = 20
create = { method = "POST", path = "/r", limit = "create" }
poll = { method = "GET", path = "/r/{report}", limit = "get" }
document = { method = "GET", path = "/d/{document}", limit = "create" }
"#;

    #[test]
    fn two_hundred_thousand_orders_by_search_take_four_days_and_by_reports_minutes() {
        let search = bound(ORDERS).forecast(
            "orders",
            Work {
                windows: 1,
                rows: Some(200_000),
                parents: None,
            },
        );
        let search = search.unwrap();
        assert_eq!(search.calls_in_words(), "searchOrders 2000");
        let days = search.takes.num_minutes() as f64 / 1440.0;
        assert!((4.05..4.15).contains(&days), "{days}");
        assert_eq!(search.slowest.as_deref(), Some("searchOrders"));

        let reports = bound(REPORTS).forecast(
            "orders",
            Work {
                windows: 13,
                rows: Some(200_000),
                parents: None,
            },
        );
        let reports = reports.unwrap();
        assert_eq!(reports.calls_in_words(), "create 26, get 26");
        // 11 beyond the burst at one a minute.
        assert!(
            (6..=15).contains(&reports.takes.num_minutes()),
            "{:?}",
            reports.takes
        );
    }

    #[test]
    fn a_daily_quota_counts_days() {
        let text = ORDERS.replace("{ rate = 0.0056, burst = 20 }", "{ per_day = 500 }");
        let work = Work {
            windows: 1,
            rows: Some(200_000),
            parents: None,
        };
        assert_eq!(
            bound(&text).forecast("orders", work).unwrap().takes,
            Duration::days(3)
        );
    }
}
