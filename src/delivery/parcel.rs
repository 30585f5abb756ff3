//! What goes out under one name, and what comes in.

use serde::{Deserialize, Serialize};

use super::remote::PartialName;
use super::visit::{Sight, Standing};
use crate::problem::Problem;

/// Who a mail is from and for; stored as JSON beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    pub from: String,
    pub to: Vec<String>,
}

/// Bytes to be placed at the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// Final name, already checked by [`super::check_remote_name`].
    pub name: &'a str,
    pub bytes: &'a [u8],
    pub sha256: &'a str,
    pub attempt: u32,
}

impl Outgoing<'_> {
    #[must_use]
    pub fn size(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    /// The name it is written under before the rename.
    #[must_use]
    pub fn partial(&self) -> PartialName {
        PartialName::new(self.name, self.sha256, self.attempt)
    }
}

/// What the first half of an upload found or made. The second half, the rename, cannot be taken back.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Staged {
    /// An earlier attempt got through: nothing to do.
    AlreadyThere { path: String },
    /// Written, synced, measured and hashed under its hidden name.
    Ready {
        partial: String,
        path: String,
        /// So many bytes of an earlier attempt were verified there and not sent again.
        continued_from: u64,
    },
}

/// A file that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    pub name: String,
    pub sha256: String,
    pub bytes: Vec<u8>,
}

/// What one look into a folder brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fetched {
    /// New files, by name.
    pub files: Vec<Inbound>,
    /// Files that look otherwise than before: somebody is still writing them.
    pub growing: Vec<String>,
    /// Files that the next visit looks at again.
    pub unsure: usize,
    /// How everything in the folder looked, and the SHA-256 of what was read now or before.
    pub sights: Vec<(Sight, Option<String>)>,
    /// How many had been fetched before, under whatever name.
    pub known: usize,
    /// Files that could not be taken; the others were.
    pub problems: Vec<Problem>,
}

impl Fetched {
    /// Remembers how a file looks; false when it is to be read.
    pub fn took_note(&mut self, sight: Sight, standing: Standing) -> bool {
        let mut sha256 = None;
        let over = match standing {
            Standing::Stands => false,
            Standing::Taken(hash) => {
                self.known += 1;
                sha256 = Some(hash);
                true
            }
            Standing::Unsure => {
                self.unsure += 1;
                true
            }
            Standing::Changing => {
                self.growing.push(sight.name.clone());
                true
            }
        };
        self.sights.push((sight, sha256));
        over
    }

    /// The bytes of the file that was noted last.
    pub fn note_hash(&mut self, sha256: &str) {
        if let Some((_, noted)) = self.sights.last_mut() {
            *noted = Some(sha256.to_owned());
        }
    }
}

/// How much one look takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    pub max_files: usize,
    pub max_bytes: u64,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            max_files: 500,
            max_bytes: 32 * 1024 * 1024,
        }
    }
}

/// Whether a name in an inbound folder is somebody's unfinished or hidden file.
#[must_use]
pub fn is_unfinished_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    name.starts_with('.')
        || name.starts_with('~')
        || [".part", ".tmp", ".temp", ".filepart", ".crdownload", ".writing"]
            .iter()
            .any(|suffix| lower.ends_with(suffix))
}

#[cfg(test)]
mod tests {
    use super::is_unfinished_name;

    #[test]
    fn unfinished_names_of_common_clients_are_left_alone() {
        for name in [".x.csv", "~$收货.xlsx", "a.csv.filepart", "A.TMP"] {
            assert!(is_unfinished_name(name), "{name}");
        }
        assert!(!is_unfinished_name("收货报告_2026-11-22.csv"));
    }
}
