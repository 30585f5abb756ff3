//! `linkstar reconcile`: how every line stands on a day, what differs, and the workbook of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;
use serde_json::json;

use super::args::{At, Cli};
use super::context::{Context, columns, fill, print, print_json, word};
use super::{CliError, Exit};
use crate::ids::{OrderNo, Sku};
use crate::night::reconcile as books;
use crate::reconcile::{Chain, Line, LineState};
use crate::report::{ReconciliationReport, reconciliation_workbook};
use crate::store::catalog;
use crate::wording::Lang;

#[derive(Debug, Args)]
pub struct ReconcileArgs {
    #[command(flatten)]
    pub at: At,
    /// As of the end of this day, with what is known of it by now.
    #[arg(long, value_name = "DATE")]
    pub day: Option<NaiveDate>,
    /// Write a workbook to send on: summary with a chart, differences, lines.
    #[arg(long, value_name = "FILE.xlsx")]
    pub book: Option<PathBuf>,
    #[arg(long)]
    pub json: bool,
}

pub async fn run(cli: &Cli, args: &ReconcileArgs) -> Result<Exit, CliError> {
    let context = Context::open(cli, args.at.at).await?;
    let night = context.night(false);
    let day = args.day.unwrap_or(night.today());
    let mut tx = context.store.read().await?;
    let catalog = catalog::load(&mut tx, night.account(), day).await?;
    let books = books::books_on(&night, &mut tx, &catalog, day).await?;
    let chains = books::chains(&night, &mut tx, &books).await?;
    if let Some(file) = &args.book {
        write_book(&context, &books, &chains, file)?;
    }
    let done = &books.done;
    if args.json {
        let lines: Result<Vec<_>, serde_json::Error> = done
            .lines
            .iter()
            .map(|line| {
                let own =
                    |one: &&crate::reconcile::Difference| one.order == line.order && one.sku == line.sku;
                let mut shown = serde_json::to_value(line)?;
                let chain = chains.get(&(line.order.clone(), line.sku.clone()));
                shown["chain"] = json!(chain);
                shown["differences"] = json!(done.classified.iter().filter(own).collect::<Vec<_>>());
                Ok(shown)
            })
            .collect();
        print_json(&serde_json::Value::Array(lines?))?;
    } else if args.book.is_none() {
        print(&columns(&rows(&context, &done.lines)))?;
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

fn rows(context: &Context, lines: &[Line]) -> Vec<Vec<String>> {
    // Few warehouses put units aside as exceptions: a column of zeros says nothing.
    let aside = lines.iter().any(|line| line.set_aside != 0);
    let titles = [
        "order",
        "warehouse",
        "sku",
        "shipped",
        "received",
        "put_away",
        "damaged",
        "set_aside",
        "difference",
        "state",
        "verdict",
    ];
    let mut rows = vec![
        titles
            .iter()
            .filter(|column| aside || **column != "set_aside")
            .map(|column| word(context.lang, "receipts.column", column))
            .collect::<Vec<_>>(),
    ];
    // What is only on its way has no difference yet, and stands last.
    let mut lines: Vec<&Line> = lines.iter().collect();
    lines.sort_by_key(|line| line.state == LineState::Moving);
    rows.extend(lines.into_iter().map(|line| {
        let mut cells = vec![
            line.order.to_string(),
            line.warehouse.to_string(),
            line.sku.to_string(),
            line.shipped.to_string(),
            line.received.to_string(),
            line.put_away.to_string(),
            line.damaged.to_string(),
        ];
        cells.extend(aside.then(|| line.set_aside.to_string()));
        cells.extend([
            difference(line),
            word(context.lang, "receipts.state", line.state.code()),
            word(context.lang, "receipts.verdict", line.verdict.code()),
        ]);
        cells
    }));
    rows
}

fn write_book(
    context: &Context,
    books: &books::Books,
    chains: &BTreeMap<(OrderNo, Sku), Chain>,
    file: &PathBuf,
) -> Result<(), CliError> {
    let bytes = book(context.lang, &context.config.account.name, books, chains)?;
    std::fs::write(file, bytes).map_err(|source| CliError::File {
        what: "write",
        path: file.clone(),
        source,
    })?;
    eprintln!(
        "{}",
        fill(
            context.lang,
            "differences.written",
            &[("file", file.display().to_string())]
        )
    );
    Ok(())
}

/// The workbook a finance person can send on.
pub fn book(
    lang: Lang,
    seller: &str,
    books: &books::Books,
    chains: &BTreeMap<(OrderNo, Sku), Chain>,
) -> Result<Vec<u8>, CliError> {
    let values = books
        .packing
        .iter()
        .flat_map(|(order, packing)| {
            let own = packing.values.iter();
            own.map(move |(sku, value)| ((order.clone(), sku.clone()), *value))
        })
        .collect();
    let bytes = reconciliation_workbook(&ReconciliationReport {
        lang,
        seller,
        as_of: books.done.as_of,
        lines: &books.done.lines,
        differences: &books.done.classified,
        flow: &books.done.flow,
        anomalies: &books.done.anomalies,
        values: &values,
        chains,
    })
    .map_err(crate::night::NightError::from)?;
    Ok(bytes)
}

/// Nothing arrived of a line that is on its way: the units are not missing.
pub fn difference(line: &Line) -> String {
    if line.state == LineState::Moving {
        "-".to_owned()
    } else {
        format!("{:+}", line.difference)
    }
}
