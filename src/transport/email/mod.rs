//! Mail through SMTP with verified TLS and AUTH: one clear outcome per recipient.

mod message;
mod smtp;
mod tls;

pub use message::{EmailError, build_message};
pub use smtp::{Envelope, OUT_OF_TIME, Refused, SendOutcome, SmtpSettings, SmtpTls, look, send, send_to_all};
