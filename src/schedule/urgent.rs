//! What cannot wait for the day's mail: deadlines that are critical, missed, or moved nearer (R67).

use chrono::{DateTime, Utc};

use super::watch::{WatchError, escaped};
use crate::calendar::civil_day;
use crate::config::{Config, MailSection, Recipient};
use crate::deadline::{Notice, Severity, notice_text};
use crate::digest::sha256_hex;
use crate::jobs::{Letter, post};
use crate::report::MailContent;
use crate::store::Tx;
use crate::store::outbox::Enqueued;
use crate::wording::{Lang, text};

/// Puts one mail with all of them for each reader they concern into the outbox; the number of new ones.
///
/// # Errors
/// When an address is none, or the engine refuses.
pub async fn tell(
    tx: &mut Tx,
    config: &Config,
    mail: &MailSection,
    notices: &[Notice],
    now: DateTime<Utc>,
) -> Result<usize, WatchError> {
    let mut told = 0;
    for recipient in &mail.recipients {
        let mine: Vec<&Notice> = notices
            .iter()
            .filter(|notice| notice.severity >= Severity::Critical && concerns(notice, recipient))
            .collect();
        if mine.is_empty() {
            continue;
        }
        let lines: Vec<String> = mine
            .iter()
            .map(|notice| notice_text(notice, recipient.language))
            .collect();
        // The same news is the same letter, whoever finds it out again.
        let news = sha256_hex(format!("{now}\n{}", lines.join("\n")).as_bytes());
        let kind = format!("urgent-{}", news.get(..12).unwrap_or(&news));
        let letter = Letter {
            account: &config.account.id,
            kind: &kind,
            date: civil_day(now, config.account.zone),
            mail,
            recipient,
        };
        let posted: Result<Enqueued, WatchError> =
            post(tx, letter, &content(config, recipient.language, &lines), now).await;
        told += usize::from(posted? == Enqueued::New);
    }
    Ok(told)
}

/// A reader with lines of his own is told of his; what nobody owns is told to all.
fn concerns(notice: &Notice, recipient: &Recipient) -> bool {
    recipient.owner.as_ref().is_none_or(|owner| {
        notice
            .members
            .iter()
            .any(|member| member.owner.as_ref().is_none_or(|one| one == owner))
    })
}

fn content(config: &Config, lang: Lang, lines: &[String]) -> MailContent {
    let count = lines.len().to_string();
    let places = [("account", config.account.name.as_str()), ("n", &count)];
    let advice = text(lang, "deadline.urgent.what_to_do", &[]);
    let items: String = lines
        .iter()
        .map(|line| format!("<li>{}</li>\n", escaped(line)))
        .collect();
    MailContent {
        subject: text(lang, "deadline.urgent.subject", &places),
        html: format!(
            "<!DOCTYPE html>\n<html><body>\n<ul>\n{items}</ul>\n<p>{}</p>\n</body></html>\n",
            escaped(&advice)
        ),
        text: format!("{}\n\n{advice}\n", lines.join("\n")),
        inline: Vec::new(),
        attachments: Vec::new(),
    }
}
