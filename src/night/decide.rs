//! Decide: what people answered becomes decisions on the current plan, and approved lines become orders.

use super::inbox::{self, Dropped, Kind};
use super::issue::{ApprovedLine, Issued, issue};
use super::step::{StepReport, chain};
use super::{Night, NightError};
use crate::ids::{OrderNo, PlanId};
use crate::order::Mode;
use crate::planner::{DataState, Plan};
use crate::problem::Problem;
use crate::report::decisions::{Choice, Decision, DecisionSheet};
use crate::store::inbox::InboxFile;
use crate::store::lead_forecasts::{self, LeadForecast};
use crate::store::plans::{self, PlanError};
use crate::store::{Tx, catalog, inbox as store_inbox, orders, turn};

pub(super) async fn step(night: &Night<'_>) -> StepReport {
    match run(night).await {
        Ok(report) => report,
        Err(error) => StepReport::failed(chain(&error)),
    }
}

/// Reads every answer in the inbox.
///
/// # Errors
/// When the store fails.
pub async fn run(night: &Night<'_>) -> Result<StepReport, NightError> {
    let mut report = StepReport::default();
    let (files, problems) = inbox::new_files(night).await?;
    for problem in problems {
        report.partial(problem.to_string());
    }
    for file in files {
        if let Kind::Decisions(sheet) = file.kind() {
            answer(night, &file, sheet, &mut report).await?;
        }
    }
    Ok(report)
}

async fn answer(
    night: &Night<'_>,
    file: &Dropped,
    sheet: DecisionSheet,
    report: &mut StepReport,
) -> Result<(), NightError> {
    let mut tx = night.store.write().await?;
    turn::hold(&mut tx, night.account(), turn::ORDERS, night.now()).await?;
    if store_inbox::is_known(&mut tx, night.account(), &file.sha256).await? {
        // Another process sees the same folder and was quicker.
        drop(tx);
        return put_away(file, &[]);
    }
    let mut problems = sheet.problems;
    let mut issued = Issued::default();
    match decide(night, &mut tx, &sheet.plan_id, &sheet.decisions, &file.name).await? {
        Ok(decided) => {
            issued = decided.issued;
            problems.extend(decided.refused);
        }
        Err(why) => problems.push(Problem::new(&file.name, "", "plan", sheet.plan_id.short(), why)),
    }
    problems.extend(issued.held.iter().flat_map(|held| held.problems.clone()));
    let read = InboxFile {
        sha256: file.sha256.clone(),
        origin: "inbox".to_owned(),
        name: file.name.clone(),
        kind: "decisions".to_owned(),
        problems: problems.clone(),
        facts: Vec::new(),
        first_rows: Vec::new(),
        read_at: night.now(),
    };
    if !store_inbox::remember(&mut tx, night.account(), &read, &file.bytes).await? {
        // Another process has answered by the same file meanwhile: what was done here is not kept.
        drop(tx);
        return put_away(file, &problems);
    }
    for order in &issued.orders {
        store_inbox::link(&mut tx, night.account(), &file.sha256, order).await?;
    }
    tx.commit().await?;
    report.count("decisions", sheet.decisions.len());
    report.count("orders", issued.orders.len());
    report.count("documents", issued.documents);
    report.count("held", issued.held.len());
    for problem in &problems {
        report.partial(problem.to_string());
    }
    put_away(file, &problems)
}

fn put_away(file: &Dropped, problems: &[Problem]) -> Result<(), NightError> {
    inbox::put_away(&file.path, problems).map_err(|source| NightError::File {
        path: file.path.clone(),
        source,
    })
}

/// Records decisions on a plan and issues what was approved, in the caller's transaction.
///
/// The inner error says, for a person, why this plan cannot be decided on any more.
///
/// # Errors
/// When the store fails.
pub async fn decide(
    night: &Night<'_>,
    tx: &mut Tx,
    plan_id: &PlanId,
    decisions: &[Decision],
    by: &str,
) -> Result<Result<Decided, String>, NightError> {
    // Whoever decides at the same time waits here: numbers of orders are counted.
    turn::hold(tx, night.account(), turn::ORDERS, night.now()).await?;
    let Some(plan) = plans::latest(tx, night.account()).await? else {
        return Ok(Err("a plan that exists; none was made yet".to_owned()));
    };
    if plan.id != *plan_id {
        let newer = format!(
            "the current plan {} of {}; answer the newest mail",
            plan.id.short(),
            plan.as_of
        );
        return Ok(Err(newer));
    }
    let mut refused = Vec::new();
    let mut approved_lines = Vec::new();
    for decision in decisions {
        let record = plans::Decision {
            plan: plan.id.clone(),
            warehouse: decision.warehouse.clone(),
            sku: decision.sku.clone(),
            source: by.to_owned(),
            choice: recorded_choice(decision.choice),
            units: decision.units,
            by: by.to_owned(),
            reason: decision.reason.clone(),
        };
        match plans::decide(tx, night.account(), &plan, &record, night.now()).await {
            Ok(_) => approved_lines.extend(approved(&plan, decision)),
            Err(PlanError::Store(error)) => return Err(error.into()),
            // One line that cannot be decided so does not keep the others from being ordered.
            Err(error) => {
                let found = decision.choice.code();
                refused.push(Problem::new(
                    by,
                    &decision.place,
                    "decision",
                    found,
                    error.to_string(),
                ));
            }
        }
    }
    let catalog = catalog::load(tx, night.account(), night.today()).await?;
    let issued = issue(night, tx, &plan.id, &catalog, &approved_lines, by).await?;
    foretell(night, tx, &plan, &issued.orders).await?;
    Ok(Ok(Decided { issued, refused }))
}

