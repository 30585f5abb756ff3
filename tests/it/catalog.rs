//! Master data from files into the store, as of a day.

use chrono::{DateTime, NaiveDate, Utc};
use linkstar::catalog::{CodeKind, UnknownWarehouse};
use linkstar::ids::{AccountId, Sku, SourceId};
use linkstar::mapping::catalog_file::{parse_codes, parse_items, parse_lanes, parse_warehouses};
use linkstar::mapping::table::{Limits, Table, read};
use linkstar::store::Tx;
use linkstar::store::catalog::{
    ImportReport, UnmappedCode, import_codes, import_items, import_lanes, import_warehouses, item_versions,
    load, record_unmapped, unmapped,
};

use crate::services::stores;

fn account() -> AccountId {
    AccountId::new("main").expect("an id")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}T02:30:00Z").parse().expect("an instant")
}

fn table(name: &str, text: &str) -> Table {
    read(name, text.as_bytes(), &Limits::default()).expect("a table")
}

async fn items(tx: &mut Tx, text: &str, effective: &str) -> ImportReport {
    let parsed = parse_items(&table("items.csv", text));
    import_items(tx, &account(), &parsed, day(effective), at(effective))
        .await
        .expect("imports")
}

async fn codes(tx: &mut Tx, text: &str, on: &str) -> ImportReport {
    let head = "system,store,kind,code,sku,multiple,valid_from,valid_to\n";
    let parsed = parse_codes(&table("codes.csv", &format!("{head}{text}")));
    import_codes(tx, &account(), &parsed, at(on))
        .await
        .expect("imports")
}

fn thousand(weight_of_500: i64) -> String {
    let mut text = String::from("sku,name_zh,carton_units,carton_gross_g\n");
    for n in 0..1_000 {
        let weight = if n == 500 { weight_of_500 } else { 9_000 };
        text.push_str(&format!("S{n:04},杯子{n},12,{weight}\n"));
    }
    text
}

