//! States of what must leave exactly once: which state may follow which, when to try again, and what a file found
//! at the other side means. Pure: this room decides, the store records, the transports act.

mod backoff;
mod bounce;
pub(crate) mod mime;
mod parcel;
mod read_back;
mod remote;
mod server;
mod state;
mod visit;

pub use backoff::Backoff;
pub use bounce::{Bounce, FailedRecipient, read_bounce};
pub use parcel::{Envelope, FetchLimits, Fetched, Inbound, Outgoing, Staged, is_unfinished_name};
pub use read_back::{read_back, read_back_words};
pub use remote::{Found, FoundFile, NameError, PartialName, check_remote_name, judge_found};
pub use server::{Capabilities, Placing, RenameHabit};
pub use state::{
    Channel, Outcome, RecipientState, State, UnknownWord, Verdict, after_attempt, after_lost_lease,
};
pub use visit::{Earlier, Sight, Standing, Visit};
