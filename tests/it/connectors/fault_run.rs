//! Issue 4: a pull of many pages from a server that does everything wrong, by a process that is killed again and again,
//! leaves what an undisturbed pull leaves.
//!
//! The big run: `LINKSTAR_FAULT_ORDERS=200000 LINKSTAR_FAULT_KILLS=50 cargo test --test it connectors::fault_run`.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use linkstar::args;
use linkstar::connector::{ConnectorConfig, Definition, Secret};
use linkstar::ids::{AccountId, SourceId};
use linkstar::night::pull::pull;
use linkstar::store::facts::{self, PullState};
use linkstar::store::{Row, Store};

use super::fault_server::{FaultServer, LINES_PER_ORDER, ORDERS_PER_PAGE, WINDOWS};
use super::stage::{House, at};
use crate::fleet::children::{Draw, kill, size};
use crate::services::{fresh_database, services};

const NOW: &str = "2026-03-11T00:00:00Z";
const ACCOUNT: &str = "fault";
const SOURCE: &str = "shop";

const DEFINITION: &str = r#"
version = 1
name = "fault-server"
zone = "UTC"
doctor = "orders"
[params.url]
about = "the server"
[params.days]
about = "how many days back"
[secrets.id]
about = "who asks"
[secrets.secret]
about = "the password"
[http]
base = "${param:url}"
[auth]
kind = "client_credentials"
url = "${param:url}/token"
basic = { user = "${secret:id}", password = "${secret:secret}" }
form = { grant_type = "client_credentials" }
header = "x-token"
expired = { status = [401], text = "expired" }
[retry]
attempts = 6
[stream.orders]
record = "order_line"
snapshot = "partial"
decode = ["gzip", "json"]
request = { method = "GET", path = "/orders", query = { from = "{from}" } }
page = { kind = "token", next = "next", query = "page", max_pages = 100000 }
rows = "orders[].lines[]"
[stream.orders.cursor]
start_days = "${param:days}"
window_days = 1
[stream.orders.map]
order_id = "^.id"
sku_code = "sku"
marketplace = "^.channel"
fulfilment = "^.fulfilment"
ordered_at = "^.created | ts('rfc3339')"
updated_at = "^.updated | ts('rfc3339')"
state = "^.status | enum(shipped=shipped, cancelled=cancelled)"
units = "quantity | int"
"#;

fn config(url: &str) -> ConnectorConfig {
    let texts = |pairs: [(&str, &str); 2]| pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    ConnectorConfig {
        id: SourceId::new(SOURCE).expect("an id"),
        definition: Arc::new(Definition::parse("fault.toml", DEFINITION).expect("a good file")),
        params: texts([("url", url), ("days", &WINDOWS.to_string())]).into(),
        secrets: BTreeMap::from([
            ("id".to_owned(), Secret::new("fault-client")),
            ("secret".to_owned(), Secret::new("s3cret-fault")),
        ]),
        warehouses: BTreeMap::new(),
    }
}

const URL: &str = "LINKSTAR_FAULT_CHILD_URL";
const DATABASE: &str = "LINKSTAR_FAULT_CHILD_DATABASE";

/// What the killed process does: one pull, from where the last one stood.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the fault runs start it as a process of its own"]
async fn one_pull_of_its_own_process() {
    let url = std::env::var(URL).expect("the server");
    let store = Store::open(&std::env::var(DATABASE).expect("a database"))
        .await
        .expect("a store");
    let house = House::of(store, NOW, ACCOUNT);
    let report = pull(
        &house.store,
        &house.clock,
        &house.account,
        &config(&url),
        &house.client,
        None,
    )
    .await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
}

fn start(url: &str, database: &str) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            "connectors::fault_run::one_pull_of_its_own_process",
            "--ignored",
        ])
        .env(URL, url)
        .env(DATABASE, database)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process")
}

/// Everything a pull leaves, row by row.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    lines: Vec<String>,
    days: Vec<String>,
    covered: Vec<String>,
}

