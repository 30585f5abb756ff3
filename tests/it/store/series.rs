//! Packed series say what the sales days say, whatever happened to them.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use linkstar::args;
use linkstar::ids::{AccountId, SourceId};
use linkstar::ledger::{OrderLineFact, OrderLineState};
use linkstar::store::facts::{self, DayChange, SalesSeries};
use linkstar::store::upkeep::{self, Part, Sample};
use linkstar::store::{Store, Tx};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::{engines, raw, sqlite_url};
use crate::services::{fresh_database, services};

fn account() -> AccountId {
    AccountId::new("main").expect("an account")
}

fn source() -> SourceId {
    SourceId::new("amazon-uk").expect("a source")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Late in a year, so that orders lie in two.
fn begin() -> DateTime<Utc> {
    "2026-12-20T12:00:00Z".parse().expect("an instant")
}

const FROM: &str = "2020-01-01";
const TO: &str = "2030-12-31";

/// The rows as series, by a statement of this test's own.
async fn rows(tx: &mut Tx) -> Vec<SalesSeries> {
    let mut series: BTreeMap<(SourceId, String, String), Vec<(NaiveDate, i64)>> = BTreeMap::new();
    for row in tx
        .rows(
            "SELECT source, fulfilment, sku_code, day, units FROM sales_day WHERE account_id = $1 ORDER BY day",
            args![&account()],
        )
        .await
        .expect("rows")
    {
        let get = |column| row.get::<String>(column).expect("text");
        let key = (row.get("source").expect("a source"), get("fulfilment"), get("sku_code"));
        let sold = (row.get("day").expect("a day"), row.get("units").expect("units"));
        series.entry(key).or_default().push(sold);
    }
    series
        .into_iter()
        .map(|((source, fulfilment, sku_code), days)| SalesSeries {
            source,
            fulfilment,
            sku_code,
            days,
        })
        .collect()
}

async fn series(tx: &mut Tx) -> Vec<SalesSeries> {
    facts::sales_history(tx, &account(), day(FROM), day(TO))
        .await
        .expect("readable")
}

async fn findings(store: &Store) -> Vec<String> {
    let checked = upkeep::check(store, Sample::About(1), day("2026-11-22"))
        .await
        .expect("checked");
    let part = checked.into_iter().find(|part| part.part == Part::Series);
    part.expect("the part").findings
}

/// What happens to a shop.
#[derive(Debug, Clone)]
enum Act {
    /// An order as it is now: its lines by SKU, day after the begin, and whether it was cancelled.
    Order {
        id: u8,
        at: i64,
        lines: Vec<(u8, i64, bool)>,
        merchant: bool,
    },
    /// The same, and the process dies before it commits.
    Lost {
        id: u8,
        at: i64,
        lines: Vec<(u8, i64, bool)>,
    },
    Repack,
}

fn act() -> impl Strategy<Value = Act> {
    let lines = || proptest::collection::vec((0_u8..5, -2_i64..9, any::<bool>()), 0..4);
    prop_oneof![
        8 => (0_u8..12, 0_i64..30, lines(), any::<bool>())
            .prop_map(|(id, at, lines, merchant)| Act::Order { id, at, lines, merchant }),
        2 => (0_u8..12, 0_i64..30, lines()).prop_map(|(id, at, lines)| Act::Lost { id, at, lines }),
        1 => Just(Act::Repack),
    ]
}

fn facts_of(id: u8, at: i64, lines: &[(u8, i64, bool)], merchant: bool, now: i64) -> Vec<OrderLineFact> {
    let order_id = format!("o{id}");
    lines
        .iter()
        .zip(0_u32..)
        .map(|((sku, units, cancelled), line)| OrderLineFact {
            source: source(),
            key: format!("{order_id}/SKU-{sku}/{line}"),
            order_id: order_id.clone(),
            sku_code: format!("SKU-{sku}"),
            marketplace: "A1F83G8C2ARO7P".to_owned(),
            fulfilment: if merchant { "Merchant" } else { "Amazon" }.to_owned(),
            ordered_at: begin() + Duration::days(at),
            updated_at: begin() + Duration::days(100) + Duration::minutes(now),
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

async fn holds_after(store: &Store, acts: &[Act]) -> Result<(), TestCaseError> {
    for (act, now) in acts.iter().zip(0..) {
        let mut tx = store.write().await.expect("a transaction");
        match act {
            Act::Order {
                id,
                at,
                lines,
                merchant,
            } => {
                let lines = facts_of(*id, *at, lines, *merchant, now);
                facts::merge_order_lines(&mut tx, &account(), &source(), chrono_tz::Europe::London, &lines)
                    .await
                    .expect("merged");
                tx.commit().await.expect("committed");
            }
            Act::Lost { id, at, lines } => {
                let lines = facts_of(*id, *at, lines, false, now);
                facts::merge_order_lines(&mut tx, &account(), &source(), chrono_tz::Europe::London, &lines)
                    .await
                    .expect("merged");
                drop(tx);
            }
            Act::Repack => {
                drop(tx);
                upkeep::repack(store).await.expect("packed");
            }
        }
        let mut tx = store.read().await.expect("a transaction");
        let (packed, mut from_rows) = (series(&mut tx).await, rows(&mut tx).await);
        // A row that came to nothing without having been reduced stays as a zero.
        for one in &mut from_rows {
            one.days.retain(|(_, units)| *units != 0);
        }
        from_rows.retain(|one| !one.days.is_empty());
        prop_assert_eq!(packed, from_rows);
    }
    prop_assert_eq!(findings(store).await, Vec::<String>::new());
    Ok(())
}

fn in_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn series_equal_rows_after_changes_late_corrections_and_deletions(
        acts in proptest::collection::vec(act(), 1..25),
    ) {
        in_runtime(async {
            let store = Store::open("sqlite::memory:").await.unwrap();
            holds_after(&store, &acts).await
        })?;
    }
}

#[test]
fn series_equal_rows_on_postgresql() {
    let Some(services) = services() else { return };
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let acts: Vec<Vec<Act>> = (0..4)
        .map(|_| {
            let tree = proptest::collection::vec(act(), 20..25).new_tree(&mut runner);
            tree.expect("acts").current()
        })
        .collect();
    in_runtime(async {
        for acts in acts {
            let store = Store::open(&fresh_database(&services).await).await.unwrap();
            holds_after(&store, &acts).await.unwrap();
            store.close().await;
        }
    });
}

async fn sell(store: &Store, sold: &[(&str, &str, i64)]) {
    let change: DayChange = sold
        .iter()
        .map(|(on, sku, units)| ((day(on), "Amazon".to_owned(), (*sku).to_owned()), *units))
        .collect();
    let mut tx = store.write().await.expect("a transaction");
    facts::change_days(&mut tx, &account(), &source(), &change)
        .await
        .expect("changed");
    tx.commit().await.expect("committed");
}

fn urls(dir: &std::path::Path, postgres: Option<String>) -> Vec<String> {
    let mut urls = vec![sqlite_url(dir, "linkstar.db")];
    urls.extend(postgres);
    urls
}

#[tokio::test]
async fn a_database_older_than_the_series_is_read_from_its_rows_until_the_first_change_packs_them() {
    let dir = tempfile::tempdir().unwrap();
    let postgres = match services() {
        Some(services) => Some(fresh_database(&services).await),
        None => None,
    };
    for url in urls(dir.path(), postgres) {
        let old = Store::open_at_version(&url, 12).await.unwrap();
        old.close().await;
        raw(
            &url,
            "INSERT INTO sales_day VALUES ('main', 'amazon-uk', '2025-12-31', 'Amazon', 'MUG', 3),
                 ('main', 'amazon-uk', '2026-01-01', 'Amazon', 'MUG', 4), ('main', 'ebay', '2026-01-01', 'Merchant', 'MUG', 5)",
        )
        .await;
        let store = Store::open(&url).await.unwrap();
        let before = series(&mut store.read().await.unwrap()).await;
        assert_eq!(before, rows(&mut store.read().await.unwrap()).await);
        assert_eq!(before.len(), 2);
        assert_eq!(
            findings(&store).await,
            Vec::<String>::new(),
            "nothing to compare yet"
        );
        // Killed before its commit: as if it had not been.
        let mut tx = store.write().await.unwrap();
        let change = DayChange::from([((day("2026-01-02"), "Amazon".to_owned(), "CUP".to_owned()), 1)]);
        facts::change_days(&mut tx, &account(), &source(), &change)
            .await
            .unwrap();
        drop(tx);
        assert_eq!(series(&mut store.read().await.unwrap()).await, before);
        // One source is packed by its change, the other still read from its rows.
        sell(&store, &[("2026-01-02", "CUP", 2)]).await;
        let mut tx = store.read().await.unwrap();
        assert_eq!(series(&mut tx).await, rows(&mut tx).await);
        let forms: Vec<(String, i64)> = tx
            .rows(
                "SELECT source, form FROM sales_packed WHERE account_id = $1 ORDER BY source",
                args![&account()],
            )
            .await
            .unwrap()
            .iter()
            .map(|row| (row.get("source").unwrap(), row.get("form").unwrap()))
            .collect();
        assert_eq!(forms, [("amazon-uk".to_owned(), 1), ("ebay".to_owned(), 0)]);
        drop(tx);
        let packed = upkeep::repack(&store).await.unwrap();
        assert_eq!((packed.sources, packed.years), (2, 4));
        assert_eq!(
            upkeep::repack(&store).await.unwrap(),
            packed,
            "as often as you like"
        );
        let mut tx = store.read().await.unwrap();
        assert_eq!(series(&mut tx).await, rows(&mut tx).await);
        drop(tx);
        assert_eq!(findings(&store).await, Vec::<String>::new());
        store.close().await;
    }
}

#[tokio::test]
async fn a_planted_difference_is_found_named_and_mended() {
    let dir = tempfile::tempdir().unwrap();
    let postgres = match services() {
        Some(services) => Some(fresh_database(&services).await),
        None => None,
    };
    for url in urls(dir.path(), postgres) {
        let store = Store::open(&url).await.unwrap();
        let sold = [
            ("2026-03-01", "CUP", 7),
            ("2026-03-01", "MUG", 4),
            ("2026-03-02", "MUG", 5),
            ("2025-03-02", "MUG", 6),
        ];
        sell(&store, &sold).await;
        assert_eq!(findings(&store).await, Vec::<String>::new());
        let blob = if url.starts_with("postgres") {
            "'\\x3c083d'::BYTEA"
        } else {
            "x'3c083d'"
        };
        for (plant, named) in [
            (
                "UPDATE sales_day SET units = 9 WHERE day = '2026-03-02'",
                "main: amazon-uk Amazon `MUG` 2026: 5 units in the series on 2026-03-02, 9 in the sales days",
            ),
            (
                "DELETE FROM sales_series WHERE sku_code = 'MUG' AND year = 2025",
                "main: amazon-uk Amazon `MUG` 2025: 0 units in the series on 2025-03-02, 6 in the sales days",
            ),
            (
                "DELETE FROM sales_day WHERE day = '2025-03-02'",
                "main: amazon-uk Amazon `MUG` 2025: 6 units in the series on 2025-03-02, 0 in the sales days",
            ),
            (
                &format!("UPDATE sales_series SET days = {blob} WHERE sku_code = 'CUP'"),
                "main: amazon-uk Amazon `CUP` 2026: the series cannot be read: it breaks off",
            ),
        ] {
            raw(&url, plant).await;
            assert_eq!(findings(&store).await, [named]);
            upkeep::repack(&store).await.unwrap();
            assert_eq!(findings(&store).await, Vec::<String>::new());
        }
        // A plan does not guess either.
        raw(
            &url,
            &format!("UPDATE sales_series SET days = {blob} WHERE sku_code = 'CUP'"),
        )
        .await;
        let mut tx = store.read().await.unwrap();
        let refused = facts::sales_history(&mut tx, &account(), day(FROM), day(TO))
            .await
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "stored sales series amazon-uk Amazon `CUP` 2026 (`linkstar db repack` makes it anew) cannot be read back: \
             it breaks off"
        );
        drop(tx);
        store.close().await;
    }
}

/// A day that was not asked for and one that sold nothing look alike in a series: neither is there. What tells them
/// apart is the coverage, as it was with rows.
#[tokio::test]
async fn a_day_that_is_not_in_a_series_is_zero_only_where_it_was_answered_for() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        sell(
            &store,
            &[
                ("2026-03-01", "MUG", 4),
                ("2026-03-04", "MUG", 1),
                ("2026-03-05", "MUG", 2),
            ],
        )
        .await;
        sell(&store, &[("2026-03-05", "MUG", -2)]).await;
        let mut tx = store.write().await.unwrap();
        let days =
            ["2026-03-01", "2026-03-02", "2026-03-04"].map(|on| (day(on), facts::DayCoverage::Complete));
        facts::mark_covered(&mut tx, &account(), &source(), "orders", &days.into())
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.read().await.unwrap();
        let sold = series(&mut tx).await;
        assert_eq!(sold[0].days, [(day("2026-03-01"), 4), (day("2026-03-04"), 1)]);
        let covered = facts::covered_days(&mut tx, &account(), &source(), day(FROM), day(TO))
            .await
            .unwrap();
        assert!(covered.contains_key(&day("2026-03-02")) && !covered.contains_key(&day("2026-03-03")));
    }
}

