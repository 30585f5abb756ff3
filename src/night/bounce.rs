//! Mails that came back: a delivery report dropped into the inbox as `.eml` is written on the mail it is about.

use super::inbox::{Dropped, put_away};
use super::step::StepReport;
use super::{Night, NightError};
use crate::delivery::read_bounce;
use crate::problem::Problem;
use crate::store::blob;
use crate::store::outbox::{self, Logged};

/// Takes a file that is a delivery report; false when it is something else.
pub(super) async fn take(
    night: &Night<'_>,
    file: &Dropped,
    report: &mut StepReport,
) -> Result<bool, NightError> {
    if !file.name.to_ascii_lowercase().ends_with(".eml") {
        return Ok(false);
    }
    let Some(bounce) = read_bounce(&file.bytes) else {
        return Ok(false);
    };
    if night.dry_run {
        return Ok(true);
    }
    let mut tx = night.store.write().await?;
    blob::put(&mut tx, night.account(), "bounce", &file.bytes, night.now()).await?;
    let logged = outbox::log_bounce(&mut tx, night.account(), &file.sha256, &bounce, night.now()).await?;
    tx.commit().await?;
    let mut problems = Vec::new();
    match logged {
        // Told as a notice, in the language of the mail.
        Logged::On { .. } => report.count("bounces", 1),
        Logged::Already { .. } => report.count("already", 1),
        Logged::Unknown => {
            let problem = Problem::new(
                &file.name,
                "",
                "Message-ID",
                bounce.message_ids.join(" "),
                "the Message-ID of a mail of ours",
            );
            report.partial(problem.to_string());
            problems.push(problem);
        }
    }
    put_away(&file.path, &problems).map_err(|source| NightError::File {
        path: file.path.clone(),
        source,
    })?;
    Ok(true)
}
