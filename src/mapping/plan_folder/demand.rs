//! What is known of demand beside the sales, from files: sets, rules, overrides, promotions, events, large orders, closing
//! stock. All of them optional, in a folder of a plan or in the daemon's own (`demand` beside the configuration).

mod columns;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

pub mod shipped;

use super::cells::{Row, Sheet, count, date, decimal, flag, whole};
use super::facts::DATE;
use crate::ids::{Sku, WarehouseCode};
use crate::planner::history::bundles::Bundles;
use crate::planner::{
    BulkUnits, ChosenRate, DemandChange, DemandFacts, DemandOverride, EventDates, ItemTraits, Promotion,
    VelocityChoice,
};
use crate::problem::Problem;

/// Files of demand.
pub const FILES: [&str; 8] = [
    "bundles.csv",
    "velocity.csv",
    "overrides.csv",
    "promotions.csv",
    "events.csv",
    "bulk.csv",
    "traits.csv",
    "stock_days.csv",
];

/// Closing stock by line and day.
pub type StockDays = BTreeMap<(WarehouseCode, Sku), BTreeMap<NaiveDate, i64>>;

/// What the files say.
#[derive(Debug, Clone, Default)]
pub struct DemandFiles {
    pub facts: DemandFacts,
    pub bundles: Bundles,
    pub stock_days: StockDays,
    /// There is a `bulk.csv`: nobody looks for large orders beside it.
    pub names_bulk: bool,
}

const SHARE: &str = "a number from 0.05 to 20, such as 1.8";
const RATE: &str = "units a day, 0 or more";

/// Reads the files by name; what is wrong is listed, the good rows count. `default` is the warehouse of rows that name
/// none, where a row needs one.
#[must_use]
pub fn read(
    files: &BTreeMap<String, Vec<u8>>,
    default: Option<&WarehouseCode>,
    problems: &mut Vec<Problem>,
) -> DemandFiles {
    let mut read = DemandFiles::default();
    for name in FILES {
        let found = files.get_key_value(name);
        let workbook = super::as_workbook(name).and_then(|name| files.get_key_value(&name));
        let Some((file, bytes)) = found.or(workbook) else {
            continue;
        };
        let Some(sheet) = Sheet::open(file, bytes, columns::of(name), problems) else {
            continue;
        };
        read.names_bulk |= name == "bulk.csv";
        for row in sheet.rows() {
            let cells = Cells {
                sheet: &sheet,
                row: &row,
            };
            match name {
                "bundles.csv" => cells.bundle(&mut read.bundles, problems),
                "velocity.csv" => read.facts.rules.extend(cells.velocity(problems)),
                "overrides.csv" => read.facts.overrides.extend(cells.overriding(problems)),
                "promotions.csv" => read.facts.promotions.extend(cells.promotion(problems)),
                "events.csv" => read.facts.events.extend(cells.event(problems)),
                "bulk.csv" => read.facts.bulk.extend(cells.bulk(default, problems)),
                "traits.csv" => read.facts.traits.extend(cells.traits(problems)),
                _ => cells.closing(default, &mut read.stock_days, problems),
            }
        }
        if name == "bundles.csv" {
            let circles: Vec<Sku> = read.bundles.circles().into_iter().cloned().collect();
            for set in circles {
                let wanted = "sets that do not contain themselves; it is not opened";
                problems.push(Problem::new(file, "", "bundle", set.as_str(), wanted));
                read.bundles.remove(&set);
            }
        }
    }
    read
}

/// Events whose last dates are over: nobody may take a peak that was not written down for no peak (R16).
#[must_use]
pub fn not_extended(facts: &DemandFacts, as_of: NaiveDate) -> Vec<Problem> {
    let mut last: BTreeMap<(&str, Option<&WarehouseCode>), NaiveDate> = BTreeMap::new();
    for event in &facts.events {
        let until = last
            .entry((&event.name, event.warehouse.as_ref()))
            .or_insert(event.until);
        *until = event.until.max(*until);
    }
    last.into_iter()
        .filter(|(_, until)| *until < as_of)
        .map(|((name, _), until)| {
            let wanted = format!("its next dates: the calendar is not extended beyond {until}");
            Problem::new("events.csv", "", "name", name, wanted)
        })
        .collect()
}

