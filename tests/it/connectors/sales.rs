//! A law of the sales facts: in whatever order the states of an order are seen, and however often, the days say what
//! the newest states say.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use linkstar::ids::{AccountId, SourceId};
use linkstar::ledger::{OrderLineFact, OrderLineState};
use linkstar::store::{Store, facts};
use proptest::prelude::*;

/// One state of an order: which order, which revision, the units of its lines, cancelled or not.
type Seen = (u8, u8, Vec<i64>, bool);

fn start() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().expect("a time")
}

fn lines(source: &SourceId, (order, revision, units, cancelled): &Seen) -> Vec<OrderLineFact> {
    let ordered_at = start() + Duration::days(i64::from(*order));
    units
        .iter()
        .enumerate()
        .map(|(index, units)| OrderLineFact {
            source: source.clone(),
            key: format!("{order}|A|{}", index + 1),
            order_id: order.to_string(),
            sku_code: "A".to_owned(),
            marketplace: "m".to_owned(),
            fulfilment: "f".to_owned(),
            ordered_at,
            updated_at: ordered_at + Duration::minutes(i64::from(*revision)),
            state: if *cancelled {
                OrderLineState::Cancelled
            } else {
                OrderLineState::Shipped
            },
            units: *units,
            replacement: false,
        })
        .collect()
}

/// What a revision of an order says is fixed by the two, as it would be at a marketplace.
fn seen() -> impl Strategy<Value = Vec<Seen>> {
    prop::collection::vec((0_u8..4, 0_u8..4), 1..16).prop_map(|pairs| {
        pairs
            .into_iter()
            .map(|(order, revision)| {
                let count = usize::from(1 + (order + revision) % 3);
                let units = (1..).map(|line| line + i64::from(revision)).take(count).collect();
                (order, revision, units, (order + revision) % 4 == 3)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn r8_the_newest_state_of_each_order_counts_in_any_order_of_arrival(seen in seen()) {
        let mut newest: BTreeMap<u8, &Seen> = BTreeMap::new();
        for state in &seen {
            let known = newest.entry(state.0).or_insert(state);
            if state.1 > known.1 {
                *known = state;
            }
        }
        let expected: Vec<i64> = newest
            .values()
            .filter(|state| !state.3)
            .map(|state| state.2.iter().sum())
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let found: Vec<i64> = runtime.block_on(async {
            let store = Store::open("sqlite::memory:").await.unwrap();
            let (account, source) = (AccountId::new("main").unwrap(), SourceId::new("s").unwrap());
            for state in &seen {
                let mut tx = store.write().await.unwrap();
                facts::merge_order_lines(&mut tx, &account, &source, chrono_tz::UTC, &lines(&source, state)).await.unwrap();
                tx.commit().await.unwrap();
            }
            let mut tx = store.read().await.unwrap();
            let day = start().date_naive();
            let series = facts::sales_history(&mut tx, &account, day, day + Duration::days(9)).await.unwrap();
            series.into_iter().flat_map(|series| series.days).map(|(_, units)| units).collect()
        });
        prop_assert_eq!(found, expected);
    }
}
