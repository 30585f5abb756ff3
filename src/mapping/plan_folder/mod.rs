//! A folder of CSV files or workbooks as the planner's input, for people who live in spreadsheets (`docs/plan-from-files.md`).
//!
//! Good rows load, bad cells are listed all at once with file, line and field. A sales cell that cannot be read is a
//! day without data, not a day without sales.

mod cells;
pub mod chain;
mod columns;
pub mod demand;
mod facts;
pub mod past;
mod policy;
mod sales;
mod ways;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use self::cells::Sheet;
use self::demand::shipped::{self, Market};
use crate::ids::{Sku, SourceId, WarehouseCode};
use crate::planner::history::mask;
use crate::planner::{DataState, ItemSeries, Policy, Snapshot, SourceState, SupplyFacts, WarehouseFacts};
use crate::problem::{Problem, nearest};

/// What the folder says, and what was taken for granted in reading it.
#[derive(Debug, Clone)]
pub struct FolderInput {
    pub snapshot: Snapshot,
    pub policy: Policy,
    /// Said with every plan: nobody should have to guess how an empty cell was read.
    pub assumptions: Vec<Assumption>,
    /// Cells and rows that were left out.
    pub problems: Vec<Problem>,
}

/// A rule that was applied because the files do not say. Texts: `wording/plan.toml`, key `assume.<code>`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Assumption {
    pub code: String,
    /// Filled into the text, as `{value}`.
    pub value: String,
}

impl Assumption {
    fn new(code: &str, value: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            value: value.into(),
        }
    }
}

/// Files of the folder: name, whether a plan needs it.
pub const FILES: [(&str, bool); 9] = [
    ("items.csv", false),
    ("warehouses.csv", false),
    ("lanes.csv", false),
    ("sales.csv", true),
    ("stock.csv", false),
    ("inbound.csv", false),
    ("receipts.csv", false),
    ("policy.toml", false),
    ("policy.csv", false),
];
/// A sheet of the folder may be a workbook (first sheet) of the same name.
#[must_use]
pub fn as_workbook(name: &str) -> Option<String> {
    name.strip_suffix(".csv").map(|stem| format!("{stem}.xlsx"))
}

/// Whether a plan reads a file of this name.
#[must_use]
pub fn is_known(name: &str) -> bool {
    let other = demand::FILES.iter().chain(&chain::FILES);
    let mut other = other.filter(|known| **known == name || as_workbook(known).as_deref() == Some(name));
    other.next().is_some()
        || FILES.iter().any(|(known, _)| {
            *known == name || (*known != "policy.csv" && as_workbook(known).as_deref() == Some(name))
        })
        || past::is_known(name)
}

/// No file may be larger.
pub const MAX_FILE_BYTES: usize = 1 << 30;
/// Files of the chain are smaller.
pub const MAX_CHAIN_BYTES: u64 = 64 << 20;
/// More problems of one file are counted, not listed.
const MAX_PROBLEMS_PER_FILE: usize = 200;
/// Sales older than this at the as-of date make a plan on stale data.
const STALE_AFTER_DAYS: i64 = 7;

/// Lines of all files by warehouse and SKU.
#[derive(Default)]
struct Draft {
    sales: BTreeMap<(WarehouseCode, Sku), sales::SalesDraft>,
    stock: BTreeMap<(WarehouseCode, Sku), facts::StockDraft>,
    inbound: BTreeMap<(WarehouseCode, Sku), Vec<crate::planner::InboundShipment>>,
    items: BTreeMap<Sku, facts::ItemDraft>,
    warehouses: BTreeMap<WarehouseCode, ways::WarehouseDraft>,
    countries: Vec<(WarehouseCode, String)>,
}

