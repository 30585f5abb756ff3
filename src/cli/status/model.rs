//! What the first screen tells, on the command line and on the web page: first what needs a person.

use chrono::{DateTime, NaiveDate, Utc};

pub use super::super::context::word;
use super::super::nightly::told_line;
pub use super::super::order::happened as happened_words;
use crate::config::Config;
use crate::delivery::State;
use crate::ids::{AccountId, OrderNo};
use crate::night::notice::{self, Notice};
use crate::night::step::{Step, told};
use crate::order::{OrderEvent, OrderState};
use crate::planner::Plan;
use crate::reconcile;
use crate::schedule::watch::{Absence, absent_mail};
use crate::schedule::{RETENTION, mail_due};
use crate::store::inbox::InboxFile;
use crate::store::orders::{StoredDocument, StoredOrder};
use crate::store::outbox::Message;
use crate::store::plans::PlanError;
use crate::store::run::{RunView, StepView};
use crate::store::work::{self, Job, JobFilter, JobState};
use crate::store::{StoreError, Tx, inbox, orders, outbox, plans, receipts, run};
use crate::wording::{Lang, text};

const RUNS_SHOWN: u32 = 5;
const MESSAGES_SHOWN: u32 = 1_000;
const JOBS_SHOWN: u32 = 20;
/// Nearest matches of an order nobody knows.
const NEAREST_SHOWN: usize = 5;

/// Everything the first screen is made from.
pub struct Overview {
    /// Newest first.
    pub runs: Vec<RunView>,
    /// Messages that need a person.
    pub stuck: Vec<Message>,
    pub waiting: i64,
    pub orders: Vec<StoredOrder>,
    pub plan: Option<Plan>,
    /// Rejected bookings and files nobody could read.
    pub notices: Vec<Notice>,
    /// What is known about the day's mail when it has not left.
    pub late: Option<Absence>,
    pub dead: Vec<Job>,
}

impl Overview {
    /// # Errors
    /// When the store fails.
    pub async fn of(tx: &mut Tx, config: &Config, now: DateTime<Utc>) -> Result<Self, PlanError> {
        let account = &config.account.id;
        let waiting = outbox::count_by_state(tx, account)
            .await?
            .into_iter()
            .find(|(state, _)| *state == State::Due)
            .map_or(0, |(_, n)| n);
        let mut stuck = Vec::new();
        for state in State::ALL.iter().filter(|state| state.needs_a_person()) {
            stuck.extend(outbox::list(tx, account, Some(*state), MESSAGES_SHOWN).await?);
        }
        let dead = JobFilter {
            state: Some(JobState::Dead),
            ..JobFilter::default()
        };
        Ok(Self {
            runs: run::latest(tx, account, RUNS_SHOWN).await?,
            stuck,
            waiting,
            orders: orders::all(tx, account).await?,
            plan: plans::latest(tx, account).await?,
            notices: notice::standing(tx, account).await?,
            late: late_mail(tx, config, now).await?,
            dead: work::list(tx, account, &dead, JOBS_SHOWN).await?,
        })
    }

    #[must_use]
    pub fn moving(&self) -> usize {
        self.orders
            .iter()
            .filter(|stored| stored.state.is_moving())
            .count()
    }

    #[must_use]
    pub fn quarantined(&self) -> usize {
        self.notices
            .iter()
            .find_map(|notice| match notice {
                Notice::Quarantined { n, .. } => Some(*n),
                _ => None,
            })
            .unwrap_or(0)
    }

    /// How the night went is not told by the deletion of old contents that came after it.
    #[must_use]
    pub fn last_night(&self) -> Option<&RunView> {
        self.runs.iter().find(|run| run.kind != RETENTION)
    }

    /// Nothing waits for a person, and the last night did not fail.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        let failed = self.last_night().is_some_and(|run| run.state == "failed");
        self.stuck.is_empty()
            && self.late.is_none()
            && self.dead.is_empty()
            && self.notices.is_empty()
            && !failed
    }

    /// What needs a person, each in words; further lines of one thing follow its first.
    #[must_use]
    pub fn wanted(&self, config: &Config, lang: Lang) -> Vec<Vec<String>> {
        let mut wanted = Vec::new();
        if let Some(late) = &self.late {
            let mut lines = vec![text(lang, "cli.status.mail_late", &[])];
            lines.extend(late.lines(config, lang));
            wanted.push(lines);
        }
        wanted.extend(self.notices.iter().map(|notice| vec![notice.text(lang)]));
        wanted.extend(self.dead.iter().map(|job| {
            let error = job.last_error.as_deref().unwrap_or_default();
            let places = [
                ("kind", job.kind.as_str()),
                ("key", &job.dedupe_key),
                ("error", error),
            ];
            vec![text(lang, "work.dead", &places)]
        }));
        wanted.extend(self.stuck.iter().map(|message| {
            vec![format!(
                "{}: {}  {}",
                word(lang, "cli.message", message.state.as_str()),
                message.business_key,
                message.last_error.as_deref().unwrap_or_default()
            )]
        }));
        let steps = self.last_night().map(in_order).unwrap_or_default();
        let problems = steps.iter().flat_map(|step| {
            // Notices are told above, as they stand now.
            let lines = step
                .problem
                .iter()
                .flat_map(|problem| problem.lines())
                .filter(|line| Notice::read(line).is_none());
            lines.map(|line| (step.step.as_str(), line))
        });
        wanted.extend(
            told(problems, lang)
                .iter()
                .map(|told| vec![told_line(lang, told)]),
        );
        wanted
    }
}

