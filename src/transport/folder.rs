//! The same contract as SFTP on a local folder: a share, a synced drive, or the demo's forwarder.

use std::collections::HashSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::sights;
use crate::delivery::{
    FetchLimits, Fetched, Found, FoundFile, Inbound, Outcome, Outgoing, PartialName, Sight, Staged, Standing,
    Visit, judge_found,
};
use crate::digest::sha256_hex;
use crate::problem::Problem;

/// A drop folder and a pick-up folder on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderTarget {
    /// Forwarder id: the target of its messages in the outbox.
    pub id: String,
    pub out_dir: PathBuf,
    pub in_dir: Option<PathBuf>,
    /// Pause between the two looks at an inbound file's size.
    pub settle: Duration,
}

#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    #[error("{what} `{}`", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{}` is already there with other content ({found}); it was not touched", path.display())]
    Conflict { path: PathBuf, found: String },
    #[error("`{}` read back as {found}, wanted {wanted}", path.display())]
    ReadBack {
        path: PathBuf,
        found: String,
        wanted: String,
    },
}

impl FolderError {
    pub(super) fn io(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            what,
            path: path.to_owned(),
            source,
        }
    }

    /// What the error means for the message that was being sent.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let why = match self {
            Self::Io { source, .. } => format!("{self}: {source}"),
            _ => self.to_string(),
        };
        match self {
            Self::Conflict { .. } => Outcome::Conflict { why },
            Self::ReadBack { .. } => Outcome::Retry { why },
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                    Outcome::Refused { why }
                }
                _ => Outcome::Retry { why },
            },
        }
    }
}

impl FolderTarget {
    /// First half: looks for the final name, clears what earlier attempts left, writes and syncs the hidden file and
    /// reads it back.
    ///
    /// # Errors
    /// [`FolderError::Conflict`] when other content stands under the final name; otherwise what failed.
    pub async fn stage(&self, file: &Outgoing<'_>) -> Result<Staged, FolderError> {
        let (folder, owned) = (self.out_dir.clone(), Owned::of(file));
        blocking(&self.out_dir, move || stage(&folder, &owned)).await
    }

    /// Second half: gives the file its final name without overwriting, and reads back.
    ///
    /// # Errors
    /// When the final name does not hold our bytes afterwards.
    pub async fn publish(&self, file: &Outgoing<'_>, staged: &Staged) -> Result<String, FolderError> {
        let (folder, owned, staged) = (self.out_dir.clone(), Owned::of(file), staged.clone());
        blocking(&self.out_dir, move || publish(&folder, &owned, &staged)).await
    }

    /// Takes the files that are complete and not yet known by their hash, as the SFTP inbox does.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn fetch_new(
        &self,
        known: &HashSet<String>,
        visit: &Visit,
        limits: FetchLimits,
    ) -> Result<Fetched, FolderError> {
        let Some(folder) = self.in_dir.clone() else {
            return Ok(Fetched::default());
        };
        let judged = sights::judged(&folder, self.settle, visit, |_| true).await?.files;
        let known = known.clone();
        blocking(&folder.clone(), move || {
            Ok(take_settled(&folder, judged, &known, limits))
        })
        .await
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, FolderError> + Send + 'static,
) -> Result<T, FolderError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(FolderError::io("working in", path, io::Error::other(error))))
}

/// An [`Outgoing`] that can move to another thread.
struct Owned {
    name: String,
    bytes: Vec<u8>,
    sha256: String,
    partial: PartialName,
}

impl Owned {
    fn of(file: &Outgoing<'_>) -> Self {
        Self {
            name: file.name.to_owned(),
            bytes: file.bytes.to_vec(),
            sha256: file.sha256.to_owned(),
            partial: file.partial(),
        }
    }
}

fn stage(folder: &Path, file: &Owned) -> Result<Staged, FolderError> {
    clear_leftovers(folder, &file.partial)?;
    let path = folder.join(&file.name);
    if look(&path, file)? {
        return Ok(Staged::AlreadyThere { path: shown(&path) });
    }
    let partial = folder.join(file.partial.file_name());
    let written = write_partial(&partial, &file.bytes);
    let checked = written.and_then(|()| read_back(&partial, file));
    if checked.is_err() {
        // The error above says what happened; a file that stays is cleared by the next attempt.
        let _ = std::fs::remove_file(&partial);
    }
    checked.map(|()| Staged::Ready {
        partial: shown(&partial),
        path: shown(&path),
        continued_from: 0,
    })
}

