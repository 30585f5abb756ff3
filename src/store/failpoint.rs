//! Death at a commit, for tests: `LINKSTAR_ABORT_AT_COMMIT=n` ends the process, as `kill -9` would, at the n-th commit
//! boundary. Boundaries are counted from 1; odd ones stand before a commit, even ones behind it. Debug builds only.

/// On which side of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Boundary {
    Before,
    After,
}

#[cfg(debug_assertions)]
pub(super) fn pass(_boundary: Boundary) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static AT: OnceLock<Option<u64>> = OnceLock::new();
    static PASSED: AtomicU64 = AtomicU64::new(0);
    let at = AT.get_or_init(|| std::env::var("LINKSTAR_ABORT_AT_COMMIT").ok()?.parse().ok());
    if let Some(at) = *at
        && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == at
    {
        std::process::abort();
    }
}

#[cfg(not(debug_assertions))]
pub(super) fn pass(_boundary: Boundary) {}
