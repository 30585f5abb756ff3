//! The chain behind a plan, from files: calendars, prices, limits, ways between warehouses. All of them optional, in a
//! folder of a plan or in the daemon's own (`supply` beside the configuration).

mod columns;

use std::collections::BTreeMap;

use columns::columns;
use rust_decimal::Decimal;

use super::cells::{Row, Sheet, count, date, decimal, flag, share, ten_thousandths, whole};
use super::facts::{DATE, DAYS, MODES, days, mode};
use crate::ids::{ForwarderId, Sku, WarehouseCode};
use crate::money::{Currency, Money};
use crate::order::Mode;
use crate::planner::{
    ArrivalDeadline, Capacity, Closure, CustomsExam, Freight, ItemTerms, LossTerms, Lot, Observation,
    ReturnTerms, RoundTo, Rounding, Stage, StageFacts, StageTimes, StorageTier, SupplyFacts, TransferWay,
    Whereabouts,
};
use crate::problem::Problem;

pub use columns::FILES;

const SHARE: &str = "a share such as 0.08 or 8%";
const COUNT: &str = "a whole number, 0 or more";
const CODE: &str = "a warehouse code of 1 to 80 characters";
const AMOUNT: &str = "an amount, 0 or more";
const STAGE: &str = "a stage such as production, sail, clearance or putaway";
const FLAG: &str = "yes or no";

fn amount(cell: &str) -> Option<Decimal> {
    decimal(cell).filter(|amount| !amount.is_sign_negative() && *amount <= Decimal::from(1_000_000_000))
}

/// What one row says; missing pieces are named.
struct Reader<'s, 'p> {
    sheet: &'s Sheet,
    row: Row<'s>,
    problems: &'p mut Vec<Problem>,
}

impl Reader<'_, '_> {
    fn optional<T>(&mut self, field: &str, wanted: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        self.sheet.value(&self.row, field, wanted, self.problems, parse)
    }

    fn needed<T>(&mut self, field: &str, wanted: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        if self.sheet.cell(&self.row, field).is_empty() {
            self.sheet.problem(&self.row, field, wanted, self.problems);
            return None;
        }
        self.optional(field, wanted, parse)
    }

    fn text(&self, field: &str) -> String {
        self.sheet.cell(&self.row, field).chars().take(80).collect()
    }

    fn place(&mut self, field: &str) -> Option<WarehouseCode> {
        self.optional(field, CODE, |cell| WarehouseCode::new(cell).ok())
    }

    fn code(&mut self, field: &str) -> Option<WarehouseCode> {
        self.needed(field, CODE, |cell| WarehouseCode::new(cell).ok())
    }

    fn sku(&mut self) -> Option<Sku> {
        self.needed("sku", "a SKU of 1 to 80 characters", |cell| Sku::new(cell).ok())
    }

    fn money(&mut self, field: &str, currency: Currency) -> Option<Money> {
        self.optional(field, AMOUNT, amount)
            .map(|amount| Money::new(amount, currency))
    }

    fn currency(&mut self) -> Currency {
        self.optional("currency", "an ISO 4217 code such as CNY", |cell| {
            Currency::new(cell).ok()
        })
        .unwrap_or(Currency::CNY)
    }

    /// An optional place that is named and cannot be read must not become "everywhere".
    fn unreadable(&self, field: &str, read: bool) -> bool {
        !read && !self.sheet.cell(&self.row, field).is_empty()
    }

    fn days(&mut self, field: &str) -> Option<i64> {
        self.optional(field, DAYS, days)
    }
}

/// Reads the files that are there.
pub fn read(files: &BTreeMap<String, Vec<u8>>, problems: &mut Vec<Problem>) -> SupplyFacts {
    let mut facts = SupplyFacts::default();
    for file in FILES {
        let found = super::find(files, file, problems);
        let Some((name, bytes)) = found else { continue };
        let Some(sheet) = Sheet::open(name, bytes, columns(file), problems) else {
            continue;
        };
        for row in sheet.rows() {
            let mut reader = Reader {
                sheet: &sheet,
                row,
                problems,
            };
            // A row that lacks what it needs is listed and left out.
            let _: Option<()> = entry(file, &mut reader, &mut facts);
        }
    }
    facts
}

