//! Facts: what was sold, what is in stock, what is under way, what arrived. Appended or superseded, never edited.

mod facts;
pub mod milestone;
mod returned;
mod tracking;
pub mod transit;

pub use facts::{
    Buckets, FactKey, InboundLine, InboundNotice, OrderLineFact, OrderLineState, ReceiptEvent, ReceiptKind,
    StockRow,
};
pub use returned::CustomerReturn;
pub use tracking::{EventStatus, TrackingEvent};
