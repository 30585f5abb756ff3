//! The one model of a stocking order that every mapping reads from.
