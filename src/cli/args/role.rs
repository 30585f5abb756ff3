//! What one process of several does.

/// What one process of several does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    All,
    /// Nights, inboxes and outboxes.
    Worker,
    /// Writes down what is due.
    Scheduler,
    /// The pages, health and metrics.
    Web,
}

impl Role {
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Worker => "worker",
            Self::Scheduler => "scheduler",
            Self::Web => "web",
        }
    }
}

pub(super) fn parse(text: &str) -> Result<Role, String> {
    [Role::All, Role::Worker, Role::Scheduler, Role::Web]
        .into_iter()
        .find(|role| role.word() == text)
        .ok_or_else(|| "wanted all, worker, scheduler or web".to_owned())
}
