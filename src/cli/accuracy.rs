//! `linkstar accuracy`: the ledger of decisions, judged.

use rust_decimal::Decimal;

use super::args::Cli;
use super::context::{Context, columns, heads, print, print_json, word};
use super::{CliError, Exit};
use crate::store::calibration;
use crate::wording::text;

pub async fn run(cli: &Cli, days: i64, json: bool) -> Result<Exit, CliError> {
    let context = Context::open(cli, None).await?;
    let since = context.night(true).today() - chrono::Duration::days(days);
    let mut tx = context.store.read().await?;
    let rows = calibration::accuracy(&mut tx, &context.config.account.id, since).await?;
    if json {
        print_json(&serde_json::to_value(&rows)?)?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        print(&text(context.lang, "backtest.accuracy.none", &[]))?;
        return Ok(Exit::Done);
    }
    let percent = |part: i64, whole: i64| match whole {
        0 => "n/a".to_owned(),
        whole => format!(
            "{:.1} %",
            Decimal::from(part) * Decimal::ONE_HUNDRED / Decimal::from(whole)
        ),
    };
    let mut table = vec![heads(context.lang, "accuracy")];
    for row in &rows {
        table.push(vec![
            row.warehouse.to_string(),
            word(context.lang, "backtest.class", &row.class),
            row.decisions.to_string(),
            percent(row.covered_ppm, 1_000_000),
            row.expected.to_string(),
            row.wanted.to_string(),
            percent(row.error, row.wanted),
            percent(row.wanted - row.expected, row.wanted),
        ]);
    }
    print(&columns(&table))?;
    Ok(Exit::Done)
}
