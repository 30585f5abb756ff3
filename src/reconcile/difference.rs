//! What is not as it should be with the units of one line: its kind, how sure that is, and what shows it (R56).

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::digest::Hasher;
use crate::ids::{OrderNo, Sku, WarehouseCode};
use crate::wording::{Lang, text};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Fewer units than shipped, inside cartons that came or without cartons being told apart.
    Short,
    Over,
    /// Counted, and cannot be sold.
    Damaged,
    /// Missing under one SKU and too many of another in the same shipment.
    WrongSku,
    /// Counted under a wrong or missing label.
    Mislabelled,
    /// Received with a shipment that never had the SKU.
    UnannouncedSku,
    /// The warehouse counts by carton, and this one was never counted.
    CartonMissing,
    /// A carton that is not on the packing list.
    CartonExtra,
    /// The same units reported twice; they are counted once.
    DuplicateReport,
    /// After the late arrival date, and not all there.
    Late,
    /// Being received: the rest may still come.
    Open,
    /// Counted at the dock and too long not on the shelf.
    PutAwayGap,
    /// Another lot, or another value of a unit, than on the papers.
    ValueOrLot,
    /// Sets or cartons counted as pieces, or the other way round: the counts stand one to a pack.
    PackMultiple,
    /// The shelf shows units the dock has not reported yet.
    SystemLag,
    /// Put aside as an exception: neither lost nor broken before the warehouse says which.
    SetAside,
}

impl Kind {
    pub const ALL: [Self; 16] = [
        Self::Short,
        Self::Over,
        Self::Damaged,
        Self::WrongSku,
        Self::Mislabelled,
        Self::UnannouncedSku,
        Self::CartonMissing,
        Self::CartonExtra,
        Self::DuplicateReport,
        Self::Late,
        Self::Open,
        Self::PutAwayGap,
        Self::ValueOrLot,
        Self::PackMultiple,
        Self::SystemLag,
        Self::SetAside,
    ];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Over => "over",
            Self::Damaged => "damaged",
            Self::WrongSku => "wrong_sku",
            Self::Mislabelled => "mislabelled",
            Self::UnannouncedSku => "unannounced_sku",
            Self::CartonMissing => "carton_missing",
            Self::CartonExtra => "carton_extra",
            Self::DuplicateReport => "duplicate_report",
            Self::Late => "late",
            Self::Open => "open",
            Self::PutAwayGap => "put_away_gap",
            Self::ValueOrLot => "value_or_lot",
            Self::PackMultiple => "pack_multiple",
            Self::SystemLag => "system_lag",
            Self::SetAside => "set_aside",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Whether somebody may owe for the units: they are gone, or cannot be sold.
    #[must_use]
    pub fn is_loss(self) -> bool {
        matches!(self, Self::Short | Self::CartonMissing | Self::Damaged)
    }

    /// The word for a person.
    #[must_use]
    pub fn text(self, lang: Lang) -> String {
        text(lang, &format!("differences.kind.{}", self.code()), &[])
    }
}

/// What an event was known by as belonging to a line; the first that fits is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchKey {
    /// The mark on the carton, whatever number the warehouse gave the inbound.
    Carton,
    /// Shipment and the warehouse's own code of the SKU.
    Sku,
    /// Shipment and the barcode on the unit.
    Barcode,
    /// Nothing but the count fits, and it fits one line only.
    Quantity,
}

impl MatchKey {
    pub const ALL: [Self; 4] = [Self::Carton, Self::Sku, Self::Barcode, Self::Quantity];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Carton => "carton",
            Self::Sku => "sku",
            Self::Barcode => "barcode",
            Self::Quantity => "quantity",
        }
    }

    #[must_use]
    pub fn text(self, lang: Lang) -> String {
        text(lang, &format!("differences.key.{}", self.code()), &[])
    }
}

/// Whether the rest may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Provisional,
    /// The warehouse closed the inbound, or was silent long enough.
    Final,
}

impl Standing {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Provisional => "provisional",
            Self::Final => "final",
        }
    }

    #[must_use]
    pub fn text(self, lang: Lang) -> String {
        text(lang, &format!("differences.standing.{}", self.code()), &[])
    }
}

/// What shows a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointerKind {
    /// A receipt event: its origin, and its key there.
    Event,
    /// A carton of the packing list: the order, and the mark.
    Carton,
    /// Another shipment whose count has to do with it.
    Shipment,
    /// Units under a reference that is no shipment of ours.
    Reference,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pointer {
    pub kind: PointerKind,
    pub source: String,
    pub key: String,
    pub units: i64,
    /// What an event was known by.
    #[serde(default)]
    pub by: Option<MatchKey>,
}

/// Sixteen hex digits that name a difference wherever it is computed: the same line and kind, the same name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DifferenceId(String);

impl DifferenceId {
    /// From what makes a difference the same one when its units change.
    #[must_use]
    pub fn of(
        order: &OrderNo,
        carton: Option<&str>,
        sku: &Sku,
        kind: Kind,
        counted_as: Option<&Sku>,
    ) -> Self {
        let mut hasher = Hasher::default();
        for part in [
            order.as_str(),
            carton.unwrap_or_default(),
            sku.as_str(),
            kind.code(),
            counted_as.map_or("", Sku::as_str),
        ] {
            hasher.update(part.as_bytes());
            hasher.update(&[0]);
        }
        let mut hex = hasher.finish();
        hex.truncate(16);
        Self(hex)
    }

    /// As it was stored or typed; a beginning of it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let is_one = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_one.then(|| Self(text.to_ascii_lowercase()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DifferenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub id: DifferenceId,
    pub order: OrderNo,
    pub warehouse: WarehouseCode,
    /// Where the reports tell cartons apart.
    pub carton: Option<String>,
    pub sku: Sku,
    pub kind: Kind,
    /// What else the reports allow. Empty: determined. Nothing undetermined is closed without a person.
    pub or: Vec<Kind>,
    /// How many it concerns, always positive.
    pub units: i64,
    /// Of the whole line.
    pub shipped: i64,
    pub received: i64,
    pub standing: Standing,
    /// Of a hundred.
    pub confidence: u8,
    /// The weakest key that one of the line's events was known by; none where there is no event.
    pub matched_by: Option<MatchKey>,
    /// The SKU the missing units were counted as.
    pub counted_as: Option<Sku>,
    /// The lot or value on the papers, and in the report.
    pub expected: Option<String>,
    pub found: Option<String>,
    /// At most [`Difference::MAX_EVIDENCE`], the first by kind and key.
    pub evidence: Vec<Pointer>,
    pub last_event: Option<NaiveDate>,
}

impl Difference {
    pub const MAX_EVIDENCE: usize = 100;

    #[must_use]
    pub fn is_determined(&self) -> bool {
        self.or.is_empty()
    }

    /// A loss that is final and can be nothing else: somebody may be asked to pay.
    #[must_use]
    pub fn is_claimable(&self) -> bool {
        self.kind.is_loss() && self.is_determined() && self.standing == Standing::Final
    }
}
