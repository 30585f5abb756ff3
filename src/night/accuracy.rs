//! Forecasts whose days have passed are judged once, a few days of plans a night.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, Duration};

use super::{Night, NightError};
use crate::ids::{Sku, WarehouseCode};
use crate::planner::history::accuracy::{Said, judge, said};
use crate::planner::{ItemSeries, Plan, Snapshot};
use crate::store::accuracy::{self, Judged};
use crate::store::plans;

/// Plans that are looked at.
const MOST_PLANS: i64 = 500;
/// Plans that are judged in one night: a late start catches up over some weeks.
const MOST_A_NIGHT: usize = 7;
/// No plan younger than this has had its days.
const LEAST_DAYS: i64 = 14;

/// Judges the oldest plans that are not judged yet and whose last line's days are over.
///
/// # Errors
/// When the store fails.
pub async fn keep(night: &Night<'_>) -> Result<usize, NightError> {
    if night.dry_run {
        return Ok(0);
    }
    let (account, today) = (night.account(), night.today());
    let mut tx = night.store.read().await?;
    let oldest = today - Duration::days(night.config.plan.history_days);
    let done: BTreeSet<_> = accuracy::judged_days(&mut tx, account, oldest)
        .await?
        .into_iter()
        .collect();
    let mut days = BTreeMap::new();
    // Newest first: the last plan of a day is the one people had.
    for head in plans::history(&mut tx, account, MOST_PLANS).await? {
        let old = (today - head.as_of).num_days() >= LEAST_DAYS && head.as_of >= oldest;
        if old && !done.contains(&head.as_of) {
            days.entry(head.as_of).or_insert(head);
        }
    }
    if days.is_empty() {
        return Ok(0);
    }
    let Some(current) = plans::latest_head(&mut tx, account).await? else {
        return Ok(0);
    };
    let (facts, _) = plans::inputs(&mut tx, account, &current).await?;
    let sales = Sales::new(&facts);
    let mut rows = Vec::new();
    let mut judged = 0;
    for head in days.into_values() {
        let plan: Plan = plans::get(&mut tx, account, head.id.as_str()).await?;
        let lines = said(&plan);
        if lines.is_empty() {
            continue;
        }
        // The next ones are younger still.
        if judged == MOST_A_NIGHT || lines.iter().any(|line| line.until > facts.as_of) {
            break;
        }
        judged += 1;
        let of_plan = judge(&lines, |line| sales.of(line));
        rows.extend(of_plan.into_iter().map(|((warehouse, class), accuracy)| Judged {
            made_on: plan.as_of,
            warehouse,
            class,
            plan: plan.id.clone(),
            accuracy,
        }));
    }
    drop(tx);
    if !rows.is_empty() {
        let mut tx = night.store.write().await?;
        accuracy::keep(&mut tx, account, &rows, night.now()).await?;
        tx.commit().await?;
    }
    Ok(judged)
}

struct Sales<'a>(BTreeMap<(&'a WarehouseCode, &'a Sku), &'a ItemSeries>);

impl<'a> Sales<'a> {
    fn new(facts: &'a Snapshot) -> Self {
        let lines = facts.series.iter();
        Self(lines.map(|item| ((&item.warehouse, &item.sku), item)).collect())
    }

    /// Units of a line's days; None when one of them had no data or nothing to sell.
    fn of(&self, said: &Said) -> Option<i64> {
        let sales = &self.0.get(&(&said.warehouse, &said.sku))?.sales;
        let mut sum = 0;
        let mut day = said.from;
        while day < said.until {
            let index = usize::try_from((day - sales.first_day).num_days()).ok()?;
            if sales.out_of_stock(index) {
                return None;
            }
            sum += i64::from(sales.units.get(index)?);
            day = day.checked_add_days(Days::new(1))?;
        }
        Some(sum)
    }
}
