//! `linkstar plan --from DIR`: a plan without a database.
