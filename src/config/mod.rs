//! The configuration file: one struct a section, complete defaults in `config/linkstar.toml`, unknown keys refused,
//! every fault named at once, secrets only by `${env:NAME}` or `${file:PATH}`.

mod load;
mod receipts;
mod retention;
mod sections;
mod trial;
mod web;

pub use load::{ConfigError, load, load_text};
pub use receipts::{ReceiptsSection, WarehouseTolerance};
pub use retention::{RetentionRule, RetentionRules};
pub use sections::{
    AccountSection, ArchiveSection, CancelSection, CatchUp, ClaimSection, ConnectorSection, DeadlineSection,
    ForwarderSection, InboxSection, LogFormat, LogSection, MailSection, MailTls, NightSection, OrderSection,
    Recipient, SftpSection, StoreSection,
};

pub use trial::{TrialRule, TrialSection, TrialStage, Trusted};
pub use web::{WebSection, WebUser};

use std::path::{Path, PathBuf};

use crate::planner::Policy;

/// A complete configuration. Paths are absolute or relative to [`Config::home`].
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder of the configuration file.
    pub home: PathBuf,
    pub account: AccountSection,
    pub store: StoreSection,
    pub night: NightSection,
    pub plan: Policy,
    pub trial: TrialSection,
    pub mail: Option<MailSection>,
    pub order: OrderSection,
    pub inbox: InboxSection,
    pub receipts: ReceiptsSection,
    pub archive: ArchiveSection,
    pub deadlines: DeadlineSection,
    pub claims: ClaimSection,
    pub log: LogSection,
    /// The pages are served only when the section is there.
    pub web: Option<WebSection>,
    pub connectors: Vec<ConnectorSection>,
    pub forwarders: Vec<ForwarderSection>,
}

impl Config {
    /// A path of the configuration, seen from where the program runs.
    #[must_use]
    pub fn path(&self, path: &Path) -> PathBuf {
        self.home.join(path)
    }

    /// The database URL with a relative SQLite path put below the home folder.
    #[must_use]
    pub fn store_url(&self) -> String {
        match self.store.url.expose().strip_prefix("sqlite:") {
            Some(path) if path != ":memory:" => {
                format!(
                    "sqlite:{}",
                    self.home.join(path.trim_start_matches("//")).display()
                )
            }
            _ => self.store.url.expose().to_owned(),
        }
    }
}
