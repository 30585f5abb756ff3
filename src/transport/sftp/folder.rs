//! Listing a remote folder, and clearing what unfinished attempts left in it.

use russh_sftp::client::error::Error as ClientError;
use russh_sftp::protocol::StatusCode;
use tokio::time::timeout;

use super::{Session, SftpError, join};
use crate::delivery::PartialName;

/// A drop folder with more entries than this is not looked through.
const MAX_ENTRIES: usize = 100_000;

/// An entry of a remote folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    pub size: u64,
    pub modified: Option<u32>,
    pub regular: bool,
}

impl Session {
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
    pub(super) async fn remove_quietly(&self, path: &str) {
        match self.ask("removing", path, self.raw.remove(path)).await {
            Ok(_) | Err(SftpError::Missing { .. }) => {}
            Err(error) => tracing::warn!(path, %error, "unfinished file stays at the server"),
        }
    }
}
