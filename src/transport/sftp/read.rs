//! Reading a remote file with several requests in flight.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use russh_sftp::client::error::Error as ClientError;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use tokio::time::timeout;

use super::upload::{IN_FLIGHT, as_u64, as_usize};
use super::{Session, SftpError};
use crate::digest::Hasher;

impl Session {
    /// SHA-256 of a remote file, or how many bytes were there when it is not of that size.
    pub(super) async fn hash(&self, path: &str, size: u64) -> Result<String, SftpError> {
        let mut hasher = Hasher::default();
        let read = self.read_file(path, size, |bytes| hasher.update(bytes)).await?;
        if read == size {
            Ok(hasher.finish())
        } else {
            Ok(format!("{read} bytes"))
        }
    }

    pub(super) async fn read_all(&self, path: &str, size: u64) -> Result<Vec<u8>, SftpError> {
        let mut all = Vec::new();
        self.read_file(path, size, |bytes| all.extend_from_slice(bytes))
            .await?;
        Ok(all)
    }

    /// Reads at most `size` bytes and one more, which shows whether there is more.
    async fn read_file(&self, path: &str, size: u64, mut take: impl FnMut(&[u8])) -> Result<u64, SftpError> {
        let handle = self.open_file("opening", path, OpenFlags::READ).await?;
        let read = self
            .read_range(path, &handle, (0, size.saturating_add(1)), |_, bytes| {
                take(bytes);
                true
            })
            .await?;
        self.close_file(path, &handle).await?;
        Ok(read)
    }

    /// The first place between `from` and the end of `wanted` where the file differs from it or ends; the length of
    /// `wanted` when it agrees throughout.
    pub(super) async fn agrees_until(
        &self,
        path: &str,
        handle: &str,
        from: u64,
        wanted: &[u8],
    ) -> Result<u64, SftpError> {
        let mut same = from;
        let end = as_u64(wanted.len());
        self.read_range(path, handle, (from, end), |offset, bytes| {
            let ours = wanted
                .get(as_usize(offset)..)
                .and_then(|rest| rest.get(..bytes.len()))
                .unwrap_or_default();
            let alike = ours.iter().zip(bytes).take_while(|(a, b)| a == b).count();
            same = offset + as_u64(if ours == bytes { bytes.len() } else { alike });
            ours == bytes
        })
        .await?;
        Ok(same)
    }

    /// Hands the bytes between two places out in order, until the end, or until `take` says no. Returns how far it got.
    async fn read_range(
        &self,
        path: &str,
        handle: &str,
        (from, to): (u64, u64),
        mut take: impl FnMut(u64, &[u8]) -> bool,
    ) -> Result<u64, SftpError> {
        let chunk = as_u64(self.chunk);
        let mut asked = from;
        let mut got = from;
        let mut in_flight = FuturesOrdered::new();
        loop {
            while in_flight.len() < IN_FLIGHT && asked < to {
                let length = chunk.min(to - asked);
                in_flight.push_back(self.read_piece(handle, asked, length));
                asked += length;
            }
            let (wanted, answer) = match timeout(self.target.idle_timeout, in_flight.next()).await {
                Err(_) => return Err(self.silent(&format!("reading `{path}` after {got} bytes"))),
                Ok(None) => return Ok(got),
                Ok(Some(answer)) => answer,
            };
            let bytes = match answer {
                Ok(bytes) => bytes,
                Err(ClientError::Status(status)) if status.status_code == StatusCode::Eof => return Ok(got),
                Err(error) => return Err(SftpError::of_request("reading", path, got, error)),
            };
            if bytes.is_empty() {
                return Ok(got);
            }
            let more = take(got, &bytes);
            got += as_u64(bytes.len());
            if !more {
                return Ok(got);
            }
            if as_u64(bytes.len()) < wanted {
                // A short answer: what was asked for behind it is in the wrong place now.
                in_flight = FuturesOrdered::new();
                asked = got;
            }
        }
    }

    async fn read_piece(
        &self,
        handle: &str,
        offset: u64,
        length: u64,
    ) -> (u64, Result<Vec<u8>, ClientError>) {
        let bytes = u32::try_from(length).unwrap_or(u32::MAX);
        let answer = self.raw.read(handle, offset, bytes).await;
        (length, answer.map(|data| data.data))
    }

    pub(super) async fn open_file(
        &self,
        what: &str,
        path: &str,
        flags: OpenFlags,
    ) -> Result<String, SftpError> {
        let opened = self.raw.open(path, flags, FileAttributes::empty());
        Ok(self.ask(what, path, opened).await?.handle)
    }

    pub(super) async fn close_file(&self, path: &str, handle: &str) -> Result<(), SftpError> {
        self.ask("closing", path, self.raw.close(handle)).await.map(drop)
    }
}