fn entry(file: &str, row: &mut Reader<'_, '_>, facts: &mut SupplyFacts) -> Option<()> {
    match file {
        "calendar.csv" => facts.closures.push(closure(row)?),
        "deadlines.csv" => {
            let warehouse = row.place("warehouse");
            let (calendar, date) = (named(row, "calendar"), row.needed("date", DATE, date));
            if row.unreadable("warehouse", warehouse.is_some()) {
                return None;
            }
            let (calendar, name) = (calendar?, row.text("name"));
            facts.deadlines.push(ArrivalDeadline {
                name: if name.is_empty() { calendar.clone() } else { name },
                calendar,
                date: date?,
                warehouse,
            });
        }
        "transfers.csv" => facts.transfers.push(transfer(row)?),
        "freight.csv" => {
            let (warehouse, mode) = (row.code("warehouse"), row.needed("mode", MODES, mode));
            let currency = row.currency();
            facts.freight.push(Freight {
                per_unit: row.money("per_unit", currency),
                per_kg: row.money("per_kg", currency),
                forwarder: ForwarderId::new(row.text("forwarder")).ok(),
                warehouse: warehouse?,
                mode: mode?,
            });
        }
        "exams.csv" => {
            let (warehouse, way) = (row.place("warehouse"), row.optional("mode", MODES, mode));
            let (share, p50) = (
                row.needed("share", SHARE, share),
                row.needed("days_p50", DAYS, days),
            );
            let p90 = row.days("days_p90");
            if row.unreadable("warehouse", warehouse.is_some()) || row.unreadable("mode", way.is_some()) {
                return None;
            }
            facts.exams.push(CustomsExam {
                warehouse,
                mode: way,
                share_permille: share?,
                days_p50: p50?,
                days_p90: p90.or(p50)?,
            });
        }
        "terms.csv" => {
            let (sku, warehouse, currency) = (row.sku(), row.place("warehouse"), row.currency());
            if row.unreadable("warehouse", warehouse.is_some()) {
                return None;
            }
            let above_zero = |cell: &str| count(cell).filter(|value| *value > 0);
            facts.items.push(ItemTerms {
                margin: row.money("margin", currency),
                low_stock_fee: row.money("low_stock_fee", currency),
                supply_days_30: row.optional("supply_days_30", AMOUNT, amount),
                supply_days_90: row.optional("supply_days_90", AMOUNT, amount),
                weight_g: row.optional("weight_g", "whole grams above 0", above_zero),
                volume_cm3: row.optional("volume_cm3", "whole cubic centimetres above 0", above_zero),
                pallet_cartons: row.optional("pallet_cartons", "whole cartons above 0", above_zero),
                sku: sku?,
                warehouse,
            });
        }
        "storage.csv" => {
            let (warehouse, from_age) = (row.code("warehouse"), row.needed("from_age", DAYS, whole));
            let (rate, currency) = (row.needed("rate", AMOUNT, amount), row.currency());
            facts.storage.push(StorageTier {
                warehouse: warehouse?,
                from_age: from_age?.max(0),
                rate: rate?,
                currency,
            });
        }
        "stock_lots.csv" => {
            let (warehouse, sku) = (row.code("warehouse"), row.sku());
            let (since, units) = (
                row.optional("since", DATE, date),
                row.needed("units", COUNT, count),
            );
            facts.lots.push(Lot {
                warehouse: warehouse?,
                sku: sku?,
                since,
                units: units?,
            });
        }
        "returns.csv" => {
            let warehouse = row.code("warehouse");
            let sku = row.optional("sku", "a SKU of 1 to 80 characters", |cell| Sku::new(cell).ok());
            let (rate, resold) = (
                row.needed("rate", SHARE, share),
                row.needed("resellable", SHARE, share),
            );
            let (delay, currency) = (row.days("delay_days"), row.currency());
            let destroy_fee = row.money("destroy_fee", currency);
            if row.unreadable("sku", sku.is_some()) {
                return None;
            }
            facts.returns.push(ReturnTerms {
                warehouse: warehouse?,
                sku,
                rate_permille: rate?,
                resellable_permille: resold?,
                delay_days: delay.unwrap_or(0),
                destroy_fee,
            });
        }
        "loss_rates.csv" => {
            let (warehouse, way) = (row.code("warehouse"), row.optional("mode", MODES, mode));
            let lost = row.needed("share", SHARE, ten_thousandths);
            if row.unreadable("mode", way.is_some()) {
                return None;
            }
            facts.losses.push(LossTerms {
                warehouse: warehouse?,
                mode: way,
                lost_per_10000: lost?,
                shipments: 0,
            });
        }
        "capacity.csv" => {
            let warehouse = row.code("warehouse");
            facts.capacity.push(Capacity {
                units: row.optional("units", COUNT, count),
                volume_l: row.optional("volume_l", COUNT, count),
                warehouse: warehouse?,
            });
        }
        "rounding.csv" => {
            let (warehouse, way) = (row.code("warehouse"), row.optional("mode", MODES, mode));
            let to = row.needed("to", "carton, pallet or container", RoundTo::parse);
            if row.unreadable("mode", way.is_some()) {
                return None;
            }
            facts.rounding.push(Rounding {
                warehouse: warehouse?,
                mode: way,
                to: to?,
            });
        }
        "stages.csv" => {
            let (warehouse, way) = (row.code("warehouse"), row.needed("mode", MODES, mode));
            let stage = row.needed("stage", STAGE, Stage::parse);
            let (p50, p90) = (row.needed("p50", DAYS, days), row.days("p90"));
            let (warehouse, way, stage, p50) = (warehouse?, way?, stage?, p50?);
            let times = stage_of(facts, warehouse, way, stage);
            (times.p50, times.p90) = (Some(p50), p90.filter(|late| *late >= p50));
        }
        "passages.csv" => {
            let (warehouse, way) = (row.code("warehouse"), row.needed("mode", MODES, mode));
            let stage = row.needed("stage", STAGE, Stage::parse);
            let (from, to) = (row.needed("from", DATE, date), row.needed("to", DATE, date));
            let (warehouse, way, stage, from, to) = (warehouse?, way?, stage?, from?, to?);
            let seen = Observation { from, to };
            stage_of(facts, warehouse, way, stage).observed.push(seen);
        }
        _ => {
            let reference = named(row, "reference");
            let (stage, since) = (
                row.needed("stage", STAGE, Stage::parse),
                row.needed("since", DATE, date),
            );
            facts.whereabouts.push(Whereabouts {
                reference: reference?,
                stage: stage?,
                since: since?,
            });
        }
    }
    Some(())
}

