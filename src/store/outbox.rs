//! Messages that must leave exactly once.
