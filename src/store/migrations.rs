//! The schema, written once in PostgreSQL's words; [`Engine::ddl`] puts in SQLite's.

use std::borrow::Cow;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

use super::dialect::Engine;

const SCRIPTS: [(i64, &str, &str); 35] = [
    (1, "core", include_str!("migrations/0001_core.sql")),
    (2, "work", include_str!("migrations/0002_work.sql")),
    (3, "catalog", include_str!("migrations/0003_catalog.sql")),
    (4, "facts", include_str!("migrations/0004_facts.sql")),
    (5, "plans", include_str!("migrations/0005_plans.sql")),
    (6, "orders", include_str!("migrations/0006_orders.sql")),
    (7, "receipts", include_str!("migrations/0007_receipts.sql")),
    (8, "pulls", include_str!("migrations/0008_pulls.sql")),
    (9, "jobs", include_str!("migrations/0009_jobs.sql")),
    (10, "delivery", include_str!("migrations/0010_delivery.sql")),
    (11, "archive", include_str!("migrations/0011_archive.sql")),
    (12, "turn", include_str!("migrations/0012_turn.sql")),
    (13, "taken", include_str!("migrations/0013_taken.sql")),
    (14, "series", include_str!("migrations/0014_series.sql")),
    (15, "web", include_str!("migrations/0015_web.sql")),
    (16, "access", include_str!("migrations/0016_access.sql")),
    (17, "tracking", include_str!("migrations/0017_tracking.sql")),
    (18, "references", include_str!("migrations/0018_references.sql")),
    (20, "returns", include_str!("migrations/0020_returns.sql")),
    (
        21,
        "order line index",
        include_str!("migrations/0021_order_line_index.sql"),
    ),
    (
        22,
        "forecast accuracy",
        include_str!("migrations/0022_forecast_accuracy.sql"),
    ),
    (
        23,
        "lead time forecast",
        include_str!("migrations/0023_lead_time_forecast.sql"),
    ),
    (24, "calibration", include_str!("migrations/0024_calibration.sql")),
    (25, "clocks", include_str!("migrations/0025_clocks.sql")),
    (26, "parts", include_str!("migrations/0026_parts.sql")),
    (27, "differences", include_str!("migrations/0027_differences.sql")),
    (28, "claims", include_str!("migrations/0028_claims.sql")),
    (29, "statements", include_str!("migrations/0029_statements.sql")),
    (33, "plan part", include_str!("migrations/0033_plan_part.sql")),
    (
        34,
        "order checks",
        include_str!("migrations/0034_order_checks.sql"),
    ),
    (
        35,
        "order revisions",
        include_str!("migrations/0035_order_revisions.sql"),
    ),
    (37, "sscc serial", include_str!("migrations/0037_sscc_serial.sql")),
    (
        38,
        "document day",
        include_str!("migrations/0038_document_day.sql"),
    ),
    (
        42,
        "large order lines",
        include_str!("migrations/0042_large_order_lines.sql"),
    ),
    (
        43,
        "bill charges",
        include_str!("migrations/0043_bill_charges.sql"),
    ),
];

/// Version and name of every migration, in order.
#[must_use]
pub fn migration_list() -> Vec<(i64, &'static str)> {
    SCRIPTS
        .iter()
        .map(|(version, name, _)| (*version, *name))
        .collect()
}

pub(super) fn migrator(engine: Engine) -> Migrator {
    migrator_until(engine, i64::MAX)
}

/// Without the migrations after this version.
pub(super) fn migrator_until(engine: Engine, last: i64) -> Migrator {
    let migrations = SCRIPTS
        .iter()
        .filter(|(version, ..)| *version <= last)
        .map(|(version, name, script)| {
            Migration::new(
                *version,
                Cow::Borrowed(*name),
                MigrationType::Simple,
                AssertSqlSafe(engine.ddl(script)).into_sql_str(),
                false,
            )
        })
        .collect();
    Migrator::with_migrations(migrations)
}
