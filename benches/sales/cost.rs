//! What something cost: CPU seconds here and in the server, and the clock on the wall.

use std::time::Instant;

use linkstar::args;
use linkstar::store::Store;
use linkstar::store::dialect::Engine;

#[derive(Debug, Clone, Copy)]
pub struct Cost {
    pub cpu: f64,
    /// Of it, in the server.
    pub server: f64,
    pub wall: f64,
    /// MiB of this process.
    pub peak: u64,
}

pub struct Meter {
    own: f64,
    server: f64,
    started: Instant,
}

impl Meter {
    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    pub async fn start(store: &Store) -> Self {
        forget_peak();
        Self {
            server: server_seconds(store).await,
            own: own_seconds(),
            started: Instant::now(),
        }
    }

    pub async fn stop(self, store: &Store) -> Cost {
        let wall = self.started.elapsed().as_secs_f64();
        let own = own_seconds() - self.own;
        let server = server_seconds(store).await - self.server;
        Cost {
            cpu: own + server,
            server,
            wall,
            peak: peak_memory(),
        }
    }
}

/// The scheduler's own account, thread by thread: the ticks of `/proc/self/stat` are too coarse for the shortest work.
fn own_seconds() -> f64 {
    std::fs::read_dir("/proc/self/task")
        .expect("Linux")
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok())
        .filter_map(|account| account.split_whitespace().next()?.parse::<f64>().ok())
        .sum::<f64>()
        / 1e9
}

/// CPU of every backend that works for this database, where the server runs on this machine. Pooled connections stay
/// open for the whole run, so that none takes its account with it.
async fn server_seconds(store: &Store) -> f64 {
    if store.engine() == Engine::Sqlite {
        return 0.0;
    }
    let mut tx = store.read().await.expect("a transaction");
    tx.rows(
        "SELECT pid::BIGINT AS pid FROM pg_stat_activity WHERE datname = current_database()",
        args![],
    )
    .await
    .expect("the backends")
    .iter()
    .map(|row| {
        let pid: i64 = row.get("pid").expect("a process");
        std::fs::read_to_string(format!("/proc/{pid}/schedstat"))
            .ok()
            .and_then(|account| account.split_whitespace().next()?.parse::<f64>().ok())
            .unwrap_or(0.0)
            / 1e9
    })
    .sum()
}

/// From here on the peak is counted anew; memory that the allocator keeps stays in it.
fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux");
}

/// The peak of this process since [`forget_peak`], in MiB.
fn peak_memory() -> u64 {
    std::fs::read_to_string("/proc/self/status")
        .unwrap_or_default()
        .lines()
        .find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
        })
        .unwrap_or(0)
        / 1024
}
