//! What cannot wait for the day's mail: deadlines that are critical, missed, or moved nearer (R67).

use chrono::{DateTime, Utc};

use super::watch::{WatchError, escaped};
use crate::calendar::civil_day;
use crate::config::{Config, MailSection, Recipient};
use crate::deadline::{Notice, Severity, Why, notice_text};
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
    let second = config.deadlines.escalation.as_ref().map(|second| Recipient {
        address: second.to.clone(),
        language: second.language,
        owner: None,
    });
    let (escalated, own): (Vec<&Notice>, Vec<&Notice>) =
        notices.iter().partition(|notice| notice.why == Why::Escalated);
    let readers = mail
        .recipients
        .iter()
        .map(|reader| (reader, of_reader(&own, reader, &mail.recipients)));
    let letters: Vec<(&Recipient, Vec<&Notice>)> = readers
        .chain(second.iter().map(|second| (second, escalated.clone())))
        .collect();
    for (recipient, mine) in letters {
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

/// What cannot wait and concerns a reader; what concerns none of them is told to all, because it is told only once.
fn of_reader<'n>(notices: &[&'n Notice], recipient: &Recipient, all: &[Recipient]) -> Vec<&'n Notice> {
    notices
        .iter()
        .copied()
        .filter(|notice| notice.severity >= Severity::Critical)
        .filter(|notice| concerns(notice, recipient) || !all.iter().any(|one| concerns(notice, one)))
        .collect()
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

#[cfg(test)]
mod tests {
    use chrono_tz::Asia::Shanghai;

    use super::*;
    use crate::deadline::{Member, Rule};

    fn reader(owner: Option<&str>) -> Recipient {
        Recipient {
            address: "a@b.example".to_owned(),
            language: Lang::En,
            owner: owner.map(str::to_owned),
        }
    }

    fn notice(severity: Severity, owner: Option<&str>) -> Notice {
        Notice {
            severity,
            rule: Rule::CargoCutOff,
            why: Why::Reminder,
            group: None,
            zone: Shanghai,
            members: vec![Member {
                due: None,
                subject: "BH-1".to_owned(),
                owner: owner.map(str::to_owned),
                missing: Vec::new(),
                facts: Vec::new(),
            }],
        }
    }

    #[test]
    fn readers_get_their_own_and_what_is_nobodys_and_nothing_is_told_to_no_one() {
        let readers = [reader(Some("wang")), reader(Some("li"))];
        let told = |notices: &[Notice]| {
            readers
                .iter()
                .map(|one| of_reader(&notices.iter().collect::<Vec<_>>(), one, &readers).len())
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&[notice(Severity::Critical, Some("wang"))]), [1, 0]);
        assert_eq!(told(&[notice(Severity::Missed, None)]), [1, 1]);
        assert_eq!(
            told(&[notice(Severity::Critical, Some("zhao"))]),
            [1, 1],
            "zhao reads no mail"
        );
        assert_eq!(told(&[notice(Severity::Warning, Some("wang"))]), [0, 0]);
    }
}
