//! The clocks that run for the orders of now, and what is told of them (R49, R51, R53, R57, R67).

use chrono::{DateTime, Duration, NaiveTime, Utc};
use chrono_tz::Tz;

use super::{Night, NightError};
use crate::calendar::instant_of;
use crate::catalog::{Catalog, Warehouse};
use crate::deadline::due::{Voyage, end_of_day, security_filing};
use crate::deadline::{Alert, Duty, Rule, Watched, ports, watch};
use crate::ledger::milestone::{Milestone, Route, Story, story};
use crate::order::{Mode, OrderState, StockingOrder};
use crate::store::orders::StoredOrder;
use crate::store::{StoreError, Tx, catalog, clocks, orders, references, tracking, turn};

/// Customs are through with most goods by then; learned figures of the lane take its place as soon as there are any.
const CUSTOMS_DAYS: i64 = 3;

/// What everybody told of an order's goods, put together.
///
/// # Errors
/// When the engine refuses.
pub async fn story_of(night: &Night<'_>, tx: &mut Tx, stored: &StoredOrder) -> Result<Story, StoreError> {
    let order = &stored.order;
    let mut events = tracking::events_of(tx, night.account(), order.number.as_str()).await?;
    for name in references::of_order(tx, night.account(), &order.number).await? {
        events.extend(tracking::events_of(tx, night.account(), &name.reference).await?);
    }
    let since = instant_of(order.created_on, NaiveTime::MIN, night.config.account.zone);
    let route = Route {
        from: &order.port_of_loading,
        to: &order.port_of_discharge,
    };
    Ok(story(&events, &night.tools.words, route, since, night.now()))
}

/// What a list of deadlines shows now; nothing is remembered.
///
/// # Errors
/// When the engine refuses.
pub async fn list(night: &Night<'_>, tx: &mut Tx) -> Result<Vec<Alert>, StoreError> {
    let duties = duties(night, tx).await?;
    let before = clocks::all(tx, night.account()).await?;
    Ok(watch(&before, &duties, &night.tools.book, night.now()).alerts)
}

/// Compares the clocks of now with what was told of them, and remembers the answer. Whoever tells what is in it does so in
/// the same transaction.
///
/// # Errors
/// When the engine refuses.
pub async fn look(night: &Night<'_>, tx: &mut Tx) -> Result<Watched, NightError> {
    turn::hold(tx, night.account(), turn::CLOCKS, night.now()).await?;
    let duties = duties(night, tx).await?;
    let before = clocks::all(tx, night.account()).await?;
    let watched = watch(&before, &duties, &night.tools.book, night.now());
    clocks::replace(tx, night.account(), &before, &watched.alerts, night.now()).await?;
    Ok(watched)
}

/// Every clock that runs now.
///
/// # Errors
/// When the engine refuses.
pub async fn duties(night: &Night<'_>, tx: &mut Tx) -> Result<Vec<Duty>, StoreError> {
    let catalog = catalog::load(tx, night.account(), night.today()).await?;
    let mut duties = Vec::new();
    for stored in orders::all(tx, night.account()).await? {
        if stored.state.is_moving() {
            let story = story_of(night, tx, &stored).await?;
            duties.extend(of_order(&stored, &story, &catalog, night.config.account.zone));
        }
    }
    duties.extend(super::claim_clocks::duties(night, tx, &catalog).await?);
    duties.extend(super::arrival_clocks::duties(night, tx, &catalog).await?);
    Ok(duties)
}

