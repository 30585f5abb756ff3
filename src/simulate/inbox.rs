//! The mail server: STARTTLS, then AUTH, then mail; every accepted message becomes a file.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::Shared;
use super::faults::FaultKind;

pub const USER: &str = "linkstar";
pub const PASSWORD: &str = "simulated-mail-password";
const MAX_MESSAGE: usize = 25 * 1024 * 1024;
const MAX_LINE: u64 = 16 * 1024;
const MAX_RECIPIENTS: usize = 100;

/// One accepted message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mail {
    pub id: usize,
    pub from: String,
    pub to: Vec<String>,
    pub bytes: usize,
    pub file: PathBuf,
}

pub struct Inbox {
    pub shared: Arc<Shared>,
    pub folder: PathBuf,
    pub tls: TlsAcceptor,
    mails: Mutex<Vec<Mail>>,
    count: AtomicUsize,
}

#[derive(Default)]
struct Envelope {
    from: Option<String>,
    to: Vec<String>,
}

enum After {
    Quit,
    StartTls,
}

impl Inbox {
    pub fn new(shared: Arc<Shared>, folder: PathBuf, tls: TlsAcceptor) -> Self {
        Self {
            shared,
            folder,
            tls,
            mails: Mutex::default(),
            count: AtomicUsize::new(0),
        }
    }

    pub fn mails(&self) -> Vec<Mail> {
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub async fn run(self: Arc<Self>, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Out of descriptors, mostly: give the open sessions time to end.
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            };
            let inbox = Arc::clone(&self);
            tokio::spawn(async move {
                if let Err(error) = inbox.talk(stream).await {
                    tracing::debug!(%error, "simulated SMTP session ended");
                }
            });
        }
    }

    async fn talk(&self, stream: tokio::net::TcpStream) -> std::io::Result<()> {
        let mut plain = BufReader::new(stream);
        say(&mut plain, "220 mail.simulated.invalid ESMTP linkstar world").await?;
        if let After::StartTls = self.converse(&mut plain, false).await? {
            // What was sent in clear after STARTTLS is dropped with the buffer.
            let mut secure = BufReader::new(self.tls.accept(plain.into_inner()).await?);
            self.converse(&mut secure, true).await?;
            secure.shutdown().await?;
        }
        Ok(())
    }

    async fn converse<S>(&self, stream: &mut BufReader<S>, secure: bool) -> std::io::Result<After>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut known = false;
        let mut envelope = Envelope::default();
        loop {
            let Some(line) = read_line(stream).await? else {
                return Ok(After::Quit);
            };
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" | "HELO" => {
                    envelope = Envelope::default();
                    let last = if secure {
                        "250 AUTH PLAIN LOGIN"
                    } else {
                        "250 STARTTLS"
                    };
                    let size = format!("250-SIZE {MAX_MESSAGE}");
                    say(
                        stream,
                        &format!("250-mail.simulated.invalid\r\n{size}\r\n250-8BITMIME\r\n{last}"),
                    )
                    .await?;
                }
                "STARTTLS" if !secure => {
                    say(stream, "220 2.0.0 Ready to start TLS").await?;
                    return Ok(After::StartTls);
                }
                "AUTH" if !secure => say(stream, "530 5.7.0 Must issue a STARTTLS command first").await?,
                "AUTH" => known = self.authenticate(stream, rest).await?,
                "QUIT" => {
                    say(stream, "221 2.0.0 Bye").await?;
                    return Ok(After::Quit);
                }
                "NOOP" => say(stream, "250 2.0.0 OK").await?,
                "RSET" => {
                    envelope = Envelope::default();
                    say(stream, "250 2.0.0 OK").await?;
                }
                "MAIL" | "RCPT" | "DATA" if !known => {
                    say(stream, "530 5.7.0 Authentication required").await?;
                }

                "MAIL" => {
                    let reply = self.sender(rest, &mut envelope);
                    say(stream, &reply).await?;
                }
                "RCPT" => {
                    let reply = self.recipient(rest, &mut envelope);
                    say(stream, &reply).await?;
                }
                "DATA" if envelope.to.is_empty() => say(stream, "503 5.5.1 RCPT first").await?,
                "DATA" => {
                    say(stream, "354 End data with <CR><LF>.<CR><LF>").await?;
                    let message = read_message(stream).await?;
                    let taken = std::mem::take(&mut envelope);
                    match self.accept(taken, message).await? {
                        Some(reply) => say(stream, &reply).await?,
                        None => return Ok(After::Quit),
                    }
                }
                _ => say(stream, "502 5.5.2 Command not recognized").await?,
            }
        }
    }

    async fn authenticate<S>(&self, stream: &mut BufReader<S>, rest: &str) -> std::io::Result<bool>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let given = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let answer = if initial.is_empty() {
                    ask(stream, "334 ").await?
                } else {
                    decode(initial)
                };
                let mut parts = answer.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            "LOGIN" => {
                let user = if initial.is_empty() {
                    ask(stream, "334 VXNlcm5hbWU6").await?
                } else {
                    decode(initial)
                };
                (user, ask(stream, "334 UGFzc3dvcmQ6").await?)
            }
            _ => {
                say(stream, "504 5.5.4 Unrecognized authentication type").await?;
                return Ok(false);
            }
        };
        let good = given.0 == USER && given.1 == PASSWORD;
        let reply = if good {
            "235 2.7.0 Authentication successful"
        } else {
            "535 5.7.8 Authentication credentials invalid"
        };
        say(stream, reply).await?;
        Ok(good)
    }

    fn sender(&self, rest: &str, envelope: &mut Envelope) -> String {
        if let Some(reply) = self.trouble("smtp.mail") {
            return reply;
        }
        let size = rest.to_ascii_uppercase().split_whitespace().find_map(|word| {
            word.strip_prefix("SIZE=")
                .and_then(|size| size.parse::<usize>().ok())
        });
        if size.is_some_and(|size| size > MAX_MESSAGE) {
            return "552 5.3.4 Message size exceeds fixed limit".to_owned();
        }
        match address(rest, "FROM:") {
            Some(from) => {
                *envelope = Envelope {
                    from: Some(from),
                    to: Vec::new(),
                };
                "250 2.1.0 OK".to_owned()
            }
            None => "501 5.1.7 Bad sender address syntax".to_owned(),
        }
    }

    fn recipient(&self, rest: &str, envelope: &mut Envelope) -> String {
        if let Some(reply) = self.trouble("smtp.rcpt") {
            return reply;
        }
        if envelope.from.is_none() {
            return "503 5.5.1 MAIL first".to_owned();
        }
        if envelope.to.len() >= MAX_RECIPIENTS {
            return "452 4.5.3 Too many recipients".to_owned();
        }
        match address(rest, "TO:").filter(|to| to.contains('@')) {
            Some(to) => {
                envelope.to.push(to);
                "250 2.1.5 OK".to_owned()
            }
            None => "501 5.1.3 Bad recipient address syntax".to_owned(),
        }
    }

    fn trouble(&self, endpoint: &str) -> Option<String> {
        match self.shared.faults.take(endpoint)? {
            FaultKind::TooManyRequests { .. } => Some("450 4.7.1 Greylisted, try again later".to_owned()),
            FaultKind::DiskFull { .. } => Some("452 4.3.1 Insufficient system storage".to_owned()),
            _ => Some("451 4.3.0 Temporary failure".to_owned()),
        }
    }

    /// Stores a message; `None` means the connection dies after storing and before the answer.
    async fn accept(&self, envelope: Envelope, message: Option<Vec<u8>>) -> std::io::Result<Option<String>> {
        let Some(message) = message else {
            return Ok(Some("552 5.3.4 Message size exceeds fixed limit".to_owned()));
        };
        let fault = self.shared.faults.take("smtp.data");
        match fault {
            None | Some(FaultKind::Reset) => {}
            Some(_) => return Ok(Some("451 4.3.0 Temporary failure".to_owned())),
        }
        let id = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let file = self.folder.join(format!("{id:04}.eml"));
        let (from, to, bytes) = (envelope.from.unwrap_or_default(), envelope.to, message.len());
        tokio::fs::write(&file, message).await?;
        self.mails
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Mail {
                id,
                from,
                to,
                bytes,
                file,
            });
        Ok((fault != Some(FaultKind::Reset)).then(|| format!("250 2.0.0 OK: stored as {id:04}")))
    }
}

