//! How many nested orders a CPU second pulls over HTTP into a database, and how far that is from a loader written by hand
//! for exactly this source, and from dlt.
//!
//! `cargo bench --bench pull` runs 200,000 orders in 2,000 pages; `cargo bench --bench pull -- 20000` fewer. With a
//! `postgres://` URL as a further argument the connector also pulls into that database (its schema `public` must be empty).
//! `benches/pull/peers.sh` installs dlt and runs all of them. Server and clients are this program again as child
//! processes, so that each one's CPU time and peak memory are its own.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;

use chrono::DateTime;
use linkstar::args;
use linkstar::clock::FixedClock;
use linkstar::connector::decode::parse;
use linkstar::connector::rows::{Reader, Seen};
use linkstar::connector::{Bound, ConnectorConfig, Definition};
use linkstar::http::{Client, Pace};
use linkstar::ids::{AccountId, SourceId};
use linkstar::night::pull::pull;
use linkstar::store::{Store, Value};

type Failed = Box<dyn std::error::Error>;

const ORDERS_PER_PAGE: usize = 100;
const LINES_PER_ORDER: usize = 2;

const DEFINITION: &str = r#"
version = 1
name = "orders-server"
zone = "UTC"
doctor = "orders"
[params.base_url]
about = "the server"
[http]
base = "${param:base_url}"
[stream.orders]
record = "order_line"
snapshot = "partial"
request = { method = "GET", path = "/orders" }
page = { kind = "token", next = "next", query = "page", max_pages = 100000 }
rows = "orders[].lines[]"
known = ["title", "price"]
key = ["order_id", "sku_code"]
newest = "updated_at"
[stream.orders.map]
order_id = "^.id"
sku_code = "sku"
marketplace = "^.channel"
fulfilment = "^.fulfilment"
ordered_at = "^.created | ts('rfc3339')"
updated_at = "^.updated | ts('rfc3339')"
state = "^.status | enum(paid=unshipped, shipped=shipped, cancelled=cancelled)"
units = "quantity | int"
"#;

fn page(number: usize, pages: usize) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64 * 1024);
    text.push_str("{\"orders\":[");
    for index in 0..ORDERS_PER_PAGE {
        let id = number * ORDERS_PER_PAGE + index;
        let comma = if index == 0 { "" } else { "," };
        let (month, day, hour) = (id / 8 % 12 + 1, id % 28 + 1, id % 24);
        let _ = write!(
            text,
            "{comma}{{\"id\":\"O-{id:08}\",\"channel\":\"shop.example\",\"fulfilment\":\"Merchant\",\"status\":\"shipped\",\
             \"created\":\"2025-{month:02}-{day:02}T{hour:02}:15:00+00:00\",\"updated\":\"2025-12-31T00:00:00+00:00\",\
             \"buyer\":{{\"name\":\"Buyer {id}\",\"city\":\"Leeds\",\"postcode\":\"LS1 4AP\"}},\"lines\":["
        );
        for line in 0..LINES_PER_ORDER {
            let comma = if line == 0 { "" } else { "," };
            let _ = write!(
                text,
                "{comma}{{\"sku\":\"SKU-{:04}\",\"title\":\"Thing number {line}\",\"quantity\":{},\"price\":\"12.50\"}}",
                (id * 7 + line * 13) % 3000,
                id % 5 + 1
            );
        }
        text.push_str("]}");
    }
    text.push(']');
    if number + 1 < pages {
        let _ = write!(text, ",\"next\":\"{}\"", number + 1);
    }
    text.push('}');
    text
}

/// The child: serves pages on one port until its parent is gone.
fn serve(pages: usize) -> Result<(), Failed> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    std::io::stdout().flush()?;
    std::thread::spawn(|| {
        let mut end = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut end);
        std::process::exit(0);
    });
    for stream in listener.incoming() {
        let mut stream = stream?;
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        std::thread::spawn(move || {
            loop {
                let mut number = 0;
                let mut line = String::new();
                loop {
                    line.clear();
                    if !reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                        return;
                    }
                    if let Some((_, rest)) = line.split_once("page=") {
                        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                        number = digits.parse().unwrap_or(0);
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                }
                let body = page(number, pages);
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                if stream.write_all(head.as_bytes()).is_err() || stream.write_all(body.as_bytes()).is_err() {
                    return;
                }
            }
        });
    }
    Ok(())
}

