//! The mail before it has a form: every wording settled, every number written, once for HTML and text alike.

pub(super) mod freshness;
mod lines;
mod sections;
mod to_mend;

pub(super) use sections::still_open;

use super::figures::{self, Totals};
use super::model::{DailyReport, TrialNote};
use crate::planner::{DataState, PlanLine};
use crate::wording::text;

/// A colour with a meaning; always beside a word that says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Red,
    Amber,
    Blue,
    Green,
    Grey,
}

impl Tone {
    /// Text, background; mid tones that hold on white and on a client's own dark background.
    pub fn colours(self) -> (&'static str, &'static str) {
        match self {
            Self::Red => ("#b3261e", "#fce8e6"),
            Self::Amber => ("#8a5a00", "#fff1cc"),
            Self::Blue => ("#0b57a4", "#e3effc"),
            Self::Green => ("#19692c", "#e2f4e6"),
            Self::Grey => ("#57606a", "#eceff2"),
        }
    }

    pub fn ink(self) -> &'static str {
        self.colours().0
    }

    pub fn paper(self) -> &'static str {
        self.colours().1
    }

    /// What it is called in a style sheet.
    pub fn name(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Amber => "amber",
            Self::Blue => "blue",
            Self::Green => "green",
            Self::Grey => "grey",
        }
    }

    /// Class for the dark scheme.
    pub fn class(self) -> &'static str {
        match self {
            Self::Red => "tr",
            Self::Amber => "ta",
            Self::Blue => "tb",
            Self::Green => "tg",
            Self::Grey => "tn",
        }
    }
}

#[derive(Debug)]
pub struct View {
    pub lang: &'static str,
    pub subject: String,
    pub title: String,
    pub date: String,
    pub account: String,
    pub owner: Option<String>,
    pub tiles: Vec<Tile>,
    pub banners: Vec<(Tone, String)>,
    pub headings: Headings,
    pub sources: Vec<SourceRow>,
    pub sources_note: Option<String>,
    pub funnel: Vec<(String, String)>,
    pub funnel_note: Option<String>,
    pub changes: Vec<ChangeRow>,
    pub changes_note: Vec<String>,
    pub columns: Columns,
    pub rows: Vec<Row>,
    pub legend: Option<String>,
    pub lines_note: Option<String>,
    pub rest: Option<String>,
    pub deadlines: Vec<Item>,
    pub overstock: Vec<Item>,
    pub orders: Vec<Item>,
    pub receipts: Vec<Item>,
    pub cases: Vec<Item>,
    pub to_mend: Vec<Item>,
    pub problems: Vec<String>,
    pub footer_answer: String,
    pub footer_explain: String,
    pub explain_command: String,
    pub footer_plan: String,
    pub workbook_name: String,
}

#[derive(Debug)]
pub struct Tile {
    pub value: String,
    pub label: String,
    pub tone: Tone,
}

#[derive(Debug)]
pub struct Headings {
    pub sources: String,
    pub funnel: String,
    pub changes: String,
    pub lines: String,
    pub deadlines: String,
    pub overstock: String,
    pub orders: String,
    pub receipts: String,
    pub cases: String,
    pub to_mend: String,
    pub problems: String,
}

#[derive(Debug)]
pub struct Columns {
    pub sku: String,
    pub stock: String,
    pub dates: String,
    pub suggestion: String,
    pub available: String,
    pub pending: String,
    pub inbound: String,
    pub cover: String,
    pub velocity: String,
    pub stockout: String,
    pub order_by: String,
    pub ship_by: String,
}

#[derive(Debug)]
pub struct SourceRow {
    pub name: String,
    pub state: String,
    pub tone: Tone,
    pub as_of: String,
    pub age: String,
    pub rows: String,
    pub notes: Vec<String>,
}

#[derive(Debug)]
pub struct ChangeRow {
    pub kind: String,
    pub tone: Tone,
    pub sku: String,
    pub warehouse: String,
    pub what: String,
    pub why: String,
}

