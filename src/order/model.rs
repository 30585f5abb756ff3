//! What a stocking order is made of. Everything a document prints is frozen here when the order is issued,
//! so that a later change of master data cannot change a paper that has left.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::customs::{CustomsFacts, ExportFacts, Pallet, Parties, PartyRole};
use super::party_id::PartyId;
use crate::ids::{ForwarderId, OrderNo, PlanId, Sku, WarehouseCode};
use crate::money::Currency;
use crate::quantity::Dims;

/// Transport mode (运输方式). No order of speed or price is implied: rate cards decide that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Sea,
    Rail,
    Truck,
    Air,
    Express,
}

impl Mode {
    pub const ALL: [Self; 5] = [Self::Sea, Self::Rail, Self::Truck, Self::Air, Self::Express];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Sea => "sea",
            Self::Rail => "rail",
            Self::Truck => "truck",
            Self::Air => "air",
            Self::Express => "express",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.code() == text.trim().to_ascii_lowercase())
    }
}

/// Incoterms 2020 that the trade uses for stocking; `DDU` is accepted as the old name of DAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Term {
    Exw,
    Fca,
    Fob,
    Cif,
    Cip,
    Dap,
    Dpu,
    Ddp,
}

impl Term {
    pub const ALL: [Self; 8] = [
        Self::Exw,
        Self::Fca,
        Self::Fob,
        Self::Cif,
        Self::Cip,
        Self::Dap,
        Self::Dpu,
        Self::Ddp,
    ];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Exw => "EXW",
            Self::Fca => "FCA",
            Self::Fob => "FOB",
            Self::Cif => "CIF",
            Self::Cip => "CIP",
            Self::Dap => "DAP",
            Self::Dpu => "DPU",
            Self::Ddp => "DDP",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_uppercase();
        if text == "DDU" {
            return Some(Self::Dap);
        }
        Self::ALL.into_iter().find(|term| term.code() == text)
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Street lines, at least one when the address is used.
    pub lines: Vec<String>,
    pub city: String,
    #[serde(default)]
    pub region: String,
    #[serde(default)]
    pub postcode: String,
    /// ISO 3166 alpha-2.
    pub country: String,
}

/// A legal person on the papers, with the ids customs ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    pub name: String,
    #[serde(default)]
    pub name_zh: String,
    pub address: Address,
    #[serde(default)]
    pub contact: String,
    #[serde(default)]
    pub phone: String,
    #[serde(default)]
    pub email: String,
    /// 统一社会信用代码
    #[serde(default)]
    pub uscc: String,
    #[serde(default)]
    pub eori: String,
    #[serde(default)]
    pub vat: String,
    #[serde(default)]
    pub ein: String,
    /// Tax or company number where none of the above is asked for (ABN, 法人番号).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub local_id: String,
    /// A number given as IOE, which no customs office issues: told as a question, and never printed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ioe: String,
    /// Days on which numbers hold, by the name of the number: `valid.vat = { to = "2027-03-31" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub valid: BTreeMap<PartyId, Period>,
}

/// First and last day, both included; open where nothing is said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Period {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<NaiveDate>,
}

/// The goods of a line as they are declared, frozen from the catalog version valid on the order's date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    pub sku: Sku,
    /// The code the warehouse scans (FNSKU at Amazon, product_sku at a 3PL).
    pub warehouse_sku: String,
    /// The marketplace's product code (ASIN), when there is one.
    pub asin: String,
    pub name_zh: String,
    pub name_en: String,
    pub customs_name_zh: String,
    pub customs_name_en: String,
    /// Ten digits at export, and the destination's own code.
    pub hs_cn: String,
    pub hs_destination: String,
    pub material_zh: String,
    pub material_en: String,
    pub usage_zh: String,
    pub usage_en: String,
    pub brand: String,
    pub model: String,
    /// ISO 3166 alpha-2.
    pub origin: String,
    pub unit_net_g: i64,
    pub battery: bool,
    pub magnet: bool,
    pub liquid: bool,
    pub powder: bool,
    pub sales_url: String,
    #[serde(default, skip_serializing_if = "CustomsFacts::is_unknown")]
    pub customs: CustomsFacts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// 1..n without holes.
    pub no: u32,
    pub goods: Goods,
    pub units: i64,
    /// Declared value of one unit, in the order's currency.
    pub unit_value: Decimal,
    /// Suggested by the plan, before a person changed it.
    pub suggested_units: Option<i64>,
}

