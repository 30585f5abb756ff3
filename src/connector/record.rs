//! The records a stream can have, their fields, and the way from mapped cells to canonical facts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::cell::Cell;
use super::definition::RecordKind;
use crate::ledger::{
    CustomerReturn, InboundLine, InboundNotice, OrderLineFact, ReceiptEvent, StockRow, TrackingEvent,
};

mod maker;

pub use maker::{Maker, NoFact};

/// What a field must hold after its pipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    Text,
    Int,
    Time,
    Flag,
    /// One of a fixed set of words.
    Word(&'static [&'static str]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub kind: FieldKind,
    pub required: bool,
}

const fn must(name: &'static str, kind: FieldKind) -> Field {
    Field {
        name,
        kind,
        required: true,
    }
}

const fn may(name: &'static str, kind: FieldKind) -> Field {
    Field {
        name,
        kind,
        required: false,
    }
}

use FieldKind::{Flag, Int, Text, Time, Word};

const ORDER_LINE: [Field; 10] = [
    must("order_id", Text),
    must("sku_code", Text),
    must("marketplace", Text),
    must("fulfilment", Text),
    must("ordered_at", Time),
    must("updated_at", Time),
    must("state", Word(&["pending", "unshipped", "shipped", "cancelled"])),
    must("units", Int),
    may("replacement", Flag),
    may("line", Text),
];
const STOCK: [Field; 12] = [
    must("sku_code", Text),
    may("warehouse", Text),
    may("available", Int),
    may("reserved", Int),
    may("pending_putaway", Int),
    may("inbound", Int),
    may("unsellable", Int),
    may("frozen", Int),
    may("transfer", Int),
    may("total", Int),
    may("condition", Word(&["good", "damaged"])),
    may("batch", Text),
];
const INBOUND: [Field; 6] = [
    must("inbound_no", Text),
    must("warehouse", Text),
    may("reference", Text),
    must("state", Text),
    must("closed", Flag),
    may("updated_at", Time),
];
const INBOUND_LINE: [Field; 5] = [
    must("inbound_no", Text),
    must("sku_code", Text),
    may("carton", Text),
    may("announced", Int),
    may("put_away", Int),
];
const RECEIPT: [Field; 8] = [
    must("inbound_no", Text),
    must("warehouse", Text),
    may("carton", Text),
    must("sku_code", Text),
    must(
        "kind",
        Word(&[
            "received",
            "put_away",
            "damaged",
            "mislabelled",
            "set_aside",
            "received+put_away",
            "received+damaged",
        ]),
    ),
    must("units", Int),
    may("at", Time),
    may("event_id", Text),
];
const EVENT: [Field; 11] = [
    may("event_id", Text),
    may("shipment", Text),
    may("container", Text),
    must("kind", Text),
    must("status", Word(&["planned", "estimated", "actual"])),
    must("at", Time),
    may("place", Text),
    may("vessel", Text),
    may("voyage", Text),
    may("text", Text),
    may("told_at", Time),
];
const RETURN: [Field; 8] = [
    must("order_id", Text),
    must("sku_code", Text),
    must("units", Int),
    must("returned_at", Time),
    may("disposition", Text),
    may("reason", Text),
    may("centre", Text),
    may("unit_id", Text),
];
const CODE: [Field; 2] = [may("sku_code", Text), must("id", Text)];

impl RecordKind {
    pub const ALL: [Self; 8] = [
        Self::OrderLine,
        Self::Stock,
        Self::Inbound,
        Self::InboundLine,
        Self::Receipt,
        Self::Event,
        Self::Return,
        Self::Code,
    ];

    /// As a connector file writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::OrderLine => "order_line",
            Self::Stock => "stock",
            Self::Inbound => "inbound",
            Self::InboundLine => "inbound_line",
            Self::Receipt => "receipt",
            Self::Event => "event",
            Self::Return => "return",
            Self::Code => "code",
        }
    }

    #[must_use]
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::OrderLine => &ORDER_LINE,
            Self::Stock => &STOCK,
            Self::Inbound => &INBOUND,
            Self::InboundLine => &INBOUND_LINE,
            Self::Receipt => &RECEIPT,
            Self::Event => &EVENT,
            Self::Return => &RETURN,
            Self::Code => &CODE,
        }
    }
}

