//! The moving window of a stream: where it starts, how it is cut, and what is written down to go on from.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::definition::{Bounds, Cursor};
use super::pipe::TimeFormat;
use crate::calendar::{civil_day, day_bounds};

/// A half-open span of time, asked for with one request or report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// A window the source did not answer for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    pub window: Window,
    pub tries: u32,
}

/// A report that was asked for and not yet read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingReport {
    pub id: String,
    pub window: Window,
    pub asked_at: DateTime<Utc>,
}

/// A file that was read, or looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMark {
    pub name: String,
    pub size: u64,
    /// Unix milliseconds.
    pub modified: i64,
    /// When it was made, as the file's `as_of` finds it.
    pub made: DateTime<Utc>,
    /// Of its bytes, when its rows were taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Rows that were kept out, and the connector file (by its hash) that did so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_out: Option<(u64, String)>,
}

/// What a stream writes down, in the transaction of the rows it speaks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// From here back to this everything was answered for, but for the holes.
    #[serde(default)]
    pub since: Option<DateTime<Utc>>,
    /// Everything before this was answered for.
    #[serde(default)]
    pub until: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<Hole>,
    /// What the pull under way has still to ask for; None when none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub todo: Option<Vec<Window>>,
    #[serde(default)]
    pub report: Option<PendingReport>,
    /// When a report was last asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<DateTime<Utc>>,
    /// Ascending ids: the last one that was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Files that were read before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileMark>,
    /// Where each warehouse stands, for stock that is told in changes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, Resume>,
}

/// A hole is asked for on this many later pulls; then it stays a gap.
const MAX_TRIES: u32 = 3;
/// A shorter window than this is not cut any more.
const SHORTEST: Duration = Duration::seconds(1);

impl Resume {
    /// The windows of this pull, oldest first: what was left out before, then everything from the last end (less the
    /// lookback) until now (less the hold-back).
    ///
    /// A pull that was cut off goes on with what it had not asked for, then with what has come since: asked twice, a
    /// window would be counted twice.
    #[must_use]
    pub fn windows(&self, cursor: &Cursor, start_days: u32, zone: Tz, now: DateTime<Utc>) -> Vec<Window> {
        let end = now - Duration::minutes(i64::from(cursor.hold_back_minutes));
        let back = |until: DateTime<Utc>| {
            let back = until - Duration::hours(i64::from(cursor.lookback_hours));
            self.since.map_or(back, |since| back.max(since))
        };
        if let Some(todo) = &self.todo {
            let mut windows = todo.clone();
            let planned = todo.iter().map(|window| window.to).chain(self.until).max();
            if let Some(planned) = planned.filter(|planned| *planned < end) {
                windows.extend(cut(cursor, back(planned), end));
            }
            return windows;
        }
        let start = match self.until {
            Some(until) => back(until),
            None => first_start(start_days, zone, now),
        };
        let mut windows: Vec<Window> = self
            .holes
            .iter()
            .filter(|hole| hole.tries < MAX_TRIES)
            .map(|hole| hole.window)
            .collect();
        windows.extend(cut(cursor, start, end));
        windows
    }

    /// Forgets where the stream stood when that lies further back than a first pull goes: what lies between is another
    /// stream's, and a day in it was not answered for by this one.
    pub fn let_go(&mut self, start_days: u32, zone: Tz, now: DateTime<Utc>) {
        let start = first_start(start_days, zone, now);
        if self.until.is_some_and(|until| until < start) {
            (self.since, self.until, self.todo) = (None, None, None);
        }
        self.holes.retain(|hole| hole.window.from >= start);
        if let Some(todo) = &mut self.todo {
            todo.retain(|window| window.to > start);
        }
    }

    /// Notes that the source has answered for a window.
    pub fn answered(&mut self, window: Window) {
        self.report = None;
        self.holes.retain(|hole| hole.window != window);
        self.asked(window);
    }

    /// Notes that the source did not answer for a window, although it was asked well.
    pub fn left_out(&mut self, window: Window) {
        self.report = None;
        match self.holes.iter_mut().find(|hole| hole.window == window) {
            Some(hole) => hole.tries += 1,
            None => self.holes.push(Hole { window, tries: 0 }),
        }
        self.asked(window);
    }

