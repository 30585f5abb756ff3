//! SFTP, mail and folders.

pub mod email;
pub mod folder;
pub mod sftp;
