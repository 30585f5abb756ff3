//! Decide: what people answered becomes decisions on the current plan, and approved lines become orders.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::inbox::{self, Dropped, Kind};
use super::issue::{ApprovedLine, Issued, issue};
use super::step::{StepReport, chain};
use super::{Night, NightError};
use crate::ids::{OrderNo, PlanId};
use crate::order::Mode;
use crate::planner::{DataState, Plan, PlanLine};
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
    let held = issued.held.iter().flat_map(|held| &held.problems);
    problems.extend(held.map(|finding| finding.problem.clone()));
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
    // Lines of an order stand as in the plan, however a workbook was sorted or a page was filled in.
    let wanted: BTreeSet<_> = approved_lines
        .iter()
        .map(|line| (line.warehouse.clone(), line.sku.clone()))
        .collect();
    let places: BTreeMap<_, usize> = (plan.lines.iter().enumerate())
        .map(|(place, line)| ((line.warehouse.clone(), line.sku.clone()), place))
        .filter(|(key, _)| wanted.contains(key))
        .collect();
    approved_lines
        .sort_by_cached_key(|line| places.get(&(line.warehouse.clone(), line.sku.clone())).copied());
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
        let days = plan
            .lines
            .iter()
            .filter(|line| {
                line.warehouse == order.warehouse
                    && order.lines.iter().any(|ordered| ordered.goods.sku == line.sku)
            })
            .filter_map(|line| expected_days(line, order.mode, plan.as_of))
            .reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)));
        if let Some((p50, p90)) = days {
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

/// Days from order to sellable by a mode, as the plan has them: of the line, or of its part.
fn expected_days(line: &PlanLine, mode: Mode, as_of: NaiveDate) -> Option<(i64, i64)> {
    let parts = line.supply.as_ref().map_or(&[][..], |supply| &supply.parts);
    if let Some(part) = parts.iter().find(|part| part.mode == mode) {
        return Some(((part.eta - as_of).num_days(), (part.eta_late - as_of).num_days()));
    }
    (line.mode == Some(mode))
        .then(|| {
            line.explain
                .units_of("lead_p50")
                .zip(line.explain.units_of("lead_p90"))
        })
        .flatten()
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

/// What the plan suggests, in the parts it would be ordered in.
#[must_use]
pub(super) fn suggested(plan: &Plan) -> Vec<ApprovedLine> {
    let adopted = adopt_all(plan);
    adopted
        .iter()
        .flat_map(|decision| approved(plan, decision))
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Sku, WarehouseCode};
    use crate::money::{Currency, Money};
    use crate::planner::{
        DailySales, Freight, ItemSeries, ItemTerms, LaneOption, Policy, Snapshot, Stage, StageTimes,
        SupplyFacts, WarehouseFacts, plan,
    };

    /// 12 a day, 25 days of stock, sea in 45 days and air in 10, and a margin worth flying for.
    fn split() -> Plan {
        let as_of = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
        let warehouse = WarehouseCode::new("goodcang:UKMA").unwrap();
        let money = |amount: i64| Some(Money::new(amount.into(), Currency::CNY));
        let lane = |mode, days, priority| LaneOption {
            mode,
            forwarder: None,
            service: String::new(),
            priority,
            stages: vec![StageTimes {
                stage: Stage::Transit,
                p50: Some(days),
                p90: Some(days),
                observed: Vec::new(),
            }],
        };
        let freight = |mode, price| Freight {
            warehouse: warehouse.clone(),
            mode,
            forwarder: None,
            per_unit: money(price),
            per_kg: None,
        };
        let item = ItemSeries {
            warehouse: warehouse.clone(),
            sku: Sku::new("LAMP").unwrap(),
            name_zh: String::new(),
            name_en: String::new(),
            active: true,
            sales: DailySales {
                first_day: as_of - chrono::Duration::days(365),
                units: (0..365).map(|_| Some(12)).collect(),
                in_stock: Vec::new(),
            },
            sales_state: DataState::Complete,
            available: Some(300),
            pending_putaway: Some(0),
            stock_state: DataState::Complete,
            inbound: Vec::new(),
            production: None,
            carton_units: Some(20),
            moq: None,
            unit_cost: money(30),
            service_permille: None,
        };
        let snapshot = Snapshot {
            as_of,
            sources: Vec::new(),
            warehouses: vec![WarehouseFacts {
                warehouse: warehouse.clone(),
                lanes: vec![lane(Mode::Sea, 45, 1), lane(Mode::Air, 10, 2)],
                putaway: None,
            }],
            series: vec![item],
            demand: crate::planner::DemandFacts::default(),
            supply: SupplyFacts {
                items: vec![ItemTerms {
                    sku: Sku::new("LAMP").unwrap(),
                    warehouse: None,
                    margin: money(50),
                    low_stock_fee: None,
                    supply_days_30: None,
                    supply_days_90: None,
                    weight_g: None,
                    volume_cm3: None,
                    pallet_cartons: None,
                }],
                freight: vec![freight(Mode::Sea, 5), freight(Mode::Air, 40)],
                ..SupplyFacts::default()
            },
        };
        plan(&snapshot, &Policy::default(), None)
    }

    #[test]
    fn r37_a_split_suggestion_becomes_an_order_by_each_mode_and_fewer_units_fly_first() {
        let plan = split();
        let line = &plan.lines[0];
        let said = |choice, units| Decision {
            warehouse: line.warehouse.clone(),
            sku: line.sku.clone(),
            choice,
            units,
            reason: String::new(),
            place: String::new(),
        };
        let shown = |choice, units| -> Vec<(Mode, i64)> {
            let lines = approved(&plan, &said(choice, units));
            lines.iter().map(|line| (line.mode, line.units)).collect()
        };
        let whole = line.suggested_units.unwrap();
        assert_eq!(
            shown(Choice::Adopt, None),
            vec![(Mode::Air, 240), (Mode::Sea, whole - 240)]
        );
        assert_eq!(
            shown(Choice::Change, Some(300)),
            vec![(Mode::Air, 240), (Mode::Sea, 60)]
        );
        assert_eq!(shown(Choice::Change, Some(100)), vec![(Mode::Air, 100)]);
        assert_eq!(shown(Choice::Reject, None), Vec::new());
        // The days expected of each are those of its mode.
        assert_eq!(expected_days(line, Mode::Air, plan.as_of), Some((10, 10)));
        assert_eq!(expected_days(line, Mode::Sea, plan.as_of), Some((45, 45)));
    }
}
