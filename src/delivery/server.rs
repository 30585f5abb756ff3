//! What a server can do, and how a file is given its final name there.

use serde::{Deserialize, Serialize};

/// What a server's plain rename does when the new name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RenameHabit {
    /// It fails, as SFTP version 3 says: the name is given without overwriting.
    Refuses,
    /// It overwrites, as a POSIX rename does.
    Overwrites,
    /// Renaming is not permitted.
    Denied,
}

/// What a server was found to do: by what it announces, and by trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// `fsync@openssh.com`: bytes can be made durable before the rename.
    pub fsync: bool,
    /// `hardlink@openssh.com`: a second name can be given, which fails when it is taken.
    pub hardlink: bool,
    /// `posix-rename@openssh.com`: renames, and overwrites.
    pub posix_rename: bool,
    pub rename: RenameHabit,
}

/// How the final name is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placing {
    /// Plain rename, which fails when the name is taken.
    Rename,
    /// Hard link, which fails when the name is taken; then the hidden name goes.
    Link,
    /// A last look, then a plain rename that would overwrite.
    LookThenRename,
    /// A last look, then a POSIX rename that would overwrite.
    LookThenPosixRename,
}

impl Capabilities {
    /// Before anything was tried: what is announced, and a rename that behaves as the protocol says.
    #[must_use]
    pub fn announced(fsync: bool, hardlink: bool, posix_rename: bool) -> Self {
        Self {
            fsync,
            hardlink,
            posix_rename,
            rename: RenameHabit::Refuses,
        }
    }

    /// The safest way this server has; `None` when it lets nobody give a name.
    #[must_use]
    pub fn placing(self) -> Option<Placing> {
        match (self.rename, self.hardlink, self.posix_rename) {
            (RenameHabit::Refuses, _, _) => Some(Placing::Rename),
            (_, true, _) => Some(Placing::Link),
            (RenameHabit::Overwrites, false, _) => Some(Placing::LookThenRename),
            (RenameHabit::Denied, false, true) => Some(Placing::LookThenPosixRename),
            (RenameHabit::Denied, false, false) => None,
        }
    }

    /// Short, for `doctor` and logs: `fsync, hardlink, rename refuses taken names`.
    #[must_use]
    pub fn summary(self) -> String {
        let word = |has: bool, name: &str| {
            if has {
                name.to_owned()
            } else {
                format!("no {name}")
            }
        };
        let rename = match self.rename {
            RenameHabit::Refuses => "rename refuses taken names",
            RenameHabit::Overwrites => "rename overwrites",
            RenameHabit::Denied => "no rename",
        };
        format!(
            "{}, {}, {}, {rename}",
            word(self.fsync, "fsync"),
            word(self.hardlink, "hardlink"),
            word(self.posix_rename, "posix-rename"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_without_overwriting_wherever_the_server_can() {
        let with = |rename, hardlink, posix_rename| Capabilities {
            fsync: true,
            hardlink,
            posix_rename,
            rename,
        };
        for posix in [false, true] {
            for link in [false, true] {
                assert_eq!(
                    with(RenameHabit::Refuses, link, posix).placing(),
                    Some(Placing::Rename)
                );
            }
            for habit in [RenameHabit::Overwrites, RenameHabit::Denied] {
                assert_eq!(with(habit, true, posix).placing(), Some(Placing::Link));
            }
            assert_eq!(
                with(RenameHabit::Overwrites, false, posix).placing(),
                Some(Placing::LookThenRename)
            );
        }
        assert_eq!(
            with(RenameHabit::Denied, false, true).placing(),
            Some(Placing::LookThenPosixRename)
        );
        assert_eq!(with(RenameHabit::Denied, false, false).placing(), None);
    }
}
