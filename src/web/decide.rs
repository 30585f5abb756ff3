//! An answer to a line: exactly what an answered workbook does, with one thing more: whoever would overwrite somebody
//! else's answer without having seen it is told first.

use axum::Form as Posted;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::gate::Visit;
use super::login::Fields;
use super::page::Fault;
use super::plan::{Answered, Conflict, line_page, link_of, place_of};
use crate::catalog::Item;
use crate::digest::sha256_hex;
use crate::ids::{OrderNo, PlanId, Sku, WarehouseCode};
use crate::night::NightError;
use crate::night::decide::decide;
use crate::planner::PlanLine;
use crate::report::decisions::{Choice, Decision, quantity};
use crate::store::{plans, turn};
use crate::wording::{Lang, text};

/// Longer reasons are letters.
const MOST_REASON_CHARS: usize = 500;
/// Multiples of a carton that are offered.
const MULTIPLES: i64 = 8;

/// What was answered to a line so far.
pub(super) struct Answers<'a> {
    pub decisions: &'a [plans::Decision],
    pub order: Option<&'a OrderNo>,
}

impl Answers<'_> {
    /// Changes with every answer: a form that carries an older one was filled in without knowing of it.
    pub fn seen(&self) -> String {
        let mut all = String::new();
        for decision in self.decisions {
            all.push_str(&format!(
                "{}\n{}\n{:?}\n{}\n\n",
                decision.source,
                decision.choice.code(),
                decision.units,
                decision.reason
            ));
        }
        let digest = sha256_hex(all.as_bytes());
        digest.get(..16).unwrap_or(&digest).to_owned()
    }
}

/// The form below a line.
pub(super) struct Form {
    pub plan: String,
    pub warehouse: String,
    pub sku: String,
    pub seen: String,
    pub suggested: Option<i64>,
    pub may_adopt: bool,
    pub multiples: Vec<i64>,
    /// How the quantity is packed, in words.
    pub packing: Option<String>,
    /// Already in an order: nothing is answered any more.
    pub order: Option<String>,
}

impl Form {
    pub fn of(
        visit: &Visit,
        plan: &PlanId,
        line: &PlanLine,
        item: Option<&Item>,
        answers: &Answers<'_>,
    ) -> Self {
        let carton = item.and_then(|item| item.carton_units).filter(|units| *units > 0);
        let moq = item.and_then(|item| item.moq).filter(|units| *units > 0);
        let suggested = line.suggested_units;
        let packing = match (carton, moq) {
            (Some(carton), Some(moq)) => Some(("web.decide.carton_moq", carton, moq)),
            (Some(carton), None) => Some(("web.decide.carton", carton, 0)),
            (None, Some(moq)) => Some(("web.decide.moq", 0, moq)),
            (None, None) => None,
        };
        Self {
            plan: plan.to_string(),
            warehouse: line.warehouse.to_string(),
            sku: line.sku.to_string(),
            seen: answers.seen(),
            suggested,
            may_adopt: suggested.is_some_and(|units| units > 0),
            multiples: carton
                .map(|carton| multiples(carton, suggested, moq))
                .unwrap_or_default(),
            packing: packing.map(|(key, carton, moq)| {
                let places = [("carton", carton.to_string()), ("moq", moq.to_string())];
                let places: Vec<(&str, &str)> = places
                    .iter()
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                text(visit.lang, key, &places)
            }),
            order: answers.order.map(ToString::to_string),
        }
    }
}

/// Full cartons around the suggestion, not below the least that is sold.
fn multiples(carton: i64, suggested: Option<i64>, moq: Option<i64>) -> Vec<i64> {
    let least = moq
        .map_or(1, |moq| moq / carton + i64::from(moq % carton != 0))
        .max(1);
    let middle = suggested.unwrap_or(0) / carton;
    let from = (middle - MULTIPLES / 2).max(least);
    (from..from.saturating_add(MULTIPLES))
        .filter_map(|cartons| cartons.checked_mul(carton))
        .collect()
}

/// An answer as a person reads it.
pub(super) fn words(lang: Lang, decision: &plans::Decision) -> String {
    let choice = text(lang, &format!("mail.choice.{}", decision.choice.code()), &[]);
    let units = decision.units.map_or_else(String::new, |units| {
        format!(" {}", text(lang, "mail.cell.units", &[("n", &units.to_string())]))
    });
    let reason = if decision.reason.is_empty() {
        String::new()
    } else {
        format!(" · {}", decision.reason)
    };
    format!("{}: {choice}{units}{reason}", decision.by)
}

/// What a form says, before it is known whether it may.
struct Answer {
    plan: PlanId,
    decision: Decision,
    seen: String,
}

fn read(visit: &Visit, fields: &Fields) -> Result<Answer, Fault> {
    let bad = |key: &str| Fault::new(visit.lang, StatusCode::UNPROCESSABLE_ENTITY, key);
    let field = |name: &str| fields.get(name).map_or("", |value| value.trim());
    let choice = Choice::ALL
        .into_iter()
        .find(|choice| choice.code() == field("choice"))
        .ok_or_else(|| bad("web.decide.no_choice"))?;
    let units = match choice {
        Choice::Change => Some(quantity(field("units")).ok_or_else(|| bad("web.decide.bad_units"))?),
        Choice::Adopt | Choice::Reject | Choice::Watch => None,
    };
    let reason: String = field("reason")
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if reason.chars().count() > MOST_REASON_CHARS {
        return Err(bad("web.decide.long_reason"));
    }
    let line = PlanId::new(field("plan"))
        .ok()
        .zip(WarehouseCode::new(field("warehouse")).ok())
        .zip(Sku::new(field("sku")).ok());
    let ((plan, warehouse), sku) = line.ok_or_else(|| bad("web.fault.missing"))?;
    Ok(Answer {
        plan,
        decision: Decision {
            warehouse,
            sku,
            choice,
            units,
            reason,
            place: "web".to_owned(),
        },
        seen: field("seen").to_owned(),
    })
}

