//! When clocks end: instants from what is known of a voyage, a stay or a claim.

use chrono::{DateTime, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::model::{Duty, Rule};
use crate::calendar::instant_of;

/// The filing must be in so long before the goods are laden, measured from departure.
const ISF_HOURS: i64 = 24;

/// How far back an open day is looked for.
const MOST_NOTICE: usize = 366;

/// What is known of a voyage to the United States.
#[derive(Debug, Clone)]
pub struct Voyage {
    pub order: String,
    /// The vessel and voyage, which many orders share.
    pub vessel: Option<String>,
    pub departs: Option<DateTime<Utc>>,
    pub departs_zone: Tz,
    pub arrives: Option<DateTime<Utc>>,
    pub arrives_zone: Tz,
    pub owner: Option<String>,
    /// Importer elements that are not known yet.
    pub missing: Vec<String>,
    /// Confirmation numbers of the two parts.
    pub filed: Option<String>,
    pub stuffing_filed: Option<String>,
}

/// Both clocks of the importer security filing; by sea only, which the caller knows. What is filed has none.
#[must_use]
pub fn security_filing(voyage: &Voyage) -> Vec<Duty> {
    let duty = |rule, due: Option<DateTime<Utc>>, zone, missing: &[String]| Duty {
        rule,
        subject: voyage.order.clone(),
        due: due.map(|at| at - Duration::hours(ISF_HOURS)),
        not_before: None,
        zone,
        group: voyage.vessel.clone(),
        owner: voyage.owner.clone(),
        missing: missing.to_vec(),
        facts: Vec::new(),
    };
    let mut duties = Vec::new();
    if voyage.filed.is_none() {
        duties.push(duty(
            Rule::IsfImporter,
            voyage.departs,
            voyage.departs_zone,
            &voyage.missing,
        ));
    }
    if voyage.stuffing_filed.is_none() {
        duties.push(duty(Rule::IsfStuffing, voyage.arrives, voyage.arrives_zone, &[]));
    }
    duties
}

/// The end of a civil day in a zone: what is due on a day may be done until its midnight.
#[must_use]
pub fn end_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    instant_of(day + Duration::days(1), NaiveTime::MIN, zone)
}

/// Why a civil time is no instant for an appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSlot {
    #[error("the clocks skip this hour")]
    Skipped,
    #[error("the clocks pass this hour twice; say which by its offset")]
    Twice,
    #[error("the warehouse is closed on this day")]
    Closed,
}

/// A slot at a warehouse, in its own civil time.
///
/// # Errors
/// On a closed day, and at an hour that does not exist or exists twice.
pub fn slot(
    at: NaiveDateTime,
    zone: Tz,
    closed: impl Fn(NaiveDate) -> bool,
) -> Result<DateTime<Utc>, NoSlot> {
    if closed(at.date()) {
        return Err(NoSlot::Closed);
    }
    match zone.from_local_datetime(&at) {
        LocalResult::Single(instant) => Ok(instant.with_timezone(&Utc)),
        LocalResult::Ambiguous(..) => Err(NoSlot::Twice),
        LocalResult::None => Err(NoSlot::Skipped),
    }
}

/// The last day to ask for a slot on `day`, so many days ahead: days on which the warehouse is closed do not count, and a
/// slot is not asked for on one of them. Nothing where a year has no such day.
#[must_use]
pub fn notice(day: NaiveDate, days: u16, closed: impl Fn(NaiveDate) -> bool) -> Option<NaiveDate> {
    if days == 0 {
        return Some(day);
    }
    let before = day.iter_days().rev().skip(1).take(MOST_NOTICE);
    before.filter(|day| !closed(*day)).nth(usize::from(days) - 1)
}

/// Units of a SKU that came and cannot be sold yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    pub units: i64,
    /// Sold a day.
    pub velocity: Decimal,
    /// What can be sold now.
    pub available: i64,
}

/// Units that customers would buy within so many days and cannot, while these wait. Never more than wait.
#[must_use]
pub fn lost_sales(waiting: &[Waiting], days: i64) -> i64 {
    waiting
        .iter()
        .map(|one| {
            let wanted = (one.velocity * Decimal::from(days.max(0))).floor();
            let wanted = wanted.to_i64().unwrap_or(i64::MAX);
            wanted
                .saturating_sub(one.available.max(0))
                .clamp(0, one.units.max(0))
        })
        .fold(0, i64::saturating_add)
}

/// The days that nine of ten took, at least; nothing of fewer than `least`. What cannot be (negative, longer than a year) is left
/// out.
#[must_use]
pub fn ninetieth(days: &[i64], least: usize) -> Option<i64> {
    let mut days: Vec<i64> = days
        .iter()
        .copied()
        .filter(|days| (0..=366).contains(days))
        .collect();
    if days.len() < least.max(1) {
        return None;
    }
    days.sort_unstable();
    days.get((days.len() * 9).div_ceil(10) - 1).copied()
}

