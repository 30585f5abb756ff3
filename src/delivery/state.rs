//! The states of a message and what may follow what.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::backoff::Backoff;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As stored and as shown.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { what: $what, found: text.to_owned() }),
                }
            }
        }
    };
}

/// A word that names no state or channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no {what}")]
pub struct UnknownWord {
    pub what: &'static str,
    pub found: String,
}

words!(
    /// How a message leaves.
    Channel, "channel" {
        Sftp = "sftp",
        Mail = "mail",
        Folder = "folder",
        /// A request that a connector file declares.
        Api = "api",
    }
);

words!(
    /// Where a message stands.
    State, "message state" {
        /// Waits for its turn.
        Due = "due",
        /// A worker holds it until its lease ends.
        Leased = "leased",
        /// The other side has it, seen by reading back or by an accepting reply.
        Sent = "sent",
        /// It may have left: only a person, or the other side, can tell.
        Doubtful = "doubtful",
        /// The other side will not take it before somebody changes something.
        Refused = "refused",
        /// Under its name stands something else, which is never overwritten.
        Conflict = "conflict",
        /// A person took it back.
        Withdrawn = "withdrawn",
    }
);

words!(
    /// What became of one recipient of a mail.
    RecipientState, "recipient state" {
        /// The mail server took the mail for this recipient.
        Accepted = "accepted",
        /// It will not take it for this recipient.
        Refused = "refused",
        /// Not now: asked again on the next attempt.
        Retry = "retry",
        /// The answer was lost.
        Doubtful = "doubtful",
        /// It was taken, and came back later.
        Bounced = "bounced",
    }
);

impl RecipientState {
    /// Whether a further attempt leaves this recipient out: one mail each.
    #[must_use]
    pub fn has_it(self) -> bool {
        matches!(self, Self::Accepted | Self::Bounced)
    }
}

impl State {
    /// Whether `next` may follow: the one table that the store and the command line obey.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Due => matches!(next, Self::Leased | Self::Withdrawn),
            Self::Leased => matches!(
                next,
                Self::Sent | Self::Due | Self::Doubtful | Self::Refused | Self::Conflict
            ),
            Self::Doubtful => matches!(next, Self::Sent | Self::Due | Self::Withdrawn),
            Self::Refused | Self::Conflict => matches!(next, Self::Due | Self::Withdrawn),
            Self::Sent | Self::Withdrawn => false,
        }
    }

    /// Whether a person must look at it.
    #[must_use]
    pub fn needs_a_person(self) -> bool {
        matches!(self, Self::Doubtful | Self::Refused | Self::Conflict)
    }
}

/// How one attempt ended, decided where the error was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is there. `receipt` says how that is known: the server's reply, or the path read back.
    Sent { receipt: String },
    /// It is not there, and trying later may help.
    Retry { why: String },
    /// It may be there.
    Doubtful { why: String },
    /// It is not there, and trying again without a change cannot help.
    Refused { why: String },
    /// Something else stands under its name.
    Conflict { why: String },
}

/// What the store writes after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub state: State,
    /// When a message that is due again may be claimed.
    pub run_after: Option<DateTime<Utc>>,
    pub receipt: Option<String>,
    pub error: Option<String>,
}

/// The state after an attempt.
#[must_use]
pub fn after_attempt(
    outcome: Outcome,
    business_key: &str,
    attempt: u32,
    backoff: &Backoff,
    now: DateTime<Utc>,
) -> Verdict {
    let stopped = |state, why| Verdict {
        state,
        run_after: None,
        receipt: None,
        error: Some(why),
    };
    match outcome {
        Outcome::Sent { receipt } => Verdict {
            state: State::Sent,
            run_after: None,
            receipt: Some(receipt),
            error: None,
        },
        Outcome::Retry { why } => Verdict {
            run_after: Some(now + backoff.delay(business_key, attempt)),
            ..stopped(State::Due, why)
        },
        Outcome::Doubtful { why } => stopped(State::Doubtful, why),
        Outcome::Refused { why } => stopped(State::Refused, why),
        Outcome::Conflict { why } => stopped(State::Conflict, why),
    }
}

/// The state of a message whose worker is gone. A file is looked for at the other side on the next attempt, so it
/// is simply due; a mail that was being handed over cannot be looked for.
#[must_use]
pub fn after_lost_lease(channel: Channel, handed: bool) -> State {
    match (channel, handed) {
        (Channel::Mail, true) => State::Doubtful,
        _ => State::Due,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    #[test]
    fn words_read_back_and_strangers_are_named() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse::<State>().unwrap(), *state);
        }
        for channel in Channel::ALL {
            assert_eq!(channel.as_str().parse::<Channel>().unwrap(), *channel);
        }
        assert_eq!(
            "ftp".parse::<Channel>().unwrap_err().to_string(),
            "`ftp` is no channel"
        );
    }

    #[test]
    fn what_is_sent_or_withdrawn_stays_so_and_nothing_is_sent_without_a_lease_or_a_person() {
        for next in State::ALL {
            assert!(!State::Sent.may_become(*next) && !State::Withdrawn.may_become(*next));
        }
        let before_sent: Vec<_> = State::ALL
            .iter()
            .filter(|state| state.may_become(State::Sent))
            .collect();
        assert_eq!(before_sent, [&State::Leased, &State::Doubtful]);
    }

    #[test]
    fn every_verdict_of_an_attempt_may_follow_a_lease() {
        let now = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let why = || "why".to_owned();
        for outcome in [
            Outcome::Sent { receipt: why() },
            Outcome::Retry { why: why() },
            Outcome::Doubtful { why: why() },
            Outcome::Refused { why: why() },
            Outcome::Conflict { why: why() },
        ] {
            let verdict = after_attempt(outcome.clone(), "k", 3, &Backoff::default(), now);
            assert!(State::Leased.may_become(verdict.state), "{outcome:?}");
            assert_eq!(verdict.run_after.is_some(), verdict.state == State::Due);
            assert_eq!(verdict.error.is_none(), verdict.state == State::Sent);
        }
    }

    #[test]
    fn only_a_mail_that_was_being_handed_over_is_doubtful_after_a_crash() {
        assert_eq!(after_lost_lease(Channel::Mail, true), State::Doubtful);
        assert_eq!(after_lost_lease(Channel::Mail, false), State::Due);
        assert_eq!(after_lost_lease(Channel::Sftp, true), State::Due);
    }
}
