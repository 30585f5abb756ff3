//! `linkstar backtest`: policies on the seller's own history.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use chrono::NaiveTime;

use super::args::Cli;
use super::args::backtest::BacktestArgs;
use super::context::{Context, columns, fill, heads, print, print_json};
use super::{CliError, Exit, plan_dir};
use crate::backtest::{
    Figures, History, Life, Progress, Range, Refusal, Report, Rule, Settings, World, report, run as live,
};
use crate::calendar::instant_of;
use crate::clock::FixedClock;
use crate::mapping::plan_folder::{self, past};
use crate::night::plan;
use crate::problem::Problem;
use crate::wording::{Lang, text};

/// What is run when nobody names a policy.
const DEFAULT: [&str; 3] = ["linkstar", "seller-velocity", "min-max"];

pub async fn run(cli: &Cli, args: &BacktestArgs) -> Result<Exit, CliError> {
    let mut problems = Vec::new();
    let (history, lang) = match (&args.from, args.as_of) {
        (Some(folder), Some(as_of)) => {
            let lang = cli.lang.unwrap_or_default();
            let usage = |error: plan_dir::PlanDirError| CliError::Usage(crate::night::step::chain(&error));
            let files = plan_dir::load(folder).map_err(usage)?;
            match plan_folder::read(&files, as_of) {
                Ok(input) => {
                    problems.extend(input.problems);
                    (
                        past::history(&files, input.snapshot, input.policy, &mut problems),
                        lang,
                    )
                }
                Err(problems) => {
                    plan_dir::write_problems(&mut std::io::stderr().lock(), &problems, lang)?;
                    return Ok(Exit::Usage);
                }
            }
        }
        _ => {
            let mut context = Context::open(cli, None).await?;
            if let Some(as_of) = args.as_of {
                let zone = context.config.account.zone;
                let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
                context.clock = Box::new(FixedClock::new(instant_of(as_of, noon, zone)));
            }
            let night = context.night(true);
            let mut tx = context.store.read().await?;
            let history = plan::history(&night, &mut tx).await?;
            (history, context.lang)
        }
    };
    from_history(cli, args, &history, &problems, lang)
}

fn from_history(
    cli: &Cli,
    args: &BacktestArgs,
    history: &History,
    problems: &[Problem],
    lang: Lang,
) -> Result<Exit, CliError> {
    let names = names(&args.policy);
    let rules: Vec<Rule> = names
        .iter()
        .map(|name| Rule::named(name, &history.policy))
        .collect::<Result<_, _>>()
        .map_err(|error| CliError::Usage(error.to_string()))?;
    let settings = Settings {
        weeks: args.weeks,
        runs: args.runs,
        seed: args.seed,
        warehouse: args.warehouse.clone(),
    };
    let world = match World::of(history, &settings) {
        Ok(world) => world,
        Err(refusal) => {
            if args.json {
                print_json(&serde_json::json!({"refused": refusal, "problems": problems}))?;
            } else {
                print(&refusal_text(&refusal, lang))?;
                plan_dir::write_problems(&mut std::io::stderr().lock(), problems, lang)?;
            }
            return Ok(Exit::Usage);
        }
    };
    let mut progress = Shown::new(cli.quiet, rules.len(), args.runs, lang);
    let lives: Vec<(String, Vec<Life>)> = rules
        .iter()
        .enumerate()
        .map(|(place, rule)| {
            let runs = (0..args.runs)
                .map(|number| {
                    live(&world, rule, number, args.seed, &mut |at| {
                        progress.tell(place, at);
                    })
                })
                .collect();
            (rule.name().to_owned(), runs)
        })
        .collect();
    progress.done();
    let report = report(&world, &lives, &settings);
    if let Some(folder) = &args.report {
        write_report(folder, &report, lang)?;
    }
    if args.json {
        print_json(&serde_json::json!({"backtest": report, "problems": problems}))?;
    } else {
        print(&as_text(&report, lang))?;
        plan_dir::write_problems(&mut std::io::stderr().lock(), problems, lang)?;
    }
    Ok(if report.conclusive && problems.is_empty() {
        Exit::Done
    } else {
        Exit::Findings
    })
}

