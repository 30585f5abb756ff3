//! One read question per source, and a name for what was met (R4).

use std::sync::Arc;

use super::puller::{Aside, AsideWhat, Step, StreamRun};
use super::{Client, Failure, FailureKind};
use crate::clock::Clock;
use crate::connector::window::Resume;
use crate::connector::{Bound, ConnectorConfig};
use crate::ids::SourceId;

/// What `doctor` found out about a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    pub source: SourceId,
    /// `ok`, or the code of a [`FailureKind`]: `expired`, `forbidden`, `throttled`, `slow`, `unreachable`,
    /// `wrong_schema`, …
    pub code: &'static str,
    pub text: String,
    /// Whether `doctor` should end with an exit code above 0.
    pub healthy: bool,
}

/// Asks for the first page of the definition's `doctor` stream and reads it.
pub async fn doctor(client: &Client, clock: &dyn Clock, config: &ConnectorConfig) -> Diagnosis {
    match first_page(client, clock, config).await {
        Ok(text) => Diagnosis {
            source: config.id.clone(),
            code: "ok",
            text,
            healthy: true,
        },
        Err(failure) => Diagnosis {
            source: config.id.clone(),
            code: failure.kind.code(),
            text: failure.text,
            healthy: false,
        },
    }
}

async fn first_page(client: &Client, clock: &dyn Clock, config: &ConnectorConfig) -> Result<String, Failure> {
    // A person is waiting: one attempt, no patience.
    let mut definition = (*config.definition).clone();
    definition.file.retry.attempts = 1;
    let config = ConnectorConfig {
        definition: Arc::new(definition),
        ..config.clone()
    };
    let bound = Bound::new(&config).map_err(|problems| {
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Failure::new(FailureKind::Configuration, texts.join("; "))
    })?;
    let named = bound.definition.file.doctor.get_ref();
    // Of files a source may read some streams only.
    let name = match bound.asks_for(named) {
        true => named.as_str(),
        false => bound.roots().next().unwrap_or(named),
    };
    let mut run = StreamRun::new(client, &bound, clock, name, Resume::default())?;
    let warehouse = bound
        .stream(name)
        .and_then(|(stream, _)| bound.snapshots(stream).into_iter().next());
    if let Some(warehouse) = warehouse {
        run = run.for_warehouse(warehouse);
    }
    loop {
        match run.next().await? {
            Some(Step::Aside(Aside {
                what: AsideWhat::Wrong(problems),
                ..
            })) => {
                let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
                return Err(Failure::new(FailureKind::WrongSchema, texts.join("; ")));
            }
            Some(Step::Aside(_)) => {}
            step => return told(name, &bound, step),
        }
    }
}

/// What the first step says.
fn told(name: &str, bound: &Bound, step: Option<Step>) -> Result<String, Failure> {
    match step {
        Some(Step::Page(page)) => match page.rows.rejected.first() {
            Some(problem) => Err(Failure::new(FailureKind::WrongSchema, problem.to_string())),
            None => Ok(match &page.file {
                Some(file) => format!(
                    "`{name}`: {} rows in {} of {}",
                    page.rows.facts.len(),
                    file.name,
                    file.made.with_timezone(&bound.zone).format("%Y-%m-%d %H:%M %Z")
                ),
                None => format!("`{name}` answers with {} rows on its first page", page.rows.seen),
            }),
        },
        Some(Step::Checkpoint | Step::LeftOut(..) | Step::Resting(_) | Step::Aside(_)) | None => {
            Ok(format!("`{name}` answers"))
        }
    }
}
