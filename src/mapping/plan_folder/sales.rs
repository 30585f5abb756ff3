//! Daily sales: which day was a zero, which a gap, and which had nothing to sell.

use std::collections::BTreeSet;

use chrono::{Datelike as _, NaiveDate};

use super::cells::{Sheet, count, date, flag};
use super::facts::{sku, warehouse};
use super::policy::AbsentDay;
use super::{Assumption, Draft};
use crate::ids::WarehouseCode;
use crate::planner::history::bundles::Bundles;
use crate::planner::{DailySales, DayUnits};
use crate::problem::Problem;

/// First and last day of the file that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SalesPeriod {
    pub first: NaiveDate,
    pub last: NaiveDate,
}

/// How a day without a row is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    Zero,
    Gap,
}

/// Rows of one line, as they stand in the file.
#[derive(Debug, Default)]
pub struct SalesDraft {
    rows: Vec<SalesRow>,
}

#[derive(Debug, Clone, Copy)]
struct SalesRow {
    day: NaiveDate,
    /// None: the cell is empty or cannot be read.
    units: Option<i64>,
    in_stock: Option<bool>,
}

/// Longest history that is kept.
const LONGEST_DAYS: i64 = 3_660;

/// Reads the rows before `as_of`; None when there are none.
pub fn rows(
    sheet: &Sheet,
    default: Option<&WarehouseCode>,
    as_of: NaiveDate,
    draft: &mut Draft,
    assumptions: &mut Vec<Assumption>,
    problems: &mut Vec<Problem>,
) -> Option<SalesPeriod> {
    let mut period: Option<SalesPeriod> = None;
    let (mut later, mut older) = (0_i64, 0_i64);
    for row in sheet.rows() {
        let key = warehouse(sheet, &row, default, problems).zip(sku(sheet, &row, problems));
        let day = sheet.value(&row, "date", "a date such as 2026-11-22", problems, date);
        if sheet.cell(&row, "date").is_empty() {
            sheet.problem(&row, "date", "a date such as 2026-11-22", problems);
        }
        let units = sheet.value(&row, "units", "a whole number, 0 or more", problems, count);
        let in_stock = sheet.value(&row, "in_stock", "yes or no", problems, flag);
        let (Some(key), Some(day)) = (key, day) else {
            continue;
        };
        // The as-of day is not over: its sales, and all later ones, are not known.
        if day >= as_of {
            later += 1;
            continue;
        }
        if (as_of - day).num_days() > LONGEST_DAYS {
            older += 1;
            continue;
        }
        period = Some(match period {
            None => SalesPeriod {
                first: day,
                last: day,
            },
            Some(seen) => SalesPeriod {
                first: seen.first.min(day),
                last: seen.last.max(day),
            },
        });
        draft
            .sales
            .entry(key)
            .or_default()
            .rows
            .push(SalesRow { day, units, in_stock });
    }
    if later > 0 {
        assumptions.push(Assumption::new("later_rows_ignored", later.to_string()));
    }
    if older > 0 {
        assumptions.push(Assumption::new("older_rows_ignored", older.to_string()));
    }
    if !sheet.has("in_stock") {
        assumptions.push(Assumption::new("no_in_stock_column", "0"));
    }
    period
}

/// A file that writes zeros and has a row for at least so many of a hundred days writes every day.
const DENSE_PERCENT: i64 = 50;

/// A weekday on which the file has rows in at least so many of a hundred weeks is a day of business.
const OPEN_PERCENT: usize = 85;

/// Days of business without a single row in the whole file: the export missed them, nobody sold nothing.
pub fn missed_days(
    draft: &Draft,
    period: SalesPeriod,
    assumptions: &mut Vec<Assumption>,
) -> BTreeSet<NaiveDate> {
    let seen: BTreeSet<NaiveDate> = draft
        .sales
        .values()
        .flat_map(|line| line.rows.iter().map(|row| row.day))
        .collect();
    let days = || period.first.iter_days().take_while(|day| *day <= period.last);
    let mut weekdays = [(0_usize, 0_usize); 7];
    for day in days() {
        if let Some((open, all)) = weekdays.get_mut(day.weekday().num_days_from_monday() as usize) {
            *open += usize::from(seen.contains(&day));
            *all += 1;
        }
    }
    let business = |day: &NaiveDate| {
        weekdays
            .get(day.weekday().num_days_from_monday() as usize)
            .is_some_and(|(open, all)| open * 100 >= all * OPEN_PERCENT)
    };
    let missed: BTreeSet<NaiveDate> = days()
        .filter(|day| !seen.contains(day) && business(day))
        .collect();
    if !missed.is_empty() {
        assumptions.push(Assumption::new("missed_days", missed.len().to_string()));
    }
    missed
}

