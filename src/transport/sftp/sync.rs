//! Bringing a large file onto the server's disk while it is still being written.
//!
//! A sync after the last byte waits for the whole file. Asked for in between it would hold up the writes behind it,
//! because a server works on the requests of one channel one after the other: so they go through a second channel.

use russh_sftp::client::RawSftpSession;
use russh_sftp::protocol::{FileAttributes, OpenFlags};
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Session, start_sftp};

/// A file of at least so many bytes is synced on the way.
const FROM: usize = 32 * 1024 * 1024;
/// After so many more bytes.
const STEP: u64 = 16 * 1024 * 1024;

impl Session {
    pub(super) fn syncs_alongside(&self, bytes: usize) -> bool {
        self.capabilities.fsync && bytes >= FROM
    }

    /// Asks for a sync each time enough has been acknowledged, until the sender is gone. It only makes the last sync
    /// shorter: a server that does not want it is not asked again, and what went wrong shows itself in the writes.
    pub(super) async fn sync_alongside(&self, partial: &str, written: watch::Receiver<u64>) {
        if let Err(why) = self.try_sync_alongside(partial, written).await {
            tracing::debug!(partial, why, "not synced on the way");
        }
    }

    async fn try_sync_alongside(
        &self,
        partial: &str,
        mut written: watch::Receiver<u64>,
    ) -> Result<(), String> {
        let idle = self.target.idle_timeout;
        let started = timeout(idle, start_sftp(&self.ssh, &self.target)).await;
        let (second, _) = started
            .map_err(|_| "no answer".to_owned())?
            .map_err(|error| error.to_string())?;
        let mut asked = async |second: &RawSftpSession| {
            let opened = second
                .open(partial, OpenFlags::WRITE, FileAttributes::empty())
                .await
                .map_err(|error| error.to_string())?;
            let mut synced = 0;
            // The end of the writes is the end of this; the last sync is not asked for here.
            while let Ok(so_far) = written
                .wait_for(|now| *now >= synced + STEP)
                .await
                .map(|now| *now)
            {
                timeout(idle, second.fsync(opened.handle.as_str()))
                    .await
                    .map_err(|_| "no answer".to_owned())?
                    .map_err(|error| error.to_string())?;
                synced = so_far;
            }
            timeout(idle, second.close(opened.handle.as_str()))
                .await
                .map_err(|_| "no answer".to_owned())?
                .map_err(|error| error.to_string())
        };
        let done = asked(&second).await;
        let _ = second.close_session();
        done.map(drop)
    }
}