struct Cells<'a> {
    sheet: &'a Sheet,
    row: &'a Row<'a>,
}

impl Cells<'_> {
    fn bad(&self, column: &str, wanted: &str, problems: &mut Vec<Problem>) {
        self.sheet.problem(self.row, column, wanted, problems);
    }

    fn sku_of(&self, column: &str, problems: &mut Vec<Problem>) -> Option<Sku> {
        let sku = Sku::new(self.sheet.cell(self.row, column)).ok();
        if sku.is_none() {
            self.bad(column, "a SKU of 1 to 80 characters", problems);
        }
        sku
    }

    /// Outer None: the cell is wrong. Inner None: it is empty.
    fn any<T>(
        &self,
        column: &'static str,
        wanted: &str,
        problems: &mut Vec<Problem>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<Option<T>> {
        let empty = self.sheet.cell(self.row, column).is_empty();
        let value = self.sheet.value(self.row, column, wanted, problems, parse);
        (empty || value.is_some()).then_some(value)
    }

    fn place(&self, problems: &mut Vec<Problem>) -> Option<(Option<WarehouseCode>, Option<Sku>)> {
        let code = |cell: &str| WarehouseCode::new(cell).ok();
        let warehouse = self.any(
            "warehouse",
            "a warehouse code of 1 to 80 characters",
            problems,
            code,
        )?;
        let sku = self.any("sku", "a SKU of 1 to 80 characters", problems, |cell| {
            Sku::new(cell).ok()
        })?;
        Some((warehouse, sku))
    }

    /// First and last day, both named.
    fn days(&self, problems: &mut Vec<Problem>) -> Option<(NaiveDate, NaiveDate)> {
        let from = self.day("from", problems);
        let until = self.day("until", problems)?;
        let from = from?;
        if until < from {
            self.bad("until", "a day not before `from`", problems);
            return None;
        }
        Some((from, until))
    }

    fn day(&self, column: &'static str, problems: &mut Vec<Problem>) -> Option<NaiveDate> {
        if self.sheet.cell(self.row, column).is_empty() {
            self.bad(column, DATE, problems);
        }
        self.sheet.value(self.row, column, DATE, problems, date)
    }

    fn bundle(&self, bundles: &mut Bundles, problems: &mut Vec<Problem>) {
        let set = self.sku_of("bundle", problems);
        let component = self.sku_of("component", problems);
        let units = whole(self.sheet.cell(self.row, "units")).filter(|units| (1..=100_000).contains(units));
        if units.is_none() {
            self.bad("units", "a whole number from 1", problems);
        }
        if let (Some(set), Some(component), Some(units)) = (set, component, units) {
            bundles.add(set, component, units);
        }
    }

    fn velocity(&self, problems: &mut Vec<Problem>) -> Option<VelocityChoice> {
        let (warehouse, sku) = self.place(problems)?;
        let from = self.day("from", problems)?;
        let until = self.any("until", DATE, problems, date)?;
        if until.is_some_and(|until| until < from) {
            self.bad("until", "a day not before `from`", problems);
            return None;
        }
        let fixed = self.any("fixed", RATE, problems, rate)?;
        let mut shares = [0_u16; 6];
        let mut any = false;
        for (share, name) in shares.iter_mut().zip(["w3", "w7", "w14", "w30", "w60", "w90"]) {
            let given = self.any(
                name,
                "a share from 0 to 1 (or 0 to 100 %)",
                problems,
                share_permille,
            )?;
            any |= given.is_some();
            *share = given.unwrap_or(0);
        }
        let rate = match (fixed, any) {
            (Some(rate), false) => ChosenRate::Fixed(rate),
            (None, true) if shares.iter().map(|share| u32::from(*share)).sum::<u32>() == 1000 => {
                ChosenRate::Weighted(shares)
            }
            (None, true) => {
                self.bad("w3", "shares of w3…w90 that sum to 1", problems);
                return None;
            }
            _ => {
                self.bad("fixed", "either `fixed`, or shares w3…w90", problems);
                return None;
            }
        };
        let used = self.any("use", "yes or no", problems, flag)?.unwrap_or(false);
        Some(VelocityChoice {
            warehouse,
            sku,
            from,
            until,
            rate,
            used,
        })
    }

    fn overriding(&self, problems: &mut Vec<Problem>) -> Option<DemandOverride> {
        let sku = self.sku_of("sku", problems)?;
        let (warehouse, _) = self.place(problems)?;
        let (from, until) = self.days(problems)?;
        let factor = self.any("factor", SHARE, problems, |cell| times(cell, Decimal::ZERO))?;
        let units = self.any("units_per_day", RATE, problems, rate)?;
        let change = match (factor, units) {
            (Some(factor), None) => DemandChange::Factor(factor),
            (None, Some(units)) => DemandChange::UnitsPerDay(units),
            _ => {
                self.bad("factor", "either `factor` or `units_per_day`", problems);
                return None;
            }
        };
        let author = self.sheet.cell(self.row, "author");
        if author.is_empty() {
            self.bad("author", "who says so", problems);
            return None;
        }
        Some(DemandOverride {
            warehouse,
            sku,
            from,
            until,
            change,
            author: author.chars().take(80).collect(),
            note: self.sheet.cell(self.row, "note").chars().take(200).collect(),
        })
    }

    fn promotion(&self, problems: &mut Vec<Problem>) -> Option<Promotion> {
        let (warehouse, sku) = self.place(problems)?;
        let (from, until) = self.days(problems)?;
        let uplift = self.any("uplift", SHARE, problems, multiplier)?;
        Some(Promotion {
            warehouse,
            sku,
            from,
            until,
            uplift_permille: uplift,
        })
    }

    fn event(&self, problems: &mut Vec<Problem>) -> Option<EventDates> {
        let (warehouse, _) = self.place(problems)?;
        let (from, until) = self.days(problems)?;
        let name = self.sheet.cell(self.row, "name");
        let prior_permille = self.any("multiplier", SHARE, problems, multiplier)?;
        if name.is_empty() || prior_permille.is_none() {
            let column = if name.is_empty() { "name" } else { "multiplier" };
            self.bad(column, "a name and a multiplier", problems);
            return None;
        }
        Some(EventDates {
            name: name.chars().take(80).collect(),
            warehouse,
            from,
            until,
            prior_permille: prior_permille?,
        })
    }

    fn line(
        &self,
        default: Option<&WarehouseCode>,
        problems: &mut Vec<Problem>,
    ) -> Option<(WarehouseCode, Sku, NaiveDate)> {
        let warehouse = super::facts::warehouse(self.sheet, self.row, default, problems)?;
        let sku = self.sku_of("sku", problems)?;
        Some((warehouse, sku, self.day("date", problems)?))
    }

    fn bulk(&self, default: Option<&WarehouseCode>, problems: &mut Vec<Problem>) -> Option<BulkUnits> {
        let (warehouse, sku, day) = self.line(default, problems)?;
        let units = count(self.sheet.cell(self.row, "units"));
        if units.is_none() {
            self.bad("units", "a whole number, 0 or more", problems);
        }
        Some(BulkUnits {
            warehouse,
            sku,
            day,
            units: u32::try_from(units?).ok()?,
        })
    }

    fn traits(&self, problems: &mut Vec<Problem>) -> Option<ItemTraits> {
        let sku = self.sku_of("sku", problems)?;
        let margin = self.any("margin", "an amount", problems, decimal)?;
        Some(ItemTraits {
            sku,
            category: self.sheet.cell(self.row, "category").chars().take(120).collect(),
            brand: self.sheet.cell(self.row, "brand").chars().take(120).collect(),
            margin,
        })
    }

    fn closing(&self, default: Option<&WarehouseCode>, days: &mut StockDays, problems: &mut Vec<Problem>) {
        let Some((warehouse, sku, day)) = self.line(default, problems) else {
            return;
        };
        let units = self
            .sheet
            .value(self.row, "closing", "a whole number", problems, whole);
        if let Some(units) = units {
            // Several rows of a day are several places in the warehouse.
            let closing = days.entry((warehouse, sku)).or_default().entry(day).or_default();
            *closing = closing.saturating_add(units);
        }
    }
}

