//! The columns of the suggestions sheet, and how they are found again whatever language they were written in.

use crate::digest::sha256_hex;
use crate::ids::{PlanId, Sku, WarehouseCode};
use crate::wording::{Lang, text};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::report) enum Column {
    Decision,
    NewUnits,
    Reason,
    Level,
    Sku,
    Name,
    Warehouse,
    Suggested,
    Cartons,
    Mode,
    Cost,
    Currency,
    OrderBy,
    ShipBy,
    Why,
    Eta,
    StockoutP50,
    StockoutP90,
    Available,
    Pending,
    Inbound,
    Cover,
    Velocity7,
    Velocity30,
    Velocity90,
    OutDays,
    Safety,
    Need,
    Data,
    Plan,
    Key,
}

impl Column {
    pub(in crate::report) const ALL: [Self; 31] = [
        Self::Decision,
        Self::NewUnits,
        Self::Reason,
        Self::Level,
        Self::Sku,
        Self::Name,
        Self::Warehouse,
        Self::Suggested,
        Self::Cartons,
        Self::Mode,
        Self::Cost,
        Self::Currency,
        Self::OrderBy,
        Self::ShipBy,
        Self::Why,
        Self::Eta,
        Self::StockoutP50,
        Self::StockoutP90,
        Self::Available,
        Self::Pending,
        Self::Inbound,
        Self::Cover,
        Self::Velocity7,
        Self::Velocity30,
        Self::Velocity90,
        Self::OutDays,
        Self::Safety,
        Self::Need,
        Self::Data,
        Self::Plan,
        Self::Key,
    ];

    fn key(self) -> &'static str {
        match self {
            Self::Decision => "mail.book.decision",
            Self::NewUnits => "mail.book.new_units",
            Self::Reason => "mail.book.reason",
            Self::Level => "mail.book.level",
            Self::Sku => "mail.book.sku",
            Self::Name => "mail.book.name",
            Self::Warehouse => "mail.book.warehouse",
            Self::Suggested => "mail.book.suggested",
            Self::Cartons => "mail.book.cartons",
            Self::Mode => "mail.book.mode",
            Self::OrderBy => "mail.book.order_by",
            Self::ShipBy => "mail.book.ship_by",
            Self::Eta => "mail.book.eta",
            Self::StockoutP50 => "mail.book.stockout_p50",
            Self::StockoutP90 => "mail.book.stockout_p90",
            Self::Available => "mail.book.available",
            Self::Pending => "mail.book.pending",
            Self::Inbound => "mail.book.inbound",
            Self::Cover => "mail.book.cover",
            Self::Velocity7 => "mail.book.velocity_7",
            Self::Velocity30 => "mail.book.velocity_30",
            Self::Velocity90 => "mail.book.velocity_90",
            Self::OutDays => "mail.book.out_days",
            Self::Safety => "mail.book.safety",
            Self::Need => "mail.book.need",
            Self::Cost => "mail.book.cost",
            Self::Currency => "mail.book.currency",
            Self::Data => "mail.book.data",
            Self::Why => "mail.book.why",
            Self::Plan => "mail.book.plan",
            Self::Key => "mail.book.key",
        }
    }

    pub(in crate::report) fn title(self, lang: Lang) -> String {
        text(lang, self.key(), &[])
    }

    /// Set at the right, like its numbers and dates.
    pub(super) fn is_number(self) -> bool {
        !matches!(
            self,
            Self::Decision
                | Self::Reason
                | Self::Level
                | Self::Sku
                | Self::Name
                | Self::Warehouse
                | Self::Mode
                | Self::Currency
                | Self::Why
                | Self::Data
                | Self::Plan
                | Self::Key
        )
    }

    /// Width in characters.
    pub(super) fn width(self) -> f64 {
        f64::from(self.text_width()) + 2.0
    }

    /// Characters of a text that stand in one line.
    pub(super) fn text_width(self) -> u32 {
        match self {
            Self::Level | Self::Mode | Self::Data | Self::Cartons | Self::Currency => 6,
            Self::Reason | Self::Sku | Self::Warehouse => 15,
            Self::Name => 24,
            Self::OrderBy | Self::ShipBy | Self::Eta | Self::StockoutP50 | Self::StockoutP90 => 10,
            Self::Cost => 11,
            Self::Why => 58,
            Self::Plan | Self::Key => 5,
            _ => 9,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// 采纳: as suggested.
    Adopt,
    /// 改量: another quantity.
    Change,
    /// 拒绝
    Reject,
    /// 观察: not now, show it again.
    Watch,
}

impl Choice {
    pub const ALL: [Self; 4] = [Self::Adopt, Self::Change, Self::Reject, Self::Watch];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Adopt => "adopt",
            Self::Change => "change",
            Self::Reject => "reject",
            Self::Watch => "watch",
        }
    }

    #[must_use]
    pub fn word(self, lang: Lang) -> String {
        text(lang, &format!("mail.choice.{}", self.code()), &[])
    }

    /// Either language is understood, whatever language the sheet was written in.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let word = word.trim().to_lowercase();
        Self::ALL.into_iter().find(|choice| {
            [Lang::Zh, Lang::En]
                .into_iter()
                .any(|lang| choice.word(lang) == word)
        })
    }
}

/// Ties a row's warehouse and SKU to its plan: a half-sorted sheet or an edited SKU no longer fits.
pub(in crate::report) fn line_key(plan: &PlanId, warehouse: &WarehouseCode, sku: &Sku) -> String {
    let mut key = sha256_hex(format!("{plan}\n{warehouse}\n{sku}").as_bytes());
    key.truncate(12);
    key
}
