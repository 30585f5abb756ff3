//! What proves a loss: papers by kind, where each comes from, and which must not leave the house.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::amount::CostInvoice;
use super::responsibility::{Point, Seen};
use crate::wording::{Lang, text};

macro_rules! papers {
    ($($name:ident $code:literal),* $(,)?) => {
        /// A kind of evidence.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Paper { $($name),* }

        impl Paper {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }
        }
    };
}

// In the order of a dossier's index.
papers! {
    Booking "booking",
    PackingList "packing_list",
    CommercialInvoice "commercial_invoice",
    PackScan "pack_scan",
    CarrierReceipt "carrier_receipt",
    CustomsNotice "customs_notice",
    DeliveryProof "delivery_proof",
    Refusal "refusal",
    ReceiptReport "receipt_report",
    DamageReport "damage_report",
    Survey "survey",
    CartonPhotos "carton_photos",
    CostInvoice "cost_invoice",
    InsurancePolicy "insurance_policy",
    LossNotice "loss_notice",
    Message "message",
    Tracking "tracking",
    OrderPaper "order_paper",
    Other "other",
}

impl Paper {
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|paper| paper.code() == code)
    }

    /// The word for a person.
    #[must_use]
    pub fn text(self, lang: Lang) -> String {
        text(lang, &format!("claim.paper.{}", self.code()), &[])
    }

    /// Where a count on this paper was taken.
    #[must_use]
    pub fn point(self) -> Option<Point> {
        Point::ALL.into_iter().find(|point| point.paper() == self)
    }
}

/// Who may read a paper.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    #[default]
    Open,
    /// Names of people, addresses, faces.
    Personal,
    /// Purchase contracts, passwords, margins.
    Secret,
}

impl Tag {
    pub const ALL: [Self; 3] = [Self::Open, Self::Personal, Self::Secret];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Personal => "personal",
            Self::Secret => "secret",
        }
    }

    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tag| tag.code() == code)
    }

    /// Only these go into a dossier.
    #[must_use]
    pub fn may_leave(self) -> bool {
        self == Self::Open
    }
}

/// A paper that somebody put to a case. What its count says goes into the proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    pub paper: Paper,
    /// The file's name.
    pub name: String,
    pub sha256: String,
    #[serde(default)]
    pub tag: Tag,
    /// What the paper says was there.
    #[serde(default)]
    pub cartons: Option<i64>,
    #[serde(default)]
    pub clean: Option<bool>,
    /// The day or hour on the paper.
    #[serde(default)]
    pub at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub note: String,
    /// What a maker's invoice says.
    #[serde(default)]
    pub costs: Vec<CostInvoice>,
}

impl Evidence {
    /// What it shows of the goods' way.
    #[must_use]
    pub fn seen(&self) -> Option<Seen> {
        let point = self.paper.point()?;
        (self.cartons.is_some() || self.clean.is_some()).then(|| Seen {
            point,
            cartons: self.cartons,
            clean: self.clean,
            at: self.at,
            // The name of what must not leave must not leave in a proposal either.
            source: if self.tag.may_leave() {
                self.name.clone()
            } else {
                self.paper.code().to_owned()
            },
        })
    }
}

/// Of the papers that are needed, those that nobody has, in the order of the index.
#[must_use]
pub fn missing(needs: &[Paper], have: impl Iterator<Item = Paper>) -> Vec<Paper> {
    let have: std::collections::BTreeSet<Paper> = have.collect();
    let mut missing: Vec<Paper> = needs
        .iter()
        .copied()
        .filter(|paper| !have.contains(paper))
        .collect();
    missing.sort();
    missing.dedup();
    missing
}