/// So many days later, at the same hour by the clocks of the place: a change of the clocks in between moves no window.
#[must_use]
pub fn days_later(at: DateTime<Utc>, days: i64, zone: Tz) -> DateTime<Utc> {
    let local = at.with_timezone(&zone).naive_local();
    let day = Duration::try_days(days).and_then(|span| local.date().checked_add_signed(span));
    day.map_or(at, |day| instant_of(day, local.time(), zone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::America::{Los_Angeles, New_York};
    use chrono_tz::Asia::Shanghai;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse::<DateTime<chrono::FixedOffset>>().unwrap().to_utc()
    }

    fn voyage() -> Voyage {
        Voyage {
            order: "BH261120-01".to_owned(),
            vessel: Some("EVER GIVEN 123E".to_owned()),
            departs: Some(at("2026-12-01T18:00:00+08:00")),
            departs_zone: Shanghai,
            arrives: Some(at("2026-12-16T06:00:00-08:00")),
            arrives_zone: Los_Angeles,
            owner: None,
            missing: vec!["manufacturer".to_owned()],
            filed: None,
            stuffing_filed: None,
        }
    }

    #[test]
    fn r49_departure_1_december_18_00_shanghai_is_due_30_november_18_00_shanghai() {
        let duties = security_filing(&voyage());
        let due = duties[0].due.unwrap();
        assert_eq!(due, at("2026-11-30T18:00:00+08:00"));
        assert_eq!(
            due.with_timezone(&duties[0].zone).to_rfc3339(),
            "2026-11-30T18:00:00+08:00"
        );
        assert_eq!(duties[0].missing, ["manufacturer"]);
        assert_eq!(duties[1].due.unwrap(), at("2026-12-15T06:00:00-08:00"));
        assert!(duties[1].missing.is_empty());
    }

    #[test]
    fn r49_an_unknown_departure_is_a_duty_and_a_filed_part_is_none() {
        let unknown = Voyage {
            departs: None,
            ..voyage()
        };
        assert_eq!(security_filing(&unknown)[0].due, None);
        let filed = Voyage {
            filed: Some("ISF-1".to_owned()),
            ..voyage()
        };
        assert_eq!(security_filing(&filed).len(), 1);
        let both = Voyage {
            stuffing_filed: Some("ISF-2".to_owned()),
            ..filed
        };
        assert!(security_filing(&both).is_empty());
    }

    #[test]
    fn r49_twenty_four_hours_are_hours_over_both_changes_of_the_clocks() {
        // Spring: 14:00 on the day of the change is 24 hours after 13:00 of the day before.
        let spring = Voyage {
            arrives: Some(at("2026-03-08T14:00:00-07:00")),
            ..voyage()
        };
        let due = security_filing(&spring)[1].due.unwrap();
        assert_eq!(
            due.with_timezone(&Los_Angeles).to_rfc3339(),
            "2026-03-07T13:00:00-08:00"
        );
        let autumn = Voyage {
            arrives: Some(at("2026-11-01T14:00:00-08:00")),
            ..voyage()
        };
        let due = security_filing(&autumn)[1].due.unwrap();
        assert_eq!(
            due.with_timezone(&Los_Angeles).to_rfc3339(),
            "2026-10-31T15:00:00-07:00"
        );
    }

    #[test]
    fn r53_a_slot_on_a_closed_day_or_at_an_hour_that_does_not_exist_is_refused() {
        let time = |text: &str| text.parse::<NaiveDateTime>().unwrap();
        let never = |_| false;
        assert_eq!(
            slot(time("2026-11-27T09:00:00"), New_York, |day| day.to_string()
                == "2026-11-27"),
            Err(NoSlot::Closed)
        );
        assert_eq!(
            slot(time("2026-03-08T02:30:00"), New_York, never),
            Err(NoSlot::Skipped)
        );
        assert_eq!(
            slot(time("2026-11-01T01:30:00"), New_York, never),
            Err(NoSlot::Twice)
        );
        assert_eq!(
            slot(time("2026-11-30T09:00:00"), New_York, never),
            Ok(at("2026-11-30T09:00:00-05:00"))
        );
    }

    #[test]
    fn r53_days_of_notice_are_days_on_which_the_warehouse_is_open() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let holidays = |day: NaiveDate| ("2026-12-24".."2026-12-27").contains(&day.to_string().as_str());
        let before = |days| notice(day("2026-12-29"), days, holidays);
        assert_eq!(before(0), Some(day("2026-12-29")));
        assert_eq!(before(1), Some(day("2026-12-28")));
        assert_eq!(before(2), Some(day("2026-12-27")));
        assert_eq!(before(3), Some(day("2026-12-23")));
        assert_eq!(notice(day("2026-12-29"), 1, |_| true), None);
        assert_eq!(notice(NaiveDate::MIN, 1, holidays), None);
    }

    #[test]
    fn r57_lost_sales_are_what_customers_want_beyond_the_shelf_and_never_more_than_waits() {
        let one = |units, velocity: &str, available| Waiting {
            units,
            velocity: velocity.parse().unwrap(),
            available,
        };
        assert_eq!(lost_sales(&[one(400, "12.5", 0)], 7), 87);
        assert_eq!(lost_sales(&[one(400, "12.5", 60), one(5, "3", 0)], 7), 27 + 5);
        assert_eq!(lost_sales(&[one(400, "1", 50)], 7), 0);
        assert_eq!(lost_sales(&[], 7), 0);
    }

    #[test]
    fn r57_a_ninetieth_needs_five_and_leaves_out_what_cannot_be() {
        assert_eq!(ninetieth(&[1, 2, 3, 4], 5), None);
        assert_eq!(ninetieth(&[6, 1, 2, 3, 4, 5, 6, 2, 3, 9, -4, 4000], 5), Some(6));
        assert_eq!(ninetieth(&[3, 3, 3, 3, 8], 5), Some(8));
    }
}