/// As they run, not as their names sort.
#[must_use]
pub fn in_order(run: &RunView) -> Vec<&StepView> {
    let place = |step: &&StepView| Step::ALL.iter().position(|known| known.code() == step.step);
    let mut steps: Vec<&StepView> = run.steps.iter().collect();
    steps.sort_by_key(place);
    steps
}

/// The day's mail should have left by its hour and has not: what is known about it. The watch of the daemon mails the
/// same; where the mail server is what is broken, only this can say so.
async fn late_mail(tx: &mut Tx, config: &Config, now: DateTime<Utc>) -> Result<Option<Absence>, StoreError> {
    let (Some(mail), Some(due)) = (&config.mail, mail_due(config, now)) else {
        return Ok(None);
    };
    absent_mail(tx, config, mail, due).await
}

/// Everything that is known about one order (R76).
pub struct OrderStory {
    pub stored: StoredOrder,
    pub events: Vec<OrderEvent>,
    pub documents: Vec<StoredDocument>,
    /// Files that came in about it.
    pub received: Vec<InboxFile>,
    pub messages: Vec<Message>,
    pub lines: Vec<reconcile::Line>,
}

impl OrderStory {
    /// `None` when nobody knows the order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of(tx: &mut Tx, account: &AccountId, given: &str) -> Result<Option<Self>, StoreError> {
        let stored = match OrderNo::new(given) {
            Ok(number) => orders::get(tx, account, &number).await?,
            Err(_) => None,
        };
        let Some(stored) = stored else { return Ok(None) };
        let number = stored.order.number.clone();
        let prefix = format!("order/{number}/");
        Ok(Some(Self {
            events: orders::events(tx, account, &number).await?,
            documents: orders::documents(tx, account, &number).await?,
            received: inbox::of_order(tx, account, &number).await?,
            messages: outbox::beginning(tx, account, &prefix).await?,
            lines: receipts::current(tx, account)
                .await?
                .into_iter()
                .filter(|line| line.order == number)
                .collect(),
            stored,
        }))
    }

    #[must_use]
    pub fn state(&self, lang: Lang) -> String {
        state_words(self.stored.state, lang)
    }

    /// Who must do what next.
    #[must_use]
    pub fn next(&self, lang: Lang) -> String {
        text(lang, &format!("cli.order.next.{}", self.stored.state.code()), &[])
    }

    /// The next day something must have happened by, and the wording key of what.
    #[must_use]
    pub fn deadline(&self) -> Option<(NaiveDate, &'static str)> {
        deadline(&self.stored)
    }

    /// What is wrong with it, in words.
    #[must_use]
    pub fn problems(&self, lang: Lang) -> Vec<String> {
        let mut problems = Vec::new();
        if self.stored.state == OrderState::BookingRejected
            && let Some(event) = self.events.last()
        {
            problems.push(happened_words(lang, &event.kind));
        }
        problems.extend(
            self.messages
                .iter()
                .filter(|message| message.state.needs_a_person())
                .map(|message| {
                    format!(
                        "{}: {} {}",
                        word(lang, "cli.message", message.state.as_str()),
                        message.remote_name,
                        message.last_error.as_deref().unwrap_or_default()
                    )
                }),
        );
        problems.extend(
            self.lines
                .iter()
                .filter(|line| line.verdict != reconcile::Verdict::Open && line.difference != 0)
                .map(|line| {
                    format!(
                        "{}: {} ({:+})",
                        line.sku,
                        word(lang, "receipts.verdict", line.verdict.code()),
                        line.difference
                    )
                }),
        );
        problems
    }
}

/// The word for how a step or a run ended.
#[must_use]
pub fn step_state(lang: Lang, state: &str) -> String {
    word(lang, "cli.step", state)
}

#[must_use]
pub fn state_words(state: OrderState, lang: Lang) -> String {
    text(lang, &format!("cli.order.state.{}", state.code()), &[])
}

/// The next day something must have happened by, and the wording key of what.
#[must_use]
pub fn deadline(stored: &StoredOrder) -> Option<(NaiveDate, &'static str)> {
    match stored.state {
        OrderState::Draft | OrderState::Approved | OrderState::Packed | OrderState::BookingRejected => {
            Some((stored.order.ship_by, "web.deadline.ship_by"))
        }
        OrderState::HandedOver
        | OrderState::Exported
        | OrderState::Departed
        | OrderState::Arrived
        | OrderState::Cleared => Some((stored.order.eta, "web.deadline.eta")),
        OrderState::Delivered | OrderState::Receiving => Some((stored.eta_p90, "web.deadline.put_away")),
        OrderState::Closed | OrderState::ShortClosed | OrderState::Cancelled => None,
    }
}

/// The orders whose numbers are most like what was typed, nearest first.
#[must_use]
pub fn nearest<'a>(stored: &'a [StoredOrder], given: &str) -> Vec<&'a OrderNo> {
    let given = given.trim().to_uppercase();
    let mut near: Vec<(usize, &OrderNo)> = stored
        .iter()
        .map(|stored| {
            let number = &stored.order.number;
            let apart = strsim::damerau_levenshtein(&number.as_str().to_uppercase(), &given);
            (apart, number)
        })
        .collect();
    near.sort();
    near.into_iter()
        .take(NEAREST_SHOWN)
        .map(|(_, number)| number)
        .collect()
}
