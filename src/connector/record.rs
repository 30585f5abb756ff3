//! The records a stream can have, their fields, and the way from mapped cells to canonical facts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::cell::Cell;
use super::definition::RecordKind;
use crate::ids::{SourceId, WarehouseCode};
use crate::ledger::{
    Buckets, InboundLine, InboundNotice, OrderLineFact, OrderLineState, ReceiptEvent, ReceiptKind, StockRow,
};

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

const ORDER_LINE: [Field; 9] = [
    must("order_id", Text),
    must("sku_code", Text),
    must("marketplace", Text),
    must("fulfilment", Text),
    must("ordered_at", Time),
    must("updated_at", Time),
    must("state", Word(&["pending", "unshipped", "shipped", "cancelled"])),
    must("units", Int),
    may("replacement", Flag),
];
const STOCK: [Field; 10] = [
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
const RECEIPT: [Field; 7] = [
    must("inbound_no", Text),
    must("warehouse", Text),
    may("carton", Text),
    must("sku_code", Text),
    must("kind", Word(&["received", "put_away", "damaged"])),
    must("units", Int),
    must("at", Time),
];

impl RecordKind {
    pub const ALL: [Self; 5] = [
        Self::OrderLine,
        Self::Stock,
        Self::Inbound,
        Self::InboundLine,
        Self::Receipt,
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
        }
    }
}

/// The mapped fields of one row, in the order of [`RecordKind::fields`].
#[derive(Debug, Clone, PartialEq)]
pub struct Mapped<'a>(pub Vec<Cell<'a>>);

impl<'a> Mapped<'a> {
    fn cell(&self, index: usize) -> &Cell<'a> {
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

/// Canonical facts read from one answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Facts {
    Orders(Vec<OrderLineFact>),
    Stock(Vec<StockRow>),
    /// With the mapped texts that streams below the inbound are asked with.
    Inbounds(Vec<(InboundNotice, BTreeMap<String, String>)>),
    InboundLines(Vec<InboundLine>),
    Receipts(Vec<ReceiptEvent>),
}

impl Facts {
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Orders(rows) => rows.len(),
            Self::Stock(rows) => rows.len(),
            Self::Inbounds(rows) => rows.len(),
            Self::InboundLines(rows) => rows.len(),
            Self::Receipts(rows) => rows.len(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Makes facts out of mapped rows, one after the other.
pub struct Maker<'a> {
    pub kind: RecordKind,
    pub source: &'a SourceId,
    /// Provider's code to ours.
    pub warehouses: &'a BTreeMap<String, WarehouseCode>,
    /// The provider's code and ours of the warehouse a snapshot is asked for.
    pub asked: Option<&'a (String, WarehouseCode)>,
    facts: Facts,
    /// How often a key prefix has occurred, for facts that have no number of their own.
    occurrences: BTreeMap<String, u32>,
}

/// Why a row is no fact of this source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoFact {
    /// A warehouse that is not configured: belongs to nobody here.
    UnknownWarehouse(String),
    /// A row of another warehouse than the one that was asked for.
    OtherWarehouse(String),
}

impl<'a> Maker<'a> {
    #[must_use]
    pub fn new(
        kind: RecordKind,
        source: &'a SourceId,
        warehouses: &'a BTreeMap<String, WarehouseCode>,
        asked: Option<&'a (String, WarehouseCode)>,
    ) -> Self {
        let facts = match kind {
            RecordKind::OrderLine => Facts::Orders(Vec::new()),
            RecordKind::Stock => Facts::Stock(Vec::new()),
            RecordKind::Inbound => Facts::Inbounds(Vec::new()),
            RecordKind::InboundLine => Facts::InboundLines(Vec::new()),
            RecordKind::Receipt => Facts::Receipts(Vec::new()),
        };
        Self {
            kind,
            source,
            warehouses,
            asked,
            facts,
            occurrences: BTreeMap::new(),
        }
    }

    #[must_use]
    pub fn finish(self) -> Facts {
        self.facts
    }

    fn occurrence(&mut self, prefix: &str) -> String {
        let seen = self.occurrences.entry(prefix.to_owned()).or_insert(0);
        *seen += 1;
        format!("{prefix}|{seen}")
    }

