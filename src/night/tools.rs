//! What a night works with besides the store: connectors, mappings and the ways out, built from the configuration.

use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::presence::Presence;
use crate::claim::rules::ClaimRules;
use crate::config::{Config, ConnectorSection, ForwarderSection, MailTls};
use crate::connector::{ConnectorConfig, Definition};
use crate::deadline::RuleBook;
use crate::http::{Client, Failure, Pace};
use crate::ledger::milestone::Words;
use crate::mapping::certificate_file::{self, Papers};
use crate::mapping::definition::{self, Mapping};
use crate::mapping::inbound::{self, Inbound};
use crate::order;
use crate::problem::{Problem, nearest};
use crate::transport::email::{SmtpSettings, SmtpTls};
use crate::transport::folder::FolderTarget;
use crate::transport::sftp;

/// Connector files that ship with linkstar: their names and texts.
pub const CONNECTORS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/connectors.rs"));

/// Everything declared, read and checked.
pub struct Tools {
    pub connectors: Vec<ConnectorConfig>,
    pub mappings: Vec<Mapping>,
    /// How files that come in are read.
    pub inbound: Vec<Inbound>,
    /// How early deadlines are told.
    pub book: RuleBook,
    /// What the words of trackers mean.
    pub words: Words,
    /// Dated rows of conventions and contracts.
    pub claims: ClaimRules,
    /// What destinations ask for.
    pub rules: order::rules::RuleBook,
    /// What is taken at borders.
    pub border: order::border::BorderBook,
    /// Between the two looks at a file in a folder of this machine.
    pub inbox_settle: Duration,
    pub client: Client,
    pub sftp: Vec<sftp::Target>,
    pub folders: Vec<FolderTarget>,
    pub smtp: Option<SmtpSettings>,
    /// Taken when something is claimed for the first time: who only looks leaves no trace.
    presence: OnceLock<Presence>,
    pub(super) taken_back: tokio::sync::OnceCell<()>,
}

#[derive(Debug, thiserror::Error)]
pub enum ToolsError {
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Problems(Vec<Problem>),
    #[error("cannot set up the HTTP client")]
    Http(#[source] Failure),
}

const MAIL_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

impl Tools {
    /// Reads what the configuration names.
    ///
    /// # Errors
    /// Every fault of every declared file, at once.
    pub fn new(config: &Config, pace: Pace) -> Result<Self, ToolsError> {
        let mut problems = Vec::new();
        let connectors = config
            .connectors
            .iter()
            .filter_map(|section| connector(config, section, &mut problems))
            .collect();
        let before = problems.len();
        let mappings = mappings(config, &mut problems).unwrap_or_else(|more| {
            problems.extend(more);
            Vec::new()
        });
        // With a faulty mapping it is not known which documents there are.
        if problems.len() == before {
            for forwarder in &config.forwarders {
                check_documents(forwarder, &mappings, &mut problems);
            }
        }
        let inbound = inbound(config, &mut problems).unwrap_or_else(|more| {
            problems.extend(more);
            Vec::new()
        });
        let settle = match pace {
            Pace::Real => Duration::from_secs(config.inbox.settle_seconds),
            // Where "now" is an argument nobody is writing.
            Pace::Skip => Duration::ZERO,
        };
        let book = book(config).map_err(|more| problems.extend(more));
        let book = book.map(|book| match &config.deadlines.escalation {
            Some(second) => book.with_escalation(chrono::Duration::hours(i64::from(second.after_hours))),
            None => book,
        });
        let words = words(config).map_err(|more| problems.extend(more));
        let claims = claim_rules(config).map_err(|more| problems.extend(more));
        let rules = rule_packs(config).map_err(|more| problems.extend(more));
        let border = border(config).map_err(|more| problems.extend(more));
        match papers(config) {
            Ok(read) => problems.extend(read.problems),
            Err(more) => problems.extend(more),
        }
        let (Ok(book), Ok(words), Ok(claims), Ok(rules), Ok(border), true) =
            (book, words, claims, rules, border, problems.is_empty())
        else {
            return Err(ToolsError::Problems(problems));
        };
        Ok(Self {
            connectors,
            mappings,
            inbound,
            book,
            words,
            claims,
            rules,
            border,
            inbox_settle: settle,
            client: Client::new(pace).map_err(ToolsError::Http)?,
            sftp: config
                .forwarders
                .iter()
                .filter_map(|forwarder| sftp_target(config, forwarder))
                .collect(),
            folders: config
                .forwarders
                .iter()
                .filter_map(|forwarder| folder_target(config, forwarder, settle))
                .collect(),
            smtp: smtp(config),
            presence: OnceLock::new(),
            taken_back: tokio::sync::OnceCell::new(),
        })
    }