/// Reads the files (name to bytes). Nothing later than the day before `as_of` is used as history.
///
/// # Errors
/// All problems, when no plan can be made of the folder.
pub fn read(files: &BTreeMap<String, Vec<u8>>, as_of: NaiveDate) -> Result<FolderInput, Vec<Problem>> {
    let mut problems = unknown_files(files);
    let mut assumptions = Vec::new();
    let settings = policy::read(files, &mut problems);
    let mut sheets: BTreeMap<&str, Sheet> = BTreeMap::new();
    for (name, needed) in FILES
        .iter()
        .filter(|(name, _)| name.ends_with(".csv") && *name != "policy.csv")
    {
        match find(files, name, &mut problems) {
            Some((found, bytes)) => match Sheet::open(found, bytes, columns::of(name), &mut problems) {
                Some(sheet) => {
                    sheets.insert(name, sheet);
                }
                None if *needed => return Err(cut(problems)),
                None => {}
            },
            None if *needed => {
                problems.push(Problem::new(
                    *name,
                    "",
                    "",
                    "no such file",
                    "the file of daily sales",
                ));
                return Err(cut(problems));
            }
            None => {}
        }
    }
    let default = default_warehouse(&sheets, &mut assumptions);
    let mut draft = Draft::default();
    if let Some(sheet) = sheets.get("items.csv") {
        facts::items(sheet, &mut draft, &mut problems);
    }
    for name in [
        "warehouses.csv",
        "lanes.csv",
        "receipts.csv",
        "stock.csv",
        "inbound.csv",
    ] {
        if let Some(sheet) = sheets.get(name) {
            facts::rows(name, sheet, default.as_ref(), as_of, &mut draft, &mut problems);
        }
    }
    let period = sheets.get("sales.csv").and_then(|sheet| {
        sales::rows(
            sheet,
            default.as_ref(),
            as_of,
            &mut draft,
            &mut assumptions,
            &mut problems,
        )
    });
    let Some(period) = period else {
        problems.push(Problem::new(
            "sales.csv",
            "",
            "date",
            "no usable row before the as-of date",
            format!("sales of days before {as_of}"),
        ));
        return Err(cut(problems));
    };
    let mut known = demand::read(files, default.as_ref(), &mut problems);
    problems.extend(demand::not_extended(&known.facts, as_of));
    // Nobody says here where the goods are sold: only events of everybody.
    let markets: Vec<Market<'_>> = draft.countries.iter().map(Market::anywhere).collect();
    problems.extend(shipped::not_extended(&markets, &known.facts.events, as_of));
    match shipped::events(&markets, &known.facts.events) {
        Ok(events) => known.facts.events.extend(events),
        Err(problem) => problems.push(problem),
    }
    let opened = sales::open_sets(&mut draft, &known.bundles);
    if opened > 0 {
        assumptions.push(Assumption::new("sets_opened", opened.to_string()));
    }
    let absent = sales::absent_day(settings.absent_day, &draft, period, &mut assumptions);
    let mut supply = chain::read(files, &mut problems);
    supply.countries.append(&mut draft.countries);
    let snapshot = assemble(
        (draft, known, supply),
        &settings,
        default.as_ref(),
        (period, absent),
        as_of,
        &sheets,
        &mut assumptions,
    );
    Ok(FolderInput {
        snapshot,
        policy: settings.policy,
        assumptions,
        problems: cut(problems),
    })
}

/// The file of a sheet under either of its names.
fn find<'a>(
    files: &'a BTreeMap<String, Vec<u8>>,
    name: &str,
    problems: &mut Vec<Problem>,
) -> Option<(&'a str, &'a Vec<u8>)> {
    let text = files.get_key_value(name);
    let workbook = as_workbook(name).and_then(|name| files.get_key_value(&name));
    if let (Some(_), Some((workbook, _))) = (text, workbook) {
        let wanted = format!("one of the two: `{name}` is read, this file is not");
        problems.push(Problem::new(workbook, "", "", workbook, wanted));
    }
    text.or(workbook).map(|(name, bytes)| (name.as_str(), bytes))
}

fn unknown_files(files: &BTreeMap<String, Vec<u8>>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (name, bytes) in files {
        if !is_known(name) {
            // Stems only: with its ending `notes.csv` is near to `items.csv`.
            let stem = |name: &'static str| name.split('.').next().unwrap_or(name);
            let all = || {
                let first = FILES.iter().map(|(known, _)| *known);
                first.chain(demand::FILES).chain(chain::FILES)
            };
            let known = all().map(stem);
            let given = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
            let near = nearest(given, known).and_then(|near| all().find(|known| stem(known) == near));
            if let Some(near) = near {
                problems.push(Problem::new(
                    name,
                    "",
                    "",
                    name,
                    format!("`{near}`? This file is not read"),
                ));
            }
        } else if bytes.len() > MAX_FILE_BYTES {
            problems.push(Problem::new(
                name,
                "",
                "",
                format!("{} bytes", bytes.len()),
                format!("at most {MAX_FILE_BYTES} bytes"),
            ));
        }
    }
    problems
}

/// Cuts the list per file, and says how many more there are.
fn cut(problems: Vec<Problem>) -> Vec<Problem> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept = Vec::new();
    for problem in problems {
        let count = counts.entry(problem.file.clone()).or_default();
        *count += 1;
        if *count <= MAX_PROBLEMS_PER_FILE {
            kept.push(problem);
        }
    }
    for (file, count) in counts {
        if let Some(more) = count.checked_sub(MAX_PROBLEMS_PER_FILE).filter(|more| *more > 0) {
            kept.push(Problem::new(
                file,
                "",
                "",
                format!("{more} more"),
                "the problems above mended first",
            ));
        }
    }
    kept
}

/// Rows that name no warehouse belong to the only one there is.
fn default_warehouse(
    sheets: &BTreeMap<&str, Sheet>,
    assumptions: &mut Vec<Assumption>,
) -> Option<WarehouseCode> {
    let mut codes = BTreeSet::new();
    for (name, sheet) in sheets {
        let column = if *name == "warehouses.csv" {
            "code"
        } else {
            "warehouse"
        };
        for row in sheet.rows() {
            let cell = sheet.cell(&row, column);
            if !cell.is_empty() {
                codes.insert(cell.to_owned());
            }
        }
    }
    let mut codes = codes.into_iter();
    match (codes.next(), codes.next()) {
        (None, _) => {
            assumptions.push(Assumption::new("one_warehouse", "main"));
            WarehouseCode::new("main").ok()
        }
        (Some(only), None) => WarehouseCode::new(only).ok(),
        _ => None,
    }
}

