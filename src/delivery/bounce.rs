//! Reading what came back: delivery status notifications (RFC 3464 in a multipart/report of RFC 6522).

use super::mime::{field, fields, parameter, parts, split};

/// A report about a mail that other servers could not deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    /// Message-IDs it may be about: that of the returned mail first, then those it answers to.
    pub message_ids: Vec<String>,
    pub recipients: Vec<FailedRecipient>,
}

/// What is said about one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRecipient {
    pub recipient: String,
    /// `failed`, `delayed`, `delivered`, `relayed`, `expanded`.
    pub action: String,
    /// `5.1.1`
    pub status: String,
    /// The other server's words.
    pub diagnostic: String,
}

impl FailedRecipient {
    /// Whether the mail will never get there. A delay is only news.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.action == "failed"
    }

    #[must_use]
    pub fn told(&self) -> String {
        [&self.status, &self.diagnostic]
            .into_iter()
            .filter(|part| !part.is_empty())
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Longer reports are cut: what we need stands at their beginning.
const MAX_BYTES: usize = 1024 * 1024;
const MAX_RECIPIENTS: usize = 200;
const MAX_TEXT: usize = 500;

/// Reads a mail; `None` when it is no delivery report.
#[must_use]
pub fn read_bounce(mail: &[u8]) -> Option<Bounce> {
    let text = String::from_utf8_lossy(mail.get(..MAX_BYTES).unwrap_or(mail)).replace("\r\n", "\n");
    let (head, body) = split(&text);
    let headers = fields(head);
    let kind = field(&headers, "content-type")?;
    let lower = kind.to_ascii_lowercase();
    if !lower.contains("multipart/report") || !lower.contains("delivery-status") {
        return None;
    }
    let boundary = parameter(kind, "boundary")?;
    let mut recipients = Vec::new();
    let mut message_ids = Vec::new();
    for part in parts(body, &boundary) {
        let (head, body) = split(part);
        let part_headers = fields(head);
        let kind = field(&part_headers, "content-type")
            .unwrap_or_default()
            .to_ascii_lowercase();
        if kind.starts_with("message/delivery-status") || kind.starts_with("message/global-delivery-status") {
            recipients.extend(body.split("\n\n").filter_map(recipient).take(MAX_RECIPIENTS));
        } else if kind.starts_with("message/rfc822") || kind.starts_with("text/rfc822-headers") {
            message_ids.extend(ids(
                field(&fields(split(body).0), "message-id").unwrap_or_default()
            ));
        }
    }
    for name in ["in-reply-to", "references"] {
        message_ids.extend(ids(field(&headers, name).unwrap_or_default()));
    }
    (!recipients.is_empty()).then_some(Bounce {
        message_ids,
        recipients,
    })
}

fn recipient(block: &str) -> Option<FailedRecipient> {
    let block = fields(block);
    // `rfc822; buyer@example.com`
    let value = |name: &str| {
        field(&block, name).map(|value| {
            let plain = value
                .split_once(';')
                .map_or(value, |(_, rest)| rest)
                .trim()
                .trim_matches(['<', '>']);
            plain.chars().take(MAX_TEXT).collect::<String>()
        })
    };
    Some(FailedRecipient {
        // As we wrote it, when the report says so: the final address may be an alias of it.
        recipient: value("original-recipient").or_else(|| value("final-recipient"))?,
        action: value("action")?.to_ascii_lowercase(),
        status: value("status").unwrap_or_default(),
        diagnostic: value("diagnostic-code").unwrap_or_default(),
    })
}

/// Every `<…@…>` of a header.
fn ids(value: &str) -> Vec<String> {
    value
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .filter(|(id, _)| id.contains('@'))
        .map(|(id, _)| format!("<{id}>"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REPORT: &str = "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.com\r\nTo: plan@linkstar.test\r\n\
        Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"9B095B5ADSN=_01\"\r\n\r\n\
        This is a MIME-encapsulated message.\r\n\r\n--9B095B5ADSN=_01\r\nContent-Type: text/plain\r\n\r\n\
        I'm sorry to have to inform you.\r\n\r\n--9B095B5ADSN=_01\r\nContent-Type: message/delivery-status\r\n\r\n\
        Reporting-MTA: dns; mx.example.com\r\nArrival-Date: Sun, 22 Nov 2026 21:00:00 +0000\r\n\r\n\
        Final-Recipient: rfc822; gone@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n\
        Diagnostic-Code: smtp; 550 5.1.1 <gone@example.com>: Recipient address\r\n rejected: User unknown\r\n\r\n\
        Original-Recipient: rfc822;slow@example.com\r\nFinal-Recipient: rfc822; slow@relay.example.com\r\n\
        Action: delayed\r\nStatus: 4.4.1\r\n\r\n--9B095B5ADSN=_01\r\nContent-Type: message/rfc822\r\n\r\n\
        From: plan@linkstar.test\r\nMessage-ID: <2026-11-22.abc@linkstar.test>\r\nSubject: plan\r\n\r\nHello\r\n\
        --9B095B5ADSN=_01--\r\n";

    #[test]
    fn r75_a_report_names_its_mail_and_each_recipient() {
        let bounce = read_bounce(REPORT.as_bytes()).unwrap();
        assert_eq!(bounce.message_ids, ["<2026-11-22.abc@linkstar.test>"]);
        let told: Vec<_> = bounce
            .recipients
            .iter()
            .map(|failed| (failed.recipient.as_str(), failed.is_final(), failed.told()))
            .collect();
        assert_eq!(
            told,
            [
                (
                    "gone@example.com",
                    true,
                    "5.1.1 550 5.1.1 <gone@example.com>: Recipient address rejected: User unknown".to_owned()
                ),
                ("slow@example.com", false, "4.4.1".to_owned())
            ]
        );
    }

    #[test]
    fn r75_other_mails_are_no_reports_and_a_cut_off_one_is_read_as_far_as_it_goes() {
        assert_eq!(
            read_bounce(b"From: a@b.c\r\nSubject: hello\r\n\r\nFinal-Recipient: x"),
            None
        );
        assert_eq!(read_bounce(b""), None);
        assert_eq!(read_bounce(&[0xff; 300]), None);
        let cut = REPORT.split("Diagnostic-Code").next().unwrap();
        let bounce = read_bounce(cut.as_bytes()).unwrap();
        assert_eq!(bounce.recipients[0].recipient, "gone@example.com");
        assert!(bounce.message_ids.is_empty());
    }

    #[test]
    fn a_report_without_the_mail_is_matched_by_what_it_answers_to() {
        let text = REPORT
            .replace("Message-ID: <2026-11-22.abc@linkstar.test>\r\n", "")
            .replace(
                "Auto-Submitted",
                "References: <x@y>\r\n <2026@linkstar.test>\r\nAuto-Submitted",
            );
        let bounce = read_bounce(text.as_bytes()).unwrap();
        assert_eq!(bounce.message_ids, ["<x@y>", "<2026@linkstar.test>"]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall(cut in 0_usize..1400, noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = REPORT.as_bytes().to_vec();
            bytes.truncate(cut);
            bytes.extend(noise);
            let _ = read_bounce(&bytes);
        }
    }
}
