//! The table by urgency.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::{ChartView, Row, Tone};
use crate::ids::{Sku, WarehouseCode};
use crate::planner::{Alert, AlertLevel, DataState, PlanLine, Reason};
use crate::report::model::DailyReport;
use crate::report::reason::{level_key, name_of, sentence};
use crate::report::{chain, chart, figures};
use crate::wording::text;

/// Each chart is a picture of its own in the mail; more than this is a slow mail on a phone.
const MAX_CHARTS: usize = 12;
const MAX_NAME_CHARS: usize = 60;

pub(super) struct Table {
    pub rows: Vec<Row>,
    /// What holds for most lines and is not repeated in each.
    pub note: Option<String>,
    pub rest: Option<String>,
}

/// Whether a line belongs in the table: an alarm, a suggestion, or a line whose data is not good enough to tell.
fn belongs(line: &PlanLine) -> bool {
    if line.level == Some(AlertLevel::Overstock) {
        return false;
    }
    figures::is_alarm(line)
        || line.suggested_units.is_some_and(|units| units > 0)
        || chain::is_supplied(line)
        || figures::cannot_tell(line)
}

/// One line as the table shows it, with its chart, whether it asks for something or not.
pub(super) fn one(report: &DailyReport<'_>, line: &PlanLine) -> Row {
    let alert = report
        .plan
        .alerts
        .iter()
        .find(|alert| alert.warehouse == line.warehouse && alert.sku == line.sku);
    row(report, line, alert, chart_of(report, line, 1), &[])
}

pub(super) fn table(report: &DailyReport<'_>, lines: &[&PlanLine], max_rows: usize, workbook: &str) -> Table {
    let alerts: BTreeMap<(&WarehouseCode, &Sku), &Alert> = report
        .plan
        .alerts
        .iter()
        .map(|alert| ((&alert.warehouse, &alert.sku), alert))
        .collect();
    let (told, silent): (Vec<&PlanLine>, Vec<&PlanLine>) = lines
        .iter()
        .copied()
        .filter(|line| belongs(line))
        .partition(|line| {
            figures::is_alarm(line)
                || line.suggested_units.is_some_and(|units| units > 0)
                || chain::is_supplied(line)
        });
    let all: Vec<&PlanLine> = told.into_iter().chain(silent).collect();
    let more = all.len().saturating_sub(max_rows);
    let shown: Vec<&PlanLine> = all.iter().copied().take(max_rows).collect();
    let note = fallback_note(report, &shown);
    let said: &[Reason] = if note.is_some() {
        &[Reason::LeadTimeFallback]
    } else {
        &[]
    };
    let mut charts = 0;
    let rows = all
        .into_iter()
        .take(max_rows)
        .map(|line| {
            let alert = alerts.get(&(&line.warehouse, &line.sku)).copied();
            let wants_chart = line.level == Some(AlertLevel::Critical) && charts < MAX_CHARTS;
            let chart = if wants_chart {
                chart_of(report, line, charts + 1)
            } else {
                None
            };
            charts += usize::from(chart.is_some());
            row(report, line, alert, chart, said)
        })
        .collect();
    let rest = (more > 0).then(|| {
        text(
            report.lang,
            "mail.rest",
            &[("n", &more.to_string()), ("file", workbook)],
        )
    });
    Table { rows, note, rest }
}

/// A young account has no receipts of its own to learn lead times from: said once, not on every line.
fn fallback_note(report: &DailyReport<'_>, lines: &[&PlanLine]) -> Option<String> {
    let of = lines
        .iter()
        .filter(|line| line.reasons.contains(&Reason::LeadTimeFallback))
        .count();
    (lines.len() > 2 && of * 2 > lines.len()).then(|| {
        text(
            report.lang,
            "mail.fallback_note",
            &[("n", &of.to_string()), ("all", &lines.len().to_string())],
        )
    })
}

fn cut_name(name: &str) -> String {
    match name.char_indices().nth(MAX_NAME_CHARS) {
        Some((at, _)) => format!("{}…", name.get(..at).unwrap_or_default()),
        None => name.to_owned(),
    }
}

