//! The first half of an upload: everything up to the final name.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, FuturesOrdered};
use russh_sftp::client::error::Error as ClientError;
use russh_sftp::protocol::OpenFlags;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Session, SftpError, join};
use crate::delivery::{Outgoing, PartialName, Staged, read_back};

pub(super) const IN_FLIGHT: usize = 16;
/// A file of at most so many bytes is written, synced, measured and read back in one go of requests.
const IN_ONE_GO: usize = 128 * 1024;

impl Session {
    /// First half: looks for the final name, takes over or clears what earlier attempts left, writes under the hidden
    /// name, syncs, measures and reads back. Nothing is visible to the forwarder yet.
    ///
    /// # Errors
    /// [`SftpError::Conflict`] when other content stands under the final name; otherwise what failed. The hidden
    /// file is removed again when the server refused in the middle of it.
    pub async fn stage(&self, file: &Outgoing<'_>) -> Result<Staged, SftpError> {
        let path = join(&self.target.out_dir, file.name);
        let mine = file.partial();
        let mut left = if file.attempt > 1 {
            self.leftovers(&mine).await?
        } else {
            Vec::new()
        };
        if self.look(&path, file).await? {
            self.clear(&left).await?;
            return Ok(Staged::AlreadyThere { path });
        }
        let partial = join(&self.target.out_dir, &mine.file_name());
        let mut taken_over = None;
        if file.size() >= self.target.tuning.resume_from {
            taken_over = self.take_over(&mut left, &partial, file).await?;
        }
        self.clear(&left).await?;
        let written = match taken_over {
            Some((handle, from)) => self
                .write_rest(&partial, &handle, from, file)
                .await
                .map(|()| from),
            None => self.write_new(&partial, file).await.map(|()| 0),
        };
        match written {
            Ok(continued_from) => Ok(Staged::Ready {
                partial,
                path,
                continued_from,
            }),
            Err(error) => {
                // A full disk should get its space back at once; a lost connection leaves it to the next attempt.
                if !error.broke_the_connection() {
                    self.remove_quietly(&partial).await;
                }
                Err(error)
            }
        }
    }

