//! Amazon's own models, played by Stoplight Prism: the shipped connector file speaks what the models say.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use linkstar::connector::ConnectorConfig;
use linkstar::http::{Client, Pace, doctor};
use linkstar::store::facts::PullState;
use tokio::process::{Child, Command};

use crate::services::missing;

use super::sandbox::awd;
use super::stage::{House, Stage, amazon, stream};

/// Prism in the folder that tests/run.sh fills.
pub(super) fn prism() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("LINKSTAR_PRISM") else {
        missing("LINKSTAR_PRISM names no folder where `npm i @stoplight/prism-cli@5` was run");
        return None;
    };
    Some(Path::new(&folder).join("node_modules/.bin/prism"))
}

fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/connectors/amazon")
        .join(name)
}

/// A copy of a model that answers with Amazon's own sandbox bodies.
async fn with_sandbox_answers(name: &str, folder: &Path) -> PathBuf {
    let copy = folder.join(name);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/sandbox_examples.py");
    let done = Command::new("python3")
        .arg(script)
        .arg(model(name))
        .arg(&copy)
        .status()
        .await
        .expect("python3 runs");
    assert!(done.success(), "{name}");
    copy
}

/// # Panics
/// When it does not open its port within 30 s.
pub(super) async fn serve_file(program: &Path, model: &Path) -> (Child, String) {
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        free.local_addr().expect("an address").port()
    };
    let child = Command::new(program)
        .args(["mock", "-h", "127.0.0.1", "-p", &port.to_string()])
        .arg(model)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("prism starts");
    let mut open = false;
    for _ in 0..300 {
        open = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        if open {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(open, "prism opens its port within 30 s");
    (child, format!("http://127.0.0.1:{port}"))
}

#[tokio::test]
async fn amazons_inventory_model_is_read_and_its_endless_token_is_noticed() {
    let Some(program) = prism() else { return };
    let stage = Stage::open().await;
    stage.with_token();
    let (_prism, url) = serve_file(&program, &model("fbaInventory.json")).await;
    let config = at_prism(amazon(&stage), &url, &[]);
    let house = House::new("2026-04-02T02:00:00Z").await;
    let client = Client::new(Pace::Skip).unwrap();
    let diagnosis = doctor(&client, &house.clock, &config).await;
    assert_eq!(diagnosis.code, "ok", "{diagnosis:?}");
    // The model's example gives the same token for ever.
    let report = house.pull(&config).await;
    let problem = stream(&report, "stock").problem.clone().unwrap();
    assert!(problem.contains("was given before"), "{problem}");
}

#[tokio::test]
async fn amazons_report_model_takes_our_requests() {
    let Some(program) = prism() else { return };
    let stage = Stage::open().await;
    stage.with_token();
    let (_prism, url) = serve_file(&program, &model("reports_2021-06-30.json")).await;
    let config = at_prism(amazon(&stage), &url, &[]);
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&config).await;
    let problem = stream(&report, "orders").problem.clone().unwrap();
    // Created and polled as the model wants it (a wrong request is answered with 400); the example's state is CANCELLED,
    // which is a gap and no day without sales.
    assert!(
        problem.contains("is a gap: report string was CANCELLED"),
        "{problem}"
    );
}

fn at_prism(mut config: ConnectorConfig, url: &str, switches: &[&str]) -> ConnectorConfig {
    config.params.insert("base_url".to_owned(), url.to_owned());
    config
        .params
        .insert("timeout_seconds".to_owned(), "20".to_owned());
    for switch in switches {
        config.params.insert((*switch).to_owned(), "yes".to_owned());
    }
    config
}