    /// Puts two halves in the place of a window that was too large; None when it cannot be cut any more.
    pub fn halve(&mut self, window: Window) -> Option<[Window; 2]> {
        let half = (window.to - window.from) / 2;
        if half < SHORTEST {
            return None;
        }
        // Cut at a whole second, as the windows themselves are sent.
        let middle = window.from + Duration::seconds(half.num_seconds());
        let halves = [
            Window {
                from: window.from,
                to: middle,
            },
            Window {
                from: middle,
                to: window.to,
            },
        ];
        if let Some(todo) = &mut self.todo
            && let Some(index) = todo.iter().position(|one| *one == window)
        {
            todo.splice(index..=index, halves);
        }
        if let Some(index) = self.holes.iter().position(|hole| hole.window == window) {
            let tries = self.holes.get(index).map_or(0, |hole| hole.tries);
            let halved = halves.map(|window| Hole { window, tries });
            self.holes.splice(index..=index, halved);
        }
        Some(halves)
    }

    fn asked(&mut self, window: Window) {
        if let Some(todo) = &mut self.todo {
            todo.retain(|one| *one != window);
        }
        self.since = Some(self.since.map_or(window.from, |since| since.min(window.from)));
        self.until = Some(self.until.map_or(window.to, |until| until.max(window.to)));
    }

    /// The civil days of a window: true for those the source has answered for from midnight to midnight.
    ///
    /// A day is whole when it lies between the start of all that was asked and the end of this window: changes of an
    /// order come later than the order, so windows over the time of change cover the days before them too.
    #[must_use]
    pub fn days(&self, window: Window, zone: Tz) -> BTreeMap<NaiveDate, bool> {
        let since = self.since.unwrap_or(window.from);
        let first = civil_day(window.from, zone);
        let last = civil_day(window.to - Duration::milliseconds(1), zone);
        first
            .iter_days()
            .take_while(|day| *day <= last)
            .map(|day| {
                let (from, to) = day_bounds(day, zone);
                let in_hole = self
                    .holes
                    .iter()
                    .any(|hole| hole.window.from < to && from < hole.window.to);
                (day, since <= from && to <= window.to && !in_hole)
            })
            .collect()
    }
}

/// Where a first pull starts: at midnight, so that the first day is a whole one.
fn first_start(start_days: u32, zone: Tz, now: DateTime<Utc>) -> DateTime<Utc> {
    day_bounds(civil_day(now, zone) - Duration::days(i64::from(start_days)), zone).0
}

/// The longest span of one request. None: the definition gives none, which it is refused for.
fn step(cursor: &Cursor) -> Option<Duration> {
    let days = cursor.window_days.map(|days| Duration::days(i64::from(days)));
    let hours = cursor.window_hours.map(|hours| Duration::hours(i64::from(hours)));
    days.or(hours).filter(|step| *step > Duration::zero())
}

/// `{from}` and `{to}` of a window, as the source writes times.
#[must_use]
pub fn ends(window: Window, format: &TimeFormat, bounds: Bounds) -> (String, String) {
    let to = match bounds {
        Bounds::HalfOpen => window.to,
        Bounds::Closed => (window.to - format.unit()).max(window.from),
    };
    (format.write(window.from), format.write(to))
}

