//! From mapped rows to facts.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};

use super::{Facts, Mapped, OwnCode};
use crate::connector::definition::RecordKind;
use crate::ids::{SourceId, WarehouseCode};
use crate::ledger::{
    Buckets, CustomerReturn, EventStatus, InboundLine, InboundNotice, OrderLineFact, OrderLineState,
    ReceiptEvent, ReceiptKind, StockRow, TrackingEvent,
};

/// Makes facts out of mapped rows, one after the other.
pub struct Maker<'a> {
    pub kind: RecordKind,
    pub source: &'a SourceId,
    /// Provider's code to ours.
    pub warehouses: &'a BTreeMap<String, WarehouseCode>,
    /// The provider's code and ours of the warehouse a snapshot is asked for.
    pub asked: Option<&'a (String, WarehouseCode)>,
    /// The inbound a stream below it is asked for.
    pub inbound: Option<&'a str>,
    /// When a running total is known that does not say it itself.
    pub now: Option<DateTime<Utc>>,
    /// What rows of a warehouse that is not configured count for; None: they are not ours.
    pub elsewhere: Option<&'a WarehouseCode>,
    facts: Facts,
    /// How often a key prefix has occurred, for facts that have no number of their own.
    occurrences: HashMap<String, u32>,
}

/// Why a row is no fact of this source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoFact {
    /// A warehouse that is not configured: belongs to nobody here.
    UnknownWarehouse(String),
    /// Goods without a code: none of ours.
    Unnamed,
    /// A row of another warehouse than the one that was asked for.
    OtherWarehouse(String),
    /// A row below another inbound than the one that was asked for.
    OtherParent { said: String, asked: String },
    /// A field without which this row says nothing.
    Needs {
        field: &'static str,
        wanted: &'static str,
    },
}

impl<'a> Maker<'a> {
    #[must_use]
    pub fn new(
        kind: RecordKind,
        source: &'a SourceId,
        warehouses: &'a BTreeMap<String, WarehouseCode>,
        asked: Option<&'a (String, WarehouseCode)>,
    ) -> Self {
        let facts = Facts::none(kind);
        Self {
            kind,
            source,
            warehouses,
            asked,
            inbound: None,
            now: None,
            elsewhere: None,
            facts,
            occurrences: HashMap::new(),
        }
    }

    #[must_use]
    pub fn finish(self) -> Facts {
        self.facts
    }

    fn occurrence(&mut self, prefix: String) -> String {
        match self.occurrences.get_mut(&prefix) {
            Some(seen) => {
                *seen += 1;
                format!("{prefix}|{seen}")
            }
            None => {
                let first = format!("{prefix}|1");
                self.occurrences.insert(prefix, 1);
                first
            }
        }
    }