    /// Takes away what was staged and must not be published.
    pub async fn abandon(&self, staged: &Staged) {
        if let Staged::Ready { partial, .. } = staged {
            self.remove_quietly(partial).await;
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

    /// Earlier attempts of the same message, the newest first.
    async fn leftovers(&self, mine: &PartialName) -> Result<Vec<PartialName>, SftpError> {
        let mut left = self.partials().await?;
        left.retain(|found| found.is_leftover_of(mine));
        left.sort_by_key(|found| std::cmp::Reverse(found.attempt));
        Ok(left)
    }

    async fn clear(&self, left: &[PartialName]) -> Result<(), SftpError> {
        for partial in left {
            self.remove_partial(partial).await?;
        }
        Ok(())
    }

    /// Takes the newest leftover under this attempt's name, and says from where it must be written on. What is there
    /// is read and compared: the writes of a broken attempt may have left holes.
    async fn take_over(
        &self,
        left: &mut Vec<PartialName>,
        partial: &str,
        file: &Outgoing<'_>,
    ) -> Result<Option<(String, u64)>, SftpError> {
        let Some(newest) = left.first() else {
            return Ok(None);
        };
        let old = join(&self.target.out_dir, &newest.file_name());
        match self
            .ask("taking over", &old, self.raw.rename(old.as_str(), partial))
            .await
        {
            Ok(_) => {}
            Err(error) if error.broke_the_connection() => return Err(error),
            // It cannot be renamed, or went away: the file is sent anew.
            Err(_) => return Ok(None),
        }
        left.remove(0);
        let handle = self
            .open_file("opening", partial, OpenFlags::READ | OpenFlags::WRITE)
            .await?;
        let size = self
            .ask("measuring", partial, self.raw.fstat(handle.as_str()))
            .await?
            .attrs
            .len();
        let there = size.min(file.size());
        let known = file.bytes.get(..as_usize(there)).unwrap_or_default();
        let from = self.agrees_until(partial, &handle, 0, known).await?;
        if size <= file.size() && from > 0 {
            return Ok(Some((handle, from)));
        }
        self.close_file(partial, &handle).await?;
        self.remove_quietly(partial).await;
        Ok(None)
    }

    async fn write_new(&self, partial: &str, file: &Outgoing<'_>) -> Result<(), SftpError> {
        let flags = OpenFlags::READ | OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE;
        let handle = match self.open_file("creating", partial, flags).await {
            // The name is new, so it is the folder that is not there.
            Err(SftpError::Missing { .. }) => {
                return Err(SftpError::Missing {
                    what: "creating a file in it".to_owned(),
                    path: self.target.out_dir.clone(),
                });
            }
            opened => opened?,
        };
        if file.bytes.len() > IN_ONE_GO || self.pace.is_limited() {
            return self.write_rest(partial, &handle, 0, file).await;
        }
        // The requests are sent in this order without waiting, and servers answer those of one file in order.
        let (written, synced, checked) = tokio::join!(
            self.write_from(partial, &handle, 0, file.bytes),
            self.sync(partial, &handle),
            self.check(partial, &handle, 0, file),
        );
        let result = match written.and(synced) {
            Ok(()) => match checked {
                // A server that reads before it has written: ask again, now that everything is answered.
                Err(SftpError::ReadBack { .. }) => self.check(partial, &handle, 0, file).await,
                checked => checked,
            },
            Err(error) => Err(error),
        };
        self.finish_file(partial, &handle, result).await
    }

    async fn write_rest(
        &self,
        partial: &str,
        handle: &str,
        from: u64,
        file: &Outgoing<'_>,
    ) -> Result<(), SftpError> {
        let result = async {
            self.write_from(partial, handle, from, file.bytes).await?;
            self.sync(partial, handle).await?;
            // What an earlier attempt left was compared when it was taken over.
            self.check(partial, handle, from, file).await
        };
        let result = result.await;
        self.finish_file(partial, handle, result).await
    }

    async fn finish_file(
        &self,
        partial: &str,
        handle: &str,
        result: Result<(), SftpError>,
    ) -> Result<(), SftpError> {
        match result {
            Err(error) if error.broke_the_connection() => Err(error),
            result => {
                let closed = self.close_file(partial, handle).await;
                result.and(closed)
            }
        }
    }

    async fn sync(&self, partial: &str, handle: &str) -> Result<(), SftpError> {
        if self.capabilities.fsync {
            self.ask("syncing", partial, self.raw.fsync(handle))
                .await
                .map(drop)
        } else {
            Ok(())
        }
    }

    /// Whether the size is ours, and the bytes from there on, as far as they are read back.
    async fn check(
        &self,
        partial: &str,
        handle: &str,
        from: u64,
        file: &Outgoing<'_>,
    ) -> Result<(), SftpError> {
        let (size, differs) = tokio::join!(
            self.ask("measuring", partial, self.raw.fstat(handle)),
            self.differs_at(partial, handle, from, file),
        );
        let (size, differs) = (size?.attrs.len(), differs?);
        let found = if size != file.size() {
            format!("{size} bytes")
        } else if let Some(place) = differs {
            format!("other bytes from {place} on")
        } else {
            return Ok(());
        };
        Err(SftpError::ReadBack {
            path: partial.to_owned(),
            found,
            wanted: format!("{} bytes, sha256 {}", file.size(), file.sha256),
        })
    }

    /// The first place from `from` on, among those that are read back, where the file differs from ours.
    async fn differs_at(
        &self,
        partial: &str,
        handle: &str,
        from: u64,
        file: &Outgoing<'_>,
    ) -> Result<Option<u64>, SftpError> {
        let parts = read_back(file.size(), file.sha256)
            .into_iter()
            .filter(|part| part.end > from);
        let mut looks = stream::iter(parts.map(|part| {
            let wanted = file.bytes.get(..as_usize(part.end)).unwrap_or_default();
            async move {
                let start = part.start.max(from);
                let same = self.agrees_until(partial, handle, start, wanted).await?;
                Ok::<_, SftpError>((same < part.end).then_some(same))
            }
        }))
        .buffered(IN_FLIGHT);
        while let Some(look) = looks.next().await {
            if let Some(place) = look? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    async fn write_from(&self, path: &str, handle: &str, from: u64, bytes: &[u8]) -> Result<(), SftpError> {
        let (progress, seen) = watch::channel(from);
        let written = async move { self.write_pieces(path, handle, from, bytes, progress).await };
        if !self.syncs_alongside(bytes.len()) {
            return written.await;
        }
        // The sender goes with the writes, and with it the syncs end.
        let (written, ()) = tokio::join!(written, self.sync_alongside(path, seen));
        written
    }

    async fn write_pieces(
        &self,
        path: &str,
        handle: &str,
        from: u64,
        bytes: &[u8],
        progress: watch::Sender<u64>,
    ) -> Result<(), SftpError> {
        let mut acknowledged = from;
        let mut offset = from;
        let mut chunks = bytes
            .get(as_usize(from)..)
            .unwrap_or_default()
            .chunks(self.pace.chunk(self.chunk));
        let mut in_flight = FuturesOrdered::new();
        loop {
            while in_flight.len() < self.pace.in_flight() {
                let Some(chunk) = chunks.next() else { break };
                self.pace.wait(chunk.len()).await;
                in_flight.push_back(self.write_chunk(handle, offset, chunk));
                offset += as_u64(chunk.len());
            }
            match timeout(self.target.idle_timeout, in_flight.next()).await {
                Err(_) => {
                    return Err(self.silent(&format!("writing `{path}` after {acknowledged} bytes")));
                }
                Ok(None) => return Ok(()),
                Ok(Some(Ok(length))) => {
                    acknowledged += length;
                    progress.send_replace(acknowledged);
                }
                Ok(Some(Err(error))) => {
                    return Err(SftpError::of_request("writing", path, acknowledged, error));
                }
            }
        }
    }

    async fn write_chunk(&self, handle: &str, offset: u64, chunk: &[u8]) -> Result<u64, ClientError> {
        self.raw.write(handle, offset, chunk.to_vec()).await?;
        Ok(as_u64(chunk.len()))
    }
}

/// Keeps the bytes of one session below a rate.
pub(super) struct Pace {
    bytes_per_second: Option<u64>,
    /// When the bytes sent so far have used up their time.
    free_at: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn new(bytes_per_second: Option<u64>) -> Self {
        Self {
            bytes_per_second: bytes_per_second.filter(|rate| *rate > 0),
            free_at: Mutex::new(None),
        }
    }

    pub(super) fn is_limited(&self) -> bool {
        self.bytes_per_second.is_some()
    }

    /// A slow link gets short requests, about four a second, so that each answer comes within its deadline.
    fn chunk(&self, usual: usize) -> usize {
        match self.bytes_per_second {
            Some(rate) => as_usize(rate / 4).clamp(1024, usual),
            None => usual,
        }
    }

    fn in_flight(&self) -> usize {
        if self.is_limited() { 1 } else { IN_FLIGHT }
    }

    async fn wait(&self, bytes: usize) {
        let Some(rate) = self.bytes_per_second else {
            return;
        };
        let mut free_at = self.free_at.lock().await;
        let now = Instant::now();
        let start = free_at.map_or(now, |free| free.max(now));
        let nanos = u128::from(as_u64(bytes)) * 1_000_000_000 / u128::from(rate);
        *free_at = Some(start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)));
        sleep_until(start).await;
    }
}

pub(super) fn as_u64(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

pub(super) fn as_usize(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
