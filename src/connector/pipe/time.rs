//! How a source writes times.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use crate::mapping::table::day_and_time;

#[derive(Debug, Clone, PartialEq)]
pub enum TimeFormat {
    Rfc3339,
    /// Seconds or milliseconds since 1970.
    Seconds,
    Millis,
    /// A pattern and the zone it is written in.
    Civil(String, Tz),
    /// As offices write it, the year first, with or without a time; and a spreadsheet's number of days.
    YearFirst(Tz),
}

impl TimeFormat {
    /// `rfc3339`, `epoch_s`, `epoch_ms`, `year_first`, or a pattern of `%Y %m %d %H %M %S %F %T`.
    ///
    /// # Errors
    /// When the pattern is none, or the zone is unknown.
    pub fn parse(pattern: &str, zone: &str) -> Result<Self, String> {
        match pattern {
            "rfc3339" => return Ok(Self::Rfc3339),
            "epoch_s" => return Ok(Self::Seconds),
            "epoch_ms" => return Ok(Self::Millis),
            _ => {}
        }
        let zone_of = |zone: &str| {
            zone.parse()
                .map_err(|_| format!("a time zone such as Asia/Shanghai instead of `{zone}`"))
        };
        if pattern == "year_first" {
            return zone_of(zone).map(Self::YearFirst);
        }
        let wrong = |item| matches!(item, chrono::format::Item::Error);
        if !pattern.contains('%') || chrono::format::StrftimeItems::new(pattern).any(wrong) {
            return Err(format!(
                "rfc3339, epoch_s, epoch_ms, year_first or a pattern such as %Y-%m-%d %H:%M:%S instead of `{pattern}`"
            ));
        }
        Ok(Self::Civil(pattern.to_owned(), zone_of(zone)?))
    }

    #[must_use]
    pub fn read(&self, text: &str) -> Option<DateTime<Utc>> {
        match self {
            // Some write the offset without its colon.
            Self::Rfc3339 => DateTime::parse_from_rfc3339(text)
                .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
                .ok()
                .map(|at| at.with_timezone(&Utc)),
            Self::Seconds => DateTime::from_timestamp(text.parse().ok()?, 0),
            Self::Millis => DateTime::from_timestamp_millis(text.parse().ok()?),
            Self::YearFirst(zone) => year_first(text, *zone),
            Self::Civil(pattern, zone) => {
                let civil = NaiveDateTime::parse_from_str(text, pattern)
                    .or_else(|_| {
                        NaiveDate::parse_from_str(text, pattern).map(|day| day.and_time(NaiveTime::MIN))
                    })
                    .ok()?;
                Some(crate::calendar::instant_of(civil.date(), civil.time(), *zone))
            }
        }
    }

    /// The smallest step it can write; below a day for patterns that write days only, whose end is the day itself.
    #[must_use]
    pub fn unit(&self) -> chrono::Duration {
        match self {
            Self::Millis | Self::YearFirst(_) => chrono::Duration::milliseconds(1),
            Self::Rfc3339 | Self::Seconds => chrono::Duration::seconds(1),
            Self::Civil(pattern, _) if pattern.contains("%S") || pattern.contains("%T") => {
                chrono::Duration::seconds(1)
            }
            Self::Civil(pattern, _) if pattern.contains("%M") => chrono::Duration::minutes(1),
            Self::Civil(..) => chrono::Duration::milliseconds(1),
        }
    }

    #[must_use]
    pub fn write(&self, at: DateTime<Utc>) -> String {
        match self {
            Self::Rfc3339 | Self::YearFirst(_) => at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            Self::Seconds => at.timestamp().to_string(),
            Self::Millis => at.timestamp_millis().to_string(),
            Self::Civil(pattern, zone) => zone
                .from_utc_datetime(&at.naive_utc())
                .format(pattern)
                .to_string(),
        }
    }
}

/// Serials of the years 2000 to 2099: a number outside of them is no day of any export.
const SERIALS: std::ops::Range<i64> = 36_526..73_051;

fn year_first(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    if let Some((civil, offset)) = day_and_time(text) {
        return Some(match offset {
            Some(offset) => civil.and_utc() - chrono::Duration::seconds(i64::from(offset)),
            None => crate::calendar::instant_of(civil.date(), civil.time(), zone),
        });
    }
    // A cell that lost its date format shows days since 1899-12-30, and the part of the day behind the point.
    let serial = text.trim().parse::<Decimal>().ok()?;
    let days = serial.trunc().to_i64().filter(|days| SERIALS.contains(days))?;
    let seconds = (serial.fract() * Decimal::from(86_400)).round().to_i64()?;
    let day = NaiveDate::from_ymd_opt(1899, 12, 30)?.checked_add_signed(chrono::Duration::days(days))?;
    let civil = day.and_time(NaiveTime::MIN) + chrono::Duration::seconds(seconds);
    Some(crate::calendar::instant_of(civil.date(), civil.time(), zone))
}
