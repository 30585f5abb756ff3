//! Deliver: what is due goes out; what the other side said is written down.

use futures_util::future::BoxFuture;

use super::Night;
use super::step::{StepReport, chain};
use crate::delivery::{Envelope, State};
use crate::jobs::{Callers, MailOutcome, MailSender, Pace, Senders, deliver_due};
use crate::transport::email::{self, SendOutcome, SmtpSettings};

/// Speaks SMTP for the outbox.
pub struct Smtp<'a>(pub &'a SmtpSettings);

impl MailSender for Smtp<'_> {
    fn send<'a>(&'a self, raw: &'a [u8], envelope: &'a Envelope) -> BoxFuture<'a, MailOutcome> {
        Box::pin(async move {
            let from = bare_address(&envelope.from);
            let outcomes = email::send_to_all(self.0, raw, from, &envelope.to).await;
            let told = outcomes.into_iter().map(|outcome| match outcome {
                SendOutcome::Accepted { answer } => MailOutcome::Accepted { reply: answer },
                SendOutcome::RefusedPermanent { what, code, text } => MailOutcome::Refused {
                    why: format!("{what:?}{}: {text}", code_text(code)),
                },
                SendOutcome::RetryLater { code, text } => MailOutcome::Retry {
                    why: format!("{}{text}", code_text(code)),
                },
                SendOutcome::Doubtful { why } => MailOutcome::Doubtful { why },
            });
            MailOutcome::Apart(envelope.to.iter().cloned().zip(told).collect())
        })
    }
}

fn code_text(code: Option<u16>) -> String {
    code.map_or_else(String::new, |code| format!(" {code} "))
}

/// `a@b.c` of `Name <a@b.c>`: the envelope has no names.
fn bare_address(from: &str) -> &str {
    from.rsplit_once('<')
        .map_or(from, |(_, rest)| rest.trim_end_matches('>'))
        .trim()
}

impl Night<'_> {
    /// Sends what is due now, in any channel.
    pub async fn deliver(&self) -> StepReport {
        let smtp = self.tools.smtp.as_ref().map(Smtp);
        let senders = Senders {
            sftp: &self.tools.sftp,
            folders: &self.tools.folders,
            mail: smtp.as_ref().map(|smtp| smtp as &dyn MailSender),
            calls: Some(Callers {
                client: &self.tools.client,
                connectors: &self.tools.connectors,
            }),
            pace: Pace::default(),
        };
        if let Err(error) = self.take_back().await {
            return StepReport::failed(chain(&error));
        }
        // Every message has a lease and a fence of its own: several processes deliver at once, and what was sent is
        // written down even when the night's turn was lost meanwhile.
        let store = self.store.unfenced();
        let delivered = match deliver_due(&store, self.clock, self.account(), &senders, &self.owner()).await {
            Ok(delivered) => delivered,
            Err(error) => return StepReport::failed(chain(&error)),
        };
        let mut report = StepReport::default();
        for attempt in &delivered.attempts {
            report.count(attempt.state.as_str(), 1);
            if attempt.state != State::Sent {
                report.partial(format!(
                    "{} to {}: {} ({})",
                    attempt.business_key, attempt.target, attempt.state, attempt.detail
                ));
            }
        }
        for lost in &delivered.lost {
            tracing::warn!(?lost, "taken over from a worker that is gone");
        }
        report
    }

    /// Name of this process in leases: the same after a restart, and of no other living process.
    #[must_use]
    pub fn owner(&self) -> String {
        self.tools.presence(&self.config.home).owner().to_owned()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_envelope_has_no_display_name() {
        assert_eq!(
            super::bare_address("linkstar <ops@example.com>"),
            "ops@example.com"
        );
        assert_eq!(super::bare_address("ops@example.com"), "ops@example.com");
    }
}
