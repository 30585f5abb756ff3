//! From a source to the lines of the reconciliation: what was shipped against what a pull has left in the store.

use std::collections::BTreeMap;

use linkstar::catalog::Resolved;
use linkstar::connector::ConnectorConfig;
use linkstar::ids::{OrderNo, Sku, WarehouseCode};
use linkstar::ledger::transit::Shipment;
use linkstar::reconcile::{Evidence, Meaning, Packing, Reconciliation, Rules, reconcile};
use linkstar::store::facts::PullState;
use linkstar::store::{facts, receipts};

use super::stage::{House, at};

/// An order that left, with its units.
pub struct Sent<'a> {
    pub order: &'a str,
    pub warehouse: &'a str,
    pub units: &'a [(&'a str, i64)],
}

/// How each line stands at the end of a day: SKU, shipped, received, put away, damaged, state, verdict and difference.
/// Codes are the seller's own; `SET-x` holds six of `x`.
pub async fn lines(house: &House, sent: &Sent<'_>, as_of: &str) -> Vec<String> {
    let done = books(house, sent, as_of).await;
    assert!(done.breaches.is_empty(), "{:?}", done.breaches);
    let lines = done.lines.iter().map(|line| {
        let aside = match line.set_aside {
            0 => String::new(),
            units => format!(", {units} set aside"),
        };
        format!(
            "{} {}: {} received, {} shelved, {} damaged{aside}, {} {} {:+}",
            line.sku,
            line.shipped,
            line.received,
            line.put_away,
            line.damaged,
            line.state.code(),
            line.verdict.code(),
            line.difference
        )
    });
    lines.collect()
}

/// Pulls twice at an hour, and looks at the only line there is at the end of that day.
pub async fn at_the_end_of(
    (house, config, sent): (&House, &ConnectorConfig, &Sent<'_>),
    hour: &str,
    wanted: &str,
) {
    house.clock.set(at(hour));
    for _ in 0..2 {
        let report = house.pull(config).await;
        assert_eq!(report.state(), PullState::Ok, "{report:?}");
    }
    let (day, _) = hour.split_once('T').expect("a day and an hour");
    let found = lines(house, sent, day).await;
    assert!(
        found.len() == 1 && found[0].starts_with(wanted),
        "{day}: {found:?}"
    );
}

pub async fn books(house: &House, sent: &Sent<'_>, as_of: &str) -> Reconciliation {
    let mut tx = house.store.read().await.expect("a transaction");
    let mut events = receipts::load_since(&mut tx, &house.account, at("2025-01-01T00:00:00Z"))
        .await
        .expect("events");
    let (notices, announced) = facts::inbounds(&mut tx, &house.account).await.expect("inbounds");
    drop(tx);
    let sku = |name: &str| Sku::new(name).expect("a SKU");
    let shipments = [Shipment {
        order: OrderNo::new(sent.order).expect("a number"),
        warehouse: WarehouseCode::new(sent.warehouse).expect("a code"),
        shipped_on: "2025-11-20".parse().expect("a day"),
        eta_p50: "2026-01-10".parse().expect("a day"),
        eta_p90: "2026-01-15".parse().expect("a day"),
        units: sent
            .units
            .iter()
            .map(|(name, units)| (sku(name), *units))
            .collect(),
    }];
    let own = |_: &WarehouseCode, code: &str, _: chrono::NaiveDate| {
        let (code, multiple) = code.strip_prefix("SET-").map_or((code, 1), |code| (code, 6));
        let sku = Sku::new(code).ok()?;
        let resolved = Resolved { sku, multiple };
        Some(Meaning {
            resolved,
            barcode: false,
        })
    };
    let packing: BTreeMap<OrderNo, Packing> = BTreeMap::new();
    let packs = BTreeMap::new();
    let settle = |events: &[_]| {
        let evidence = Evidence {
            shipments: &shipments,
            packing: &packing,
            packs: &packs,
            events,
            notices: &notices,
            announced: &announced,
        };
        reconcile(evidence, &Rules::default(), &own, as_of.parse().expect("a day"))
    };
    let done = settle(&events);
    // Neither the order nor the number of tellings matters.
    events.reverse();
    let twice: Vec<_> = events.iter().chain(&events).cloned().collect();
    let again = settle(&twice);
    assert_eq!((&again.lines, &again.transit), (&done.lines, &done.transit));
    done
}
