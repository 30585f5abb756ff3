//! What people dropped into the inbox folder: edited suggestion workbooks and receipt reports, told apart by what
//! they contain. A file that was read moves to `done/`; what was wrong with it stands beside it in a text.

use std::path::{Path, PathBuf};

use super::Night;
use crate::digest::sha256_hex;
use crate::problem::Problem;
use crate::report::decisions::{self, DecisionSheet};
use crate::store::StoreError;
use crate::store::inbox as store_inbox;

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

/// New files in name order; unreadable ones are problems, not silence.
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
    for path in listed(&folder) {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        match read(&path) {
            Ok(bytes) => {
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

fn listed(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            // Hidden files, lock files of office programs, and what we wrote ourselves.
            !name.starts_with('.') && !name.starts_with("~$") && !name.ends_with(".problems.txt")
        })
        .collect();
    paths.sort();
    paths
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("{size} bytes"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
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
