//! What people dropped into the inbox folder: edited suggestion workbooks and receipt reports, told apart by what
//! they contain. A file that was read moves to `done/`; what was wrong with it stands beside it in a text.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::Night;
use crate::delivery::is_unfinished_name;
use crate::digest::sha256_hex;
use crate::mapping::inbound::shown;
use crate::problem::Problem;
use crate::report::decisions::{self, DecisionSheet};
use crate::store::StoreError;
use crate::store::inbox::{self as store_inbox, Look, Looked};

/// Larger files are refused unread.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// A file of the inbox that was not read before.
pub struct Dropped {
    pub path: PathBuf,
    pub name: String,
    pub sha256: String,
    pub bytes: Vec<u8>,
}

/// What a dropped file turned out to be.
pub enum Kind {
    Decisions(DecisionSheet),
    /// Anything else: a receipt report, or nothing we know.
    Other,
}

impl Dropped {
    /// Looks inside; the extension decides nothing.
    #[must_use]
    pub fn kind(&self) -> Kind {
        decisions::read(&self.name, &self.bytes).map_or(Kind::Other, Kind::Decisions)
    }
}

/// Origin of what people drop into the inbox folder.
pub const INBOX: &str = "inbox";

/// New files in name order; unreadable ones are problems, not silence. A file is taken once it was seen twice with
/// the same size and time. The looks are in the store: what another run saw counts, and what somebody is still
/// writing waits however often the program is started again.
///
/// # Errors
/// When the store fails.
pub async fn new_files(night: &Night<'_>) -> Result<(Vec<Dropped>, Vec<Problem>), StoreError> {
    let folder = night.config.path(&night.config.inbox.folder);
    let mut tx = night.store.read().await?;
    let known = store_inbox::known(&mut tx, night.account()).await?;
    drop(tx);
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for (path, size) in settled(night, &folder, &mut problems).await? {
        let name = shown_name(&path);
        match read(&path, size) {
            Ok(None) => problems.push(growing(&name)),
            Ok(Some(bytes)) => {
                let sha256 = sha256_hex(&bytes);
                if known.contains(&sha256) {
                    // Read before a crash could move it away, or dropped a second time.
                    if let Err(error) = put_away(&path, &[]) {
                        problems.push(Problem::new(
                            &name,
                            "",
                            "",
                            error.to_string(),
                            "a folder it can be moved to",
                        ));
                    }
                } else {
                    files.push(Dropped {
                        path,
                        name,
                        sha256,
                        bytes,
                    });
                }
            }
            Err(why) => problems.push(Problem::new(
                &name,
                "",
                "",
                why,
                "a readable file of at most 64 MB",
            )),
        }
    }
    Ok((files, problems))
}

/// Whether anything lies in the folder, read or not.
#[must_use]
pub fn is_waiting(night: &Night<'_>) -> bool {
    !listed(&night.config.path(&night.config.inbox.folder)).is_empty()
}

/// Files that have looked the same for the settling time, each with its size. When there are others they are looked
/// at again after a pause.
async fn settled(
    night: &Night<'_>,
    folder: &Path,
    problems: &mut Vec<Problem>,
) -> Result<Vec<(PathBuf, i64)>, StoreError> {
    let first = listed(folder);
    let mut tx = night.store.read().await?;
    let before = store_inbox::looks(&mut tx, night.account(), INBOX).await?;
    drop(tx);
    let now = night.now();
    let settle = chrono::Duration::from_std(night.tools.inbox_settle).unwrap_or(chrono::Duration::MAX);
    // A look from a time to come is of a clock that was set back: it says nothing.
    let since = |look: &Look| {
        before
            .iter()
            .find(|seen| seen.look == *look && seen.since <= now)
            .map(|seen| seen.since)
    };
    let stands =
        |look: &Look| settle > chrono::Duration::zero() && since(look).is_some_and(|at| now - at >= settle);
    if first.iter().all(|(_, look)| stands(look)) {
        if before.len() != first.len() {
            save_looks(night, &first, &since).await?;
        }
        return Ok(first.into_iter().map(|(path, look)| (path, look.size)).collect());
    }
    save_looks(night, &first, &since).await?;
    tokio::time::sleep(night.tools.inbox_settle).await;
    let second = listed(folder);
    let unchanged = |look: &Look| first.iter().any(|(_, seen)| seen == look);
    let (stood, grew): (Vec<_>, Vec<_>) = second.into_iter().partition(|(_, look)| unchanged(look));
    if !grew.is_empty() {
        let there: Vec<_> = stood.iter().chain(&grew).cloned().collect();
        save_looks(night, &there, &|look| unchanged(look).then_some(now)).await?;
    }
    problems.extend(grew.iter().map(|(path, _)| growing(&shown_name(path))));
    Ok(stood.into_iter().map(|(path, look)| (path, look.size)).collect())
}