#[derive(Debug)]
pub struct Row {
    pub level: String,
    pub tone: Tone,
    pub badge: Option<String>,
    /// Greyed, and in no total.
    pub not_counted: Option<String>,
    pub sku: String,
    pub name: String,
    pub warehouse: String,
    pub available: String,
    pub pending: Option<String>,
    pub inbound: String,
    pub inbound_when: Option<String>,
    pub cover: String,
    pub velocity: String,
    pub stockout: String,
    pub order_by: String,
    /// The order date has passed.
    pub late: Option<String>,
    pub ship_by: String,
    pub quantity: String,
    pub packing: String,
    pub money: String,
    pub why: String,
    pub chart: Option<ChartView>,
}

#[derive(Debug)]
pub struct ChartView {
    pub cid: String,
    pub png: Vec<u8>,
    pub alt: String,
    pub caption: String,
}

/// A line of the smaller sections: what, whose, and a remark with a tone.
#[derive(Debug)]
pub struct Item {
    pub title: String,
    pub place: String,
    pub detail: String,
    pub remark: String,
    pub tone: Tone,
}

impl View {
    /// The smaller sections in their order.
    pub fn lists(&self) -> [(&str, &[Item]); 6] {
        [
            (&self.headings.deadlines, &self.deadlines),
            (&self.headings.overstock, &self.overstock),
            (&self.headings.to_mend, &self.to_mend),
            (&self.headings.orders, &self.orders),
            (&self.headings.receipts, &self.receipts),
            (&self.headings.cases, &self.cases),
        ]
    }

    /// The view with at most `max_rows` rows in the table.
    pub fn of(report: &DailyReport<'_>, max_rows: usize) -> Self {
        let t = |key: &str| text(report.lang, &format!("mail.{key}"), &[]);
        let lines = owned_lines(report);
        let totals = Totals::of(lines.iter().copied());
        let data = freshness::data_words(report);
        let workbook_name = workbook_name(report);
        let nothing = lines.iter().all(|line| line.data == DataState::Missing);
        let table = lines::table(report, &lines, max_rows, &workbook_name);
        let (changes, changes_note) = sections::changes(report);
        let (sources, sources_note) = freshness::sources(report);
        let (funnel, funnel_note) = sections::funnel(report);
        Self {
            lang: report.lang.code(),
            subject: subject(report, &totals, &data, nothing),
            title: t("title"),
            date: report.as_of.to_string(),
            account: report.account.to_owned(),
            owner: report
                .owner
                .as_ref()
                .map(|owner| text(report.lang, "mail.owner", &[("name", &owner.name)])),
            tiles: tiles(report, &totals, &data),
            banners: on_trial(report)
                .into_iter()
                .chain(banner(report, &totals, nothing, table.rows.is_empty()))
                .collect(),
            headings: Headings {
                sources: t("head.sources"),
                funnel: t("head.funnel"),
                changes: t("head.changes"),
                lines: t("head.lines"),
                deadlines: t("head.deadlines"),
                overstock: t("head.overstock"),
                orders: t("head.orders"),
                receipts: t("head.receipts"),
                cases: t("head.cases"),
                to_mend: t("head.to_mend"),
                problems: t("head.problems"),
            },
            sources,
            sources_note,
            funnel,
            funnel_note,
            changes,
            changes_note,
            columns: Columns {
                sku: t("col.sku"),
                stock: t("col.stock"),
                dates: t("col.dates"),
                suggestion: t("col.suggestion"),
                available: t("cell.available"),
                pending: t("cell.pending"),
                inbound: t("cell.inbound"),
                cover: t("cell.cover"),
                velocity: t("cell.velocity"),
                stockout: t("cell.stockout"),
                order_by: t("cell.order_by"),
                ship_by: t("cell.ship_by"),
            },
            legend: table
                .rows
                .iter()
                .any(|row| row.chart.is_some())
                .then(|| t("legend")),
            lines_note: table.note,
            rows: table.rows,
            rest: table.rest,
            deadlines: sections::deadlines(report),
            overstock: sections::overstock(report, &lines),
            orders: sections::orders(report),
            receipts: sections::receipts(report),
            cases: sections::cases(report),
            to_mend: to_mend::items(report),
            problems: sections::problems(report),
            footer_answer: text(report.lang, "mail.footer.answer", &[("file", &workbook_name)]),
            footer_explain: t("footer.explain"),
            explain_command: format!("linkstar explain <SKU> --plan {}", report.plan.id.short()),
            footer_plan: text(
                report.lang,
                "mail.footer.plan",
                &[
                    ("plan", report.plan.id.as_str()),
                    ("engine", &report.plan.engine),
                    ("date", &report.plan.as_of.to_string()),
                ],
            ),
            workbook_name,
        }
    }
}

