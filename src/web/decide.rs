//! Answers to lines: exactly what an answered workbook does. Everything that is sent together is one answer, so that
//! lines to one warehouse become one order. One thing more: whoever would overwrite somebody else's answer without
//! having seen it is told first, and nothing of what was sent is recorded.

use axum::Form as Posted;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::gate::Visit;
use super::login::Fields;
use super::page::Fault;
use super::plan::{Answered, Conflict, line_page, link_of};
use crate::catalog::Item;
use crate::digest::sha256_hex;
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::night::NightError;
use crate::night::decide::decide;
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
    pub warehouse: String,
    pub sku: String,
    pub seen: String,
    pub may_adopt: bool,
    pub multiples: Vec<i64>,
    /// How the quantity is packed, in words.
    pub packing: Option<String>,
}

impl Form {
    pub fn of(
        lang: Lang,
        (warehouse, sku): (&WarehouseCode, &Sku),
        suggested: Option<i64>,
        item: Option<&Item>,
        answers: &Answers<'_>,
    ) -> Self {
        let carton = item.and_then(|item| item.carton_units).filter(|units| *units > 0);
        let moq = item.and_then(|item| item.moq).filter(|units| *units > 0);
        let packing = match (carton, moq) {
            (Some(carton), Some(moq)) => Some(("web.decide.carton_moq", carton, moq)),
            (Some(carton), None) => Some(("web.decide.carton", carton, 0)),
            (None, Some(moq)) => Some(("web.decide.moq", 0, moq)),
            (None, None) => None,
        };
        Self {
            warehouse: warehouse.to_string(),
            sku: sku.to_string(),
            seen: answers.seen(),
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
                text(lang, key, &places)
            }),
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

/// What a form says about one line, before it is known whether it may.
struct Answer {
    decision: Decision,
    seen: String,
}

impl Answer {
    fn key(&self) -> (WarehouseCode, Sku) {
        (self.decision.warehouse.clone(), self.decision.sku.clone())
    }
}

/// The lines that were answered: fields end in `.` and the line's number on the page. A line without a choice is not
/// answered, as a row without a decision is not.
fn read(visit: &Visit, fields: &Fields) -> Result<Vec<Answer>, Fault> {
    let mut answers = Vec::new();
    for number in fields.keys().filter_map(|name| name.strip_prefix("sku.")) {
        let field = |name: &str| {
            let value = fields.get(&format!("{name}.{number}"));
            value.map_or("", |value| value.trim())
        };
        let bad = |key: &str| {
            Fault::new(visit.lang, StatusCode::UNPROCESSABLE_ENTITY, key)
                .say(format!("{} · {}", field("sku"), field("warehouse")))
                .link("/", text(visit.lang, "web.nav.today", &[]))
        };
        let (choice, units) = (field("choice"), field("units"));
        if choice.is_empty() {
            if units.is_empty() {
                continue;
            }
            return Err(bad("web.decide.units_alone"));
        }
        let choice = Choice::ALL
            .into_iter()
            .find(|known| known.code() == choice)
            .ok_or_else(|| bad("web.decide.no_choice"))?;
        let units = match choice {
            Choice::Change => Some(quantity(units).ok_or_else(|| bad("web.decide.bad_units"))?),
            _ if units.is_empty() => None,
            Choice::Adopt | Choice::Reject | Choice::Watch => return Err(bad("web.decide.units_beside")),
        };
        let reason: String = field("reason")
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if reason.chars().count() > MOST_REASON_CHARS {
            return Err(bad("web.decide.long_reason"));
        }
        let warehouse = WarehouseCode::new(field("warehouse")).ok();
        let line = warehouse.zip(Sku::new(field("sku")).ok());
        let (warehouse, sku) = line.ok_or_else(|| bad("web.fault.missing"))?;
        answers.push(Answer {
            decision: Decision {
                warehouse,
                sku,
                choice,
                units,
                reason,
                place: "web".to_owned(),
            },
            seen: field("seen").to_owned(),
        });
    }
    if answers.is_empty() {
        let fault = Fault::new(
            visit.lang,
            StatusCode::UNPROCESSABLE_ENTITY,
            "web.decide.no_choice",
        );
        return Err(fault.link("/", text(visit.lang, "web.nav.today", &[])));
    }
    Ok(answers)
}

pub(super) async fn take(visit: Visit, Posted(fields): Posted<Fields>) -> Result<Response, Fault> {
    visit.check(fields.get("csrf"))?;
    let answers = read(&visit, &fields)?;
    let plan = fields.get("plan").map_or("", String::as_str);
    let (status, conflict) = match record(&visit, plan, &answers).await? {
        Outcome::Taken => {
            let to = match answers.as_slice() {
                [one] if !fields.contains_key("today") => {
                    let decision = &one.decision;
                    format!(
                        "{}&done=1",
                        link_of(decision.warehouse.as_str(), decision.sku.as_str())
                    )
                }
                _ => "/?done=1".to_owned(),
            };
            return Ok(Redirect::to(&to).into_response());
        }
        Outcome::Conflict(conflict) => (StatusCode::CONFLICT, conflict),
        Outcome::Refused(conflict) => (StatusCode::UNPROCESSABLE_ENTITY, conflict),
    };
    tracing::info!(account = %visit.seller.night().account(), user = visit.user, why = conflict.title, "answer not taken");
    if let [one] = answers.as_slice() {
        let asked = [
            ("warehouse".to_owned(), one.decision.warehouse.to_string()),
            ("sku".to_owned(), one.decision.sku.to_string()),
        ];
        return line_page(&visit, &asked.into(), false, Some(conflict), status).await;
    }
    let mut fault = Fault::titled(visit.lang, status, conflict.title);
    for line in conflict.lines {
        fault = fault.say(line);
    }
    Err(fault.link("/", text(visit.lang, "web.nav.today", &[])))
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

/// Why one line cannot be answered so, as the wording key of its kind and a line of text; `Ok(false)` when it has been
/// answered exactly so already.
fn settle(
    visit: &Visit,
    answer: &Answer,
    suggested: Option<i64>,
    answers: &Answers<'_>,
) -> Result<bool, (&'static str, String)> {
    let lang = visit.lang;
    let mut known = answers.decisions.iter();
    if known.any(|known| is_same(visit, answer, suggested, known)) {
        return Ok(false);
    }
    let line = format!("{} · {}", answer.decision.sku, answer.decision.warehouse);
    if let Some(order) = answers.order {
        let why = text(lang, "web.decide.in_order", &[("order", order.as_str())]);
        return Err(("web.decide.too_late", format!("{line}: {why}")));
    }
    if answers.seen() != answer.seen {
        let said: Vec<String> = answers.decisions.iter().map(|known| words(lang, known)).collect();
        return Err(("web.decide.meanwhile", format!("{line}: {}", said.join("; "))));
    }
    // As the workbook's reader has it: nothing is adopted where nothing is suggested.
    if answer.decision.choice == Choice::Adopt && suggested.is_none_or(|units| units <= 0) {
        return Err(("web.decide.nothing_to_adopt", line));
    }
    Ok(true)
}

async fn record(visit: &Visit, asked: &str, given: &[Answer]) -> Result<Outcome, Fault> {
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
    let Some(plan) = plan.filter(|plan| plan.id.as_str() == asked) else {
        return Ok(Outcome::Conflict(conflict("web.decide.old_plan", Vec::new())));
    };
    let answered = Answered::of(&night, &mut tx, &plan.id).await.map_err(inside)?;
    let mut decisions: Vec<Decision> = Vec::new();
    let mut faults: Vec<(&'static str, String)> = Vec::new();
    for answer in given {
        let key = answer.key();
        let line = plan
            .lines
            .iter()
            .find(|line| line.warehouse == key.0 && line.sku == key.1)
            .ok_or_else(|| Fault::missing(lang))?;
        let answers = Answers {
            decisions: answered.on(&key),
            order: answered.orders.get(&key),
        };
        match settle(visit, answer, line.suggested_units, &answers) {
            Ok(true) => decisions.push(answer.decision.clone()),
            Ok(false) => {}
            Err(fault) => faults.push(fault),
        }
    }
    if let Some((kind, _)) = faults.first() {
        let kind = *kind;
        let refused = conflict(kind, faults.into_iter().map(|(_, line)| line).collect());
        return Ok(if kind == "web.decide.nothing_to_adopt" {
            Outcome::Refused(refused)
        } else {
            Outcome::Conflict(refused)
        });
    }
    if decisions.is_empty() {
        return Ok(Outcome::Taken);
    }
    match decide(&night, &mut tx, &plan.id, &decisions, &visit.user)
        .await
        .map_err(inside)?
    {
        Ok(decided) if decided.refused.is_empty() => {
            tx.commit().await.map_err(store)?;
            tracing::info!(
                account = %night.account(), user = visit.user, lines = decisions.len(),
                orders = decided.issued.orders.len(), held = decided.issued.held.len(), "answered"
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