impl OrderLine {
    /// `round(units × price, 2)`: the rule every document uses.
    #[must_use]
    pub fn value(&self) -> Decimal {
        crate::money::round_cents(self.unit_value * Decimal::from(self.units))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartonContent {
    /// `OrderLine::no`
    pub line: u32,
    pub units: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carton {
    /// 1..n without holes.
    pub no: u32,
    /// What the carton mark's barcode says: `<inbound or order no>U000001`.
    pub mark: String,
    /// Serial shipping container code; empty: the carton has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sscc: String,
    pub contents: Vec<CartonContent>,
    pub net_g: i64,
    pub gross_g: i64,
    pub dims: Dims,
}

impl Carton {
    #[must_use]
    pub fn units(&self) -> i64 {
        self.contents.iter().map(|content| content.units).sum()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockingOrder {
    pub number: OrderNo,
    /// 1 when first issued; every change after that is a new revision.
    pub revision: u32,
    pub created_on: NaiveDate,
    pub plan: Option<PlanId>,
    pub warehouse: WarehouseCode,
    /// Name and address the goods go to.
    pub deliver_to: Party,
    pub mode: Mode,
    pub forwarder: ForwarderId,
    /// The forwarder's name of the service (渠道).
    pub service: String,
    pub term: Term,
    pub currency: Currency,
    pub shipper: Party,
    /// Importer of record (清关主体).
    pub importer: Party,
    pub port_of_loading: String,
    pub port_of_discharge: String,
    /// Cargo ready and hand-over date.
    pub ship_by: NaiveDate,
    /// Expected arrival, median.
    pub eta: NaiveDate,
    pub lines: Vec<OrderLine>,
    pub cartons: Vec<Carton>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pallets: Vec<Pallet>,
    #[serde(default, skip_serializing_if = "Parties::is_empty")]
    pub parties: Parties,
    #[serde(default, skip_serializing_if = "ExportFacts::is_unknown")]
    pub export: ExportFacts,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub units: i64,
    pub cartons: i64,
    pub value: Decimal,
    pub net_g: i64,
    pub gross_g: i64,
    pub volume_mm3: i64,
}

impl StockingOrder {
    /// The totals every document must agree on.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            units: self.lines.iter().map(|line| line.units).sum(),
            cartons: i64::try_from(self.cartons.len()).unwrap_or(i64::MAX),
            value: self.lines.iter().map(OrderLine::value).sum(),
            net_g: self.cartons.iter().map(|carton| carton.net_g).sum(),
            gross_g: self.cartons.iter().map(|carton| carton.gross_g).sum(),
            volume_mm3: self.cartons.iter().map(|carton| carton.dims.volume_mm3()).sum(),
        }
    }

    /// Who plays a part. Not named, a consignee, a buyer and the ISF importer are the importer of record, and seller, producer
    /// and declarant are the shipper: they are the same persons whenever a seller stocks his own goods. Nobody else has a
    /// stand-in: who made the goods or where the container is stuffed is unknown until somebody says so.
    #[must_use]
    pub fn party(&self, role: PartyRole) -> Option<&Party> {
        let stands_in = match role {
            PartyRole::Consignee | PartyRole::Buyer | PartyRole::IsfImporter => Some(&self.importer),
            PartyRole::Seller | PartyRole::Producer | PartyRole::Declarant => Some(&self.shipper),
            PartyRole::Notify
            | PartyRole::Broker
            | PartyRole::Manufacturer
            | PartyRole::StuffingLocation
            | PartyRole::Consolidator
            | PartyRole::ResponsiblePerson => None,
        };
        self.parties
            .get(&role)
            .or(stands_in.filter(|party| !party.name.is_empty()))
    }

    #[must_use]
    pub fn line(&self, no: u32) -> Option<&OrderLine> {
        self.lines.iter().find(|line| line.no == no)
    }
}
