//! Shipped against announced against received against put away (R54, R55).
//!
//! [`reconcile`] takes everything that is known and says how each line stands. It keeps nothing between runs: the
//! same events in another order, or twice, give the same answer, and a late correction simply changes it.
//!
//! Words: *received* is counted at the dock, damaged units included; *put away* is on the shelf and sellable;
//! *damaged* says how many of the received ones cannot be sold.

mod anomaly;
mod arrivals;
mod difference;
mod model;
mod pool;

use std::collections::BTreeMap;

use chrono::{Duration, NaiveDate};

pub use anomaly::Anomaly;
pub use arrivals::{kind_code, origin_of};
pub use difference::{Difference, DifferenceId, Kind, MatchKey, Pointer, PointerKind, Standing};
pub use model::{Line, LineState, Pooled, Reconciliation, Reopened, Rules, Tolerance, Verdict};

use crate::catalog::Resolved;
use crate::ids::WarehouseCode;
use crate::ledger::transit::{self, Shipment};
use crate::ledger::{InboundLine, InboundNotice, ReceiptEvent};
use arrivals::{Arrivals, ShipmentArrivals};

/// What a warehouse's own code means on a day; `None` is unmapped.
pub type Resolve<'a> = &'a dyn Fn(&WarehouseCode, &str, NaiveDate) -> Option<Resolved>;

/// Everything a reconciliation looks at.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    pub shipments: &'a [Shipment],
    pub events: &'a [ReceiptEvent],
    pub notices: &'a [InboundNotice],
    pub announced: &'a [InboundLine],
}

/// How every shipped line stands at the end of a day. Events after that day are not looked at.
#[must_use]
pub fn reconcile(
    evidence: Evidence<'_>,
    rules: &Rules,
    resolve: Resolve<'_>,
    as_of: NaiveDate,
) -> Reconciliation {
    let Arrivals {
        shipments: arrivals,
        mut anomalies,
        unmapped,
    } = arrivals::gather(evidence, rules, resolve, as_of);

    let mut reopened = Vec::new();
    let mut lines: Vec<Line> = Vec::new();
    for (shipment, arrived) in evidence.shipments.iter().zip(&arrivals) {
        let state = state(shipment, arrived, rules, as_of);
        reopened.extend(arrived.reopened.iter().cloned());
        for (sku, counts) in &arrived.lines {
            let shipped = shipment.units.get(sku).copied().unwrap_or(0);
            let pending = (counts.arrived() - counts.put_away - counts.damaged).max(0);
            lines.push(Line {
                order: shipment.order.clone(),
                warehouse: shipment.warehouse.clone(),
                sku: sku.clone(),
                shipped,
                announced: counts.announced,
                received: counts.arrived(),
                put_away: counts.put_away,
                damaged: counts.damaged,
                pending_putaway: pending,
                pooled: Vec::new(),
                closed_short: 0,
                difference: counts.arrived() - shipped,
                state,
                verdict: Verdict::Open,
                shipped_on: shipment.shipped_on,
                eta_p50: shipment.eta_p50,
                eta_p90: shipment.eta_p90,
                first_receipt: counts.first.or(arrived.first),
                last_receipt: counts.last.or(arrived.last),
            });
        }
    }
    lines.sort_by(|a, b| (&a.order, &a.sku).cmp(&(&b.order, &b.sku)));
    let closed_on = evidence
        .shipments
        .iter()
        .zip(&arrivals)
        .filter_map(|(shipment, arrived)| Some((shipment.order.clone(), arrived.closed_on?)))
        .collect();
    pool::share(&mut lines, &closed_on, rules);
    for line in &mut lines {
        judge(line, rules);
    }
    anomalies.extend(lines.iter().flat_map(|line| anomaly::of_line(line, rules)));
    anomalies.sort();
    anomalies.dedup();
    reopened.sort();

    let transit = transit_of(evidence.shipments, &lines);
    Reconciliation {
        as_of,
        breaches: transit::check(evidence.shipments, &transit),
        transit,
        lines,
        anomalies,
        reopened,
        unmapped,
    }
}

fn state(shipment: &Shipment, arrived: &ShipmentArrivals, rules: &Rules, as_of: NaiveDate) -> LineState {
    if arrived.closed && arrived.reopened.is_empty() {
        return LineState::Closed;
    }
    let Some(last) = arrived.last else {
        return LineState::Moving;
    };
    // Silence alone closes nothing before the rest could have come: the second truck may be weeks behind.
    let complete = shipment.units.iter().all(|(sku, units)| {
        arrived
            .lines
            .get(sku)
            .is_some_and(|counts| counts.arrived() >= *units)
    });
    let silent = as_of >= last + Duration::days(rules.silent_days);
    if silent && (complete || as_of > shipment.eta_p90) {
        LineState::Settled
    } else {
        LineState::Receiving
    }
}

/// What is left of the difference after pooling, against the tolerance.
fn judge(line: &mut Line, rules: &Rules) {
    let shared: i64 = line.pooled.iter().map(|pooled| pooled.units).sum();
    line.difference += shared;
    if !line.state.is_final() {
        return;
    }
    line.closed_short = (-line.difference).max(0);
    line.verdict = if line.difference == 0 {
        if line.pooled.is_empty() {
            Verdict::Exact
        } else {
            Verdict::CrossReceived
        }
    } else if line.difference < 0 {
        if rules.short.allows(-line.difference, line.shipped) {
            Verdict::WithinTolerance
        } else {
            Verdict::Short
        }
    } else if rules.over.allows(line.difference, line.shipped) {
        Verdict::WithinTolerance
    } else {
        Verdict::Over
    };
}

fn transit_of(shipments: &[Shipment], lines: &[Line]) -> Vec<transit::TransitLine> {
    let mut arrived = BTreeMap::new();
    let mut closed_short = BTreeMap::new();
    for line in lines {
        let key = (line.order.clone(), line.sku.clone());
        arrived.insert(key.clone(), line.shipped + line.difference);
        closed_short.insert(key, line.closed_short);
    }
    transit::lines(shipments, &arrived, &closed_short)
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
