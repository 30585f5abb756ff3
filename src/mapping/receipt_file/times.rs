//! Times of batches, as reports write them.

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;

use crate::calendar::instant_of;
use crate::mapping::table::{Row, day_and_time};

pub(super) fn instant(row: &mut Row<'_>, name: &str, zone: Tz, ledger: bool) -> Option<DateTime<Utc>> {
    let wanted = if ledger {
        "the time of the batch, like 11/22/2026 or 2026-11-22"
    } else {
        "the time of the batch, like 2026-11-22 10:30"
    };
    let read = |text: &str| -> Option<(NaiveDateTime, Option<i32>)> {
        day_and_time(text).or_else(|| {
            // Amazon's ledger alone writes the month first.
            let day = ledger.then(|| NaiveDate::parse_from_str(text, "%m/%d/%Y").ok())??;
            Some((day.and_hms_opt(0, 0, 0)?, None))
        })
    };
    let (local, offset) = row.required(name, wanted, |text| read(text).filter(|(at, _)| plausible(*at)))?;
    Some(match offset {
        Some(seconds) => (local - Duration::seconds(i64::from(seconds))).and_utc(),
        None => instant_of(local.date(), local.time(), zone),
    })
}

/// A year out of this range is a slip or an empty date in disguise (1970, 1900).
fn plausible(at: NaiveDateTime) -> bool {
    is_plausible_day(at.date())
}

pub(super) fn is_plausible_day(day: NaiveDate) -> bool {
    (2000..=2100).contains(&day.year())
}
