//! A mail to one reader, into the outbox.

use chrono::{DateTime, NaiveDate, Utc};

use crate::config::{MailSection, Recipient};
use crate::delivery::{Channel, Envelope};
use crate::digest::sha256_hex;
use crate::ids::AccountId;
use crate::report::MailContent;
use crate::store::outbox::{self, Enqueued, NewMessage};
use crate::store::{StoreError, Tx};
use crate::transport::email::{EmailError, build_message};

/// Which mail of which day: one reader gets one of a kind a day, whatever happens in between.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    pub account: &'a AccountId,
    /// `daily`, `alert`.
    pub kind: &'a str,
    pub date: NaiveDate,
    pub mail: &'a MailSection,
    pub recipient: &'a Recipient,
}

impl Letter<'_> {
    /// Made of kind, date and reader only.
    #[must_use]
    pub fn business_key(&self) -> String {
        format!("mail/{}/{}/{}", self.kind, self.date, self.recipient.address)
    }

    /// As the key, so that a mail sent twice by a server is one to its reader.
    fn message_id(&self, key: &str) -> String {
        let name = sha256_hex(format!("{}/{key}", self.account).as_bytes());
        let from = &self.mail.from;
        let domain = from.rsplit('@').next().unwrap_or_default().trim_end_matches('>');
        format!("<{}.{}@{domain}>", self.date, name.get(..24).unwrap_or(&name))
    }
}

/// # Errors
/// When an address is none, or the engine refuses.
pub async fn post<E>(
    tx: &mut Tx,
    letter: Letter<'_>,
    content: &MailContent,
    now: DateTime<Utc>,
) -> Result<Enqueued, E>
where
    E: From<StoreError> + From<EmailError> + From<serde_json::Error>,
{
    let key = letter.business_key();
    let message_id = letter.message_id(&key);
    let (from, to) = (&letter.mail.from, &letter.recipient.address);
    let bytes = build_message(content, from, to, &message_id, now)?;
    let envelope = serde_json::to_string(&Envelope {
        from: from.clone(),
        to: vec![to.clone()],
    })?;
    let message = NewMessage {
        business_key: &key,
        channel: Channel::Mail,
        target: to,
        remote_name: &content.subject,
        kind: "mail",
        bytes: &bytes,
        envelope: Some(&envelope),
        message_id: Some(&message_id),
        depends_on: None,
        run_after: now,
    };
    Ok(outbox::enqueue(tx, letter.account, &message, now).await?)
}
