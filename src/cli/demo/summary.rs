//! The end of the demo, as a person reads it: what happened, whether it adds up, and where to look.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::Seller;
use super::person::Answered;
use crate::cli::CliError;
use crate::money::round_cents;
use crate::night::{NightReport, StepReport, StepState, reconcile};
use crate::simulate::RunningWorld;
use crate::store::{catalog, orders, outbox};

/// Counts over all nights.
#[derive(Debug, Default)]
pub struct Tally {
    nights: usize,
    partial: usize,
    failed: usize,
    answered: Answered,
    counts: BTreeMap<String, i64>,
    problems: BTreeMap<String, usize>,
    /// Breaches of what must hold: the demo fails with one of them.
    pub findings: Vec<String>,
}

impl Tally {
    pub fn night(&mut self, report: &NightReport) {
        self.nights += 1;
        match report.state() {
            StepState::Partial => self.partial += 1,
            StepState::Failed => self.failed += 1,
            StepState::Done | StepState::Skipped => {}
        }
        for (_, step) in &report.steps {
            self.step(step);
        }
    }

    pub fn step(&mut self, report: &StepReport) {
        for (what, count) in &report.counts {
            *self.counts.entry(what.clone()).or_default() += count;
        }
        for problem in &report.problems {
            *self.problems.entry(problem.clone()).or_default() += 1;
        }
        if report.state == StepState::Failed {
            self.findings.extend(report.problems.iter().cloned());
        }
    }

    pub fn answered(&mut self, answered: Answered) {
        self.answered.adopted += answered.adopted;
        self.answered.changed += answered.changed;
        self.answered.rejected += answered.rejected;
    }

    fn count(&self, what: &str) -> i64 {
        self.counts.get(what).copied().unwrap_or(0)
    }

    /// One line of progress.
    pub fn line(&self, date: NaiveDate) -> String {
        format!(
            "{date}  rows {}  orders {}  documents {}  mails {}",
            self.count("rows"),
            self.count("orders"),
            self.count("documents"),
            self.count("mails")
        )
    }
}