pub(super) async fn take(visit: Visit, Posted(fields): Posted<Fields>) -> Result<Response, Fault> {
    visit.check(fields.get("csrf"))?;
    let answer = read(&visit, &fields)?;
    let lang = visit.lang;
    let (warehouse, sku) = (answer.decision.warehouse.as_str(), answer.decision.sku.as_str());
    let back = match fields.get("back").map(String::as_str) {
        Some("today") => format!("/#{}", place_of(warehouse, sku)),
        _ => format!("{}&done=1", link_of(warehouse, sku)),
    };
    let refused = match record(&visit, &answer).await? {
        Outcome::Taken => return Ok(Redirect::to(&back).into_response()),
        Outcome::Conflict(conflict) => (StatusCode::CONFLICT, conflict),
        Outcome::Refused(conflict) => (StatusCode::UNPROCESSABLE_ENTITY, conflict),
    };
    let (status, conflict) = refused;
    tracing::info!(account = %visit.seller.night().account(), user = visit.user, why = conflict.title, "answer not taken");
    let page = line_page(&visit, &fields, false, Some(conflict), status).await;
    page.or_else(|fault| Ok(fault.link("/", text(lang, "web.nav.today", &[])).into_response()))
}

enum Outcome {
    Taken,
    /// Somebody or something was quicker.
    Conflict(Conflict),
    /// The plan does not allow it.
    Refused(Conflict),
}

fn is_same(visit: &Visit, answer: &Answer, suggested: Option<i64>, known: &plans::Decision) -> bool {
    let units = match answer.decision.choice {
        Choice::Adopt => suggested,
        _ => answer.decision.units,
    };
    known.by == visit.user
        && known.choice.code() == answer.decision.choice.code()
        && known.units == units
        && known.reason == answer.decision.reason
}

async fn record(visit: &Visit, answer: &Answer) -> Result<Outcome, Fault> {
    let night = visit.seller.night();
    let lang = visit.lang;
    let inside = |error: NightError| Fault::inside(lang, &error);
    let store = |error: crate::store::StoreError| Fault::store(lang, &error);
    let conflict = |key: &str, lines: Vec<String>| Conflict {
        title: text(lang, key, &[]),
        lines,
    };
    let mut tx = night.store.write().await.map_err(store)?;
    // Two who answer at once take turns here, so that the second sees the first.
    turn::hold(&mut tx, night.account(), turn::ORDERS, night.now())
        .await
        .map_err(store)?;
    let plan = plans::latest(&mut tx, night.account())
        .await
        .map_err(|error| Fault::inside(lang, &error))?;
    let Some(plan) = plan.filter(|plan| plan.id == answer.plan) else {
        return Ok(Outcome::Conflict(conflict("web.decide.old_plan", Vec::new())));
    };
    let key = (answer.decision.warehouse.clone(), answer.decision.sku.clone());
    let line = plan
        .lines
        .iter()
        .find(|line| line.warehouse == key.0 && line.sku == key.1)
        .ok_or_else(|| Fault::missing(lang))?;
    let answered = Answered::of(&night, &mut tx, &plan.id).await.map_err(inside)?;
    let answers = Answers {
        decisions: answered.on(&key),
        order: answered.orders.get(&key),
    };
    let mut known = answers.decisions.iter();
    if known.any(|known| is_same(visit, answer, line.suggested_units, known)) {
        return Ok(Outcome::Taken);
    }
    if let Some(order) = answers.order {
        let lines = vec![text(lang, "web.decide.in_order", &[("order", order.as_str())])];
        return Ok(Outcome::Conflict(conflict("web.decide.too_late", lines)));
    }
    if answers.seen() != answer.seen {
        let lines = answers.decisions.iter().map(|known| words(lang, known)).collect();
        return Ok(Outcome::Conflict(conflict("web.decide.meanwhile", lines)));
    }
    // As the workbook's reader has it: nothing is adopted where nothing is suggested.
    if answer.decision.choice == Choice::Adopt && line.suggested_units.is_none_or(|units| units <= 0) {
        return Ok(Outcome::Refused(conflict(
            "web.decide.nothing_to_adopt",
            Vec::new(),
        )));
    }
    let decided = decide(
        &night,
        &mut tx,
        &answer.plan,
        std::slice::from_ref(&answer.decision),
        &visit.user,
    )
    .await
    .map_err(inside)?;
    match decided {
        Ok(decided) if decided.refused.is_empty() => {
            tx.commit().await.map_err(store)?;
            tracing::info!(
                account = %night.account(), user = visit.user, sku = %key.1, warehouse = %key.0,
                choice = answer.decision.choice.code(), orders = decided.issued.orders.len(), "answered"
            );
            Ok(Outcome::Taken)
        }
        Ok(decided) => Ok(Outcome::Refused(conflict(
            "web.decide.refused",
            decided.refused.iter().map(ToString::to_string).collect(),
        ))),
        Err(why) => Ok(Outcome::Conflict(conflict("web.decide.old_plan", vec![why]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_are_full_cartons_around_the_suggestion_and_not_below_the_moq() {
        assert_eq!(
            multiples(48, Some(480), None),
            [288, 336, 384, 432, 480, 528, 576, 624]
        );
        assert_eq!(multiples(48, None, None)[..2], [48, 96]);
        assert_eq!(multiples(48, Some(48), Some(100))[..2], [144, 192]);
        assert!(multiples(i64::MAX, Some(i64::MAX), None).len() <= 8);
    }
}
