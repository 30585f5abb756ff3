//! Suggest: one mail per reader, rendered from the plan and put into the outbox once per civil date.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;

use super::cases::{self, Standing};
use super::notice::Notice;
use super::plan::Draft;
use super::step::{Step, StepReport, StepState, chain, told};
use super::{Night, NightError, clocks, notice, to_mend};
use crate::catalog::Catalog;
use crate::config::{MailSection, Recipient, TrialSection};
use crate::connector::Bound;
use crate::deadline::{Alert, shown};
use crate::delivery::State;
use crate::ids::{OrderNo, Sku, SourceId};
use crate::jobs::{Letter, post};
use crate::money::Currency;
use crate::planner::{Plan, PlanDiff};
use crate::reconcile::{Line, LineState, Verdict};
use crate::report::{
    CaseSummary, DailyReport, MailContent, OrderMotion, OwnerFilter, PlannedCash, ReceiptSummary,
    ReceiptWhat, RunProblem, ToMend, TrialNote, UnmappedCode, render_mail,
};
use crate::store::orders::StoredOrder;
use crate::store::outbox::{self, Enqueued};
use crate::store::{Tx, catalog, orders, plans, receipts};
use crate::wording::{Lang, text};

/// What all readers' mails of a day share.
struct Day {
    plan: Plan,
    diff: Option<PlanDiff>,
    catalog: Catalog,
    orders: Vec<StoredOrder>,
    receipts: Vec<(ReceiptWhat, Line)>,
    cases: Vec<Standing>,
    to_mend: Vec<ToMend>,
    cash: Vec<PlannedCash>,
    unmapped: Vec<UnmappedCode>,
    problems: Vec<(Step, String)>,
    /// Clocks that run.
    alerts: Vec<Alert>,
}

pub(super) async fn step(night: &Night<'_>, before: &[(Step, StepReport)]) -> StepReport {
    match suggest(night, before).await {
        Ok(report) => report,
        Err(error) => StepReport::failed(chain(&error)),
    }
}

async fn suggest(night: &Night<'_>, before: &[(Step, StepReport)]) -> Result<StepReport, NightError> {
    let mut report = StepReport::default();
    let Some(mail) = &night.config.mail else {
        report.state = StepState::Skipped;
        report
            .problems
            .push("no [mail] section: nobody is told".to_owned());
        return Ok(report);
    };
    for overtaken in 0..=MOST_OVERTAKEN {
        let Some((day, contents)) = write_mails(night, mail, before).await? else {
            return Ok(StepReport::failed("there is no plan to tell about"));
        };
        if night.dry_run {
            for (recipient, content) in mail.recipients.iter().zip(&contents) {
                save_preview(night, recipient, content)?;
                report.count("previews", 1);
            }
            return Ok(report);
        }
        let mut tx = night.store.write().await?;
        let current = plans::latest_head(&mut tx, night.account()).await?;
        if current.is_none_or(|head| head.id != day.plan.id) && overtaken < MOST_OVERTAKEN {
            continue;
        }
        let mut written = false;
        for (recipient, content) in mail.recipients.iter().zip(&contents) {
            match enqueue(night, &mut tx, mail, &day.plan, recipient, content).await? {
                Enqueued::New => {
                    written = true;
                    report.count("mails", 1);
                }
                Enqueued::Already(_) => report.count("already", 1),
                // The day's mail has left or waits: a second one with other numbers would only confuse.
                Enqueued::Taken { .. } => report.count("kept_first", 1),
            }
        }
        // Every clock that runs stands in a new mail: the reminders up to now are told. One that was written before does not
        // have those that came since.
        if written {
            clocks::look(night, &mut tx).await?;
        }
        tx.commit().await?;
        break;
    }
    Ok(report)
}

/// So often a newer plan may be made while the mails are written; then the older one is told, and says its date.
const MOST_OVERTAKEN: u32 = 3;