async fn say<S: AsyncWrite + Unpin>(stream: &mut S, reply: &str) -> std::io::Result<()> {
    stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
    stream.flush().await
}

async fn read_line<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    (&mut *stream).take(MAX_LINE).read_until(b'\n', &mut line).await?;
    if line.last() == Some(&b'\n') {
        return Ok(Some(line));
    }
    if line.is_empty() {
        return Ok(None);
    }
    Err(std::io::Error::new(
        std::io::ErrorKind::InvalidData,
        "SMTP line too long or cut off",
    ))
}

async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    prompt: &str,
) -> std::io::Result<String> {
    say(stream, prompt).await?;
    let line = read_line(stream).await?.unwrap_or_default();
    Ok(decode(String::from_utf8_lossy(&line).trim()))
}

fn decode(text: &str) -> String {
    STANDARD
        .decode(text)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// The address of `FROM:<a@b> SIZE=1`; `FROM:<>` is the empty sender.
fn address(rest: &str, key: &str) -> Option<String> {
    let head = rest.get(..key.len())?;
    if !head.eq_ignore_ascii_case(key) {
        return None;
    }
    let text = rest.get(key.len()..)?.trim_start().strip_prefix('<')?;
    Some(text.split_once('>')?.0.to_owned())
}

/// Reads to the lone dot and takes the doubled dots back; `None` when the message is too large.
async fn read_message<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<Option<Vec<u8>>> {
    let mut message = Vec::new();
    let mut too_large = false;
    loop {
        let Some(line) = read_line(stream).await? else {
            return Err(std::io::Error::new(
                std::io::ErrorKind::UnexpectedEof,
                "mail cut off",
            ));
        };
        if line == b".\r\n" || line == b".\n" {
            return Ok((!too_large).then_some(message));
        }
        let line = line.strip_prefix(b".").unwrap_or(&line);
        too_large |= message.len() + line.len() > MAX_MESSAGE;
        if !too_large {
            message.extend_from_slice(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_are_read_with_and_without_parameters() {
        assert_eq!(
            address("FROM:<a@b.cn> SIZE=12", "FROM:").as_deref(),
            Some("a@b.cn")
        );
        assert_eq!(address("to: <x@y>", "TO:").as_deref(), Some("x@y"));
        assert_eq!(address("FROM:<>", "FROM:").as_deref(), Some(""));
        assert_eq!(address("FROM:a@b", "FROM:"), None);
    }
}
