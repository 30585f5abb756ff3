//! The fee a platform takes of each unit it ships while stock stands low: when it is taken, as dated data.

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::facts::ItemTerms;
use crate::planner::snapshot::ItemSeries;

/// What is tested from a day on, until the next row's.
struct Rule {
    from: (i32, u32, u32),
    /// Taken only when the days of supply of both windows were below it: units on hand over units shipped, means of
    /// the last 30 and of the last 90 days.
    below_days: i64,
    /// Not taken of an item that sold fewer units in the last seven days.
    spared_below: Option<i64>,
    /// What the days of supply are those of.
    measured: &'static str,
    source: &'static str,
}

/// Fulfillment by Amazon in the United States, the oldest first. Other countries followed within months. Exemptions of new
/// sellers, new items and automatic replenishment are not tested: who is exempt states no fee.
static RULES: [Rule; 3] = [
    Rule {
        from: (2024, 4, 1),
        below_days: 28,
        spared_below: None,
        measured: "parent_asin",
        source: "sellercentral.amazon.com/seller-forums/discussions/t/aa9f98e5-fa91-4949-af8f-6cf918c86a77",
    },
    Rule {
        from: (2024, 5, 15),
        below_days: 28,
        spared_below: Some(20),
        measured: "parent_asin",
        source: "web.swipeinsight.app/posts/amazon-extends-low-inventory-fee-credit-period-and-exempts-slow-selling-products-5778",
    },
    Rule {
        from: (2026, 1, 15),
        below_days: 28,
        spared_below: Some(20),
        measured: "fnsku",
        source: "goaura.com/blog/the-low-inventory-level-fee-trap-2026-update",
    },
];

const WEEK: u64 = 7;

/// Whether the fee is taken of what ships now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LowStock {
    /// Both windows are below.
    Taken,
    /// One window is not.
    Supplied,
    /// It sells too little.
    Spared,
    /// No rule is in force on that day.
    NotYet,
    /// What would tell is not known: counted, and named.
    Unknown,
}

impl LowStock {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Taken => "low_stock_taken",
            Self::Supplied => "low_stock_supplied",
            Self::Spared => "low_stock_spared",
            Self::NotYet => "low_stock_not_yet",
            Self::Unknown => "low_stock_unknown",
        }
    }

    /// A fee that may be due is a cost: it costs less to hold some units too many than to pay it of all that ship.
    #[must_use]
    pub fn counts(self) -> bool {
        matches!(self, Self::Taken | Self::Unknown)
    }
}

/// The test of one line's fee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowStockTest {
    pub fee: Decimal,
    pub found: LowStock,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below_days: Option<i64>,
    /// Days of supply of the last 30 and of the last 90 days, as the platform reports them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_30: Option<Decimal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_90: Option<Decimal>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub measured: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
}

impl LowStockTest {
    #[must_use]
    pub fn of(item: &ItemSeries, facts: &ItemTerms, fee: Decimal, as_of: NaiveDate) -> Self {
        let mut test = Self {
            fee,
            found: LowStock::NotYet,
            below_days: None,
            days_30: facts.supply_days_30,
            days_90: facts.supply_days_90,
            measured: String::new(),
            source: String::new(),
        };
        let began = |rule: &&Rule| {
            let (year, month, day) = rule.from;
            NaiveDate::from_ymd_opt(year, month, day).is_some_and(|from| from <= as_of)
        };
        let Some(rule) = RULES.iter().rev().find(began) else {
            return test;
        };
        let limit = Decimal::from(rule.below_days);
        let low = [test.days_30, test.days_90].map(|days| days.map(|days| days < limit));
        let sold = sold_in_a_week(item, as_of);
        test.found = match (low, rule.spared_below, sold) {
            ([Some(false), _] | [_, Some(false)], ..) => LowStock::Supplied,
            (_, Some(least), Some(sold)) if sold < least => LowStock::Spared,
            ([Some(true), Some(true)], ..) => LowStock::Taken,
            _ => LowStock::Unknown,
        };
        test.below_days = Some(rule.below_days);
        rule.measured.clone_into(&mut test.measured);
        rule.source.clone_into(&mut test.source);
        test
    }
}

