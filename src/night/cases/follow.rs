//! What the reconciliation means for cases: opened from final differences, their units kept true, drafts reduced or withdrawn when
//! units come to light. Doing it twice does nothing.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::scene::{More, World, scene, scene_of_claim};
use crate::catalog::Catalog;
use crate::claim::LossKind;
use crate::claim::case::{Case, CaseEvent, CaseEventKind, CaseState, Missing, Subject};
use crate::claim::responsibility::{propose, propose_timing};
use crate::claim::state::{Claim, ClaimEvent, ClaimEventKind, ClaimState, Claimed};
use crate::night::{Night, NightError};
use crate::reconcile::{Difference, Kind};
use crate::store::differences::StoredDifference;
use crate::store::{Tx, claims, differences};

/// Who writes what no person wrote.
pub(super) const BY: &str = "reconcile";

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Followed {
    pub opened: usize,
    pub changed: usize,
    pub withdrawn: usize,
    pub reduced: usize,
    /// Claims that are out and ask for units that are there.
    pub found: usize,
}

/// The kind of case a difference belongs to.
pub(super) fn kind_of(difference: &Difference) -> LossKind {
    match difference.kind {
        Kind::Damaged => LossKind::Damage,
        _ => LossKind::Loss,
    }
}

fn subject_of(difference: &Difference) -> Subject {
    Subject {
        order: difference.order.clone(),
        warehouse: difference.warehouse.clone(),
        kind: kind_of(difference),
    }
}

fn missing(stored: &StoredDifference) -> Missing {
    let difference = &stored.difference;
    Missing {
        difference: difference.id.to_string(),
        sku: difference.sku.clone(),
        carton: difference.carton.clone(),
        units: if stored.undone_on.is_some() {
            0
        } else {
            difference.units
        },
    }
}

pub(super) fn event(at: DateTime<Utc>, by: &str, kind: CaseEventKind) -> CaseEvent {
    CaseEvent {
        at,
        by: by.to_owned(),
        kind,
    }
}

/// Brings every case up to what the differences say, in the caller's transaction.
///
/// # Errors
/// When the store fails.
pub async fn follow(night: &Night<'_>, tx: &mut Tx, catalog: &Catalog) -> Result<Followed, NightError> {
    let account = night.account();
    claims::hold(tx, account, night.now()).await?;
    let world = &World::load(night, tx, catalog).await?;
    let mut cases: BTreeMap<String, Case> = claims::cases(tx, account)
        .await?
        .into_iter()
        .map(|case| (case.number.clone(), case))
        .collect();
    let in_a_case: BTreeMap<String, String> = cases
        .values()
        .flat_map(|case| case.lines.keys().map(|line| (line.clone(), case.number.clone())))
        .collect();
    let mut done = Followed::default();
    for stored in differences::all(tx, account).await? {
        let now_missing = missing(&stored);
        let known = in_a_case.get(now_missing.difference.as_str());
        let number = match known {
            Some(number) => number.clone(),
            // What may be something else is a person's to open.
            None if stored.difference.is_claimable() && stored.undone_on.is_none() => {
                let subject = subject_of(&stored.difference);
                let number = subject.number();
                if !cases.contains_key(&number) {
                    let case = claims::open(tx, account, &subject, (BY, night.now())).await?;
                    cases.insert(number.clone(), case);
                    done.opened += 1;
                }
                number
            }
            None => continue,
        };
        let Some(case) = cases.get(&number) else { continue };
        let before = case
            .lines
            .get(&now_missing.difference)
            .map_or(0, |line| line.units);
        if before == now_missing.units && known.is_some() {
            continue;
        }
        let after = change(night, tx, world, case.clone(), now_missing, &mut done).await?;
        cases.insert(number, after);
        done.changed += 1;
    }
    super::timing::follow(night, tx, world, &mut cases, &mut done).await?;
    for case in cases.into_values().filter(|case| case.state != CaseState::Closed) {
        look_again(night, tx, world, case).await?;
    }
    Ok(done)
}

/// Puts a difference into a case by hand: one that may be something else, or is not final yet.
///
/// # Errors
/// When the store fails, or the difference is in a case.
pub async fn open_by_hand(
    night: &Night<'_>,
    tx: &mut Tx,
    world: &World<'_>,
    stored: &StoredDifference,
    by: &str,
) -> Result<Case, NightError> {
    let subject = subject_of(&stored.difference);
    let case = claims::open(tx, night.account(), &subject, (by, night.now())).await?;
    let after = change(night, tx, world, case, missing(stored), &mut Followed::default()).await?;
    look_again(night, tx, world, after).await
}