    /// The name under which this process holds leases.
    pub(super) fn presence(&self, home: &Path) -> &Presence {
        self.presence.get_or_init(|| Presence::take(home))
    }
}

fn connector(
    config: &Config,
    section: &ConnectorSection,
    problems: &mut Vec<Problem>,
) -> Option<ConnectorConfig> {
    let shipped = CONNECTORS.iter().find(|(name, _)| *name == section.uses);
    let (origin, text) = match shipped {
        Some((name, text)) => (format!("{name}.toml"), (*text).to_owned()),
        None => match std::fs::read_to_string(config.path(Path::new(&section.uses))) {
            Ok(text) => (section.uses.clone(), text),
            Err(error) => {
                let known = CONNECTORS.iter().map(|(name, _)| *name);
                let near = nearest(&section.uses, known)
                    .map(|near| format!("; did you mean `{near}`?"))
                    .unwrap_or_default();
                let wanted =
                    format!("a connector that ships with linkstar, or a readable file ({error}){near}");
                problems.push(Problem::new(
                    "linkstar.toml",
                    "",
                    format!("connector.{}.uses", section.id),
                    &section.uses,
                    wanted,
                ));
                return None;
            }
        },
    };
    match Definition::parse(&origin, &text) {
        Ok(definition) => Some(ConnectorConfig {
            id: section.id.clone(),
            definition: Arc::new(definition.at_home(&config.home)),
            params: section.params.clone(),
            secrets: section.secrets.clone(),
            warehouses: section.warehouses.clone(),
        }),
        Err(error) => {
            problems.extend(error.problems);
            None
        }
    }
}

/// Mapping files of one's own in a folder, by name.
fn own_mappings(folder: &Path, problems: &mut Vec<Problem>) -> Vec<(String, String)> {
    let mut own = Vec::new();
    for entry in std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
    {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = entry.file_name().to_string_lossy().into_owned();
            match std::fs::read_to_string(&path) {
                Ok(text) => own.push((name, text)),
                Err(error) => problems.push(Problem::new(
                    name,
                    "",
                    "",
                    error.to_string(),
                    "a readable mapping file",
                )),
            }
        }
    }
    own.sort();
    own
}

/// Built-in mappings, replaced by files of the same id in the home folder's `mappings/`.
fn mappings(config: &Config, problems: &mut Vec<Problem>) -> Result<Vec<Mapping>, Vec<Problem>> {
    let folder = config.path(Path::new("mappings"));
    let own = own_mappings(&folder, problems);
    // Assets are named inside mapping files; a name that climbs out of the folder is no asset.
    let assets = |name: &str| {
        let inside = !name.starts_with('/') && !name.split(['/', '\\']).any(|part| part == "..");
        inside.then(|| std::fs::read(folder.join(name)).ok()).flatten()
    };
    definition::all_with(&own, &assets)
}

/// Built-in inbound mappings, replaced by files of the same id in `mappings/inbound/`.
fn inbound(config: &Config, problems: &mut Vec<Problem>) -> Result<Vec<Inbound>, Vec<Problem>> {
    let own = own_mappings(&config.path(Path::new("mappings/inbound")), problems);
    inbound::builtin_with(&own)
}

fn own_file(config: &Config, field: &str, path: &Path) -> Result<String, Vec<Problem>> {
    std::fs::read_to_string(config.path(path)).map_err(|error| {
        let wanted = format!("a readable file ({error})");
        vec![Problem::new(
            "linkstar.toml",
            "",
            field,
            path.display().to_string(),
            wanted,
        )]
    })
}

fn book(config: &Config) -> Result<RuleBook, Vec<Problem>> {
    match &config.deadlines.rules {
        None => RuleBook::shipped(),
        Some(path) => RuleBook::parse(
            &path.display().to_string(),
            &own_file(config, "deadlines.rules", path)?,
        ),
    }
}

fn words(config: &Config) -> Result<Words, Vec<Problem>> {
    let shipped = Words::shipped()?;
    match &config.deadlines.milestones {
        None => Ok(shipped),
        Some(path) => shipped.and(
            &own_file(config, "deadlines.milestones", path)?,
            &path.display().to_string(),
        ),
    }
}

fn claim_rules(config: &Config) -> Result<ClaimRules, Vec<Problem>> {
    let shipped = ClaimRules::shipped()?;
    match &config.claims.rules {
        None => Ok(shipped),
        Some(path) => shipped.and(
            &own_file(config, "claims.rules", path)?,
            &path.display().to_string(),
        ),
    }
}

