//! What is done when a schedule's job is claimed.

use chrono::NaiveDate;
use tokio::sync::Mutex;

use super::configured::{MAIL_BY, RETENTION, mail_date};
use super::errands::{CLOCKS, RECEIVE};
use super::housekeep::{RetainError, retain};
use super::urgent;
use super::watch::{WatchError, absent_mail, raise};
use crate::calendar::instant_of;
use crate::config::MailSection;
use crate::jobs::{JobEnd, JobFailure};
use crate::night::clocks::look;
use crate::night::{Night, StepState, Wait, receive, step::chain};
use crate::store::work::Job;

/// Does the job of an occurrence. `turn` is what the night and the watch over the inbox take turns with, because both
/// issue orders from answers; the watch over the mail does not wait for it, for a night that hangs is what it is for.
///
/// # Errors
/// With the decision whether another attempt can help.
pub async fn handle(night: &Night<'_>, turn: &Mutex<()>, job: &Job) -> Result<JobEnd, JobFailure> {
    if job.kind == RECEIVE {
        let _turn = turn.lock().await;
        return visit(night).await;
    }
    if job.kind == CLOCKS {
        return clocks(night).await;
    }
    let date = civil_date(&job.payload).ok_or_else(|| JobFailure::fail("the job names no civil date"))?;
    if job.kind == MAIL_BY {
        return watch(night, date).await.map_err(|error| match error {
            WatchError::Store(_) => JobFailure::retry(chain(&error)),
            WatchError::Email(_) | WatchError::Json(_) => JobFailure::fail(chain(&error)),
        });
    }
    let _turn = turn.lock().await;
    if job.kind == RETENTION {
        let retained = retain(night.store, night.config, date, night.now())
            .await
            .map_err(|error| match error {
                RetainError::Store(_) => JobFailure::retry(chain(&error)),
                RetainError::Rules(_) => JobFailure::fail(chain(&error)),
            })?;
        tracing::info!(%date, deleted = retained.deleted.len(), held = retained.held.len(), "retention done");
        return Ok(JobEnd::Done);
    }
    let report = night
        .run(date)
        .await
        .map_err(|error| JobFailure::retry(chain(&error)))?;
    tracing::info!(run = report.run_id, state = report.state().code(), "night done");
    match report.state() {
        StepState::Failed => Err(JobFailure::retry(
            "a step failed; it is tried again, the others are kept",
        )),
        _ => Ok(JobEnd::Done),
    }
}

fn civil_date(payload: &str) -> Option<NaiveDate> {
    let payload: serde_json::Value = serde_json::from_str(payload).ok()?;
    payload.get("civil_date")?.as_str()?.parse().ok()
}

/// Takes what forwarders have left since the last visit. While a night is on its way, here or elsewhere, it does that.
async fn visit(night: &Night<'_>) -> Result<JobEnd, JobFailure> {
    let visited = night
        .in_turn(Wait::No, |night| {
            Box::pin(async move { Ok(receive::between_nights(night).await) })
        })
        .await;
    let report = match visited {
        Ok(None) => return Ok(JobEnd::Done),
        Ok(Some(Ok(report))) => report,
        Ok(Some(Err(error))) => return Err(JobFailure::retry(chain(&error))),
        Err(error) => return Err(JobFailure::retry(chain(&error))),
    };
    for problem in &report.problems {
        tracing::warn!("receive: {problem}");
    }
    tracing::info!(counts = ?report.counts, "forwarders visited");
    Ok(JobEnd::Done)
}

/// Looks at the deadlines; what is critical is mailed at once, in the transaction that remembers that it was told.
async fn clocks(night: &Night<'_>) -> Result<JobEnd, JobFailure> {
    let Some(mail) = &night.config.mail else {
        return Ok(JobEnd::Done);
    };
    let told = tell_clocks(night, mail)
        .await
        .map_err(|error| JobFailure::retry(chain(error.as_ref())))?;
    if told > 0 {
        tracing::warn!(mails = told, "urgent deadlines told");
        for problem in night.deliver().await.problems {
            tracing::warn!("deliver: {problem}");
        }
    }
    Ok(JobEnd::Done)
}

async fn tell_clocks(
    night: &Night<'_>,
    mail: &MailSection,
) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    let mut tx = night.store.write().await?;
    let watched = look(night, &mut tx).await?;
    let told = urgent::tell(&mut tx, night.config, mail, &watched.notices, night.now()).await?;
    tx.commit().await?;
    Ok(told)
}

/// Looks whether the day's mail was delivered; where it was not, every reader is told once.
async fn watch(night: &Night<'_>, date: NaiveDate) -> Result<JobEnd, WatchError> {
    let Some(mail) = &night.config.mail else {
        return Ok(JobEnd::Done);
    };
    let by = instant_of(date, night.config.night.mail_by, night.config.account.zone);
    let due = (mail_date(night.config, date), by);
    let mut tx = night.store.write().await?;
    let Some(absence) = absent_mail(&mut tx, night.config, mail, due).await? else {
        return Ok(JobEnd::Done);
    };
    let raised = raise(&mut tx, night.config, mail, &absence, night.now()).await?;
    tx.commit().await?;
    tracing::error!(date = %absence.date, raised, absence = ?absence, "the day's mail was not delivered by its hour");
    // Not left to the loop that sends: it waits for the night.
    for problem in night.deliver().await.problems {
        tracing::warn!("deliver: {problem}");
    }
    Ok(JobEnd::Done)
}
