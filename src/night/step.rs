//! The steps of a night and what each reports.

use std::collections::BTreeMap;

/// In the order they run. Answers and reports that came in are taken before the new plan is made, because an answer
/// belongs to the plan it was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    Pull,
    Receive,
    Decide,
    Reconcile,
    Plan,
    Suggest,
    Deliver,
}

impl Step {
    pub const ALL: [Self; 7] = [
        Self::Pull,
        Self::Receive,
        Self::Decide,
        Self::Reconcile,
        Self::Plan,
        Self::Suggest,
        Self::Deliver,
    ];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Receive => "receive",
            Self::Decide => "decide",
            Self::Reconcile => "reconcile",
            Self::Plan => "plan",
            Self::Suggest => "suggest",
            Self::Deliver => "deliver",
        }
    }

    /// Whether a dry run leaves the step out: it sends, or takes away a file that a person dropped.
    #[must_use]
    pub fn goes_out(self) -> bool {
        matches!(self, Self::Receive | Self::Decide | Self::Deliver)
    }
}

/// Partial is a state of its own, never a success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepState {
    Done,
    Partial,
    Failed,
    /// Not run, and why is in the problems.
    Skipped,
}

impl StepState {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        [Self::Done, Self::Partial, Self::Failed, Self::Skipped]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepReport {
    pub state: StepState,
    pub counts: BTreeMap<String, i64>,
    /// For people: what went wrong or waits for them.
    pub problems: Vec<String>,
}

impl Default for StepReport {
    fn default() -> Self {
        Self {
            state: StepState::Done,
            counts: BTreeMap::new(),
            problems: Vec::new(),
        }
    }
}

impl StepReport {
    /// A step that could not do its work.
    #[must_use]
    pub fn failed(problem: impl Into<String>) -> Self {
        Self {
            state: StepState::Failed,
            problems: vec![problem.into()],
            ..Self::default()
        }
    }

    pub fn count(&mut self, what: &str, add: usize) {
        let add = i64::try_from(add).unwrap_or(i64::MAX);
        *self.counts.entry(what.to_owned()).or_default() += add;
    }

    /// Notes a problem and makes the step partial.
    pub fn partial(&mut self, problem: impl Into<String>) {
        self.problems.push(problem.into());
        self.state = self.state.max(StepState::Partial);
    }
}

/// An error with its causes in one line, for run records and mails.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        // Some libraries repeat their cause in their own text.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_makes_a_step_partial_and_never_better_again() {
        let mut report = StepReport::default();
        report.partial("one source was not reached");
        assert_eq!(report.state, StepState::Partial);
        let mut failed = StepReport::failed("no");
        failed.partial("and more");
        assert_eq!(failed.state, StepState::Failed);
        for state in [
            StepState::Done,
            StepState::Partial,
            StepState::Failed,
            StepState::Skipped,
        ] {
            assert_eq!(StepState::parse(state.code()), Some(state));
        }
    }
}
