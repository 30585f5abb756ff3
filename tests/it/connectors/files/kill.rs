//! A pull of many files, killed again and again, leaves what an undisturbed one leaves.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use linkstar::args;
use linkstar::store::Store;

use super::super::stage::House;
use super::{NOW, only, put, source};
use crate::fleet::children::{Draw, ended_well, kill, size};
use crate::services::{fresh_database, services};

const FOLDER: &str = "LINKSTAR_FILES_CHILD_FOLDER";
const DATABASE: &str = "LINKSTAR_FILES_CHILD_DATABASE";
const ACCOUNT: &str = "files";
const ORDERS: u64 = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the test of kills starts it as a process of its own"]
async fn one_pull_of_its_own_process() {
    let folder = std::env::var(FOLDER).expect("the folder");
    let store = Store::open(&std::env::var(DATABASE).expect("a database"))
        .await
        .expect("a store");
    let house = House::of(store, NOW, ACCOUNT);
    let report = house
        .pull(&source(Path::new(&folder), &only("orders"), &["UKMA"]))
        .await;
    assert_eq!(
        report.state(),
        linkstar::store::facts::PullState::Ok,
        "{report:?}"
    );
}

fn start(folder: &Path, database: &str) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            "connectors::files::kill::one_pull_of_its_own_process",
            "--ignored",
        ])
        .env(FOLDER, folder)
        .env(DATABASE, database)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process")
}

/// Every row a pull leaves: the lines, the sales days, the days that are covered.
async fn left(database: &str) -> Vec<String> {
    let store = Store::open(database).await.expect("a store");
    let mut tx = store.read().await.expect("the store reads");
    let account = ACCOUNT.to_owned();
    let mut all = Vec::new();
    for sql in [
        "SELECT fact_key AS a, state AS b, units AS n FROM order_line WHERE account_id = $1 ORDER BY source, fact_key",
        "SELECT sku_code AS a, fulfilment AS b, units AS n FROM sales_day WHERE account_id = $1
         ORDER BY day, sku_code, fulfilment",
    ] {
        for row in tx.rows(sql, args![&account]).await.expect("rows") {
            let (a, b): (String, String) = (row.get("a").expect("a"), row.get("b").expect("b"));
            all.push(format!("{a} {b} {}", row.get::<i64>("n").expect("n")));
        }
    }
    drop(tx);
    store.close().await;
    all
}

async fn killed(databases: [String; 2]) {
    let files = size("LINKSTAR_FILES", 60);
    let kills = size("LINKSTAR_FILES_KILLS", 5);
    let room = tempfile::tempdir().expect("a folder");
    for file in 0..files {
        let mut text = "订单号,下单时间,SKU,数量\n".to_owned();
        for order in 0..ORDERS {
            // Half of each file stands in the next one too.
            let number = file * ORDERS / 2 + order;
            let _ = writeln!(
                text,
                "O{number},2026-11-{:02} 10:00,S{},{}",
                1 + file % 20,
                number % 17,
                1 + number % 5
            );
        }
        put(
            room.path(),
            &format!("orders{file:03}.csv"),
            text.as_bytes(),
            "2026-11-22T00:00:00Z",
        );
    }
    for database in &databases {
        Store::open(database).await.expect("a store").close().await;
    }
    ended_well(start(room.path(), &databases[0]), "the undisturbed pull").await;
    let expected = left(&databases[0]).await;
    let orders = usize::try_from((files + 1) * ORDERS / 2).expect("small");
    assert!(expected.len() > orders, "{}", expected.len());
    let mut draw = Draw(0x00f1_1e50_2026);
    let mut hit = 0;
    for _ in 0..kills {
        let mut child = start(room.path(), &databases[1]);
        tokio::time::sleep(Duration::from_millis(60) + draw.below(Duration::from_millis(250))).await;
        hit += u64::from(kill(&mut child));
    }
    ended_well(start(room.path(), &databases[1]), "the last pull").await;
    assert!(hit > 0, "no kill hit a running pull");
    assert!(
        left(&databases[1]).await == expected,
        "the rows differ from those of the undisturbed pull"
    );
    println!(
        "{files} files, {hit} of {kills} kills hit: 0 lost, 0 doubled of {}",
        expected.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_of_files_killed_at_random_points_ends_as_an_undisturbed_one_on_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    killed([file("calm.db"), file("killed.db")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_of_files_killed_at_random_points_ends_as_an_undisturbed_one_on_postgresql() {
    let Some(services) = services() else { return };
    killed([fresh_database(&services).await, fresh_database(&services).await]).await;
}
