//! A folder that exports are put into. It belongs to those who put them there: nothing in it is moved or changed, but a
//! text beside a file says what is wrong with it.

use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::folder::{FolderError, blocking};
use super::sights;
use crate::delivery::{Sight, Standing, Visit};
use crate::problem::Problem;

/// What stands behind the name of a file that something is wrong with.
const PROBLEMS: &str = ".problems.txt";

/// A folder of exports.
#[derive(Debug, Clone)]
pub struct SourceFolder {
    pub path: PathBuf,
    /// Between the two looks at a file that is new.
    pub settle: Duration,
    pub max_bytes: u64,
}

/// What a visit found.
#[derive(Debug, Default)]
pub struct Exports {
    /// Files that stand still, by name.
    pub files: Vec<Sight>,
    /// Names of those that somebody is still writing.
    pub growing: Vec<String>,
    /// What has a name that was asked for and cannot be read.
    pub refused: Vec<Problem>,
}

impl SourceFolder {
    /// The files whose names are wanted.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub async fn exports(
        &self,
        visit: &Visit,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Exports, FolderError> {
        let ours = |name: &str| wanted(name) && !name.ends_with(PROBLEMS);
        let judged = sights::judged(&self.path, self.settle, visit, ours).await?;
        let mut exports = Exports::default();
        let mut odd = judged.odd;
        for (standing, sight) in judged.files {
            if sight
                .name
                .contains(|sign: char| sign.is_control() || sign == char::REPLACEMENT_CHARACTER)
            {
                odd.push((sight.name, "a name with signs that no name of an export has"));
                continue;
            }
            match standing {
                Standing::Stands | Standing::Taken(_) => exports.files.push(sight),
                Standing::Unsure | Standing::Changing => exports.growing.push(sight.name),
            }
        }
        for (name, what) in odd {
            exports.refused.push(Problem::new(
                shown(&name),
                "",
                "",
                what,
                "a file in the folder itself",
            ));
        }
        Ok(exports)
    }

    /// The bytes of a file; None when it is not any more as it was seen.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub async fn read(&self, sight: &Sight) -> Result<Option<Vec<u8>>, Problem> {
        let refuse = {
            let name = sight.name.clone();
            move |found: String, wanted: String| Problem::new(shown(&name), "", "", found, wanted)
        };
        if sight.size > self.max_bytes {
            return Err(refuse(
                format!("{} bytes", sight.size),
                format!("at most {} bytes", self.max_bytes),
            ));
        }
        let (path, size) = (self.path.join(&sight.name), sight.size);
        blocking(&self.path, move || {
            read_same(&path, size).map_err(|source| FolderError::io("cannot read", &path, source))
        })
        .await
        .map_err(|error| {
            let why =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            refuse(why, "a file that can be read".to_owned())
        })
    }

    /// Leaves beside a file what is wrong with it, or takes away what an earlier look left. A folder that nobody may
    /// write to stays as it is.
    pub async fn tell(&self, name: &str, problems: &[Problem]) {
        let path = self.path.join(format!("{name}{PROBLEMS}"));
        let text: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
        let told = blocking(&self.path, move || {
            if text.is_empty() {
                match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
                    _ => Ok(()),
                }
            } else if std::fs::read(&path).is_ok_and(|told| told == text.as_bytes()) {
                Ok(())
            } else {
                // Not through a link that somebody has put there.
                match std::fs::symlink_metadata(&path) {
                    Ok(metadata) if !metadata.is_file() => Ok(()),
                    _ => std::fs::write(&path, text),
                }
            }
            .map_err(|source| FolderError::io("cannot write", &path, source))
        })
        .await;
        if let Err(error) = told {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the problems of a file stand in the report only"
            );
        }
    }
}

/// Reads a file that was seen with this size. What was exchanged for a link between the look and the reading is not
/// followed: the opened file must be the one the name stands for.
fn read_same(path: &Path, size: u64) -> std::io::Result<Option<Vec<u8>>> {
    let seen = std::fs::symlink_metadata(path)?;
    let mut file = std::fs::File::open(path)?;
    let opened = file.metadata()?;
    let same = (seen.dev(), seen.ino()) == (opened.dev(), opened.ino());
    if !seen.is_file() || !same || opened.len() != size {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.by_ref()
        .take(size.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok((u64::try_from(bytes.len()) == Ok(size)).then_some(bytes))
}

/// Names come from others: what would rewrite a line of a terminal is shown as what it is.
fn shown(name: &str) -> String {
    name.chars()
        .flat_map(|sign| {
            let odd = sign.is_control() || matches!(sign, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let escaped: Vec<char> = if odd {
                sign.escape_default().collect()
            } else {
                vec![sign]
            };
            escaped
        })
        .take(200)
        .collect()
}
