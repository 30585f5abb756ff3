//! States of what must leave exactly once.
