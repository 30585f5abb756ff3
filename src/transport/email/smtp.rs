//! The conversation with the server.
//!
//! It is driven command by command, because the one thing that matters after a failure is where it happened: before
//! the end of the body was sent the server cannot have taken the message, after that it may have.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

use crate::secret::Secret;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Plain greeting, then STARTTLS; a server that does not offer it gets nothing.
    StartTls,
    /// TLS from the first byte (port 465).
    Implicit,
}

#[derive(Debug, Clone)]
pub struct SmtpSettings {
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    pub user: String,
    pub password: Secret,
    /// A certificate authority besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// For the whole conversation.
    pub timeout: Duration,
}

/// Who says so to the server: not what the headers show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    pub from: String,
    pub to: String,
}

/// What was refused: what a person has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Certificate or TLS: nothing was said to this server.
    Tls,
    Login,
    Sender,
    Recipient,
    Message,
    /// Our own side: an address that is none, a CA file that cannot be read.
    Settings,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    Accepted {
        /// The server's words, often with its queue id.
        answer: String,
    },
    /// Trying again changes nothing.
    RefusedPermanent {
        what: Refused,
        code: Option<u16>,
        text: String,
    },
    /// Nothing has left; the same message may be sent again.
    RetryLater { code: Option<u16>, text: String },
    /// The whole body was sent and no answer came: it may have left. A person or the recipient has to tell.
    Doubtful { why: String },
}

/// How far the conversation is. Only `BodySent` makes a broken connection doubtful.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connect,
    Tls,
    Login,
    Sender,
    Recipient,
    Body,
    BodySent,
}

/// Shared with the conversation, which is dropped when its time is over.
struct Progress(AtomicU8);

impl Progress {
    const STAGES: [Stage; 7] = [
        Stage::Connect,
        Stage::Tls,
        Stage::Login,
        Stage::Sender,
        Stage::Recipient,
        Stage::Body,
        Stage::BodySent,
    ];

    fn set(&self, stage: Stage) {
        self.0.store(stage as u8, Ordering::Relaxed);
    }

    /// An unknown number would be the last stage: doubt is the safe side.
    fn get(&self) -> Stage {
        let now = self.0.load(Ordering::Relaxed);
        Self::STAGES
            .into_iter()
            .find(|stage| *stage as u8 == now)
            .unwrap_or(Stage::BodySent)
    }
}

/// Sends one message to one recipient, within the settings' time.
pub async fn send(settings: &SmtpSettings, message: &[u8], envelope: &Envelope) -> SendOutcome {
    let (from, to): (Address, Address) = match (envelope.from.parse(), envelope.to.parse()) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(error), _) => return settings_refused(format!("sender `{}`: {error}", envelope.from)),
        (_, Err(error)) => return settings_refused(format!("recipient `{}`: {error}", envelope.to)),
    };
    let tls = match tls_parameters(settings).await {
        Ok(tls) => tls,
        Err(why) => return settings_refused(why),
    };
    let stage = Progress(AtomicU8::new(Stage::Connect as u8));
    let talk = converse(settings, tls, message, from, to, &stage);
    match tokio::time::timeout(settings.timeout, talk).await {
        Ok(Ok(answer)) => SendOutcome::Accepted { answer },
        Ok(Err(error)) => judge(stage.get(), &error),
        Err(_) if stage.get() == Stage::BodySent => SendOutcome::Doubtful {
            why: format!("no answer to the body within {} s", settings.timeout.as_secs()),
        },
        Err(_) => SendOutcome::RetryLater {
            code: None,
            text: format!("not done within {} s", settings.timeout.as_secs()),
        },
    }
}

fn settings_refused(text: String) -> SendOutcome {
    SendOutcome::RefusedPermanent {
        what: Refused::Settings,
        code: None,
        text,
    }
}

/// A larger file is not a certificate.
const MAX_CA_BYTES: u64 = 4 * 1024 * 1024;

async fn tls_parameters(settings: &SmtpSettings) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let shown = path.display();
        let about = tokio::fs::metadata(path)
            .await
            .map_err(|error| format!("read the CA file {shown}: {error}"))?;
        if about.len() > MAX_CA_BYTES {
            return Err(format!("the CA file {shown} has {} bytes", about.len()));
        }
        let pem = tokio::fs::read(path)
            .await
            .map_err(|error| format!("read the CA file {shown}: {error}"))?;
        let certificate = Certificate::from_pem(&pem)
            .map_err(|error| format!("the CA file {shown} is no PEM certificate: {error}"))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder
        .build_rustls()
        .map_err(|error| format!("prepare TLS for {}: {error}", settings.host))
}

