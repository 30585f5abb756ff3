//! The newest file is the stock of its time; no file is no stock of zero.

use linkstar::planner::DataState;
use linkstar::store::facts::{self, PullState};

use super::super::stage::{House, at, stream};
use super::{NOW, beside, both_engines, known, only, own, put, source};

const GOOD: &str = "SKU,可用库存\nA,10\nB,3\n";

async fn state(house: &House) -> DataState {
    let mut tx = house.store.read().await.expect("the store reads");
    let now = linkstar::clock::Clock::now(&house.clock);
    let states = facts::source_states(&mut tx, &house.account, now)
        .await
        .expect("states");
    states
        .iter()
        .find(|state| state.stream == "stock")
        .expect("the stream")
        .state
}

#[tokio::test]
async fn no_file_is_a_state_of_its_own_and_no_stock_of_zero() {
    for house in both_engines().await {
        let room = tempfile::tempdir().expect("a folder");
        let config = source(room.path(), &only("stock"), &["UKMA"]);
        let report = house.pull(&config).await;
        let pulled = stream(&report, "stock");
        assert_eq!(pulled.state, PullState::Failed);
        let problem = pulled.problem.clone().expect("a reason");
        let shown = problem.replace(&room.path().display().to_string(), "FOLDER");
        insta::assert_snapshot!("no_file", shown);
        let known = known(&house, "files:UKMA")
            .await
            .expect("the warehouse is known of");
        assert_eq!((known.as_of, known.available.len()), (None, 0));
        assert_eq!(state(&house).await, DataState::Missing);
    }
}

#[tokio::test]
async fn the_newest_file_is_the_stock_and_the_same_file_again_is_no_new_snapshot() {
    for house in both_engines().await {
        let room = tempfile::tempdir().expect("a folder");
        let config = source(room.path(), &only("stock"), &["UKMA"]);
        put(
            room.path(),
            "库存_20261122_0800.csv",
            b"SKU,available\nOLD,1\n",
            NOW,
        );
        put(room.path(), "库存_20261123_0800.csv", GOOD.as_bytes(), NOW);
        assert_eq!(stream(&house.pull(&config).await, "stock").state, PullState::Ok);
        let first = known(&house, "files:UKMA").await.expect("stock");
        // Eight in Shenzhen, as the name says, and not when it was copied here.
        assert_eq!(first.as_of.as_deref(), Some("2026-11-23T00:00:00+00:00"));
        let wanted = vec![("A".to_owned(), Some(10)), ("B".to_owned(), Some(3))];
        assert_eq!(first.available, wanted);

        // The same bytes under the name of a later time: nothing has moved since.
        house.clock.set(at("2026-11-23T10:00:00Z"));
        put(room.path(), "库存_20261123_1700.csv", GOOD.as_bytes(), NOW);
        house.pull(&config).await;
        let second = known(&house, "files:UKMA").await.expect("stock");
        assert_eq!(second.as_of.as_deref(), Some("2026-11-23T09:00:00+00:00"));
        assert_eq!(second.available, first.available);
        let again = house.pull(&config).await;
        assert_eq!(
            (stream(&again, "stock").state, stream(&again, "stock").pages),
            (PullState::Ok, 0)
        );

        // Corrected: other bytes of the same time.
        put(
            room.path(),
            "库存_20261123_1700 (1).csv",
            b"SKU,available\nA,9\n",
            "2026-11-23T05:00:00Z",
        );
        house.pull(&config).await;
        let third = known(&house, "files:UKMA").await.expect("stock");
        assert_eq!(third.available, [("A".to_owned(), Some(9))]);
    }
}

#[tokio::test]
async fn the_same_file_saved_once_more_is_no_new_snapshot() {
    let house = House::new(NOW).await;
    let room = tempfile::tempdir().expect("a folder");
    let config = source(room.path(), &only("stock"), &["UKMA"]);
    put(room.path(), "stock.csv", GOOD.as_bytes(), "2026-11-22T20:00:00Z");
    house.pull(&config).await;
    put(room.path(), "stock.csv", GOOD.as_bytes(), "2026-11-23T03:00:00Z");
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "stock").pages, 0);
    let stock = known(&house, "files:UKMA").await.expect("stock");
    assert_eq!(stock.as_of.as_deref(), Some("2026-11-22T20:00:00+00:00"));
}

#[tokio::test]
async fn an_old_file_makes_the_source_stale_and_an_emptied_folder_leaves_what_is_known() {
    let house = House::new(NOW).await;
    let room = tempfile::tempdir().expect("a folder");
    let config = source(room.path(), &only("stock"), &["UKMA"]);
    put(room.path(), "stock.csv", GOOD.as_bytes(), "2026-11-22T20:00:00Z");
    house.pull(&config).await;
    assert_eq!(state(&house).await, DataState::Complete);
    house.clock.set(at("2026-11-24T09:00:00Z"));
    house.pull(&config).await;
    assert_eq!(state(&house).await, DataState::Stale, "37 hours");
    let aged = known(&house, "files:UKMA").await.expect("stock");
    assert!(aged.stale, "and so is every line of a plan that needs it");
    assert_eq!(
        aged.problem.as_deref(),
        Some("the newest file is of 2026-11-22 20:00, more than 36 hours ago")
    );
    std::fs::remove_file(room.path().join("stock.csv")).expect("removed");
    let report = house.pull(&config).await;
    assert_eq!(stream(&report, "stock").pages, 0);
    assert_eq!(
        known(&house, "files:UKMA").await.expect("stock").available.len(),
        2
    );
    assert_eq!(state(&house).await, DataState::Stale);
}

