//! What may be ordered while linkstar is on trial (R77).

use std::collections::BTreeMap;

use super::Night;
use super::issue::ApprovedLine;
use crate::config::{TrialRule, TrialStage};
use crate::ids::{OrderNo, PlanId};
use crate::order::{OrderState, StockingOrder};
use crate::problem::Problem;
use crate::store::orders::{self, HeldLine};
use crate::store::{StoreError, Tx};

/// Units ordered so far under each rule that has a limit, by the rule's place.
pub struct Spent(BTreeMap<usize, i64>);

impl Spent {
    /// Counts the orders that linkstar issued and nobody cancelled. `but` is left out: it is being issued anew.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn count(night: &Night<'_>, tx: &mut Tx, but: Option<&OrderNo>) -> Result<Self, StoreError> {
        let rules = &night.config.trial.rules;
        let mut spent: BTreeMap<usize, i64> = BTreeMap::new();
        if rules.iter().all(|rule| rule.max_units.is_none()) {
            return Ok(Self(spent));
        }
        for stored in orders::all(tx, night.account()).await? {
            let order = &stored.order;
            let counts = order.plan.is_some()
                && stored.state != OrderState::Cancelled
                && but.is_none_or(|number| *number != order.number);
            for (place, rule) in rules.iter().enumerate().filter(|_| counts) {
                *spent.entry(place).or_default() += units_under(rule, order);
            }
        }
        Ok(Self(spent))
    }

    #[must_use]
    pub fn of(&self, rule: usize) -> i64 {
        self.0.get(&rule).copied().unwrap_or(0)
    }

    /// Takes the line's units from every limit that holds for it; a line that goes over one is taken from none.
    fn take(&mut self, night: &Night<'_>, line: &ApprovedLine) -> Result<(), Problem> {
        let trial = &night.config.trial;
        let trusted = trial.of(&line.warehouse, &line.sku, line.mode);
        let problem = |field: &str, found: String, wanted: String| {
            Problem::new(
                "linkstar.toml",
                format!("{}/{}", line.warehouse, line.sku),
                field,
                found,
                wanted,
            )
        };
        if trusted.stage == TrialStage::Shadow {
            return Err(problem(
                "trial.stage",
                "shadow".to_owned(),
                "pilot or live before anything is ordered".to_owned(),
            ));
        }
        for place in &trusted.limits {
            let limit = trial.rules.get(*place).and_then(|rule| rule.max_units);
            let sum = self.of(*place).saturating_add(line.units);
            if let Some(limit) = limit.filter(|limit| sum > *limit) {
                return Err(problem(
                    &format!("trial.rule.{}.max_units", place + 1),
                    format!("{} units ordered and {} more", self.of(*place), line.units),
                    format!("at most {limit} in all"),
                ));
            }
        }
        for place in trusted.limits {
            *self.0.entry(place).or_default() += line.units;
        }
        Ok(())
    }
}

fn units_under(rule: &TrialRule, order: &StockingOrder) -> i64 {
    if rule.since.is_some_and(|since| order.created_on < since) {
        return 0;
    }
    order
        .lines
        .iter()
        .filter(|line| rule.speaks_of(&order.warehouse, &line.goods.sku, order.mode))
        .map(|line| line.units)
        .sum()
}

/// The lines that may be ordered, and the others with the reason; in the order given, each line whole or not at all.
///
/// # Errors
/// When the store fails.
pub(super) async fn admit<'l>(
    night: &Night<'_>,
    tx: &mut Tx,
    plan: &PlanId,
    lines: impl IntoIterator<Item = &'l ApprovedLine>,
) -> Result<(Vec<&'l ApprovedLine>, Vec<HeldLine>), StoreError> {
    let mut spent = Spent::count(night, tx, None).await?;
    let (mut admitted, mut held) = (Vec::new(), Vec::new());
    for line in lines {
        match spent.take(night, line) {
            Ok(()) => admitted.push(line),
            Err(problem) => held.push(HeldLine {
                plan: plan.clone(),
                warehouse: line.warehouse.clone(),
                sku: line.sku.clone(),
                mode: line.mode.code().to_owned(),
                units: line.units,
                problems: vec![problem.into()],
                since: None,
            }),
        }
    }
    Ok((admitted, held))
}

/// As [`admit`] for the lines an order is issued anew with: everything that is in the way.
///
/// # Errors
/// When the store fails.
pub(super) async fn admit_again(
    night: &Night<'_>,
    tx: &mut Tx,
    order: &OrderNo,
    lines: &[ApprovedLine],
) -> Result<Vec<Problem>, StoreError> {
    let mut spent = Spent::count(night, tx, Some(order)).await?;
    Ok(lines
        .iter()
        .filter_map(|line| spent.take(night, line).err())
        .collect())
}
