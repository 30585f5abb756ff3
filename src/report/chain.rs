//! Clauses about the chain behind a line: modes, transfers, deadlines, calendars, with their numbers.

use chrono::NaiveDate;

use super::figures;
use super::reason::mode_text;
use crate::planner::{PlanLine, Reason};
use crate::wording::{Lang, text};

/// The clause of a reason that has numbers of its own; None for all others.
pub(super) fn clause(lang: Lang, line: &PlanLine, reason: Reason, as_of: NaiveDate) -> Option<String> {
    let supply = line.supply.as_ref()?;
    match reason {
        Reason::ModeSplit => {
            let parts: Vec<String> = supply
                .parts
                .iter()
                .map(|part| {
                    let places = [
                        ("mode", mode_text(lang, Some(part.mode))),
                        ("units", figures::grouped(part.units)),
                        ("eta", figures::day(part.eta, as_of)),
                    ];
                    fill(lang, "mail.why.part", &places)
                })
                .collect();
            (!parts.is_empty()).then(|| parts.join(&text(lang, "mail.why.parts_join", &[])))
        }
        Reason::TransferFirst => {
            let transfer = supply.transfers_in.first()?;
            let places = [
                ("from", transfer.from.to_string()),
                ("units", figures::grouped(transfer.units)),
                ("eta", figures::day(transfer.eta, as_of)),
            ];
            Some(fill(lang, "mail.why.transfer", &places))
        }
        Reason::DeadlineFaster | Reason::DeadlineMissed => {
            let deadline = supply.deadline.as_ref()?;
            let key = if reason == Reason::DeadlineFaster {
                "mail.why.deadline_faster"
            } else {
                "mail.why.deadline_missed"
            };
            let places = [
                ("name", deadline.name.clone()),
                ("date", figures::day(deadline.date, as_of)),
                ("mode", mode_text(lang, line.mode)),
            ];
            Some(fill(lang, key, &places))
        }
        Reason::CalendarMissing => {
            let missing = supply.calendar_missing.as_ref()?;
            let places = [
                ("calendar", missing.calendar.clone()),
                ("year", missing.year.to_string()),
            ];
            Some(fill(lang, "mail.why.calendar_missing", &places))
        }
        Reason::CalendarStops => {
            let days = line.explain.units_of("calendar_days")?;
            Some(fill(
                lang,
                "mail.why.calendar_stops",
                &[("days", days.to_string())],
            ))
        }
        Reason::OverCapacity => Some(fill(
            lang,
            "mail.why.over_capacity",
            &[("units", figures::grouped(supply.over_capacity))],
        )),
        _ => None,
    }
}

/// The mode, or the modes with their units where a suggestion is split.
pub(super) fn modes(lang: Lang, line: &PlanLine) -> Option<String> {
    let parts = line.supply.as_ref().map_or(&[][..], |supply| &supply.parts);
    if parts.is_empty() {
        return line.mode.map(|mode| mode_text(lang, Some(mode)));
    }
    let shown: Vec<String> = parts
        .iter()
        .map(|part| {
            format!(
                "{} {}",
                mode_text(lang, Some(part.mode)),
                figures::grouped(part.units)
            )
        })
        .collect();
    Some(shown.join(" + "))
}

/// Whether something moves to this line's warehouse from another one.
pub(super) fn is_supplied(line: &PlanLine) -> bool {
    line.supply
        .as_ref()
        .is_some_and(|supply| !supply.transfers_in.is_empty())
}

fn fill(lang: Lang, key: &str, places: &[(&str, String)]) -> String {
    let places: Vec<(&str, &str)> = places
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    text(lang, key, &places)
}
