//! Mail through SMTP with verified TLS and AUTH: one message per recipient, one clear outcome per message.

mod message;
mod smtp;

pub use message::{EmailError, build_message};
pub use smtp::{Envelope, Refused, SendOutcome, SmtpSettings, SmtpTls, send};
