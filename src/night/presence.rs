//! The name of a living process: the same after a restart, and never that of two at once.
//!
//! Processes that share a home folder share its `data/presence/`: each locks the first file that nobody has locked,
//! and is called after the machine, the folder and the file's number. The system takes the lock away when a process
//! dies, however it dies. So a lock that can be had says that its owner is dead, and that what it held may be taken
//! back without waiting for any lease to run out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::Night;
use crate::jobs;
use crate::schedule::daemon::watcher;
use crate::store::{StoreError, turn};

/// More processes than this on one folder are a fault in how they are started.
const MOST: u32 = 256;

/// A name, held as long as this lives.
#[derive(Debug)]
pub struct Presence {
    owner: String,
    /// Names whose processes are dead, with their locks: nobody may be called so before everything is taken back.
    dead: Mutex<Vec<(String, Option<File>)>>,
    _lock: Option<File>,
}

impl Presence {
    /// Takes a name in the home folder. Where the folder cannot be written the name is of this process only: what it
    /// leaves behind when it dies is taken back when the leases run out.
    #[must_use]
    pub fn take(home: &Path) -> Self {
        match locked(home) {
            Ok(presence) => presence,
            Err(error) => {
                let owner = format!("{}#pid{}", place(home), std::process::id());
                tracing::warn!(%error, owner, "no lock in the home folder: a restart will wait for leases");
                Self {
                    owner,
                    dead: Mutex::default(),
                    _lock: None,
                }
            }
        }
    }

    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    fn dead(&self) -> Vec<String> {
        let dead = self.dead.lock().unwrap_or_else(PoisonError::into_inner);
        dead.iter().map(|(name, _)| name.clone()).collect()
    }

    fn let_go(&self) {
        self.dead.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn place(home: &Path) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    format!("linkstar@{}:{}", host.trim(), home.display())
}

fn locked(home: &Path) -> io::Result<Presence> {
    let folder = home.join("data/presence");
    std::fs::create_dir_all(&folder)?;
    let place = place(home);
    let name = |number: u32| format!("{place}#{number}");
    let mut own: Option<(String, File)> = None;
    let mut dead = Vec::new();
    for number in 0..MOST {
        let path = folder.join(format!("{number}.lock"));
        if own.is_some() && !path.exists() {
            break;
        }
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)?;
        match file.try_lock() {
            Ok(()) if own.is_none() => {
                dead.push((name(number), None));
                own = Some((name(number), file));
            }
            Ok(()) => dead.push((name(number), Some(file))),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    let (owner, lock) = own.ok_or_else(|| io::Error::other(format!("{MOST} processes use this folder")))?;
    Ok(Presence {
        owner,
        dead: Mutex::new(dead),
        _lock: Some(lock),
    })
}

/// [`take_back`], once in a process's life: later nobody can have died under a name it saw at its start.
pub(super) async fn take_back_once(night: &Night<'_>) -> Result<(), StoreError> {
    night
        .tools
        .taken_back
        .get_or_try_init(|| take_back(night))
        .await
        .map(drop)
}

/// Takes back what processes that are known to be dead held of this account: messages, jobs and turns.
///
/// # Errors
/// When the store refuses.
async fn take_back(night: &Night<'_>) -> Result<(), StoreError> {
    let presence = night.tools.presence(&night.config.home);
    let names = presence
        .dead()
        .into_iter()
        .flat_map(|name| [watcher(&name), name]);
    for owner in names {
        let owner = owner.as_str();
        let recovered = jobs::recover(night.store, night.clock, night.account(), owner).await?;
        let mut tx = night.store.write().await?;
        let turns = turn::give_back_of(&mut tx, night.account(), owner, night.now()).await?;
        tx.commit().await?;
        if turns > 0 || !recovered.jobs.is_empty() || !recovered.messages.is_empty() {
            tracing::warn!(
                owner,
                turns,
                jobs = recovered.jobs.len(),
                messages = recovered.messages.len(),
                "taken up again after a crash"
            );
        }
    }
    presence.let_go();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_living_name_is_not_given_twice_and_a_dead_one_is_known_to_be_dead() {
        let home = tempfile::tempdir().unwrap();
        let first = Presence::take(home.path());
        let second = Presence::take(home.path());
        let third = Presence::take(home.path());
        assert_ne!(first.owner(), second.owner());
        assert_eq!(second.dead(), std::slice::from_ref(&second.owner));
        // As a death does it: the system takes the lock away.
        let names = (first.owner.clone(), third.owner.clone());
        drop(first);
        drop(third);
        let again = Presence::take(home.path());
        assert_eq!(again.owner, names.0, "the same name after a restart");
        assert_eq!(
            again.dead(),
            [names.0.clone(), names.1.clone()],
            "and the other dead one is known"
        );
        // Until what the dead one held is taken back, nobody gets its name: it would lose what it claims.
        let fourth = Presence::take(home.path());
        assert!(![&names.0, &names.1, &second.owner].contains(&&fourth.owner));
        again.let_go();
        assert_eq!(Presence::take(home.path()).owner, names.1);
    }

    #[test]
    fn a_folder_that_cannot_be_written_gives_a_name_of_this_process_alone() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let presence = Presence::take(file.path());
        assert!(presence.owner().contains("#pid"), "{}", presence.owner());
        assert!(presence.dead().is_empty());
    }
}
