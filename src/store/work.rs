//! Occurrences, jobs and attempts.