/// The packs that ship with linkstar, and those of a folder of one's own in their place or beside them.
fn rule_packs(config: &Config) -> Result<order::rules::RuleBook, Vec<Problem>> {
    let mut book = order::rules::RuleBook::shipped()?;
    let Some(folder) = &config.order.rules else {
        return Ok(book);
    };
    let mut problems = Vec::new();
    let whole = config.path(folder);
    if !whole.is_dir() {
        let found = folder.display().to_string();
        problems.push(Problem::new(
            "linkstar.toml",
            "",
            "order.rules",
            found,
            "a folder of rule packs",
        ));
    }
    for (name, text) in own_mappings(&whole, &mut problems) {
        if let Err(more) = book.add(&name, &text) {
            problems.extend(more);
        }
    }
    if problems.is_empty() {
        Ok(book)
    } else {
        Err(problems)
    }
}

/// What ships with linkstar, and the seller's own rates beside it.
fn border(config: &Config) -> Result<order::border::BorderBook, Vec<Problem>> {
    let mut book = order::border::BorderBook::shipped()?;
    if let Some(path) = &config.order.border {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(config.path(path)).map_err(|error| {
            let wanted = format!("a readable file of rates at the border ({error})");
            vec![Problem::new("linkstar.toml", "", "order.border", &name, wanted)]
        })?;
        book.add(&name, &text)?;
    }
    Ok(book)
}

/// What ends and when; the file is read anew each time, for people add to it.
pub(super) fn papers(config: &Config) -> Result<Papers, Vec<Problem>> {
    let Some(path) = &config.deadlines.certificates else {
        return Ok(Papers::default());
    };
    const MOST_BYTES: u64 = 8 << 20;
    let name = path.display().to_string();
    let whole = config.path(path);
    let refuse = |found: String, wanted: &str| {
        vec![Problem::new(
            "linkstar.toml",
            "",
            "deadlines.certificates",
            found,
            wanted,
        )]
    };
    let size = std::fs::metadata(&whole)
        .map_err(|error| refuse(format!("{name}: {error}"), "a file to read"))?
        .len();
    if size > MOST_BYTES {
        return Err(refuse(format!("{name}: {size} bytes"), "at most 8 MiB"));
    }
    let bytes =
        std::fs::read(&whole).map_err(|error| refuse(format!("{name}: {error}"), "a file to read"))?;
    certificate_file::read(&name, &bytes)
}

fn check_documents(forwarder: &ForwarderSection, mappings: &[Mapping], problems: &mut Vec<Problem>) {
    for id in &forwarder.documents {
        if mappings.iter().any(|mapping| mapping.meta.id == *id) {
            continue;
        }
        let known = mappings.iter().map(|mapping| mapping.meta.id.as_str());
        let wanted = match nearest(id, known.clone()) {
            Some(near) => format!("the id of a mapping; did you mean `{near}`?"),
            None => format!("one of {}", known.collect::<Vec<_>>().join(", ")),
        };
        problems.push(Problem::new(
            "linkstar.toml",
            "",
            format!("forwarder.{}.documents", forwarder.id),
            id,
            wanted,
        ));
    }
}

fn sftp_target(config: &Config, forwarder: &ForwarderSection) -> Option<sftp::Target> {
    let section = forwarder.sftp.as_ref()?;
    Some(sftp::Target {
        id: forwarder.id.to_string(),
        host: section.host.clone(),
        port: section.port,
        user: section.user.clone(),
        key_file: config.path(&section.key_file),
        known_hosts: config.path(&section.known_hosts),
        out_dir: section.out_dir.clone(),
        in_dir: section.in_dir.clone(),
        connect_timeout: CONNECT_TIMEOUT,
        idle_timeout: IDLE_TIMEOUT,
        settle: Duration::from_secs(section.settle_seconds),
        tuning: sftp::Tuning {
            bytes_per_second: section.bytes_per_second.map(NonZero::get),
            messages_per_minute: section.messages_per_minute.map(NonZero::get),
            ..sftp::Tuning::default()
        },
    })
}

fn folder_target(config: &Config, forwarder: &ForwarderSection, settle: Duration) -> Option<FolderTarget> {
    let folder = config.path(forwarder.folder.as_ref()?);
    Some(FolderTarget {
        id: forwarder.id.to_string(),
        in_dir: Some(folder.join("out")),
        out_dir: folder.join("in"),
        settle,
    })
}

fn smtp(config: &Config) -> Option<SmtpSettings> {
    let mail = config.mail.as_ref()?;
    Some(SmtpSettings {
        host: mail.host.clone(),
        port: mail.port,
        tls: match mail.tls {
            MailTls::Starttls => SmtpTls::StartTls,
            MailTls::Implicit => SmtpTls::Implicit,
        },
        user: mail.user.clone(),
        password: mail.password.clone(),
        ca_file: mail.ca_file.as_ref().map(|path| config.path(path)),
        timeout: MAIL_TIMEOUT,
    })
}
