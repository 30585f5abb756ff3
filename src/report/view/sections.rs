//! Funnel, changes and the smaller sections.

use std::collections::BTreeMap;

use chrono::Duration;

use super::freshness::{cut, named};
use super::{ChangeRow, Item, Tone};
use crate::calendar::civil_day;
use crate::deadline;
use crate::ids::{Sku, SourceId, WarehouseCode};
use crate::planner::{AlertLevel, DataState, LineChange, PlanLine, Reason};
use crate::report::figures;
use crate::report::model::{
    CaseSummary, DailyReport, OrderMotion, ReceiptSummary, ReceiptWhat, UnmappedCode,
};
use crate::report::reason::{cause_key, mode_text, name_of, reason_key, state_key};
use crate::wording::{Lang, text};

const MAX_CHANGES: usize = 12;
const MAX_ITEMS: usize = 12;
/// A problem that comes back every night must not drown the mail.
const MAX_PROBLEMS: usize = 8;
const MAX_CODES_NAMED: usize = 4;
const MAX_OVERSTOCK: usize = 5;

pub(super) fn funnel(report: &DailyReport<'_>) -> (Vec<(String, String)>, Option<String>) {
    let funnel = &report.plan.funnel;
    let steps = [
        ("mail.funnel.seen", funnel.seen),
        ("mail.funnel.active", funnel.active),
        ("mail.funnel.computed", funnel.computed),
        ("mail.funnel.due", funnel.due),
        ("mail.funnel.suggested", funnel.suggested),
    ]
    .map(|(key, n)| (text(report.lang, key, &[]), figures::grouped(n)))
    .to_vec();
    let mut by_reason: BTreeMap<Reason, i64> = BTreeMap::new();
    for (_, reason, n) in &funnel.dropped {
        *by_reason.entry(*reason).or_default() += n;
    }
    let list: Vec<String> = by_reason
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(reason, n)| {
            let label = text(report.lang, reason_key(reason), &[]);
            format!("{label} {}", figures::grouped(n))
        })
        .collect();
    let note = (!list.is_empty()).then(|| {
        let list = list.join(&text(report.lang, "mail.comma", &[]));
        text(report.lang, "mail.funnel.dropped", &[("list", &list)])
    });
    (steps, note)
}

pub(super) fn owned(report: &DailyReport<'_>, sku: &Sku) -> bool {
    report.owner.as_ref().is_none_or(|owner| owner.skus.contains(sku))
}

fn rank(level: Option<AlertLevel>) -> u8 {
    match level {
        Some(AlertLevel::Critical) => 3,
        Some(AlertLevel::Warning) => 2,
        Some(AlertLevel::Notice) => 1,
        Some(AlertLevel::Overstock) | None => 0,
    }
}

/// More than 20 % of what it was; from or to nothing always counts, unknown to unknown never.
fn moved(change: &LineChange) -> bool {
    match (change.before, change.after) {
        (Some(before), Some(after)) => {
            (i128::from(after) - i128::from(before)).abs() * 5 > i128::from(before).abs()
        }
        (None, None) => false,
        _ => true,
    }
}

