//! Amazon's own models, played by Stoplight Prism: the shipped connector file speaks what the models say.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use linkstar::http::{Client, Pace, doctor};
use tokio::process::{Child, Command};

use crate::services::missing;

use super::stage::{House, Stage, amazon, stream};

/// Prism in the folder that tests/run.sh fills.
pub(super) fn prism() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("LINKSTAR_PRISM") else {
        missing("LINKSTAR_PRISM names no folder where `npm i @stoplight/prism-cli@5` was run");
        return None;
    };
    Some(Path::new(&folder).join("node_modules/.bin/prism"))
}

async fn serve(program: &Path, model: &str) -> Option<(Child, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/connectors/amazon");
    serve_file(program, &folder.join(model)).await
}

pub(super) async fn serve_file(program: &Path, model: &Path) -> Option<(Child, String)> {
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
    for _ in 0..300 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Some((child, format!("http://127.0.0.1:{port}")));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}

#[tokio::test]
async fn amazons_inventory_model_is_read_and_its_endless_token_is_noticed() {
    let Some(program) = prism() else { return };
    let stage = Stage::open().await;
    stage.with_token();
    let (_prism, url) = serve(&program, "fbaInventory.json")
        .await
        .expect("prism opens its port within 30 s");
    let mut config = amazon(&stage);
    config.params.insert("base_url".to_owned(), url);
    config
        .params
        .insert("timeout_seconds".to_owned(), "20".to_owned());
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
    let (_prism, url) = serve(&program, "reports_2021-06-30.json")
        .await
        .expect("prism opens its port within 30 s");
    let mut config = amazon(&stage);
    config.params.insert("base_url".to_owned(), url);
    config
        .params
        .insert("timeout_seconds".to_owned(), "20".to_owned());
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