#[tokio::test]
async fn r1_a_thousand_skus_twice_change_nothing_and_one_weight_makes_one_version() {
    for store in stores().await {
        let mut tx = store.write().await.unwrap();
        let first = items(&mut tx, &thousand(9_000), "2026-11-01").await;
        assert_eq!((first.new, first.changed, first.same), (1_000, 0, 0));
        let second = items(&mut tx, &thousand(9_000), "2026-11-10").await;
        assert_eq!((second.written(), second.same), (0, 1_000));
        let third = items(&mut tx, &thousand(9_500), "2026-11-20").await;
        assert_eq!((third.new, third.changed, third.same), (0, 1, 999));

        let sku = Sku::new("S0500").unwrap();
        let versions = item_versions(&mut tx, &account(), &sku).await.unwrap();
        let dates: Vec<String> = versions
            .iter()
            .map(|version| version.valid_from.to_string())
            .collect();
        assert_eq!(dates, ["2026-11-01", "2026-11-20"]);
        // A plan of yesterday replays with yesterday's weight.
        for (on, weight) in [
            ("2026-11-19", 9_000),
            ("2026-11-20", 9_500),
            ("2027-01-01", 9_500),
        ] {
            let catalog = load(&mut tx, &account(), day(on)).await.unwrap();
            assert_eq!(catalog.items[&sku].carton_gross_g, Some(weight), "{on}");
        }
        assert!(
            load(&mut tx, &account(), day("2026-10-31"))
                .await
                .unwrap()
                .items
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_correction_on_the_same_day_is_a_revision_and_the_newest_counts() {
    for store in stores().await {
        let mut tx = store.write().await.unwrap();
        for weight in [9_000, 9_100, 9_000] {
            let text = format!("sku,carton_gross_g\nA1,{weight}\n");
            assert_eq!(items(&mut tx, &text, "2026-11-01").await.written(), 1);
        }
        let sku = Sku::new("A1").unwrap();
        let versions = item_versions(&mut tx, &account(), &sku).await.unwrap();
        let revisions: Vec<i64> = versions.iter().map(|version| version.revision).collect();
        assert_eq!(revisions, [1, 2, 3]);
        let catalog = load(&mut tx, &account(), day("2026-11-01")).await.unwrap();
        assert_eq!(catalog.items[&sku].carton_gross_g, Some(9_000));
    }
}

#[tokio::test]
async fn r2_a_code_with_multiple_three_makes_thirty_of_ten_and_an_unknown_one_waits_in_the_queue() {
    for store in stores().await {
        let mut tx = store.write().await.unwrap();
        items(&mut tx, "sku\nA1\nB1\n", "2026-11-01").await;
        let report = codes(&mut tx, "goodcang-uk,,warehouse_sku,G-A,A1,3,,\n", "2026-11-01").await;
        assert_eq!((report.new, report.problems.len()), (1, 0));
        let source = SourceId::new("goodcang-uk").unwrap();
        let catalog = load(&mut tx, &account(), day("2026-11-02")).await.unwrap();
        let resolve = |code: &str| catalog.resolve(&source, CodeKind::WarehouseSku, code, day("2026-11-02"));
        assert_eq!(resolve("G-A").unwrap().units(10), Some(30));
        assert_eq!(resolve("G-X"), None);

        let unknown = UnmappedCode {
            source: source.clone(),
            kind: CodeKind::WarehouseSku,
            code: "G-X".into(),
            times: 2,
        };
        // The night of the 2nd runs twice, the night of the 3rd once.
        for on in ["2026-11-02", "2026-11-02", "2026-11-03"] {
            record_unmapped(&mut tx, &account(), std::slice::from_ref(&unknown), at(on))
                .await
                .unwrap();
        }
        let queue = unmapped(&mut tx, &account()).await.unwrap();
        assert_eq!((queue[0].code.as_str(), queue[0].times), ("G-X", 4));
        assert_eq!(
            (queue[0].first_seen, queue[0].last_seen),
            (at("2026-11-02"), at("2026-11-03"))
        );

        codes(&mut tx, "goodcang-uk,,warehouse_sku,G-X,B1,,,\n", "2026-11-04").await;
        assert!(unmapped(&mut tx, &account()).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn r2_two_skus_on_one_code_in_one_period_are_refused_and_the_old_mapping_stays() {
    for store in stores().await {
        let mut tx = store.write().await.unwrap();
        items(&mut tx, "sku\nA1\nB1\n", "2026-11-01").await;
        codes(
            &mut tx,
            "goodcang-uk,,warehouse_sku,G-1,A1,,2026-01-01,\n",
            "2026-11-01",
        )
        .await;
        let report = codes(
            &mut tx,
            "goodcang-uk,,warehouse_sku,G-1,B1,,2026-06-01,\n\
             goodcang-uk,,warehouse_sku,G-2,A2,,,\n",
            "2026-11-02",
        )
        .await;
        assert_eq!(report.written(), 0);
        let shown: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "codes.csv, line 3, `sku`: found `A2`, wanted a SKU of the items file, perhaps `A1`",
                "codes.csv, line 2, `code`: found `G-1 for B1 from 2026-06-01`, wanted a code that is free then: code `G-1` is held by SKU `A1` × 1 from 2026-01-01",
            ]
        );
        let source = SourceId::new("goodcang-uk").unwrap();
        let meaning = |catalog: &linkstar::catalog::Catalog, on: &str| {
            catalog
                .resolve(&source, CodeKind::WarehouseSku, "G-1", day(on))
                .map(|resolved| resolved.sku.to_string())
        };
        let catalog = load(&mut tx, &account(), day("2026-11-02")).await.unwrap();
        assert_eq!(meaning(&catalog, "2026-07-01").as_deref(), Some("A1"));

        // Handed over properly: the old claim ends before the new one begins, in whatever order the rows stand.
        let report = codes(
            &mut tx,
            "goodcang-uk,,warehouse_sku,G-1,B1,,2026-12-01,\n\
             goodcang-uk,,warehouse_sku,G-1,A1,,2026-01-01,2026-11-30\n",
            "2026-11-03",
        )
        .await;
        assert_eq!((report.new, report.changed, report.problems.len()), (1, 1, 0));
        let catalog = load(&mut tx, &account(), day("2026-11-03")).await.unwrap();
        assert_eq!(meaning(&catalog, "2026-11-30").as_deref(), Some("A1"));
        assert_eq!(meaning(&catalog, "2026-12-01").as_deref(), Some("B1"));
        assert_eq!(meaning(&catalog, "2025-12-31"), None);
    }
}

#[tokio::test]
async fn r2_an_fnsku_means_what_its_store_says() {
    for store in stores().await {
        let mut tx = store.write().await.unwrap();
        items(&mut tx, "sku\nA1\nB1\n", "2026-11-01").await;
        let report = codes(
            &mut tx,
            "amazon-uk,shop-1,fnsku,X001,A1,,,\namazon-uk,shop-2,fnsku,X001,B1,,,\n",
            "2026-11-01",
        )
        .await;
        assert_eq!((report.new, report.problems.len()), (2, 0));
        let catalog = load(&mut tx, &account(), day("2026-11-01")).await.unwrap();
        let source = SourceId::new("amazon-uk").unwrap();
        let on = day("2026-11-01");
        let in_store = |name: &str| {
            catalog
                .codes
                .resolve_in_store(&source, name, CodeKind::Fnsku, "X001", on)
        };
        assert_eq!(in_store("shop-1").unwrap().sku.as_str(), "A1");
        assert_eq!(in_store("shop-2").unwrap().sku.as_str(), "B1");
        assert_eq!(
            catalog.resolve(&source, CodeKind::Fnsku, "X001", on),
            None,
            "two stores, two meanings"
        );
    }
}

#[tokio::test]
async fn r6_unknown_warehouses_get_the_three_nearest_and_shared_codes_ask_for_their_provider() {
    for store in stores().await {
        let mut tx = store.write().await.unwrap();
        let on = day("2026-11-01");
        let warehouses = parse_warehouses(&table(
            "warehouses.csv",
            "code,country,zone\ngoodcang:USEA,US,America/New_York\nother:USEA,US,America/New_York\n\
             goodcang:UKMA,GB,Europe/London\namazon:GB,GB,Europe/London\n",
        ));
        let report = import_warehouses(&mut tx, &account(), &warehouses, on, at("2026-11-01"))
            .await
            .unwrap();
        assert_eq!(report.new, 4);
        let lanes = parse_lanes(&table(
            "lanes.csv",
            "warehouse,mode,forwarder,transit_p50,transit_p90,priority\n\
             goodcang:UKMB,sea,huatuo,35,50,\ngoodcang:UKMA,sea,slow,35,50,2\ngoodcang:UKMA,sea,huatuo,35,50,1\n",
        ));
        let report = import_lanes(&mut tx, &account(), &lanes, on, at("2026-11-01"))
            .await
            .unwrap();
        assert_eq!(report.new, 2);
        assert_eq!(
            report.problems[0].to_string(),
            "lanes.csv, line 2, `warehouse`: found `goodcang:UKMB`, wanted a known warehouse; the nearest are goodcang:UKMA, goodcang:USEA, amazon:GB"
        );

        let catalog = load(&mut tx, &account(), on).await.unwrap();
        assert_eq!(catalog.warehouse("UKMA").unwrap().code.as_str(), "goodcang:UKMA");
        assert!(matches!(
            catalog.warehouse("USEA"),
            Err(UnknownWarehouse::Ambiguous { .. })
        ));
        assert_eq!(
            catalog.warehouse("USEA").unwrap_err().to_string(),
            "warehouse `USEA` could be goodcang:USEA or other:USEA: write it with its provider"
        );
        assert_eq!(
            catalog.warehouse("goodcang:UKMB").unwrap_err().to_string(),
            "no warehouse `goodcang:UKMB`; the nearest are goodcang:UKMA, goodcang:USEA, amazon:GB"
        );
        let ukma = &catalog.warehouse("goodcang:UKMA").unwrap().code;
        let tried: Vec<&str> = catalog
            .lanes_to(ukma, linkstar::order::Mode::Sea)
            .map(|lane| lane.forwarder.as_str())
            .collect();
        assert_eq!(tried, ["huatuo", "slow"]);

        // A changed profile changes that warehouse and no other.
        let changed = parse_warehouses(&table(
            "warehouses.csv",
            "code,country,zone,storage_free_days\ngoodcang:UKMA,GB,Europe/London,30\namazon:GB,GB,Europe/London,\n",
        ));
        let report = import_warehouses(&mut tx, &account(), &changed, on, at("2026-11-02"))
            .await
            .unwrap();
        assert_eq!((report.changed, report.same), (1, 1));
    }
}
