//! A line's tree and a difference of plans as text for people.

use std::fmt::Write as _;

use super::model::{AlertLevel, Cause, Explain, PlanDiff, PlanLine, Reason};
use crate::wording::{Lang, text};

/// The code of a serialised name: `TooLate` is `too_late`.
fn code<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(code)) => code,
        _ => String::new(),
    }
}

/// A reason in words.
#[must_use]
pub fn reason_text(reason: Reason, lang: Lang) -> String {
    text(lang, &format!("plan.reason.{}", code(&reason)), &[])
}

/// A level in words.
#[must_use]
pub fn level_text(level: AlertLevel, lang: Lang) -> String {
    text(lang, &format!("plan.level.{}", code(&level)), &[])
}

/// A cause in words.
#[must_use]
pub fn cause_text(cause: Cause, lang: Lang) -> String {
    text(lang, &format!("plan.cause.{}", code(&cause)), &[])
}

/// The tree behind a line, indented, each sum with its signs.
#[must_use]
pub fn explain_text(line: &PlanLine, lang: Lang) -> String {
    let mut out = format!("{} · {}", line.warehouse, line.sku);
    let name = match lang {
        Lang::Zh if !line.name_zh.is_empty() => &line.name_zh,
        _ => &line.name_en,
    };
    if !name.is_empty() {
        let _ = write!(out, " · {name}");
    }
    out.push('\n');
    let reasons: Vec<String> = line
        .reasons
        .iter()
        .map(|reason| reason_text(*reason, lang))
        .collect();
    let _ = writeln!(
        out,
        "{}",
        reasons.join(match lang {
            Lang::Zh => ";",
            Lang::En => "; ",
        })
    );
    for term in &line.explain.terms {
        node(&mut out, term, 0, false, lang);
    }
    out
}

fn node(out: &mut String, explain: &Explain, depth: usize, in_sum: bool, lang: Lang) {
    let label = text(lang, &format!("plan.explain.{}", explain.key), &[]);
    let value = shown(explain, in_sum, lang);
    let separator = match (value.is_empty(), lang) {
        (true, _) => "",
        (false, Lang::Zh) => ":",
        (false, Lang::En) => ": ",
    };
    let _ = writeln!(out, "{:width$}{label}{separator}{value}", "", width = depth * 2);
    for term in &explain.terms {
        node(out, term, depth + 1, explain.rule == "sum", lang);
    }
}

fn shown(explain: &Explain, in_sum: bool, lang: Lang) -> String {
    let value = explain.value.as_ref();
    match (explain.unit.as_ref(), value.is_empty()) {
        ("date", true) => text(lang, "plan.value.not_in_horizon", &[]),
        ("", _) => value.to_owned(),
        (_, true) => text(lang, "plan.value.unknown", &[]),
        ("date", _) => value.to_owned(),
        ("mode" | "source" | "class", _) => text(lang, &format!("plan.value.{value}"), &[]),
        (unit, _) => {
            let sign = if in_sum && !value.starts_with('-') {
                "+"
            } else {
                ""
            };
            text(
                lang,
                &format!("plan.unit.{unit}"),
                &[("value", &format!("{sign}{value}"))],
            )
        }
    }
}

/// A difference, one line per change.
#[must_use]
pub fn diff_text(diff: &PlanDiff, lang: Lang) -> String {
    let count = diff.changes.len().to_string();
    let places = [
        ("before", diff.before.short()),
        ("after", diff.after.short()),
        ("count", count.as_str()),
    ];
    let mut out = text(lang, "plan.diff.head", &places);
    out.push('\n');
    let units = |units: Option<i64>| match units {
        Some(units) => units.to_string(),
        None => text(lang, "plan.value.unknown", &[]),
    };
    let level = |level: Option<AlertLevel>| match level {
        Some(level) => level_text(level, lang),
        None => text(lang, "plan.diff.none", &[]),
    };
    for change in &diff.changes {
        let mut causes: Vec<String> = change
            .causes
            .iter()
            .map(|(cause, units)| format!("{} {units:+}", cause_text(*cause, lang)))
            .collect();
        if change.level_before != change.level_after {
            let (before, after) = (level(change.level_before), level(change.level_after));
            causes.push(text(
                lang,
                "plan.diff.level",
                &[("before", before.as_str()), ("after", after.as_str())],
            ));
        }
        let (before, after) = (units(change.before), units(change.after));
        let places = [
            ("warehouse", change.warehouse.as_str()),
            ("sku", change.sku.as_str()),
            ("before", before.as_str()),
            ("after", after.as_str()),
            ("causes", &causes.join(", ")),
        ];
        out.push_str(&text(lang, "plan.diff.line", &places));
        out.push('\n');
    }
    out
}
