//! Today's plan and one line of it, in the words and figures of the mail.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::decide::{Answers, Form as DecideForm};
use super::gate::{Visit, encoded};
use super::login::Fields;
use super::page::{Fault, Shell, moment, show};
use crate::catalog::Catalog;
use crate::cli::status::model::Overview;
use crate::ids::{OrderNo, PlanId, Sku, WarehouseCode};
use crate::night::{Night, NightError, suggest};
use crate::planner::{Plan, PlanLine, explain_text};
use crate::report::view::{ChartView, Row, View};
use crate::store::{Tx, catalog, orders, plans};
use crate::wording::{Lang, text};

/// More is a page nobody reads; the search finds every line.
const MOST_ROWS: usize = 200;

#[derive(Template)]
#[template(path = "today.html")]
struct TodayPage {
    shell: Shell,
    wanted: Vec<Vec<String>>,
    view: Option<View>,
    rows: Vec<ShownRow>,
    night: Option<(String, String)>,
    plan: String,
    /// Whether any line can still be answered.
    open: bool,
    done: bool,
}

/// A row of the table with what was answered, and the form to answer it.
pub(super) struct ShownRow {
    pub row: Row,
    pub link: String,
    pub chart: Option<String>,
    pub answers: Vec<String>,
    pub order: Option<String>,
    /// None for a line that stands in an order.
    pub form: Option<DecideForm>,
}

fn picture(chart: Option<&ChartView>) -> Option<String> {
    chart.map(|chart| format!("data:image/png;base64,{}", STANDARD.encode(&chart.png)))
}

pub(super) fn link_of(warehouse: &str, sku: &str) -> String {
    format!("/line?warehouse={}&sku={}", encoded(warehouse), encoded(sku))
}

type Key = (WarehouseCode, Sku);

/// What was answered to each line of a plan, and the order it stands in.
pub(super) struct Answered {
    pub decisions: BTreeMap<Key, Vec<plans::Decision>>,
    pub orders: BTreeMap<Key, OrderNo>,
}

impl Answered {
    pub async fn of(night: &Night<'_>, tx: &mut Tx, plan: &PlanId) -> Result<Self, NightError> {
        let mut decisions: BTreeMap<Key, Vec<plans::Decision>> = BTreeMap::new();
        for decision in plans::decisions(tx, night.account(), plan).await? {
            let key = (decision.warehouse.clone(), decision.sku.clone());
            decisions.entry(key).or_default().push(decision);
        }
        let ordered = orders::ordered_lines(tx, night.account(), plan).await?;
        Ok(Self {
            decisions,
            orders: ordered
                .into_iter()
                // Of a line in two modes the page names the faster one's order; the list of orders has both.
                .rev()
                .map(|line| ((line.warehouse, line.sku), line.order))
                .collect(),
        })
    }

    pub fn on(&self, key: &Key) -> &[plans::Decision] {
        self.decisions.get(key).map_or(&[], Vec::as_slice)
    }
}

/// What stands behind the rows of a page.
struct Behind {
    answered: Answered,
    catalog: Catalog,
    suggested: BTreeMap<Key, Option<i64>>,
}

impl Behind {
    async fn of(
        night: &Night<'_>,
        tx: &mut Tx,
        plan: &PlanId,
        suggested: BTreeMap<Key, Option<i64>>,
    ) -> Result<Self, NightError> {
        Ok(Self {
            answered: Answered::of(night, tx, plan).await?,
            catalog: catalog::load(tx, night.account(), night.today()).await?,
            suggested,
        })
    }

    fn shown(&self, lang: Lang, row: Row) -> ShownRow {
        let key = WarehouseCode::new(&row.warehouse)
            .ok()
            .zip(Sku::new(&row.sku).ok());
        let decisions = key.as_ref().map_or(&[][..], |key| self.answered.on(key));
        let order = key.as_ref().and_then(|key| self.answered.orders.get(key));
        let form = key.as_ref().filter(|_| order.is_none()).map(|key| {
            let answers = Answers {
                decisions,
                order: None,
            };
            let suggested = self.suggested.get(key).copied().flatten();
            DecideForm::of(
                lang,
                (&key.0, &key.1),
                suggested,
                self.catalog.items.get(&key.1),
                &answers,
            )
        });
        ShownRow {
            link: link_of(&row.warehouse, &row.sku),
            chart: picture(row.chart.as_ref()),
            answers: decisions
                .iter()
                .map(|decision| super::decide::words(lang, decision))
                .collect(),
            order: order.map(ToString::to_string),
            form,
            row,
        }
    }
}

fn suggested(plan: &Plan) -> BTreeMap<Key, Option<i64>> {
    plan.lines
        .iter()
        .map(|line| ((line.warehouse.clone(), line.sku.clone()), line.suggested_units))
        .collect()
}

