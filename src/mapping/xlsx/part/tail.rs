//! What stands after the cells: ranges of filters, formats and validations that grow with the table.

use super::super::address::Area;
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

const KEYS: [(&str, &str); 3] = [
    ("<dataValidation ", "sqref=\""),
    ("<conditionalFormatting ", "sqref=\""),
    ("<autoFilter ", "ref=\""),
];

pub(super) fn grown(tail: &str, growths: &[Growth]) -> String {
    let mut out = tail.to_owned();
    for growth in growths {
        for (element, key) in KEYS {
            out = attribute_grown(&out, element, key, growth);
        }
        out = between_grown(&out, "<xm:sqref>", "</xm:sqref>", growth);
    }
    out
}

fn attribute_grown(text: &str, element: &str, key: &str, growth: &Growth) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(element) {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let end = tag.find('>').unwrap_or(tag.len());
        let (tag, after) = tag.split_at(end);
        out.push_str(&between_grown(tag, &format!(" {key}"), "\"", growth));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn between_grown(text: &str, open: &str, close: &str, growth: &Growth) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(open) {
        let (before, after) = rest.split_at(at + open.len());
        out.push_str(before);
        let end = after.find(close).unwrap_or(after.len());
        let (areas, after) = after.split_at(end);
        let areas: Vec<String> = areas
            .split_whitespace()
            .map(|text| match Area::parse(text) {
                Some(mut area) => {
                    // A header's filter begins one row above the table.
                    let from = area.from.row.max(growth.first.min(area.from.row + 1));
                    area.to.row = growth.grown(from, area.to.row);
                    area.to_string()
                }
                None => text.to_owned(),
            })
            .collect();
        out.push_str(&areas.join(" "));
        rest = after;
    }
    out.push_str(rest);
    out
}