/// The clocks of one order.
#[must_use]
pub fn of_order(stored: &StoredOrder, story: &Story, catalog: &Catalog, home: Tz) -> Vec<Duty> {
    let order = &stored.order;
    let warehouse = catalog.warehouses.get(&order.warehouse);
    let owner = order
        .lines
        .iter()
        .filter_map(|line| catalog.items.get(&line.goods.sku))
        .map(|item| item.owner.clone())
        .find(|owner| !owner.is_empty());
    let from = ports::zone_of(&order.port_of_loading).unwrap_or(home);
    let clock = |rule, due: Option<DateTime<Utc>>, zone| Duty {
        rule,
        subject: order.number.to_string(),
        due,
        not_before: None,
        zone,
        group: story.vessel.clone(),
        owner: owner.clone(),
        missing: Vec::new(),
        facts: vec![("warehouse".to_owned(), order.warehouse.to_string())],
    };
    let mut duties = Vec::new();
    let gone = stored.state >= OrderState::HandedOver || story.reached.contains_key(&Milestone::PickedUp);
    if !gone {
        duties.push(clock(Rule::ShipBy, Some(end_of_day(order.ship_by, home)), home));
    }
    let sailed = story.reached.contains_key(&Milestone::Departed);
    for (milestone, rule, done) in [
        (Milestone::DocumentCutOff, Rule::DocumentCutOff, sailed),
        (Milestone::WeightCutOff, Rule::WeightCutOff, sailed),
        (
            Milestone::CargoCutOff,
            Rule::CargoCutOff,
            sailed
                || story.reached.contains_key(&Milestone::AtOrigin)
                || story.reached.contains_key(&Milestone::Loaded),
        ),
    ] {
        if let Some(at) = story.at(milestone).filter(|_| !done) {
            duties.push(clock(rule, Some(at), from));
        }
    }
    if needs_filing(order, warehouse) && !story.reached.contains_key(&Milestone::Arrived) {
        let filed = |milestone| {
            story
                .reached
                .get(&milestone)
                .map(|reached| reached.at.to_rfc3339())
        };
        let booked = gone || story.reached.contains_key(&Milestone::Booked);
        let filing = security_filing(&Voyage {
            order: order.number.to_string(),
            vessel: story.vessel.clone(),
            departs: story.at(Milestone::Departed),
            departs_zone: from,
            arrives: story.at(Milestone::Arrived),
            arrives_zone: ports::zone_of(&order.port_of_discharge)
                .or_else(|| warehouse.map(|warehouse| warehouse.zone))
                .unwrap_or(home),
            owner: owner.clone(),
            missing: importer_elements(order),
            filed: filed(Milestone::IsfFiled),
            // The parts may be filed together, and one word is then all that is told.
            stuffing_filed: filed(Milestone::IsfStuffingFiled),
        });
        // That nobody knows a time is news only once somebody should.
        duties.extend(filing.into_iter().filter(|duty| {
            duty.due.is_some()
                || if duty.rule == Rule::IsfImporter {
                    booked
                } else {
                    sailed
                }
        }));
    }
    let zone = warehouse.map_or(home, |warehouse| warehouse.zone);
    if let Some(held) = story.in_customs() {
        duties.push(clock(
            Rule::Dwell,
            Some(held + Duration::days(CUSTOMS_DAYS)),
            zone,
        ));
    }
    duties
}

/// By sea to the United States; nothing else is asked for it.
fn needs_filing(order: &StockingOrder, warehouse: Option<&Warehouse>) -> bool {
    let country = warehouse.map_or(order.deliver_to.address.country.as_str(), |warehouse| {
        warehouse.country.as_str()
    });
    order.mode == Mode::Sea && country == "US"
}

/// Importer elements of the filing that the order does not have.
fn importer_elements(order: &StockingOrder) -> Vec<String> {
    let mut missing = Vec::new();
    if order.importer.ein.is_empty() {
        missing.push("importer of record (EIN)".to_owned());
    }
    if order.shipper.name.is_empty() {
        missing.push("seller".to_owned());
    }
    for line in &order.lines {
        let digits = line
            .goods
            .hs_destination
            .chars()
            .filter(char::is_ascii_digit)
            .count();
        if digits < 6 {
            missing.push(format!("HTS-6 of {}", line.goods.sku));
        }
        if line.goods.origin.is_empty() {
            missing.push(format!("country of origin of {}", line.goods.sku));
        }
    }
    missing
}
