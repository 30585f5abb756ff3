//! When a file was made: what its name, a cell or a column says, or when it was changed last.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use super::Bound;
use super::decode::Written;
use super::definition::{Stream, Way};
use super::load::Reading;
use super::pipe::TimeFormat;
use crate::calendar::civil_day;
use crate::mapping::xlsx::At;
use crate::problem::Problem;

/// A clock that is so far ahead is forgiven; a file that is made later was made in another zone than the file says.
const AHEAD: Duration = Duration::hours(1);

/// A file as it is found.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    pub name: &'a str,
    pub modified: DateTime<Utc>,
    pub now: DateTime<Utc>,
}

/// What a way says: nothing, a time, or why what it says is none.
type Said = Result<Option<DateTime<Utc>>, Box<Problem>>;

impl Bound {
    /// Whether the file has to be opened to know when it was made.
    #[must_use]
    pub fn is_dated_inside(stream: &Stream) -> bool {
        let mut ways = stream.as_of.0.iter();
        ways.any(|way| way.cell.is_some() || way.column.is_some())
    }

    /// When a file was made. `inside` is what it holds, with its header found, where that is known.
    ///
    /// # Errors
    /// What is wrong with the time, or that there is none.
    pub fn made(
        &self,
        (stream, reading): (&Stream, &Reading),
        found: Found<'_>,
        inside: Option<(&Written, &[String])>,
    ) -> Result<DateTime<Utc>, Box<Problem>> {
        let refuse = |place: &str, said: &str, wanted: String| {
            Box::new(Problem::new(found.name, place, "as_of", said, wanted))
        };
        if stream.as_of.0.is_empty() {
            return Ok(found.modified.min(found.now));
        }
        for way in &stream.as_of.0 {
            let zone = match &way.zone {
                None => self.zone,
                Some(text) => {
                    let zone = self.given.fill_text(text.get_ref()).unwrap_or_default();
                    let wanted = "a time zone such as Asia/Shanghai";
                    zone.parse().map_err(|_| refuse("", &zone, wanted.to_owned()))?
                }
            };
            let said = if let Some(pattern) = &way.name {
                in_name(found.name, pattern.get_ref(), zone)
            } else if let (Some(cell), Some((written, _))) = (&way.cell, inside) {
                in_cell(written, cell.get_ref(), way, zone)
                    .map_err(|(said, wanted)| refuse(&format!("cell {}", cell.get_ref()), &said, wanted))?
            } else if let (Some(column), Some((written, header))) = (&way.column, inside) {
                in_column(
                    found.name,
                    written,
                    reading,
                    header,
                    column.get_ref(),
                    (way, zone),
                )?
            } else if way.modified {
                Some(found.modified.min(found.now))
            } else {
                None
            };
            if let Some(at) = said {
                if at > found.now + AHEAD {
                    let local = at.with_timezone(&zone).format("%Y-%m-%d %H:%M");
                    let wanted = format!("a time that has been, in the zone it is written in ({zone})");
                    return Err(refuse("", &local.to_string(), wanted));
                }
                return Ok(at.min(found.now));
            }
        }
        let ways: Vec<String> = stream.as_of.0.iter().filter_map(wanted).collect();
        Err(refuse("", "no time", ways.join(", or ")))
    }
}

fn wanted(way: &Way) -> Option<String> {
    if let Some(pattern) = &way.name {
        return Some(format!("`{}` in its name", pattern.get_ref()));
    }
    if let Some(cell) = &way.cell {
        return Some(format!("a time in cell {}", cell.get_ref()));
    }
    way.column
        .as_ref()
        .map(|column| format!("a time in column `{}`", column.get_ref()))
}