/// One mail a reader, in the order of the configuration. Nothing is locked while they are written.
async fn write_mails(
    night: &Night<'_>,
    mail: &MailSection,
    before: &[(Step, StepReport)],
) -> Result<Option<(Day, Vec<MailContent>)>, NightError> {
    let mut tx = night.store.read().await?;
    let Some(day) = gather(night, &mut tx, before).await? else {
        return Ok(None);
    };
    drop(tx);
    let contents = mail
        .recipients
        .iter()
        .map(|recipient| render_mail(&daily(night, &day, recipient)))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Some((day, contents)))
}

async fn gather(
    night: &Night<'_>,
    tx: &mut Tx,
    before: &[(Step, StepReport)],
) -> Result<Option<Day>, NightError> {
    let account = night.account();
    let mut unmapped: Vec<(SourceId, String)> = catalog::unmapped(tx, account)
        .await?
        .into_iter()
        .map(|code| (code.source, code.code))
        .collect();
    let (plan, diff) = if night.dry_run {
        // Made again, because nothing of a dry run is stored.
        let draft = Draft::make(night, tx).await?;
        let diff = draft.diff_to_parent(night, tx).await?;
        for code in draft.unmapped {
            let code = (code.source, code.code);
            if !unmapped.contains(&code) {
                unmapped.push(code);
            }
        }
        (draft.plan, diff)
    } else {
        let Some(plan) = plans::latest(tx, account).await? else {
            return Ok(None);
        };
        let diff = super::plan::diff_to_parent(tx, account, &plan).await?;
        (plan, diff)
    };
    let mut problems = undelivered(night, tx).await?;
    let before = before
        .iter()
        .flat_map(|(step, report)| report.problems.iter().map(|problem| (*step, problem.clone())));
    problems.splice(0..0, before);
    // What waits for a person since yesterday or longer is told every day, and once.
    for notice in notice::standing(tx, account).await? {
        let told = notice.recorded();
        if !problems.iter().any(|(_, problem)| *problem == told) {
            problems.push((Step::Receive, told));
        }
    }
    let catalog = catalog::load(tx, account, night.today()).await?;
    let to_mend = to_mend::of_day(night, tx, &plan).await?;
    // What the list says is not said a second time.
    problems.retain(|(_, problem)| !to_mend.iter().any(|one| one.finding.to_string() == *problem));
    Ok(Some(Day {
        cash: super::cash::of_plan(night, tx, (&plan, &catalog), false).await?,
        to_mend,
        diff,
        orders: orders::all(tx, account).await?,
        alerts: clocks::list(night, tx).await?,
        cases: cases::standing(night, tx, &catalog, false).await?,
        receipts: told_receipts(
            receipts::changes_on(tx, account, night.today()).await?,
            receipts::current(tx, account).await?,
        ),
        unmapped: unmapped
            .into_iter()
            .map(|(source, code)| UnmappedCode {
                source,
                code,
                units: None,
            })
            .collect(),
        problems,
        plan,
        catalog,
    }))
}

/// What a person must look at in the outbox: it happened after yesterday's mail was written.
async fn undelivered(night: &Night<'_>, tx: &mut Tx) -> Result<Vec<(Step, String)>, NightError> {
    let account = night.account();
    let mut told = Vec::new();
    for state in State::ALL.iter().filter(|state| state.needs_a_person()) {
        for message in outbox::list(tx, account, Some(*state), MAX_UNDELIVERED).await? {
            let notice = Notice::Undelivered {
                message: message.business_key,
                target: message.target,
                state: state.as_str().to_owned(),
                why: message.last_error.unwrap_or_default(),
            };
            told.push((Step::Deliver, notice.recorded()));
        }
    }
    let since = night.now() - Duration::days(1);
    for (message, bounce) in outbox::bounced_since(tx, account, since).await? {
        let notice = Notice::Bounced {
            message,
            recipient: bounce.recipient,
            why: format!("{} {}", bounce.status, bounce.diagnostic),
        };
        told.push((Step::Deliver, notice.recorded()));
    }
    Ok(told)
}

