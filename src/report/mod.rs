//! What people read: the daily mail, its workbook, its charts. Bytes in, bytes out.
//!
//! [`DailyReport`] is everything one recipient's mail is made from. [`render_mail`] first settles every wording and
//! number once (`view`), so that the HTML and its plain-text twin cannot tell different facts, then writes both,
//! draws the charts and packs the workbook and the plan. [`decisions::read`] takes the edited workbook back.

pub mod backtest;
mod cash;
mod chain;
mod chart;
pub mod decisions;
mod figures;
mod html;
mod model;
mod problem_list;
mod reason;
mod reconciliation;
mod text;
pub mod view;
mod workbook;

pub use cash::{PlannedCash, cost_name, cost_source, lacking};
pub use model::{
    Attachment, CaseSummary, DailyReport, Inline, MailContent, OrderMotion, OwnerFilter, ReceiptSummary,
    ReceiptWhat, ReportError, RunProblem, ToMend, TrialNote, UnmappedCode,
};
pub use problem_list::problem_list;

pub use reconciliation::{FlowDay, ReconciliationReport, pointer_text, reconciliation_workbook};

use crate::planner::Plan;

/// Most rows in the body; the rest is in the workbook.
pub const MAX_BODY_ROWS: usize = 30;

/// Mail clients cut a longer HTML body off (Gmail at 102 kB), and the footer with the plan id would be lost.
pub const MAX_HTML_BYTES: usize = 100_000;

/// The plan as it travels in a mail: the day-by-day projection only of lines that ask for something, because a
/// hundred lines of half a year each would be megabytes in every mailbox. `linkstar plan --json` has all of it.
fn lean(plan: &Plan) -> Plan {
    let mut lean = plan.clone();
    for line in &mut lean.lines {
        if line.level.is_none() && line.suggested_units.unwrap_or(0) == 0 {
            line.projection.clear();
        }
    }
    lean
}

/// Subject, HTML, text, charts and attachments of one recipient's daily mail.
///
/// # Errors
/// [`ReportError`] when a writer of a format refuses; the report's content alone never makes it fail.
pub fn render_mail(report: &DailyReport<'_>) -> Result<MailContent, ReportError> {
    // A body over the limit is cut by rows, never by bytes.
    let mut rows = MAX_BODY_ROWS;
    let (view, html) = loop {
        let view = view::View::of(report, rows);
        let html = html::render(&view)?;
        if html.len() <= MAX_HTML_BYTES || rows == 0 {
            break (view, html);
        }
        rows -= rows.div_ceil(5);
    };
    let text = text::render(&view);
    let short = report.plan.id.short();
    let attachments = vec![
        Attachment {
            name: view.workbook_name,
            media_type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet".to_owned(),
            bytes: workbook::write(report)?,
        },
        Attachment {
            name: format!("plan-{}-{short}.json", report.as_of),
            media_type: "application/json".to_owned(),
            bytes: serde_json::to_vec(&lean(report.plan)).map_err(ReportError::Json)?,
        },
    ];
    let inline = view
        .rows
        .into_iter()
        .filter_map(|row| row.chart)
        .map(|chart| Inline {
            cid: chart.cid,
            png: chart.png,
            alt: chart.alt,
        })
        .collect();
    Ok(MailContent {
        subject: view.subject,
        html,
        text,
        inline,
        attachments,
    })
}
