//! Upload and download over SFTP.
