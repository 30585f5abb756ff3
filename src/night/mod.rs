//! The steps of one night, one file each.
//!
//! A night is a run named by its civil date. Every step commits what it did and is recorded; a run that is taken up
//! again after a crash keeps the steps that were recorded and repeats the one that was cut off, which has no second
//! effect. A failing step does not stop the others: the plan is made from what is there and says what is stale.

pub mod accuracy;
pub mod amend;
pub mod announce;
pub mod arrival_clocks;
pub mod assemble;
mod billed;
mod bounce;
mod calibrate;
pub mod cases;
pub mod cash;
pub mod chain_folder;
mod claim_clocks;
pub mod clocks;
mod customs_receipts;
pub mod decide;
mod deliver;
pub mod demand_folder;
pub mod desk;
pub mod foresee;
mod forwarded;
pub mod gates;
pub mod hand_over;
pub mod home_stock;
pub mod inbox;
pub mod issue;
pub mod notice;
pub mod opening;
pub mod packs;
mod pickup;
pub mod plan;
mod presence;
pub mod pull;
pub mod receive;
pub mod reconcile;
mod reports;
mod sales_events;
pub mod scoring;
pub mod sources;
pub mod step;
pub mod suggest;
pub mod to_mend;
pub mod tools;
pub mod trial;
mod turn;
pub mod whatif;
mod whereabouts;

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::BoxFuture;

use crate::calendar::civil_day;
use crate::clock::Clock;
use crate::config::Config;
use crate::ids::AccountId;
use crate::store::run::{self, StepView};
use crate::store::{Store, StoreError};
pub use step::{Step, StepReport, StepState};
pub use tools::{Tools, ToolsError};
pub use turn::Wait;