/// User and system time of this process in seconds, and the most memory it ever held in MiB.
fn used() -> Result<(f64, f64), Failed> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').ok_or("no process name")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |index: usize| -> Result<f64, Failed> { Ok(fields.get(index).ok_or("short stat")?.parse()?) };
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|line| line.trim().strip_suffix("kB"))
        .ok_or("no VmHWM")?;
    let peak: f64 = peak.trim().parse()?;
    Ok(((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND, peak / 1024.0))
}

fn config(url: &str) -> Result<ConnectorConfig, Failed> {
    Ok(ConnectorConfig {
        id: SourceId::new("bench")?,
        definition: Arc::new(Definition::parse("bench.toml", DEFINITION)?),
        params: BTreeMap::from([("base_url".to_owned(), url.to_owned())]),
        secrets: BTreeMap::new(),
        warehouses: BTreeMap::new(),
    })
}

async fn through_the_connector(url: &str, store: &Store, orders: usize) -> Result<(), Failed> {
    let config = config(url)?;
    let account = AccountId::new("bench")?;
    let clock = FixedClock::new(DateTime::UNIX_EPOCH);
    let client = Client::new(Pace::Real)?;
    let report = pull(store, &clock, &account, &config, &client, None).await;
    let rows: i64 = report.streams.iter().map(|stream| stream.rows).sum();
    let expected = i64::try_from(orders * LINES_PER_ORDER)?;
    if rows != expected {
        return Err(format!("{rows} lines were taken, {expected} expected: {report:?}").into());
    }
    Ok(())
}

#[derive(serde::Deserialize)]
struct Page {
    orders: Vec<Order>,
    next: Option<String>,
}

#[derive(serde::Deserialize)]
struct Order {
    id: String,
    channel: String,
    fulfilment: String,
    status: String,
    created: String,
    updated: String,
    lines: Vec<Line>,
}

#[derive(serde::Deserialize)]
struct Line {
    sku: String,
    quantity: i64,
}

/// What somebody would write for this one source: no cursor, no raw pages, no days, no checks.
async fn by_hand(url: &str, store: &Store, orders: usize) -> Result<(), Failed> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut next = Some(String::new());
    let mut count = 0;
    while let Some(token) = next {
        let separator = if token.is_empty() { "" } else { "?page=" };
        let body = client
            .get(format!("{url}/orders{separator}{token}"))
            .send()
            .await?
            .bytes()
            .await?;
        let page: Page = serde_json::from_slice(&body)?;
        let mut rows: Vec<Vec<Value>> = Vec::new();
        for order in &page.orders {
            let ordered = DateTime::parse_from_rfc3339(&order.created)?.to_utc();
            let updated = DateTime::parse_from_rfc3339(&order.updated)?.to_utc();
            for (number, line) in order.lines.iter().enumerate() {
                rows.push(
                    args![
                        "hand",
                        "hand",
                        &order.id,
                        number.to_string(),
                        &line.sku,
                        &order.channel,
                        &order.fulfilment,
                        ordered,
                        updated,
                        ordered.date_naive(),
                        &order.status,
                        line.quantity,
                        false
                    ]
                    .to_vec(),
                );
            }
        }
        count += rows.len();
        let mut tx = store.write().await?;
        tx.insert_many(
            "INSERT INTO order_line (account_id, source, order_id, fact_key, sku_code, marketplace, fulfilment,
                 ordered_at, updated_at, day, state, units, replacement)",
            &rows,
            "",
        )
        .await?;
        tx.commit().await?;
        next = page.next;
    }
    if count == orders * LINES_PER_ORDER {
        Ok(())
    } else {
        Err(format!("{count} lines were loaded").into())
    }
}

/// Reads and maps answers that lie in memory: CPU seconds.
fn mapping(pages: usize) -> Result<f64, Failed> {
    const IN_MEMORY: usize = 50;
    let bound = Bound::new(&config("http://127.0.0.1")?).map_err(|problems| format!("{problems:?}"))?;
    let (stream, reading) = bound.stream("orders").ok_or("no stream")?;
    let texts: Vec<String> = (0..IN_MEMORY).map(|number| page(number, pages)).collect();
    let (before, _) = used()?;
    let mut lines = 0;
    for text in texts.iter().cycle().take(pages) {
        let mut page = parse(&stream.decode, text.as_bytes(), &reading.want)?;
        let rows = bound.read("orders", &mut page, Reader::default(), &mut Seen::default())?;
        lines += rows.facts.len();
    }
    let (after, _) = used()?;
    if lines != pages * ORDERS_PER_PAGE * LINES_PER_ORDER {
        return Err(format!("{lines} lines were mapped").into());
    }
    Ok(after - before)
}