#[tokio::test]
async fn only_the_days_asked_for_are_read() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        sell(
            &store,
            &[
                ("2024-12-31", "MUG", 1),
                ("2025-06-01", "MUG", 2),
                ("2026-01-01", "MUG", 3),
                ("2026-06-01", "CUP", 4),
            ],
        )
        .await;
        let mut tx = store.read().await.unwrap();
        let read = facts::sales_history(&mut tx, &account(), day("2025-06-01"), day("2026-01-01"))
            .await
            .unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].days, [(day("2025-06-01"), 2), (day("2026-01-01"), 3)]);
    }
}

#[tokio::test]
async fn r8_large_order_lines_are_those_of_20_units_that_were_not_cancelled() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let mut tx = store.write().await.unwrap();
        let mut lines = facts_of(1, 0, &[(1, 19, false), (2, 20, false), (3, 500, true)], true, 0);
        lines.extend(facts_of(2, 3, &[(2, 300, false)], false, 0));
        lines.extend(facts_of(3, 400, &[(2, 900, false)], false, 0));
        facts::merge_order_lines(&mut tx, &account(), &source(), chrono_tz::Europe::London, &lines)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.read().await.unwrap();
        let found = facts::large_lines(&mut tx, &account(), day("2026-12-20"), day("2027-12-31"))
            .await
            .unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|line| {
                (
                    line.fulfilment.as_str(),
                    line.sku_code.as_str(),
                    line.day,
                    line.units,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("Amazon", "SKU-2", day("2026-12-23"), 300),
                ("Merchant", "SKU-2", day("2026-12-20"), 20),
            ]
        );
    }
}

/// Several processes change days of one source at the same moment: no change is lost from the series.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_writers_at_once_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for store in engines(dir.path()).await {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    for n in 0..15 {
                        let own = format!("OWN-{writer}-{n}");
                        sell(
                            &store,
                            &[
                                ("2026-03-01", "MUG", 1),
                                ("2026-03-02", "MUG", n),
                                ("2026-03-01", &own, 1),
                            ],
                        )
                        .await;
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        let mut tx = store.read().await.unwrap();
        let read = series(&mut tx).await;
        assert_eq!(read, rows(&mut tx).await);
        let mug = read.iter().find(|series| series.sku_code == "MUG").unwrap();
        assert_eq!(mug.days, [(day("2026-03-01"), 60), (day("2026-03-02"), 420)]);
        assert_eq!(read.len(), 61);
        drop(tx);
        assert_eq!(findings(&store).await, Vec::<String>::new());
    }
}
