//! What customs, carriers and warehouses ask beyond names and codes. Everything here may be unknown: an empty text or
//! `None` is never a zero or a "no", and the paper that needs it is not written and names it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::model::Party;
use crate::quantity::Dims;

/// Facts of goods for declarations, admission and labels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CustomsFacts {
    /// What the destination's admission rules know the goods as (`lamp`, `toy`); empty: a person has to classify them.
    pub category: String,
    /// GTIN of the unit (EAN, UPC).
    pub gtin: String,
    /// Lot of production (批次号).
    pub batch: String,
    /// 申报要素 in the order that the tariff code asks, with `|` between them: brand type, export preference, use, …
    pub declared_elements: String,
    /// 申报计量单位 as the customs' own code (`007` 个).
    pub unit_code: String,
    /// 法定计量单位 and how many of it one declared unit is (its net weight, when that unit is the kilogram).
    pub legal_unit: String,
    pub legal_factor: Option<Decimal>,
    /// 法定第二计量单位, for the tariff codes that have one.
    pub second_legal_unit: String,
    pub second_legal_factor: Option<Decimal>,
    /// 境内货源地, five digits.
    pub source_region: String,
    /// 征免方式 (`1` 照章征税).
    pub levy_mode: String,
    /// Who made them, as ISF asks; empty: the order's manufacturer.
    pub manufacturer: Option<Box<Party>>,
    /// SHA-256 of the product's picture in the store of documents.
    pub picture: String,
    pub battery: Option<BatteryFacts>,
}

impl CustomsFacts {
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// A lithium battery as a carrier asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatteryFacts {
    /// `UN3480` alone, `UN3481` with or in equipment.
    pub un: String,
    /// `PI965`, `PI966`, `PI967`.
    pub packing_instruction: String,
    pub watt_hours: Option<Decimal>,
    /// State of charge in percent, when it ships.
    pub charge_percent: Option<i64>,
}

/// A part that somebody plays on the papers, besides shipper, importer and the place the goods go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyRole {
    Consignee,
    Notify,
    /// Customs broker at the destination.
    Broker,
    IsfImporter,
    Seller,
    Buyer,
    Manufacturer,
    StuffingLocation,
    Consolidator,
    /// Who declares at export (报关单位).
    Declarant,
    /// 生产销售单位
    Producer,
    /// The person the EU's product safety law asks for (GPSR).
    ResponsiblePerson,
}

impl PartyRole {
    pub const ALL: [Self; 12] = [
        Self::Consignee,
        Self::Notify,
        Self::Broker,
        Self::IsfImporter,
        Self::Seller,
        Self::Buyer,
        Self::Manufacturer,
        Self::StuffingLocation,
        Self::Consolidator,
        Self::Declarant,
        Self::Producer,
        Self::ResponsiblePerson,
    ];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Consignee => "consignee",
            Self::Notify => "notify",
            Self::Broker => "broker",
            Self::IsfImporter => "isf_importer",
            Self::Seller => "seller",
            Self::Buyer => "buyer",
            Self::Manufacturer => "manufacturer",
            Self::StuffingLocation => "stuffing_location",
            Self::Consolidator => "consolidator",
            Self::Declarant => "declarant",
            Self::Producer => "producer",
            Self::ResponsiblePerson => "responsible_person",
        }
    }
}

/// Named parties of an order; [`super::StockingOrder::party`] says who stands in for one that is not named.
pub type Parties = BTreeMap<PartyRole, Party>;

/// The head of a Chinese export declaration, as far as the order itself does not say it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExportFacts {
    /// 监管方式: `0110`, `9810`, `1039`, …
    pub supervision_mode: String,
    /// 征免性质 (`101` 一般征税).
    pub levy_nature: String,
    /// 申报地海关, four digits.
    pub customs_office: String,
    /// 出境关别, four digits.
    pub exit_office: String,
    /// 离境口岸, six digits.
    pub exit_port: String,
    /// 指运港 in the customs' own list, such as `GBR315`.
    pub destination_port: String,
    /// 包装种类 (`22` 纸制或纤维板制盒/箱).
    pub package_kind: String,
    /// 合同协议号; `{order}` in it is the order's number.
    pub contract_no: String,
    /// 运费, 保费, 杂费 of the whole order in its currency.
    pub freight: Option<Decimal>,
    pub insurance: Option<Decimal>,
    pub other_costs: Option<Decimal>,
    /// Ten digits that customs gave the exporter (海关注册编码).
    pub exporter_code: String,
    /// Card of the person who enters declarations at the single window (录入员 IC 卡号), and the sender's number in its
    /// message transfer (DXP 传输编号).
    pub typist_card: String,
    pub dxp_id: String,
    /// Where the goods are sold, for 9810 (电商平台); most overseas platforms have no code in China.
    pub platform: String,
    pub platform_code: String,
}

impl ExportFacts {
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }
}

/// How the goods travel, known after booking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transport {
    pub carrier: String,
    pub booking_no: String,
    pub vessel: String,
    pub voyage: String,
    /// Number of the master and of the house bill of lading or air waybill.
    pub master_bill: String,
    pub house_bill: String,
    /// Departure as its port's own time says it, with its offset.
    pub departs_at: Option<chrono::DateTime<chrono::FixedOffset>>,
    pub containers: Vec<Container>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Container {
    /// ISO 6346.
    pub number: String,
    /// ISO size and type: `22G1`, `45G1`.
    pub size_type: String,
    pub seal: String,
}

/// Cartons that travel on one pallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pallet {
    /// 1..n without holes.
    pub no: u32,
    /// Eighteen digits; empty: the pallet has no licence plate.
    #[serde(default)]
    pub sscc: String,
    /// Numbers of the cartons on it.
    pub cartons: Vec<u32>,
    /// With the pallet itself.
    pub gross_g: i64,
    pub dims: Dims,
}
