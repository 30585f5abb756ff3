//! The watch over the day's mail: an alert on absence. What fails says so itself; what never happens does not.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

use super::configured::NIGHT;
use crate::config::{Config, MailSection};
use crate::delivery::State;
use crate::jobs::{Letter, post};
use crate::report::MailContent;
use crate::store::outbox::{self, Enqueued};
use crate::store::run;
use crate::store::work::{self, JobFilter, JobState};
use crate::store::{StoreError, Tx};
use crate::transport::email::EmailError;
use crate::wording::{Lang, text};

#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot write the alert")]
    Email(#[from] EmailError),
    #[error("cannot put into JSON")]
    Json(#[from] serde_json::Error),
}

/// One reader's mail that has not been sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    pub reader: String,
    pub state: String,
    pub last_error: Option<String>,
}

/// The last step that a night got to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastStep {
    pub step: String,
    pub state: String,
    pub problem: Option<String>,
}

/// A day's mail that nobody got, and how far it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Absence {
    pub date: NaiveDate,
    pub by: DateTime<Utc>,
    /// What of it stands in the outbox.
    pub mails: Vec<Waiting>,
    /// How far the night of the date came; `None` when it was not begun.
    pub last_step: Option<LastStep>,
    /// Why the night's job was not done.
    pub night_error: Option<String>,
}

/// Texts of a provider may be long; an alert is read on a telephone.
const ERROR_SHOWN: usize = 300;
const RUNS_SEEN: u32 = 10;
const JOBS_SEEN: u32 = 20;

/// What is known about a day's mail when none of its readers got it; `None` when at least one did. A mail that one
/// reader's server refuses is that reader's matter and stands in the outbox for a person.
///
/// # Errors
/// When the engine refuses.
pub async fn absent_mail(
    tx: &mut Tx,
    config: &Config,
    mail: &MailSection,
    (date, by): (NaiveDate, DateTime<Utc>),
) -> Result<Option<Absence>, StoreError> {
    let account = &config.account.id;
    let mut mails = Vec::new();
    for recipient in &mail.recipients {
        let letter = Letter {
            account,
            kind: "daily",
            date,
            mail,
            recipient,
        };
        let Some(message) = outbox::find(tx, account, &letter.business_key()).await? else {
            continue;
        };
        if message.state == State::Sent {
            return Ok(None);
        }
        mails.push(Waiting {
            reader: recipient.address.clone(),
            state: message.state.as_str().to_owned(),
            last_error: message.last_error.as_deref().map(shortened),
        });
    }
    let last_step = run::latest(tx, account, RUNS_SEEN)
        .await?
        .into_iter()
        .find(|run| run.kind == "night" && run.civil_date == date)
        .and_then(|run| run.steps.into_iter().last())
        .map(|step| LastStep {
            problem: step.problem.as_deref().map(first_line),
            step: step.step,
            state: step.state,
        });
    let filter = JobFilter {
        kind: Some(NIGHT),
        ..JobFilter::default()
    };
    let night_error = work::list(tx, account, &filter, JOBS_SEEN)
        .await?
        .into_iter()
        .find(|job| job.civil_date == Some(date) && job.state != JobState::Done)
        .and_then(|job| job.last_error)
        .as_deref()
        .map(shortened);
    Ok(Some(Absence {
        date,
        by,
        mails,
        last_step,
        night_error,
    }))
}

