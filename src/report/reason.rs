//! One sentence why, with the numbers of the line in it.

use rust_decimal::Decimal;

use super::figures;
use crate::order::Mode;
use crate::planner::{AlertLevel, Cause, DataState, PlanLine, Reason};
use crate::wording::{Lang, text};

/// A sentence with more clauses is not read on a phone.
const MAX_CLAUSES: usize = 3;
/// Times what was sold lately.
const FAR_ABOVE: i64 = 3;

pub(super) fn reason_key(reason: Reason) -> &'static str {
    match reason {
        Reason::Due => "mail.reason.due",
        Reason::EnoughCover => "mail.reason.enough_cover",
        Reason::NoRecentSales => "mail.reason.no_recent_sales",
        Reason::NewItem => "mail.reason.new_item",
        Reason::Inactive => "mail.reason.inactive",
        Reason::StockUnknown => "mail.reason.stock_unknown",
        Reason::StockStale => "mail.reason.stock_stale",
        Reason::SalesUnknown => "mail.reason.sales_unknown",
        Reason::SalesStale => "mail.reason.sales_stale",
        Reason::LeadTimeUnknown => "mail.reason.lead_time_unknown",
        Reason::LeadTimeFallback => "mail.reason.lead_time_fallback",
        Reason::CartonUnknown => "mail.reason.carton_unknown",
        Reason::MoqRaised => "mail.reason.moq_raised",
        Reason::BelowMoq => "mail.reason.below_moq",
        Reason::CertainShortage => "mail.reason.certain_shortage",
        Reason::TooLate => "mail.reason.too_late",
        Reason::OverdueInbound => "mail.reason.overdue_inbound",
        Reason::UnknownInbound => "mail.reason.unknown_inbound",
        Reason::NegativeStock => "mail.reason.negative_stock",
        Reason::CodeUnmapped => "mail.reason.code_unmapped",
        Reason::Overstock => "mail.reason.overstock",
        Reason::ObservationDropped => "mail.reason.observation_dropped",
        Reason::CalendarMissing => "mail.reason.calendar_missing",
        Reason::CalendarStops => "mail.reason.calendar_stops",
        Reason::DeadlineFaster => "mail.reason.deadline_faster",
        Reason::DeadlineMissed => "mail.reason.deadline_missed",
        Reason::ModeSplit => "mail.reason.mode_split",
        Reason::TransferFirst => "mail.reason.transfer_first",
        Reason::OrderedUpstream => "mail.reason.ordered_upstream",
        Reason::OverCapacity => "mail.reason.over_capacity",
        Reason::BudgetCut => "mail.reason.budget_cut",
        Reason::ContainerFilled => "mail.reason.container_filled",
        Reason::PalletRounded => "mail.reason.pallet_rounded",
        Reason::PalletUnknown => "mail.reason.pallet_unknown",
    }
}

pub(super) fn level_key(level: Option<AlertLevel>) -> &'static str {
    match level {
        Some(AlertLevel::Critical) => "mail.level.critical",
        Some(AlertLevel::Warning) => "mail.level.warning",
        Some(AlertLevel::Notice) => "mail.level.notice",
        Some(AlertLevel::Overstock) => "mail.level.overstock",
        None => "mail.level.none",
    }
}

pub(super) fn state_key(state: DataState) -> &'static str {
    match state {
        DataState::Complete => "mail.state.complete",
        DataState::Stale => "mail.state.stale",
        DataState::Incomplete => "mail.state.incomplete",
        DataState::Missing => "mail.state.missing",
    }
}

pub(super) fn cause_key(cause: Cause) -> &'static str {
    match cause {
        Cause::Sales => "mail.cause.sales",
        Cause::Stock => "mail.cause.stock",
        Cause::Inbound => "mail.cause.inbound",
        Cause::Parameter => "mail.cause.parameter",
        Cause::Time => "mail.cause.time",
        Cause::NewLine => "mail.cause.new_line",
        Cause::GoneLine => "mail.cause.gone_line",
    }
}