/// Today's plan in the words and figures of the mail, for a reader who sees all of it; `None` before the first plan.
///
/// # Errors
/// When the store fails.
pub async fn look<T>(
    night: &Night<'_>,
    tx: &mut Tx,
    lang: Lang,
    show: impl FnOnce(&DailyReport<'_>) -> T,
) -> Result<Option<T>, NightError> {
    let reader = Recipient {
        address: String::new(),
        language: lang,
        owner: None,
    };
    let day = gather(night, tx, &[]).await?;
    Ok(day.map(|day| show(&daily(night, &day, &reader))))
}

/// More than a mail can tell; `linkstar outbox list` shows all.
const MAX_UNDELIVERED: u32 = 20;

/// Lines whose difference is news: it appeared, changed, or went away.
/// Differences that are news, then what came since yesterday's books, then what is being received: a line once.
fn told_receipts(changes: Vec<receipts::LineChange>, current: Vec<Line>) -> Vec<(ReceiptWhat, Line)> {
    let mut told: BTreeMap<(OrderNo, Sku), (ReceiptWhat, Line)> = BTreeMap::new();
    for change in changes {
        let before = change.before.as_ref();
        let received = change.after.received - before.map_or(0, |line| line.received);
        let put_away = change.after.put_away - before.map_or(0, |line| line.put_away);
        let what = if change.is_news() {
            ReceiptWhat::Difference
        } else if received != 0 || put_away != 0 {
            ReceiptWhat::Arrived { received, put_away }
        } else {
            continue;
        };
        let key = (change.after.order.clone(), change.after.sku.clone());
        told.insert(key, (what, change.after));
    }
    for line in current {
        if line.state == LineState::Receiving && open_units(&line) > 0 {
            let key = (line.order.clone(), line.sku.clone());
            told.entry(key).or_insert((ReceiptWhat::Open, line));
        }
    }
    let mut told: Vec<(ReceiptWhat, Line)> = told.into_values().collect();
    told.sort_by_key(|(what, _)| match what {
        ReceiptWhat::Difference => 0,
        ReceiptWhat::Arrived { .. } => 1,
        ReceiptWhat::Open => 2,
    });
    told
}

/// What may still come, and what lies at the dock.
fn open_units(line: &Line) -> i64 {
    if line.state.is_final() {
        return line.pending_putaway;
    }
    (line.shipped - line.received).max(0) + line.pending_putaway
}

fn daily<'a>(night: &'a Night<'_>, day: &'a Day, recipient: &Recipient) -> DailyReport<'a> {
    let owner = recipient.owner.as_ref().map(|owner| OwnerFilter {
        name: owner.clone(),
        skus: day
            .catalog
            .items
            .values()
            .filter(|item| item.owner == *owner)
            .map(|item| item.sku.clone())
            .collect::<BTreeSet<_>>(),
    });
    DailyReport {
        lang: recipient.language,
        account: &night.config.account.name,
        trial: trial_note(&night.config.trial),
        as_of: day.plan.as_of,
        now: night.now(),
        zone: night.config.account.zone,
        source_zones: source_zones(night),
        plan: &day.plan,
        diff: day.diff.as_ref(),
        deadlines: shown(&day.alerts, night.now() + Duration::days(DEADLINE_DAYS)),
        orders: day
            .orders
            .iter()
            .filter(|order| order.state.is_moving())
            .map(|order| motion(order, recipient.language))
            .collect(),
        receipts: day
            .receipts
            .iter()
            .map(|line| receipt(line, recipient.language))
            .collect(),
        cases: day
            .cases
            .iter()
            .map(|one| case(one, recipient.language))
            .collect(),
        to_mend: day.to_mend.clone(),
        cash: day.cash.clone(),
        unmapped: day.unmapped.clone(),
        run_problems: run_problems(&day.problems, recipient.language),
        owner,
        currency: Currency::CNY,
    }
}

fn trial_note(trial: &TrialSection) -> TrialNote {
    if trial.is_live() {
        TrialNote::Live
    } else if trial.is_shadow() {
        TrialNote::Nothing
    } else {
        TrialNote::Partly
    }
}