/// A child: pulls everything into an empty database and prints what that took.
fn client(who: &str, url: &str, database: &str, orders: usize) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (before, _) = used()?;
    runtime.block_on(async {
        let store = Store::open(database).await?;
        match who {
            "connector" => through_the_connector(url, &store, orders).await,
            _ => by_hand(url, &store, orders).await,
        }
    })?;
    let (after, peak) = used()?;
    println!("{} {peak}", after - before);
    Ok(())
}

/// Runs a client to its end: CPU seconds and MiB.
fn took(command: &mut Command) -> Result<(f64, f64), Failed> {
    let ended = command.stderr(Stdio::inherit()).output()?;
    let said = String::from_utf8(ended.stdout)?;
    let last = said.lines().last().unwrap_or_default();
    match last.split_once(' ') {
        Some((seconds, peak)) if ended.status.success() => Ok((seconds.parse()?, peak.parse()?)),
        _ => Err(format!("{command:?} ended with {}: {said}", ended.status).into()),
    }
}

fn compare(
    url: &str,
    orders: usize,
    folder: &std::path::Path,
    postgres: Option<&String>,
) -> Result<(), Failed> {
    let this = std::env::current_exe()?;
    let with =
        |who: &str, database: &str| took(Command::new(&this).args([who, url, database, &orders.to_string()]));
    let file = |name: &str| format!("sqlite:{}", folder.join(name).display());
    let hand = with("hand", &file("hand.db"))?;
    let mut rows = vec![
        ("connector, SQLite", with("connector", &file("connector.db"))?),
        ("by hand, SQLite", hand),
    ];
    if let Some(postgres) = postgres {
        rows.push(("connector, PostgreSQL", with("connector", postgres)?));
    }
    if let Some(python) = std::env::var_os("LINKSTAR_BENCH_DLT") {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/pull/dlt_orders.py");
        let lines = (orders * LINES_PER_ORDER).to_string();
        rows.push((
            "dlt, SQLite",
            took(Command::new(python).args([
                script.as_ref(),
                url.as_ref(),
                folder.as_os_str(),
                lines.as_ref(),
            ]))?,
        ));
    }
    println!(
        "{:24}{:>9}{:>14}{:>9}{:>9}",
        "", "CPU s", "orders/CPU s", "MiB", "ratio"
    );
    for (who, (seconds, peak)) in rows {
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let rate = orders as f64 / seconds;
        println!(
            "{who:24}{seconds:9.2}{rate:14.0}{peak:9.1}{:9.2}",
            seconds / hand.0
        );
    }
    let mapped = mapping(orders / ORDERS_PER_PAGE)?;
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = (orders * LINES_PER_ORDER) as f64 / mapped;
    println!(
        "{:24}{mapped:9.2}   {rate:.0} lines/CPU s",
        "reading and mapping alone"
    );
    Ok(())
}

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    match arguments.as_slice() {
        [word, pages] if word == "serve" => return serve(pages.parse()?),
        [who, url, database, orders] => return client(who, url, database, orders.parse()?),
        _ => {}
    }
    let orders: usize = match arguments.first() {
        Some(orders) => orders.parse()?,
        None => 200_000,
    };
    let pages = orders.div_ceil(ORDERS_PER_PAGE);
    let orders = pages * ORDERS_PER_PAGE;
    let mut server = Command::new(std::env::current_exe()?)
        .args(["serve", &pages.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut port = String::new();
    BufReader::new(server.stdout.take().ok_or("no output")?).read_line(&mut port)?;
    let url = format!("http://127.0.0.1:{}", port.trim());
    let folder = std::env::temp_dir().join(format!("linkstar-bench-pull-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    println!(
        "{orders} orders of {LINES_PER_ORDER} lines in {pages} pages; the ratio is to the loader by hand"
    );
    let done = compare(&url, orders, &folder, arguments.get(1));
    let _ = server.kill();
    let _ = server.wait();
    let _ = std::fs::remove_dir_all(&folder);
    done
}
