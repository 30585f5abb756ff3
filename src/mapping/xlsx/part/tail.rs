//! What stands after the cells: ranges of filters, formats and validations that grow with the table.

use super::super::address::Area;
use super::super::edit::edited;
use super::super::formula::Growth;

/// What may stand between the cells and the merges: a first merge goes behind the last of them.
const BEFORE_MERGES: [&str; 9] = [
    "sheetCalcPr",
    "sheetProtection",
    "protectedRanges",
    "scenarios",
    "autoFilter",
    "sortState",
    "dataConsolidate",
    "customSheetViews",
    "mergeCells",
];

/// The tail with merges added and taken away.
pub(super) fn merged(tail: &str, added: &[Area], removed: &[Area]) -> String {
    if added.is_empty() && removed.is_empty() {
        return tail.to_owned();
    }
    let mut out = tail.to_owned();
    for area in removed {
        for element in [
            format!("<mergeCell ref=\"{area}\"/>"),
            format!("<mergeCell ref=\"{area}\" />"),
        ] {
            out = out.replace(&element, "");
        }
    }
    let cells: String = added
        .iter()
        .map(|area| format!("<mergeCell ref=\"{area}\"/>"))
        .collect();
    match out.find("</mergeCells>") {
        Some(end) => out.insert_str(end, &cells),
        None if added.is_empty() => {}
        None => {
            let place = BEFORE_MERGES.iter().filter_map(|name| end_of(&out, name)).max();
            out.insert_str(
                place.unwrap_or_default(),
                &format!("<mergeCells>{cells}</mergeCells>"),
            );
        }
    }
    let count = out.matches("<mergeCell ").count();
    if let Some(start) = out.find("<mergeCells")
        && let Some(end) = out.get(start..).and_then(|rest| rest.find('>'))
    {
        match count {
            // An empty list of merges is not allowed.
            0 => {
                let close = out
                    .find("</mergeCells>")
                    .map_or(start + end + 1, |at| at + "</mergeCells>".len());
                out.replace_range(start..close, "");
            }
            _ => out.replace_range(start..=start + end, &format!("<mergeCells count=\"{count}\">")),
        }
    }
    out
}

/// Where an element of the tail ends.
fn end_of(tail: &str, name: &str) -> Option<usize> {
    let close = format!("</{name}>");
    if let Some(at) = tail.find(&close) {
        return Some(at + close.len());
    }
    let mut from = 0;
    let open = format!("<{name}");
    while let Some(at) = tail.get(from..)?.find(&open).map(|at| at + from) {
        let after = at + open.len();
        if tail.get(after..)?.starts_with(['/', ' ', '\n', '\r', '\t']) {
            return Some(at + tail.get(at..)?.find('>')? + 1);
        }
        from = after;
    }
    None
}

/// Validations, conditional formats and filters that ended with the table end with it again.
pub(super) fn grown(tail: &str, growths: &[Growth]) -> String {
    let area = |growth: &Growth, text: &str| match Area::parse(text) {
        Some(mut area) => {
            // A header's filter begins one row above the table.
            let from = area.from.row.max(growth.first.min(area.from.row + 1));
            area.to.row = growth.grown(from, area.to.row);
            area.to_string()
        }
        None => text.to_owned(),
    };
    let mut out = tail.to_owned();
    for growth in growths {
        let now = edited(&out, &mut |spot| {
            let own = match (spot.element(), spot.attribute) {
                ("dataValidation" | "conditionalFormatting", Some("sqref")) => true,
                ("autoFilter", Some("ref")) => true,
                _ => spot.is_text_of("sqref"),
            };
            let areas = spot.value.split_whitespace().map(|text| area(growth, text));
            let now = own.then(|| areas.collect::<Vec<_>>().join(" "));
            now.filter(|now| now != spot.value)
        });
        // The end of a part that is no XML has been refused before.
        out = now.unwrap_or(out);
    }
    out
}
