//! What the simulated seller sells: the bundled catalog and the real daily orders behind it.

use std::collections::BTreeMap;
use std::io::Read as _;

use chrono::{Duration, NaiveDate};
use flate2::read::GzDecoder;

use super::WorldError;

/// Days between the source's calendar and the world's: 783 weeks, so weekdays stay.
pub const SHIFT_DAYS: i64 = 5481;

const ORDERS: &[u8] = include_bytes!("data/orders.csv.gz");
const CATALOG: [(&str, &[u8]); 5] = [
    ("items.csv", include_bytes!("data/items.csv")),
    ("certificates.csv", include_bytes!("data/certificates.csv")),
    ("codes.csv", include_bytes!("data/codes.csv")),
    ("warehouses.csv", include_bytes!("data/warehouses.csv")),
    ("lanes.csv", include_bytes!("data/lanes.csv")),
];

/// The seller's master data as files, for the import.
#[must_use]
pub fn catalog_files() -> Vec<(&'static str, &'static [u8])> {
    CATALOG.to_vec()
}

/// How one channel names a good, and how many master units are in one of its units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    pub msku: String,
    /// FNSKU at Amazon, product_sku at the third-party warehouse.
    pub warehouse_code: String,
    /// Empty outside Amazon.
    pub asin: String,
    pub multiple: i64,
}

#[derive(Debug, Clone)]
pub struct Good {
    pub sku: String,
    pub name: String,
    pub carton_units: i64,
    pub unit_gross_g: i64,
    pub unit_mm: [i64; 3],
    /// Served from the marketplace's own warehouse.
    pub fba: Option<Listing>,
    /// Served by the seller from the third-party warehouse.
    pub merchant: Option<Listing>,
}

/// One real day of one good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoodDay {
    pub good: usize,
    pub units: i64,
    pub orders: i64,
    pub price_pence: i64,
}

/// Catalog and calendar of demand, read from the bundled files.
#[derive(Debug)]
pub struct Assortment {
    pub goods: Vec<Good>,
    pub days: BTreeMap<NaiveDate, Vec<GoodDay>>,
    by_code: BTreeMap<String, usize>,
}

impl Assortment {
    /// # Errors
    /// When a bundled file does not read; a fault of the build, not of the user.
    pub fn bundled() -> Result<Self, WorldError> {
        let mut goods = read_items()?;
        read_codes(&mut goods)?;
        let days = read_days(goods.len())?;
        let mut by_code = BTreeMap::new();
        for (index, good) in goods.iter().enumerate() {
            by_code.insert(good.sku.clone(), index);
            for listing in [&good.fba, &good.merchant].into_iter().flatten() {
                for code in [&listing.msku, &listing.warehouse_code, &listing.asin] {
                    if !code.is_empty() {
                        by_code.insert(code.clone(), index);
                    }
                }
            }
        }
        Ok(Self { goods, days, by_code })
    }

    /// The days a world can start on: eight weeks of demand lie behind the first, the last still has orders.
    ///
    /// # Errors
    /// [`WorldError::Start`] names both ends.
    pub fn check_start(&self, start: NaiveDate) -> Result<(), WorldError> {
        let first = self.days.keys().next().copied().unwrap_or_default() + Duration::days(56);
        let last = self.days.keys().last().copied().unwrap_or_default();
        if (first..=last).contains(&start) {
            Ok(())
        } else {
            Err(WorldError::Start { start, first, last })
        }
    }

    /// The good behind any of its codes.
    #[must_use]
    pub fn find(&self, code: &str) -> Option<usize> {
        self.by_code.get(code.trim()).copied()
    }
}

fn broken(file: &str, what: impl std::fmt::Display) -> WorldError {
    WorldError::Data(format!("bundled {file}: {what}"))
}

fn rows(file: &'static str) -> Result<Vec<BTreeMap<String, String>>, WorldError> {
    let bytes = CATALOG
        .iter()
        .find(|(name, _)| *name == file)
        .map(|(_, bytes)| *bytes)
        .ok_or_else(|| broken(file, "is not bundled"))?;
    csv::Reader::from_reader(bytes)
        .deserialize::<BTreeMap<String, String>>()
        .map(|row| row.map_err(|error| broken(file, error)))
        .collect()
}

fn text(row: &BTreeMap<String, String>, column: &str) -> String {
    row.get(column).cloned().unwrap_or_default()
}

fn whole(file: &str, row: &BTreeMap<String, String>, column: &str) -> Result<i64, WorldError> {
    let found = text(row, column);
    found
        .parse()
        .map_err(|_| broken(file, format!("`{column}` is `{found}`")))
}

fn read_items() -> Result<Vec<Good>, WorldError> {
    rows("items.csv")?
        .iter()
        .map(|row| {
            Ok(Good {
                sku: text(row, "sku"),
                name: text(row, "name_en"),
                carton_units: whole("items.csv", row, "carton_units")?.max(1),
                unit_gross_g: whole("items.csv", row, "unit_gross_g")?,
                unit_mm: [
                    whole("items.csv", row, "unit_length_mm")?,
                    whole("items.csv", row, "unit_width_mm")?,
                    whole("items.csv", row, "unit_height_mm")?,
                ],
                fba: None,
                merchant: None,
            })
        })
        .collect()
}

