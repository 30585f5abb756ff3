//! What was lost, and who may have lost it.

use serde::{Deserialize, Serialize};

use crate::wording::{Lang, text};

/// What happened to the units, or to their time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    Loss,
    Damage,
    /// Delivered later than was promised.
    Delay,
    /// Not there when the warehouse waited for it.
    MissedSlot,
}

impl LossKind {
    pub const ALL: [Self; 4] = [Self::Loss, Self::Damage, Self::Delay, Self::MissedSlot];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Damage => "damage",
            Self::Delay => "delay",
            Self::MissedSlot => "missed_slot",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The goods are there; what is asked for is their time.
    #[must_use]
    pub fn is_of_time(self) -> bool {
        matches!(self, Self::Delay | Self::MissedSlot)
    }

    /// The word for a person.
    #[must_use]
    pub fn text(self, lang: Lang) -> String {
        text(lang, &format!("claim.kind.{}", self.code()), &[])
    }
}

/// Who had the goods, and the insurer, who had not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The seller's own packers, or the factory.
    Shipper,
    /// The forwarder and whoever carries for him.
    Carrier,
    /// Customs, or the broker in front of them.
    Customs,
    Warehouse,
    Insurer,
}

impl Party {
    pub const ALL: [Self; 5] = [
        Self::Shipper,
        Self::Carrier,
        Self::Customs,
        Self::Warehouse,
        Self::Insurer,
    ];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Shipper => "shipper",
            Self::Carrier => "carrier",
            Self::Customs => "customs",
            Self::Warehouse => "warehouse",
            Self::Insurer => "insurer",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|party| party.code() == code)
    }

    /// The word for a person.
    #[must_use]
    pub fn text(self, lang: Lang) -> String {
        text(lang, &format!("claim.party.{}", self.code()), &[])
    }
}