/// Remembers how the files look, and since when.
async fn save_looks(
    night: &Night<'_>,
    there: &[(PathBuf, Look)],
    since: &(dyn Fn(&Look) -> Option<DateTime<Utc>> + Sync),
) -> Result<(), StoreError> {
    let now = night.now();
    let looks: Vec<Looked> = there
        .iter()
        .map(|(_, look)| Looked {
            look: look.clone(),
            since: since(look).unwrap_or(now),
            sha256: None,
        })
        .collect();
    let mut tx = night.store.write().await?;
    store_inbox::save_looks(&mut tx, night.account(), INBOX, &looks).await?;
    tx.commit().await
}

fn growing(name: &str) -> Problem {
    Problem::new(
        name,
        "",
        "size",
        "still being written",
        "a file that stands still; it is read next time",
    )
}

const MAX_NAME_CHARS: usize = 120;

/// A foreign file's name as it is stored and shown: it may hold anything but a slash.
#[must_use]
pub fn shown_name(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    shown(&name, MAX_NAME_CHARS)
}

fn listed(folder: &Path) -> Vec<(PathBuf, Look)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<(PathBuf, Look)> = entries
        .filter_map(Result::ok)
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            // Lock files of office programs, what is still being copied, and what we wrote ourselves.
            !is_unfinished_name(&name) && !name.ends_with(".problems.txt")
        })
        .filter_map(|entry| {
            // Not followed: a link could name any file of this machine.
            let metadata = std::fs::symlink_metadata(entry.path()).ok()?;
            let modified = metadata
                .modified()
                .ok()
                .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
                .and_then(|since| i64::try_from(since.as_millis()).ok())
                .unwrap_or(0);
            metadata.is_file().then(|| {
                let look = Look {
                    name: entry.file_name().to_string_lossy().into_owned(),
                    size: i64::try_from(metadata.len()).unwrap_or(i64::MAX),
                    modified,
                };
                (entry.path(), look)
            })
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

/// The bytes, or `None` when they are not as many as were seen: somebody writes after all.
fn read(path: &Path, size: i64) -> Result<Option<Vec<u8>>, String> {
    let size = u64::try_from(size).unwrap_or(0);
    if size > MAX_FILE_BYTES {
        return Err(format!("{size} bytes"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    Ok((u64::try_from(bytes.len()) == Ok(size)).then_some(bytes))
}

/// Moves a read file to `done/` and leaves its problems beside it.
///
/// # Errors
/// When the folder cannot be written.
pub fn put_away(path: &Path, problems: &[Problem]) -> std::io::Result<()> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(());
    };
    let done = folder.join("done");
    std::fs::create_dir_all(&done)?;
    match std::fs::rename(path, done.join(name)) {
        Ok(()) => {}
        // Another process that watches the same folder has put it away.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !path.exists() => return Ok(()),
        Err(error) => return Err(error),
    }
    if !problems.is_empty() {
        let text: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
        std::fs::write(
            done.join(format!("{}.problems.txt", name.to_string_lossy())),
            text,
        )?;
    }
    Ok(())
}
