//! The clocks of cases and claims (R70): the notice of a loss, and the last day to ask for it.

use super::Night;
use super::cases::{self, Scene};
use crate::catalog::Catalog;
use crate::claim::case::CaseState;
use crate::claim::evidence::{Paper, missing};
use crate::claim::state::{Claim, ClaimState};
use crate::deadline::due::end_of_day;
use crate::deadline::{Duty, Rule};
use crate::store::{StoreError, Tx, claims};

/// Every clock of an open case. Errors of one case do not hide the clocks of the others: it is told as one without a date.
///
/// # Errors
/// When the store fails.
pub(super) async fn duties(
    night: &Night<'_>,
    tx: &mut Tx,
    catalog: &Catalog,
) -> Result<Vec<Duty>, StoreError> {
    let account = night.account();
    let corrupt = |error: &dyn std::error::Error| StoreError::Corrupt {
        what: "claims".to_owned(),
        why: super::step::chain(error),
    };
    let world = cases::World::load(night, tx, catalog).await?;
    let all = claims::claims(tx, account)
        .await
        .map_err(|error| corrupt(&error))?;
    let mut duties = Vec::new();
    for case in claims::cases(tx, account)
        .await
        .map_err(|error| corrupt(&error))?
    {
        if case.state == CaseState::Closed {
            continue;
        }
        let own: Vec<&Claim> = all
            .iter()
            .filter(|claim| claim.asked.is_about(&case.number) && claim.state.holds_units())
            .collect();
        let scene = cases::scene(night, tx, &world, case).await?;
        if let Some(scene) = scene {
            duties.extend(of_case(night, &scene, &own));
        }
    }
    Ok(duties)
}

fn of_case(night: &Night<'_>, scene: &Scene, own: &[&Claim]) -> Vec<Duty> {
    let case = &scene.case;
    // Units that no claim asks for yet are why the clock runs.
    let asked: i64 = own
        .iter()
        .filter(|claim| claim.state != ClaimState::Draft)
        .map(|claim| {
            let lines = claim.asked.lines.iter();
            let here = lines.filter(|line| case.lines.contains_key(&line.difference));
            let here: i64 = here.map(|line| line.units).sum();
            // Units that came to light are counted by claim: of several cases, those of this one are not among what it lacks.
            if claim.asked.beside.is_empty() {
                here - claim.found
            } else {
                here.min(case.units())
            }
        })
        .sum();
    let left = case.units() - asked;
    let rejected = own.iter().find(|claim| claim.state == ClaimState::Rejected);
    if left <= 0 && rejected.is_none() {
        return Vec::new();
    }
    let draft = own.iter().find(|claim| claim.state == ClaimState::Draft);
    let party = draft
        .or(rejected)
        .map(|claim| claim.asked.party)
        .or_else(|| case.against());
    let duty = |rule, facts: Vec<(String, String)>, lacking: Vec<String>| Duty {
        rule,
        subject: case.number.clone(),
        due: None,
        not_before: None,
        zone: scene.zone,
        group: None,
        owner: scene.owner.clone(),
        missing: lacking,
        facts,
    };
    let mut facts = vec![
        ("order".to_owned(), case.subject.order.to_string()),
        ("units".to_owned(), left.max(0).to_string()),
    ];
    let Some(party) = party else {
        let nearest = scene.nearest_last_day(night);
        facts.push(("party".to_owned(), "?".to_owned()));
        let mut last = duty(Rule::ClaimLastDay, facts, vec!["party".to_owned()]);
        last.due = nearest.map(|day| end_of_day(day, scene.zone));
        return vec![last];
    };
    facts.push(("party".to_owned(), party.code().to_owned()));
    let chosen = draft.or(rejected).copied();
    let named = chosen.and_then(|claim| cases::named(claim));
    let window = match scene.window(night, (party, named), chosen) {
        Ok(window) => window,
        Err(why) => {
            facts.push(("why".to_owned(), why.to_string()));
            return vec![duty(Rule::ClaimLastDay, facts, vec![why.to_string()])];
        }
    };
    let needs = night.tools.claims.papers(party);
    let have = case.evidence.iter().map(|evidence| evidence.paper);
    // What the archive has of every order is not asked of a person.
    let archived = [
        Paper::Booking,
        Paper::PackingList,
        Paper::CommercialInvoice,
        Paper::ReceiptReport,
        Paper::LossNotice,
    ];
    let lacking: Vec<String> = missing(needs, have.chain(archived))
        .into_iter()
        .map(|paper| paper.code().to_owned())
        .collect();
    let mut duties = Vec::new();
    if let Some(day) = window.notice_by.filter(|_| case.notified.is_none()) {
        let mut notice = duty(Rule::ClaimNotice, facts.clone(), Vec::new());
        notice.due = Some(end_of_day(day, scene.zone));
        duties.push(notice);
    }
    let last_day = match rejected {
        Some(_) => window.suit_by.unwrap_or(window.last_day),
        None => window.last_day,
    };
    let mut last = duty(Rule::ClaimLastDay, facts, lacking);
    last.due = Some(end_of_day(last_day, scene.zone));
    last.not_before = window
        .not_before
        .map(|day| crate::calendar::day_bounds(day, scene.zone).0);
    duties.push(last);
    duties
}
