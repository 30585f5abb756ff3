//! Order lines out of all proportion, found by their size.

use chrono::NaiveDate;

use super::BulkUnits;

/// A line of fewer units is a customer's, whatever else the item sells.
pub const LEAST_UNITS: u32 = 20;
/// Times what a usual selling day sells.
const TIMES: f64 = 10.0;
/// Where more lines than this share of selling days are that large, large lines are how the item sells.
const MOST_SHARE: usize = 20;

/// Those of an item's order lines that stand out: of at least [`LEAST_UNITS`] units, at least ten times the median of
/// the days that sold anything, and at most one for twenty such days (a single one always may). `days` are the days back
/// that count, and their units.
#[must_use]
pub fn find<'a>(lines: &[&'a BulkUnits], as_of: NaiveDate, days: &[(usize, f64)]) -> Vec<&'a BulkUnits> {
    let mut selling: Vec<f64> = days
        .iter()
        .map(|(_, units)| *units)
        .filter(|units| *units > 0.0)
        .collect();
    selling.sort_unstable_by(f64::total_cmp);
    let Some(usual) = selling.get(selling.len() / 2) else {
        return Vec::new();
    };
    let least = f64::from(LEAST_UNITS).max(TIMES * usual);
    let counts = |day: NaiveDate| {
        usize::try_from((as_of - day).num_days())
            .is_ok_and(|back| days.binary_search_by_key(&back, |(day, _)| *day).is_ok())
    };
    let found: Vec<&BulkUnits> = lines
        .iter()
        .copied()
        .filter(|line| f64::from(line.units) >= least && counts(line.day))
        .collect();
    if found.len() > 1 && found.len() * MOST_SHARE > selling.len() {
        return Vec::new();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Sku, WarehouseCode};

    /// A hundred days up to the day before, each selling `usual`, and the lines on top. Answers the days back.
    fn found(usual: u32, lines: &[(usize, u32)]) -> Vec<usize> {
        let on = |back: usize| -> u32 {
            let more = lines.iter().filter(|(day, _)| *day == back);
            more.map(|(_, units)| units).sum()
        };
        let days: Vec<(usize, f64)> = (1..=100)
            .map(|back| (back, f64::from(usual + on(back))))
            .collect();
        let as_of: NaiveDate = "2026-03-01".parse().unwrap();
        let lines: Vec<BulkUnits> = lines
            .iter()
            .map(|(back, units)| BulkUnits {
                warehouse: WarehouseCode::new("W").unwrap(),
                sku: Sku::new("A").unwrap(),
                day: as_of - chrono::Duration::days(*back as i64),
                units: *units,
            })
            .collect();
        let back = |bulk: &BulkUnits| (as_of - bulk.day).num_days() as usize;
        let lines: Vec<&BulkUnits> = lines.iter().collect();
        find(&lines, as_of, &days).into_iter().map(back).collect()
    }

    #[test]
    fn r8_one_line_of_500_beside_days_of_3_is_found() {
        assert_eq!(found(3, &[(40, 500), (50, 25)]), [40]);
    }

    #[test]
    fn a_line_a_usual_day_could_bring_is_none() {
        assert_eq!(found(60, &[(40, 500)]), [0; 0]);
        assert_eq!(found(1, &[(40, 19)]), [0; 0]);
        assert_eq!(found(1, &[(40, 20)]), [40]);
    }

    #[test]
    fn lines_that_come_every_week_are_how_the_item_sells() {
        let weekly: Vec<(usize, u32)> = (1..=14).map(|week| (week * 7, 300)).collect();
        assert_eq!(found(2, &weekly), [0; 0]);
        assert_eq!(found(2, &weekly[..5]).len(), 5);
        assert_eq!(found(2, &weekly[..6]).len(), 0);
    }

    #[test]
    fn a_line_of_a_day_without_data_or_of_an_item_that_never_sold_is_left() {
        assert_eq!(found(3, &[(400, 500)]), [0; 0]);
        assert_eq!(found(0, &[]), [0; 0]);
    }
}
