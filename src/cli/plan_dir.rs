//! `linkstar plan --from DIR`: a plan without a database.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};

use crate::mapping::plan_folder::{self, Assumption, FolderInput, MAX_FILE_BYTES};
use crate::order::Mode;
use crate::planner::{self, Plan, PlanLine, level_text, reason_text};
use crate::problem::Problem;
use crate::wording::{Lang, text};

/// Everything in the folder was read.
pub const EXIT_COMPLETE: i32 = 0;
/// A plan was made, but cells or rows of the files were left out.
pub const EXIT_PROBLEMS: i32 = 1;
/// No plan can be made of this folder.
pub const EXIT_NO_PLAN: i32 = 2;

/// Lines a person is shown without asking for all.
const SHOWN_LINES: usize = 60;
const SHOWN_PROBLEMS: usize = 30;

#[derive(Debug, thiserror::Error)]
pub enum PlanDirError {
    #[error("cannot read folder `{path}`")]
    Folder {
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("cannot read `{path}`")]
    File {
        path: String,
        #[source]
        source: io::Error,
    },
    #[error("`{path}` has {bytes} bytes, at most {MAX_FILE_BYTES} are read")]
    TooLarge { path: String, bytes: u64 },
    #[error("cannot write the plan")]
    Write(#[source] io::Error),
    #[error("cannot write the plan as JSON")]
    Json(#[source] serde_json::Error),
}

/// Plans from the folder and writes the plan; returns the exit code.
///
/// # Errors
/// When the folder cannot be read or the plan cannot be written. What is wrong inside the files is part of the output.
pub fn run(
    dir: &Path,
    as_of: NaiveDate,
    json: bool,
    lang: Lang,
    out: &mut dyn Write,
) -> Result<i32, PlanDirError> {
    let files = load(dir)?;
    match plan_folder::read(&files, as_of) {
        Err(problems) => {
            if json {
                write_json(
                    out,
                    &json!({ "as_of": as_of, "plan": null, "problems": problems }),
                )?;
            } else {
                write_problems(out, &problems, lang).map_err(PlanDirError::Write)?;
            }
            Ok(EXIT_NO_PLAN)
        }
        Ok(mut input) => {
            let plan = planner::plan(&input.snapshot, &input.policy, None);
            for (missing, lines) in crate::night::plan::lacking(&plan) {
                let wanted = "rows of that year in calendar.csv (deadlines.csv for an event)";
                let place = format!("{lines} lines");
                input.problems.push(Problem::new(
                    "calendar.csv",
                    place,
                    "calendar",
                    missing.to_string(),
                    wanted,
                ));
            }
            if json {
                write_json(out, &as_json(&plan, &input)?)?;
            } else {
                write_text(out, &plan, &input, lang).map_err(PlanDirError::Write)?;
            }
            Ok(if input.problems.is_empty() {
                EXIT_COMPLETE
            } else {
                EXIT_PROBLEMS
            })
        }
    }
}

/// The files a plan knows, and those whose name is near one of them (to say so).
pub(super) fn load(dir: &Path) -> Result<BTreeMap<String, Vec<u8>>, PlanDirError> {
    let folder = |source| PlanDirError::Folder {
        path: dir.display().to_string(),
        source,
    };
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(folder)? {
        let entry = entry.map_err(folder)?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().to_lowercase();
        let file = |source| PlanDirError::File {
            path: path.display().to_string(),
            source,
        };
        if ![".csv", ".toml", ".xlsx", ".xls"]
            .iter()
            .any(|end| name.ends_with(end))
        {
            continue;
        }
        let data = fs::metadata(&path).map_err(file)?;
        if !data.is_file() {
            continue;
        }
        if !plan_folder::is_known(&name) {
            files.insert(name, Vec::new());
            continue;
        }
        if data.len() > MAX_FILE_BYTES as u64 {
            return Err(PlanDirError::TooLarge {
                path: path.display().to_string(),
                bytes: data.len(),
            });
        }
        files.insert(name, fs::read(&path).map_err(file)?);
    }
    Ok(files)
}

fn write_json(out: &mut dyn Write, value: &Value) -> Result<(), PlanDirError> {
    serde_json::to_writer(&mut *out, value).map_err(PlanDirError::Json)?;
    out.write_all(b"\n").map_err(PlanDirError::Write)
}

/// The plan, each line with the figures most asked for lifted out of its tree, and how the files were read.
fn as_json(plan: &Plan, input: &FolderInput) -> Result<Value, PlanDirError> {
    let mut value = serde_json::to_value(plan).map_err(PlanDirError::Json)?;
    if let Some(Value::Array(lines)) = value.get_mut("lines") {
        for (line, shown) in plan.lines.iter().zip(lines) {
            if let Value::Object(shown) = shown {
                lift(line, shown);
            }
        }
    }
    if let Value::Object(plan) = &mut value {
        plan.insert("assumptions".to_owned(), json!(input.assumptions));
        plan.insert("problems".to_owned(), json!(input.problems));
    }
    Ok(value)
}

fn lift(line: &PlanLine, shown: &mut Map<String, Value>) {
    for key in [
        "order_up_to",
        "demand_mean",
        "demand_p50",
        "demand_p90",
        "demand_p95",
        "demand_p98",
        "protection",
        "lead_p50",
        "lead_p90",
        "certain_shortage",
    ] {
        let name = if key == "protection" {
            "protection_days"
        } else {
            key
        };
        shown.insert(name.to_owned(), json!(line.explain.units_of(key)));
    }
}

pub(super) fn write_problems(out: &mut dyn Write, problems: &[Problem], lang: Lang) -> io::Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let count = problems.len().to_string();
    writeln!(out, "{}", text(lang, "plan.plan.problems", &[("count", &count)]))?;
    for problem in problems.iter().take(SHOWN_PROBLEMS) {
        writeln!(out, "  {problem}")?;
    }
    if problems.len() > SHOWN_PROBLEMS {
        writeln!(out, "  … {}", problems.len() - SHOWN_PROBLEMS)?;
    }
    Ok(())
}

fn assumption_text(assumption: &Assumption, lang: Lang) -> String {
    text(
        lang,
        &format!("plan.assume.{}", assumption.code),
        &[("value", &assumption.value)],
    )
}

fn write_text(out: &mut dyn Write, plan: &Plan, input: &FolderInput, lang: Lang) -> io::Result<()> {
    let as_of = plan.as_of.to_string();
    let head = [("id", plan.id.short()), ("as_of", as_of.as_str())];
    writeln!(out, "{}", text(lang, "plan.plan.head", &head))?;
    let funnel = &plan.funnel;
    let counts = [
        funnel.seen,
        funnel.active,
        funnel.computed,
        funnel.due,
        funnel.suggested,
    ]
    .map(|n| n.to_string());
    let [seen, active, computed, due, suggested] = &counts;
    let places = [
        ("seen", seen.as_str()),
        ("active", active),
        ("computed", computed),
        ("due", due),
        ("suggested", suggested),
    ];
    writeln!(out, "{}", text(lang, "plan.plan.funnel", &places))?;
    for (stage, reason, count) in &funnel.dropped {
        let stage = text(lang, &format!("plan.stage.{stage}"), &[]);
        let places = [
            ("stage", stage.as_str()),
            ("reason", &reason_text(*reason, lang)),
            ("count", &count.to_string()),
        ];
        writeln!(out, "{}", text(lang, "plan.plan.dropped", &places))?;
    }
    writeln!(out, "{}", text(lang, "plan.plan.columns", &[]))?;
    for line in plan.lines.iter().take(SHOWN_LINES) {
        writeln!(out, "{}", row(line, lang))?;
    }
    if plan.lines.len() > SHOWN_LINES {
        let count = (plan.lines.len() - SHOWN_LINES).to_string();
        writeln!(
            out,
            "{}",
            text(lang, "plan.plan.more_lines", &[("count", &count)])
        )?;
    }
    writeln!(out, "{}", text(lang, "plan.plan.assumed", &[]))?;
    for assumption in &input.assumptions {
        writeln!(out, "  {}", assumption_text(assumption, lang))?;
    }
    write_problems(out, &input.problems, lang)
}

fn row(line: &PlanLine, lang: Lang) -> String {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "—".to_owned());
    let inbound: i64 = line.inbound.iter().map(|inbound| inbound.units).sum();
    let suggested = line.suggested_units.map(|units| match line.suggested_cartons {
        Some(cartons) => format!(
            "{units} ({})",
            text(lang, "plan.unit.cartons", &[("value", &cartons.to_string())])
        ),
        None => units.to_string(),
    });
    let named = |mode: Mode| text(lang, &format!("plan.value.{}", mode.code()), &[]);
    let parts = line.supply.as_ref().map_or(&[][..], |supply| &supply.parts);
    let mode = match parts {
        [] => line.mode.map(named),
        parts => Some(
            parts
                .iter()
                .map(|part| format!("{} {}", named(part.mode), part.units))
                .collect::<Vec<_>>()
                .join(" + "),
        ),
    };
    let reasons: Vec<String> = line
        .reasons
        .iter()
        .map(|reason| reason_text(*reason, lang))
        .collect();
    [
        line.level
            .map_or_else(String::new, |level| level_text(level, lang)),
        line.warehouse.to_string(),
        line.sku.to_string(),
        or_dash(line.velocity.map(|velocity| velocity.to_string())),
        or_dash(line.available.map(|units| units.to_string())),
        inbound.to_string(),
        or_dash(line.stockout.p50.map(|day| day.to_string())),
        or_dash(line.order_by.map(|day| day.to_string())),
        or_dash(suggested),
        or_dash(mode),
        reasons.join(" / "),
    ]
    .join(" | ")
}
