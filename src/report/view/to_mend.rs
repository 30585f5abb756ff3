//! The mail's section of what keeps orders from going.

use super::sections::{listed, owned};
use super::{Item, Tone};
use crate::order::gate::Level;
use crate::report::model::{DailyReport, ToMend};
use crate::wording::text;

/// What keeps orders from going: of the reader's own SKUs, and what is about whole orders.
pub(super) fn items(report: &DailyReport<'_>) -> Vec<Item> {
    let own: Vec<&ToMend> = report
        .to_mend
        .iter()
        .filter(|one| one.sku.as_ref().is_none_or(|sku| owned(report, sku)))
        .collect();
    listed(report, &own, |one| {
        let lang = report.lang;
        let finding = &one.finding;
        let found = match finding.problem.found.as_str() {
            "" => String::new(),
            found => format!("({found})"),
        };
        let place = [one.place(), format!("{}{found}", finding.problem.field)];
        let place: Vec<String> = place.into_iter().filter(|part| !part.is_empty()).collect();
        Item {
            title: one.about.clone(),
            place: place.join(" · "),
            detail: finding.wanted(lang).to_owned(),
            remark: text(lang, &format!("gate.level.{}", finding.level.code()), &[]),
            tone: match finding.level {
                Level::Block => Tone::Red,
                Level::Hold => Tone::Amber,
                Level::Warn => Tone::Grey,
            },
        }
    })
}