/// Writes down what is expected of the new orders' ways, so that it can be held against what comes.
async fn foretell(
    night: &Night<'_>,
    tx: &mut Tx,
    plan: &Plan,
    numbers: &[OrderNo],
) -> Result<(), NightError> {
    let mut made = Vec::new();
    for number in numbers {
        let Some(stored) = orders::get(tx, night.account(), number).await? else {
            continue;
        };
        let order = &stored.order;
        // The slowest of its lines: an order arrives as a whole.
        let lead = |key: &str| {
            let lines = plan.lines.iter().filter(|line| {
                let skus = order.lines.iter().any(|ordered| ordered.goods.sku == line.sku);
                skus && line.warehouse == order.warehouse && line.mode == Some(order.mode)
            });
            lines.filter_map(|line| line.explain.units_of(key)).max()
        };
        if let (Some(p50), Some(p90)) = (lead("lead_p50"), lead("lead_p90")) {
            made.push(LeadForecast {
                reference: number.to_string(),
                warehouse: order.warehouse.clone(),
                mode: order.mode.code().to_owned(),
                made_on: order.created_on,
                p50: order.created_on + chrono::Duration::days(p50),
                p90: order.created_on + chrono::Duration::days(p90),
                arrived: None,
            });
        }
    }
    lead_forecasts::expect(tx, night.account(), &made).await?;
    Ok(())
}

/// What became of the decisions.
pub struct Decided {
    pub issued: Issued,
    /// Decisions that the plan does not allow, each with the reason.
    pub refused: Vec<Problem>,
}

fn recorded_choice(choice: Choice) -> plans::Choice {
    match choice {
        Choice::Adopt => plans::Choice::Adopt,
        Choice::Change => plans::Choice::Change,
        Choice::Reject => plans::Choice::Reject,
        Choice::Watch => plans::Choice::Watch,
    }
}

/// The lines a decision says yes to: one, or one a mode where the plan splits it. Adopting takes the suggestion as it
/// stood in the plan; other units keep the fast part as far as they reach.
fn approved(plan: &Plan, decision: &Decision) -> Vec<ApprovedLine> {
    let line = plan
        .lines
        .iter()
        .find(|line| line.warehouse == decision.warehouse && line.sku == decision.sku);
    let suggested = line.and_then(|line| line.suggested_units);
    let units = match decision.choice {
        Choice::Adopt => suggested,
        Choice::Change => decision.units,
        Choice::Reject | Choice::Watch => None,
    };
    let Some(units) = units.filter(|units| *units > 0) else {
        return Vec::new();
    };
    let one = |units: i64, suggested: Option<i64>, mode: Mode| ApprovedLine {
        warehouse: decision.warehouse.clone(),
        sku: decision.sku.clone(),
        units,
        suggested,
        mode,
    };
    let parts = line
        .and_then(|line| line.supply.as_ref())
        .map_or(&[][..], |supply| &supply.parts);
    if let [fast, slow] = parts {
        let first = fast.units.min(units);
        return [(first, fast), (units - first, slow)]
            .into_iter()
            .filter(|(units, _)| *units > 0)
            .map(|(units, part)| one(units, Some(part.units), part.mode))
            .collect();
    }
    let mode = line.and_then(|line| line.mode).unwrap_or(Mode::Sea);
    vec![one(units, suggested, mode)]
}

/// Every suggestion whose data is complete, adopted.
#[must_use]
pub fn adopt_all(plan: &Plan) -> Vec<Decision> {
    plan.lines
        .iter()
        .filter(|line| {
            line.data == DataState::Complete && line.suggested_units.is_some_and(|units| units > 0)
        })
        .map(|line| Decision {
            warehouse: line.warehouse.clone(),
            sku: line.sku.clone(),
            choice: Choice::Adopt,
            units: None,
            reason: String::new(),
            place: String::new(),
        })
        .collect()
}
