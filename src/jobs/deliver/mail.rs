//! Mails: one at a time, each recipient answered apart.

use super::{Broken, Delivered, MailOutcome, Run};
use crate::delivery::{Channel, Envelope, Outcome, RecipientState, Verdict};
use crate::store::outbox::{self, Claim, Message};
use crate::store::{StoreError, blob};

/// How an attempt ended, for the mail and for each recipient that was asked.
struct Ended {
    outcome: Outcome,
    recipients: Vec<(String, RecipientState, String)>,
}

impl From<Outcome> for Ended {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            recipients: Vec::new(),
        }
    }
}

impl Run<'_> {
    /// Sends the mails of one target until one has to wait.
    pub(super) async fn drain_mails(&self, target: &str) -> Result<Vec<Delivered>, StoreError> {
        let mut done = Vec::new();
        loop {
            match self.next_mail(target).await {
                Ok(None) => return Ok(done),
                Ok(Some(delivered)) => {
                    let waits = delivered.state == crate::delivery::State::Due;
                    done.push(delivered);
                    if waits {
                        return Ok(done);
                    }
                }
                Err(Broken::LeaseLost) => {
                    tracing::warn!(target, "lease lost, another worker has the mail");
                }
                Err(Broken::Store(error)) => return Err(error),
            }
        }
    }

    async fn next_mail(&self, target: &str) -> Result<Option<Delivered>, Broken> {
        let Some((claim, message)) = self.claim(Channel::Mail, target).await? else {
            return Ok(None);
        };
        let claims = [claim];
        let [claim] = &claims;
        let ended = self.guarded(&claims, self.mail(claim, &message)).await?;
        let verdict = self.verdict(claim, ended.outcome);
        let mut tries = 0;
        loop {
            let recorded = self
                .record_mail((claim, &message), &ended.recipients, verdict.clone())
                .await;
            match recorded {
                Ok(Some(delivered)) => return Ok(Some(delivered)),
                // Another worker's results stand, for the recipients too.
                Ok(None) => return Err(Broken::LeaseLost),
                Err(error) => self.record_again(&mut tries, error).await?,
            }
        }
    }

    async fn record_mail(
        &self,
        (claim, message): (&Claim, &Message),
        recipients: &[(String, RecipientState, String)],
        verdict: Verdict,
    ) -> Result<Option<Delivered>, StoreError> {
        let mut tx = self.store.write().await?;
        for (recipient, state, answer) in recipients {
            let now = self.clock.now();
            outbox::record_recipient(&mut tx, claim, recipient, (*state, answer), now).await?;
        }
        let delivered = self.finish(&mut tx, (claim, message), verdict).await?;
        if delivered.is_some() {
            tx.commit().await?;
        }
        Ok(delivered)
    }

    async fn mail(&self, claim: &Claim, message: &Message) -> Result<Ended, Broken> {
        let refused = |why: String| Ok(Outcome::Refused { why }.into());
        let Some(sender) = self.senders.mail else {
            return refused("no mail server is configured".to_owned());
        };
        let mut envelope: Envelope =
            match serde_json::from_str(message.envelope.as_deref().unwrap_or_default()) {
                Ok(envelope) => envelope,
                Err(error) => return refused(format!("the stored envelope cannot be read: {error}")),
            };
        let (raw, answered) = {
            let mut tx = self.store.read().await?;
            let raw = match blob::get(&mut tx, self.account, &message.sha256).await {
                Ok(raw) => raw,
                Err(StoreError::Corrupt { what, why }) => return refused(format!("{what}: {why}")),
                Err(error) => return Err(error.into()),
            };
            let answered = outbox::recipients(&mut tx, self.account, &message.business_key).await?;
            (raw, answered)
        };
        // Who has it gets no second one because somebody else was not to be had; who was refused is asked again only
        // when a person says so.
        let mut answers = Vec::new();
        envelope.to.retain(|to| {
            let known = answered.iter().find(|known| known.recipient == *to);
            match known.map(|known| (known.state, known.answer.clone())) {
                Some((RecipientState::Refused, why)) => {
                    answers.push((to.clone(), MailOutcome::Refused { why }));
                    false
                }
                Some((state, _)) => !state.has_it(),
                None => true,
            }
        });
        if envelope.to.is_empty() {
            return Ok(if answers.is_empty() {
                let receipt = "every recipient had accepted it before".to_owned();
                Outcome::Sent { receipt }.into()
            } else {
                summed_up(answers)
            });
        }
        let mut tx = self.store.write().await?;
        outbox::mark_handed(&mut tx, claim, self.clock.now()).await?;
        tx.commit().await?;
        match sender.send(&raw, &envelope).await {
            MailOutcome::Apart(apart) => answers.extend(apart),
            alike => answers.extend(envelope.to.iter().map(|to| (to.clone(), alike.clone()))),
        }
        Ok(summed_up(answers))
    }
}