fn assemble(
    (mut draft, known, supply): (Draft, demand::DemandFiles, SupplyFacts),
    settings: &policy::Settings,
    default: Option<&WarehouseCode>,
    (period, absent): (sales::SalesPeriod, sales::Absent),
    as_of: NaiveDate,
    sheets: &BTreeMap<&str, Sheet>,
    assumptions: &mut Vec<Assumption>,
) -> Snapshot {
    let sales_state = if (as_of - period.last).num_days() > STALE_AFTER_DAYS {
        DataState::Stale
    } else {
        DataState::Complete
    };
    // Where absence was declared a zero by hand, it is one.
    let missed = match (absent, settings.absent_day) {
        (sales::Absent::Zero, policy::AbsentDay::Auto) => sales::missed_days(&draft, period, assumptions),
        _ => BTreeSet::new(),
    };
    let mut keys: BTreeSet<(WarehouseCode, Sku)> = draft.sales.keys().cloned().collect();
    keys.extend(draft.stock.keys().cloned());
    keys.extend(draft.inbound.keys().cloned());
    // An item nobody sold or stocked yet keeps its row, where it is clear to which warehouse it belongs.
    if let Some(only) = default {
        keys.extend(draft.items.keys().map(|sku| (only.clone(), sku.clone())));
    }
    let unlisted = keys
        .iter()
        .filter(|(_, sku)| !draft.items.contains_key(sku))
        .count();
    if unlisted > 0 && sheets.contains_key("items.csv") {
        assumptions.push(Assumption::new("not_in_items", unlisted.to_string()));
    }
    let pending_known = sheets
        .get("stock.csv")
        .is_some_and(|sheet| sheet.has("pending_putaway"));
    if !pending_known && sheets.contains_key("stock.csv") {
        assumptions.push(Assumption::new("no_pending_column", "0"));
    }
    let mut series = Vec::with_capacity(keys.len());
    for key in &keys {
        let item = draft.items.get(&key.1).cloned().unwrap_or_default();
        let stock = draft.stock.get(key);
        let sales = draft
            .sales
            .remove(key)
            .map(|rows| rows.into_daily(period, absent, &missed))
            .map(|mut sales| {
                if let Some(closing) = known.stock_days.get(key) {
                    mask::apply(&mut sales, |day| closing.get(&day).copied());
                }
                sales
            });
        series.push(ItemSeries {
            warehouse: key.0.clone(),
            sku: key.1.clone(),
            name_zh: item.name_zh,
            name_en: item.name_en,
            active: !item.inactive,
            // No row at all in a file that lists days with sales only means: nothing was sold.
            sales_state: match &sales {
                Some(_) => sales_state,
                None => DataState::Missing,
            },
            sales: sales.unwrap_or_else(|| crate::planner::DailySales::empty(period.first)),
            available: stock.and_then(|stock| stock.available),
            pending_putaway: match stock {
                Some(stock) if pending_known => stock.pending,
                Some(_) => Some(0),
                None => None,
            },
            stock_state: match stock {
                Some(stock) if stock.available.is_some() => DataState::Complete,
                _ => DataState::Missing,
            },
            inbound: draft.inbound.remove(key).unwrap_or_default(),
            production: item.production,
            carton_units: item.carton_units,
            moq: item.moq,
            unit_cost: item.unit_cost,
            service_permille: item.service_permille,
        });
    }
    let codes: BTreeSet<&WarehouseCode> = keys.iter().map(|(code, _)| code).collect();
    let warehouses: Vec<WarehouseFacts> = codes
        .into_iter()
        .map(|code| {
            let facts = draft.warehouses.remove(code).unwrap_or_default();
            facts.finish(code.clone(), settings)
        })
        .collect();
    Snapshot {
        as_of,
        sources: source_states(sheets, sales_state, period, as_of),
        warehouses,
        series,
        demand: known.facts,
        supply,
    }
}

fn source_states(
    sheets: &BTreeMap<&str, Sheet>,
    sales_state: DataState,
    period: sales::SalesPeriod,
    as_of: NaiveDate,
) -> Vec<SourceState> {
    sheets
        .iter()
        .filter_map(|(name, sheet)| {
            let is_sales = *name == "sales.csv";
            let seen = if is_sales { period.last } else { as_of };
            Some(SourceState {
                source: SourceId::new("folder").ok()?,
                stream: (*name).to_owned(),
                state: if is_sales {
                    sales_state
                } else {
                    DataState::Complete
                },
                as_of: seen.and_hms_opt(0, 0, 0).map(|midnight| midnight.and_utc()),
                rows: i64::try_from(sheet.rows().count()).ok(),
                rows_before: None,
                missing_days: Vec::new(),
                problem: None,
            })
        })
        .collect()
}
