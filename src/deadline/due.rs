//! When clocks end: instants from what is known of a voyage, a stay or a claim.

use chrono::{DateTime, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::model::{Duty, Rule};
use crate::calendar::instant_of;

/// The filing must be in so long before the goods are laden, measured from departure.
const ISF_HOURS: i64 = 24;

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

/// A tier of storage fees: from this age on, so much a unit and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    pub from_day: i64,
    pub fee: Decimal,
}

/// Units that came in together and leave oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    /// The day its clock began: arrival, receipt or putaway, as the warehouse has it. Age 0 is that day.
    pub clock_from: NaiveDate,
    pub units: i64,
}

/// A day on which units enter a dearer tier, and how many will still be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub day: NaiveDate,
    pub lot: NaiveDate,
    pub units: i64,
    pub fee: Decimal,
}

/// What is expected of storage over some days.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Storage {
    pub fee: Decimal,
    /// In the order of their days.
    pub steps: Vec<Step>,
}

/// Walks the lots day by day from `from` on for `days` days: `a_day` units leave each day before the day's fee is
/// counted, the oldest first. The last unit of a day leaves in whole units, as the sum of what should have left does.
#[must_use]
pub fn storage(lots: &[Lot], tiers: &[Tier], a_day: Decimal, from: NaiveDate, days: i64) -> Storage {
    let mut lots = lots.to_vec();
    lots.sort_by_key(|lot| lot.clock_from);
    let mut tiers = tiers.to_vec();
    tiers.sort_by_key(|tier| tier.from_day);
    let mut found = Storage::default();
    let mut gone = 0_i64;
    for n in 0..days.max(0) {
        let day = from + Duration::days(n);
        let should = (a_day * Decimal::from(n + 1)).floor();
        let mut leave = i64::try_from(should).unwrap_or(i64::MAX).saturating_sub(gone);
        for lot in lots.iter_mut().filter(|lot| lot.clock_from <= day) {
            let units = leave.min(lot.units).max(0);
            lot.units -= units;
            leave -= units;
            gone += units;
        }
        for lot in lots.iter().filter(|lot| lot.clock_from <= day && lot.units > 0) {
            let age = (day - lot.clock_from).num_days();
            let Some(tier) = tiers.iter().rev().find(|tier| tier.from_day <= age) else {
                continue;
            };
            found.fee += tier.fee * Decimal::from(lot.units);
            if tier.from_day == age && tier.fee > Decimal::ZERO {
                found.steps.push(Step {
                    day,
                    lot: lot.clock_from,
                    units: lot.units,
                    fee: tier.fee,
                });
            }
        }
    }
    found
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
    fn r58_thirty_free_days_100_units_at_5_a_day() {
        // 100 units on the thirtieth day: the day's 5 leave, 95 enter the paid tier, and the last ones leave 19 days later.
        let received: NaiveDate = "2026-10-01".parse().unwrap();
        let lots = [Lot {
            clock_from: received,
            units: 100,
        }];
        let tiers = [
            Tier {
                from_day: 0,
                fee: Decimal::ZERO,
            },
            Tier {
                from_day: 30,
                fee: Decimal::new(50, 2),
            },
        ];
        let found = storage(&lots, &tiers, Decimal::from(5), "2026-10-31".parse().unwrap(), 30);
        assert_eq!(
            found.steps,
            [Step {
                day: "2026-10-31".parse().unwrap(),
                lot: received,
                units: 95,
                fee: Decimal::new(50, 2)
            }]
        );
        // 95 + 90 + … + 5 unit days.
        assert_eq!(found.fee, Decimal::new(95 * 20 / 2 * 50, 2));
    }

    #[test]
    fn r58_seven_tiers_come_out_as_by_hand() {
        let from: NaiveDate = "2026-01-01".parse().unwrap();
        let fee = |cents| Decimal::new(cents, 2);
        let tiers: Vec<Tier> = [(0, 0), (30, 1), (60, 2), (90, 3), (120, 4), (180, 5), (365, 9)]
            .map(|(from_day, cents)| Tier {
                from_day,
                fee: fee(cents),
            })
            .to_vec();
        let lots = [Lot {
            clock_from: from,
            units: 10,
        }];
        let found = storage(&lots, &tiers, Decimal::ZERO, from, 400);
        let by_hand = 10 * (30 + 30 * 2 + 30 * 3 + 60 * 4 + 185 * 5 + 35 * 9);
        assert_eq!(found.fee, fee(by_hand));
        assert_eq!(found.steps.len(), 6);
    }

    #[test]
    fn the_oldest_leave_first_and_what_is_still_to_come_costs_nothing_yet() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let lots = [
            Lot {
                clock_from: day("2026-02-01"),
                units: 5,
            },
            Lot {
                clock_from: day("2026-01-01"),
                units: 3,
            },
        ];
        let tiers = [Tier {
            from_day: 0,
            fee: Decimal::ONE,
        }];
        let found = storage(&lots, &tiers, Decimal::new(5, 1), day("2026-01-30"), 4);
        // 3, 2, then the new lot: 2 + 5, 1 + 5.
        assert_eq!(found.fee, Decimal::from(3 + 2 + 7 + 6));
    }
}