fn tone_of(line: &PlanLine) -> Tone {
    match line.level {
        Some(AlertLevel::Critical) => Tone::Red,
        Some(AlertLevel::Warning) => Tone::Amber,
        Some(AlertLevel::Notice) => Tone::Blue,
        Some(AlertLevel::Overstock) | None => Tone::Grey,
    }
}

fn badge_of(report: &DailyReport<'_>, alert: &Alert) -> Option<String> {
    let key = if alert.acknowledged {
        "mail.badge.known"
    } else if alert.tell && alert.first_seen == report.as_of {
        "mail.badge.new"
    } else if alert.tell {
        "mail.badge.worse"
    } else {
        return None;
    };
    Some(text(report.lang, key, &[]))
}

/// `12-03 – 12-09`: the earlier of the two percentiles first.
fn stockout_range(report: &DailyReport<'_>, line: &PlanLine) -> String {
    let mut dates: Vec<NaiveDate> = [line.stockout.p50, line.stockout.p90]
        .into_iter()
        .flatten()
        .collect();
    dates.sort_unstable();
    dates.dedup();
    match dates.as_slice() {
        [] if line.data == DataState::Complete => text(report.lang, "mail.cell.not_in_horizon", &[]),
        [] => figures::UNKNOWN.to_owned(),
        dates => dates
            .iter()
            .map(|date| figures::day(*date, report.as_of))
            .collect::<Vec<_>>()
            .join("–"),
    }
}

