//! Reports 2021-06-30: create, poll, fetch the address of the document, download it.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Duration, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Amazon, MARKETPLACE, error, invalid, iso, orders_report, refusal};
use crate::digest::sha256_hex;
use crate::simulate::faults::{Answer, FaultKind, halve, serve};

const ORDERS_REPORT: &str = "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL";
/// Presigned addresses live five minutes.
const ADDRESS_MINUTES: i64 = 5;
/// Documents of older reports are forgotten, so that a long run stays small.
const KEPT: usize = 60;

struct Report {
    window: (DateTime<Utc>, DateTime<Utc>),
    created: DateTime<Utc>,
    polls: u32,
    plain: Vec<u8>,
}

impl Report {
    fn status(&self) -> &'static str {
        match self.polls {
            0 | 1 => "IN_QUEUE",
            2 => "IN_PROGRESS",
            _ => "DONE",
        }
    }

    fn json(&self, id: &str) -> Value {
        let mut report = json!({
            "reportId": id,
            "reportType": ORDERS_REPORT,
            "marketplaceIds": [MARKETPLACE],
            "dataStartTime": iso(self.window.0),
            "dataEndTime": iso(self.window.1),
            "createdTime": iso(self.created),
            "processingStatus": self.status(),
        });
        if self.polls >= 2 {
            report["processingStartTime"] = json!(iso(self.created));
        }
        if self.polls >= 3 {
            report["processingEndTime"] = json!(iso(self.created));
            report["reportDocumentId"] = json!(document_id(id));
        }
        report
    }
}

#[derive(Default)]
pub struct Book {
    count: u64,
    reports: BTreeMap<String, Report>,
}

fn document_id(report: &str) -> String {
    format!("amzn1.spdoc.1.4.eu.{report}")
}