fn rate(cell: &str) -> Option<Decimal> {
    decimal(cell).filter(|rate| !rate.is_sign_negative() && *rate <= Decimal::from(1_000_000))
}

fn times(cell: &str, least: Decimal) -> Option<Decimal> {
    decimal(cell).filter(|times| *times >= least && *times <= Decimal::from(20))
}

/// `1.8` as 1,800.
fn multiplier(cell: &str) -> Option<u32> {
    (times(cell, Decimal::new(5, 2))? * Decimal::ONE_THOUSAND)
        .round()
        .to_u32()
}

/// `0.7`, `70%`, `70`: as thousandths.
fn share_permille(cell: &str) -> Option<u16> {
    let text = cell.trim();
    let value = decimal(text.trim_end_matches(['%', '％']))?;
    let percent = text.ends_with(['%', '％']) || value > Decimal::ONE;
    let permille = if percent {
        value * Decimal::TEN
    } else {
        value * Decimal::ONE_THOUSAND
    };
    permille
        .round()
        .to_u16()
        .filter(|share| *share <= 1000 && !value.is_sign_negative())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, text: &str) -> (DemandFiles, Vec<Problem>) {
        let files = BTreeMap::from([(name.to_owned(), text.as_bytes().to_vec())]);
        let main = WarehouseCode::new("main").unwrap();
        let mut problems = Vec::new();
        let read = read(&files, Some(&main), &mut problems);
        (read, problems)
    }

    #[test]
    fn good_rows_load_and_bad_ones_are_all_listed() {
        let (read, problems) = of(
            "overrides.csv",
            "sku,from,until,factor,units_per_day,author,note\n\
             A,2026-12-01,2026-12-31,1.5,,li,cheaper rival gone\n\
             B,2026-12-01,2026-11-30,1.5,,li,\n\
             C,2026-12-01,2026-12-31,1.5,4,li,\n\
             D,2026-12-01,2026-12-31,,4,,\n\
             E,2026-12-01,,2,,li,\n",
        );
        assert_eq!(read.facts.overrides.len(), 1);
        let told: Vec<String> = problems
            .iter()
            .map(|problem| format!("{} {}", problem.place, problem.field))
            .collect();
        assert_eq!(
            told,
            ["line 3 until", "line 4 factor", "line 5 author", "line 6 until"]
        );
    }

    #[test]
    fn weights_must_sum_to_one() {
        let (read, problems) = of(
            "velocity.csv",
            "sku,from,until,fixed,w7,w30,use\nA,2026-01-01,,,0.7,0.3,yes\nB,2026-01-01,,,70%,20%,\nC,2026-01-01,,3.5,,,\n",
        );
        assert_eq!(read.facts.rules.len(), 2);
        assert_eq!(
            read.facts.rules[0].rate,
            ChosenRate::Weighted([0, 700, 0, 300, 0, 0])
        );
        assert!(read.facts.rules[0].used && !read.facts.rules[1].used);
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn a_set_of_itself_is_refused() {
        let (read, problems) = of("bundles.csv", "bundle,component,units\nS,A,2\nT,T,1\nS,B,0\n");
        assert_eq!(problems.len(), 2);
        let s = Sku::new("S").unwrap();
        assert_eq!(read.bundles.opened(&s, 3), [(Sku::new("A").unwrap(), 6)]);
        assert!(!read.bundles.is_set(&Sku::new("T").unwrap()));
    }
}
