//! One file: opened, read, and what is wrong with it in the words of who has to mend it.

use chrono::{DateTime, Utc};

use super::super::{PulledPage, ReadFile, StreamRun};
use crate::calendar::{civil_day, day_bounds};
use crate::connector::decode::{DecodeError, parse, unpack};
use crate::connector::record::Facts;
use crate::connector::rows::{InFile, PageRows, Reader, Seen, ShapeError};
use crate::connector::window::Window;
use crate::problem::Problem;

fn named(name: &str, problem: Problem) -> Problem {
    Problem {
        file: name.to_owned(),
        ..problem
    }
}

pub(super) fn wrong(name: &str, found: &str) -> Vec<Problem> {
    let wanted = "a table that can be read";
    vec![Problem::new(name, "", "", found, wanted)]
}

impl StreamRun<'_> {
    pub(super) fn page(
        &mut self,
        name: &str,
        made: DateTime<Utc>,
        bytes: &[u8],
    ) -> Result<PulledPage, Vec<Problem>> {
        let limit = self.bound.definition.file.max_bytes();
        let decode = &self.stream.decode;
        let refuse = |error: &DecodeError| match error {
            DecodeError::Written(problem) => vec![named(name, (**problem).clone())],
            error => wrong(name, &error.to_string()),
        };
        let opened = unpack(decode, bytes, limit).map_err(|error| refuse(&error))?;
        let mut page = parse(decode, &opened, &self.reading.want).map_err(|error| refuse(&error))?;
        let mut seen: Seen = std::mem::take(&mut self.seen);
        let reader = Reader {
            page: 0,
            file: Some(InFile {
                name,
                made,
                shared: self.bound.is_shared(self.stream),
            }),
            ..self.reader()
        };
        let rows = self.bound.read(self.name, &mut page, reader, &mut seen);
        let also = self.also(&opened, reader);
        self.seen = seen;
        let rows = rows.map_err(|error| shape(name, &error))?;
        let also = also.map_err(|failure| wrong(name, &failure.text))?;
        let redacted = self
            .bound
            .redacted((self.stream, self.reading), &opened)
            .map_err(|error| refuse(&error))?;
        self.pages += 1;
        let raw = redacted.unwrap_or_else(|| bytes.to_vec());
        Ok(PulledPage {
            window: self.covered(&rows, made).map_err(|why| wrong(name, &why))?,
            rows,
            also,
            raw,
            last: true,
            file: Some(ReadFile {
                name: name.to_owned(),
                made,
            }),
        })
    }

    /// The time whose orders a file tells completely. A row that could not be read may be of any day.
    fn covered(&self, rows: &PageRows, made: DateTime<Utc>) -> Result<Option<Window>, String> {
        let Facts::Orders(lines) = &rows.facts else {
            return Ok(None);
        };
        if rows.rejected_count > 0 {
            return Ok(None);
        }
        let zone = self.bound.zone;
        let day = |at: DateTime<Utc>| day_bounds(civil_day(at, zone), zone);
        let (from, to) = if let Some(days) = &self.stream.covers_days {
            let text = self.bound.given.fill_text(days.get_ref())?;
            let days: u32 = text
                .trim()
                .parse()
                .map_err(|_| format!("`{text}` is no number of days that a file covers"))?;
            let first = civil_day(made, zone) - chrono::Duration::days(i64::from(days));
            (day_bounds(first, zone).0, made)
        } else {
            let times = lines.iter().map(|line| line.ordered_at);
            let Some((first, last)) = times.clone().min().zip(times.max()) else {
                return Ok(None);
            };
            (day(first).0, day(last).1.min(made))
        };
        Ok((from < to).then_some(Window { from, to }))
    }
}

fn shape(name: &str, error: &ShapeError) -> Vec<Problem> {
    match error {
        ShapeError::Columns {
            place,
            missing,
            found,
        } => missing
            .iter()
            .map(|(column, field)| {
                let wanted = if column == field {
                    format!("a column `{column}`")
                } else {
                    format!("a column `{column}` (for `{field}`)")
                };
                Problem::new(name, place, "", found.join(", "), wanted)
            })
            .collect(),
        ShapeError::Decode(DecodeError::Twice {
            column,
            found,
            first,
            second,
        }) => {
            let wanted = format!("`{column}` once, it stands at {first} too");
            vec![Problem::new(name, second, "", found, wanted)]
        }
        ShapeError::Decode(DecodeError::NoKnownHeader { within, wanted }) => {
            let wanted = format!(
                "a header row with {} in the first {within} rows",
                wanted.join(", ")
            );
            vec![Problem::new(name, "", "", "no such row", wanted)]
        }
        error => wrong(name, &error.to_string()),
    }
}
