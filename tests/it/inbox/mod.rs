//! Files that come in: taken when they stand still, read once, quarantined when nobody can read them.

mod hostile;
mod kinds;
mod receipt_papers;
mod stable;
mod stage;
mod unreadable;
mod visits;