async fn converse(
    settings: &SmtpSettings,
    tls: TlsParameters,
    message: &[u8],
    from: Address,
    to: Address,
    stage: &Progress,
) -> Result<String, Talk> {
    let hello = ClientId::default();
    let address = (settings.host.as_str(), settings.port);
    let patience = Some(settings.timeout);
    let mut talk = match settings.tls {
        SmtpTls::Implicit => {
            AsyncSmtpConnection::connect_tokio1(address, patience, &hello, Some(tls), None).await?
        }
        SmtpTls::StartTls => {
            let mut talk = AsyncSmtpConnection::connect_tokio1(address, patience, &hello, None, None).await?;
            stage.set(Stage::Tls);
            if !talk.can_starttls() {
                talk.abort().await;
                return Err(Talk::Own("the server offers no STARTTLS"));
            }
            talk.starttls(tls, &hello).await?;
            talk
        }
    };
    stage.set(Stage::Login);
    if !talk.is_encrypted() {
        talk.abort().await;
        return Err(Talk::Own("the connection is not encrypted"));
    }
    if talk
        .server_info()
        .get_auth_mechanism(&[Mechanism::Plain, Mechanism::Login])
        .is_none()
    {
        talk.abort().await;
        return Err(Talk::Own("the server offers neither AUTH PLAIN nor AUTH LOGIN"));
    }
    let credentials = Credentials::new(settings.user.clone(), settings.password.expose().to_owned());
    talk.auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
        .await?;

    stage.set(Stage::Sender);
    let mut options = Vec::new();
    if !message.is_ascii() {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    if !(from.to_string().is_ascii() && to.to_string().is_ascii()) {
        if !talk.server_info().supports_feature(Extension::SmtpUtfEight) {
            talk.abort().await;
            return Err(Talk::Own("the server does not take addresses outside ASCII"));
        }
        options.push(MailParameter::SmtpUtfEight);
    }
    talk.command(Mail::new(Some(from), options)).await?;
    stage.set(Stage::Recipient);
    talk.command(Rcpt::new(to, Vec::new())).await?;
    stage.set(Stage::Body);
    talk.command(Data).await?;
    // The client ends the body itself; the message's own last line break would become an empty line.
    let body = message.strip_suffix(b"\r\n").unwrap_or(message);
    let answer = talk.message_iter(Pieces { rest: body, stage }).await?;
    let words: Vec<&str> = answer.message().collect();
    let words = format!("{} {}", answer.code(), words.join(" "));
    // The message is accepted; a server that does not say goodbye changes nothing.
    if let Err(error) = talk.quit().await {
        tracing::debug!(%error, "no answer to QUIT");
    }
    Ok(words)
}

/// Hands the body out in pieces. A piece is asked for only after the one before was written, so the end of the
/// pieces is the moment from which the server may know the whole message.
struct Pieces<'a> {
    rest: &'a [u8],
    stage: &'a Progress,
}

const PIECE_BYTES: usize = 64 * 1024;

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            self.stage.set(Stage::BodySent);
            return None;
        }
        let (piece, rest) = self.rest.split_at(self.rest.len().min(PIECE_BYTES));
        self.rest = rest;
        Some(piece)
    }
}

#[derive(Debug)]
enum Talk {
    Smtp(SmtpError),
    /// Refused by ourselves.
    Own(&'static str),
}

impl From<SmtpError> for Talk {
    fn from(error: SmtpError) -> Self {
        Self::Smtp(error)
    }
}

fn refused_at(stage: Stage) -> Refused {
    match stage {
        Stage::Connect | Stage::Body | Stage::BodySent => Refused::Message,
        Stage::Tls => Refused::Tls,
        Stage::Login => Refused::Login,
        Stage::Sender => Refused::Sender,
        Stage::Recipient => Refused::Recipient,
    }
}

fn judge(stage: Stage, error: &Talk) -> SendOutcome {
    let error = match error {
        Talk::Own(why) => {
            return SendOutcome::RefusedPermanent {
                what: refused_at(stage),
                code: None,
                text: (*why).to_owned(),
            };
        }
        Talk::Smtp(error) => error,
    };
    let code = error.status().map(u16::from);
    let text = error.to_string();
    if error.is_permanent() {
        return SendOutcome::RefusedPermanent {
            what: refused_at(stage),
            code,
            text,
        };
    }
    if error.is_transient() {
        return SendOutcome::RetryLater { code, text };
    }
    if let Some(tls) = certificate_error(error) {
        return SendOutcome::RefusedPermanent {
            what: Refused::Tls,
            code: None,
            text: tls.to_string(),
        };
    }
    if stage == Stage::BodySent {
        return SendOutcome::Doubtful { why: text };
    }
    SendOutcome::RetryLater { code: None, text }
}

/// A certificate that does not verify stays wrong until a person acts; other TLS trouble may pass.
fn certificate_error(error: &SmtpError) -> Option<&rustls::Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let tls = error.downcast_ref::<rustls::Error>().or_else(|| {
            error
                .downcast_ref::<std::io::Error>()
                .and_then(std::io::Error::get_ref)
                .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        });
        if let Some(tls) = tls {
            return matches!(tls, rustls::Error::InvalidCertificate(_)).then_some(tls);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> SmtpSettings {
        SmtpSettings {
            host: "mail.example.com".to_owned(),
            port: 587,
            tls: SmtpTls::StartTls,
            user: "bot".to_owned(),
            password: Secret::new("hunter2".to_owned()),
            ca_file: None,
            timeout: Duration::from_secs(5),
        }
    }

    #[test]
    fn a_sending_may_move_between_threads() {
        fn assert_send<T: Send>(_: &T) {}
        let envelope = Envelope {
            from: "a@example.com".to_owned(),
            to: "b@example.com".to_owned(),
        };
        assert_send(&send(&settings(), b"", &envelope));
    }

    #[test]
    fn a_password_does_not_show_itself() {
        let settings = settings();
        let shown = format!("{settings:?}");
        assert!(
            shown.contains("[redacted]") && !shown.contains("hunter2"),
            "{shown}"
        );
    }
}
