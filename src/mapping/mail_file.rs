//! Mails that somebody saved into the inbox: their attachments are the files.

use base64::Engine as _;

use crate::delivery::mime::{field, fields, parameter, parts, split};
use crate::delivery::read_bounce;

/// A file that came with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub bytes: Vec<u8>,
}

const MAX_BYTES: usize = 64 << 20;
const MAX_DEPTH: usize = 8;
const MAX_ATTACHMENTS: usize = 100;
const HEAD: usize = 16 << 10;
const MAX_NAME: usize = 120;

/// Why a mail gives no files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoFiles {
    #[error("a mail of at most 64 MiB")]
    Large,
    #[error("a mail with at most 100 attachments, 8 levels deep")]
    Many,
    #[error("an attachment whose encoding can be read")]
    Encoding,
    #[error("a mail with an attachment")]
    None,
}

/// Whether the bytes are a mail, and no report of one that came back.
#[must_use]
pub fn is_mail(bytes: &[u8]) -> bool {
    let head: String = latin(bytes.get(..HEAD.min(bytes.len())).unwrap_or_default());
    let (head, _) = split(&head);
    let headers = fields(head);
    let has = |name: &str| field(&headers, name).is_some();
    let named = head
        .lines()
        .next()
        .and_then(|line| line.split_once(':'))
        .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()));
    named && has("mime-version") && has("content-type") && has("from") && read_bounce(bytes).is_none()
}

/// The attachments of a mail, those of mails that it forwards too.
///
/// # Errors
/// When there are none, or it is larger or deeper than a mail should be.
pub fn attachments(bytes: &[u8]) -> Result<Vec<Attachment>, NoFiles> {
    if bytes.len() > MAX_BYTES {
        return Err(NoFiles::Large);
    }
    let mut found = Vec::new();
    part(&latin(bytes), 0, &mut found)?;
    if found.is_empty() {
        return Err(NoFiles::None);
    }
    Ok(found)
}

/// Each byte as one sign, so that nothing of another encoding is lost on the way.
fn latin(bytes: &[u8]) -> String {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    text.replace("\r\n", "\n")
}

fn bytes_of(text: &str) -> Vec<u8> {
    text.chars()
        .map(|sign| u8::try_from(u32::from(sign)).unwrap_or(b'?'))
        .collect()
}

fn part(text: &str, depth: usize, found: &mut Vec<Attachment>) -> Result<(), NoFiles> {
    if depth > MAX_DEPTH || found.len() > MAX_ATTACHMENTS {
        return Err(NoFiles::Many);
    }
    let (head, body) = split(text);
    let headers = fields(head);
    let kind = field(&headers, "content-type").unwrap_or("text/plain");
    let lower = kind.to_ascii_lowercase();
    if lower.starts_with("multipart/") {
        let Some(boundary) = parameter(kind, "boundary").filter(|boundary| !boundary.is_empty()) else {
            return Ok(());
        };
        for inner in parts(body, &boundary) {
            part(inner, depth + 1, found)?;
        }
        return Ok(());
    }
    if lower.starts_with("message/rfc822") {
        return part(body, depth + 1, found);
    }
    let disposition = field(&headers, "content-disposition").unwrap_or_default();
    let name = file_name(disposition, "filename").or_else(|| file_name(kind, "name"));
    let is_attached = disposition.to_ascii_lowercase().starts_with("attachment");
    // Pictures of a signature stand inline and are nobody's report.
    let is_picture = lower.starts_with("image/");
    let Some(name) = name.or_else(|| is_attached.then(|| "attachment".to_owned())) else {
        return Ok(());
    };
    if is_picture {
        return Ok(());
    }
    let encoding = field(&headers, "content-transfer-encoding").unwrap_or("7bit");
    let bytes = match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => {
            let packed: String = body.chars().filter(|sign| !sign.is_ascii_whitespace()).collect();
            base64::prelude::BASE64_STANDARD
                .decode(&packed)
                .map_err(|_| NoFiles::Encoding)?
        }
        "quoted-printable" => quoted(body, false).ok_or(NoFiles::Encoding)?,
        "7bit" | "8bit" | "binary" => bytes_of(body),
        _ => return Err(NoFiles::Encoding),
    };
    found.push(Attachment { name, bytes });
    Ok(())
}

/// `filename="…"`, `filename*=utf-8''…`, in several pieces or as encoded words.
fn file_name(value: &str, name: &str) -> Option<String> {
    let mut pieces = String::new();
    for number in 0..20 {
        let piece = parameter(value, &format!("{name}*{number}*"))
            .or_else(|| parameter(value, &format!("{name}*{number}")));
        let Some(piece) = piece else { break };
        pieces.push_str(&piece);
    }
    let extended = parameter(value, &format!("{name}*")).or((!pieces.is_empty()).then_some(pieces));
    let raw = match extended {
        Some(text) => percent(&text),
        None => words(&parameter(value, name)?),
    };
    // A name, whatever folders somebody writes before it.
    let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .filter(|sign| !sign.is_control())
        .take(MAX_NAME)
        .collect();
    (!clean.trim().is_empty()).then(|| clean.trim().to_owned())
}

