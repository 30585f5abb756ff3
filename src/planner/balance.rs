//! The balance day by day: what is there, what arrives when, and from which day on there is nothing to sell.
//!
//! Demand that meets an empty shelf is lost: goods that arrive later serve later days only.

use chrono::{Days, NaiveDate};

/// Units that arrive on a day, counted from `as_of` (day 0). Arrivals stand ready at the start of their day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    pub day: i64,
    pub late_day: i64,
    pub units: i64,
}

/// Walks the balance: units left at the end of each day. `demand(d)` is the demand of day `d`; `late` takes the arrivals' late day.
pub fn walk(
    opening: i64,
    arrivals: &[Arrival],
    late: bool,
    horizon: usize,
    demand: impl Fn(usize) -> f64,
) -> Vec<f64> {
    let mut incoming = vec![0_i64; horizon];
    for arrival in arrivals {
        let day = if late { arrival.late_day } else { arrival.day };
        if let Some(slot) = usize::try_from(day.max(0))
            .ok()
            .and_then(|day| incoming.get_mut(day))
        {
            *slot += arrival.units;
        }
    }
    let mut ends = Vec::with_capacity(horizon);
    // Sold-and-owed units (a negative stock) are served first.
    let mut balance = opening as f64;
    for (day, units) in incoming.iter().enumerate() {
        balance += *units as f64;
        let left = balance - demand(day);
        balance = if balance < 0.0 { balance } else { left.max(0.0) };
        ends.push(balance.max(0.0));
    }
    ends
}

/// Demand of days `from..to` that the arrivals come too late for, on the expected path: the largest shortfall of
/// what has come by a day against what was wanted by it.
///
/// Returns the shortfall at its worst day, and the demand lost in all.
pub fn shortfall(opening: i64, arrivals: &[Arrival], to: usize, demand: impl Fn(usize) -> f64) -> (f64, f64) {
    let mut worst = 0.0_f64;
    let mut lost = 0.0;
    let mut balance = opening as f64;
    let mut wanted = 0.0;
    let mut come = opening as f64;
    for day in 0..to {
        let units: i64 = arrivals
            .iter()
            .filter(|arrival| arrival.day.max(0) == day as i64)
            .map(|arrival| arrival.units)
            .sum();
        balance += units as f64;
        come += units as f64;
        let today = demand(day);
        wanted += today;
        worst = worst.max(wanted - come);
        let served = today.min(balance.max(0.0));
        lost += today - served;
        balance -= served;
    }
    (worst, lost)
}

/// The civil day so many days after `as_of`.
#[must_use]
pub fn day_after(as_of: NaiveDate, days: i64) -> NaiveDate {
    match u64::try_from(days) {
        Ok(days) => as_of.checked_add_days(Days::new(days)),
        Err(_) => as_of.checked_sub_days(Days::new(days.unsigned_abs())),
    }
    .unwrap_or(as_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r17_late_units_do_not_rescue_an_earlier_stockout() {
        let arrivals = [Arrival {
            day: 30,
            late_day: 35,
            units: 1000,
        }];
        let ends = walk(100, &arrivals, false, 60, |_| 20.0);
        assert_eq!((ends[3], ends[4], ends[29]), (20.0, 0.0, 0.0));
        assert_eq!(ends[30], 980.0);
        let (worst, lost) = shortfall(100, &arrivals, 52, |_| 20.0);
        assert_eq!((worst, lost), (500.0, 500.0));
    }

    #[test]
    fn r10_units_awaiting_putaway_arrive_on_their_day_and_not_before() {
        let pending = [Arrival {
            day: 4,
            late_day: 4,
            units: 50,
        }];
        let split = walk(100, &pending, false, 30, |_| 40.0);
        let all = walk(150, &[], false, 30, |_| 40.0);
        // 100 serve two days and half of the third; 150 would have served three and most of the fourth.
        assert_eq!((split[1], split[2], all[2]), (20.0, 0.0, 30.0));
    }

    #[test]
    fn what_is_owed_is_served_before_anything_is_sold() {
        let arrivals = [Arrival {
            day: 2,
            late_day: 2,
            units: 30,
        }];
        let ends = walk(-10, &arrivals, false, 5, |_| 5.0);
        assert_eq!(ends, vec![0.0, 0.0, 15.0, 10.0, 5.0]);
    }
}
