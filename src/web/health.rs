//! Is it alive, is it ready, how much is there: for machines, on a port only this machine reaches.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Router, middleware};
use chrono::{DateTime, Utc};

use super::Seller;
use crate::calendar::civil_day;
use crate::night::step::chain;
use crate::schedule::{configured, due_occurrences};
use crate::store::{StoreError, facts, migration_list, outbox, run, work};
use crate::telemetry::notify::resident_bytes;

type Sellers = Arc<Vec<Arc<dyn Seller>>>;

/// A database that takes longer is not ready.
const PATIENCE: Duration = Duration::from_secs(5);
/// A scheduler looks every two seconds; a date that is due for longer without a row has been seen by none.
const TICK_LATE_SECONDS: i64 = 60;

pub(super) fn router(sellers: Vec<Arc<dyn Seller>>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .layer(middleware::map_response(|mut response: Response| async move {
            let no_store = axum::http::HeaderValue::from_static("no-store");
            response.headers_mut().insert(header::CACHE_CONTROL, no_store);
            response
        }))
        .with_state(Arc::new(sellers))
}

/// Seconds since a date became due that no scheduler has written down; `None` when there is none.
async fn overdue(seller: &dyn Seller) -> Result<Option<i64>, StoreError> {
    let night = seller.night();
    let now = night.now();
    let mut worst = None;
    let mut tx = night.store.read().await?;
    for schedule in configured(night.config) {
        let until = civil_day(now, schedule.zone) + chrono::Duration::days(1);
        let last = work::last_occurrence(&mut tx, night.account(), &schedule.name, until).await?;
        let late = due_occurrences(&schedule, last, now)
            .iter()
            .map(|planned| (now - planned.due_at).num_seconds())
            .max();
        worst = worst.max(late);
    }
    Ok(worst)
}

async fn fault(seller: &dyn Seller) -> Option<String> {
    let night = seller.night();
    let looked = async {
        let applied: Vec<i64> = night
            .store
            .applied()
            .await?
            .into_iter()
            .filter(|applied| applied.whole)
            .map(|applied| applied.version)
            .collect();
        Ok::<_, StoreError>((applied, overdue(seller).await?))
    };
    let (applied, overdue) = match tokio::time::timeout(PATIENCE, looked).await {
        Err(_) => return Some("the database does not answer".to_owned()),
        Ok(Err(error)) => {
            tracing::warn!("not ready: {}", chain(&error));
            return Some("the database does not answer".to_owned());
        }
        Ok(Ok(found)) => found,
    };
    let wanted: Vec<i64> = migration_list().into_iter().map(|(version, _)| version).collect();
    if applied != wanted {
        return Some("the database has another version than this program".to_owned());
    }
    overdue
        .filter(|seconds| *seconds > TICK_LATE_SECONDS)
        .map(|seconds| format!("no scheduler: a date is due for {seconds} s and nobody has written it down"))
}

async fn ready(State(sellers): State<Sellers>) -> Response {
    let mut body = String::new();
    let mut status = StatusCode::OK;
    for seller in sellers.iter() {
        let why = fault(seller.as_ref()).await;
        if why.is_some() {
            status = StatusCode::SERVICE_UNAVAILABLE;
        }
        let said = why.unwrap_or_else(|| "ok".to_owned());
        let _ = writeln!(body, "{}: {said}", seller.night().account());
    }
    (status, body).into_response()
}

/// One family of metrics in Prometheus' text form.
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    samples: Vec<(String, String)>,
}

impl Family {
    fn gauge(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: "gauge",
            help,
            samples: Vec::new(),
        }
    }

    fn add(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| {
                let value = value
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace('\n', "\\n");
                format!("{name}=\"{value}\"")
            })
            .collect();
        self.samples.push((labels.join(","), format!("{value}")));
    }

    fn write(&self, out: &mut String) {
        let _ = writeln!(out, "# HELP {} {}", self.name, self.help);
        let _ = writeln!(out, "# TYPE {} {}", self.name, self.kind);
        for (labels, value) in &self.samples {
            let _ = if labels.is_empty() {
                writeln!(out, "{} {value}", self.name)
            } else {
                writeln!(out, "{}{{{labels}}} {value}", self.name)
            };
        }
    }
}