/// The mapped fields of one row, in the order of [`RecordKind::fields`].
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped<'a>(pub Vec<Cell<'a>>);

impl<'a> Mapped<'a> {
    pub(super) fn cell(&self, index: usize) -> &Cell<'a> {
        self.0.get(index).unwrap_or(&Cell::Null)
    }

    fn text(&self, index: usize) -> Option<String> {
        self.cell(index).show().map(std::borrow::Cow::into_owned)
    }

    fn must(&self, index: usize) -> String {
        self.text(index).unwrap_or_default()
    }

    fn int(&self, index: usize) -> Option<i64> {
        self.cell(index).int().ok().flatten()
    }

    fn time(&self, index: usize) -> Option<DateTime<Utc>> {
        match self.cell(index) {
            Cell::Time(at) => Some(*at),
            _ => None,
        }
    }

    fn flag(&self, index: usize) -> bool {
        matches!(self.cell(index), Cell::Bool(true))
    }

    /// Every field that is there, as text: what tests compare and what children of the row read.
    #[must_use]
    pub fn texts(&self, kind: RecordKind) -> BTreeMap<String, String> {
        kind.fields()
            .iter()
            .zip(&self.0)
            .filter_map(|(field, cell)| Some((field.name.to_owned(), cell.show()?.into_owned())))
            .collect()
    }
}

/// The number a system has for a code of goods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCode {
    pub sku_code: String,
    pub id: String,
}

/// Canonical facts read from one answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Facts {
    Orders(Vec<OrderLineFact>),
    Stock(Vec<StockRow>),
    Inbounds(Vec<InboundNotice>),
    InboundLines(Vec<InboundLine>),
    Receipts(Vec<ReceiptEvent>),
    Events(Vec<TrackingEvent>),
    Returns(Vec<CustomerReturn>),
    Codes(Vec<OwnCode>),
}

impl Facts {
    /// No row of this kind.
    #[must_use]
    pub fn none(kind: RecordKind) -> Self {
        match kind {
            RecordKind::OrderLine => Self::Orders(Vec::new()),
            RecordKind::Stock => Self::Stock(Vec::new()),
            RecordKind::Inbound => Self::Inbounds(Vec::new()),
            RecordKind::InboundLine => Self::InboundLines(Vec::new()),
            RecordKind::Receipt => Self::Receipts(Vec::new()),
            RecordKind::Event => Self::Events(Vec::new()),
            RecordKind::Return => Self::Returns(Vec::new()),
            RecordKind::Code => Self::Codes(Vec::new()),
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Orders(rows) => rows.len(),
            Self::Stock(rows) => rows.len(),
            Self::Inbounds(rows) => rows.len(),
            Self::InboundLines(rows) => rows.len(),
            Self::Receipts(rows) => rows.len(),
            Self::Events(rows) => rows.len(),
            Self::Returns(rows) => rows.len(),
            Self::Codes(rows) => rows.len(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps the rows for which `keep` is true, in their order.
    pub fn keep(&mut self, keep: &[bool]) {
        fn some<T>(rows: &mut Vec<T>, keep: &[bool]) {
            let mut keep = keep.iter();
            rows.retain(|_| keep.next().copied().unwrap_or(true));
        }
        match self {
            Self::Orders(rows) => some(rows, keep),
            Self::Stock(rows) => some(rows, keep),
            Self::Inbounds(rows) => some(rows, keep),
            Self::InboundLines(rows) => some(rows, keep),
            Self::Receipts(rows) => some(rows, keep),
            Self::Events(rows) => some(rows, keep),
            Self::Returns(rows) => some(rows, keep),
            Self::Codes(rows) => some(rows, keep),
        }
    }
}
