//! Pick-up: what forwarders left in their folders for us. What a visit saw is remembered for the next one, whoever
//! makes it.

use std::collections::HashSet;
use std::time::Duration;

use super::receive::take;
use super::step::{StepReport, chain};
use super::{Night, NightError};
use crate::delivery::{Earlier, FetchLimits, Fetched, Sight, Visit};
use crate::store::StoreError;
use crate::store::inbox::{self as store_inbox, Look, Looked};
use crate::transport::sftp::Session;

/// What a visit is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// The day's: everything is read, and what is new is waited for.
    Night,
    /// One of many in a day.
    Between,
}

pub(super) async fn from_forwarders(
    night: &Night<'_>,
    errand: Errand,
    report: &mut StepReport,
) -> Result<(), NightError> {
    let mut tx = night.store.read().await?;
    let known: HashSet<String> = store_inbox::known(&mut tx, night.account())
        .await?
        .into_iter()
        .collect();
    drop(tx);
    let limits = FetchLimits::default();
    for target in night.tools.sftp.iter().filter(|target| target.in_dir.is_some()) {
        let memory = Memory::load(night, &target.id).await?;
        let visit = memory.visit(night, errand, target.settle);
        let fetched = match Session::open(target).await {
            Ok(session) => {
                let fetched = session.fetch_new(&known, &visit, limits).await;
                session.close().await;
                fetched
            }
            Err(error) => Err(error),
        };
        take_fetched(night, &memory, fetched, report).await?;
    }
    for target in night
        .tools
        .folders
        .iter()
        .filter(|target| target.in_dir.is_some())
    {
        let memory = Memory::load(night, &target.id).await?;
        let visit = memory.visit(night, errand, target.settle);
        let fetched = target.fetch_new(&known, &visit, limits).await;
        take_fetched(night, &memory, fetched, report).await?;
    }
    Ok(())
}

/// A forwarder that cannot be reached is told of and does not keep the others from being read.
async fn take_fetched<E: std::error::Error>(
    night: &Night<'_>,
    memory: &Memory,
    fetched: Result<Fetched, E>,
    report: &mut StepReport,
) -> Result<(), NightError> {
    let forwarder = memory.forwarder.as_str();
    let fetched = match fetched {
        Ok(fetched) => fetched,
        Err(error) => {
            report.partial(format!("{forwarder}: {}", chain(&error)));
            return Ok(());
        }
    };
    for problem in fetched.problems {
        report.partial(problem.to_string());
    }
    for name in fetched.growing {
        report
            .problems
            .push(format!("{forwarder}: `{name}` is still being written; next time"));
    }
    if fetched.unsure > 0 {
        report.count("waiting", fetched.unsure);
    }
    for file in fetched.files {
        take(night, forwarder, &file.name, &file.sha256, &file.bytes, report).await?;
    }
    // Last: what was seen counts as taken only when it was.
    memory.save(night, &fetched.sights).await?;
    Ok(())
}

/// How the files of a forwarder looked before.
struct Memory {
    forwarder: String,
    before: Vec<Looked>,
}

/// Who looks otherwise than less than this ago is being written.
const RECENT: chrono::Duration = chrono::Duration::hours(1);

impl Memory {
    async fn load(night: &Night<'_>, forwarder: &str) -> Result<Self, StoreError> {
        let mut tx = night.store.read().await?;
        let mut before = store_inbox::looks(&mut tx, night.account(), forwarder).await?;
        // A look from a time to come is of a clock that was set back: it says nothing.
        before.retain(|looked| looked.since <= night.now());
        Ok(Self {
            forwarder: forwarder.to_owned(),
            before,
        })
    }

    fn visit(&self, night: &Night<'_>, errand: Errand, settle: Duration) -> Visit {
        let settle = chrono::Duration::from_std(settle).unwrap_or(chrono::Duration::MAX);
        let before = self.before.iter().map(|looked| {
            let age = night.now() - looked.since;
            Earlier {
                sight: Sight {
                    name: looked.look.name.clone(),
                    size: u64::try_from(looked.look.size).unwrap_or(0),
                    modified: looked.look.modified,
                },
                settled: age >= settle,
                recent: age < RECENT,
                sha256: looked.sha256.clone(),
            }
        });
        match errand {
            Errand::Night => Visit::thorough(before),
            Errand::Between => Visit::short(before),
        }
    }

    async fn save(&self, night: &Night<'_>, sights: &[(Sight, Option<String>)]) -> Result<(), StoreError> {
        let now_there: Vec<Looked> = sights
            .iter()
            .map(|(sight, sha256)| {
                let look = Look {
                    name: sight.name.clone(),
                    size: i64::try_from(sight.size).unwrap_or(i64::MAX),
                    modified: sight.modified,
                };
                let since = self.before.iter().find(|before| before.look == look);
                Looked {
                    since: since.map_or_else(|| night.now(), |before| before.since),
                    sha256: sha256.clone(),
                    look,
                }
            })
            .collect();
        if now_there == self.before {
            return Ok(());
        }
        let mut tx = night.store.write().await?;
        store_inbox::save_looks(&mut tx, night.account(), &self.forwarder, &now_there).await?;
        tx.commit().await
    }
}
