//! Logs, progress and the wall clock.