fn cut(cursor: &Cursor, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<Window> {
    let Some(step) = step(cursor) else {
        return Vec::new();
    };
    let mut windows = Vec::new();
    let mut from = start;
    while from < end {
        let to = (from + step).min(end);
        windows.push(Window { from, to });
        from = to;
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn cursor() -> Cursor {
        toml::from_str(
            "start_days = '10'\nwindow_days = 4\nlookback_hours = 24\nhold_back_minutes = 5\nformat = 'rfc3339'",
        )
        .unwrap()
    }

    #[test]
    fn the_first_pull_starts_at_midnight_and_is_cut_into_windows_without_holes() {
        let zone = chrono_tz::Europe::London;
        let windows = Resume::default().windows(&cursor(), 10, zone, at("2026-04-05T12:05:00Z"));
        assert_eq!(windows.first().unwrap().from, at("2026-03-26T00:00:00Z"));
        assert_eq!(windows.last().unwrap().to, at("2026-04-05T12:00:00Z"));
        assert!(windows.windows(2).all(|pair| pair[0].to == pair[1].from));
        assert_eq!(windows.len(), 3);
    }

    #[test]
    fn the_next_pull_looks_back_and_a_window_left_out_is_asked_again_three_times() {
        let zone = chrono_tz::UTC;
        let mut resume = Resume::default();
        let first = Window {
            from: at("2026-04-01T00:00:00Z"),
            to: at("2026-04-03T00:00:00Z"),
        };
        let second = Window {
            from: first.to,
            to: at("2026-04-05T00:00:00Z"),
        };
        resume.left_out(first);
        resume.answered(second);
        let days = resume.days(second, zone);
        assert_eq!(days.values().copied().collect::<Vec<_>>(), [true, true]);
        assert_eq!(
            resume.days(first, zone).values().copied().collect::<Vec<_>>(),
            [false, false]
        );
        for _ in 0..3 {
            let windows = resume.windows(&cursor(), 10, zone, at("2026-04-05T06:05:00Z"));
            assert_eq!(windows[0], first);
            assert_eq!(windows[1].from, at("2026-04-04T00:00:00Z"));
            resume.left_out(first);
        }
        let windows = resume.windows(&cursor(), 10, zone, at("2026-04-05T06:05:00Z"));
        assert_eq!(windows.len(), 1);
    }

    #[test]
    fn what_lies_too_far_back_is_left_to_another_stream() {
        let zone = chrono_tz::Europe::London;
        let first = Window {
            from: at("2026-01-05T00:00:00Z"),
            to: at("2026-01-07T12:00:00Z"),
        };
        let mut resume = Resume::default();
        resume.answered(first);
        // Two days later it goes on where it stood.
        resume.let_go(2, zone, at("2026-01-09T09:00:00Z"));
        assert_eq!(resume.until, Some(first.to));
        // A week later it starts anew, and no longer speaks for the days between.
        let now = at("2026-01-14T09:05:00Z");
        resume.let_go(2, zone, now);
        assert_eq!(resume, Resume::default());
        let windows = resume.windows(&cursor(), 2, zone, now);
        assert_eq!(windows.first().unwrap().from, at("2026-01-12T00:00:00Z"));
    }

    #[test]
    fn a_pull_cut_off_asks_for_the_rest_and_later_also_for_what_came_since() {
        let (zone, now) = (chrono_tz::UTC, at("2026-04-09T00:05:00Z"));
        let mut resume = Resume::default();
        let planned = resume.windows(&cursor(), 7, zone, now);
        assert_eq!(planned.len(), 2);
        resume.todo = Some(planned.clone());
        resume.answered(planned[0]);
        assert_eq!(resume.windows(&cursor(), 7, zone, now), planned[1..]);
        resume.answered(planned[1]);
        assert_eq!(resume.windows(&cursor(), 7, zone, now), []);

        let later = resume.windows(&cursor(), 7, zone, at("2026-04-09T06:05:00Z"));
        let since = Window {
            from: at("2026-04-08T00:00:00Z"),
            to: at("2026-04-09T06:00:00Z"),
        };
        assert_eq!(later, [since]);
    }

    #[test]
    fn a_day_is_complete_only_from_midnight_to_midnight_also_when_clocks_change() {
        let zone = chrono_tz::Europe::London;
        // 2026-03-29 has 23 hours in London: it ends at 23:00 UTC.
        let window = Window {
            from: at("2026-03-28T00:00:00Z"),
            to: at("2026-03-29T23:00:00Z"),
        };
        let mut resume = Resume::default();
        resume.answered(window);
        let days: Vec<bool> = resume.days(window, zone).into_values().collect();
        assert_eq!(days, [true, true]);
        let short = Window {
            to: at("2026-03-29T22:59:59Z"),
            ..window
        };
        let days: Vec<bool> = resume.days(short, zone).into_values().collect();
        assert_eq!(days, [true, false]);
    }
}
