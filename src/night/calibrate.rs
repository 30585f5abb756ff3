//! Judges earlier decisions before a plan, and writes the new ones down after it.

use std::collections::BTreeMap;

use crate::digest::sha256_hex;
use crate::ids::{AccountId, Sku, WarehouseCode};
use crate::order::Mode;
use crate::planner::calibration::{Decision, Outcome, decisions, learn};
use crate::planner::{ItemSeries, Plan, Policy, SalesClass, Snapshot};
use crate::store::{StoreError, Tx, calibration};

/// Decisions of one segment that are judged, at most: more tell no more.
const MOST_OF_A_SEGMENT: usize = 2_000;

/// What was judged for a plan, to be kept when the plan is.
#[derive(Debug, Default)]
pub struct Judged {
    decisions: Vec<(Decision, Option<Outcome>)>,
}

/// The policy with what decisions attained up to today, and the decisions judged now.
///
/// # Errors
/// When the store fails.
pub async fn policy(
    tx: &mut Tx,
    account: &AccountId,
    snapshot: &Snapshot,
    policy: &Policy,
) -> Result<(Policy, Judged), StoreError> {
    if !policy.calibrate {
        return Ok((policy.clone(), Judged::default()));
    }
    let mut states = calibration::states(tx, account).await?;
    let items: BTreeMap<(&WarehouseCode, &Sku), &ItemSeries> = snapshot
        .series
        .iter()
        .map(|item| ((&item.warehouse, &item.sku), item))
        .collect();
    let judged: Vec<(Decision, Option<Outcome>)> = calibration::due(tx, account, snapshot.as_of)
        .await?
        .into_iter()
        .map(|decision| {
            let item = items.get(&(&decision.warehouse, &decision.sku));
            let outcome = item.and_then(|item| decision.judge(&item.sales));
            (decision, outcome)
        })
        .collect();
    let told = judged
        .iter()
        .filter_map(|(decision, outcome)| Some((decision, (*outcome)?.covered_ppm)));
    learn(&mut states, told);
    Ok((
        Policy {
            calibration: states,
            ..policy.clone()
        },
        Judged { decisions: judged },
    ))
}

/// Keeps what was judged, and the decisions of this plan when a review has passed since the last ones.
///
/// # Errors
/// When the store fails.
pub async fn keep(
    tx: &mut Tx,
    account: &AccountId,
    judged: &Judged,
    (snapshot, policy, plan): (&Snapshot, &Policy, &Plan),
) -> Result<(), StoreError> {
    if !policy.calibrate {
        return Ok(());
    }
    if !judged.decisions.is_empty() {
        calibration::keep(tx, account, plan.as_of, &judged.decisions, &policy.calibration).await?;
    }
    let last = calibration::last_recorded(tx, account).await?;
    let since = last.map(|last| (plan.as_of - last).num_days());
    if since.is_some_and(|days| days != 0 && days < policy.review_days) {
        return Ok(());
    }
    let made = a_share_of(decisions(snapshot, policy, plan));
    calibration::record(tx, account, &made).await?;
    Ok(())
}

/// The same items each time, so that none is judged for having been chosen: those whose names' digests come first.
fn a_share_of(decisions: Vec<Decision>) -> Vec<Decision> {
    type Segment = (WarehouseCode, Mode, SalesClass, u16);
    let mut segments: BTreeMap<Segment, Vec<Decision>> = BTreeMap::new();
    for decision in decisions {
        let segment = (
            decision.warehouse.clone(),
            decision.mode,
            decision.class,
            decision.target_permille,
        );
        segments.entry(segment).or_default().push(decision);
    }
    segments
        .into_values()
        .flat_map(|mut decisions| {
            if decisions.len() > MOST_OF_A_SEGMENT {
                decisions.sort_by_cached_key(|decision| sha256_hex(decision.sku.as_str().as_bytes()));
                decisions.truncate(MOST_OF_A_SEGMENT);
            }
            decisions
        })
        .collect()
}
