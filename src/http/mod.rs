//! Asks what a connector says, over HTTP.
