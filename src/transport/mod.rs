//! SFTP, mail and folders.