/// Why a step could not do its work at all; what can be told line by line is in its report instead.
#[derive(Debug, thiserror::Error)]
pub enum NightError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Order(#[from] crate::store::orders::OrderStoreError),
    #[error(transparent)]
    Claim(#[from] crate::store::claims::ClaimStoreError),
    #[error(transparent)]
    Dossier(#[from] crate::claim::dossier::DossierError),
    #[error(transparent)]
    Plan(#[from] crate::store::plans::PlanError),
    #[error(transparent)]
    Report(#[from] crate::report::ReportError),
    #[error(transparent)]
    Email(#[from] crate::transport::email::EmailError),
    #[error("cannot read {}", path.display())]
    Read {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot write {}", path.display())]
    File {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{0}")]
    Shipped(Box<crate::problem::Problem>),
    #[error("cannot put into JSON")]
    Json(#[from] serde_json::Error),
}

/// How long a night waits for another process that works on the same account.
pub const TURN_PATIENCE: Duration = Duration::from_secs(120);
/// A step that the database went away under is repeated so often; then the night fails and is taken up again later.
const MOST_REPEATS: u32 = 10;

/// Everything a night works with.
pub struct Night<'a> {
    pub store: &'a Store,
    pub clock: &'a dyn Clock,
    pub config: &'a Config,
    pub tools: &'a Tools,
    /// Nothing leaves: no order is issued, no message enqueued or sent.
    pub dry_run: bool,
}

/// What a night did, step by step.
#[derive(Debug, Clone)]
pub struct NightReport {
    pub run_id: String,
    pub date: NaiveDate,
    pub steps: Vec<(Step, StepReport)>,
}

impl NightReport {
    /// The worst state of any step.
    #[must_use]
    pub fn state(&self) -> StepState {
        self.steps
            .iter()
            .filter(|(_, report)| report.state != StepState::Skipped)
            .map(|(_, report)| report.state)
            .max()
            .unwrap_or(StepState::Done)
    }
}

impl Night<'_> {
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.config.account.id
    }

    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The civil date of the seller's working day.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        civil_day(self.now(), self.config.account.zone)
    }

    /// Runs the night of a civil date, or what is left of it, in this account's turn.
    ///
    /// # Errors
    /// Only when the store itself fails, or another process keeps the turn; everything else is in the report.
    pub async fn run(&self, date: NaiveDate) -> Result<NightReport, StoreError> {
        if self.dry_run {
            return self.run_steps(date).await;
        }
        let mut repeats = 0;
        loop {
            let cut_off = self.store.cut_off();
            let done = self
                .in_turn(Wait::For(TURN_PATIENCE), move |night| {
                    Box::pin(async move { night.run_steps(date).await })
                })
                .await;
            match done {
                Err(_) if self.store.cut_off() != cut_off && repeats < MOST_REPEATS => repeats += 1,
                Err(error) => return Err(error),
                Ok(Some(report)) => return Ok(report),
                // Waiting ends with the turn or with an error.
                Ok(None) => {}
            }
        }
    }

    async fn run_steps(&self, date: NaiveDate) -> Result<NightReport, StoreError> {
        let kind = if self.dry_run { "dry-run" } else { "night" };
        let run_id = format!("{kind}-{date}");
        let done = match self.begin(&run_id, kind, date).await? {
            // A second look on the same day is a new look.
            _ if self.dry_run => Vec::new(),
            done => done,
        };
        let mut steps = Vec::new();
        for step in Step::ALL {
            let report = match done
                .iter()
                .find(|view| view.step == step.code())
                .and_then(recorded)
            {
                Some(report) => report,
                None if self.dry_run && step.goes_out() => StepReport {
                    state: StepState::Skipped,
                    problems: vec!["dry run: nothing is taken, nothing leaves".to_owned()],
                    ..StepReport::default()
                },
                None => self.take(&run_id, step, &steps).await?,
            };
            steps.push((step, report));
        }
        let report = NightReport { run_id, date, steps };
        let mut tx = self.store.write().await?;
        run::finish(
            &mut tx,
            self.account(),
            &report.run_id,
            report.state().code(),
            self.now(),
        )
        .await?;
        tx.commit().await?;
        Ok(report)
    }

    async fn begin(&self, run_id: &str, kind: &str, date: NaiveDate) -> Result<Vec<StepView>, StoreError> {
        let mut tx = self.store.write().await?;
        run::start(&mut tx, self.account(), run_id, kind, date, self.now()).await?;
        let done = run::steps(&mut tx, self.account(), run_id).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Boxed, so that the daemon can spawn a night whatever lifetimes its steps juggle.
    fn work<'b>(
        &'b self,
        run_id: &'b str,
        step: Step,
        before: &'b [(Step, StepReport)],
    ) -> BoxFuture<'b, StepReport> {
        match step {
            Step::Pull => Box::pin(sources::step(self, (!self.dry_run).then_some(run_id))),
            Step::Receive => Box::pin(receive::step(self)),
            Step::Decide => Box::pin(decide::step(self)),
            Step::Reconcile => Box::pin(reconcile::step(self)),
            Step::Plan => Box::pin(plan::step(self)),
            Step::Suggest => Box::pin(suggest::step(self, before)),
            Step::Deliver => Box::pin(self.deliver()),
        }
    }

    /// Repeats a step whose transactions were cut off. What a statement met then cannot be known, but every step can be
    /// repeated without a second effect; going on instead would plan from half of what the sources said.
    async fn undisturbed(&self, run_id: &str, step: Step, before: &[(Step, StepReport)]) -> StepReport {
        let mut repeats = 0;
        loop {
            let cut_off = self.store.cut_off();
            let report = self.work(run_id, step, before).await;
            let disturbed = self.store.cut_off() != cut_off;
            if !disturbed || report.state == StepState::Done || repeats == MOST_REPEATS {
                return report;
            }
            repeats += 1;
            tracing::warn!(
                step = step.code(),
                repeats,
                "the database went away: the step is repeated"
            );
        }
    }

    async fn take(
        &self,
        run_id: &str,
        step: Step,
        before: &[(Step, StepReport)],
    ) -> Result<StepReport, StoreError> {
        let started_at = self.now();
        let watch = crate::telemetry::Stopwatch::start();
        let report = self.undisturbed(run_id, step, before).await;
        let elapsed_ms = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(
            step = step.code(),
            state = report.state.code(),
            elapsed_ms,
            problems = report.problems.len(),
            "step"
        );
        for problem in &report.problems {
            tracing::warn!(step = step.code(), "{problem}");
        }
        let view = StepView {
            step: step.code().to_owned(),
            state: report.state.code().to_owned(),
            counts: serde_json::to_string(&report.counts).unwrap_or_default(),
            problem: (!report.problems.is_empty()).then(|| report.problems.join("\n")),
            started_at,
            ended_at: Some(self.now()),
        };
        let mut tx = self.store.write().await?;
        run::record_step(&mut tx, self.account(), run_id, &view).await?;
        tx.commit().await?;
        Ok(report)
    }
}

/// A recorded step keeps its result, unless it failed: then it gets another chance.
fn recorded(view: &StepView) -> Option<StepReport> {
    let state = StepState::parse(&view.state).filter(|state| *state != StepState::Failed)?;
    Some(StepReport {
        state,
        counts: serde_json::from_str(&view.counts).ok()?,
        problems: view
            .problem
            .iter()
            .flat_map(|text| text.lines())
            .map(str::to_owned)
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::FixedClock;
    use crate::http::Pace;
    use crate::store::plans;

    #[tokio::test]
    async fn a_dry_run_leaves_the_plan_that_people_answer_and_the_files_they_dropped() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("inbox")).unwrap();
        let dropped = home.path().join("inbox/receipt.csv");
        std::fs::write(&dropped, "reference,sku,kind,units,at\n").unwrap();
        let text = "[account]\nid = 'main'\nname = 'x'\n";
        let config = crate::config::load_text("linkstar.toml", text, home.path(), &|_| None).unwrap();
        let tools = Tools::new(&config, Pace::Skip).unwrap();
        let store = Store::open("sqlite::memory:").await.unwrap();
        let clock = FixedClock::new("2026-09-06T22:30:00Z".parse().unwrap());
        let night = |dry_run| Night {
            store: &store,
            clock: &clock,
            config: &config,
            tools: &tools,
            dry_run,
        };
        let mailed = plan::make(&night(false)).await.unwrap().plan;

        clock.set("2026-09-07T22:30:00Z".parse().unwrap());
        let dry = night(true);
        for _ in 0..2 {
            let report = dry.run(dry.today()).await.unwrap();
            let state = |step| report.steps.iter().find(|(one, _)| *one == step).unwrap().1.state;
            assert_eq!(state(Step::Plan), StepState::Done);
            assert_eq!(state(Step::Receive), StepState::Skipped);
        }
        let mut tx = store.read().await.unwrap();
        let current = plans::latest(&mut tx, dry.account()).await.unwrap().unwrap();
        assert_eq!((current.id, current.as_of), (mailed.id, mailed.as_of));
        assert!(dropped.exists());
    }
}
