//! What can go wrong with an SFTP server, and what it means for the message.

use std::path::PathBuf;

use russh_sftp::client::error::Error as ClientError;
use russh_sftp::protocol::StatusCode;

use crate::delivery::Outcome;

#[derive(Debug, thiserror::Error)]
pub enum SftpError {
    #[error("cannot read known hosts file `{}`: {why}", path.display())]
    KnownHosts { path: PathBuf, why: String },
    #[error(
        "host key of {host} is unknown: `{}` has no line for it; the server offered {offered}. Ask the forwarder for \
         the fingerprint, and add the line when it is the same",
        file.display()
    )]
    UnknownHost {
        host: String,
        file: PathBuf,
        offered: String,
    },
    #[error(
        "HOST KEY OF {host} HAS CHANGED: `{}` line {line} records {recorded}, the server offered {offered}. Nothing \
         was sent. Either the forwarder changed it and says so, or somebody stands in between",
        file.display()
    )]
    ChangedHostKey {
        host: String,
        file: PathBuf,
        line: usize,
        recorded: String,
        offered: String,
    },
    #[error("host key of {host} is revoked by `{}` line {line}", file.display())]
    RevokedHostKey {
        host: String,
        file: PathBuf,
        line: usize,
    },
    #[error("private key `{}` cannot be used", path.display())]
    KeyFile {
        path: PathBuf,
        #[source]
        source: Box<russh::keys::Error>,
    },
    #[error("cannot connect to {address}")]
    Connect {
        address: String,
        #[source]
        source: std::io::Error,
    },
    #[error("{address} refused the key `{}`", key_file.display())]
    AuthRefused { address: String, key_file: PathBuf },
    #[error("no answer within {seconds} s while {what}")]
    Silent { what: String, seconds: f32 },
    #[error("connection lost while {what}: {why}")]
    Lost { what: String, why: String },
    #[error("the server denies permission for {what} `{path}`")]
    PermissionDenied { what: String, path: String },
    #[error("the server has no `{path}` ({what})")]
    Missing { what: String, path: String },
    #[error(
        "the server reported failure ({message}) for {what} `{path}` after {written} bytes; a full disk looks like this"
    )]
    Failure {
        what: String,
        path: String,
        written: u64,
        message: String,
    },
    #[error("the server answered {what} `{path}` in a way that was not understood: {why}")]
    Protocol { what: String, path: String, why: String },
    #[error("`{path}` read back as {found}, wanted {wanted}")]
    ReadBack {
        path: String,
        found: String,
        wanted: String,
    },
    #[error("`{path}` is already there with other content ({found}, ours is {wanted}); it was not touched")]
    Conflict {
        path: String,
        found: String,
        wanted: String,
    },
    #[error("the server lets nobody rename or link: `{path}` cannot be given its name in one step")]
    CannotName { path: String },
    #[error("`{path}` lists more than {limit} entries")]
    TooMany { path: String, limit: usize },
    #[error("`{path}` has {size} bytes, at most {limit} are taken")]
    TooLarge { path: String, size: u64, limit: u64 },
}

impl SftpError {
    /// The connection is gone, or nobody knows whether it is.
    #[must_use]
    pub fn broke_the_connection(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::Silent { .. })
    }

    pub(super) fn of_request(what: &str, path: &str, written: u64, error: ClientError) -> Self {
        let (what, path) = (what.to_owned(), path.to_owned());
        match error {
            ClientError::Status(status) => match status.status_code {
                StatusCode::PermissionDenied => Self::PermissionDenied { what, path },
                StatusCode::NoSuchFile => Self::Missing { what, path },
                StatusCode::Failure => Self::Failure {
                    what,
                    path,
                    written,
                    message: status.error_message,
                },
                code => Self::Protocol {
                    what,
                    path,
                    why: format!("{code}: {}", status.error_message),
                },
            },
            ClientError::IO(why) | ClientError::UnexpectedBehavior(why) => Self::Lost {
                what: format!("{what} `{path}`"),
                why,
            },
            ClientError::Timeout => Self::Lost {
                what: format!("{what} `{path}`"),
                why: "no answer".to_owned(),
            },
            ClientError::Limited(why) => Self::Protocol { what, path, why },
            ClientError::UnexpectedPacket => Self::Protocol {
                what,
                path,
                why: "unexpected packet".to_owned(),
            },
        }
    }

    /// What the error means for the message that was being sent. Because the final name is looked at before every
    /// upload, an attempt that broke off in the middle of the rename may simply be made again.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let why = chain(self);
        match self {
            Self::Conflict { .. } => Outcome::Conflict { why },
            Self::KnownHosts { .. }
            | Self::UnknownHost { .. }
            | Self::ChangedHostKey { .. }
            | Self::RevokedHostKey { .. }
            | Self::KeyFile { .. }
            | Self::AuthRefused { .. }
            | Self::PermissionDenied { .. }
            | Self::CannotName { .. }
            | Self::Missing { .. } => Outcome::Refused { why },
            Self::Connect { .. }
            | Self::Silent { .. }
            | Self::Lost { .. }
            | Self::Failure { .. }
            | Self::Protocol { .. }
            | Self::ReadBack { .. }
            | Self::TooMany { .. }
            | Self::TooLarge { .. } => Outcome::Retry { why },
        }
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
