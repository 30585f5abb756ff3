//! The accounts a process serves: one configuration file each, one connection pool for each database.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::cli::CliError;
use crate::cli::args::Cli;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::http::Pace;
use crate::ids::AccountId;
use crate::night::{Night, Tools, step::chain};
use crate::store::Store;
use crate::telemetry::{RehearsalClock, SystemClock, init_logs};

/// What the tasks of one account share.
pub(super) struct Shop {
    pub(super) store: Arc<Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) config: Config,
    pub(super) tools: Tools,
    /// The night and the look into the inbox take turns inside this process too: the account's turn in the store is
    /// held under the process's name.
    pub(super) busy: tokio::sync::Mutex<()>,
}

impl Shop {
    pub(super) fn night(&self) -> Night<'_> {
        Night {
            store: &self.store,
            clock: &*self.clock,
            config: &self.config,
            tools: &self.tools,
            dry_run: false,
        }
    }

    pub(super) fn account(&self) -> &AccountId {
        &self.config.account.id
    }
}

/// Opens every account that the command line names.
///
/// # Errors
/// Every fault of every configuration at once; then whatever keeps a database from being opened.
pub(super) async fn open(cli: &Cli, at: Option<DateTime<Utc>>) -> Result<Vec<Arc<Shop>>, CliError> {
    let configs = load(&files(&cli.config)?)?;
    if let Some(first) = configs.first() {
        init_logs(&first.log);
    }
    let clock: Arc<dyn Clock> = match at {
        Some(at) => Arc::new(RehearsalClock::starting(at)),
        None => Arc::new(SystemClock),
    };
    let pace = if at.is_some() { Pace::Skip } else { Pace::Real };
    let mut opened: BTreeMap<String, Arc<Store>> = BTreeMap::new();
    let mut shops = Vec::new();
    for config in configs {
        let tools = Tools::new(&config, pace)?;
        let url = config.store_url();
        let store = match opened.get(&url) {
            Some(store) => Arc::clone(store),
            None => {
                let store = Arc::new(Store::open(&url).await?);
                opened.insert(url, Arc::clone(&store));
                store
            }
        };
        // Who holds a place at a source: this process, for this account.
        let holder = format!("{}@{}", std::process::id(), config.home.display());
        tools.client.share(&store, &config.account.id, holder);
        shops.push(Arc::new(Shop {
            store,
            clock: Arc::clone(&clock),
            config,
            tools,
            busy: tokio::sync::Mutex::new(()),
        }));
    }
    Ok(shops)
}

/// Each database once.
pub(super) fn stores(shops: &[Arc<Shop>]) -> Vec<Arc<Store>> {
    let mut stores: Vec<Arc<Store>> = Vec::new();
    for shop in shops {
        if !stores.iter().any(|store| Arc::ptr_eq(store, &shop.store)) {
            stores.push(Arc::clone(&shop.store));
        }
    }
    stores
}

/// The files named, and those in the folders named: `FOLDER/*.toml` and `FOLDER/*/linkstar.toml`, by name.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut found = in_folder(path).map_err(|source| CliError::File {
            what: "read",
            path: path.clone(),
            source,
        })?;
        if found.is_empty() {
            return Err(CliError::Usage(format!(
                "no configuration in {}: wanted `*.toml` or `*/linkstar.toml`",
                path.display()
            )));
        }
        files.append(&mut found);
    }
    Ok(files)
}

fn in_folder(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let inside = path.join("linkstar.toml");
        if path.is_file() && path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        } else if inside.is_file() {
            found.push(inside);
        }
    }
    found.sort();
    Ok(found)
}

fn load(files: &[PathBuf]) -> Result<Vec<Config>, CliError> {
    let mut configs: Vec<(&PathBuf, Config)> = Vec::new();
    let mut wrong = Vec::new();
    for file in files {
        match config::load(file) {
            Ok(config) => {
                for (other, known) in &configs {
                    wrong.extend(clash(known, &config).map(|what| {
                        format!("{} and {} have the same {what}", other.display(), file.display())
                    }));
                }
                configs.push((file, config));
            }
            Err(error) => wrong.push(chain(&error)),
        }
    }
    if wrong.is_empty() {
        Ok(configs.into_iter().map(|(_, config)| config).collect())
    } else {
        Err(CliError::Usage(wrong.join("\n")))
    }
}

/// What two accounts must not share.
fn clash(one: &Config, other: &Config) -> Option<String> {
    let folder = |config: &Config| config.path(&config.inbox.folder);
    if one.store_url() == other.store_url() && one.account.id == other.account.id {
        return Some(format!("account `{}` in one database", one.account.id));
    }
    (folder(one) == folder(other)).then(|| {
        format!(
            "inbox folder {}: an answer would not say whose it is",
            folder(one).display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, id: &str) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = format!("[account]\nid = '{id}'\nname = 'x'\n[store]\nurl = 'postgres://db/shops'\n");
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn a_folder_of_configurations_is_read_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(&root.join("b/linkstar.toml"), "two");
        write(&root.join("a/linkstar.toml"), "one");
        std::fs::create_dir(root.join("empty")).unwrap();
        let found = files(&[root.to_owned()]).unwrap();
        assert_eq!(
            found,
            [root.join("a/linkstar.toml"), root.join("b/linkstar.toml")]
        );
        let ids: Vec<String> = load(&found)
            .unwrap()
            .iter()
            .map(|config| config.account.id.to_string())
            .collect();
        assert_eq!(ids, ["one", "two"]);
        let error = files(&[root.join("empty")]).unwrap_err().to_string();
        assert!(
            error.starts_with("no configuration in ")
                && error.ends_with("wanted `*.toml` or `*/linkstar.toml`")
        );
    }

    #[test]
    fn accounts_that_would_meet_are_refused_with_every_fault_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(&root.join("a/linkstar.toml"), "main");
        write(&root.join("b/linkstar.toml"), "main");
        write(&root.join("c/linkstar.toml"), "other");
        std::fs::copy(root.join("c/linkstar.toml"), root.join("c/second.toml")).unwrap();
        write(&root.join("c/second.toml"), "third");
        std::fs::write(root.join("d.toml"), "[acount]\n").unwrap();
        let named = [
            "a/linkstar.toml",
            "b/linkstar.toml",
            "c/linkstar.toml",
            "c/second.toml",
            "d.toml",
        ];
        let named: Vec<PathBuf> = named.iter().map(|name| root.join(name)).collect();
        let error = load(&named).unwrap_err().to_string();
        assert!(
            error.contains("the same account `main` in one database"),
            "{error}"
        );
        assert!(error.contains("an answer would not say whose it is"), "{error}");
        assert!(error.contains("acount"), "{error}");
    }
}