#[tokio::test]
async fn a_bad_row_discards_the_snapshot_and_every_fault_stands_beside_the_file_until_it_is_mended() {
    for house in both_engines().await {
        let room = tempfile::tempdir().expect("a folder");
        let config = source(room.path(), &only("stock"), &["UKMA"]);
        put(room.path(), "stock_20261122.csv", GOOD.as_bytes(), NOW);
        house.pull(&config).await;
        let bad = "title\n\nSKU,available,reserved\nA,#N/A,many\nB,,1\n,4,1\nC,=1+1,2\nD,7,1\n";
        put(room.path(), "stock_20261123.csv", bad.as_bytes(), NOW);
        let report = house.pull(&config).await;
        assert_eq!(stream(&report, "stock").state, PullState::Failed);
        let after = known(&house, "files:UKMA").await.expect("stock");
        assert!(after.stale && after.problem.is_some());
        assert_eq!(after.available.len(), 2, "what was known stays");
        let told = beside(room.path(), "stock_20261123.csv").expect("the faults");
        insta::assert_snapshot!("all_faults_of_a_file", told);

        // The bad file is taken away: the one before it is the newest again.
        std::fs::remove_file(room.path().join("stock_20261123.csv")).expect("removed");
        house.pull(&config).await;
        assert!(!known(&house, "files:UKMA").await.expect("stock").stale);
        put(room.path(), "stock_20261123.csv", b"SKU,available\nA,1\n", NOW);
        house.pull(&config).await;
        let mended = known(&house, "files:UKMA").await.expect("stock");
        assert_eq!(
            (mended.stale, mended.available),
            (false, vec![("A".to_owned(), Some(1))])
        );
        assert_eq!(beside(room.path(), "stock_20261123.csv"), None);
    }
}

#[tokio::test]
async fn a_file_of_one_warehouse_does_not_empty_another() {
    let house = House::new(NOW).await;
    let room = tempfile::tempdir().expect("a folder");
    let config = source(room.path(), &only("stock"), &["UKMA", "DE1"]);
    let both = "仓库,SKU,可用\nUKMA,A,1\nDE1,A,2\nFR9,A,3\n";
    put(room.path(), "stock_20261122.csv", both.as_bytes(), NOW);
    let uk = "仓库,SKU,可用\nUKMA,A,7\n";
    put(room.path(), "stock_20261123.csv", uk.as_bytes(), NOW);
    let report = house.pull(&config).await;
    let pulled = stream(&report, "stock");
    assert_eq!(pulled.state, PullState::Ok, "{report:?}");
    let one = |units| vec![("A".to_owned(), Some(units))];
    assert_eq!(
        known(&house, "files:UKMA").await.expect("stock").available,
        one(7)
    );
    let german = known(&house, "files:DE1").await.expect("stock");
    assert_eq!(german.available, one(2));
    assert_eq!(german.as_of.as_deref(), Some("2026-11-21T16:00:00+00:00"));
    // A row that nobody owns cannot be given to both.
    put(
        room.path(),
        "stock_20261123_1000.csv",
        "仓库,SKU,可用\nUKMA,A,8\n,B,9\n".as_bytes(),
        NOW,
    );
    let report = house.pull(&config).await;
    let problem = stream(&report, "stock").problem.clone().expect("a reason");
    assert!(problem.contains("line 3, `warehouse`"), "{problem}");
    // Without a column and without a place in the names nobody can say whose stock it is.
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/connectors/linkstar-files.toml"
    ))
    .expect("the file")
    .replacen("warehouse = \"warehouse\", available", "available", 1);
    let mut own = own(&text, room.path());
    own.warehouses.clone_from(&config.warehouses);
    let refused = house.pull(&own).await;
    let said: Vec<String> = refused.problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!("whose_stock", said.join("\n"));
}

#[tokio::test]
async fn a_time_to_come_a_missing_one_and_a_growing_file_are_named() {
    let house = House::new(NOW).await;
    let room = tempfile::tempdir().expect("a folder");
    let config = source(room.path(), &only("stock"), &["UKMA"]);
    put(
        room.path(),
        "stock_20261125.csv",
        GOOD.as_bytes(),
        "2026-11-25T00:00:00Z",
    );
    let report = house.pull(&config).await;
    let mut said = stream(&report, "stock").problem.clone().expect("a reason");
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/connectors/linkstar-files.toml"
    ))
    .expect("the file")
    .replacen(
        ", { modified = true }]",
        ", { cell = \"B1\", zone = \"${param:times}\" }]",
        1,
    );
    put(
        room.path(),
        "stock.csv",
        b"SKU,available\nA,1\n",
        "2026-11-26T00:00:00Z",
    );
    std::fs::remove_file(room.path().join("stock_20261125.csv")).expect("removed");
    let report = house.pull(&own(&text, room.path())).await;
    said.push('\n');
    said.push_str(&stream(&report, "stock").problem.clone().expect("a reason"));
    put(
        room.path(),
        "stock.csv",
        "时间,2026/11/23 09:30\nSKU,available\nA,1\n".as_bytes(),
        NOW,
    );
    let report = house.pull(&own(&text, room.path())).await;
    assert_eq!(stream(&report, "stock").state, PullState::Ok, "{report:?}");
    insta::assert_snapshot!("times", said);
}
