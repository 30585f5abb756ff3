//! What is counted from night to night.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::person::Answered;
use crate::night::{NightReport, StepReport, StepState};

/// Counts over all nights.
#[derive(Debug, Default)]
pub struct Tally {
    pub nights: usize,
    pub partial: usize,
    pub failed: usize,
    pub answered: Answered,
    counts: BTreeMap<String, i64>,
    pub problems: BTreeMap<String, usize>,
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

    pub fn count(&self, what: &str) -> i64 {
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