fn row(
    report: &DailyReport<'_>,
    line: &PlanLine,
    alert: Option<&Alert>,
    chart: Option<ChartView>,
    said: &[Reason],
) -> Row {
    let lang = report.lang;
    let t = |key: &str, places: &[(&str, &str)]| text(lang, &format!("mail.{key}"), places);
    let counted = line.data == DataState::Complete;
    let late_days = line
        .order_by
        .map(|date| (report.as_of - date).num_days())
        .filter(|days| *days > 0);
    let packing = [
        line.suggested_cartons
            .filter(|cartons| *cartons > 0)
            .map(|cartons| t("cell.cartons", &[("n", &figures::grouped(cartons))])),
        chain::modes(lang, line),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ");
    let mut why = sentence(lang, line, report.as_of, said);
    if line.out_of_stock_days > 0 {
        let left_out = t(
            "cell.out_of_stock_days",
            &[("n", &line.out_of_stock_days.to_string())],
        );
        why = if why.is_empty() {
            left_out
        } else {
            format!("{why}{}{left_out}", t("clause", &[]))
        };
    }
    Row {
        level: t(
            level_key(line.level).strip_prefix("mail.").unwrap_or_default(),
            &[],
        ),
        tone: if counted { tone_of(line) } else { Tone::Grey },
        badge: alert.and_then(|alert| badge_of(report, alert)),
        not_counted: (!counted).then(|| t("not_counted", &[])),
        sku: line.sku.to_string(),
        name: cut_name(name_of(lang, line)),
        warehouse: line.warehouse.to_string(),
        available: figures::count(line.available),
        pending: line
            .pending_putaway
            .filter(|units| *units != 0)
            .map(figures::grouped),
        inbound: inbound_units(line),
        inbound_when: inbound_when(report, line),
        cover: line.cover_days.map_or_else(
            || figures::UNKNOWN.to_owned(),
            |days| t("cell.days", &[("n", &figures::one_place(Some(days)))]),
        ),
        velocity: format!(
            "{} / {} → {}",
            figures::one_place(line.velocity_7),
            figures::one_place(line.velocity_30),
            figures::one_place(line.velocity)
        ),
        stockout: stockout_range(report, line),
        order_by: figures::day_if_any(line.order_by, report.as_of, line),
        late: late_days.map(|days| t("cell.late", &[("n", &days.to_string())])),
        ship_by: figures::day_if_any(line.ship_by, report.as_of, line),
        quantity: line.suggested_units.map_or_else(
            || t("cell.unknown", &[]),
            |units| t("cell.units", &[("n", &figures::grouped(units))]),
        ),
        packing,
        money: match (line.suggested_units, line.cost) {
            (Some(0), None) => String::new(),
            (_, Some(cost)) => figures::short_money(cost.amount, cost.currency),
            (_, None) => figures::UNKNOWN.to_owned(),
        },
        why,
        chart,
    }
}

/// Sum of what is on its way; with an unknown inbound beside it, what is known is the least it can be.
fn inbound_units(line: &PlanLine) -> String {
    let known = line
        .inbound
        .iter()
        .fold(0_i64, |sum, inbound| sum.saturating_add(inbound.units));
    match (line.reasons.contains(&Reason::UnknownInbound), known) {
        (true, 0) => figures::UNKNOWN.to_owned(),
        (true, known) => format!("≥{}", figures::grouped(known)),
        (false, known) => figures::grouped(known),
    }
}

/// Earliest arrival that is still believed in, P50 to P90; says so when everything is overdue.
fn inbound_when(report: &DailyReport<'_>, line: &PlanLine) -> Option<String> {
    let next = line
        .inbound
        .iter()
        .filter(|inbound| !inbound.overdue)
        .min_by_key(|inbound| inbound.eta_p50);
    match next {
        Some(next) if next.eta_p50 == next.eta_p90 => Some(figures::day(next.eta_p50, report.as_of)),
        Some(next) => Some(format!(
            "{}–{}",
            figures::day(next.eta_p50, report.as_of),
            figures::day(next.eta_p90, report.as_of)
        )),
        None if line.inbound.is_empty() => None,
        None => Some(text(report.lang, "mail.cell.overdue", &[])),
    }
}

fn chart_of(report: &DailyReport<'_>, line: &PlanLine, number: usize) -> Option<ChartView> {
    let png = chart::draw(line)?;
    let lang = report.lang;
    let known: Vec<i64> = line.sales_60.iter().copied().flatten().collect();
    let peak = figures::count(known.iter().copied().max());
    let sold = if known.is_empty() {
        figures::UNKNOWN.to_owned()
    } else {
        figures::grouped(known.iter().sum())
    };
    let ahead = chart::ahead(line);
    let top = figures::count(ahead.iter().map(|day| day.mid).max());
    let arrivals: Vec<String> = ahead
        .iter()
        .filter(|day| day.arrivals > 0)
        .take(3)
        .map(|day| {
            format!(
                "{} +{}",
                figures::day(day.day, report.as_of),
                figures::grouped(day.arrivals)
            )
        })
        .collect();
    let stockout = match line.stockout.p50 {
        Some(date) => text(
            lang,
            "mail.chart.stockout",
            &[("date", &figures::day(date, report.as_of))],
        ),
        None => text(lang, "mail.chart.no_stockout", &[]),
    };
    let arrivals = if arrivals.is_empty() {
        text(lang, "mail.chart.no_arrivals", &[])
    } else {
        arrivals.join(", ")
    };
    let days = |from: NaiveDate, to: NaiveDate| {
        format!(
            "{}–{}",
            figures::day(from, report.as_of),
            figures::day(to, report.as_of)
        )
    };
    let past = i64::try_from(line.sales_60.len()).unwrap_or(0);
    let sold_when = days(
        report.as_of - chrono::Duration::days(past),
        report.as_of - chrono::Duration::days(1),
    );
    let stock_when = match (ahead.first(), ahead.last()) {
        (Some(first), Some(last)) => days(first.day, last.day),
        _ => figures::UNKNOWN.to_owned(),
    };
    Some(ChartView {
        cid: format!("stock-{number}@linkstar"),
        png,
        alt: text(
            lang,
            "mail.chart.alt",
            &[
                ("sku", line.sku.as_str()),
                ("sold", &sold),
                ("peak", &peak),
                ("gaps", &(line.sales_60.len() - known.len()).to_string()),
                ("stockout", &stockout),
                ("arrivals", &arrivals),
            ],
        ),
        caption: text(
            lang,
            "mail.chart.caption",
            &[
                ("sold_when", &sold_when),
                ("peak", &peak),
                ("stock_when", &stock_when),
                ("top", &top),
                ("arrivals", &arrivals),
            ],
        ),
    })
}
