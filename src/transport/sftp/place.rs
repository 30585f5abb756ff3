//! Giving a finished file its final name.

use russh_sftp::client::error::Error as ClientError;
use russh_sftp::protocol::{Packet, Status, StatusCode};

use super::{POSIX_RENAME, Session, SftpError};
use crate::delivery::{Found, FoundFile, Outgoing, Placing, Staged, judge_found, read_back_words};

impl Session {
    /// Second half: gives the final name without overwriting and looks at it. Returns how the arrival is known.
    ///
    /// # Errors
    /// When the name could not be given and the final name does not hold our bytes.
    pub async fn publish(&self, file: &Outgoing<'_>, staged: &Staged) -> Result<String, SftpError> {
        let (partial, path, continued_from) = match staged {
            Staged::AlreadyThere { path } => return Ok(self.receipt(file, path, "found there")),
            Staged::Ready {
                partial,
                path,
                continued_from,
            } => (partial.as_str(), path.as_str(), *continued_from),
        };
        let Some(placing) = self.capabilities.placing() else {
            self.remove_quietly(partial).await;
            return Err(SftpError::CannotName {
                path: path.to_owned(),
            });
        };
        if matches!(placing, Placing::LookThenRename | Placing::LookThenPosixRename) {
            match self.look(path, file).await {
                Ok(false) => {}
                Ok(true) => {
                    self.remove_quietly(partial).await;
                    return Ok(self.receipt(file, path, "found there"));
                }
                Err(error) => {
                    if matches!(error, SftpError::Conflict { .. }) {
                        self.remove_quietly(partial).await;
                    }
                    return Err(error);
                }
            }
        }
        // The look is asked for together with the name: the server answers one after the other.
        let (placed, size) = tokio::join!(self.place(placing, partial, path), self.size_of(path));
        match placed {
            Ok(()) => {
                // The bytes were compared under the hidden name; the same file must stand here now.
                let size = size?;
                if size != Some(file.size()) {
                    return Err(SftpError::ReadBack {
                        path: path.to_owned(),
                        found: size.map_or_else(|| "nothing".to_owned(), |size| format!("{size} bytes")),
                        wanted: format!("{} bytes", file.size()),
                    });
                }
                let checked = read_back_words(file.size());
                let how = match (continued_from, placing) {
                    (_, Placing::LookThenRename | Placing::LookThenPosixRename) => {
                        format!("{checked}, looked at before a rename that can overwrite")
                    }
                    (0, _) => checked,
                    (from, _) => format!("{checked}, continued from byte {from}"),
                };
                Ok(self.receipt(file, path, &how))
            }
            Err(error) if error.broke_the_connection() => Err(error),
            Err(error) => {
                // Somebody was faster: another worker of ours with the same bytes, or another file.
                let looked = self.look(path, file).await;
                self.remove_quietly(partial).await;
                match looked {
                    Ok(true) => Ok(self.receipt(file, path, "found there")),
                    Ok(false) => Err(error),
                    Err(conflict) => Err(conflict),
                }
            }
        }
    }

    async fn place(&self, placing: Placing, partial: &str, path: &str) -> Result<(), SftpError> {
        match placing {
            Placing::Rename | Placing::LookThenRename => self
                .ask("renaming", partial, self.raw.rename(partial, path))
                .await
                .map(drop),
            Placing::LookThenPosixRename => {
                self.ask("renaming", partial, self.posix_rename(partial, path))
                    .await
            }
            Placing::Link => {
                self.ask("linking", partial, self.raw.hardlink(partial, path))
                    .await?;
                self.remove_quietly(partial).await;
                Ok(())
            }
        }
    }

    pub(super) async fn posix_rename(&self, from: &str, to: &str) -> Result<(), ClientError> {
        let mut data = Vec::with_capacity(8 + from.len() + to.len());
        for name in [from, to] {
            data.extend(u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes());
            data.extend(name.as_bytes());
        }
        match self.raw.extended(POSIX_RENAME, data).await? {
            Packet::Status(Status {
                status_code: StatusCode::Ok,
                ..
            }) => Ok(()),
            Packet::Status(status) => Err(ClientError::Status(status)),
            _ => Err(ClientError::UnexpectedPacket),
        }
    }

    fn receipt(&self, file: &Outgoing<'_>, path: &str, how: &str) -> String {
        format!(
            "{}{}{path} {how}{}, {} bytes, sha256 {}",
            self.target.address(),
            if path.starts_with('/') { "" } else { "/" },
            if self.capabilities.fsync {
                ""
            } else {
                ", not synced"
            },
            file.size(),
            file.sha256
        )
    }

    async fn size_of(&self, path: &str) -> Result<Option<u64>, SftpError> {
        match self.ask("looking for", path, self.raw.lstat(path)).await {
            Ok(answer) => Ok(Some(answer.attrs.len())),
            Err(SftpError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether our bytes stand under the final name already.
    pub(super) async fn look(&self, path: &str, file: &Outgoing<'_>) -> Result<bool, SftpError> {
        let attributes = match self.ask("looking for", path, self.raw.lstat(path)).await {
            Ok(answer) => answer.attrs,
            Err(SftpError::Missing { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let size = attributes.len();
        // Only a regular file of our size is worth reading.
        let sha256 = if attributes.file_type().is_file() && size == file.size() {
            Some(self.hash(path, size).await?)
        } else {
            None
        };
        let found = FoundFile { size, sha256 };
        match judge_found(Some(&found), file.sha256, file.size()) {
            Found::Ours => Ok(true),
            Found::Nothing => Ok(false),
            Found::Other => Err(SftpError::Conflict {
                path: path.to_owned(),
                found: found.sha256.map_or_else(
                    || format!("{size} bytes, {:?}", attributes.file_type()),
                    |hash| format!("sha256 {hash}"),
                ),
                wanted: format!("{} bytes, sha256 {}", file.size(), file.sha256),
            }),
        }
    }
}