pub(super) fn changes(report: &DailyReport<'_>) -> (Vec<ChangeRow>, Vec<String>) {
    let lang = report.lang;
    let Some(diff) = report.diff else {
        return (Vec::new(), vec![text(lang, "mail.change.first", &[])]);
    };
    let names: BTreeMap<(&WarehouseCode, &Sku), &str> = report
        .plan
        .lines
        .iter()
        .map(|line| ((&line.warehouse, &line.sku), name_of(lang, line)))
        .collect();
    let mut kinds: [Vec<(u64, ChangeRow)>; 3] = [const { Vec::new() }; 3];
    let mut small = 0_usize;
    for change in diff.changes.iter().filter(|change| owned(report, &change.sku)) {
        let (before, after) = (rank(change.level_before), rank(change.level_after));
        let (slot, key, tone) = if after == 3 && before < 3 {
            (0, "mail.change.new_red", Tone::Red)
        } else if before >= 2 && after == 0 {
            (1, "mail.change.resolved", Tone::Green)
        } else if moved(change) {
            (2, "mail.change.quantity", Tone::Blue)
        } else {
            small += 1;
            continue;
        };
        let name = names
            .get(&(&change.warehouse, &change.sku))
            .copied()
            .unwrap_or_default();
        let size = change.after.unwrap_or(0).abs_diff(change.before.unwrap_or(0));
        let row = ChangeRow {
            kind: text(lang, key, &[]),
            tone,
            sku: change.sku.to_string(),
            warehouse: [name, change.warehouse.as_str()]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" · "),
            what: text(
                lang,
                "mail.change.units",
                &[
                    ("before", &figures::count(change.before)),
                    ("after", &figures::count(change.after)),
                ],
            ),
            why: causes(lang, change),
        };
        kinds[slot].push((size, row));
    }
    // The largest first: what is cut off must be what matters least.
    for rows in &mut kinds {
        rows.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    }
    let mut rows: Vec<ChangeRow> = kinds.into_iter().flatten().map(|(_, row)| row).collect();
    let mut notes = Vec::new();
    if rows.is_empty() {
        notes.push(text(lang, "mail.change.none", &[]));
    }
    if rows.len() > MAX_CHANGES {
        let more = (rows.len() - MAX_CHANGES).to_string();
        rows.truncate(MAX_CHANGES);
        notes.push(text(lang, "mail.change.cut", &[("n", &more)]));
    }
    if small > 0 {
        notes.push(text(lang, "mail.change.more", &[("n", &small.to_string())]));
    }
    (rows, notes)
}

/// The largest cause first.
fn causes(lang: Lang, change: &LineChange) -> String {
    let mut causes: Vec<_> = change.causes.iter().filter(|(_, units)| *units != 0).collect();
    causes.sort_by_key(|(cause, units)| (std::cmp::Reverse(units.unsigned_abs()), *cause));
    causes
        .into_iter()
        .map(|(cause, units)| {
            format!(
                "{} {}",
                text(lang, cause_key(*cause), &[]),
                figures::signed(*units)
            )
        })
        .collect::<Vec<_>>()
        .join(&text(lang, "mail.comma", &[]))
}

pub(super) fn listed<T>(report: &DailyReport<'_>, all: &[T], item: impl Fn(&T) -> Item) -> Vec<Item> {
    let mut items: Vec<Item> = all.iter().take(MAX_ITEMS).map(item).collect();
    if all.len() > MAX_ITEMS {
        items.push(Item {
            title: text(
                report.lang,
                "mail.more",
                &[("n", &(all.len() - MAX_ITEMS).to_string())],
            ),
            place: String::new(),
            detail: String::new(),
            remark: String::new(),
            tone: Tone::Grey,
        });
    }
    items
}

/// Passed ones stay until somebody settles them.
pub(super) fn deadlines(report: &DailyReport<'_>) -> Vec<Item> {
    listed(report, &report.deadlines, |entry| {
        let lang = report.lang;
        let (remark, tone) = match entry.due {
            None => (text(lang, "deadline.unknown", &[]), Tone::Amber),
            Some(due) => {
                let today = civil_day(report.now, entry.zone);
                // Midnight is the end of the day before.
                let day = civil_day(due - Duration::seconds(1), entry.zone);
                let days = (day - today).num_days();
                let (key, tone) = match days {
                    _ if due <= report.now => ("mail.deadline.passed", Tone::Red),
                    0 => ("mail.deadline.today", Tone::Red),
                    1..=2 => ("mail.deadline.in", Tone::Amber),
                    _ => ("mail.deadline.in", Tone::Grey),
                };
                let places = [
                    ("date", deadline::when(due, entry.zone)),
                    ("n", days.abs().to_string()),
                ];
                let places: Vec<(&str, &str)> = places.iter().map(|(k, v)| (*k, v.as_str())).collect();
                (text(lang, key, &places), tone)
            }
        };
        let detail = if entry.missing.is_empty() {
            String::new()
        } else {
            let what = entry.missing.join(", ");
            text(lang, "mail.deadline.missing", &[("what", &what)])
        };
        Item {
            title: deadline::rule_text(entry.rule, lang),
            place: cut(&entry.reference(lang)),
            detail: cut(&detail),
            remark,
            tone,
        }
    })
}

