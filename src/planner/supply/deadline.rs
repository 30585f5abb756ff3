//! Arrival deadlines of platforms, counted back by mode (R16).

use chrono::{Datelike as _, NaiveDate};

use super::calendar::MissingYear;
use super::facts::ArrivalDeadline;
use super::{DeadlineMode, DeadlineView};
use crate::ids::WarehouseCode;
use crate::planner::balance::day_after;
use crate::planner::lead::LaneDays;

/// The deadlines of a warehouse.
#[derive(Debug, Default)]
pub struct Deadlines<'a> {
    /// From the as-of date on, by date.
    ahead: Vec<&'a ArrivalDeadline>,
    /// A calendar of deadlines whose years end before goods ordered today arrive.
    pub missing: Option<MissingYear>,
}

impl<'a> Deadlines<'a> {
    #[must_use]
    pub fn new(
        all: &'a [ArrivalDeadline],
        warehouse: &WarehouseCode,
        as_of: NaiveDate,
        reach_days: i64,
    ) -> Self {
        let mut here: Vec<&ArrivalDeadline> = all
            .iter()
            .filter(|deadline| deadline.warehouse.as_ref().is_none_or(|code| code == warehouse))
            .collect();
        here.sort_by(|a, b| (a.date, &a.calendar, &a.name).cmp(&(b.date, &b.calendar, &b.name)));
        let reach = day_after(as_of, reach_days).year();
        let mut names: Vec<&str> = here.iter().map(|deadline| deadline.calendar.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let missing = names.into_iter().find_map(|name| {
            let has = |year: i32| {
                here.iter()
                    .any(|one| one.calendar == name && one.date.year() == year)
            };
            let year = (as_of.year()..=reach).find(|year| !has(*year))?;
            Some(MissingYear {
                calendar: name.to_owned(),
                year,
            })
        });
        here.retain(|deadline| deadline.date >= as_of);
        Self { ahead: here, missing }
    }

    /// The first deadline that some lane can still make, or else the first at all.
    #[must_use]
    pub fn next(&self, lanes: &[LaneDays], as_of: NaiveDate, permille: u16) -> Option<DeadlineView> {
        let view = |deadline: &ArrivalDeadline| DeadlineView {
            name: deadline.name.clone(),
            date: deadline.date,
            modes: lanes
                .iter()
                .map(|lane| {
                    let day = (deadline.date - as_of).num_days();
                    let order = lane.latest_order(day, permille);
                    DeadlineMode {
                        mode: lane.mode,
                        order_by: day_after(as_of, order),
                        ship_by: day_after(as_of, lane.latest_hand_over(day, permille)),
                        in_time: order >= 0,
                    }
                })
                .collect(),
        };
        self.ahead.first().map(|deadline| view(deadline))
    }
}
