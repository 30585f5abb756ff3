//! What a daily mail is made from, and what comes out.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use super::cash::PlannedCash;
use crate::deadline::Shown;
use crate::ids::{OrderNo, Sku, SourceId, WarehouseCode};
use crate::money::Currency;
use crate::order::Mode;
use crate::order::gate::Finding;
use crate::planner::{Plan, PlanDiff};
use crate::wording::Lang;

/// Everything one recipient's mail is made from. Nothing in it is trusted as markup.
#[derive(Debug, Clone)]
pub struct DailyReport<'a> {
    pub lang: Lang,
    /// Name of the account as the seller calls it.
    pub account: &'a str,
    pub trial: TrialNote,
    pub as_of: NaiveDate,
    /// When the report is made: ages of sources are counted to here.
    pub now: DateTime<Utc>,
    /// The reader's zone: source times are shown in it unless `source_zones` names another.
    pub zone: Tz,
    pub source_zones: BTreeMap<SourceId, Tz>,
    pub plan: &'a Plan,
    /// Against the parent plan; `None` on the first day.
    pub diff: Option<&'a PlanDiff>,
    /// The clocks that end within a week, are missed, or whose end nobody knows.
    pub deadlines: Vec<Shown>,
    pub orders: Vec<OrderMotion>,
    pub receipts: Vec<ReceiptSummary>,
    /// Open cases, the one with the nearest last day first.
    pub cases: Vec<CaseSummary>,
    /// What keeps approved lines and drafts from being booked, and what is told of orders issued since yesterday.
    pub to_mend: Vec<ToMend>,
    /// What suggestions would cost besides their goods, where that is more than the freight.
    pub cash: Vec<PlannedCash>,
    pub unmapped: Vec<UnmappedCode>,
    pub run_problems: Vec<RunProblem>,
    /// Only the lines of one person; `None` shows all.
    pub owner: Option<OwnerFilter>,
    /// The currency totals are led by; other currencies are listed beside it, never converted.
    pub currency: Currency,
}

/// What is ordered of what people approve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TrialNote {
    #[default]
    Live,
    /// Some lines only, or up to a limit.
    Partly,
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerFilter {
    pub name: String,
    pub skus: BTreeSet<Sku>,
}

/// A stocking order on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderMotion {
    pub number: OrderNo,
    pub warehouse: WarehouseCode,
    pub mode: Mode,
    /// As a person reads it, in the report's language.
    pub state: String,
    pub units: Option<i64>,
    pub cartons: Option<i64>,
    pub ship_by: Option<NaiveDate>,
    pub eta: Option<NaiveDate>,
    pub next_step: String,
}

/// Why a line of a receipt is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReceiptWhat {
    /// A difference appeared, changed or went away.
    Difference,
    /// Came since the mail before: counted at the dock, and laid on the shelf.
    Arrived { received: i64, put_away: i64 },
    /// Being received, and nothing new.
    Open,
}

/// One line of a receipt: short, arrived since yesterday, or open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptSummary {
    pub order: OrderNo,
    pub warehouse: WarehouseCode,
    pub sku: Sku,
    pub shipped: Option<i64>,
    pub received: Option<i64>,
    pub put_away: Option<i64>,
    /// Put away less shipped; `None` while it cannot be told.
    pub difference: Option<i64>,
    pub state: String,
    pub what: ReceiptWhat,
    /// Units that may still come, or still lie at the dock.
    pub open: i64,
}

/// Units that are gone or broken, and nobody has paid for yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseSummary {
    pub number: String,
    pub warehouse: WarehouseCode,
    pub skus: BTreeSet<Sku>,
    pub units: i64,
    /// Who is asked, and how far that is, in the report's language.
    pub party: String,
    pub state: String,
    /// `None`: nobody knows it yet.
    pub last_day: Option<NaiveDate>,
}

/// One row of the problem list (问题清单).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToMend {
    /// An order, or a line that waits to become one.
    pub about: String,
    pub sku: Option<Sku>,
    pub since: Option<NaiveDate>,
    #[serde(flatten)]
    pub finding: Finding,
}

impl ToMend {
    /// Where it is to be mended, without the order's name, which stands beside it.
    #[must_use]
    pub fn place(&self) -> String {
        let problem = &self.finding.problem;
        let of_order = problem.file.starts_with("order ");
        let parts = [if of_order { "" } else { &problem.file }, &problem.place];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(", ")
    }
}

/// A code seen in data that no item claims: its units are in no number of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnmappedCode {
    pub source: SourceId,
    pub code: String,
    /// Units seen under it; `None` when they cannot be told.
    pub units: Option<i64>,
}

/// A step of the night that did not go well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunProblem {
    /// Code of a step, or what else went wrong.
    pub step: String,
    /// One sentence in the report's language.
    pub text: String,
    /// Further problems of the same step and kind, which are not told one by one.
    pub alike: usize,
}

/// A mail, ready to be put into an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailContent {
    pub subject: String,
    pub html: String,
    pub text: String,
    pub inline: Vec<Inline>,
    pub attachments: Vec<Attachment>,
}

/// A picture the HTML shows by `cid:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inline {
    pub cid: String,
    pub png: Vec<u8>,
    pub alt: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// A format's writer refused.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("write the mail's HTML")]
    Html(#[source] askama::Error),
    #[error("write the mail's workbook")]
    Workbook(#[source] rust_xlsxwriter::XlsxError),
    #[error("write the plan as JSON")]
    Json(#[source] serde_json::Error),
}

impl From<rust_xlsxwriter::XlsxError> for ReportError {
    fn from(error: rust_xlsxwriter::XlsxError) -> Self {
        Self::Workbook(error)
    }
}
