//! `linkstar receive` and `linkstar reconcile`.

use std::path::PathBuf;

use super::args::{At, Cli};
use super::context::{Context, columns, print, print_json, word};
use super::nightly::exit;
use super::{CliError, Exit};
use crate::night::notice::Notice;
use crate::night::{StepReport, receive, reconcile as books};
use crate::reconcile::{Line, LineState};
use crate::store::catalog;

pub async fn files(cli: &Cli, files: &[PathBuf], at: At) -> Result<Exit, CliError> {
    let context = Context::open(cli, at.at).await?;
    let night = context.night(false);
    let mut report = StepReport::default();
    for file in files {
        receive::take_path(&night, file, &mut report).await?;
    }
    let counts: Vec<String> = report
        .counts
        .iter()
        .map(|(what, count)| format!("{what} {count}"))
        .collect();
    print(&counts.join(" · "))?;
    for problem in &report.problems {
        let said = Notice::read(problem).map_or_else(|| problem.clone(), |notice| notice.text(context.lang));
        eprintln!("{said}");
    }
    Ok(exit(report.state))
}

pub async fn reconcile(cli: &Cli, at: At, json: bool) -> Result<Exit, CliError> {
    let context = Context::open(cli, at.at).await?;
    let night = context.night(false);
    let mut tx = context.store.read().await?;
    let catalog = catalog::load(&mut tx, night.account(), night.today()).await?;
    let done = books::books(&night, &mut tx, &catalog).await?.done;
    if json {
        print_json(&serde_json::to_value(&done.lines)?)?;
    } else {
        let titles = [
            "order",
            "warehouse",
            "sku",
            "shipped",
            "received",
            "put_away",
            "damaged",
            "difference",
            "state",
            "verdict",
        ];
        let mut rows = vec![
            titles
                .iter()
                .map(|column| word(context.lang, "receipts.column", column))
                .collect::<Vec<_>>(),
        ];
        // What is only on its way has no difference yet, and stands last.
        let mut lines: Vec<&Line> = done.lines.iter().collect();
        lines.sort_by_key(|line| line.state == LineState::Moving);
        rows.extend(lines.into_iter().map(|line| {
            vec![
                line.order.to_string(),
                line.warehouse.to_string(),
                line.sku.to_string(),
                line.shipped.to_string(),
                line.received.to_string(),
                line.put_away.to_string(),
                line.damaged.to_string(),
                difference(line),
                word(context.lang, "receipts.state", line.state.code()),
                word(context.lang, "receipts.verdict", line.verdict.code()),
            ]
        }));
        print(&columns(&rows))?;
    }
    for anomaly in &done.anomalies {
        eprintln!("{}", anomaly.text(context.lang));
    }
    for breach in &done.breaches {
        eprintln!("the books do not add up: {breach:?}");
    }
    let quiet = done.breaches.is_empty() && done.anomalies.is_empty() && done.differences().next().is_none();
    Ok(if quiet { Exit::Done } else { Exit::Findings })
}

/// Nothing arrived of a line that is on its way: the units are not missing.
pub fn difference(line: &Line) -> String {
    if line.state == LineState::Moving {
        "-".to_owned()
    } else {
        format!("{:+}", line.difference)
    }
}