/// Decides once for the whole file what a missing row means, and says so.
pub fn absent_day(
    setting: AbsentDay,
    draft: &Draft,
    period: SalesPeriod,
    assumptions: &mut Vec<Assumption>,
) -> Absent {
    let absent = match setting {
        AbsentDay::Zero => Absent::Zero,
        AbsentDay::Gap => Absent::Gap,
        AbsentDay::Auto => {
            let (mut rows, mut days, mut zeros) = (0_i64, 0_i64, 0_i64);
            for line in draft.sales.values() {
                let first = line.rows.iter().map(|row| row.day).min().unwrap_or(period.last);
                days += (period.last - first).num_days() + 1;
                rows += i64::try_from(line.rows.len()).unwrap_or(i64::MAX);
                let is_zero = |row: &&SalesRow| row.units == Some(0) && row.in_stock != Some(false);
                zeros += i64::try_from(line.rows.iter().filter(is_zero).count()).unwrap_or(i64::MAX);
            }
            if zeros > 0 && rows * 100 >= days * DENSE_PERCENT {
                Absent::Gap
            } else {
                Absent::Zero
            }
        }
    };
    assumptions.push(Assumption::new(
        match absent {
            Absent::Zero => "absent_day_zero",
            Absent::Gap => "absent_day_gap",
        },
        format!("{}…{}", period.first, period.last),
    ));
    absent
}

/// Sales of sets become sales of their components; answers how many sets there were.
pub fn open_sets(draft: &mut Draft, bundles: &Bundles) -> usize {
    let sets: Vec<_> = draft
        .sales
        .keys()
        .filter(|(_, sku)| bundles.is_set(sku))
        .cloned()
        .collect();
    for key in &sets {
        let Some(rows) = draft.sales.remove(key) else {
            continue;
        };
        for row in rows.rows {
            for (sku, units) in bundles.opened(&key.1, 1) {
                let component = SalesRow {
                    units: row.units.and_then(|sold| sold.checked_mul(units)),
                    // Whether a set could be had says nothing of what is in it.
                    in_stock: None,
                    ..row
                };
                draft
                    .sales
                    .entry((key.0.clone(), sku))
                    .or_default()
                    .rows
                    .push(component);
            }
        }
    }
    sets.len()
}

impl SalesDraft {
    /// A day's rows are added up; one unreadable row makes the day a gap. A day with sales had stock.
    pub fn into_daily(self, period: SalesPeriod, absent: Absent, missed: &BTreeSet<NaiveDate>) -> DailySales {
        let mut rows = self.rows;
        rows.sort_by_key(|row| row.day);
        let Some(first) = rows.first().map(|row| row.day) else {
            return DailySales::empty(period.first);
        };
        let length = usize::try_from((period.last - first).num_days() + 1).unwrap_or(0);
        let fill = match absent {
            Absent::Zero => Some(0),
            Absent::Gap => None,
        };
        let mut units: DayUnits = std::iter::repeat_n(fill, length).collect();
        for day in missed {
            if let Ok(index) = usize::try_from((*day - first).num_days()) {
                units.set(index, None);
            }
        }
        let mut in_stock = vec![None; length];
        for day in rows.chunk_by(|a, b| a.day == b.day) {
            let Some(index) = day
                .first()
                .and_then(|row| usize::try_from((row.day - first).num_days()).ok())
            else {
                continue;
            };
            let total: Option<i64> = day.iter().map(|row| row.units).sum();
            units.set(index, total.and_then(|total| u32::try_from(total).ok()));
            let said = day.iter().filter_map(|row| row.in_stock).reduce(|a, b| a || b);
            if let Some(slot) = in_stock.get_mut(index) {
                *slot = if total.is_some_and(|total| total > 0) {
                    Some(true)
                } else {
                    said
                };
            }
        }
        if in_stock.iter().all(|known| *known != Some(false)) {
            in_stock.clear();
        }
        DailySales {
            first_day: first,
            units,
            in_stock,
        }
    }
}
