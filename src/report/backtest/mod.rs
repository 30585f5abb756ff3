//! A backtest as people read it: sentences, one HTML file that needs nothing from elsewhere, charts as SVG and PNG.

mod charts;
mod html;
mod picture;
mod png;
mod svg;

use rust_decimal::Decimal;

use crate::backtest::{LEAST_DAYS, LEAST_ITEMS, Range, Report};
use crate::mapping::label::raster::RasterError;
use crate::planner::calibration::LEAST_OUTCOMES;
use crate::wording::{Lang, text};

/// The report's files: `report.html` and its charts, each as SVG and as PNG.
///
/// # Errors
/// When the carried font cannot be read: a fault of the build.
pub fn files(report: &Report, lang: Lang) -> Result<Vec<(String, Vec<u8>)>, RasterError> {
    let charts = [
        ("frontier", charts::frontier(report, lang)),
        ("quarters", charts::quarters(report, lang)),
        ("classes", charts::classes(report, lang)),
    ];
    let drawn: Vec<(&str, String)> = charts
        .iter()
        .map(|(name, chart)| (*name, svg::render(chart)))
        .collect();
    let mut files = vec![(
        "report.html".to_owned(),
        html::render(report, &drawn, lang).into_bytes(),
    )];
    for ((name, chart), (_, svg)) in charts.iter().zip(drawn) {
        files.push((format!("{name}.svg"), svg.into_bytes()));
        files.push((format!("{name}.png"), png::render(chart)?));
    }
    Ok(files)
}

fn fill(lang: Lang, key: &str, places: &[(&str, String)]) -> String {
    let places: Vec<(&str, &str)> = places
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    text(lang, &format!("backtest.{key}"), &places)
}

/// What was run, in one sentence.
#[must_use]
pub fn head(report: &Report, lang: Lang) -> String {
    let warm = (report.counted_from - report.start).num_days();
    fill(
        lang,
        "head",
        &[
            ("from", report.start.to_string()),
            ("end", report.end.to_string()),
            ("warm", warm.to_string()),
            ("items", report.items.to_string()),
            ("target", thousandths(i64::from(report.service_permille))),
            ("review", report.review_days.to_string()),
            ("runs", report.runs.to_string()),
        ],
    )
}

/// A sentence for each policy but the first.
#[must_use]
pub fn conclusions(report: &Report, lang: Lang) -> Vec<String> {
    let first = report
        .policies
        .first()
        .map_or("", |policy| policy.policy.as_str());
    report
        .policies
        .iter()
        .filter_map(|policy| {
            let against = policy.against_first.as_ref()?;
            Some(fill(
                lang,
                &format!("against.{}", against.conclusion.code()),
                &[
                    ("policy", policy.policy.clone()),
                    ("first", first.to_owned()),
                    ("fill", points(against.fill)),
                    ("days", difference(against.stock_days)),
                ],
            ))
        })
        .collect()
}

/// What a reader must know of the figures.
#[must_use]
pub fn notes(report: &Report, lang: Lang) -> Vec<String> {
    let mut notes = Vec::new();
    if report.conclusive {
        notes.push(fill(lang, "note.range", &[]));
    } else {
        let places = [
            ("items", LEAST_ITEMS.to_string()),
            ("days", LEAST_DAYS.to_string()),
        ];
        notes.push(fill(lang, "note.inconclusive", &places));
    }
    if report.filled_days > 0 {
        let share = Decimal::from(report.filled_days * 100) / Decimal::from(report.item_days.max(1));
        notes.push(fill(
            lang,
            "note.filled",
            &[("share", share.round_dp(1).to_string())],
        ));
    }
    if report.lent_lead_times {
        notes.push(fill(lang, "note.lent", &[]));
    }
    for (why, count) in &report.left_out {
        let why = fill(lang, &format!("left_out.{}", why.code()), &[]);
        notes.push(fill(
            lang,
            "note.left_out",
            &[("count", count.to_string()), ("why", why)],
        ));
    }
    if report
        .policies
        .iter()
        .any(|policy| policy.all.capital.is_none() || policy.all.storage_fees.is_none())
    {
        notes.push(fill(lang, "note.no_money", &[]));
    }
    if let Some(currency) = &report.currency {
        notes.push(fill(lang, "note.currency", &[("currency", currency.clone())]));
    }
    let states = report.policies.iter().flat_map(|policy| &policy.calibration);
    for state in states.filter(|state| state.outcomes >= LEAST_OUTCOMES) {
        notes.push(fill(
            lang,
            "note.calibrated",
            &[
                ("warehouse", state.warehouse.to_string()),
                (
                    "mode",
                    text(lang, &format!("plan.value.{}", state.mode.code()), &[]),
                ),
                ("class", fill(lang, &format!("class.{}", state.class.code()), &[])),
                ("target", thousandths(i64::from(state.target_permille))),
                ("read", thousandths(i64::from(state.read_permille()))),
                ("count", state.outcomes.to_string()),
                ("attained", thousandths((state.attained_ppm + 500) / 1000)),
            ],
        ));
    }
    notes
}

fn thousandths(permille: i64) -> String {
    Decimal::new(permille, 1).normalize().to_string()
}

/// `95.2 % [94.1–96.0]`.
#[must_use]
pub fn percent(range: Option<Range>) -> String {
    let shown = |value: Decimal| format!("{:.1}", value * Decimal::ONE_HUNDRED);
    match range {
        None => "n/a".to_owned(),
        Some(range) => with_interval(&format!("{} %", shown(range.value)), range, shown),
    }
}

/// `61.3 [55.0–68.2]`.
#[must_use]
pub fn amount(range: Range, places: usize) -> String {
    let shown = |value: Decimal| format!("{value:.places$}");
    with_interval(&shown(range.value), range, shown)
}

fn with_interval(value: &str, range: Range, shown: impl Fn(Decimal) -> String) -> String {
    match (range.low, range.high) {
        (Some(low), Some(high)) => format!("{value} [{}–{}]", shown(low), shown(high)),
        _ => value.to_owned(),
    }
}

/// A difference of shares in points: `+1.2 [+0.4 … +2.0]`.
#[must_use]
pub fn points(range: Option<Range>) -> String {
    signed(range, Decimal::ONE_HUNDRED)
}

/// A difference as it is.
#[must_use]
pub fn difference(range: Option<Range>) -> String {
    signed(range, Decimal::ONE)
}

fn signed(range: Option<Range>, times: Decimal) -> String {
    let shown = |value: Decimal| format!("{:+.1}", value * times);
    match range {
        None => "n/a".to_owned(),
        Some(Range {
            value,
            low: Some(low),
            high: Some(high),
        }) => format!("{} [{} … {}]", shown(value), shown(low), shown(high)),
        Some(range) => shown(range.value),
    }
}