pub(super) async fn today(visit: Visit, Query(asked): Query<Fields>) -> Result<Response, Fault> {
    let night = visit.seller.night();
    let lang = visit.lang;
    let inside = |error: NightError| Fault::inside(lang, &error);
    let mut tx = night
        .store
        .read()
        .await
        .map_err(|error| Fault::store(lang, &error))?;
    let seen = Overview::of(&mut tx, night.config, night.now())
        .await
        .map_err(|error| Fault::inside(lang, &error))?;
    let looked = suggest::look(&night, &mut tx, lang, |report| {
        (
            View::of(report, MOST_ROWS),
            report.plan.id.clone(),
            suggested(report.plan),
        )
    })
    .await
    .map_err(inside)?;
    let mut rows = Vec::new();
    let mut plan_id = String::new();
    let mut view = None;
    if let Some((mut found, plan, suggested)) = looked {
        let behind = Behind::of(&night, &mut tx, &plan, suggested)
            .await
            .map_err(inside)?;
        for row in std::mem::take(&mut found.rows) {
            rows.push(behind.shown(lang, row));
        }
        plan_id = plan.to_string();
        view = Some(found);
    }
    let zone = night.config.account.zone;
    let page = TodayPage {
        shell: visit.shell(&text(lang, "web.nav.today", &[])),
        wanted: seen.wanted(night.config, lang),
        view,
        open: rows.iter().any(|row| row.form.is_some()),
        rows,
        night: seen.last_night().map(|run| {
            (
                moment(run.started_at, zone),
                crate::cli::status::model::step_state(lang, &run.state),
            )
        }),
        plan: plan_id,
        done: asked.contains_key("done"),
    };
    Ok(show(lang, StatusCode::OK, &page))
}

#[derive(Template)]
#[template(path = "line.html")]
struct LinePage<'a> {
    shell: Shell,
    view: &'a View,
    shown: ShownRow,
    explain: String,
    plan: String,
    held: Vec<String>,
    done: bool,
    conflict: Option<Conflict>,
}

/// Why an answer was not taken.
pub(super) struct Conflict {
    pub title: String,
    pub lines: Vec<String>,
}

pub(super) async fn line(visit: Visit, Query(asked): Query<Fields>) -> Result<Response, Fault> {
    let done = asked.contains_key("done");
    line_page(&visit, &asked, done, None, StatusCode::OK).await
}

fn line_of<'p>(plan: &'p Plan, asked: &Fields) -> Option<&'p PlanLine> {
    let field = |name: &str| asked.get(name).map_or("", |value| value.trim());
    let (warehouse, sku) = (field("warehouse"), field("sku"));
    plan.lines.iter().find(|line| {
        line.sku.as_str().eq_ignore_ascii_case(sku)
            && (warehouse.is_empty() || line.warehouse.as_str() == warehouse)
    })
}

/// A line of the current plan with the form to answer it; `conflict` says why the last answer was not taken.
pub(super) async fn line_page(
    visit: &Visit,
    asked: &Fields,
    done: bool,
    conflict: Option<Conflict>,
    status: StatusCode,
) -> Result<Response, Fault> {
    let night = visit.seller.night();
    let lang = visit.lang;
    let inside = |error: NightError| Fault::inside(lang, &error);
    let mut tx = night
        .store
        .read()
        .await
        .map_err(|error| Fault::store(lang, &error))?;
    let looked = suggest::look(&night, &mut tx, lang, |report| {
        let line = line_of(report.plan, asked).cloned();
        let near = crate::problem::nearest(
            asked.get("sku").map_or("", String::as_str),
            report.plan.lines.iter().map(|line| line.sku.as_str()),
        );
        let row = line.as_ref().map(|line| Row::of(report, line));
        (
            line.zip(row),
            near.map(str::to_owned),
            report.plan.id.clone(),
            View::of(report, 0),
        )
    })
    .await
    .map_err(inside)?;
    let Some((found, near, plan, view)) = looked else {
        return Err(Fault::missing(lang).say(text(lang, "web.today.no_plan", &[])));
    };
    let Some((line, row)) = found else {
        let sku = asked.get("sku").map_or("", String::as_str);
        let mut fault = Fault::missing(lang).say(text(lang, "web.line.unknown", &[("sku", sku)]));
        if let Some(near) = near {
            fault = fault.link(format!("/line?sku={}", encoded(&near)), near);
        }
        return Err(fault.link("/", text(lang, "web.nav.today", &[])));
    };
    let key = (line.warehouse.clone(), line.sku.clone());
    let suggested = [(key, line.suggested_units)].into();
    let behind = Behind::of(&night, &mut tx, &plan, suggested)
        .await
        .map_err(inside)?;
    let held = orders::held(&mut tx, night.account(), &plan)
        .await
        .map_err(|error| Fault::store(lang, &error))?;
    let page = LinePage {
        plan: plan.to_string(),
        shell: visit.shell(line.sku.as_str()),
        shown: behind.shown(lang, row),
        view: &view,
        explain: explain_text(&line, lang),
        held: held
            .iter()
            .filter(|held| held.warehouse == line.warehouse && held.sku == line.sku)
            .flat_map(|held| held.problems.iter().map(ToString::to_string))
            .collect(),
        done,
        conflict,
    };
    Ok(show(lang, status, &page))
}

/// The search field: an order's number, or a SKU.
pub(super) async fn find(visit: Visit, Query(asked): Query<Fields>) -> Result<Response, Fault> {
    let wanted = asked.get("q").map_or("", |wanted| wanted.trim());
    let night = visit.seller.night();
    let mut tx = night
        .store
        .read()
        .await
        .map_err(|error| Fault::store(visit.lang, &error))?;
    let sku = plans::latest(&mut tx, night.account())
        .await
        .map_err(|error| Fault::inside(visit.lang, &error))?
        .is_some_and(|plan| {
            plan.lines
                .iter()
                .any(|line| line.sku.as_str().eq_ignore_ascii_case(wanted))
        });
    let to = if sku {
        format!("/line?sku={}", encoded(wanted))
    } else {
        format!("/orders/{}", encoded(wanted))
    };
    Ok(Redirect::to(&to).into_response())
}