async fn left(database: &str) -> Left {
    let store = Store::open(database).await.expect("the store opens");
    let mut tx = store.read().await.expect("a transaction");
    let account = AccountId::new(ACCOUNT).expect("an id");
    let compared = facts::compare(&mut tx, ACCOUNT, SOURCE)
        .await
        .expect("a comparison");
    assert!(
        compared.years > 0 && compared.differences.is_empty(),
        "{:?}",
        compared.differences
    );
    let mut all = Vec::new();
    for sql in [
        "SELECT order_id, fact_key, sku_code, day, state, units FROM order_line WHERE account_id = $1
         ORDER BY order_id, fact_key",
        "SELECT day, fulfilment, sku_code, units FROM sales_day WHERE account_id = $1 ORDER BY day, fulfilment, sku_code",
        "SELECT day, state FROM source_day WHERE account_id = $1 ORDER BY day",
    ] {
        let rows = tx.rows(sql, args![&account]).await.expect("rows");
        all.push(rows.iter().map(shown).collect::<Vec<_>>());
    }
    drop(tx);
    store.close().await;
    let [lines, days, covered] = <[Vec<String>; 3]>::try_from(all).expect("three tables");
    Left { lines, days, covered }
}

fn shown(row: &Row) -> String {
    let cell = |column: &String| match column.as_str() {
        "units" => row.get::<i64>(column).expect("a number").to_string(),
        _ => row.get::<String>(column).expect("a text"),
    };
    row.columns().iter().map(cell).collect::<Vec<_>>().join(" ")
}

async fn finished(mut child: Child, what: &str) {
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success(), "{what}: {status}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Kills a pull after so many requests; false when it ended before.
async fn killed_after(server: &FaultServer, database: &str, requests: u64, moment: Duration) -> bool {
    let mut child = start(&server.url, database);
    let until = server.asked() + requests;
    while server.asked() < until {
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success(), "a disturbed pull: {status}");
            return false;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(moment).await;
    kill(&mut child)
}

async fn disturbed(databases: [String; 2]) {
    let orders = size("LINKSTAR_FAULT_ORDERS", 4_000);
    let kills = size("LINKSTAR_FAULT_KILLS", 5);
    let pages = usize::try_from(orders).expect("small").div_ceil(ORDERS_PER_PAGE);
    for database in &databases {
        // The processes find the tables there.
        Store::open(database).await.expect("a store").close().await;
    }
    let calm = FaultServer::open(pages, false).await;
    finished(start(&calm.url, &databases[0]), "the undisturbed pull").await;
    let expected = left(&databases[0]).await;
    assert_eq!(expected.lines.len(), calm.orders() * LINES_PER_ORDER);
    let first = at(NOW).date_naive() - chrono::Duration::days(10);
    assert!(
        expected.covered[0].starts_with(&first.to_string()),
        "{:?}",
        expected.covered
    );

    let server = FaultServer::open(pages, true).await;
    let mut draw = Draw(0x00fa_0175_2026);
    let most = (u64::try_from(pages).expect("small") / (kills + 1)).max(2);
    let mut killed = 0;
    for _ in 0..kills {
        let requests = 1 + Duration::from_micros(most).mul_f64(draw.next()).as_micros();
        let requests = u64::try_from(requests).expect("small");
        let moment = draw.below(Duration::from_millis(40));
        killed += u64::from(killed_after(&server, &databases[1], requests, moment).await);
    }
    assert!(
        killed * 5 >= kills * 4,
        "{killed} of {kills} kills hit a running pull"
    );
    finished(start(&server.url, &databases[1]), "the last pull").await;
    let faults = server.faults();
    assert!(faults.values().all(|count| *count > 0), "{faults:?}");
    let found = left(&databases[1]).await;
    assert_eq!(
        (found.lines.len(), found.days.len()),
        (expected.lines.len(), expected.days.len())
    );
    assert!(
        found == expected,
        "the rows differ from those of the undisturbed pull"
    );
    println!(
        "{} orders in {pages} pages, {killed} kills, {faults:?}: 0 lines lost, 0 doubled of {}",
        server.orders(),
        found.lines.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_killed_at_random_points_of_a_faulty_server_ends_as_an_undisturbed_one_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    disturbed([file("calm.db"), file("disturbed.db")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pull_killed_at_random_points_of_a_faulty_server_ends_as_an_undisturbed_one_on_postgresql() {
    let Some(services) = services() else { return };
    disturbed([fresh_database(&services).await, fresh_database(&services).await]).await;
}