pub(super) fn mode_text(lang: Lang, mode: Option<Mode>) -> String {
    mode.map_or_else(
        || figures::UNKNOWN.to_owned(),
        |mode| text(lang, &format!("mail.mode.{}", mode.code()), &[]),
    )
}

/// The name in the reader's language, or in the other one when there is none.
pub(super) fn name_of(lang: Lang, line: &PlanLine) -> &str {
    let (first, second) = match lang {
        Lang::Zh => (&line.name_zh, &line.name_en),
        Lang::En => (&line.name_en, &line.name_zh),
    };
    if first.is_empty() { second } else { first }
}

/// Main clause first, then what else the reader must know; `said` was told for all lines at once.
pub(super) fn sentence(lang: Lang, line: &PlanLine, as_of: chrono::NaiveDate, said: &[Reason]) -> String {
    let has = |reason| line.reasons.contains(&reason);
    let mut clauses = Vec::new();
    let main = main_clause(lang, line, as_of);
    let told: &[Reason] = match &main {
        Some((clause, told)) => {
            clauses.push(clause.clone());
            told
        }
        None => &[],
    };
    clauses.extend(doubt(lang, line));
    // What the chain does has numbers of its own, and comes before what is only a word.
    for reason in line.reasons.iter().filter(|reason| !told.contains(reason)) {
        clauses.extend(super::chain::clause(lang, line, *reason, as_of));
    }
    for reason in &line.reasons {
        if super::chain::clause(lang, line, *reason, as_of).is_some() {
            continue;
        }
        if told.contains(reason)
            || said.contains(reason)
            || (*reason == Reason::EnoughCover && line.reasons.len() > 1)
        {
            continue;
        }
        if *reason == Reason::OverdueInbound
            && let Some(late) = line.inbound.iter().find(|inbound| inbound.overdue)
        {
            clauses.push(text(
                lang,
                "mail.why.overdue",
                &[
                    ("reference", &late.reference),
                    ("units", &figures::grouped(late.units)),
                ],
            ));
            continue;
        }
        clauses.push(text(lang, reason_key(*reason), &[]));
    }
    if let (Some(need), Some(suggested)) = (line.need_units, line.suggested_units)
        && suggested > 0
        && need != suggested
        && !has(Reason::MoqRaised)
        && !has(Reason::CartonUnknown)
    {
        clauses.push(text(
            lang,
            "mail.why.rounded",
            &[
                ("need", &figures::grouped(need)),
                ("suggested", &figures::grouped(suggested)),
            ],
        ));
    }
    clauses.truncate(MAX_CLAUSES);
    capital(&clauses.join(&text(lang, "mail.clause", &[])))
}

/// A forecast far above everything sold lately (a season, a long history) is for a person to believe or not.
fn doubt(lang: Lang, line: &PlanLine) -> Option<String> {
    line.suggested_units.filter(|units| *units > 0)?;
    let used = line.velocity?;
    let seen = line
        .velocity_7?
        .max(line.velocity_30?)
        .max(line.velocity_90.unwrap_or_default());
    if used < Decimal::ONE || used <= seen.saturating_mul(Decimal::from(FAR_ABOVE)) {
        return None;
    }
    let places = [
        ("used", figures::one_place(Some(used))),
        ("seen", figures::one_place(Some(seen))),
    ];
    Some(fill(lang, "mail.why.doubt", &places))
}

