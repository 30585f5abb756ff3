//! Reads the configuration and resolves its secrets.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::{Config, ConnectorSection, ForwarderSection};
use crate::declared::Sections;
use crate::problem::Problem;
use crate::secret::Secret;

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{}", list(.0))]
    Problems(Vec<Problem>),
}

fn list(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

const SECTIONS: [&str; 17] = [
    "account",
    "store",
    "night",
    "plan",
    "trial",
    "mail",
    "order",
    "inbox",
    "receipts",
    "archive",
    "deadlines",
    "claims",
    "log",
    "web",
    "connector",
    "forwarder",
    "version",
];

/// The version of the file's own format.
const VERSION: i64 = 1;

/// Reads and checks a configuration file.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    let home = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path
        .file_name()
        .map_or_else(|| "linkstar.toml".into(), |name| name.to_string_lossy());
    load_text(&name, &text, home, &|variable| std::env::var(variable).ok()).map_err(ConfigError::Problems)
}

/// As [`load`], from a text and an environment given as a function.
///
/// # Errors
/// Everything that is wrong with it, at once.
pub fn load_text(
    file: &str,
    text: &str,
    home: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Vec<Problem>> {
    let mut sections = Sections::parse(file, text)?;
    if let Some(version) = sections.take::<i64>("version")
        && version != VERSION
    {
        sections.fault("version", version.to_string(), VERSION.to_string());
    }
    let account = sections.take("account");
    if account.is_none() {
        sections.fault("account", "", "a section [account] with id and name");
    }
    let store = or_default(&mut sections, "store");
    let night = or_default(&mut sections, "night");
    let plan = or_default(&mut sections, "plan");
    let trial = or_default(&mut sections, "trial");
    let mail = sections.take("mail");
    let order = or_default(&mut sections, "order");
    let inbox = or_default(&mut sections, "inbox");
    let receipts = or_default(&mut sections, "receipts");
    let archive = or_default(&mut sections, "archive");
    let deadlines = or_default(&mut sections, "deadlines");
    let claims = or_default(&mut sections, "claims");
    let log = or_default(&mut sections, "log");
    let web = sections.take("web");
    let connectors: Vec<ConnectorSection> = sections.take_each("connector");
    let forwarders: Vec<ForwarderSection> = sections.take_each("forwarder");
    let mut config = match account {
        Some(account) => Config {
            home: home.to_owned(),
            account,
            store,
            night,
            plan,
            trial,
            mail,
            order,
            inbox,
            receipts,
            archive,
            deadlines,
            claims,
            log,
            web,
            connectors,
            forwarders,
        },
        None => return Err(sections.finish(&SECTIONS).err().unwrap_or_default()),
    };
    check(&config, &mut sections);
    resolve_all(&mut config, home, environment, &mut sections);
    super::web::check_secrets(&config, &mut sections);
    sections.finish(&SECTIONS)?;
    Ok(config)
}

fn or_default<T: DeserializeOwned + Default>(sections: &mut Sections<'_>, name: &str) -> T {
    sections.take(name).unwrap_or_default()
}

fn check(config: &Config, sections: &mut Sections<'_>) {
    for slip in config.plan.out_of_range() {
        sections.fault(
            &format!("plan.{}", slip.setting),
            slip.found.to_string(),
            slip.wanted,
        );
    }
    let mut seen = std::collections::BTreeSet::new();
    for connector in &config.connectors {
        if !seen.insert(connector.id.as_str()) {
            sections.fault(
                "connector.id",
                connector.id.as_str(),
                "an id that no other connector has",
            );
        }
    }
    for forwarder in &config.forwarders {
        match (&forwarder.sftp, &forwarder.folder) {
            (Some(_), None) | (None, Some(_)) => {}
            _ => sections.fault(
                "forwarder",
                forwarder.id.as_str(),
                "either [forwarder.sftp] or `folder`, one of the two",
            ),
        }
        if forwarder.documents.is_empty() {
            sections.fault(
                "forwarder.documents",
                forwarder.id.as_str(),
                "at least one mapping id",
            );
        }
    }
    super::receipts::check(&config.receipts, sections);
    super::trial::check(&config.trial, sections);
    if let Some(web) = &config.web {
        super::web::check(web, sections);
    }
    if let Some(mail) = &config.mail
        && mail.recipients.is_empty()
    {
        sections.fault("mail.recipients", "", "at least one recipient with an address");
    }
}

/// Replaces every `${env:…}` and `${file:…}`; all that are missing are named at once.
fn resolve_all(
    config: &mut Config,
    home: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
    sections: &mut Sections<'_>,
) {
    let mut resolve = |field: String, secret: &mut Secret, plain_allowed: bool| {
        match resolve_one(secret.expose(), home, environment, plain_allowed) {
            Ok(value) => *secret = Secret::new(value),
            // What stood there may be the secret itself: it is not repeated.
            Err((found, wanted)) => {
                sections.fault(&field, found, wanted);
                // Told once: nothing looks at what could not be read.
                *secret = Secret::new("${}");
            }
        }
    };
    resolve("store.url".to_owned(), &mut config.store.url, true);
    if let Some(mail) = &mut config.mail {
        resolve("mail.password".to_owned(), &mut mail.password, false);
    }
    for user in config.web.iter_mut().flat_map(|web| &mut web.users) {
        let field = format!("web.users.{}", user.name);
        if let Some(hash) = &mut user.password_hash {
            resolve(format!("{field}.password_hash"), hash, false);
        }
        if let Some(token) = &mut user.token {
            resolve(format!("{field}.token"), token, false);
        }
    }
    for connector in &mut config.connectors {
        for (name, secret) in &mut connector.secrets {
            resolve(
                format!("connector.{}.secrets.{name}", connector.id),
                secret,
                false,
            );
        }
    }
}

type Fault = (String, String);

fn resolve_one(
    text: &str,
    home: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
    plain_allowed: bool,
) -> Result<String, Fault> {
    let reference = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    match reference.and_then(|reference| reference.split_once(':')) {
        Some(("env", name)) => environment(name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| {
                (
                    text.to_owned(),
                    format!("the environment variable `{name}` to be set and not empty"),
                )
            }),
        Some(("file", path)) => match std::fs::read_to_string(home.join(path)) {
            Ok(value) if value.trim().is_empty() => {
                Err((text.to_owned(), format!("the file `{path}` not to be empty")))
            }
            Ok(value) => Ok(value.trim_end_matches(['\r', '\n']).to_owned()),
            Err(error) => Err((text.to_owned(), format!("a readable file `{path}` ({error})"))),
        },
        _ if plain_allowed && !text.contains("${") => Ok(text.to_owned()),
        _ => Err((
            "a text in the file itself".to_owned(),
            "`${env:NAME}` or `${file:PATH}`: secrets do not stand in the configuration".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: &str = include_str!("../../config/linkstar.toml");

    fn read(text: &str) -> Result<Config, Vec<Problem>> {
        load_text("linkstar.toml", text, Path::new("/nowhere"), &|name| {
            (name == "SMTP_PW").then(|| "s3cret".to_owned())
        })
    }

    fn said(text: &str) -> String {
        read(text)
            .err()
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn the_shipped_file_is_valid_and_says_the_defaults() {
        let config = read(DEFAULTS).unwrap();
        let bare = read("[account]\nid = 'main'\nname = 'x'\n").unwrap();
        assert_eq!(config.plan, bare.plan);
        assert_eq!(config.night.at, bare.night.at);
        assert_eq!(config.store_url(), "sqlite:/nowhere/data/linkstar.db");
    }

    #[test]
    fn unknown_keys_are_named_with_the_nearest_name_and_all_faults_at_once() {
        let text = "[account]\nid = 'main'\nname = 'x'\n[night]\nmail_bye = '09:00'\n[stroe]\n\n[[forwarder]]\nid = 'f'\nname = 'F'\ndocuments = []\n";
        insta::assert_snapshot!(said(text), @r"
        linkstar.toml, line 5, column 1, `night`: found `mail_bye`, wanted a known name; did you mean `mail_by`?
        linkstar.toml, `forwarder`: found `f`, wanted either [forwarder.sftp] or `folder`, one of the two
        linkstar.toml, `forwarder.documents`: found `f`, wanted at least one mapping id
        linkstar.toml, line 6, column 2: found `stroe`, wanted a known name; did you mean `store`?
        ");
    }

    #[test]
    fn secrets_come_from_outside_and_are_never_repeated() {
        let mail = |password: &str| {
            format!(
                "[account]\nid='main'\nname='x'\n[mail]\nhost='h'\nport=587\nuser='u'\npassword='{password}'\nfrom='a@b.c'\n[[mail.recipients]]\naddress='a@b.c'\n"
            )
        };
        let config = read(&mail("${env:SMTP_PW}")).unwrap();
        assert_eq!(config.mail.as_ref().unwrap().password.expose(), "s3cret");
        assert!(!format!("{config:?}").contains("s3cret"));
        insta::assert_snapshot!(said(&mail("${env:NOT_SET}")), @"linkstar.toml, `mail.password`: found `${env:NOT_SET}`, wanted the environment variable `NOT_SET` to be set and not empty");
        let plain = said(&mail("hunter2"));
        assert!(
            !plain.contains("hunter2") && plain.contains("do not stand in the configuration"),
            "{plain}"
        );
        assert!(said(&mail("${file:missing}")).contains("a readable file `missing`"));
    }
}
