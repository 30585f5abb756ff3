//! How fresh the data of each source is, and the words for states and streams.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{SourceRow, Tone};
use crate::planner::{DataState, SourceState};
use crate::report::figures;
use crate::report::model::DailyReport;
use crate::report::reason::state_key;
use crate::wording::{Lang, text};

const MAX_SOURCES: usize = 24;
const MAX_DAYS_LISTED: usize = 5;

/// A remark from outside (an error text, a state) is cut here: the body has a size to keep.
const MAX_REMARK_CHARS: usize = 160;

pub(super) fn cut(remark: &str) -> String {
    match remark.char_indices().nth(MAX_REMARK_CHARS) {
        Some((at, _)) => format!("{}…", remark.get(..at).unwrap_or_default()),
        None => remark.to_owned(),
    }
}

/// Streams whose data may not be counted.
pub(super) fn bad_streams(report: &DailyReport<'_>) -> usize {
    report
        .plan
        .sources
        .iter()
        .filter(|source| source.state != DataState::Complete)
        .count()
}

/// `1源过期`: counted by source, by its worst stream.
pub(super) fn data_words(report: &DailyReport<'_>) -> String {
    let mut worst = BTreeMap::new();
    for source in &report.plan.sources {
        let state = worst.entry(&source.source).or_insert(source.state);
        *state = (*state).max(source.state);
    }
    if worst.is_empty() {
        return text(report.lang, "mail.data.none", &[]);
    }
    let count = |wanted: &[DataState]| worst.values().filter(|state| wanted.contains(state)).count();
    let parts: Vec<String> = [
        ("mail.data.stale", count(&[DataState::Stale])),
        (
            "mail.data.missing",
            count(&[DataState::Incomplete, DataState::Missing]),
        ),
    ]
    .into_iter()
    .filter(|(_, n)| *n > 0)
    .map(|(key, n)| text(report.lang, key, &[("n", &n.to_string())]))
    .collect();
    if parts.is_empty() {
        text(report.lang, "mail.data.fresh", &[])
    } else {
        parts.join(" ")
    }
}

fn age(lang: Lang, now: DateTime<Utc>, at: DateTime<Utc>) -> String {
    let minutes = (now - at).num_minutes();
    let (key, n) = match minutes {
        ..-5 => return text(lang, "mail.age.ahead", &[]),
        -5..60 => ("mail.age.minutes", minutes.max(0)),
        60..2880 => ("mail.age.hours", minutes / 60),
        _ => ("mail.age.days", minutes / 1440),
    };
    text(lang, key, &[("n", &n.to_string())])
}

pub(super) fn sources(report: &DailyReport<'_>) -> (Vec<SourceRow>, Option<String>) {
    let mut all: Vec<&SourceState> = report.plan.sources.iter().collect();
    let more = all.len().saturating_sub(MAX_SOURCES);
    if more > 0 {
        // What is cut off must be what is well.
        all.sort_by_key(|source| source.state == DataState::Complete);
        all.truncate(MAX_SOURCES);
    }
    let note = match (all.is_empty(), more) {
        (true, _) => Some(text(report.lang, "mail.source.none", &[])),
        (false, 0) => None,
        (false, more) => Some(text(report.lang, "mail.more", &[("n", &more.to_string())])),
    };
    let rows = all.into_iter().map(|source| source_row(report, source)).collect();
    (rows, note)
}

fn source_row(report: &DailyReport<'_>, source: &SourceState) -> SourceRow {
    let lang = report.lang;
    let zone = report
        .source_zones
        .get(&source.source)
        .copied()
        .unwrap_or(report.zone);
    let mut notes = Vec::new();
    if !source.missing_days.is_empty() {
        let mut days: Vec<String> = source
            .missing_days
            .iter()
            .take(MAX_DAYS_LISTED)
            .map(|day| figures::day(*day, report.as_of))
            .collect();
        if source.missing_days.len() > MAX_DAYS_LISTED {
            days.push("…".to_owned());
        }
        notes.push(text(
            lang,
            "mail.source.missing_days",
            &[
                ("n", &source.missing_days.len().to_string()),
                ("days", &days.join(" ")),
            ],
        ));
    }
    notes.extend(source.problem.as_deref().map(cut));
    SourceRow {
        name: format!("{} · {}", source.source, stream_name(lang, &source.stream)),
        state: text(lang, state_key(source.state), &[]),
        tone: match source.state {
            DataState::Complete => Tone::Green,
            DataState::Incomplete => Tone::Amber,
            DataState::Stale | DataState::Missing => Tone::Red,
        },
        as_of: source.as_of.map_or_else(
            || text(lang, "mail.source.never", &[]),
            |at| figures::moment(at, zone),
        ),
        age: source
            .as_of
            .map_or_else(String::new, |at| age(lang, report.now, at)),
        rows: match source.rows_before {
            Some(before) => text(
                lang,
                "mail.source.rows",
                &[
                    ("now", &figures::count(source.rows)),
                    ("before", &figures::grouped(before)),
                ],
            ),
            None => text(
                lang,
                "mail.source.rows_first",
                &[("now", &figures::count(source.rows))],
            ),
        },
        notes,
    }
}

/// What a stream of data is called; a name a connector file made up stays as it is.
pub(in crate::report) fn stream_name(lang: Lang, stream: &str) -> String {
    named(lang, "mail.stream", stream).unwrap_or_else(|| cut(stream))
}

/// The text of `area.code`, when the catalogue has one.
pub(in crate::report) fn named(lang: Lang, area: &str, code: &str) -> Option<String> {
    let key = format!("{area}.{code}");
    let words = text(lang, &key, &[]);
    (words != format!("[{key}]")).then_some(words)
}