/// The worst of the answers is the mail's: one lost answer makes it doubtful, one postponed recipient makes it due
/// again, one refused recipient makes it refused when nothing else is open.
fn summed_up(answers: Vec<(String, MailOutcome)>) -> Ended {
    let mut accepted = Vec::new();
    let mut recipients = Vec::with_capacity(answers.len());
    let (mut doubtful, mut later, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    let single = answers.len() == 1;
    for (to, answer) in answers {
        let (list, state, text) = match answer {
            MailOutcome::Accepted { reply } => (&mut accepted, RecipientState::Accepted, reply),
            MailOutcome::Refused { why } => (&mut refused, RecipientState::Refused, why),
            MailOutcome::Retry { why } => (&mut later, RecipientState::Retry, why),
            MailOutcome::Doubtful { why } => (&mut doubtful, RecipientState::Doubtful, why),
            MailOutcome::Apart(_) => (
                &mut doubtful,
                RecipientState::Doubtful,
                "the mail sender answered in a way that is not understood".to_owned(),
            ),
        };
        list.push(if single {
            text.clone()
        } else {
            format!("{to}: {text}")
        });
        recipients.push((to, state, text));
    }
    let why = |list: Vec<String>| list.join("; ");
    let outcome = if !doubtful.is_empty() {
        Outcome::Doubtful { why: why(doubtful) }
    } else if !later.is_empty() {
        later.extend(refused);
        Outcome::Retry { why: why(later) }
    } else if !refused.is_empty() {
        Outcome::Refused { why: why(refused) }
    } else {
        Outcome::Sent {
            receipt: why(accepted),
        }
    };
    Ended { outcome, recipients }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(words: &[&str]) -> Vec<(String, MailOutcome)> {
        words
            .iter()
            .enumerate()
            .map(|(number, word)| {
                let text = (*word).to_owned();
                let answer = match *word {
                    "yes" => MailOutcome::Accepted { reply: text },
                    "no" => MailOutcome::Refused { why: text },
                    "later" => MailOutcome::Retry { why: text },
                    _ => MailOutcome::Doubtful { why: text },
                };
                (format!("{number}@example.com"), answer)
            })
            .collect()
    }

    #[test]
    fn r75_the_worst_answer_decides_and_every_recipient_keeps_its_own() {
        let outcome = |words: &[&str]| summed_up(answers(words)).outcome;
        assert!(matches!(outcome(&["yes", "yes"]), Outcome::Sent { .. }));
        assert!(matches!(outcome(&["yes", "no"]), Outcome::Refused { .. }));
        assert!(matches!(outcome(&["yes", "no", "later"]), Outcome::Retry { .. }));
        assert!(matches!(outcome(&["later", "lost"]), Outcome::Doubtful { .. }));
        let ended = summed_up(answers(&["yes", "no"]));
        let states: Vec<_> = ended.recipients.iter().map(|(_, state, _)| *state).collect();
        assert_eq!(states, [RecipientState::Accepted, RecipientState::Refused]);
        assert_eq!(
            ended.outcome,
            Outcome::Refused {
                why: "1@example.com: no".to_owned()
            }
        );
    }
}
