//! A local folder as a target or an inbox.