/// Names as given, several in one argument separated by blanks; `s,S` and its like carry commas, other names may be
/// separated by them.
fn names(given: &[String]) -> Vec<String> {
    if given.is_empty() {
        return DEFAULT.map(str::to_owned).to_vec();
    }
    let mut names: Vec<String> = Vec::new();
    for part in given.iter().flat_map(|text| text.split_whitespace()) {
        let mut pieces = part.split(',').filter(|piece| !piece.is_empty()).peekable();
        while let Some(piece) = pieces.next() {
            let letter = |text: &str| text.trim_matches(['(', ')']).chars().count() == 1;
            match pieces
                .peek()
                .copied()
                .filter(|next| letter(piece) && letter(next))
            {
                Some(next) => {
                    names.push(format!("{piece},{next}"));
                    pieces.next();
                }
                None => names.push(piece.to_owned()),
            }
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// One line on a terminal, rewritten; elsewhere a line each quarter of the way.
struct Shown {
    on: bool,
    terminal: bool,
    /// Quarters told.
    told: usize,
    policies: usize,
    runs: u32,
    lang: Lang,
}

impl Shown {
    fn new(quiet: bool, policies: usize, runs: u32, lang: Lang) -> Self {
        Self {
            on: !quiet,
            terminal: std::io::stderr().is_terminal(),
            told: 0,
            policies,
            runs,
            lang,
        }
    }

    fn tell(&mut self, place: usize, at: &Progress) {
        if !self.on {
            return;
        }
        let lives = self.policies * self.runs as usize;
        let done = place * self.runs as usize + at.run as usize;
        let percent = (done * at.days + at.day) * 100 / (lives * at.days).max(1);
        if !self.terminal && percent / 25 <= self.told {
            return;
        }
        self.told = percent / 25;
        let places = [
            ("policy", at.policy.clone()),
            ("run", (at.run + 1).to_string()),
            ("runs", self.runs.to_string()),
            ("week", (at.day / 7 + 1).to_string()),
            ("weeks", (at.days / 7).to_string()),
            ("percent", percent.to_string()),
        ];
        let line = fill(self.lang, "backtest.progress", &places);
        // Progress that cannot be shown is no reason to stop.
        let _ = if self.terminal {
            write!(std::io::stderr().lock(), "\r\u{1b}[K{line}")
        } else {
            writeln!(std::io::stderr().lock(), "{line}")
        };
    }

    fn done(&mut self) {
        if self.on && self.terminal {
            let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}

fn write_report(folder: &Path, report: &Report, lang: Lang) -> Result<(), CliError> {
    let file = |path: &Path, source| CliError::File {
        what: "write",
        path: path.to_owned(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(|error| file(folder, error))?;
    for (name, bytes) in crate::report::backtest::files(report, lang)? {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(|error| file(&path, error))?;
    }
    Ok(())
}

fn refusal_text(refusal: &Refusal, lang: Lang) -> String {
    match refusal {
        Refusal::ShortHistory { days } => {
            let least = crate::backtest::LEAST_HISTORY.to_string();
            fill(
                lang,
                "backtest.refused.short",
                &[("days", days.to_string()), ("least", least)],
            )
        }
        Refusal::TooManyWeeks { weeks, left, days } => fill(
            lang,
            "backtest.refused.weeks",
            &[
                ("weeks", weeks.to_string()),
                ("left", left.to_string()),
                ("days", days.to_string()),
            ],
        ),
        Refusal::NoItem { left_out } => {
            let mut lines = vec![text(lang, "backtest.refused.no_item", &[])];
            lines.extend(left_out.iter().map(|(why, count)| {
                let why = text(lang, &format!("backtest.left_out.{}", why.code()), &[]);
                format!("  {count} · {why}")
            }));
            lines.join("\n")
        }
    }
}

fn as_text(report: &Report, lang: Lang) -> String {
    let mut out = format!("{}\n\n", crate::report::backtest::head(report, lang));
    let mut rows = vec![heads(lang, "backtest")];
    for policy in &report.policies {
        rows.push(row(&policy.policy, &policy.all));
    }
    if let Some(happened) = &report.happened {
        rows.push(row(&text(lang, "backtest.happened", &[]), happened));
    }
    out.push_str(&columns(&rows));
    for line in crate::report::backtest::conclusions(report, lang) {
        out.push('\n');
        out.push_str(&line);
    }
    out.push('\n');
    for note in crate::report::backtest::notes(report, lang) {
        out.push_str(&format!("\n{note}"));
    }
    out
}

fn row(name: &str, figures: &Figures) -> Vec<String> {
    use crate::report::backtest::{amount, percent};
    let days = |range: Option<Range>| range.map_or_else(|| "n/a".to_owned(), |range| amount(range, 1));
    let money = |range: Option<Range>| range.map_or_else(|| "n/a".to_owned(), |range| amount(range, 0));
    vec![
        name.to_owned(),
        percent(figures.coverage),
        percent(figures.fill),
        percent(figures.out_of_stock),
        days(figures.stock_days),
        figures
            .stock_days_median
            .map_or_else(|| "n/a".to_owned(), |days| days.round_dp(1).to_string()),
        money(figures.capital),
        money(figures.storage_fees),
        money(figures.freight),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_separated_by_commas_and_policies_of_two_letters_stay_whole() {
        let given = |text: &str| names(&[text.to_owned()]);
        assert_eq!(given("linkstar,s,S,min-max"), ["linkstar", "s,S", "min-max"]);
        assert_eq!(given("(R,S) r,Q linkstar"), ["(R,S)", "r,Q", "linkstar"]);
        assert_eq!(names(&[]), DEFAULT);
        assert_eq!(given("linkstar linkstar"), ["linkstar"]);
    }
}
