//! How goods come to a warehouse: lanes, days of a table, past receipts.

use chrono::{Datelike as _, NaiveDate};

use super::cells::{Row, Sheet, date, whole};
use super::facts::{DATE, DAYS, MODES, days, mode, warehouse};
use super::{Draft, policy::Settings};
use crate::ids::{ForwarderId, WarehouseCode};
use crate::order::Mode;
use crate::planner::{LaneOption, Observation, Stage, StageTimes, WarehouseFacts};
use crate::problem::Problem;

/// Lanes as the files name them, and the receipts of each mode.
#[derive(Debug, Clone, Default)]
pub struct WarehouseDraft {
    lanes: Vec<LaneOption>,
    putaway: Option<(i64, Option<i64>)>,
    receipts: Vec<(Mode, Receipt)>,
}

#[derive(Debug, Clone, Copy)]
struct Receipt {
    ordered: Option<NaiveDate>,
    shipped: NaiveDate,
    received: NaiveDate,
    sellable: Option<NaiveDate>,
}

pub fn stage(stage: Stage, p50: Option<i64>, p90: Option<i64>) -> StageTimes {
    StageTimes {
        stage,
        p50,
        p90,
        observed: Vec::new(),
    }
}

/// Two cells of days. The late one alone, or one before the median, says nothing that could be meant.
pub fn median_and_late(
    sheet: &Sheet,
    row: &Row<'_>,
    (p50, p90): (&str, &str),
    problems: &mut Vec<Problem>,
) -> (Option<i64>, Option<i64>) {
    let median = sheet.value(row, p50, DAYS, problems, days);
    let late = sheet.value(row, p90, DAYS, problems, days);
    match (median, late) {
        (None, Some(_)) if sheet.cell(row, p50).is_empty() => {
            sheet.problem(row, p90, &format!("`{p50}` beside it; not used alone"), problems);
            (None, None)
        }
        (Some(median), Some(late)) if late < median => {
            let wanted = format!("at least `{p50}` ({median}); {median} is used");
            sheet.problem(row, p90, &wanted, problems);
            (Some(median), Some(median))
        }
        both => both,
    }
}

pub fn warehouse_row(sheet: &Sheet, row: &Row<'_>, draft: &mut Draft, problems: &mut Vec<Problem>) {
    let Ok(code) = WarehouseCode::new(sheet.cell(row, "code")) else {
        sheet.problem(row, "code", "a warehouse code of 1 to 80 characters", problems);
        return;
    };
    let mode = sheet
        .value(row, "mode", MODES, problems, mode)
        .unwrap_or(Mode::Sea);
    let (lead_p50, lead_p90) = median_and_late(sheet, row, ("lead_p50", "lead_p90"), problems);
    let (putaway_p50, putaway_p90) = median_and_late(sheet, row, ("putaway_p50", "putaway_p90"), problems);
    let country = sheet.cell(row, "country");
    if !country.is_empty() && !draft.countries.iter().any(|(known, _)| *known == code) {
        let country = country.chars().take(20).collect::<String>().to_uppercase();
        draft.countries.push((code.clone(), country));
    }
    let entry = draft.warehouses.entry(code).or_default();
    if lead_p50.is_some() {
        entry.lanes.push(LaneOption {
            mode,
            forwarder: None,
            service: String::new(),
            priority: 1,
            stages: vec![stage(Stage::Transit, lead_p50, lead_p90)],
        });
    }
    if let Some(p50) = putaway_p50 {
        entry.putaway = Some((p50, putaway_p90));
    }
}

pub fn lane_row(
    sheet: &Sheet,
    row: &Row<'_>,
    default: Option<&WarehouseCode>,
    draft: &mut Draft,
    problems: &mut Vec<Problem>,
) {
    let Some(code) = warehouse(sheet, row, default, problems) else {
        return;
    };
    let mode = sheet.value(row, "mode", MODES, problems, mode);
    let priority = sheet.value(row, "priority", "a whole number", problems, whole);
    let mut stages = Vec::new();
    for (kind, p50, p90) in [
        (Stage::Production, "production_p50", "production_p90"),
        (Stage::Transit, "transit_p50", "transit_p90"),
        (Stage::Putaway, "putaway_p50", "putaway_p90"),
    ] {
        let (p50, p90) = median_and_late(sheet, row, (p50, p90), problems);
        // A lane without transit days is known by its receipts, or not at all.
        if p50.is_some() || kind == Stage::Transit {
            stages.push(stage(kind, p50, p90));
        }
    }
    let entry = draft.warehouses.entry(code).or_default();
    let next = i64::try_from(entry.lanes.len()).unwrap_or(0) + 1;
    entry.lanes.push(LaneOption {
        mode: mode.unwrap_or(Mode::Sea),
        forwarder: ForwarderId::new(sheet.cell(row, "forwarder")).ok(),
        service: sheet.cell(row, "service").to_owned(),
        priority: priority.unwrap_or(next),
        stages,
    });
}

