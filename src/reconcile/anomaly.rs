//! What cannot be right as it stands: listed by name, decided by a person.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Line, Rules};
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::wording::{Lang, text};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Anomaly {
    /// No order and no inbound of ours has this reference: units in nobody's books.
    UnknownReference {
        warehouse: WarehouseCode,
        reference: String,
        units: i64,
    },
    /// The SKU was not in this shipment at all.
    NeverShipped { order: OrderNo, sku: Sku, units: i64 },
    BeforeShipDate {
        order: OrderNo,
        sku: Sku,
        received_on: NaiveDate,
        shipped_on: NaiveDate,
    },
    /// Received many times what was shipped: perhaps sets counted as pieces.
    Excess {
        order: OrderNo,
        sku: Sku,
        shipped: i64,
        received: i64,
    },
    /// The warehouse was told another quantity than the one that left.
    AnnouncedDiffers {
        order: OrderNo,
        sku: Sku,
        shipped: i64,
        announced: i64,
    },
    /// Another warehouse reports units of this order; they are not counted.
    OtherWarehouse {
        order: OrderNo,
        sent_to: WarehouseCode,
        reported_by: WarehouseCode,
    },
    /// Two kinds of report tell of the same units; the fuller one is counted.
    TwoSources {
        order: OrderNo,
        sku: Sku,
        sources: Vec<String>,
    },
    /// Corrections take away more than was ever received.
    NegativeTotal { order: OrderNo, sku: Sku, units: i64 },
    /// One event key with two contents.
    KeyReused { source: String, key: String },
}

/// The anomalies that a line shows by itself.
pub(super) fn of_line(line: &Line, rules: &Rules) -> Vec<Anomaly> {
    let mut found = Vec::new();
    let (order, sku) = (&line.order, &line.sku);
    if line.shipped == 0 && line.received > 0 {
        found.push(Anomaly::NeverShipped {
            order: order.clone(),
            sku: sku.clone(),
            units: line.received,
        });
    }
    if let Some(received_on) = line
        .first_receipt
        .filter(|day| line.received > 0 && *day < line.shipped_on)
    {
        found.push(Anomaly::BeforeShipDate {
            order: order.clone(),
            sku: sku.clone(),
            received_on,
            shipped_on: line.shipped_on,
        });
    }
    if line.shipped > 0 && line.received > line.shipped.saturating_mul(rules.excess_factor) {
        found.push(Anomaly::Excess {
            order: order.clone(),
            sku: sku.clone(),
            shipped: line.shipped,
            received: line.received,
        });
    }
    if let Some(announced) = line.announced.filter(|announced| *announced != line.shipped) {
        found.push(Anomaly::AnnouncedDiffers {
            order: order.clone(),
            sku: sku.clone(),
            shipped: line.shipped,
            announced,
        });
    }
    found
}

impl Anomaly {
    /// The name in `wording/receipts.toml`, after `anomaly.`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownReference { .. } => "unknown_reference",
            Self::NeverShipped { .. } => "never_shipped",
            Self::BeforeShipDate { .. } => "before_ship_date",
            Self::Excess { .. } => "excess",
            Self::AnnouncedDiffers { .. } => "announced_differs",
            Self::OtherWarehouse { .. } => "other_warehouse",
            Self::TwoSources { .. } => "two_sources",
            Self::NegativeTotal { .. } => "negative_total",
            Self::KeyReused { .. } => "key_reused",
        }
    }

    /// One sentence for a person.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let places: Vec<(&str, String)> = match self {
            Self::UnknownReference {
                warehouse,
                reference,
                units,
            } => vec![
                ("warehouse", warehouse.to_string()),
                ("reference", reference.clone()),
                ("units", units.to_string()),
            ],
            Self::NeverShipped { order, sku, units } | Self::NegativeTotal { order, sku, units } => vec![
                ("order", order.to_string()),
                ("sku", sku.to_string()),
                ("units", units.to_string()),
            ],
            Self::BeforeShipDate {
                order,
                sku,
                received_on,
                shipped_on,
            } => vec![
                ("order", order.to_string()),
                ("sku", sku.to_string()),
                ("received_on", received_on.to_string()),
                ("shipped_on", shipped_on.to_string()),
            ],
            Self::Excess {
                order,
                sku,
                shipped,
                received,
            } => vec![
                ("order", order.to_string()),
                ("sku", sku.to_string()),
                ("shipped", shipped.to_string()),
                ("received", received.to_string()),
            ],
            Self::AnnouncedDiffers {
                order,
                sku,
                shipped,
                announced,
            } => vec![
                ("order", order.to_string()),
                ("sku", sku.to_string()),
                ("shipped", shipped.to_string()),
                ("announced", announced.to_string()),
            ],
            Self::OtherWarehouse {
                order,
                sent_to,
                reported_by,
            } => vec![
                ("order", order.to_string()),
                ("sent_to", sent_to.to_string()),
                ("reported_by", reported_by.to_string()),
            ],
            Self::TwoSources { order, sku, sources } => vec![
                ("order", order.to_string()),
                ("sku", sku.to_string()),
                ("sources", sources.join(", ")),
            ],
            Self::KeyReused { source, key } => vec![("source", source.clone()), ("key", key.clone())],
        };
        let places: Vec<(&str, &str)> = places
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        text(lang, &format!("receipts.anomaly.{}", self.code()), &places)
    }
}