impl Row {
    /// One line as the table shows it, with its chart, whether it asks for something or not.
    pub fn of(report: &DailyReport<'_>, line: &PlanLine) -> Self {
        lines::one(report, line)
    }
}

/// The lines this recipient sees.
pub(super) fn owned_lines<'a>(report: &DailyReport<'a>) -> Vec<&'a PlanLine> {
    report
        .plan
        .lines
        .iter()
        .filter(|line| {
            report
                .owner
                .as_ref()
                .is_none_or(|owner| owner.skus.contains(&line.sku))
        })
        .collect()
}

fn workbook_name(report: &DailyReport<'_>) -> String {
    text(
        report.lang,
        "mail.file.workbook",
        &[
            ("date", &report.as_of.to_string()),
            ("plan", report.plan.id.short()),
        ],
    )
}

fn subject(report: &DailyReport<'_>, totals: &Totals, data: &str, nothing: bool) -> String {
    let owner = report
        .owner
        .as_ref()
        .map_or_else(String::new, |owner| format!("·{}", owner.name));
    let key = if nothing {
        "mail.subject.nothing"
    } else {
        "mail.subject"
    };
    text(
        report.lang,
        key,
        &[
            ("owner", &owner),
            ("date", &report.as_of.to_string()),
            ("red", &totals.lines_at(totals.red)),
            ("amber", &totals.lines_at(totals.amber)),
            ("money", &totals.money(report.currency)),
            ("data", data),
        ],
    )
}

fn tiles(report: &DailyReport<'_>, totals: &Totals, data: &str) -> Vec<Tile> {
    let t = |key: &str, places: &[(&str, &str)]| text(report.lang, &format!("mail.{key}"), places);
    let tone = |count: usize, tone: Tone| if count > 0 { tone } else { Tone::Grey };
    let bad = freshness::bad_streams(report);
    vec![
        Tile {
            value: totals.lines_at(totals.red),
            label: t("tile.red", &[]),
            tone: tone(totals.red, Tone::Red),
        },
        Tile {
            value: totals.lines_at(totals.amber),
            label: t("tile.amber", &[]),
            tone: tone(totals.amber, Tone::Amber),
        },
        Tile {
            value: totals.money(report.currency),
            label: t(
                "tile.order",
                &[
                    ("lines", &totals.lines_at(totals.lines)),
                    (
                        "units",
                        &figures::count((totals.complete > 0).then_some(totals.units)),
                    ),
                ],
            ),
            tone: tone(totals.lines, Tone::Blue),
        },
        Tile {
            value: data.to_owned(),
            label: t("tile.data", &[("n", &report.plan.sources.len().to_string())]),
            tone: if bad > 0 || report.plan.sources.is_empty() {
                Tone::Red
            } else {
                Tone::Green
            },
        },
    ]
}

/// While linkstar is on trial nobody may take an approval for an order.
fn on_trial(report: &DailyReport<'_>) -> Option<(Tone, String)> {
    let key = match report.trial {
        TrialNote::Live => return None,
        TrialNote::Partly => "mail.banner.trial_partly",
        TrialNote::Nothing => "mail.banner.trial_nothing",
    };
    Some((Tone::Blue, text(report.lang, key, &[])))
}

fn banner(report: &DailyReport<'_>, totals: &Totals, nothing: bool, no_rows: bool) -> Option<(Tone, String)> {
    let bad = freshness::bad_streams(report);
    if nothing {
        return Some((Tone::Red, text(report.lang, "mail.banner.no_data", &[])));
    }
    if bad > 0 {
        let places = [("n", bad.to_string()), ("lines", totals.not_counted.to_string())];
        let places: Vec<(&str, &str)> = places.iter().map(|(k, v)| (*k, v.as_str())).collect();
        return Some((Tone::Red, text(report.lang, "mail.banner.stale", &places)));
    }
    no_rows.then(|| (Tone::Green, text(report.lang, "mail.banner.calm", &[])))
}