pub(super) fn overstock(report: &DailyReport<'_>, lines: &[&PlanLine]) -> Vec<Item> {
    let mut over: Vec<&PlanLine> = lines
        .iter()
        .copied()
        .filter(|line| line.level == Some(AlertLevel::Overstock))
        .collect();
    // Stock that never ends at the present rate has no days of cover and is the worst of all.
    over.sort_by_key(|line| {
        (
            line.cover_days.is_some(),
            std::cmp::Reverse(line.cover_days),
            &line.warehouse,
            &line.sku,
        )
    });
    over.truncate(MAX_OVERSTOCK);
    listed(report, &over, |line| Item {
        title: line.sku.to_string(),
        place: [name_of(report.lang, line), line.warehouse.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · "),
        detail: text(
            report.lang,
            "mail.overstock.line",
            &[
                ("cover", &figures::one_place(line.cover_days)),
                ("available", &figures::count(line.available)),
                ("velocity", &figures::one_place(line.velocity)),
            ],
        ),
        remark: if line.data == DataState::Complete {
            String::new()
        } else {
            text(report.lang, state_key(line.data), &[])
        },
        tone: Tone::Grey,
    })
}

/// What should have arrived first, then by arrival.
pub(super) fn orders(report: &DailyReport<'_>) -> Vec<Item> {
    let mut by_arrival: Vec<&OrderMotion> = report.orders.iter().collect();
    by_arrival.sort_by_key(|order| (order.eta.is_none(), order.eta, &order.number));
    listed(report, &by_arrival, |order| {
        let late = order
            .eta
            .map(|eta| (report.as_of - eta).num_days())
            .filter(|days| *days > 0);
        let mut detail = text(
            report.lang,
            "mail.order.line",
            &[
                ("units", &figures::count(order.units)),
                ("cartons", &figures::count(order.cartons)),
                ("mode", &mode_text(report.lang, Some(order.mode))),
                ("ship_by", &figures::maybe_day(order.ship_by, report.as_of)),
                ("eta", &figures::maybe_day(order.eta, report.as_of)),
            ],
        );
        if !order.next_step.is_empty() {
            detail.push_str(" · ");
            detail.push_str(&text(
                report.lang,
                "mail.order.next",
                &[("step", &cut(&order.next_step))],
            ));
        }
        Item {
            title: order.number.to_string(),
            place: order.warehouse.to_string(),
            detail,
            remark: match late {
                Some(days) => text(
                    report.lang,
                    "mail.order.late",
                    &[("state", &cut(&order.state)), ("n", &days.to_string())],
                ),
                None => cut(&order.state),
            },
            tone: if late.is_some() { Tone::Red } else { Tone::Blue },
        }
    })
}

pub(super) fn receipts(report: &DailyReport<'_>) -> Vec<Item> {
    listed(report, &report.receipts, |receipt| Item {
        title: format!("{} · {}", receipt.order, receipt.sku),
        place: receipt.warehouse.to_string(),
        detail: {
            let counts = text(
                report.lang,
                "mail.receipt.line",
                &[
                    ("shipped", &figures::count(receipt.shipped)),
                    ("received", &figures::count(receipt.received)),
                    ("put_away", &figures::count(receipt.put_away)),
                ],
            );
            let mut parts = vec![counts];
            parts.extend(receipt_more(receipt, report.lang));
            parts.extend((!receipt.state.is_empty()).then(|| cut(&receipt.state)));
            parts.join(" · ")
        },
        remark: receipt_remark(receipt, report.lang),
        tone: match (receipt.what, receipt.difference) {
            (ReceiptWhat::Arrived { .. }, _) | (ReceiptWhat::Difference, Some(0)) => Tone::Green,
            (ReceiptWhat::Difference, Some(_)) => Tone::Red,
            (ReceiptWhat::Open, _) => Tone::Blue,
            (ReceiptWhat::Difference, None) => Tone::Grey,
        },
    })
}

/// Those of the reader's own SKUs, where he has some.
pub(super) fn cases(report: &DailyReport<'_>) -> Vec<Item> {
    let own: Vec<&CaseSummary> = report
        .cases
        .iter()
        .filter(|case| case.skus.iter().any(|sku| owned(report, sku)))
        .collect();
    listed(report, &own, |case| {
        let lang = report.lang;
        let left = case.last_day.map(|day| (day - report.as_of).num_days());
        Item {
            title: case.number.clone(),
            place: case.warehouse.to_string(),
            detail: text(
                lang,
                "mail.case.line",
                &[
                    ("units", &figures::grouped(case.units)),
                    ("party", &case.party),
                    ("state", &case.state),
                ],
            ),
            remark: match case.last_day {
                Some(day) => text(lang, "mail.case.last_day", &[("date", &day.to_string())]),
                None => text(lang, "mail.case.no_day", &[]),
            },
            tone: match left {
                Some(days) if days <= 10 => Tone::Red,
                Some(days) if days > 30 => Tone::Blue,
                _ => Tone::Amber,
            },
        }
    })
}

/// What differs, what came, or what is open: short, for it stands beside the line on a telephone.
fn receipt_remark(receipt: &ReceiptSummary, lang: Lang) -> String {
    match receipt.what {
        ReceiptWhat::Difference => {
            let difference = receipt
                .difference
                .map_or_else(|| figures::UNKNOWN.to_owned(), figures::signed);
            text(lang, "mail.receipt.difference", &[("n", &difference)])
        }
        ReceiptWhat::Arrived {
            received: 0,
            put_away,
        } => more(lang, "put_away", put_away),
        ReceiptWhat::Arrived { received, .. } => more(lang, "received", received),
        ReceiptWhat::Open => still_open(receipt, lang),
    }
}

/// What came to the shelf beside the dock, and what is open beside what came.
fn receipt_more(receipt: &ReceiptSummary, lang: Lang) -> Vec<String> {
    let ReceiptWhat::Arrived { received, put_away } = receipt.what else {
        return Vec::new();
    };
    let mut parts = Vec::new();
    if received != 0 && put_away != 0 {
        parts.push(more(lang, "put_away", put_away));
    }
    if receipt.open > 0 {
        parts.push(still_open(receipt, lang));
    }
    parts
}

fn more(lang: Lang, what: &str, units: i64) -> String {
    let n = figures::signed(units);
    text(lang, &format!("mail.receipt.more_{what}"), &[("n", &n)])
}

pub(in crate::report) fn still_open(receipt: &ReceiptSummary, lang: Lang) -> String {
    text(
        lang,
        "mail.receipt.open",
        &[("n", &figures::count(Some(receipt.open)))],
    )
}

/// What went wrong in the night, then each source's unknown codes in one line.
pub(super) fn problems(report: &DailyReport<'_>) -> Vec<String> {
    let run = report.run_problems.iter().map(|problem| {
        let step = named(report.lang, "mail.step", &problem.step).unwrap_or_else(|| cut(&problem.step));
        let mut words = text(
            report.lang,
            "mail.problem.run",
            &[("step", &step), ("text", &cut(&problem.text))],
        );
        if problem.alike > 0 {
            words.push_str(&text(
                report.lang,
                "mail.problem.alike",
                &[("n", &problem.alike.to_string())],
            ));
        }
        words
    });
    let all: Vec<String> = run.chain(unmapped(report)).collect();
    let more = all.len().saturating_sub(MAX_PROBLEMS);
    let mut shown: Vec<String> = all.into_iter().take(MAX_PROBLEMS).collect();
    if more > 0 {
        shown.push(text(report.lang, "mail.more", &[("n", &more.to_string())]));
    }
    shown
}

fn unmapped(report: &DailyReport<'_>) -> Vec<String> {
    let mut by_source: BTreeMap<&SourceId, Vec<&UnmappedCode>> = BTreeMap::new();
    for code in &report.unmapped {
        by_source.entry(&code.source).or_default().push(code);
    }
    by_source
        .into_iter()
        .map(|(source, codes)| {
            let mut names: Vec<String> = codes
                .iter()
                .take(MAX_CODES_NAMED)
                .map(|code| match code.units {
                    Some(units) => text(
                        report.lang,
                        "mail.problem.code",
                        &[("code", &cut(&code.code)), ("units", &figures::grouped(units))],
                    ),
                    None => cut(&code.code),
                })
                .collect();
            if codes.len() > MAX_CODES_NAMED {
                names.push("…".to_owned());
            }
            text(
                report.lang,
                "mail.problem.unmapped",
                &[
                    ("source", source.as_str()),
                    ("n", &codes.len().to_string()),
                    ("codes", &names.join(&text(report.lang, "mail.comma", &[]))),
                ],
            )
        })
        .collect()
}