/// None when a day of them is not known.
fn sold_in_a_week(item: &ItemSeries, as_of: NaiveDate) -> Option<i64> {
    let first = (as_of.checked_sub_days(Days::new(WEEK))? - item.sales.first_day).num_days();
    (first..first + WEEK as i64)
        .map(|day| item.sales.units.get(usize::try_from(day).ok()?).map(i64::from))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Sku, WarehouseCode};
    use crate::planner::{DailySales, DataState};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn found(days_30: Option<&str>, days_90: Option<&str>, units: Option<u32>, as_of: &str) -> LowStock {
        let as_of = day(as_of);
        let item = ItemSeries {
            warehouse: WarehouseCode::new("amazon:US").unwrap(),
            sku: Sku::new("LAMP").unwrap(),
            name_zh: String::new(),
            name_en: String::new(),
            active: true,
            sales: DailySales {
                first_day: as_of - Days::new(10),
                units: vec![units; 10].into_iter().collect(),
                in_stock: Vec::new(),
            },
            sales_state: DataState::Complete,
            available: Some(0),
            pending_putaway: Some(0),
            stock_state: DataState::Complete,
            inbound: Vec::new(),
            production: None,
            carton_units: None,
            moq: None,
            unit_cost: None,
            service_permille: None,
        };
        let number = |text: Option<&str>| text.map(|text| text.parse().unwrap());
        let facts = ItemTerms {
            sku: item.sku.clone(),
            warehouse: None,
            margin: None,
            low_stock_fee: None,
            supply_days_30: number(days_30),
            supply_days_90: number(days_90),
            weight_g: None,
            volume_cm3: None,
            pallet_cartons: None,
        };
        LowStockTest::of(&item, &facts, Decimal::ONE, as_of).found
    }

    #[test]
    fn the_fee_is_taken_when_both_windows_are_below_28_days() {
        let today = "2026-11-22";
        assert_eq!(found(Some("27.9"), Some("3"), Some(9), today), LowStock::Taken);
        // The platform's own example: 42 days over the long window, so nothing is taken.
        assert_eq!(
            found(Some("14"), Some("42.0"), Some(9), today),
            LowStock::Supplied
        );
        assert_eq!(found(Some("28"), Some("14"), Some(9), today), LowStock::Supplied);
    }

    #[test]
    fn one_window_known_may_decide_and_otherwise_the_fee_counts_as_unknown() {
        let today = "2026-11-22";
        assert_eq!(found(None, Some("60"), Some(9), today), LowStock::Supplied);
        assert_eq!(found(Some("10"), None, Some(9), today), LowStock::Unknown);
        assert_eq!(found(None, None, Some(9), today), LowStock::Unknown);
        assert!(LowStock::Unknown.counts() && LowStock::Taken.counts());
        assert!(!LowStock::Supplied.counts() && !LowStock::Spared.counts() && !LowStock::NotYet.counts());
    }

    #[test]
    fn rules_hold_from_their_day_on() {
        let low = (Some("5"), Some("5"));
        assert_eq!(found(low.0, low.1, Some(9), "2024-03-31"), LowStock::NotYet);
        // 14 units a week: spared since the middle of May 2024.
        assert_eq!(found(low.0, low.1, Some(2), "2024-05-14"), LowStock::Taken);
        assert_eq!(found(low.0, low.1, Some(2), "2024-05-15"), LowStock::Spared);
        assert_eq!(found(low.0, low.1, Some(3), "2024-05-15"), LowStock::Taken);
        // A week nobody knows spares nothing.
        assert_eq!(found(low.0, low.1, None, "2026-11-22"), LowStock::Taken);
        let dates: Vec<_> = RULES.iter().map(|rule| rule.from).collect();
        assert!(dates.is_sorted() && RULES.iter().all(|rule| !rule.source.is_empty()));
    }
}
