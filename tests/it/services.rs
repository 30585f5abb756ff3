//! Starts and stops the real servers that the tests talk to.