fn write_partial(partial: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    let mut out = std::fs::File::create_new(partial)
        .map_err(|source| FolderError::io("cannot create", partial, source))?;
    out.write_all(bytes)
        .and_then(|()| out.sync_all())
        .map_err(|source| FolderError::io("cannot write", partial, source))
}

fn publish(folder: &Path, file: &Owned, staged: &Staged) -> Result<String, FolderError> {
    let path = folder.join(&file.name);
    let receipt = |how: &str| {
        format!(
            "{} {how}, {} bytes, sha256 {}",
            path.display(),
            file.bytes.len(),
            file.sha256
        )
    };
    if matches!(staged, Staged::AlreadyThere { .. }) {
        return Ok(receipt("found there"));
    }
    let partial = folder.join(file.partial.file_name());
    // A hard link fails when the name exists, a rename would overwrite it.
    let linked = std::fs::hard_link(&partial, &path);
    let seen = match linked {
        Ok(()) => read_back(&path, file).map(|()| "read back"),
        Err(source) => match look(&path, file) {
            Ok(true) => Ok("found there"),
            Ok(false) => Err(FolderError::io("cannot name", &path, source)),
            Err(conflict) => Err(conflict),
        },
    };
    match std::fs::remove_file(&partial) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(path = %partial.display(), %error, "unfinished file stays"),
    }
    let how = seen?;
    std::fs::File::open(folder)
        .and_then(|opened| opened.sync_all())
        .map_err(|source| FolderError::io("cannot sync", folder, source))?;
    Ok(receipt(how))
}

fn look(path: &Path, file: &Owned) -> Result<bool, FolderError> {
    let cannot = |source| FolderError::io("cannot look at", path, source);
    let size = file.bytes.len() as u64;
    let found = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(cannot(error)),
        Ok(metadata) if metadata.is_file() && metadata.len() == size => Some(FoundFile {
            size,
            sha256: Some(sha256_hex(&std::fs::read(path).map_err(cannot)?)),
        }),
        Ok(metadata) => Some(FoundFile {
            size: metadata.len(),
            sha256: None,
        }),
    };
    match judge_found(found.as_ref(), &file.sha256, size) {
        Found::Nothing => Ok(false),
        Found::Ours => Ok(true),
        Found::Other => Err(FolderError::Conflict {
            path: path.to_owned(),
            found: found.map_or_else(String::new, |found| match found.sha256 {
                Some(hash) => format!("sha256 {hash}"),
                None => format!("{} bytes", found.size),
            }),
        }),
    }
}

fn read_back(path: &Path, file: &Owned) -> Result<(), FolderError> {
    let bytes = std::fs::read(path).map_err(|source| FolderError::io("cannot read back", path, source))?;
    let found = sha256_hex(&bytes);
    if found == file.sha256 {
        Ok(())
    } else {
        Err(FolderError::ReadBack {
            path: path.to_owned(),
            found,
            wanted: file.sha256.clone(),
        })
    }
}

fn clear_leftovers(folder: &Path, mine: &PartialName) -> Result<(), FolderError> {
    let cannot = |source| FolderError::io("cannot list", folder, source);
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let name = entry.map_err(cannot)?.file_name();
        let left = name.to_str().and_then(PartialName::parse);
        if left.is_some_and(|left| left.is_leftover_of(mine)) {
            let path = folder.join(name);
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(FolderError::io("cannot remove", &path, error)),
            }
        }
    }
    Ok(())
}