fn first_line(text: &str) -> String {
    shortened(text.lines().next().unwrap_or_default())
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(ERROR_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

impl Absence {
    /// What is missing, then what is known, a line each.
    #[must_use]
    pub fn lines(&self, config: &Config, lang: Lang) -> Vec<String> {
        let by = self
            .by
            .with_timezone(&config.account.zone)
            .format("%H:%M")
            .to_string();
        let date = self.date.to_string();
        let places = [
            ("account", config.account.name.as_str()),
            ("date", &date),
            ("by", &by),
        ];
        let mut lines = vec![text(lang, "work.absence.mail", &places)];
        if self.mails.is_empty() {
            lines.push(text(lang, "work.absence.not_written", &[]));
        }
        for mail in &self.mails {
            let state = text(lang, &format!("cli.message.{}", mail.state), &[]);
            let error = mail.last_error.as_deref().unwrap_or("–");
            let places = [
                ("reader", mail.reader.as_str()),
                ("state", &state),
                ("error", error),
            ];
            lines.push(text(lang, "work.absence.waits", &places));
        }
        match &self.last_step {
            Some(last) => {
                let step = text(lang, &format!("mail.step.{}", last.step), &[]);
                let state = text(lang, &format!("cli.step.{}", last.state), &[]);
                let problem = last.problem.as_deref().unwrap_or("–");
                let places = [("step", step.as_str()), ("state", &state), ("problem", problem)];
                lines.push(text(lang, "work.absence.last_step", &places));
            }
            None => lines.push(text(lang, "work.absence.no_step", &[])),
        }
        if let Some(error) = &self.night_error {
            lines.push(text(lang, "work.absence.night_error", &[("error", error)]));
        }
        lines
    }
}

/// Puts one alert for each reader into the outbox, once per date; the number of new ones.
///
/// # Errors
/// When an address is none, or the engine refuses.
pub async fn raise(
    tx: &mut Tx,
    config: &Config,
    mail: &MailSection,
    absence: &Absence,
    now: DateTime<Utc>,
) -> Result<usize, WatchError> {
    let mut raised = 0;
    for recipient in &mail.recipients {
        let letter = Letter {
            account: &config.account.id,
            kind: "alert",
            date: absence.date,
            mail,
            recipient,
        };
        let content = content(config, recipient.language, absence);
        let posted: Result<Enqueued, WatchError> = post(tx, letter, &content, now).await;
        if posted? == Enqueued::New {
            raised += 1;
        }
    }
    Ok(raised)
}

fn content(config: &Config, lang: Lang, absence: &Absence) -> MailContent {
    let date = absence.date.to_string();
    let places = [("account", config.account.name.as_str()), ("date", &date)];
    let mut lines = absence.lines(config, lang);
    lines.push(text(lang, "work.absence.what_to_do", &[]));
    let paragraphs: String = lines
        .iter()
        .map(|line| format!("<p>{}</p>\n", escaped(line)))
        .collect();
    MailContent {
        subject: text(lang, "work.absence.subject", &places),
        html: format!("<!DOCTYPE html>\n<html><body>\n{paragraphs}</body></html>\n"),
        text: lines.join("\n\n") + "\n",
        inline: Vec::new(),
        attachments: Vec::new(),
    }
}

/// Errors come from other people's servers: nothing in them is markup.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn absence() -> Absence {
        Absence {
            date: "2026-06-02".parse().unwrap(),
            by: "2026-06-02T01:00:00Z".parse().unwrap(),
            mails: vec![Waiting {
                reader: "ops@example.com".to_owned(),
                state: "due".to_owned(),
                last_error: Some("connection refused <b>".to_owned()),
            }],
            last_step: Some(LastStep {
                step: "deliver".to_owned(),
                state: "partial".to_owned(),
                problem: Some("mail/daily/2026-06-02/ops@example.com: due".to_owned()),
            }),
            night_error: None,
        }
    }

    fn config() -> Config {
        let text = "[account]\nid='main'\nname='示例店'\n";
        crate::config::load_text("linkstar.toml", text, std::path::Path::new("/nowhere"), &|_| None).unwrap()
    }

    #[test]
    fn the_alert_says_what_is_missing_and_the_last_known_step_in_both_languages() {
        let english = content(&config(), Lang::En, &absence());
        insta::assert_snapshot!(format!("{}\n\n{}", english.subject, english.text), @r"
        [Alert] the restock mail of 2026-06-02 has not been delivered · 示例店

        By 09:00 the restock mail of 示例店 for 2026-06-02 had reached none of its readers.

        Outbox: ops@example.com · due · connection refused <b>

        Last step: deliver · partial · mail/daily/2026-06-02/ops@example.com: due

        Look at `linkstar status`, `linkstar jobs list` and `linkstar outbox list`.
        ");
        let chinese = content(&config(), Lang::Zh, &absence());
        insta::assert_snapshot!(format!("{}\n\n{}", chinese.subject, chinese.text), @r"
        [告警] 2026-06-02 的补货日报没有按时发出 · 示例店

        到 09:00 为止，示例店 2026-06-02 的补货日报还没有发给任何收件人。

        发件箱: ops@example.com · 待发 · connection refused <b>

        最后一步: 发送 · 部分完成 · mail/daily/2026-06-02/ops@example.com: due

        请查看 `linkstar status`、`linkstar jobs list` 和 `linkstar outbox list`。
        ");
        assert!(english.html.contains("connection refused &lt;b&gt;"));
    }

    #[test]
    fn a_night_that_was_never_begun_is_said_so() {
        let nothing = Absence {
            mails: Vec::new(),
            last_step: None,
            night_error: Some("statement `SELECT` failed".to_owned()),
            ..absence()
        };
        insta::assert_snapshot!(nothing.lines(&config(), Lang::En).join("\n"), @r"
        By 09:00 the restock mail of 示例店 for 2026-06-02 had reached none of its readers.
        The outbox holds no mail of that date: the night did not get as far as writing it.
        The night of that date was not begun.
        The night's job: statement `SELECT` failed
        ");
        assert_eq!(shortened(&"长".repeat(400)).chars().count(), ERROR_SHOWN + 1);
    }
}