fn report_of(document: &str) -> &str {
    document.rsplit('.').next().unwrap_or_default()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Specification {
    report_type: String,
    marketplace_ids: Vec<String>,
    data_start_time: Option<DateTime<Utc>>,
    data_end_time: Option<DateTime<Utc>>,
}

pub async fn create(State(amazon): State<Arc<Amazon>>, headers: HeaderMap, body: Bytes) -> Response {
    serve(&amazon.shared.faults, "amazon.create_report", refusal, |fault| {
        if let Some(denied) = amazon.admit(&headers, fault) {
            return denied;
        }
        let mut answer = match serde_json::from_slice::<Specification>(&body) {
            Ok(wanted) => amazon.create_report(&wanted),
            Err(problem) => invalid(&format!("Invalid request body: {problem}")),
        };
        answer.rate_limit = Some("0.0167");
        answer
    })
    .await
}

impl Amazon {
    fn create_report(&self, wanted: &Specification) -> Answer {
        if wanted.report_type != ORDERS_REPORT {
            return invalid(&format!("Report type {} is not supported.", wanted.report_type));
        }
        if wanted.marketplace_ids != [MARKETPLACE] {
            return invalid("Marketplace is not one of the seller's.");
        }
        let now = self.shared.now();
        let to = wanted.data_end_time.unwrap_or(now).min(now);
        let from = wanted.data_start_time.unwrap_or(to - Duration::days(1));
        if from > to {
            return invalid("dataStartTime must not be after dataEndTime.");
        }
        let plain = self
            .shared
            .with_world(|world| orders_report::plain(world, from, to));
        let mut book = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        book.count += 1;
        let id = format!("{}", 50_018_000_000 + book.count);
        book.reports.insert(
            id.clone(),
            Report {
                window: (from, to),
                created: now,
                polls: 0,
                plain,
            },
        );
        while book.reports.len() > KEPT {
            book.reports.pop_first();
        }
        Answer::json(StatusCode::ACCEPTED, &json!({ "reportId": id }))
    }

    fn read_report(&self, id: &str) -> Answer {
        let mut book = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        match book.reports.get_mut(id) {
            Some(report) => {
                report.polls = report.polls.saturating_add(1);
                Answer::json(StatusCode::OK, &report.json(id))
            }
            None => not_found(),
        }
    }

    fn list_reports(&self, query: &BTreeMap<String, String>) -> Answer {
        let book = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let listed = |name: &str, value: &str| {
            query
                .get(name)
                .is_none_or(|wanted| wanted.split(',').any(|wanted| wanted == value))
        };
        let reports: Vec<Value> = book
            .reports
            .iter()
            .rev()
            .filter(|(_, report)| {
                listed("reportTypes", ORDERS_REPORT) && listed("processingStatuses", report.status())
            })
            .take(
                query
                    .get("pageSize")
                    .and_then(|size| size.parse().ok())
                    .unwrap_or(10)
                    .min(100),
            )
            .map(|(id, report)| report.json(id))
            .collect();
        Answer::json(StatusCode::OK, &json!({ "reports": reports }))
    }

    fn signature(&self, document: &str, date: &str) -> String {
        sha256_hex(format!("{}/{document}/{date}", self.shared.seed).as_bytes())
    }

    fn address(&self, document: &str) -> Answer {
        let book = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(report) = book.reports.get(report_of(document)) else {
            return not_found();
        };
        if report.polls < 3 {
            return not_found();
        }
        let date = self.shared.now().format("%Y%m%dT%H%M%SZ").to_string();
        let url = format!(
            "{}/tortuga-prod/{document}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date={date}&X-Amz-Expires={}&X-Amz-Signature={}",
            self.base,
            ADDRESS_MINUTES * 60,
            self.signature(document, &date),
        );
        let body = json!({ "reportDocumentId": document, "url": url, "compressionAlgorithm": "GZIP" });
        Answer::json(StatusCode::OK, &body)
    }

    fn content(&self, document: &str, query: &BTreeMap<String, String>, fault: Option<&FaultKind>) -> Answer {
        let date = query.get("X-Amz-Date").map_or("", String::as_str);
        let signed =
            query.get("X-Amz-Signature").map(String::as_str) == Some(&self.signature(document, date));
        let made = chrono::NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ").map(|date| date.and_utc());
        let fresh = made.is_ok_and(|made| self.shared.now() - made < Duration::minutes(ADDRESS_MINUTES));
        if !signed || !fresh || fault == Some(&FaultKind::ExpiredToken) {
            let text = if signed {
                "Request has expired"
            } else {
                "The request signature does not match"
            };
            return storage_error(StatusCode::FORBIDDEN, "AccessDenied", text);
        }
        let book = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(report) = book.reports.get(report_of(document)) else {
            return storage_error(
                StatusCode::NOT_FOUND,
                "NoSuchKey",
                "The specified key does not exist.",
            );
        };
        let packed = match fault {
            Some(FaultKind::EmptyList) => {
                let head = report
                    .plain
                    .split(|byte| *byte == b'\n')
                    .next()
                    .unwrap_or_default();
                orders_report::gzip(&[head, b"\n"].concat())
            }
            Some(FaultKind::ChangedColumn) => {
                let head = orders_report::COLUMNS.join("\t");
                let changed = head.replace("\tquantity\t", "\tquantity-purchased\t");
                let rest = report.plain.get(head.len()..).unwrap_or_default();
                orders_report::gzip(&[changed.as_bytes(), rest].concat())
            }
            _ => orders_report::gzip(&report.plain),
        };
        match packed {
            Ok(mut body) => {
                if fault == Some(&FaultKind::HalfPage) {
                    halve(&mut body);
                }
                Answer {
                    status: StatusCode::OK,
                    content_type: "application/octet-stream",
                    rate_limit: None,
                    body,
                }
            }
            Err(problem) => storage_error(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                &problem.to_string(),
            ),
        }
    }
}

fn not_found() -> Answer {
    error(StatusCode::NOT_FOUND, "NotFound", "Resource not found.", "")
}

/// Errors of the storage behind the address are XML, not the API's JSON.
fn storage_error(status: StatusCode, code: &str, message: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    Answer {
        status,
        content_type: "application/xml",
        rate_limit: None,
        body: body.into_bytes(),
    }
}

pub async fn read(State(amazon): State<Arc<Amazon>>, headers: HeaderMap, Path(id): Path<String>) -> Response {
    serve(&amazon.shared.faults, "amazon.get_report", refusal, |fault| {
        let mut answer = amazon
            .admit(&headers, fault)
            .unwrap_or_else(|| amazon.read_report(&id));
        answer.rate_limit = Some("2.0");
        answer
    })
    .await
}

pub async fn list(
    State(amazon): State<Arc<Amazon>>,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    serve(&amazon.shared.faults, "amazon.get_reports", refusal, |fault| {
        let mut answer = amazon
            .admit(&headers, fault)
            .unwrap_or_else(|| amazon.list_reports(&query));
        answer.rate_limit = Some("0.0222");
        answer
    })
    .await
}

pub async fn document(
    State(amazon): State<Arc<Amazon>>,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    serve(&amazon.shared.faults, "amazon.get_document", refusal, |fault| {
        let mut answer = amazon
            .admit(&headers, fault)
            .unwrap_or_else(|| amazon.address(&id));
        answer.rate_limit = Some("0.0167");
        answer
    })
    .await
}

pub async fn download(
    State(amazon): State<Arc<Amazon>>,
    Path(id): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    serve(&amazon.shared.faults, "amazon.download", refusal, |fault| {
        amazon.content(&id, &query, fault)
    })
    .await
}