/// A sentence begins with a capital; Chinese has none and stays as it is.
fn capital(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The clause with dates, and the reasons it already tells.
fn main_clause(lang: Lang, line: &PlanLine, as_of: chrono::NaiveDate) -> Option<(String, &'static [Reason])> {
    let due = line.reasons.contains(&Reason::Due);
    let late = line.reasons.contains(&Reason::TooLate);
    let (velocity, order_by) = (line.velocity?, line.order_by);
    let mode = mode_text(lang, line.mode);
    let shown = |date| figures::day(date, as_of);
    match (line.stockout.p50, line.eta) {
        (Some(stockout), Some(eta)) if late => {
            // Not `eta - stockout`: what is already on its way may fill a part of it.
            let gap = line
                .projection
                .iter()
                .filter(|day| day.day >= stockout && day.day < eta && day.mid == 0)
                .count();
            let short = line.reasons.contains(&Reason::CertainShortage);
            let key = match (gap > 0, short) {
                (true, true) => "mail.why.too_late_short",
                (true, false) => "mail.why.too_late_gap",
                (false, _) => "mail.why.too_late",
            };
            let places = [
                ("stockout", shown(stockout)),
                ("mode", mode),
                ("eta", shown(eta)),
                ("gap", gap.to_string()),
            ];
            let told: &[Reason] = if gap > 0 && short {
                &[Reason::TooLate, Reason::Due, Reason::CertainShortage]
            } else {
                &[Reason::TooLate, Reason::Due]
            };
            Some((fill(lang, key, &places), told))
        }
        (Some(stockout), Some(eta)) if due => {
            let places = [
                ("velocity", figures::one_place(Some(velocity))),
                ("stockout", shown(stockout)),
                ("mode", mode),
                ("eta", shown(eta)),
                ("order_by", shown(order_by?)),
            ];
            Some((fill(lang, "mail.why.due", &places), &[Reason::Due]))
        }
        (None, _) if due => {
            let places = [
                ("velocity", figures::one_place(Some(velocity))),
                ("safety", figures::grouped(line.safety_units?)),
                ("order_by", shown(order_by?)),
            ];
            Some((fill(lang, "mail.why.due_safe", &places), &[Reason::Due]))
        }
        _ => None,
    }
}

fn fill(lang: Lang, key: &str, places: &[(&str, String)]) -> String {
    let places: Vec<(&str, &str)> = places
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    text(lang, key, &places)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use rust_decimal::Decimal;

    use super::*;
    use crate::ids::{Sku, WarehouseCode};
    use crate::planner::{Explain, ProjectedDay, StockoutDates};

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 12, day).unwrap()
    }

    fn late_line(empty: &[u32]) -> PlanLine {
        PlanLine {
            warehouse: WarehouseCode::new("goodcang:UKMA").unwrap(),
            sku: Sku::new("A").unwrap(),
            name_zh: "甲".to_owned(),
            name_en: String::new(),
            data: DataState::Complete,
            level: Some(AlertLevel::Critical),
            reasons: vec![Reason::TooLate],
            velocity_7: None,
            velocity_30: None,
            velocity_90: None,
            velocity: Some(Decimal::new(124, 1)),
            out_of_stock_days: 0,
            available: Some(10),
            pending_putaway: None,
            inbound: Vec::new(),
            cover_days: None,
            stockout: StockoutDates {
                p10: None,
                p50: Some(day(3)),
                p90: None,
            },
            order_by: Some(day(1)),
            ship_by: None,
            eta: Some(day(20)),
            mode: Some(Mode::Sea),
            need_units: None,
            suggested_units: None,
            suggested_cartons: None,
            safety_units: None,
            cost: None,
            sales_60: Vec::new(),
            projection: (1..=28)
                .map(|at| ProjectedDay {
                    day: day(at),
                    low: 0,
                    mid: i64::from(!empty.contains(&at)),
                    high: 2,
                    arrivals: 0,
                })
                .collect(),
            explain: Explain::heading("", Vec::new()),
            supply: None,
        }
    }

    #[test]
    fn days_without_stock_are_those_of_the_projection_not_the_time_until_arrival() {
        // Empty on five days, then something that was on its way arrives; day 25 lies after our own arrival.
        let line = late_line(&[3, 4, 5, 6, 7, 25]);
        assert_eq!(
            sentence(Lang::En, &line, day(2), &[]),
            "Stock ends 12-03; even ordered today, sea arrives only 12-20, about 5 days without stock"
        );
    }

    #[test]
    fn a_line_that_lacks_a_number_says_its_reason_instead_of_inventing_one() {
        let mut line = late_line(&[]);
        line.velocity = None;
        line.reasons = vec![Reason::SalesUnknown, Reason::LeadTimeFallback];
        assert_eq!(
            sentence(Lang::Zh, &line, day(2), &[]),
            "销量未知；时效用默认表，自己的历史还不够"
        );
        assert_eq!(name_of(Lang::En, &line), "甲");
    }
}