/// The pattern, wherever in the name it stands; digits around it would make it another number.
fn in_name(name: &str, pattern: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let is_digit = |sign: Option<char>| sign.is_some_and(|sign| sign.is_ascii_digit());
    let mut before = None;
    for (index, sign) in name.char_indices() {
        let inside = is_digit(before) && sign.is_ascii_digit();
        // A dash before a year is no sign of it.
        if inside || matches!(sign, '+' | '-') {
            before = Some(sign);
            continue;
        }
        let rest = name.get(index..).unwrap_or_default();
        before = Some(sign);
        let timed = NaiveDateTime::parse_and_remainder(rest, pattern).ok();
        let found = timed.or_else(|| {
            let (day, rest) = NaiveDate::parse_and_remainder(rest, pattern).ok()?;
            Some((day.and_time(NaiveTime::MIN), rest))
        });
        if let Some((civil, rest)) = found
            && !is_digit(rest.chars().next())
        {
            return Some(crate::calendar::instant_of(civil.date(), civil.time(), zone));
        }
    }
    None
}

fn format_of(way: &Way, zone: Tz) -> Result<TimeFormat, String> {
    let pattern = way.format.as_ref().map_or("year_first", |text| text.get_ref());
    TimeFormat::parse(pattern, zone.name())
}

fn in_cell(
    written: &Written,
    cell: &str,
    way: &Way,
    zone: Tz,
) -> Result<Option<DateTime<Utc>>, (String, String)> {
    let Some(at) = At::parse(cell) else {
        return Ok(None);
    };
    let index = |number: u32| usize::try_from(number).ok()?.checked_sub(1);
    let text = index(at.row)
        .zip(index(at.column))
        .and_then(|(row, column)| written.cell(row, column));
    let Some(text) = text else { return Ok(None) };
    let format = format_of(way, zone).map_err(|wanted| (text.clone(), wanted))?;
    // `导出时间：2026-11-23 08:30`
    let from = text.find(|sign: char| sign.is_ascii_digit()).unwrap_or(0);
    let time = text.get(from..).unwrap_or_default();
    match format.read(time.trim()) {
        Some(at) => Ok(Some(at)),
        None => Err((text, "a time, the year first or as `format` says".to_owned())),
    }
}

fn in_column(
    name: &str,
    written: &Written,
    reading: &Reading,
    header: &[String],
    column: &str,
    (way, zone): (&Way, Tz),
) -> Said {
    let index = header
        .iter()
        .position(|head| head == column || reading.declared_name(head) == column);
    let Some(index) = index else { return Ok(None) };
    let refuse =
        |place: String, said: &str, wanted: String| Box::new(Problem::new(name, place, column, said, wanted));
    let format = format_of(way, zone).map_err(|wanted| refuse(String::new(), "", wanted))?;
    let mut days: BTreeSet<NaiveDate> = BTreeSet::new();
    let mut newest = None;
    for (spot, text) in written.column(index) {
        let Some(at) = format.read(&text) else {
            let wanted = "a time, the year first or as `format` says".to_owned();
            return Err(refuse(spot.place(Some(index)), &text, wanted));
        };
        days.insert(civil_day(at, zone));
        if days.len() > 1 {
            let wanted = "the same day in every row: a file is the stock of one time".to_owned();
            return Err(refuse(spot.place(Some(index)), &text, wanted));
        }
        newest = newest.max(Some(at));
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_stands_anywhere_in_a_name_but_not_inside_a_longer_number() {
        let zone = chrono_tz::Asia::Shanghai;
        let at = |name: &str, pattern: &str| in_name(name, pattern, zone).map(|at| at.to_rfc3339());
        let morning = Some("2026-11-23T00:30:00+00:00".to_owned());
        assert_eq!(at("库存_20261123_0830.xlsx", "%Y%m%d_%H%M"), morning);
        assert_eq!(at("UKMA-2026-11-23 08.30 (1).csv", "%Y-%m-%d %H.%M"), morning);
        let midnight = Some("2026-11-22T16:00:00+00:00".to_owned());
        assert_eq!(at("stock20261123.csv", "%Y%m%d"), midnight);
        assert_eq!(at("v2-stock-20261123.csv", "%Y%m%d"), midnight);
        for name in [
            "stock.csv",
            "stock120261123.csv",
            "stock202611231.csv",
            "stock20261323.csv",
        ] {
            assert_eq!(at(name, "%Y%m%d"), None, "{name}");
        }
    }
}
