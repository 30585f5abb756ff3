//! The steps of a night and what each reports.

use std::collections::BTreeMap;

use super::notice::Notice;
use crate::reconcile::Anomaly;
use crate::wording::Lang;

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

/// Problems of one kind in one step, told by the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub step: String,
    pub text: String,
    /// How many more there are like it.
    pub alike: usize,
}

/// Recorded problems for a reader, equal kinds together, in the order they first came.
#[must_use]
pub fn told<'a>(problems: impl Iterator<Item = (&'a str, &'a str)>, lang: Lang) -> Vec<Told> {
    let mut all: Vec<(String, Told)> = Vec::new();
    for (step, problem) in problems {
        let (kind, text) = said(problem, lang);
        match all
            .iter_mut()
            .find(|(known, told)| *known == kind && told.step == step)
        {
            Some((_, told)) => told.alike += 1,
            None => all.push((
                kind,
                Told {
                    step: step.to_owned(),
                    text,
                    alike: 0,
                },
            )),
        }
    }
    all.into_iter().map(|(_, told)| told).collect()
}

/// A recorded problem's kind and sentence. Anomalies of the books are recorded as data, so that every reader gets them
/// in their own language; the rest was written as a sentence when it happened.
fn said(problem: &str, lang: Lang) -> (String, String) {
    if let Some(notice) = Notice::read(problem) {
        return (notice.kind(), notice.text(lang));
    }
    match serde_json::from_str::<Anomaly>(problem) {
        Ok(anomaly) => (anomaly.code().to_owned(), anomaly.text(lang)),
        Err(_) => (kind_of(problem), problem.to_owned()),
    }
}

/// What stays of a sentence when numbers and quoted names are left out.
fn kind_of(problem: &str) -> String {
    let mut kind = String::new();
    for (at, part) in problem.split('`').enumerate() {
        if at % 2 == 1 {
            kind.push('`');
            continue;
        }
        for c in part.chars() {
            let c = if c.is_ascii_digit() { '0' } else { c };
            if c != '0' || !kind.ends_with('0') {
                kind.push(c);
            }
        }
    }
    kind
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
    fn an_anomaly_is_said_in_the_readers_language_and_other_problems_as_they_were_written() {
        let recorded =
            r#"{"kind":"unknown_reference","warehouse":"goodcang:UKMA","reference":"RV-1","units":7}"#;
        let (kind, zh) = said(recorded, Lang::Zh);
        assert_eq!(kind, "unknown_reference");
        assert!(zh.contains("RV-1") && zh.contains("不是我们的"), "{zh}");
        assert!(said(recorded, Lang::En).1.contains("no order or inbound of ours"));
        let (one, said_one) = said("a-17.json, line 1, `sku`: found `{`", Lang::Zh);
        let (other, _) = said("a-4.json, line 23, `units`: found `[`", Lang::Zh);
        assert_eq!(said_one, "a-17.json, line 1, `sku`: found `{`");
        assert_eq!(one, other);
        assert_ne!(one, said("another file, line 1", Lang::Zh).0);
    }

    #[test]
    fn problems_of_one_kind_are_told_once_with_their_number() {
        let problems = [
            ("receive", "a.json, line 1"),
            ("pull", "a.json, line 1"),
            ("receive", "a.json, line 7"),
            ("receive", "gone"),
        ];
        let told: Vec<_> = told(problems.into_iter(), Lang::En)
            .into_iter()
            .map(|told| (told.step, told.text, told.alike))
            .collect();
        let expected = [
            ("receive", "a.json, line 1", 1),
            ("pull", "a.json, line 1", 0),
            ("receive", "gone", 0),
        ]
        .map(|(step, text, alike)| (step.to_owned(), text.to_owned(), alike));
        assert_eq!(told, expected);
    }

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
