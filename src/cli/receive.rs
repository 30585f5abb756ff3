//! `linkstar receive`.

use std::path::PathBuf;

use super::args::{At, Cli};
use super::context::{Context, print};
use super::nightly::exit;
use super::{CliError, Exit};
use crate::night::notice::Notice;
use crate::night::{StepReport, receive};

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
