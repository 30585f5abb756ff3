//! What goes out under one name, and what comes in.

use serde::{Deserialize, Serialize};

use super::remote::PartialName;
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
    /// Files whose size changed between two looks: somebody is still writing them.
    pub growing: Vec<String>,
    /// How many had been fetched before, under whatever name.
    pub known: usize,
    /// Files that could not be taken; the others were.
    pub problems: Vec<Problem>,
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
