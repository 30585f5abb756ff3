//! A mail as bytes (RFC 5322 and MIME): text and HTML side by side, pictures within, attachments behind.

use chrono::{DateTime, Utc};
use lettre::message::header::{ContentDisposition, ContentId, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};

use crate::digest::sha256_hex;
use crate::report::MailContent;

#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    #[error("mail address `{address}`")]
    Address {
        address: String,
        #[source]
        source: lettre::address::AddressError,
    },
    #[error("media type `{0}` of an attachment")]
    MediaType(String),
    #[error("message id `{0}` is not of the form `<name@domain>`")]
    MessageId(String),
    #[error("put the mail together")]
    Build(#[source] lettre::error::Error),
}

/// The message as bytes: the same content, addresses, id and date make the same bytes.
///
/// # Errors
/// When an address, the id or a media type is not one.
pub fn build_message(
    content: &MailContent,
    from: &str,
    to: &str,
    message_id: &str,
    date: DateTime<Utc>,
) -> Result<Vec<u8>, EmailError> {
    let id_is_sound = message_id.starts_with('<')
        && message_id.ends_with('>')
        && message_id.contains('@')
        && message_id.chars().all(|c| c.is_ascii_graphic());
    if !id_is_sound {
        return Err(EmailError::MessageId(message_id.escape_debug().to_string()));
    }
    // Boundaries come from the id: random ones would make every rebuilt mail a different one.
    let boundary = |part: &str| {
        let mut name = sha256_hex(format!("{message_id} {part}").as_bytes());
        name.truncate(32);
        format!("=_{part}_{name}")
    };
    let text = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(content.text.clone());
    let html = SinglePart::builder()
        .header(ContentType::TEXT_HTML)
        .body(content.html.clone());
    let mut related = MultiPart::related()
        .boundary(boundary("related"))
        .singlepart(html);
    for image in &content.inline {
        let part = SinglePart::builder()
            .header(parse_type("image/png")?)
            .header(ContentId::from(format!("<{}>", image.cid)))
            .header(ContentDisposition::inline())
            .body(image.png.clone());
        related = related.singlepart(part);
    }
    let alternative = MultiPart::alternative()
        .boundary(boundary("alternative"))
        .singlepart(text)
        .multipart(related);
    let mut mixed = MultiPart::mixed()
        .boundary(boundary("mixed"))
        .multipart(alternative);
    for attachment in &content.attachments {
        let part = SinglePart::builder()
            .header(parse_type(&attachment.media_type)?)
            .header(ContentDisposition::attachment(&attachment.name))
            .body(attachment.bytes.clone());
        mixed = mixed.singlepart(part);
    }
    let message = Message::builder()
        .message_id(Some(message_id.to_owned()))
        .date(date.into())
        .from(mailbox(from)?)
        .to(mailbox(to)?)
        .subject(one_line(&content.subject))
        // Holiday replies stay away from a machine's mail (RFC 3834).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .multipart(mixed)
        .map_err(EmailError::Build)?;
    Ok(message.formatted())
}

fn parse_type(media_type: &str) -> Result<ContentType, EmailError> {
    ContentType::parse(media_type).map_err(|_| EmailError::MediaType(media_type.to_owned()))
}

fn mailbox(address: &str) -> Result<Mailbox, EmailError> {
    address.parse().map_err(|source| EmailError::Address {
        address: address.escape_debug().to_string(),
        source,
    })
}

/// A subject cannot open a header of its own.
fn one_line(subject: &str) -> String {
    subject
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Attachment, Inline};

    fn content() -> MailContent {
        MailContent {
            subject: "[补货日报] 2026-11-22\r\nBcc: a@b.c · 红3".to_owned(),
            html: "<p>你好</p>".to_owned(),
            text: "你好\n.\n".to_owned(),
            inline: vec![Inline {
                cid: "stock-1@linkstar".to_owned(),
                png: vec![0x89, 0x50],
                alt: String::new(),
            }],
            attachments: vec![Attachment {
                name: "补货建议-2026-11-22.xlsx".to_owned(),
                media_type: "application/json".to_owned(),
                bytes: b"{}".to_vec(),
            }],
        }
    }

    fn build(id: &str) -> Result<Vec<u8>, EmailError> {
        let date = DateTime::from_timestamp(1_795_305_600, 0).unwrap();
        build_message(
            &content(),
            "Linkstar <bot@example.com>",
            "li@example.com",
            id,
            date,
        )
    }

    #[test]
    fn r75_the_same_mail_is_the_same_bytes() {
        let (first, second) = (build("<a@linkstar>").unwrap(), build("<a@linkstar>").unwrap());
        assert_eq!(first, second);
        assert_ne!(first, build("<b@linkstar>").unwrap());
    }

    #[test]
    fn foreign_text_opens_no_header_and_every_line_is_ascii() {
        let bytes = build("<a@linkstar>").unwrap();
        assert!(bytes.is_ascii());
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.lines().any(|line| line.starts_with("Bcc:")));
        assert!(text.contains("Message-ID: <a@linkstar>"));
        assert!(
            text.contains("filename*0*=utf-8''") || text.contains("filename*=utf-8''"),
            "{text}"
        );
        insta::assert_snapshot!(text.replace('\r', ""));
    }

    #[test]
    fn an_id_or_address_that_is_none_is_refused() {
        assert!(matches!(build("<a b@c>"), Err(EmailError::MessageId(_))));
        assert!(matches!(build("a@b"), Err(EmailError::MessageId(_))));
        let date = DateTime::from_timestamp(0, 0).unwrap();
        let wrong = build_message(&content(), "nobody", "li@example.com", "<a@b>", date);
        assert!(matches!(wrong, Err(EmailError::Address { address, .. }) if address == "nobody"));
    }
}
