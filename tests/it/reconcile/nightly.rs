//! What the night computes is what the books say.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate};
use linkstar::catalog::Resolved;
use linkstar::ids::{OrderNo, Sku, SourceId, WarehouseCode};
use linkstar::ledger::transit::Shipment;
use linkstar::ledger::{InboundNotice, ReceiptEvent};
use linkstar::reconcile::{Evidence, Kind, Meaning, Packing, Rules, reconcile};

use super::world::{AS_OF, WAREHOUSES, World, truths};

fn day(number: i32) -> NaiveDate {
    NaiveDate::from_num_days_from_ce_opt(number).expect("a day")
}

#[test]
fn r56_the_nightly_reconciliation_finds_what_the_books_find() {
    let world = World::new(11, 1_000);
    let warehouse = |at: usize| WarehouseCode::new(WAREHOUSES[at]).expect("a warehouse");
    let sku = |code: &str| Sku::new(code).expect("a SKU");
    let mut shipments = Vec::new();
    let mut packing = BTreeMap::new();
    let mut packs: BTreeMap<Sku, BTreeSet<i64>> = BTreeMap::new();
    let mut notices = Vec::new();
    for one in &world.shipments {
        let mut units: BTreeMap<Sku, i64> = BTreeMap::new();
        for (_, code, count) in &one.rows {
            *units.entry(sku(code)).or_default() += count;
        }
        let order = OrderNo::new(&one.order).expect("a number");
        shipments.push(Shipment {
            order: order.clone(),
            warehouse: warehouse(one.warehouse),
            shipped_on: day(AS_OF - 120),
            eta_p50: day(one.eta_p90 - 5),
            eta_p90: day(one.eta_p90),
            units,
        });
        let cartons = one
            .rows
            .iter()
            .map(|(mark, code, count)| (mark.clone(), sku(code), *count));
        let lots = one
            .lots
            .iter()
            .map(|(code, lot)| (sku(code), BTreeSet::from([lot.clone()])));
        packing.insert(
            order,
            Packing {
                cartons: cartons.collect(),
                values: BTreeMap::new(),
                lots: lots.collect(),
            },
        );
        for (code, pack) in &one.packs {
            packs.entry(sku(code)).or_default().insert(*pack);
        }
        notices.push(InboundNotice {
            source: SourceId::new("wms").expect("a source"),
            warehouse: warehouse(one.warehouse),
            inbound_no: one.inbound.clone(),
            reference: one.order.clone(),
            state: String::new(),
            closed: one.closed.is_some(),
            // Known as the whole time of the world stands.
            updated_at: one.closed.map(|(_, on)| instant(on)),
        });
    }
    let events: Vec<ReceiptEvent> = world
        .told(5)
        .into_iter()
        .map(|event| ReceiptEvent {
            source: event.origin.to_owned() + if event.origin == "file" { ":report.csv" } else { "" },
            key: event.key.clone(),
            warehouse: warehouse(event.warehouse),
            reference: event.reference.clone(),
            carton: event.carton.clone(),
            sku_code: event.sku.trim_start_matches('\u{1}').to_owned(),
            kind: event.kind,
            units: event.units,
            at: instant(event.on),
            lot: event.lot.clone(),
            unit_value: None,
        })
        .collect();
    let resolve = |_: &WarehouseCode, code: &str, _: NaiveDate| {
        let resolved = Resolved {
            sku: Sku::new(code).ok()?,
            multiple: 1,
        };
        (!code.starts_with('?')).then_some(Meaning {
            resolved,
            barcode: false,
        })
    };
    let evidence = Evidence {
        shipments: &shipments,
        packing: &packing,
        packs: &packs,
        events: &events,
        notices: &notices,
        announced: &[],
    };
    let done = reconcile(evidence, &Rules::default(), &resolve, day(AS_OF));
    assert_eq!(done.breaches, []);
    assert_eq!(truths(&done.classified), world.truth);
    // A claim is asked for where units are gone for sure, and nowhere else.
    for line in done.claim_candidates() {
        let own = done
            .classified
            .iter()
            .filter(|one| one.order == line.order && one.sku == line.sku);
        assert!(
            own.clone()
                .any(|one| matches!(one.kind, Kind::Short | Kind::CartonMissing)),
            "{line:?}"
        );
    }
}

fn instant(on: i32) -> DateTime<chrono::Utc> {
    DateTime::from_timestamp_millis(i64::from(on) * 86_400_000).expect("an instant") - epoch()
}

/// The world counts its instants from the first day of the calendar.
fn epoch() -> chrono::Duration {
    chrono::Duration::days(719_163)
}
