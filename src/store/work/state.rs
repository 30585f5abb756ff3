//! Where a job stands.

use super::occurrence::OccurrenceState;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    Ready,
    Leased,
    Done,
    /// All attempts are used up, or the job said that another one cannot help. A person decides.
    Dead,
    /// A person took it away.
    Dropped,
}

impl JobState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Dropped => "dropped",
        }
    }

    pub(super) fn of_occurrence(self) -> OccurrenceState {
        match self {
            Self::Ready => OccurrenceState::Due,
            Self::Leased => OccurrenceState::Running,
            Self::Done => OccurrenceState::Done,
            Self::Dead => OccurrenceState::Failed,
            Self::Dropped => OccurrenceState::Skipped,
        }
    }

    pub const ALL: [Self; 5] = [Self::Ready, Self::Leased, Self::Done, Self::Dead, Self::Dropped];

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}
