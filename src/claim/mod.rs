//! No unit lost without somebody asked to pay (R68–R70): who seems to be responsible, until when and for how much one may ask, with
//! which papers, and what came of it.
//!
//! [`responsibility`] walks the hand-overs of the goods and proposes a party, or says what evidence is missing. [`rules`] are dated
//! rows of conventions, platforms and contracts; [`window`] makes days of them, [`amount`] money. [`case`] and [`state`] are logs of
//! what people did, whose replay is how things stand. [`dossier`] is the file that leaves. Nothing here decides for a person.

pub mod amount;
pub mod case;
pub mod dossier;
pub mod evidence;
pub mod responsibility;
pub mod rules;
pub mod state;
pub mod window;

mod kind;
mod letter;
pub mod paper;

pub use kind::{LossKind, Party};
