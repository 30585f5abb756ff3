//! What the forwarder left for us.

use std::collections::{BTreeMap, HashSet};

use super::folder::Entry;
use super::{Session, SftpError, join};
use crate::delivery::{FetchLimits, Fetched, Inbound, Sight, Standing, Visit, is_unfinished_name};
use crate::digest::sha256_hex;
use crate::problem::Problem;

impl Session {
    /// Takes the files that are complete and not yet known by their hash. A file is complete when two looks, in two
    /// visits or a pause apart in this one, see the same size and time, and as many bytes can be read. Nothing is
    /// removed or renamed: the folder is the forwarder's.
    ///
    /// # Errors
    /// When the folder cannot be read or the connection breaks; a single file that cannot be taken is a problem of
    /// its own and the others still come.
    pub async fn fetch_new(
        &self,
        known: &HashSet<String>,
        visit: &Visit,
        limits: FetchLimits,
    ) -> Result<Fetched, SftpError> {
        let Some(folder) = self.target.in_dir.clone() else {
            return Ok(Fetched::default());
        };
        let first = self.waiting_files(&folder).await?;
        let unsure = |entry: &Entry| visit.judge(&sight(entry)) == Standing::Unsure;
        let before: BTreeMap<String, Sight> = if visit.looks_twice() && first.iter().any(unsure) {
            tokio::time::sleep(self.target.settle).await;
            first
                .iter()
                .map(|entry| (entry.name.clone(), sight(entry)))
                .collect()
        } else {
            BTreeMap::new()
        };
        let entries = if before.is_empty() {
            first
        } else {
            self.waiting_files(&folder).await?
        };

        let mut fetched = Fetched::default();
        let mut here = HashSet::new();
        for entry in entries {
            let seen = sight(&entry);
            let standing = visit.decide(before.get(&entry.name), &seen);
            if fetched.took_note(seen, standing) || fetched.files.len() >= limits.max_files {
                continue;
            }
            let path = join(&folder, &entry.name);
            if entry.size > limits.max_bytes {
                fetched.problems.push(self.problem(
                    &path,
                    "size",
                    &entry.size.to_string(),
                    format!("at most {} bytes", limits.max_bytes),
                ));
                continue;
            }
            let bytes = match self.read_all(&path, entry.size).await {
                Ok(bytes) => bytes,
                Err(error @ (SftpError::Lost { .. } | SftpError::Silent { .. })) => return Err(error),
                Err(error) => {
                    fetched.problems.push(self.problem(
                        &path,
                        "",
                        &error.to_string(),
                        "a file that can be read".to_owned(),
                    ));
                    continue;
                }
            };
            if u64::try_from(bytes.len()) != Ok(entry.size) {
                fetched.growing.push(entry.name);
                continue;
            }
            let sha256 = sha256_hex(&bytes);
            fetched.note_hash(&sha256);
            if known.contains(&sha256) || !here.insert(sha256.clone()) {
                fetched.known += 1;
                continue;
            }
            fetched.files.push(Inbound {
                name: entry.name,
                sha256,
                bytes,
            });
        }
        Ok(fetched)
    }

    async fn waiting_files(&self, folder: &str) -> Result<Vec<Entry>, SftpError> {
        let mut entries = self.list(folder).await?;
        entries.retain(|entry| entry.regular && !is_unfinished_name(&entry.name));
        Ok(entries)
    }

    fn problem(&self, path: &str, field: &str, found: &str, wanted: String) -> Problem {
        Problem::new(
            format!("{}/{}", self.target.address(), path.trim_start_matches('/')),
            "",
            field,
            found,
            wanted,
        )
    }
}

fn sight(entry: &Entry) -> Sight {
    Sight {
        name: entry.name.clone(),
        size: entry.size,
        modified: i64::from(entry.modified.unwrap_or(0)) * 1_000,
    }
}