pub async fn write(
    seller: &Seller,
    world: &RunningWorld,
    folder: &Path,
    tally: &Tally,
    findings: &[String],
) -> Result<String, CliError> {
    let night = seller.night();
    let account = night.account();
    let mut tx = seller.store.read().await?;
    let catalog = catalog::load(&mut tx, account, night.today()).await?;
    let books = reconcile::books(&night, &mut tx, &catalog).await?;
    let stored = orders::all(&mut tx, account).await?;
    let messages = outbox::count_by_state(&mut tx, account).await?;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "\nlinkstar demo · {} nights up to {}",
        tally.nights,
        night.today()
    );
    let _ = writeln!(
        out,
        "  pulled     {} rows in {} pages from the marketplace and the warehouse",
        tally.count("rows"),
        tally.count("pages")
    );
    let _ = writeln!(
        out,
        "  nights     {} partial, {} failed",
        tally.partial, tally.failed
    );
    let _ = writeln!(
        out,
        "  answers    {} adopted, {} changed, {} rejected, by the workbook of the mail",
        tally.answered.adopted, tally.answered.changed, tally.answered.rejected
    );
    let ours: Vec<_> = stored
        .iter()
        .filter(|stored| stored.order.plan.is_some())
        .collect();
    let units: i64 = ours.iter().map(|stored| stored.order.totals().units).sum();
    let value: rust_decimal::Decimal = ours.iter().map(|stored| stored.order.totals().value).sum();
    let _ = writeln!(
        out,
        "  orders     {} issued: {units} units, declared {} GBP; {} more were under way before",
        ours.len(),
        round_cents(value),
        stored.len() - ours.len()
    );
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    for stored in &stored {
        *states.entry(stored.state.code()).or_default() += 1;
    }
    let states: Vec<String> = states
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    let _ = writeln!(out, "             {}", states.join(", "));
    let messages: Vec<String> = messages
        .iter()
        .map(|(state, count)| format!("{count} {state}"))
        .collect();
    let _ = writeln!(out, "  outbox     {}", messages.join(", "));
    let shipped: i64 = books.done.transit.iter().map(|line| line.shipped).sum();
    let received: i64 = books.done.transit.iter().map(|line| line.received).sum();
    let short: i64 = books.done.transit.iter().map(|line| line.closed_short).sum();
    let moving: i64 = books
        .done
        .transit
        .iter()
        .map(crate::ledger::transit::TransitLine::moving)
        .sum();
    let _ = writeln!(
        out,
        "  books      shipped {shipped} = moving {moving} + received {received} + closed short {short}{}",
        if shipped == moving + received + short {
            ""
        } else {
            "   THIS DOES NOT ADD UP"
        }
    );
    let _ = writeln!(
        out,
        "  receipts   {} lines with a difference; {}",
        books.done.differences().count(),
        if findings.is_empty() {
            "every line equals what the world did".to_owned()
        } else {
            format!("{} lines do not equal what the world did", findings.len())
        }
    );
    for finding in findings.iter().chain(&tally.findings).take(20) {
        let _ = writeln!(out, "    ! {finding}");
    }
    if !tally.problems.is_empty() {
        let _ = writeln!(out, "  told to people along the way:");
        for (problem, times) in tally.problems.iter().take(12) {
            let _ = writeln!(out, "    {times}× {problem}");
        }
    }
    let _ = writeln!(out, "\nlook at");
    for (what, path) in places(world, folder) {
        let _ = writeln!(out, "  {what:<14} {}", path.display());
    }
    let _ = writeln!(out, "\nand ask it");
    let config = folder.join("shop/linkstar.toml");
    if let Some(order) = ours.first() {
        let _ = writeln!(
            out,
            "  linkstar -c {} order show {}",
            config.display(),
            order.order.number
        );
    }
    let _ = writeln!(out, "  linkstar -c {} plan", config.display());
    let _ = writeln!(out, "  linkstar -c {} reconcile", config.display());
    let report = folder.join("reconciliation.csv");
    std::fs::write(&report, reconciliation(&books)).map_err(|source| CliError::File {
        what: "write",
        path: report,
        source,
    })?;
    Ok(out)
}

fn places(world: &RunningWorld, folder: &Path) -> Vec<(&'static str, PathBuf)> {
    let endpoints = world.endpoints();
    let mut places = Vec::new();
    if let Some(mail) = world.inbox().last() {
        places.push(("last mail", mail.file.clone()));
    }
    places.push(("all mails", endpoints.mail_folder.clone()));
    let drop = endpoints.sftp_folder.join("in");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&drop)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    files.sort();
    for (what, end) in [
        ("booking", "booking-r1.xlsx"),
        ("packing list", "packing-list-r1.xlsx"),
        ("invoice", "invoice-r1.xlsx"),
        ("carton marks", "carton-marks.pdf"),
        ("UBL", ".xml"),
    ] {
        if let Some(path) = files.iter().find(|path| path.to_string_lossy().ends_with(end)) {
            places.push((what, path.clone()));
        }
    }
    places.push(("forwarder", drop));
    places.push(("receipts", endpoints.sftp_folder.join("out")));
    places.push(("reconciliation", folder.join("reconciliation.csv")));
    places
}

fn reconciliation(books: &reconcile::Books) -> String {
    let mut out = String::from(
        "order,warehouse,sku,shipped,announced,received,put_away,damaged,difference,state,verdict\n",
    );
    for line in &books.done.lines {
        let announced = line.announced.map_or_else(String::new, |units| units.to_string());
        let _ = writeln!(
            out,
            "{},{},{},{},{announced},{},{},{},{},{},{}",
            line.order,
            line.warehouse,
            line.sku,
            line.shipped,
            line.received,
            line.put_away,
            line.damaged,
            line.difference,
            line.state.code(),
            line.verdict.code()
        );
    }
    out
}