fn run_problems(problems: &[(Step, String)], lang: Lang) -> Vec<RunProblem> {
    let problems = problems
        .iter()
        .map(|(step, problem)| (step.code(), problem.as_str()));
    told(problems, lang)
        .into_iter()
        .map(|told| RunProblem {
            step: told.step,
            text: told.text,
            alike: told.alike,
        })
        .collect()
}

fn source_zones(night: &Night<'_>) -> std::collections::BTreeMap<SourceId, chrono_tz::Tz> {
    night
        .tools
        .connectors
        .iter()
        .filter_map(|connector| Some((connector.id.clone(), Bound::new(connector).ok()?.zone)))
        .collect()
}

const DEADLINE_DAYS: i64 = 7;

fn motion(stored: &StoredOrder, lang: Lang) -> OrderMotion {
    let totals = stored.order.totals();
    let state = stored.state.code();
    OrderMotion {
        number: stored.order.number.clone(),
        warehouse: stored.order.warehouse.clone(),
        mode: stored.order.mode,
        state: text(lang, &format!("cli.order.state.{state}"), &[]),
        units: Some(totals.units),
        cartons: Some(totals.cartons),
        ship_by: Some(stored.order.ship_by),
        eta: Some(stored.order.eta),
        next_step: text(lang, &format!("cli.order.next.{state}"), &[]),
    }
}

fn receipt((what, line): &(ReceiptWhat, Line), lang: Lang) -> ReceiptSummary {
    ReceiptSummary {
        what: *what,
        open: open_units(line),
        order: line.order.clone(),
        warehouse: line.warehouse.clone(),
        sku: line.sku.clone(),
        shipped: Some(line.shipped),
        received: Some(line.received),
        put_away: Some(line.put_away),
        difference: Some(line.difference),
        state: how_it_stands(line, lang),
    }
}

/// The verdict, once there is one, and what of the units is broken or put aside.
fn how_it_stands(line: &Line, lang: Lang) -> String {
    let verdict = (line.verdict != Verdict::Open).then(|| line.verdict.text(lang));
    let some = |what: &str, units: i64| {
        (units != 0).then(|| {
            text(
                lang,
                &format!("mail.receipt.{what}"),
                &[("n", &units.to_string())],
            )
        })
    };
    let parts = [
        verdict,
        some("damaged", line.damaged),
        some("set_aside", line.set_aside),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn case(one: &Standing, lang: Lang) -> CaseSummary {
    CaseSummary {
        number: one.case.number.clone(),
        warehouse: one.case.subject.warehouse.clone(),
        skus: one.case.lines.values().map(|line| line.sku.clone()).collect(),
        units: one.case.units(),
        party: one.party_text(lang),
        state: one.state_text(lang),
        last_day: one.last_day,
    }
}

async fn enqueue(
    night: &Night<'_>,
    tx: &mut Tx,
    mail: &MailSection,
    plan: &Plan,
    recipient: &Recipient,
    content: &MailContent,
) -> Result<Enqueued, NightError> {
    let letter = Letter {
        account: night.account(),
        kind: "daily",
        date: plan.as_of,
        mail,
        recipient,
    };
    post(tx, letter, content, night.now()).await
}

fn save_preview(night: &Night<'_>, recipient: &Recipient, content: &MailContent) -> Result<(), NightError> {
    let folder = night
        .config
        .home
        .join("data/dry-run")
        .join(night.today().to_string());
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.join(name), bytes).map_err(|source| NightError::File {
            path: folder.join(name),
            source,
        })
    };
    std::fs::create_dir_all(&folder).map_err(|source| NightError::File {
        path: folder.clone(),
        source,
    })?;
    let reader: String = recipient
        .address
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    write(&format!("{reader}.html"), content.html.as_bytes())?;
    write(&format!("{reader}.txt"), content.text.as_bytes())?;
    for attachment in &content.attachments {
        write(
            &format!("{reader}-{}", attachment.name.replace(['/', '\\'], "_")),
            &attachment.bytes,
        )?;
    }
    Ok(())
}