/// Other units of one difference: claims give way first, for the database keeps what is claimed within what is missing.
pub(super) async fn change(
    night: &Night<'_>,
    tx: &mut Tx,
    world: &World<'_>,
    case: Case,
    line: Missing,
    done: &mut Followed,
) -> Result<Case, NightError> {
    let account = night.account();
    let held: i64 = claims::held(tx, account, &line.difference)
        .await?
        .iter()
        .map(|(_, units)| units)
        .sum();
    if held > line.units {
        give_way(night, tx, world, &case, &line, done).await?;
    }
    let before = case.lines.get(&line.difference).map_or(0, |line| line.units);
    let more = line.units > before;
    let mut case = claims::append(
        tx,
        account,
        &case.number,
        event(night.now(), BY, CaseEventKind::Units { line, before }),
    )
    .await?;
    let of_time = case.subject.kind.is_of_time();
    let turn = match (case.state, case.units()) {
        (CaseState::Closed, units) if units > 0 && more => Some(CaseEventKind::Reopened {
            reason: if of_time {
                "it happened again"
            } else {
                "more units are missing"
            }
            .to_owned(),
        }),
        (CaseState::Open | CaseState::Assigned, 0) => Some(CaseEventKind::Closed {
            reason: if of_time {
                "it was in time after all"
            } else {
                "all units were found"
            }
            .to_owned(),
        }),
        _ => None,
    };
    if let Some(kind) = turn {
        case = claims::append(tx, account, &case.number, event(night.now(), BY, kind)).await?;
    }
    Ok(case)
}

/// Drafts first, and of equals the newest: what is out already is not undone behind anybody's back.
async fn give_way(
    night: &Night<'_>,
    tx: &mut Tx,
    world: &World<'_>,
    case: &Case,
    line: &Missing,
    done: &mut Followed,
) -> Result<(), NightError> {
    let account = night.account();
    let mut holders: Vec<(Claim, i64)> = Vec::new();
    for (number, units) in claims::held(tx, account, &line.difference).await? {
        if let Some(claim) = claims::claim(tx, account, &number).await? {
            holders.push((claim, units));
        }
    }
    holders.sort_by(|(a, _), (b, _)| {
        (a.state != ClaimState::Draft, std::cmp::Reverse(&a.number))
            .cmp(&(b.state != ClaimState::Draft, std::cmp::Reverse(&b.number)))
    });
    let held: i64 = holders.iter().map(|(_, units)| units).sum();
    let mut over = held - line.units;
    for (claim, units) in holders {
        if over <= 0 {
            break;
        }
        let kept = (units - over).max(0);
        over -= units - kept;
        if claim.state == ClaimState::Draft {
            shrink(night, tx, world, case, &claim, (&line.difference, kept), done).await?;
        } else {
            claims::found(tx, account, &claim, (&line.difference, kept), (BY, night.now())).await?;
            done.found += 1;
        }
    }
    Ok(())
}

async fn shrink(
    night: &Night<'_>,
    tx: &mut Tx,
    world: &World<'_>,
    case: &Case,
    claim: &Claim,
    (difference, kept): (&str, i64),
    done: &mut Followed,
) -> Result<(), NightError> {
    let lines: Vec<Claimed> = claim
        .asked
        .lines
        .iter()
        .map(|line| Claimed {
            units: if line.difference == difference {
                kept
            } else {
                line.units
            },
            ..line.clone()
        })
        .filter(|line| line.units > 0)
        .collect();
    let reason = "units were found".to_owned();
    // What is asked for time is asked for all of it, or not at all.
    let of_time = case.subject.kind.is_of_time();
    let kind = if lines.is_empty() || of_time {
        done.withdrawn += 1;
        let in_time = "it was in time after all".to_owned();
        let reason = if of_time { in_time } else { reason };
        ClaimEventKind::Withdrawn { reason }
    } else {
        let asked = &claim.asked;
        // The case that has fewer units may be one beside the claim's own.
        let own = match claims::get(tx, night.account(), &asked.case).await? {
            Some(own) => own,
            None => case.clone(),
        };
        let scene = scene_of_claim(night, tx, world, own, &asked.beside).await?;
        let again = scene.map(|scene| {
            scene.amount(
                night,
                (
                    asked.party,
                    Some(asked.regime.as_str()).filter(|id| *id != super::INSURANCE),
                ),
                &lines,
                &More {
                    currency: Some(asked.amount.total.currency),
                    ..More::default()
                },
                claim.drafted_at.date_naive(),
            )
        });
        match again {
            Some(Ok(amount)) => {
                done.reduced += 1;
                ClaimEventKind::Reduced {
                    lines,
                    amount,
                    reason,
                }
            }
            // What only a person had said is not known here: he drafts it anew.
            _ => {
                done.withdrawn += 1;
                ClaimEventKind::Withdrawn {
                    reason: "units were found, and the amount cannot be computed again".to_owned(),
                }
            }
        }
    };
    let event = ClaimEvent {
        at: night.now(),
        by: BY.to_owned(),
        kind,
    };
    claims::append_claim(tx, night.account(), &claim.number, event).await?;
    Ok(())
}

/// Writes a proposal down when it is another one than before.
///
/// # Errors
/// When the store fails.
pub async fn look_again(
    night: &Night<'_>,
    tx: &mut Tx,
    world: &World<'_>,
    case: Case,
) -> Result<Case, NightError> {
    let number = case.number.clone();
    let Some(scene) = scene(night, tx, world, case.clone()).await? else {
        return Ok(case);
    };
    let proposal = match scene.timing() {
        Some(timing) => propose_timing(&timing, case.subject.kind == LossKind::Delay),
        None if case.subject.kind.is_of_time() => return Ok(case),
        None => propose(&scene.custody()),
    };
    if case.proposal.as_ref() == Some(&proposal) {
        return Ok(case);
    }
    let kind = CaseEventKind::Proposed { proposal };
    Ok(claims::append(tx, night.account(), &number, event(night.now(), BY, kind)).await?)
}
