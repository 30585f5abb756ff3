//! Finding out what a server does by trying, with two hidden files that are removed again.

use russh_sftp::protocol::OpenFlags;

use super::{FSYNC, HARDLINK, POSIX_RENAME, Session, SftpError, join};
use crate::delivery::{Capabilities, RenameHabit};
use crate::digest::sha256_hex;

const PREFIX: &str = ".linkstar-";
const SUFFIX: &str = ".probe";

impl Session {
    /// What the session goes by: the announced extensions until [`Session::probe`] or [`Session::rely_on`].
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Goes by what an earlier probe of this server found.
    pub fn rely_on(&mut self, capabilities: Capabilities) {
        self.capabilities = capabilities;
    }

    /// Names of the extensions the server announced: when they change, it is another server.
    #[must_use]
    pub fn announced(&self) -> String {
        self.announced
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Tries in the drop folder what the server lets us do, and goes by it from now on. `owner` names the hidden
    /// files, so that two processes do not meet in them.
    ///
    /// # Errors
    /// When not even a file can be made there, or the connection breaks.
    pub async fn probe(&mut self, owner: &str) -> Result<Capabilities, SftpError> {
        let tag = sha256_hex(owner.as_bytes());
        let tag = tag.get(..12).unwrap_or(&tag).to_owned();
        let name = |part: &str| join(&self.target.out_dir, &format!("{PREFIX}{tag}-{part}{SUFFIX}"));
        let names = [name("a"), name("b"), name("c"), name("d")];
        self.remove_all(&names).await;
        let found = self.try_all(&names).await;
        self.remove_all(&names).await;
        self.capabilities = found?;
        Ok(self.capabilities)
    }

    async fn remove_all(&self, names: &[String; 4]) {
        let [a, b, c, d] = names;
        tokio::join!(
            self.remove_quietly(a),
            self.remove_quietly(b),
            self.remove_quietly(c),
            self.remove_quietly(d)
        );
    }

    async fn try_all(&self, [a, b, c, d]: &[String; 4]) -> Result<Capabilities, SftpError> {
        let has = |extension: &str| self.announced.contains(extension);
        let mut fsync = has(FSYNC);
        for name in [a, b] {
            let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE;
            let handle = self.open_file("creating", name, flags).await?;
            if fsync {
                fsync = works(
                    self.ask("syncing", name, self.raw.fsync(handle.as_str()))
                        .await
                        .map(drop),
                )?;
            }
            self.close_file(name, &handle).await?;
        }
        let rename = async |from: &String, to: &String| {
            works(
                self.ask("renaming", from, self.raw.rename(from, to))
                    .await
                    .map(drop),
            )
        };
        // `last` is a name that exists afterwards.
        let (habit, last) = if rename(a, b).await? {
            (RenameHabit::Overwrites, b)
        } else if rename(a, c).await? {
            (RenameHabit::Refuses, c)
        } else {
            (RenameHabit::Denied, a)
        };
        let hardlink = has(HARDLINK)
            && works(
                self.ask("linking", last, self.raw.hardlink(last, d))
                    .await
                    .map(drop),
            )?;
        // Back onto itself would be no rename at all: the other name takes it.
        let other = if last == b { c } else { b };
        let posix_rename =
            has(POSIX_RENAME) && works(self.ask("renaming", last, self.posix_rename(last, other)).await)?;
        Ok(Capabilities {
            fsync,
            hardlink,
            posix_rename,
            rename: habit,
        })
    }
}

/// A refusal is an answer; a broken connection is none.
fn works(answer: Result<(), SftpError>) -> Result<bool, SftpError> {
    match answer {
        Ok(()) => Ok(true),
        Err(error) if error.broke_the_connection() => Err(error),
        Err(_) => Ok(false),
    }
}
