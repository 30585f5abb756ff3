//! Several processes that do the same night of the same account at once.

use std::process::Child;
use std::time::Duration;

use super::stage::{Engine, Stage, assert_as_undisturbed};
use crate::services::services;

async fn together(engine: Engine) {
    let Some(services) = services() else { return };
    let stage = Stage::new(&services, engine).await;
    let before = stage.mails();
    stage.night();
    let calm = stage.left(&before).await;
    stage.restore().await;
    let before = stage.mails();
    let mut nights: Vec<Child> = (0..3)
        .map(|_| stage.shop.spawn(&["night", "--at", &stage.at]))
        .collect();
    for night in &mut nights {
        let status = loop {
            if let Some(status) = night.try_wait().expect("a child") {
                break status;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert!(matches!(status.code(), Some(0 | 1)), "{status}");
    }
    let doubtful = assert_as_undisturbed(&calm, stage.left(&before).await, "three at once");
    assert_eq!(doubtful, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nights_at_once_decide_number_and_send_once_on_sqlite() {
    together(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nights_at_once_decide_number_and_send_once_on_postgresql() {
    together(Engine::Postgres).await;
}
