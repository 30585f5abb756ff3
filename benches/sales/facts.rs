//! Sellers whose sales follow from a number: no two alike, always the same.

use chrono::{Days, NaiveDate};
use linkstar::ids::AccountId;

/// Two years, as much as a forecast with a season wants.
pub const DAYS: usize = 730;
/// Late changes reach so far back: shipped and cancelled orders of the last month.
const LATE_DAYS: usize = 30;

pub struct Shape {
    sellers: usize,
    series: usize,
}

impl Shape {
    /// Every second day sells, as the shop of the demo does over all its items.
    pub fn new(rows: usize, of_a_seller: usize) -> Self {
        let sellers = rows.div_ceil(of_a_seller).max(1);
        Self {
            sellers,
            series: (rows / sellers / (DAYS / 2)).max(1),
        }
    }

    pub fn sellers(&self) -> Vec<Seller> {
        (0..self.sellers)
            .map(|number| Seller {
                number,
                account: AccountId::new(format!("seller-{number:03}")).expect("an account"),
                series: self.series,
            })
            .collect()
    }
}

pub struct Seller {
    number: usize,
    pub account: AccountId,
    pub series: usize,
}

/// One sale of one series on one day; on a night it is what comes on top.
#[derive(Debug, Clone, Copy)]
pub struct Sale {
    pub series: usize,
    pub day: usize,
    pub units: i64,
}

impl Seller {
    pub fn sku(&self, series: usize) -> String {
        format!("SKU-{:03}-{series:05}", self.number)
    }

    /// A third of the items is sold from the seller's own warehouse.
    pub fn fulfilment(series: usize) -> &'static str {
        if series % 3 == 0 { "Merchant" } else { "Amazon" }
    }

    fn noise(&self, series: usize, day: usize) -> u64 {
        let mut state = ((self.number * 100_000 + series) * 1_000 + day) as u64 ^ 0x9E37_79B9_7F4A_7C15;
        for _ in 0..2 {
            state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        }
        state ^ (state >> 31)
    }

    /// The sales of one day, as a pull brings them.
    pub fn day(&self, day: usize) -> Vec<Sale> {
        (0..self.series)
            .filter_map(|series| {
                let noise = self.noise(series, day);
                (noise & 1 == 0).then(|| Sale {
                    series,
                    day,
                    units: i64::try_from(noise >> 8 & 7).unwrap_or(0) + 1,
                })
            })
            .collect()
    }

    /// What a night brings: a new day, and one in fifty sales of the last month corrected.
    pub fn night(&self) -> Vec<Sale> {
        let mut changes: Vec<Sale> = (DAYS - LATE_DAYS..DAYS)
            .flat_map(|day| self.day(day))
            .filter(|sale| (self.noise(sale.series, sale.day) >> 16) % 50 == 0)
            .map(|sale| Sale { units: 1, ..sale })
            .collect();
        changes.extend(self.day(DAYS));
        changes
    }
}

/// The civil day with this number; the first is not the first of a year.
pub fn date(day: usize) -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, 11, 23).expect("a date") + Days::new(day as u64)
}

/// What a read gave: how many days sold, how many units, and each weighed by its day.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sum {
    days: u64,
    units: u64,
    weighed: u64,
}

impl Sum {
    /// A dense series, the shape in which a plan takes it.
    pub fn of(series: &[Vec<u32>]) -> Self {
        let mut sum = Self::default();
        for units in series {
            for (day, units) in units.iter().enumerate().filter(|(_, units)| **units > 0) {
                sum.days += 1;
                sum.units += u64::from(*units);
                sum.weighed += u64::from(*units) * day as u64;
            }
        }
        sum
    }

    pub fn add(&mut self, other: &Self) {
        self.days += other.days;
        self.units += other.units;
        self.weighed += other.weighed;
    }
}
