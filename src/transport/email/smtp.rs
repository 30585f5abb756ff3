//! The conversation with the server.
//!
//! It is driven command by command, because the one thing that matters after a failure is where it happened: before
//! the end of the body was sent the server cannot have taken the message, after that it may have.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

use super::tls::{certificate_error, tls_parameters};
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
    let to = std::slice::from_ref(&envelope.to);
    let mut outcomes = send_to_all(settings, message, &envelope.from, to).await;
    outcomes
        .pop()
        .unwrap_or_else(|| settings_refused("no recipient".to_owned()))
}

/// Sends one message to several recipients in one conversation. Each is answered apart, in the order given: a
/// recipient the server does not take stops none of the others.
pub async fn send_to_all(
    settings: &SmtpSettings,
    message: &[u8],
    from: &str,
    to: &[String],
) -> Vec<SendOutcome> {
    let all = |outcome: SendOutcome| vec![outcome; to.len()];
    let sender: Address = match from.parse() {
        Ok(sender) => sender,
        Err(error) => return all(settings_refused(format!("sender `{from}`: {error}"))),
    };
    let tls = match tls_parameters(settings).await {
        Ok(tls) => tls,
        Err(why) => return all(settings_refused(why)),
    };
    let recipients: Vec<Result<Address, SendOutcome>> = to
        .iter()
        .map(|to| {
            to.parse()
                .map_err(|error| settings_refused(format!("recipient `{to}`: {error}")))
        })
        .collect();
    let stage = Progress(AtomicU8::new(Stage::Connect as u8));
    let answered = Mutex::new(vec![None; to.len()]);
    let mail = Post {
        message,
        from: sender,
        to: recipients,
        answered: &answered,
    };
    let talk = converse(settings, tls, mail, &stage);
    let rest = match tokio::time::timeout(settings.timeout, talk).await {
        Ok(Ok(Some(answer))) => SendOutcome::Accepted { answer },
        // Nobody was left to send to: each has an answer of its own.
        Ok(Ok(None)) => settings_refused("no recipient".to_owned()),
        Ok(Err(error)) => judge(stage.get(), &error),
        Err(_) if stage.get() == Stage::BodySent => SendOutcome::Doubtful {
            why: format!("no answer to the body within {} s", settings.timeout.as_secs()),
        },
        Err(_) => SendOutcome::RetryLater {
            code: None,
            text: format!("{OUT_OF_TIME} {} s", settings.timeout.as_secs()),
        },
    };
    answered
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .into_iter()
        .map(|own| own.unwrap_or_else(|| rest.clone()))
        .collect()
}

/// Connects, secures the connection, logs in and takes leave: what a person asks before the night.
///
/// # Errors
/// As sending, with nothing sent.
pub async fn look(settings: &SmtpSettings) -> Result<String, SendOutcome> {
    let tls = tls_parameters(settings).await.map_err(settings_refused)?;
    let stage = Progress(AtomicU8::new(Stage::Connect as u8));
    let talk = async {
        let mut talk = log_in(settings, tls, &stage).await?;
        let name = talk.server_info().name().to_owned();
        if let Err(error) = talk.quit().await {
            tracing::debug!(%error, "no answer to QUIT");
        }
        Ok(name)
    };
    match tokio::time::timeout(settings.timeout, talk).await {
        Ok(answer) => answer.map_err(|error: Talk| judge(stage.get(), &error)),
        Err(_) => Err(SendOutcome::RetryLater {
            code: None,
            text: format!("{OUT_OF_TIME} {} s", settings.timeout.as_secs()),
        }),
    }
}

/// A message on its way into a conversation.
struct Post<'a> {
    message: &'a [u8],
    from: Address,
    /// An address that is none has its answer already.
    to: Vec<Result<Address, SendOutcome>>,
    /// What the server said about a recipient alone; the others share the fate of the message. Outside of the
    /// conversation, so that it is there when that one is broken off.
    answered: &'a Mutex<Vec<Option<SendOutcome>>>,
}

impl Post<'_> {
    fn answer(&self, number: usize, outcome: SendOutcome) {
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = answered.get_mut(number) {
            *place = Some(outcome);
        }
    }
}

fn settings_refused(text: String) -> SendOutcome {
    SendOutcome::RefusedPermanent {
        what: Refused::Settings,
        code: None,
        text,
    }
}

async fn log_in(
    settings: &SmtpSettings,
    tls: TlsParameters,
    stage: &Progress,
) -> Result<AsyncSmtpConnection, Talk> {
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

    Ok(talk)
}

/// The server's words when it has taken the message; `None` when no recipient was left to send it to.
async fn converse(
    settings: &SmtpSettings,
    tls: TlsParameters,
    mail: Post<'_>,
    stage: &Progress,
) -> Result<Option<String>, Talk> {
    let mut talk = log_in(settings, tls, stage).await?;
    stage.set(Stage::Sender);
    let beyond_ascii = |address: &Address| !address.to_string().is_ascii();
    let utf8_offered = talk.server_info().supports_feature(Extension::SmtpUtfEight);
    let utf8_wanted = beyond_ascii(&mail.from) || mail.to.iter().flatten().any(beyond_ascii);
    let mut options = Vec::new();
    if !mail.message.is_ascii() {
        options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    if beyond_ascii(&mail.from) && !utf8_offered {
        talk.abort().await;
        return Err(Talk::Own(NO_UTF8));
    }
    if utf8_wanted && utf8_offered {
        options.push(MailParameter::SmtpUtfEight);
    }
    talk.command(Mail::new(Some(mail.from.clone()), options)).await?;
    stage.set(Stage::Recipient);
    let mut taken = 0_usize;
    for (number, to) in mail.to.iter().enumerate() {
        let to = match to {
            Ok(to) => to,
            Err(outcome) => {
                mail.answer(number, outcome.clone());
                continue;
            }
        };
        if beyond_ascii(to) && !utf8_offered {
            mail.answer(number, judge(Stage::Recipient, &Talk::Own(NO_UTF8)));
            continue;
        }
        match talk.command(Rcpt::new(to.clone(), Vec::new())).await {
            Ok(_) => taken += 1,
            // An answer about this recipient; the conversation goes on.
            Err(error) if error.is_permanent() || error.is_transient() => {
                mail.answer(number, judge(Stage::Recipient, &Talk::Smtp(error)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if taken == 0 {
        talk.abort().await;
        return Ok(None);
    }
    stage.set(Stage::Body);
    talk.command(Data).await?;
    // The client ends the body itself; the message's own last line break would become an empty line.
    let body = mail.message.strip_suffix(b"\r\n").unwrap_or(mail.message);
    let answer = talk.message_iter(Pieces { rest: body, stage }).await?;
    let words: Vec<&str> = answer.message().collect();
    let words = format!("{} {}", answer.code(), words.join(" "));
    // The message is accepted; a server that does not say goodbye changes nothing.
    if let Err(error) = talk.quit().await {
        tracing::debug!(%error, "no answer to QUIT");
    }
    Ok(Some(words))
}

/// How the text of an attempt begins that took too long.
pub const OUT_OF_TIME: &str = "not done within";

const NO_UTF8: &str = "the server does not take addresses outside ASCII";

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
