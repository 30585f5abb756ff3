//! Stocking orders, their events and documents.
