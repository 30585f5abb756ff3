//! Where goods are by what everybody told, and what that teaches of the stretches of the way (R21, R66).

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::Night;
use super::clocks::story_of;
use crate::calendar::civil_day;
use crate::catalog::Catalog;
use crate::ids::OrderNo;
use crate::ledger::milestone::Milestone;
use crate::ledger::milestone::way::{Way, way};
use crate::planner::{SupplyFacts, Whereabouts};
use crate::store::lead_times::LeadTime;
use crate::store::orders::StoredOrder;
use crate::store::{StoreError, Tx};

/// The way of one order, and when it is expected at the door as far as somebody said.
struct Seen {
    way: Way,
    expected: Option<NaiveDate>,
}

async fn seen(
    night: &Night<'_>,
    tx: &mut Tx,
    stored: &StoredOrder,
    received: Option<DateTime<Utc>>,
    catalog: &Catalog,
) -> Result<Seen, StoreError> {
    let story = story_of(night, tx, stored).await?;
    let zone = catalog
        .warehouses
        .get(&stored.order.warehouse)
        .map_or(chrono_tz::UTC, |warehouse| warehouse.zone);
    let home = night.config.account.zone;
    let handed_over = stored
        .shipped_on
        .map(|day| crate::calendar::instant_of(day, chrono::NaiveTime::MIN, home));
    // A slot at the warehouse is when the goods come, whoever said something of their delivery before.
    let expected = [Milestone::Appointment, Milestone::Delivered]
        .iter()
        .find_map(|milestone| story.expected.get(milestone))
        .map(|expected| civil_day(expected.at, zone));
    Ok(Seen {
        way: way(&story, handed_over, received, zone),
        expected,
    })
}

/// What the ways of these orders teach. The stretches of an order with a gap teach nothing.
///
/// # Errors
/// When the engine refuses.
pub(super) async fn stretches(
    night: &Night<'_>,
    tx: &mut Tx,
    orders: &[(&StoredOrder, Option<DateTime<Utc>>)],
    catalog: &Catalog,
) -> Result<(Vec<LeadTime>, Vec<String>), StoreError> {
    let mut found = Vec::new();
    let mut odd = Vec::new();
    for (stored, received) in orders {
        let order = &stored.order;
        let Seen { way, .. } = seen(night, tx, stored, *received, catalog).await?;
        found.extend(way.done.iter().map(|stretch| LeadTime {
            warehouse: order.warehouse.clone(),
            mode: order.mode.code().to_owned(),
            stage: stretch.stage.code().to_owned(),
            reference: order.number.to_string(),
            from: stretch.from,
            to: stretch.to,
        }));
        odd.extend(way.backwards.iter().map(|(before, after)| {
            format!(
                "{}: {} is told to be before {}; the way teaches nothing",
                order.number,
                after.code(),
                before.code()
            )
        }));
    }
    Ok((found, odd))
}

/// Adds to the chain where each order is; what its folder says of one wins. Returns the days that somebody named.
///
/// # Errors
/// When the engine refuses.
pub(super) async fn place(
    night: &Night<'_>,
    tx: &mut Tx,
    orders: &[StoredOrder],
    catalog: &Catalog,
    supply: &mut SupplyFacts,
) -> Result<BTreeMap<OrderNo, NaiveDate>, StoreError> {
    let mut expected = BTreeMap::new();
    for stored in orders.iter().filter(|stored| stored.state.is_moving()) {
        let number = &stored.order.number;
        let Seen { way, expected: day } = seen(night, tx, stored, None, catalog).await?;
        if let Some(day) = day {
            expected.insert(number.clone(), day);
        }
        let named = supply
            .whereabouts
            .iter()
            .any(|place| place.reference == number.as_str());
        // Before the voyage begins the hand-over says as much; on the shelf nothing is on its way.
        let told = way.now.filter(|(stage, _)| {
            !named
                && !matches!(
                    stage,
                    crate::planner::Stage::WaitForSailing | crate::planner::Stage::Putaway
                )
        });
        if let Some((stage, since)) = told {
            supply.whereabouts.push(Whereabouts {
                reference: number.to_string(),
                stage,
                since,
            });
        }
    }
    Ok(expected)
}
