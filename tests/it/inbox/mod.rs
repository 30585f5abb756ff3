//! Files that come in: taken when they stand still, read once, quarantined when nobody can read them.
