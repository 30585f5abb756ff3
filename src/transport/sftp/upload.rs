//! The upload, in two halves: everything up to the rename, and the rename.

use futures_util::StreamExt as _;
use futures_util::stream;
use russh_sftp::client::error::Error as ClientError;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use tokio::time::timeout;

use super::{Session, SftpError, join};
use crate::delivery::{Found, FoundFile, Outgoing, PartialName, Staged, judge_found};
use crate::digest::Hasher;

/// OpenSSH takes up to 256 KiB; other servers have been seen to stop at 32 KiB.
const CHUNK: usize = 32 * 1024;
const CHUNK_BYTES: u32 = 32 * 1024;
const IN_FLIGHT: usize = 16;
/// A drop folder with more entries than this is not looked through.
pub(super) const MAX_ENTRIES: usize = 100_000;

/// An entry of a remote folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub size: u64,
    pub modified: Option<u32>,
    pub regular: bool,
}

impl Session {
    /// First half: looks for the final name, clears what earlier attempts left, writes under the hidden name, syncs,
    /// measures and hashes. Nothing is visible to the forwarder yet.
    ///
    /// # Errors
    /// [`SftpError::Conflict`] when other content stands under the final name; otherwise what failed. The hidden
    /// file is removed again when the server refused in the middle of it.
    pub async fn stage(&self, file: &Outgoing<'_>) -> Result<Staged, SftpError> {
        let path = join(&self.target.out_dir, file.name);
        let mine = file.partial();
        self.clear_leftovers(&mine).await?;
        if self.look(&path, file).await? {
            return Ok(Staged::AlreadyThere { path });
        }
        let partial = join(&self.target.out_dir, &mine.file_name());
        if let Err(error) = self.write_partial(&partial, file).await {
            // A full disk should get its space back at once; a lost connection leaves it to the next attempt.
            if !matches!(error, SftpError::Lost { .. } | SftpError::Silent { .. }) {
                self.remove_quietly(&partial).await;
            }
            return Err(error);
        }
        Ok(Staged::Ready { partial, path })
    }