    /// Rows of another inbound than the one that was asked for have lost their parent.
    fn below_asked(&self, said: &str) -> Result<(), NoFact> {
        match self.inbound {
            Some(asked) if asked != said => Err(NoFact::OtherParent {
                said: said.to_owned(),
                asked: asked.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    fn warehouse(&self, code: &str) -> Result<WarehouseCode, NoFact> {
        self.warehouses
            .get(code)
            .or(self.elsewhere)
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
                let key = match row.text(9) {
                    Some(line) => format!("{order_id}|#{line}"),
                    // Without a number of its own, the same SKU twice in an order is two lines.
                    None => self.occurrence(format!("{order_id}|{sku_code}")),
                };
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
                    state: match row.cell(6).show().as_deref() {
                        Some("pending") => OrderLineState::Pending,
                        Some("unshipped") => OrderLineState::Unshipped,
                        Some("cancelled") => OrderLineState::Cancelled,
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
                let mut buckets = Buckets {
                    available: row.int(2),
                    reserved: row.int(3),
                    pending_putaway: row.int(4),
                    inbound: row.int(5),
                    unsellable: row.int(6),
                    frozen: row.int(7),
                    transfer: row.int(8),
                };
                // A row of damaged goods has nothing that can be sold, whatever its column is called.
                if row.text(10).as_deref() == Some("damaged") {
                    buckets.unsellable = buckets.unsellable.or(buckets.available);
                    buckets.available = Some(0);
                }
                let stock = StockRow {
                    source,
                    warehouse,
                    sku_code: row.must(0),
                    buckets,
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
                if let Facts::Inbounds(notices) = &mut self.facts {
                    notices.push(notice);
                }
            }
            RecordKind::InboundLine => {
                let inbound_no = row.must(0);
                self.below_asked(&inbound_no)?;
                let line = InboundLine {
                    source,
                    inbound_no,
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
                self.below_asked(&row.must(0))?;
                let at = row.time(6).or(self.now).ok_or(NoFact::Needs {
                    field: "at",
                    wanted: "the time of the receipt",
                })?;
                let Some(units) = row.int(5) else {
                    return Ok(());
                };
                let (reference, carton, sku_code) = (row.must(0), row.text(2), row.must(3));
                // A warehouse that counts at the shelf tells two things at once.
                for word in row.must(4).split('+') {
                    let kind = match word {
                        "put_away" => ReceiptKind::PutAway,
                        "damaged" => ReceiptKind::Damaged,
                        "mislabelled" => ReceiptKind::Mislabelled,
                        "set_aside" => ReceiptKind::SetAside,
                        _ => ReceiptKind::Received,
                    };
                    let own = row.text(7).map(|id| format!("{source}|{id}|{word}|{sku_code}"));
                    let prefix = format!(
                        "{source}|{reference}|{word}|{}|{sku_code}|{}",
                        carton.as_deref().unwrap_or_default(),
                        at.timestamp()
                    );
                    let event = ReceiptEvent {
                        source: source.to_string(),
                        key: own.unwrap_or_else(|| self.occurrence(prefix)),
                        warehouse: warehouse.clone(),
                        reference: reference.clone(),
                        carton: carton.clone(),
                        sku_code: sku_code.clone(),
                        kind,
                        units,
                        at,
                        lot: None,
                        unit_value: None,
                    };
                    if let Facts::Receipts(events) = &mut self.facts {
                        events.push(event);
                    }
                }
            }
            RecordKind::Event => {
                let (shipment, container) = (row.text(1), row.text(2));
                if shipment.is_none() && container.is_none() {
                    return Err(NoFact::Needs {
                        field: "shipment",
                        wanted: "a shipment or a container the event belongs to",
                    });
                }
                let Some(at) = row.time(5) else { return Ok(()) };
                let event = TrackingEvent {
                    source,
                    key: String::new(),
                    shipment,
                    container,
                    kind: row.must(3),
                    status: EventStatus::of_code(&row.must(4)).unwrap_or(EventStatus::Actual),
                    at,
                    place: row.text(6),
                    vessel: row.text(7),
                    voyage: row.text(8),
                    text: row.text(9),
                    told_at: row.time(10),
                }
                .with_key(row.text(0).as_deref());
                if let Facts::Events(events) = &mut self.facts {
                    events.push(event);
                }
            }
            RecordKind::Return => {
                let (Some(units), Some(returned_at)) = (row.int(2), row.time(3)) else {
                    return Ok(());
                };
                let mut back = CustomerReturn {
                    source,
                    key: String::new(),
                    order_id: row.must(0),
                    sku_code: row.must(1),
                    units,
                    returned_at,
                    disposition: row.text(4),
                    reason: row.text(5),
                    centre: row.text(6),
                };
                back.key = match row.text(7) {
                    Some(unit) => format!("unit|{unit}"),
                    None => self.occurrence(back.said()),
                };
                if let Facts::Returns(returns) = &mut self.facts {
                    returns.push(back);
                }
            }
            RecordKind::Code => {
                let code = OwnCode {
                    sku_code: row.text(0).ok_or(NoFact::Unnamed)?,
                    id: row.must(1),
                };
                if let Facts::Codes(codes) = &mut self.facts {
                    codes.push(code);
                }
            }
        }
        Ok(())
    }
}
