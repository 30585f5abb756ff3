//! What stands after the cells: ranges of filters, formats and validations that grow with the table.

use super::super::address::Area;
use super::super::formula::Growth;

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
