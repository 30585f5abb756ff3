//! SFTP with enforced host keys.
