//! When goods that are under way will be sellable.

use super::balance::{Arrival, day_after};
use super::lead::{LaneDays, overdue_without_lane};
use super::model::{InboundView, Reason};
use super::snapshot::{InboundShipment, ItemSeries, Policy};
use super::supply::Terms;
use chrono::NaiveDate;

/// The shipments of a line with their predicted days.
#[derive(Debug, Default)]
pub struct Incoming<'a> {
    pub shipments: Vec<Predicted<'a>>,
    pub reasons: Vec<Reason>,
}

/// A shipment and the days until it is sellable.
#[derive(Debug, Clone, Copy)]
pub struct Predicted<'a> {
    shipment: &'a InboundShipment,
    p50: i64,
    p90: i64,
    overdue: bool,
    counted: bool,
}

impl Incoming<'_> {
    /// Of those that count.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        let counted = self.shipments.iter().filter(|predicted| predicted.counted);
        counted
            .map(|predicted| Arrival {
                day: predicted.p50,
                late_day: predicted.p90,
                units: predicted.shipment.units,
            })
            .collect()
    }

    #[must_use]
    pub fn views(&self, as_of: NaiveDate) -> Vec<InboundView> {
        self.shipments
            .iter()
            .map(|predicted| InboundView {
                reference: predicted.shipment.reference.clone(),
                units: predicted.shipment.units,
                eta_p50: day_after(as_of, predicted.p50),
                eta_p90: day_after(as_of, predicted.p90),
                overdue: predicted.overdue,
            })
            .collect()
    }
}

/// Predicts every shipment. What cannot be dated, or is unknown and not to be counted, is listed but does not arrive.
pub fn predict<'a>(
    item: &'a ItemSeries,
    lanes: &[LaneDays],
    terms: &Terms<'_>,
    policy: &Policy,
    as_of: NaiveDate,
) -> Incoming<'a> {
    let mut incoming = Incoming::default();
    let mut shipments: Vec<&InboundShipment> = item
        .inbound
        .iter()
        .filter(|shipment| shipment.units > 0)
        .collect();
    shipments.sort();
    for shipment in shipments {
        let (days, counted) = match days_to_go(shipment, lanes, terms, as_of) {
            Some(days) => (days, shipment.known || policy.count_unknown_inbound),
            None => ((0, 0, false), false),
        };
        let (p50, p90, overdue) = days;
        let p90 = p90.max(p50);
        if overdue {
            push(&mut incoming.reasons, Reason::OverdueInbound);
        }
        if !counted {
            push(&mut incoming.reasons, Reason::UnknownInbound);
        }
        incoming.shipments.push(Predicted {
            shipment,
            p50,
            p90,
            overdue,
            counted,
        });
    }
    incoming
}

fn push(reasons: &mut Vec<Reason>, reason: Reason) {
    if !reasons.contains(&reason) {
        reasons.push(reason);
    }
}

fn days_to_go(
    shipment: &InboundShipment,
    lanes: &[LaneDays],
    terms: &Terms<'_>,
    as_of: NaiveDate,
) -> Option<(i64, i64, bool)> {
    let lane = match shipment.mode {
        Some(mode) => lanes.iter().find(|lane| lane.mode == mode),
        None => lanes.first(),
    };
    // Where it is says more than when it left, and than a date named before.
    if let (Some((stage, since)), Some(lane)) = (terms.whereabouts(&shipment.reference), lane)
        && since <= as_of
        && let Some((p50, p90, overdue)) = lane.remaining_in(stage, (as_of - since).num_days())
    {
        return Some((lane.taken_in(p50), lane.taken_in(p90), overdue));
    }
    if let Some(eta) = shipment.eta.filter(|eta| *eta >= as_of) {
        let to_go = (eta - as_of).num_days();
        // A named date is believed as the median; the lane says by how much such dates are missed.
        let spread = lane.map_or(0, |lane| {
            let (p50, p90) = (lane.after_hand_over_at(500), lane.after_hand_over_at(900));
            if p50 > 0 {
                (p90 - p50) * to_go.min(p50) / p50
            } else {
                0
            }
        });
        return Some((to_go, to_go + spread.max(0), false));
    }
    match (shipment.shipped_on, lane, shipment.eta) {
        (Some(shipped), Some(lane), eta) if shipped <= as_of => {
            let (p50, p90, overdue) = lane.remaining((as_of - shipped).num_days());
            let (p50, p90) = (lane.taken_in(p50), lane.taken_in(p90));
            // Past its named date, whatever the lane's history says of its age.
            Some((p50.max(i64::from(eta.is_some())), p90, overdue || eta.is_some()))
        }
        (_, _, Some(eta)) => {
            let days = overdue_without_lane(eta, as_of);
            Some((days, days * 2, true))
        }
        (shipped, Some(lane), None) => {
            let start = shipped.map_or(0, |shipped| (shipped - as_of).num_days().max(0));
            Some((
                lane.taken_in(start + lane.after_hand_over_at(500)),
                lane.taken_in(start + lane.after_hand_over_at(900)),
                false,
            ))
        }
        (_, None, None) => None,
    }
}
