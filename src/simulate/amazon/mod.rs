//! The marketplace: the operations of Amazon's Selling Partner API that a night needs, in Amazon's shapes.

mod inventory;
mod orders_report;
mod reports;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use serde_json::json;

use super::Shared;
use super::faults::{Answer, FaultKind, serve};

pub const MARKETPLACE: &str = "A1F83G8C2ARO7P";
pub const CLIENT_ID: &str = "amzn1.application-oa2-client.simulated";
pub const CLIENT_SECRET: &str = "amzn1.oa2-cs.v1.simulated";
pub const REFRESH_TOKEN: &str = "Atzr|simulated-refresh-token";

/// A token dies after this much of the world's time, or after this many requests.
const TOKEN_MINUTES: i64 = 60;
const TOKEN_REQUESTS: u32 = 400;

struct Token {
    issued: DateTime<Utc>,
    requests_left: u32,
}

pub struct Amazon {
    shared: Arc<Shared>,
    base: String,
    tokens: Mutex<BTreeMap<String, Token>>,
    reports: Mutex<reports::Book>,
}

/// The routes of the marketplace; `base` is where they are served, for presigned addresses.
pub fn router(shared: Arc<Shared>, base: String) -> Router {
    let amazon = Arc::new(Amazon {
        shared,
        base,
        tokens: Mutex::default(),
        reports: Mutex::default(),
    });
    Router::new()
        .route("/auth/o2/token", post(token))
        .route(
            "/reports/2021-06-30/reports",
            post(reports::create).get(reports::list),
        )
        .route("/reports/2021-06-30/reports/{id}", get(reports::read))
        .route("/reports/2021-06-30/documents/{id}", get(reports::document))
        .route("/tortuga-prod/{id}", get(reports::download))
        .route("/fba/inventory/v1/summaries", get(inventory::summaries))
        .with_state(amazon)
}

#[derive(Deserialize)]
struct TokenForm {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    refresh_token: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
}

async fn token(State(amazon): State<Arc<Amazon>>, Form(form): Form<TokenForm>) -> Response {
    serve(&amazon.shared.faults, "amazon.token", refusal, |_| {
        amazon.issue(&form)
    })
    .await
}

impl Amazon {
    fn issue(&self, form: &TokenForm) -> Answer {
        let wrong = |status, error: &str, text: &str| {
            Answer::json(status, &json!({ "error_description": text, "error": error }))
        };
        if form.grant_type != "refresh_token" {
            return wrong(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "The authorization grant type is not supported by the authorization server",
            );
        }
        if form.client_id != CLIENT_ID || form.client_secret != CLIENT_SECRET {
            return wrong(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "Client authentication failed",
            );
        }
        if form.refresh_token != REFRESH_TOKEN {
            return wrong(
                StatusCode::BAD_REQUEST,
                "invalid_grant",
                "The request has an invalid grant parameter : refresh_token",
            );
        }
        let issued = self.shared.now();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let access = format!("Atza|simulated-{:06}", tokens.len() + 1);
        tokens.insert(
            access.clone(),
            Token {
                issued,
                requests_left: TOKEN_REQUESTS,
            },
        );
        Answer::json(
            StatusCode::OK,
            &json!({
                "access_token": access,
                "refresh_token": REFRESH_TOKEN,
                "token_type": "bearer",
                "expires_in": TOKEN_MINUTES * 60,
            }),
        )
    }

    /// Amazon's answer to a request without a good token, if it has none.
    fn admit(&self, headers: &HeaderMap, fault: Option<&FaultKind>) -> Option<Answer> {
        let denied = |details: &str| {
            Some(error(
                StatusCode::FORBIDDEN,
                "Unauthorized",
                "Access to requested resource is denied.",
                details,
            ))
        };
        let Some(token) = headers
            .get("x-amz-access-token")
            .and_then(|value| value.to_str().ok())
        else {
            return denied("Access token is missing in the request header.");
        };
        let now = self.shared.now();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = tokens.get_mut(token) else {
            return denied("The access token you provided is revoked, malformed or invalid.");
        };
        if fault == Some(&FaultKind::ExpiredToken) {
            known.requests_left = 0;
        }
        if known.requests_left == 0 || now - known.issued >= Duration::minutes(TOKEN_MINUTES) {
            return denied("The access token you provided has expired.");
        }
        known.requests_left -= 1;
        None
    }
}

fn error(status: StatusCode, code: &str, message: &str, details: &str) -> Answer {
    let body = json!({ "errors": [{ "code": code, "message": message, "details": details }] });
    Answer::json(status, &body)
}

fn invalid(message: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, "InvalidInput", message, "")
}

fn refusal(status: StatusCode) -> Answer {
    if status == StatusCode::TOO_MANY_REQUESTS {
        error(
            status,
            "QuotaExceeded",
            "You exceeded your quota for the requested resource.",
            "",
        )
    } else {
        error(
            status,
            "ServiceUnavailable",
            "Service is temporarily unavailable. Please try again.",
            "",
        )
    }
}

fn iso(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
}