fn read_codes(goods: &mut [Good]) -> Result<(), WorldError> {
    let rows = rows("codes.csv")?;
    for good in goods {
        let of = |kind: &str, pick: fn(&str) -> bool| {
            rows.iter().find(|row| {
                text(row, "sku") == good.sku && text(row, "kind") == kind && pick(&text(row, "code"))
            })
        };
        let amazon_msku = of("msku", |code| code.ends_with("-FBA"));
        let merchant_msku = of("msku", |code| !code.ends_with("-FBA"));
        if let (Some(msku), Some(fnsku), Some(asin)) =
            (amazon_msku, of("fnsku", |_| true), of("asin", |_| true))
        {
            good.fba = Some(Listing {
                msku: text(msku, "code"),
                warehouse_code: text(fnsku, "code"),
                asin: text(asin, "code"),
                multiple: whole("codes.csv", fnsku, "multiple")?.max(1),
            });
        }
        if let (Some(msku), Some(code)) = (merchant_msku, of("warehouse_sku", |_| true)) {
            good.merchant = Some(Listing {
                msku: text(msku, "code"),
                warehouse_code: text(code, "code"),
                asin: String::new(),
                multiple: whole("codes.csv", code, "multiple")?.max(1),
            });
        }
        if good.fba.is_none() && good.merchant.is_none() {
            return Err(broken("codes.csv", format!("`{}` has no code", good.sku)));
        }
    }
    Ok(())
}

fn read_days(goods: usize) -> Result<BTreeMap<NaiveDate, Vec<GoodDay>>, WorldError> {
    const FILE: &str = "orders.csv.gz";
    let mut plain = String::new();
    GzDecoder::new(ORDERS)
        .read_to_string(&mut plain)
        .map_err(|error| broken(FILE, error))?;
    let mut days: BTreeMap<NaiveDate, Vec<GoodDay>> = BTreeMap::new();
    for line in plain.lines().skip(1) {
        let wrong = || broken(FILE, format!("line `{line}`"));
        let mut cells = line.split(',');
        let mut next = || cells.next().ok_or_else(wrong);
        let good: usize = next()?.parse().map_err(|_| wrong())?;
        let date: NaiveDate = next()?.parse().map_err(|_| wrong())?;
        let units: i64 = next()?.parse().map_err(|_| wrong())?;
        let orders: i64 = next()?.parse().map_err(|_| wrong())?;
        let price_pence: i64 = next()?.replace('.', "").parse().map_err(|_| wrong())?;
        if good >= goods || units <= 0 || orders <= 0 {
            return Err(wrong());
        }
        days.entry(date + Duration::days(SHIFT_DAYS))
            .or_default()
            .push(GoodDay {
                good,
                units,
                orders,
                price_pence,
            });
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_outside_the_data_is_refused_with_both_ends() {
        let assortment = Assortment::bundled().unwrap();
        assert!(assortment.check_start("2026-05-11".parse().unwrap()).is_ok());
        let refused = assortment.check_start("2027-01-04".parse().unwrap()).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "start the world on 2027-01-04: it has orders to live on from 2025-01-28 to 2026-12-11"
        );
    }

    #[test]
    fn the_bundled_files_agree_with_each_other_and_with_physics() {
        let assortment = Assortment::bundled().unwrap();
        assert_eq!(assortment.goods.len(), 63);
        let first = assortment.days.keys().next().unwrap().to_string();
        let last = assortment.days.keys().last().unwrap().to_string();
        assert_eq!((first.as_str(), last.as_str()), ("2024-12-03", "2026-12-11"));
        assert_eq!(
            assortment.goods.iter().filter(|good| good.fba.is_none()).count(),
            4
        );
        assert_eq!(
            assortment
                .goods
                .iter()
                .filter(|good| good.merchant.is_none())
                .count(),
            5
        );
        let packs: Vec<_> = assortment
            .goods
            .iter()
            .filter_map(|good| good.merchant.as_ref().filter(|listing| listing.multiple == 3))
            .collect();
        assert_eq!(packs.len(), 1);
        for row in rows("items.csv").unwrap() {
            let n = |column| whole("items.csv", &row, column).unwrap();
            let (units, gross) = (n("carton_units"), n("carton_gross_g"));
            assert!(units * n("unit_gross_g") <= gross && gross <= 15_000, "{row:?}");
            let sides = ["carton_length_mm", "carton_width_mm", "carton_height_mm"].map(n);
            assert!(sides.iter().all(|side| *side <= 635), "{row:?}");
            let volume: i64 = sides.iter().product();
            // g per dm³ is kg per m³.
            let density = gross * 1_000_000 / volume;
            assert!((50..=2000).contains(&density), "{row:?}");
            assert!(units % 3 == 0 || !row["sku"].starts_with("PEN"), "{row:?}");
            assert_eq!(row["hs_cn"].len(), 10);
            assert_eq!(row["hs_cn"][..6], row["hs_destination"][..6], "{row:?}");
        }
    }
}