struct Families {
    up: Family,
    runs: Family,
    jobs: Family,
    messages: Family,
    age: Family,
    delivered: Family,
    overdue: Family,
}

async fn measure(families: &mut Families, seller: &dyn Seller) -> Result<(), StoreError> {
    let night = seller.night();
    let (id, now): (&str, DateTime<Utc>) = (night.account().as_str(), night.now());
    let late = overdue(seller).await?.unwrap_or(0);
    let mut tx = night.store.read().await?;
    let account = night.account();
    families.overdue.add(&[("account", id)], late);
    for (state, n) in run::count_by_state(&mut tx, account).await? {
        families.runs.add(&[("account", id), ("state", &state)], n);
    }
    for (state, n) in work::count_jobs(&mut tx, account).await? {
        families
            .jobs
            .add(&[("account", id), ("state", state.as_str())], n);
    }
    for (state, n) in outbox::count_by_state(&mut tx, account).await? {
        families
            .messages
            .add(&[("account", id), ("state", state.as_str())], n);
    }
    for source in facts::source_states(&mut tx, account, now).await? {
        // A source that never answered has no age; it is missing here and in every plan.
        if let Some(as_of) = source.as_of {
            let labels = [
                ("account", id),
                ("source", source.source.as_str()),
                ("stream", source.stream.as_str()),
            ];
            families.age.add(&labels, (now - as_of).num_seconds());
        }
    }
    if let Some(midnight) = outbox::last_daily(&mut tx, account)
        .await?
        .and_then(|date| date.and_hms_opt(0, 0, 0))
    {
        families
            .delivered
            .add(&[("account", id)], midnight.and_utc().timestamp());
    }
    Ok(())
}

async fn metrics(State(sellers): State<Sellers>) -> Response {
    let mut families = Families {
        up: Family::gauge("linkstar_database_up", "1 when the account's database answered."),
        runs: Family::gauge("linkstar_runs", "Runs by how they ended."),
        jobs: Family::gauge("linkstar_jobs", "Jobs by state."),
        messages: Family::gauge("linkstar_outbox_messages", "Messages of the outbox by state."),
        age: Family::gauge(
            "linkstar_source_age_seconds",
            "Age of the newest complete data of each source.",
        ),
        delivered: Family::gauge(
            "linkstar_last_delivered_plan_timestamp_seconds",
            "Civil date of the newest plan whose mail has left, as midnight UTC.",
        ),
        overdue: Family::gauge(
            "linkstar_schedule_overdue_seconds",
            "How long a date of a schedule is due that no scheduler has written down.",
        ),
    };
    for seller in sellers.iter() {
        let measured = tokio::time::timeout(PATIENCE, measure(&mut families, seller.as_ref())).await;
        if let Ok(Err(error)) = &measured {
            tracing::warn!("not measured: {}", chain(error));
        }
        let night = seller.night();
        let labels = [("account", night.account().as_str())];
        families.up.add(&labels, u8::from(matches!(measured, Ok(Ok(())))));
    }
    let mut process = Family::gauge("process_resident_memory_bytes", "Memory of this process in RAM.");
    if let Some(bytes) = resident_bytes() {
        process.add(&[], bytes);
    }
    let mut build = Family::gauge("linkstar_build_info", "Always 1; the version is a label.");
    build.add(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    let all = [
        families.up,
        families.runs,
        families.jobs,
        families.messages,
        families.age,
        families.delivered,
        families.overdue,
        process,
        build,
    ];
    let mut out = String::new();
    for family in &all {
        family.write(&mut out);
    }
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        out,
    )
        .into_response()
}