    /// Second half: renames without overwriting and reads back. Returns how the arrival is known.
    ///
    /// # Errors
    /// When the rename failed and the final name does not hold our bytes.
    pub async fn publish(&self, file: &Outgoing<'_>, staged: &Staged) -> Result<String, SftpError> {
        let (partial, path) = match staged {
            Staged::AlreadyThere { path } => return Ok(self.receipt(file, path, "found there")),
            Staged::Ready { partial, path } => (partial, path),
        };
        // Plain SFTP rename: OpenSSH links the new name, so an existing file makes it fail. Never
        // posix-rename@openssh.com, which overwrites.
        let renamed = self
            .ask(
                "renaming",
                partial,
                self.raw.rename(partial.as_str(), path.as_str()),
            )
            .await;
        match renamed {
            Ok(_) => {
                let found = self.hash(path, file.size()).await?;
                if found == file.sha256 {
                    Ok(self.receipt(file, path, "read back"))
                } else {
                    Err(SftpError::ReadBack {
                        path: path.clone(),
                        found,
                        wanted: file.sha256.to_owned(),
                    })
                }
            }
            Err(error @ (SftpError::Failure { .. } | SftpError::Missing { .. })) => {
                // Somebody was faster: another worker of ours with the same bytes, or another file.
                let looked = self.look(path, file).await;
                self.remove_quietly(partial).await;
                match looked {
                    Ok(true) => Ok(self.receipt(file, path, "found there")),
                    Ok(false) => Err(error),
                    Err(conflict) => Err(conflict),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Both halves in one go, for callers that record nothing in between.
    ///
    /// # Errors
    /// As [`Session::stage`] and [`Session::publish`].
    pub async fn upload(&self, file: &Outgoing<'_>) -> Result<String, SftpError> {
        let staged = self.stage(file).await?;
        self.publish(file, &staged).await
    }

    fn receipt(&self, file: &Outgoing<'_>, path: &str, how: &str) -> String {
        format!(
            "{}{}{path} {how}, {} bytes, sha256 {}",
            self.target.address(),
            if path.starts_with('/') { "" } else { "/" },
            file.size(),
            file.sha256
        )
    }

    /// Whether our bytes stand under the final name already.
    async fn look(&self, path: &str, file: &Outgoing<'_>) -> Result<bool, SftpError> {
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

    async fn write_partial(&self, partial: &str, file: &Outgoing<'_>) -> Result<(), SftpError> {
        let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE;
        let handle = self
            .ask(
                "creating",
                partial,
                self.raw.open(partial, flags, FileAttributes::empty()),
            )
            .await?
            .handle;
        let written = self.write_chunks(partial, &handle, file.bytes).await;
        let synced = match (&written, self.can_sync) {
            (Ok(()), true) => self
                .ask("syncing", partial, self.raw.fsync(handle.as_str()))
                .await
                .map(drop),
            _ => Ok(()),
        };
        let closed = if matches!(written, Err(SftpError::Lost { .. } | SftpError::Silent { .. })) {
            Ok(())
        } else {
            self.ask("closing", partial, self.raw.close(handle.as_str()))
                .await
                .map(drop)
        };
        written.and(synced).and(closed)?;

        let size = self
            .ask("measuring", partial, self.raw.stat(partial))
            .await?
            .attrs
            .len();
        let read_back = |found: String| SftpError::ReadBack {
            path: partial.to_owned(),
            found,
            wanted: format!("{} bytes, sha256 {}", file.size(), file.sha256),
        };
        if size != file.size() {
            return Err(read_back(format!("{size} bytes")));
        }
        let found = self.hash(partial, size).await?;
        if found == file.sha256 {
            Ok(())
        } else {
            Err(read_back(format!("sha256 {found}")))
        }
    }

    async fn write_chunks(&self, path: &str, handle: &str, bytes: &[u8]) -> Result<(), SftpError> {
        let mut acknowledged: u64 = 0;
        let mut offset: u64 = 0;
        let requests = bytes.chunks(CHUNK).map(|chunk| {
            let at = offset;
            offset += as_u64(chunk.len());
            async move {
                self.raw
                    .write(handle, at, chunk.to_vec())
                    .await
                    .map(|_| as_u64(chunk.len()))
            }
        });
        let mut answers = stream::iter(requests).buffered(IN_FLIGHT);
        loop {
            match timeout(self.target.idle_timeout, answers.next()).await {
                Err(_) => {
                    return Err(self.silent(&format!("writing `{path}` after {acknowledged} bytes")));
                }
                Ok(None) => return Ok(()),
                Ok(Some(Ok(length))) => acknowledged += length,
                Ok(Some(Err(error))) => {
                    return Err(SftpError::of_request("writing", path, acknowledged, error));
                }
            }
        }
    }

    /// SHA-256 of a remote file, read up to `size` bytes and one more look for the end.
    async fn hash(&self, path: &str, size: u64) -> Result<String, SftpError> {
        let mut hasher = Hasher::default();
        let read = self.read_with(path, size, |bytes| hasher.update(bytes)).await?;
        if read == size {
            Ok(hasher.finish())
        } else {
            Ok(format!("{read} bytes"))
        }
    }

    pub(super) async fn read_all(&self, path: &str, size: u64) -> Result<Vec<u8>, SftpError> {
        let mut all = Vec::new();
        self.read_with(path, size, |bytes| all.extend_from_slice(bytes))
            .await?;
        Ok(all)
    }

    /// Reads at most `size` bytes, plus one request that shows whether there is more.
    async fn read_with(&self, path: &str, size: u64, mut take: impl FnMut(&[u8])) -> Result<u64, SftpError> {
        let handle = self
            .ask(
                "opening",
                path,
                self.raw.open(path, OpenFlags::READ, FileAttributes::empty()),
            )
            .await?
            .handle;
        let mut read: u64 = 0;
        let result = loop {
            if read > size {
                break Ok(read);
            }
            let answer = timeout(
                self.target.idle_timeout,
                self.raw.read(handle.as_str(), read, CHUNK_BYTES),
            );
            match answer.await {
                Err(_) => break Err(self.silent(&format!("reading `{path}` after {read} bytes"))),
                Ok(Ok(data)) if data.data.is_empty() => break Ok(read),
                Ok(Ok(data)) => {
                    take(&data.data);
                    read += as_u64(data.data.len());
                }
                Ok(Err(ClientError::Status(status))) if status.status_code == StatusCode::Eof => {
                    break Ok(read);
                }
                Ok(Err(error)) => break Err(SftpError::of_request("reading", path, read, error)),
            }
        };
        if result.is_ok() {
            self.ask("closing", path, self.raw.close(handle.as_str())).await?;
        }
        result
    }

    /// Everything in a folder but `.` and `..`.
    ///
    /// # Errors
    /// When the folder cannot be read, or has more than a hundred thousand entries.
    pub async fn list(&self, folder: &str) -> Result<Vec<Entry>, SftpError> {
        let shown = if folder.is_empty() { "." } else { folder };
        let handle = self
            .ask("opening folder", shown, self.raw.opendir(shown))
            .await?
            .handle;
        let mut entries = Vec::new();
        loop {
            let answer = timeout(self.target.idle_timeout, self.raw.readdir(handle.as_str())).await;
            match answer {
                Err(_) => return Err(self.silent(&format!("listing `{shown}`"))),
                Ok(Ok(names)) => {
                    entries.extend(
                        names
                            .files
                            .into_iter()
                            .filter(|file| file.filename != "." && file.filename != "..")
                            .map(|file| Entry {
                                size: file.attrs.len(),
                                modified: file.attrs.mtime,
                                regular: file.attrs.file_type().is_file(),
                                name: file.filename,
                            }),
                    );
                    if entries.len() > MAX_ENTRIES {
                        return Err(SftpError::TooMany {
                            path: shown.to_owned(),
                            limit: MAX_ENTRIES,
                        });
                    }
                }
                Ok(Err(ClientError::Status(status))) if status.status_code == StatusCode::Eof => break,
                Ok(Err(error)) => return Err(SftpError::of_request("listing", shown, 0, error)),
            }
        }
        self.ask("closing folder", shown, self.raw.close(handle.as_str()))
            .await?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    async fn clear_leftovers(&self, mine: &PartialName) -> Result<(), SftpError> {
        for left in self.partials().await? {
            if left.is_leftover_of(mine) {
                self.remove_partial(&left).await?;
            }
        }
        Ok(())
    }

    /// Unfinished files of ours in the drop folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub async fn partials(&self) -> Result<Vec<PartialName>, SftpError> {
        Ok(self
            .list(&self.target.out_dir)
            .await?
            .iter()
            .filter_map(|entry| PartialName::parse(&entry.name))
            .collect())
    }

    /// Removes an unfinished file of ours; that it is gone already is fine.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn remove_partial(&self, partial: &PartialName) -> Result<(), SftpError> {
        let path = join(&self.target.out_dir, &partial.file_name());
        match self.ask("removing", &path, self.raw.remove(path.as_str())).await {
            Ok(_) | Err(SftpError::Missing { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// For the way out of an error that is reported itself: the next attempt clears what stays.
    async fn remove_quietly(&self, path: &str) {
        match self.ask("removing", path, self.raw.remove(path)).await {
            Ok(_) | Err(SftpError::Missing { .. }) => {}
            Err(error) => tracing::warn!(path, %error, "unfinished file stays at the server"),
        }
    }
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
