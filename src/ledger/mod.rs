//! Facts: what was sold, what is in stock, what is under way, what arrived. Appended or superseded, never edited.

mod count;
mod facts;
pub mod milestone;
mod returned;
pub mod statement;
mod tracking;
pub mod transit;

pub use count::{CountUnit, Finding, NoCount, Pack, in_units_of_code};
pub use facts::{
    Buckets, FactKey, InboundLine, InboundNotice, OrderLineFact, OrderLineState, ReceiptEvent, ReceiptKind,
    StockRow,
};
pub use returned::CustomerReturn;
pub use statement::Statement;
pub use tracking::{EventStatus, TrackingEvent};
