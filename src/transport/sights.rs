//! What lies in a folder of this machine, and which of it stands still.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::folder::{FolderError, blocking};
use crate::delivery::{Sight, Standing, Visit, is_unfinished_name};

/// Files with what to make of each, and what lies there under such a name and is no file to be read.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub files: Vec<(Standing, Sight)>,
    pub odd: Vec<(String, &'static str)>,
}

#[derive(Debug, Default)]
struct Seen {
    files: Vec<Sight>,
    odd: Vec<(String, &'static str)>,
}

/// Looks at the files whose names are wanted, twice with a pause between where that is needed.
pub(super) async fn judged(
    folder: &Path,
    settle: Duration,
    visit: &Visit,
    wanted: impl Fn(&str) -> bool,
) -> Result<Judged, FolderError> {
    let list = || {
        let owned = folder.to_owned();
        blocking(folder, move || look(&owned))
    };
    let ours = |seen: Seen| Seen {
        files: seen
            .files
            .into_iter()
            .filter(|sight| wanted(&sight.name))
            .collect(),
        odd: seen.odd.into_iter().filter(|(name, _)| wanted(name)).collect(),
    };
    let mut there = ours(list().await?);
    let unsure = |sight: &Sight| visit.judge(sight) == Standing::Unsure;
    let mut before = BTreeMap::new();
    if visit.looks_twice() && there.files.iter().any(unsure) {
        tokio::time::sleep(settle).await;
        let first = std::mem::replace(&mut there, ours(list().await?));
        before.extend(first.files.into_iter().map(|sight| (sight.name.clone(), sight)));
    }
    let files = there
        .files
        .into_iter()
        .map(|sight| (visit.decide(before.get(&sight.name), &sight), sight))
        .collect();
    Ok(Judged {
        files,
        odd: there.odd,
    })
}

fn look(folder: &Path) -> Result<Seen, FolderError> {
    let cannot = |source| FolderError::io("cannot list", folder, source);
    let mut seen = Seen::default();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_unfinished_name(&name) {
            continue;
        }
        let metadata = match std::fs::symlink_metadata(entry.path()) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(FolderError::io("cannot look at", &entry.path(), error)),
        };
        if metadata.file_type().is_symlink() {
            seen.odd
                .push((name, "a link to another place; links are not followed"));
            continue;
        }
        if !metadata.is_file() {
            continue;
        }
        let modified = metadata
            .modified()
            .ok()
            .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
            .and_then(|since| i64::try_from(since.as_millis()).ok())
            .unwrap_or(0);
        seen.files.push(Sight {
            name,
            size: metadata.len(),
            modified,
        });
    }
    seen.files.sort();
    seen.odd.sort();
    Ok(seen)
}
