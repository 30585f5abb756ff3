//! SFTP, mail and folders.

pub mod email;
pub mod folder;
pub mod sftp;
mod sights;
pub mod source_folder;