/// Prism answers every page alike: the same token for ever, and a rate header that is no number.
#[tokio::test]
async fn amazons_orders_model_of_2026_takes_our_questions_and_its_endless_token_is_noticed() {
    let Some(program) = prism() else { return };
    let stage = Stage::open().await;
    stage.with_token();
    let folder = tempfile::tempdir().unwrap();
    let model = with_sandbox_answers("orders_2026-01-01.json", folder.path()).await;
    let (_prism, url) = serve_file(&program, &model).await;
    let config = at_prism(amazon(&stage), &url, &["recent_orders"]);
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&config).await;
    let recent = stream(&report, "orders_recent");
    // Amazon's own order of two lines came before the guard ended the pages.
    assert_eq!((recent.state, recent.rows), (PullState::Partial, 2), "{recent:?}");
    let problem = recent.problem.clone().unwrap();
    assert!(problem.contains("was given before"), "{problem}");
    let header = head_of(
        &url,
        "/orders/2026-01-01/orders?createdAfter=2026-01-01T00:00:00Z&marketplaceIds=A1F83G8C2ARO7P",
    )
    .await;
    assert!(header.contains("x-amzn-ratelimit-limit: string"), "{header}");
}

/// The head of an answer, in small letters.
async fn head_of(url: &str, path: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let host = url.strip_prefix("http://").expect("an address");
    let mut stream = tokio::net::TcpStream::connect(host).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer.split("\r\n\r\n").next().unwrap_or_default().to_lowercase()
}

#[tokio::test]
async fn amazons_awd_model_takes_our_questions_and_cases_are_not_counted_as_pieces() {
    let Some(program) = prism() else { return };
    let stage = Stage::open().await;
    stage.with_token();
    let folder = tempfile::tempdir().unwrap();
    let model = with_sandbox_answers("awd_2024-05-09.json", folder.path()).await;
    let (_prism, url) = serve_file(&program, &model).await;
    let config = at_prism(awd(&stage), &url, &[]);
    let house = House::new("2026-04-02T02:00:00Z").await;
    let client = Client::new(Pace::Skip).unwrap();
    let diagnosis = doctor(&client, &house.clock, &config).await;
    assert_eq!(diagnosis.code, "ok", "{diagnosis:?}");
    let report = house.pull(&config).await;
    let stock = stream(&report, "stock");
    assert_eq!((stock.state, stock.rows), (PullState::Ok, 2), "{stock:?}");
    let inbound = stream(&report, "inbound");
    assert!(inbound.rows >= 1 && inbound.rejected_count == 0, "{inbound:?}");
    let lines = stream(&report, "inbound_lines");
    let problem = lines.problem.clone().unwrap();
    assert!(problem.contains("found `CASE`"), "{problem}");
    assert_eq!(lines.rows, 0);
}

#[tokio::test]
async fn amazons_inbound_model_takes_our_questions() {
    let Some(program) = prism() else { return };
    let stage = Stage::open().await;
    stage.with_token();
    let folder = tempfile::tempdir().unwrap();
    let model = with_sandbox_answers("fulfillmentInboundV0.json", folder.path()).await;
    let (_prism, url) = serve_file(&program, &model).await;
    let config = at_prism(amazon(&stage), &url, &["inbounds"]);
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&config).await;
    // Prism refuses a question that the model does not allow; the second page, another kind of question, it took too.
    let inbound = stream(&report, "inbound");
    assert!(
        inbound.problem.as_ref().unwrap().contains("was given before"),
        "{inbound:?}"
    );
    assert_eq!(inbound.rows, 1, "{inbound:?}");
    let lines = stream(&report, "inbound_lines");
    assert_eq!((lines.rows, lines.rejected_count), (1, 0), "{lines:?}");
}

#[tokio::test]
async fn amazons_report_model_with_sandbox_answers_is_polled_until_patience_ends() {
    let Some(program) = prism() else { return };
    let stage = Stage::open().await;
    stage.with_token();
    let folder = tempfile::tempdir().unwrap();
    let model = with_sandbox_answers("reports_2021-06-30.json", folder.path()).await;
    let (_prism, url) = serve_file(&program, &model).await;
    let house = House::new("2026-04-02T02:00:00Z").await;
    let report = house.pull(&at_prism(amazon(&stage), &url, &[])).await;
    // The sandbox's report ID323 is in progress for ever.
    let problem = stream(&report, "orders").problem.clone().unwrap();
    assert_eq!(
        problem,
        "slow: report ID323 is still IN_PROGRESS after 60 minutes"
    );
}