/// `utf-8'zh'%E6%94%B6.csv`
fn percent(text: &str) -> String {
    let mut fields = text.splitn(3, '\'');
    let (charset, text) = match (fields.next(), fields.next(), fields.next()) {
        (Some(charset), Some(_), Some(text)) => (charset, text),
        _ => ("utf-8", text),
    };
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let pair = (byte == b'%').then(|| [rest.next(), rest.next()]);
        match pair {
            Some([Some(high), Some(low)]) => bytes.push(hex(high, low).unwrap_or(b'_')),
            _ => bytes.push(byte),
        }
    }
    decoded(charset, &bytes)
}

/// Encoded words (RFC 2047), and what stands between them.
fn words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("=?") {
        let mut fields = after.splitn(3, '?');
        let parsed = (|| {
            let (charset, kind) = (fields.next()?, fields.next()?);
            let (content, tail) = fields.next()?.split_once("?=")?;
            let bytes = match kind {
                "B" | "b" => base64::prelude::BASE64_STANDARD.decode(content).ok()?,
                "Q" | "q" => quoted(content, true)?,
                _ => return None,
            };
            Some((decoded(charset, &bytes), tail))
        })();
        // Blanks between two words are layout.
        if !before.trim().is_empty() || out.is_empty() {
            out.push_str(before);
        }
        let Some((word, tail)) = parsed else {
            out.push_str("=?");
            rest = after;
            continue;
        };
        out.push_str(&word);
        rest = tail;
    }
    if out.is_empty() && !rest.is_ascii() {
        return decoded("utf-8", &bytes_of(rest));
    }
    out.push_str(rest);
    out
}

fn decoded(charset: &str, bytes: &[u8]) -> String {
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    encoding.decode(bytes).0.into_owned()
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    Some(digit(high)? * 16 + digit(low)?)
}

fn quoted(text: &str, word: bool) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let bytes = bytes_of(text);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'=' if bytes.get(at) == Some(&b'\n') => at += 1,
            b'=' => {
                out.push(hex(*bytes.get(at)?, *bytes.get(at + 1)?)?);
                at += 2;
            }
            b'_' if word => out.push(b' '),
            byte => out.push(*byte),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAIL: &str = "From: wh@example.com\r\nTo: plan@linkstar.test\r\nSubject: receipts\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"b1\"\r\n\r\nintro\r\n--b1\r\nContent-Type: text/plain\r\n\r\nHello\r\n\
        --b1\r\nContent-Type: text/csv; charset=gbk\r\nContent-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename*=utf-8''%E6%94%B6%E8%B4%A7.csv\r\n\r\nYSxiCjEs\r\nMgo=\r\n\
        --b1\r\nContent-Type: application/octet-stream; name=\"=?UTF-8?B?5YWl5bqT?= =?UTF-8?Q?_1.edi?=\"\r\n\
        Content-Transfer-Encoding: quoted-printable\r\nContent-Disposition: attachment\r\n\r\nISA*00=\r\n*x=3D~\r\n\
        --b1\r\nContent-Type: image/png; name=logo.png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n\
        --b1\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@b\r\nContent-Type: text/csv; name=\"../../inner.csv\"\r\n\r\nx,y\r\n\
        --b1--\r\n";

    #[test]
    fn the_files_of_a_mail_and_of_the_mail_it_forwards() {
        assert!(is_mail(MAIL.as_bytes()));
        let found = attachments(MAIL.as_bytes()).unwrap();
        let names: Vec<&str> = found.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["收货.csv", "入库 1.edi", "inner.csv"]);
        assert_eq!(found[0].bytes, b"a,b\n1,2\n");
        assert_eq!(found[1].bytes, b"ISA*00*x=~\n");
        assert_eq!(found[2].bytes, b"x,y\n");
    }

    #[test]
    fn hostile_mails_are_refused_and_other_files_are_no_mails() {
        for text in ["reference,sku\nSO-1,A\n", "<a/>", "", "ISA*00*", "From: a\n\nb"] {
            assert!(!is_mail(text.as_bytes()), "{text}");
        }
        let mut deep = String::from("x");
        for n in 0..20 {
            deep = format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n{deep}\n--b{n}--\n");
        }
        assert_eq!(attachments(deep.as_bytes()), Err(NoFiles::Many));
        let many = format!(
            "Content-Type: multipart/mixed; boundary=b\n\n{}",
            "--b\nContent-Type: text/csv; name=a\n\nx\n".repeat(200)
        );
        assert_eq!(attachments(many.as_bytes()), Err(NoFiles::Many));
        let bad = "Content-Type: text/csv; name=a\nContent-Transfer-Encoding: base64\n\n!!!";
        assert_eq!(attachments(bad.as_bytes()), Err(NoFiles::Encoding));
        assert_eq!(
            attachments(b"Content-Type: text/plain\n\nhello"),
            Err(NoFiles::None)
        );
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = is_mail(&bytes);
            let _ = attachments(&bytes);
            let mut mail = MAIL.as_bytes().to_vec();
            for (at, byte) in bytes.iter().enumerate() {
                let place = (at * 7919) % mail.len();
                mail[place] = *byte;
            }
            let _ = attachments(&mail);
        }
    }
}
