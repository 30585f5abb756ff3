//! The world's own interface, for `linkstar simulate` as a process of its own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use super::faults::EndpointFault;
use super::running::Stage;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AdvanceTo {
    to: DateTime<Utc>,
}

pub fn router(stage: Arc<Stage>) -> Router {
    Router::new()
        .route("/truth", get(truth))
        .route("/now", get(now))
        .route("/inbox", get(inbox))
        .route("/advance", post(advance))
        .route("/fault", post(fault))
        .route("/faults/clear", post(clear))
        .route("/host-key", post(host_key))
        .with_state(stage)
}

async fn truth(State(stage): State<Arc<Stage>>) -> Response {
    Json(stage.shared.with_world(|world| world.truth())).into_response()
}

async fn now(State(stage): State<Arc<Stage>>) -> Response {
    Json(json!({ "now": stage.shared.now() })).into_response()
}

async fn inbox(State(stage): State<Arc<Stage>>) -> Response {
    Json(stage.inbox.mails()).into_response()
}

async fn advance(State(stage): State<Arc<Stage>>, Json(wanted): Json<AdvanceTo>) -> Response {
    let moved = tokio::task::spawn_blocking(move || stage.advance_to(wanted.to)).await;
    match moved {
        Ok(Ok(advance)) => Json(advance).into_response(),
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn fault(State(stage): State<Arc<Stage>>, Json(fault): Json<EndpointFault>) -> StatusCode {
    stage.shared.faults.add(fault);
    StatusCode::NO_CONTENT
}

async fn clear(State(stage): State<Arc<Stage>>) -> StatusCode {
    stage.shared.faults.clear();
    StatusCode::NO_CONTENT
}

async fn host_key(State(stage): State<Arc<Stage>>) -> StatusCode {
    stage.change_host_key();
    StatusCode::NO_CONTENT
}
