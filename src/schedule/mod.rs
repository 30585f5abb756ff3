//! What is due, in civil time.
