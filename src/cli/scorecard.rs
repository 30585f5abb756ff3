//! `linkstar scorecard`: how good forwarders and warehouses are, and how sure that is.

use chrono::{Duration, NaiveDate};
use clap::Args;
use serde_json::json;

use super::args::{At, Cli};
use super::context::{Context, columns, fill, heads, print, print_json};
use super::{CliError, Exit};
use crate::night::scoring;
use crate::scorecard::{LEAST, Part, Score, Share};
use crate::store::catalog;
use crate::wording::text;

#[derive(Debug, Args)]
pub struct ScorecardArgs {
    /// Shipments handed over since this day; the last 365 days when left out.
    #[arg(long, value_name = "DATE")]
    pub since: Option<NaiveDate>,
    /// Lanes and quarters too.
    #[arg(long)]
    pub parts: bool,
    #[command(flatten)]
    pub at: At,
    #[arg(long)]
    pub json: bool,
}

pub async fn run(cli: &Cli, args: &ScorecardArgs) -> Result<Exit, CliError> {
    let context = Context::open(cli, args.at.at).await?;
    let night = context.night(false);
    let since = args.since.unwrap_or_else(|| night.today() - Duration::days(365));
    let mut tx = context.store.read().await?;
    let catalog = catalog::load(&mut tx, night.account(), night.today()).await?;
    let scores = scoring::scorecard(&night, &mut tx, &catalog, since).await?;
    let lang = context.lang;
    if args.json {
        print_json(&json!({ "since": since, "least": LEAST, "scores": scores }))?;
        return Ok(Exit::Done);
    }
    if scores.is_empty() {
        print(&text(lang, "cli.scorecard.none", &[]))?;
        return Ok(Exit::Done);
    }
    let share = |share: Option<Share>| share.map_or_else(|| "-".to_owned(), |share| share.text());
    let mut rows = vec![heads(lang, "scorecard")];
    rows.extend(
        scores
            .iter()
            .filter(|score| args.parts || score.part == Part::All)
            .map(|score| {
                let name = match &score.part {
                    Part::All => score.provider.name().to_owned(),
                    Part::Lane(part) | Part::Quarter(part) => format!("  {part}"),
                };
                let mut row = vec![name, score.shipments.to_string()];
                if score.enough {
                    row.extend([
                        share(score.kept_p50),
                        share(score.kept_p90),
                        lead(score),
                        share(score.lost),
                        share(score.damaged),
                        share(score.papers),
                        score
                            .billed
                            .map_or_else(|| "-".to_owned(), |billed| billed.text()),
                    ]);
                } else {
                    row.push(fill(lang, "cli.scorecard.few", &[("n", LEAST.to_string())]));
                    row.extend(["-"; 6].map(str::to_owned));
                }
                row.push(claims(score));
                row.push(score.rank.map_or_else(|| "-".to_owned(), |rank| rank.to_string()));
                row
            }),
    );
    print(&columns(&rows))?;
    if scores.iter().all(|score| score.rank.is_none()) {
        print(&text(lang, "cli.scorecard.unranked", &[]))?;
    }
    Ok(Exit::Done)
}

fn lead(score: &Score) -> String {
    let (Some(p50), Some(p90)) = (score.lead_p50, score.lead_p90) else {
        return "-".to_owned();
    };
    let promised = |days: Option<i64>| days.map_or_else(|| "?".to_owned(), |days| days.to_string());
    format!(
        "{} / {} [{} / {}]",
        p50.text(),
        p90.text(),
        promised(score.promised_p50),
        promised(score.promised_p90)
    )
}

fn claims(score: &Score) -> String {
    if score.claims == 0 {
        return "-".to_owned();
    }
    let mut out = score.claims.to_string();
    if let Some(answer) = score.answer {
        out.push_str(&format!(" · {} d", answer.text()));
    }
    for one in &score.recovered {
        out.push_str(&format!(
            " · {:.2}/{:.2} {}",
            one.recovered, one.asked, one.currency
        ));
    }
    out
}