fn stage_of(facts: &mut SupplyFacts, warehouse: WarehouseCode, mode: Mode, stage: Stage) -> &mut StageTimes {
    let known =
        |known: &StageFacts| known.warehouse == warehouse && known.mode == mode && known.times.stage == stage;
    let place = match facts.stages.iter().position(known) {
        Some(place) => place,
        None => {
            facts.stages.push(StageFacts {
                warehouse,
                mode,
                times: super::ways::stage(stage, None, None),
            });
            facts.stages.len() - 1
        }
    };
    &mut facts.stages[place].times
}

fn named(row: &mut Reader<'_, '_>, field: &str) -> Option<String> {
    row.needed(field, "a name", |cell| {
        (!cell.is_empty()).then(|| cell.chars().take(80).collect())
    })
}

fn closure(row: &mut Reader<'_, '_>) -> Option<Closure> {
    let calendar = named(row, "calendar");
    let (from, to) = (row.needed("from", DATE, date), row.needed("to", DATE, date));
    let stages = row.needed("stages", "stages such as `production quality_check`", |cell| {
        cell.split([' ', ';', '|', ',', '+'])
            .filter(|name| !name.is_empty())
            .map(Stage::parse)
            .collect::<Option<Vec<Stage>>>()
            .filter(|stages| !stages.is_empty())
    });
    let (warehouse, way) = (row.place("warehouse"), row.optional("mode", MODES, mode));
    if row.unreadable("warehouse", warehouse.is_some()) || row.unreadable("mode", way.is_some()) {
        return None;
    }
    let (from, to) = (from?, to?);
    if to < from || (to - from).num_days() > 366 {
        row.sheet.problem(
            &row.row,
            "to",
            "a day from `from` on, within a year",
            row.problems,
        );
        return None;
    }
    Some(Closure {
        calendar: calendar?,
        name: row.text("name"),
        from,
        to,
        stages: stages?,
        warehouse,
        mode: way,
    })
}

fn transfer(row: &mut Reader<'_, '_>) -> Option<TransferWay> {
    let (from, to) = (row.code("from"), row.code("to"));
    let currency = row.currency();
    let (days_p50, days_p90) = (row.days("days_p50"), row.days("days_p90"));
    let way = TransferWay {
        days_p50,
        days_p90: days_p90.filter(|late| days_p50.is_some_and(|median| *late >= median)),
        cost: row.money("cost", currency),
        relay: row.optional("relay", FLAG, flag).unwrap_or(false),
        cartons: row.optional("cartons", FLAG, flag).unwrap_or(false),
        review_days: row.days("review_days"),
        from: from?,
        to: to?,
    };
    if way.from == way.to {
        row.sheet
            .problem(&row.row, "to", "another warehouse than `from`", row.problems);
        return None;
    }
    Some(way)
}
