//! R4: one read call per source, and a name for what was met.

use std::time::Duration;

use linkstar::connector::ConnectorConfig;
use linkstar::http::{Diagnosis, doctor};
use serde_json::json;

use super::stage::{House, Reply, SUMMARIES, Stage, TOKEN, amazon};

async fn diagnose(prepare: impl Fn(&Stage), change: impl Fn(&mut ConnectorConfig)) -> Diagnosis {
    let stage = Stage::open().await;
    prepare(&stage);
    let mut config = amazon(&stage);
    config.params.insert("timeout_seconds".to_owned(), "1".to_owned());
    change(&mut config);
    let house = House::new("2026-04-02T02:00:00Z").await;
    doctor(&house.client, &house.clock, &config).await
}

#[tokio::test]
async fn r4_doctor_tells_apart_what_it_meets() {
    let denied = || json!({"errors": [{"code": "Unauthorized", "message": "IP address not whitelisted"}]});
    let quota = || json!({"errors": [{"code": "QuotaExceeded", "message": "You exceeded your quota"}]});
    let mut told = Vec::new();
    let same = |_: &mut ConnectorConfig| {};
    let answering = |reply: Reply| {
        move |stage: &Stage| {
            stage.with_token().on(SUMMARIES, reply.clone());
        }
    };
    for (case, diagnosis) in [
        (
            "good",
            diagnose(
                |stage| {
                    stage.with_token().with_summaries(&[("A", 1)]);
                },
                same,
            )
            .await,
        ),
        ("401", diagnose(answering(Reply::Json(401, denied())), same).await),
        ("403", diagnose(answering(Reply::Json(403, denied())), same).await),
        ("429", diagnose(answering(Reply::Json(429, quota())), same).await),
        (
            "500",
            diagnose(answering(Reply::Json(500, json!({}))), same).await,
        ),
        (
            "slow",
            diagnose(answering(Reply::Silent(Duration::from_secs(20))), same).await,
        ),
        (
            "other body",
            diagnose(answering(Reply::Json(200, json!({"payload": {}}))), same).await,
        ),
        (
            "no JSON",
            diagnose(answering(Reply::Bytes(b"<html>".to_vec())), same).await,
        ),
        (
            "bad refresh token",
            diagnose(
                |stage| {
                    stage.on(TOKEN, Reply::Json(400, json!({"error": "invalid_grant"})));
                },
                same,
            )
            .await,
        ),
        (
            "nobody there",
            diagnose(
                |_| {},
                |config| {
                    config
                        .params
                        .insert("token_url".to_owned(), "http://127.0.0.1:9/".to_owned());
                },
            )
            .await,
        ),
        (
            "not encrypted",
            diagnose(
                |_| {},
                |config| {
                    config
                        .params
                        .insert("token_url".to_owned(), "http://api.amazon.com/".to_owned());
                },
            )
            .await,
        ),
        (
            "no secret",
            diagnose(
                |_| {},
                |config| {
                    config.secrets.remove("client_secret");
                    config.params.insert("zonne".to_owned(), "x".to_owned());
                },
            )
            .await,
        ),
    ] {
        assert_eq!(diagnosis.healthy, diagnosis.code == "ok", "{case}");
        told.push(format!("{case}: {} — {}", diagnosis.code, diagnosis.text));
    }
    insta::assert_snapshot!(told.join("\n"), @r#"
    good: ok — `stock` answers with 1 rows on its first page
    401: expired — HTTP 401: IP address not whitelisted
    403: forbidden — HTTP 403: IP address not whitelisted
    429: throttled — HTTP 429: You exceeded your quota
    500: unreachable — HTTP 500
    slow: slow — 127.0.0.1 did not finish its answer within 1 s
    other body: wrong_schema — `inventorySummaries` of rows path `payload.inventorySummaries[]` is missing
    no JSON: wrong_schema — the answer is no JSON: expected value at line 1 column 1
    bad refresh token: expired — the token endpoint refused the credentials (HTTP 400, invalid_grant)
    nobody there: unreachable — 127.0.0.1: error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)
    not encrypted: configuration — `http://api.amazon.com` is not encrypted
    no secret: configuration — source amazon-uk, `params.zonne`: found `zonne`, wanted a name the connector declares, did you mean `zone`?; source amazon-uk, `secrets.client_secret`: found ``, wanted LWA client secret of the application
    "#);
}