    fn warehouse(&self, code: &str) -> Result<WarehouseCode, NoFact> {
        self.warehouses
            .get(code)
            .cloned()
            .ok_or_else(|| NoFact::UnknownWarehouse(code.to_owned()))
    }

    /// Takes a row whose fields have been checked.
    ///
    /// # Errors
    /// When the row is about a warehouse that is not ours.
    pub fn take(&mut self, row: &Mapped<'_>) -> Result<(), NoFact> {
        let source = self.source.clone();
        match self.kind {
            RecordKind::OrderLine => {
                let (order_id, sku_code) = (row.must(0), row.must(1));
                // A line has no number of its own; the same SKU twice in an order is two lines.
                let key = self.occurrence(&format!("{order_id}|{sku_code}"));
                let (Some(ordered_at), Some(updated_at), Some(units)) =
                    (row.time(4), row.time(5), row.int(7))
                else {
                    return Ok(());
                };
                let line = OrderLineFact {
                    source,
                    key,
                    order_id,
                    sku_code,
                    marketplace: row.must(2),
                    fulfilment: row.must(3),
                    ordered_at,
                    updated_at,
                    state: match row.must(6).as_str() {
                        "pending" => OrderLineState::Pending,
                        "unshipped" => OrderLineState::Unshipped,
                        "cancelled" => OrderLineState::Cancelled,
                        _ => OrderLineState::Shipped,
                    },
                    units,
                    replacement: row.flag(8),
                };
                if let Facts::Orders(lines) = &mut self.facts {
                    lines.push(line);
                }
            }
            RecordKind::Stock => {
                let said = row.text(1);
                let warehouse = match (self.asked, said) {
                    (Some((asked, _)), Some(said)) if said != *asked => {
                        return Err(NoFact::OtherWarehouse(said));
                    }
                    (Some((_, ours)), _) => ours.clone(),
                    (None, said) => self.warehouse(&said.unwrap_or_default())?,
                };
                let stock = StockRow {
                    source,
                    warehouse,
                    sku_code: row.must(0),
                    buckets: Buckets {
                        available: row.int(2),
                        reserved: row.int(3),
                        pending_putaway: row.int(4),
                        inbound: row.int(5),
                        unsellable: row.int(6),
                        frozen: row.int(7),
                        transfer: row.int(8),
                    },
                    total: row.int(9),
                };
                if let Facts::Stock(rows) = &mut self.facts {
                    rows.push(stock);
                }
            }
            RecordKind::Inbound => {
                let notice = InboundNotice {
                    source,
                    warehouse: self.warehouse(&row.must(1))?,
                    inbound_no: row.must(0),
                    reference: row.must(2),
                    state: row.must(3),
                    closed: row.flag(4),
                    updated_at: row.time(5),
                };
                let texts = row.texts(self.kind);
                if let Facts::Inbounds(notices) = &mut self.facts {
                    notices.push((notice, texts));
                }
            }
            RecordKind::InboundLine => {
                let line = InboundLine {
                    source,
                    inbound_no: row.must(0),
                    carton: row.text(2),
                    sku_code: row.must(1),
                    announced: row.int(3),
                    put_away: row.int(4),
                };
                if let Facts::InboundLines(lines) = &mut self.facts {
                    lines.push(line);
                }
            }
            RecordKind::Receipt => {
                let warehouse = self.warehouse(&row.must(1))?;
                let (Some(units), Some(at)) = (row.int(5), row.time(6)) else {
                    return Ok(());
                };
                let (reference, carton, sku_code) = (row.must(0), row.text(2), row.must(3));
                let word = row.must(4);
                let kind = match word.as_str() {
                    "put_away" => ReceiptKind::PutAway,
                    "damaged" => ReceiptKind::Damaged,
                    _ => ReceiptKind::Received,
                };
                let prefix = format!(
                    "{source}|{reference}|{word}|{}|{sku_code}|{}",
                    carton.as_deref().unwrap_or_default(),
                    at.timestamp()
                );
                let event = ReceiptEvent {
                    source: source.to_string(),
                    key: self.occurrence(&prefix),
                    warehouse,
                    reference,
                    carton,
                    sku_code,
                    kind,
                    units,
                    at,
                };
                if let Facts::Receipts(events) = &mut self.facts {
                    events.push(event);
                }
            }
        }
        Ok(())
    }
}
