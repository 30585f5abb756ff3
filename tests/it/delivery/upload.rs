//! Uploads to OpenSSH.
