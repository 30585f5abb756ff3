//! The pull step: every configured source, side by side.

use super::Night;
use super::foresee::{Foreseen, before_pull};
use super::pull::pull;
use super::step::{StepReport, chain};
use crate::store::StoreError;
use crate::store::facts::{self, PullState};

/// Every configured source, side by side: one that fails or hangs stops no other. `run` is taken up again where it was
/// cut off; without one everything is asked for.
pub async fn step(night: &Night<'_>, run: Option<&str>) -> StepReport {
    let mut report = StepReport::default();
    if let Err(error) = interrupted(night).await {
        return StepReport::failed(chain(&error));
    }
    match before_pull(night).await {
        Ok(streams) => streams.iter().filter(|stream| stream.is_long()).for_each(tell),
        Err(error) => return StepReport::failed(chain(&error)),
    }
    let mut pulls = Vec::new();
    for connector in &night.tools.connectors {
        pulls.push(pull(
            night.store,
            night.clock,
            night.account(),
            connector,
            &night.tools.client,
            run,
        ));
    }
    for pulled in futures_util::future::join_all(pulls).await {
        for problem in &pulled.problems {
            report.partial(format!("{}: {problem}", pulled.source));
        }
        for stream in &pulled.streams {
            report.count("rows", usize::try_from(stream.rows).unwrap_or(0));
            report.count("pages", usize::try_from(stream.pages).unwrap_or(0));
            if stream.state != PullState::Ok {
                let why = stream.problem.as_deref().unwrap_or_default();
                report.partial(format!(
                    "{} {}: {} {why}",
                    pulled.source,
                    stream.stream,
                    stream.state.code()
                ));
            }
        }
    }
    // A pull that is still said to run now was cut off from the database.
    if let Err(error) = interrupted(night).await {
        report.partial(chain(&error));
    }
    report
}

fn tell(stream: &Foreseen) {
    tracing::info!(
        source = %stream.source,
        stream = stream.stream,
        first = stream.first,
        windows = stream.work.windows,
        calls = stream.forecast.calls_in_words(),
        slowest = stream.forecast.slowest,
        hours = stream.hours(),
        "a long pull begins"
    );
}

async fn interrupted(night: &Night<'_>) -> Result<(), StoreError> {
    let mut tx = night.store.write().await?;
    facts::mark_interrupted(&mut tx, night.account(), night.now()).await?;
    tx.commit().await
}