fn take_settled(
    folder: &Path,
    judged: Vec<(Standing, Sight)>,
    known: &HashSet<String>,
    limits: FetchLimits,
) -> Fetched {
    let mut fetched = Fetched::default();
    let mut here = HashSet::new();
    for (standing, sight) in judged {
        let (name, size) = (sight.name.clone(), sight.size);
        let path = folder.join(&name);
        if fetched.took_note(sight, standing) || fetched.files.len() >= limits.max_files {
            continue;
        }
        if size > limits.max_bytes {
            fetched.problems.push(Problem::new(
                shown(&path),
                "",
                "size",
                size.to_string(),
                format!("at most {} bytes", limits.max_bytes),
            ));
            continue;
        }
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                fetched.problems.push(Problem::new(
                    shown(&path),
                    "",
                    "",
                    error.to_string(),
                    "a file that can be read",
                ));
                continue;
            }
        };
        if bytes.len() as u64 != size {
            fetched.growing.push(name);
            continue;
        }
        let sha256 = sha256_hex(&bytes);
        fetched.note_hash(&sha256);
        if known.contains(&sha256) || !here.insert(sha256.clone()) {
            fetched.known += 1;
            continue;
        }
        fetched.files.push(Inbound { name, sha256, bytes });
    }
    fetched
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(dir: &Path) -> FolderTarget {
        FolderTarget {
            id: "huatuo".to_owned(),
            out_dir: dir.to_owned(),
            in_dir: Some(dir.to_owned()),
            settle: Duration::from_millis(20),
        }
    }

    fn outgoing<'a>(bytes: &'a [u8], sha256: &'a str, attempt: u32) -> Outgoing<'a> {
        Outgoing {
            name: "SO-1.xml",
            bytes,
            sha256,
            attempt,
        }
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn r40_a_second_attempt_adopts_the_file_and_clears_what_the_first_left() {
        let dir = tempfile::tempdir().unwrap();
        let target = target(dir.path());
        let hash = sha256_hex(b"one");
        let first = outgoing(b"one", &hash, 1);
        let staged = target.stage(&first).await.unwrap();
        assert_eq!(
            names(dir.path()),
            [first.partial().file_name()],
            "nothing visible yet"
        );
        // The first worker stops here; the second starts over and publishes.
        let second = outgoing(b"one", &hash, 2);
        let again = target.stage(&second).await.unwrap();
        target.publish(&second, &again).await.unwrap();
        assert_eq!(names(dir.path()), ["SO-1.xml"]);
        // The first wakes up: its file is gone, the final one is ours.
        assert!(
            target
                .publish(&first, &staged)
                .await
                .unwrap()
                .contains("found there")
        );
        assert_eq!(names(dir.path()), ["SO-1.xml"]);
    }

    #[tokio::test]
    async fn r40_other_content_is_never_overwritten_even_when_it_comes_between_the_halves() {
        let dir = tempfile::tempdir().unwrap();
        let target = target(dir.path());
        let hash = sha256_hex(b"ours");
        let file = outgoing(b"ours", &hash, 1);
        let staged = target.stage(&file).await.unwrap();
        std::fs::write(dir.path().join("SO-1.xml"), b"them").unwrap();
        let error = target.publish(&file, &staged).await.unwrap_err();
        assert!(matches!(error.outcome(), Outcome::Conflict { .. }), "{error}");
        assert!(matches!(
            target.stage(&outgoing(b"ours", &hash, 2)).await,
            Err(FolderError::Conflict { .. })
        ));
        assert_eq!(std::fs::read(dir.path().join("SO-1.xml")).unwrap(), b"them");
        assert_eq!(names(dir.path()), ["SO-1.xml"]);
    }

    #[tokio::test]
    async fn a_missing_folder_is_refused_and_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let gone = target(&dir.path().join("gone"));
        let hash = sha256_hex(b"x");
        let error = gone.stage(&outgoing(b"x", &hash, 1)).await.unwrap_err();
        assert!(matches!(error.outcome(), Outcome::Refused { .. }), "{error}");
        assert!(!dir.path().join("gone").exists());
    }

    #[tokio::test]
    async fn r41_a_renamed_copy_is_fetched_once_and_a_growing_file_waits() {
        let dir = tempfile::tempdir().unwrap();
        let target = FolderTarget {
            settle: Duration::from_millis(300),
            ..target(dir.path())
        };
        std::fs::write(dir.path().join("a.csv"), b"rows").unwrap();
        std::fs::write(dir.path().join("b.csv"), b"rows").unwrap();
        std::fs::write(dir.path().join("c.csv"), b"half").unwrap();
        std::fs::write(dir.path().join("d.csv.part"), b"half").unwrap();
        let growing = dir.path().join("c.csv");
        let writer = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            std::fs::write(growing, b"half and more").unwrap();
        });
        let fetched = target
            .fetch_new(&HashSet::new(), &Visit::default(), FetchLimits::default())
            .await
            .unwrap();
        writer.await.unwrap();
        assert_eq!(fetched.files.len(), 1);
        assert_eq!((fetched.files[0].name.as_str(), fetched.known), ("a.csv", 1));
        assert_eq!(fetched.growing, ["c.csv"]);

        let known = fetched.files.into_iter().map(|file| file.sha256).collect();
        let again = target
            .fetch_new(
                &known,
                &Visit::default(),
                FetchLimits {
                    max_bytes: 5,
                    ..FetchLimits::default()
                },
            )
            .await
            .unwrap();
        assert_eq!((again.files.len(), again.known, again.problems.len()), (0, 2, 1));
    }
}