pub fn receipt_row(
    sheet: &Sheet,
    row: &Row<'_>,
    default: Option<&WarehouseCode>,
    as_of: NaiveDate,
    draft: &mut Draft,
    problems: &mut Vec<Problem>,
) {
    let Some(code) = warehouse(sheet, row, default, problems) else {
        return;
    };
    let mode = sheet.value(row, "mode", MODES, problems, mode);
    let ordered = sheet.value(row, "ordered_on", DATE, problems, date);
    let shipped = sheet.value(row, "shipped_on", DATE, problems, date);
    let received = sheet.value(row, "received_on", DATE, problems, date);
    let sellable = sheet.value(row, "sellable_on", DATE, problems, date);
    if sheet.cell(row, "shipped_on").is_empty() {
        sheet.problem(row, "shipped_on", DATE, problems);
    }
    // Without the day of receipt it is still under way.
    let (Some(shipped), Some(received)) = (shipped, received) else {
        return;
    };
    // What was received later is not known yet on the as-of date.
    if received >= as_of || sellable.is_some_and(|day| day >= as_of) {
        return;
    }
    // The learning leaves these out by itself; here they are named.
    for (field, after, from, to) in [
        ("shipped_on", "ordered_on", ordered, Some(shipped)),
        ("received_on", "shipped_on", Some(shipped), Some(received)),
        ("sellable_on", "received_on", Some(received), sellable),
    ] {
        let (Some(from), Some(to)) = (from, to) else {
            continue;
        };
        if from.year() < 2000 {
            sheet.problem(row, after, "a real date; left out of the learning", problems);
        } else if !(0..=400).contains(&(to - from).num_days()) {
            let wanted = format!("0 to 400 days after `{after}` ({from}); left out of the learning");
            sheet.problem(row, field, &wanted, problems);
        }
    }
    draft.warehouses.entry(code).or_default().receipts.push((
        mode.unwrap_or(Mode::Sea),
        Receipt {
            ordered,
            shipped,
            received,
            sellable,
        },
    ));
}

impl WarehouseDraft {
    /// Gives every lane the receipts of its mode; a mode that only receipts know becomes a lane.
    pub fn finish(mut self, warehouse: WarehouseCode, settings: &Settings) -> WarehouseFacts {
        for (mode, _) in &self.receipts {
            if !self.lanes.iter().any(|lane| lane.mode == *mode) {
                self.lanes.push(LaneOption {
                    mode: *mode,
                    forwarder: None,
                    service: String::new(),
                    priority: i64::try_from(self.lanes.len()).unwrap_or(0) + 1,
                    stages: vec![stage(Stage::Transit, settings.lead_p50, settings.lead_p90)],
                });
            }
        }
        if self.lanes.is_empty() && settings.lead_p50.is_some() {
            self.lanes.push(LaneOption {
                mode: Mode::Sea,
                forwarder: None,
                service: String::new(),
                priority: 1,
                stages: vec![stage(Stage::Transit, settings.lead_p50, settings.lead_p90)],
            });
        }
        let mut putaway = self
            .putaway
            .map(|(p50, p90)| stage(Stage::Putaway, Some(p50), p90));
        for (mode, receipt) in &self.receipts {
            for lane in self.lanes.iter_mut().filter(|lane| lane.mode == *mode) {
                see(
                    &mut lane.stages,
                    Stage::Transit,
                    Some(receipt.shipped),
                    Some(receipt.received),
                );
                see(
                    &mut lane.stages,
                    Stage::Production,
                    receipt.ordered,
                    Some(receipt.shipped),
                );
            }
            if let Some(sellable) = receipt.sellable {
                let times = putaway.get_or_insert_with(|| stage(Stage::Putaway, None, None));
                times.observed.push(Observation {
                    from: receipt.received,
                    to: sellable,
                });
            }
        }
        WarehouseFacts {
            warehouse,
            lanes: self.lanes,
            putaway,
        }
    }
}

fn see(stages: &mut Vec<StageTimes>, kind: Stage, from: Option<NaiveDate>, to: Option<NaiveDate>) {
    let (Some(from), Some(to)) = (from, to) else {
        return;
    };
    let index = stages
        .iter()
        .position(|times| times.stage == kind)
        .unwrap_or_else(|| {
            stages.push(stage(kind, None, None));
            stages.len() - 1
        });
    if let Some(times) = stages.get_mut(index) {
        times.observed.push(Observation { from, to });
    }
}
