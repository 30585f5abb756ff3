//! How a source writes times.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;

#[derive(Debug, Clone, PartialEq)]
pub enum TimeFormat {
    Rfc3339,
    /// Seconds or milliseconds since 1970.
    Seconds,
    Millis,
    /// A pattern and the zone it is written in.
    Civil(String, Tz),
}

impl TimeFormat {
    /// `rfc3339`, `epoch_s`, `epoch_ms`, or a pattern of `%Y %m %d %H %M %S %F %T`.
    ///
    /// # Errors
    /// When the zone is unknown.
    pub fn parse(pattern: &str, zone: &str) -> Result<Self, String> {
        match pattern {
            "rfc3339" => return Ok(Self::Rfc3339),
            "epoch_s" => return Ok(Self::Seconds),
            "epoch_ms" => return Ok(Self::Millis),
            _ => {}
        }
        if !pattern.contains('%') {
            return Err(format!(
                "rfc3339, epoch_s, epoch_ms or a pattern such as %Y-%m-%d %H:%M:%S instead of `{pattern}`"
            ));
        }
        let zone = zone
            .parse()
            .map_err(|_| format!("a time zone such as Asia/Shanghai instead of `{zone}`"))?;
        Ok(Self::Civil(pattern.to_owned(), zone))
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
            Self::Millis => chrono::Duration::milliseconds(1),
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
            Self::Rfc3339 => at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            Self::Seconds => at.timestamp().to_string(),
            Self::Millis => at.timestamp_millis().to_string(),
            Self::Civil(pattern, zone) => zone
                .from_utc_datetime(&at.naive_utc())
                .format(pattern)
                .to_string(),
        }
    }
}
