//! One order into two, two into one.

use std::collections::BTreeMap;

use super::super::Night;
use super::super::amend::{self, AmendError};
use super::super::gates::Basis;
use super::super::issue::{ApprovedLine, Booking, Ready, late};
use super::{Done, approved, lines_of, rewrite, units_of};
use crate::ids::{OrderNo, Sku};
use crate::order::{OrderEventKind, OrderState};
use crate::problem::Problem;
use crate::store::{Tx, catalog, order_checks, order_desk, orders};

/// Takes goods out of an order into one of their own, by the same way. A draft gives a draft; an issued order is issued anew
/// with what stays, and the new one is issued with its papers.
///
/// # Errors
/// Everything that is in the way, and then nothing is changed.
pub async fn split(
    night: &Night<'_>,
    tx: &mut Tx,
    number: &OrderNo,
    units: &BTreeMap<Sku, i64>,
    (reason, by): (&str, &str),
) -> Result<(Done, OrderNo), AmendError> {
    let stored = amend::held(night, tx, number).await?;
    let before = &stored.order;
    let mut stay = units_of(before);
    let mut problems = Vec::new();
    for (sku, wanted) in units {
        match stay.get_mut(sku) {
            Some(there) if *wanted > 0 && *wanted <= *there => *there -= wanted,
            Some(there) => problems.push(Problem::new(
                format!("order {number}"),
                format!("SKU {sku}"),
                "units",
                wanted.to_string(),
                format!("from 1 to {there}"),
            )),
            None => problems.push(Problem::new(
                format!("order {number}"),
                "",
                "units",
                sku.as_str(),
                "a SKU of this order",
            )),
        }
    }
    let gone: Vec<Sku> = stay
        .iter()
        .filter(|(_, units)| **units == 0)
        .map(|(sku, _)| sku.clone())
        .collect();
    stay.retain(|_, units| *units > 0);
    if problems.is_empty() && (stay.is_empty() || units.is_empty()) {
        let wanted = "some of the goods, and some that stay";
        problems.push(Problem::new(format!("order {number}"), "", "units", "", wanted));
    }
    if !problems.is_empty() {
        return Err(AmendError::Problems(problems));
    }
    let account = night.account();
    let new = orders::next_number(tx, account, night.today()).await?;
    let into = OrderEventKind::SplitInto { order: new.clone() };
    orders::append(tx, account, number, amend::event(night, by, into)).await?;
    if stored.state == OrderState::Draft {
        rewrite(night, tx, &stored, &stay, before.mode).await?;
    } else {
        let lines = lines_of(before, before.mode, &stay);
        amend::reissue_with(night, tx, &stored, (&lines, None), (reason, by)).await?;
    }
    let catalog = catalog::load(tx, account, night.today()).await?;
    let basis = Basis::for_papers(night, tx, &catalog, units.keys()).await?;
    let booking = Booking {
        night,
        plan: before.plan.as_ref(),
        catalog: &catalog,
        basis: &basis,
        number: new.clone(),
        warehouse: before.warehouse.clone(),
        mode: before.mode,
        before: None,
        draft: None,
        reason: Some(reason),
    };
    let lines = approved(&before.warehouse, before.mode, units);
    let lines: Vec<&ApprovedLine> = lines.iter().collect();
    let from = OrderEventKind::SplitFrom {
        order: number.clone(),
    };
    let done = if stored.state == OrderState::Draft {
        let (order, lane, check) = booking.drafted(&lines).map_err(AmendError::Problems)?;
        orders::draft(tx, account, &order, late(lane, order.eta), by, night.now()).await?;
        order_checks::keep(tx, account, &order, &check, night.now()).await?;
        Done {
            order,
            findings: check.findings,
        }
    } else {
        let Ready {
            order,
            documents,
            check,
            lane,
            forwarder,
        } = booking.ready(&lines, None).map_err(amend::stopping)?;
        orders::draft(tx, account, &order, late(lane, order.eta), by, night.now()).await?;
        let reached = OrderEventKind::Reached {
            state: OrderState::Approved,
        };
        orders::append(tx, account, &new, amend::event(night, by, reached)).await?;
        order_checks::keep(tx, account, &order, &check, night.now()).await?;
        for document in &documents {
            booking.send(tx, forwarder, &order, document).await?;
        }
        Done {
            order,
            findings: check.findings,
        }
    };
    orders::append(tx, account, &new, amend::event(night, by, from)).await?;
    for sku in &gone {
        order_desk::move_line(tx, account, sku, (number, &new)).await?;
    }
    Ok((done, new))
}

/// Puts the goods of another order into this one; the other is given up and its papers taken back.
///
/// # Errors
/// When they do not go the same way, or with everything that is in the way; then nothing is changed.
pub async fn merge(
    night: &Night<'_>,
    tx: &mut Tx,
    (into, from): (&OrderNo, &OrderNo),
    (reason, by): (&str, &str),
) -> Result<Done, AmendError> {
    let kept = amend::held(night, tx, into).await?;
    let given = amend::held(night, tx, from).await?;
    let mut problems = Vec::new();
    let (one, other) = (&kept.order, &given.order);
    let place = format!("order {from}");
    let mut same = |field: &str, found: String, wanted: String| {
        if found != wanted {
            problems.push(Problem::new(
                &place,
                "",
                field,
                found,
                format!("{wanted}, as {into} has"),
            ));
        }
    };
    same(
        "warehouse",
        other.warehouse.to_string(),
        one.warehouse.to_string(),
    );
    same("mode", other.mode.code().to_owned(), one.mode.code().to_owned());
    same("term", other.term.code().to_owned(), one.term.code().to_owned());
    same("currency", other.currency.to_string(), one.currency.to_string());
    let drafts = [kept.state, given.state].map(|state| state == OrderState::Draft);
    same("state", word(drafts[1]).to_owned(), word(drafts[0]).to_owned());
    if into == from {
        problems.push(Problem::new(place, "", "order", from.as_str(), "another order"));
    }
    if !problems.is_empty() {
        return Err(AmendError::Problems(problems));
    }
    let mut all = units_of(one);
    for line in &other.lines {
        *all.entry(line.goods.sku.clone()).or_insert(0) += line.units;
    }
    let account = night.account();
    let gone = OrderEventKind::MergedInto { order: into.clone() };
    orders::append(tx, account, from, amend::event(night, by, gone)).await?;
    let why = format!("merged into {into}: {reason}");
    amend::cancel(night, tx, from, &why, by).await?;
    for line in &other.lines {
        order_desk::move_line(tx, account, &line.goods.sku, (from, into)).await?;
    }
    let came = OrderEventKind::MergedFrom { order: from.clone() };
    orders::append(tx, account, into, amend::event(night, by, came)).await?;
    if drafts[0] {
        return rewrite(night, tx, &kept, &all, one.mode).await;
    }
    let lines = lines_of(one, one.mode, &all);
    amend::reissue_with(night, tx, &kept, (&lines, None), (reason, by)).await?;
    let findings = order_checks::of_order(tx, account, into)
        .await?
        .map(|check| check.findings)
        .unwrap_or_default();
    let order = orders::get(tx, account, into)
        .await?
        .map_or(kept.order, |stored| stored.order);
    Ok(Done { order, findings })
}

fn word(draft: bool) -> &'static str {
    if draft { "a draft" } else { "issued" }
}
