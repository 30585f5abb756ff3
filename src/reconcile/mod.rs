//! Shipped against received against put away.
