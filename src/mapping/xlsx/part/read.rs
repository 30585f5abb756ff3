//! Rows and cells of a sheet part as they stand.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

use super::super::address::{Area, At};
use super::super::cell::Want;
use super::super::package::attributes;
use super::{Bound, BoundKind, Cell, Formula, Row, cell};

pub(super) fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

pub(super) fn row_number(tag: &BytesStart<'_>, last: u32) -> Result<u32, quick_xml::Error> {
    let found = attributes(tag)?;
    Ok(found
        .get("r")
        .and_then(|text| text.parse().ok())
        .unwrap_or(last.saturating_add(1)))
}

/// A changed row keeps its attributes but for the number and `spans`, a hint that would be wrong now.
pub(super) fn row(tag: &BytesStart<'_>) -> Result<Row, quick_xml::Error> {
    let mut start = String::new();
    for attribute in tag.attributes() {
        let attribute = attribute?;
        let key = attribute.key.as_ref();
        if key != "r" && key != "spans" {
            start.push_str(&format!(" {key}=\"{}\"", attribute.value.replace('"', "&quot;")));
        }
    }
    Ok(Row {
        raw: None,
        attributes: attributes(tag)?,
        start,
        cells: BTreeMap::new(),
    })
}

pub(super) fn read_cells(
    reader: &mut Reader<&[u8]>,
    xml: &str,
    row_no: u32,
    row: &mut Row,
) -> Result<(), quick_xml::Error> {
    let mut column = 0_u32;
    loop {
        let start = position(reader);
        match reader.read_event()? {
            Event::Start(tag) if tag.name().as_ref() == "c" => {
                let found = attributes(&tag)?;
                column = column_of(&found, column);
                let (formula, has_value) = read_content(reader)?;
                let raw = xml.get(start..position(reader)).unwrap_or_default();
                // A cell without a place stands behind the one before: in a row that changes it must name its own.
                let raw = match found.contains_key("r") {
                    true => raw.to_owned(),
                    false => raw.replacen("<c", &format!("<c r=\"{}\"", At { row: row_no, column }), 1),
                };
                row.cells.insert(
                    column,
                    Cell {
                        xml: raw,
                        style: found.get("s").cloned(),
                        formula: formula.map(|formula| spilling(formula, found.contains_key("cm"))),
                        has_value,
                        metadata: found.get("cm").cloned(),
                    },
                );
            }
            Event::Empty(tag) if tag.name().as_ref() == "c" => {
                let found = attributes(&tag)?;
                column = column_of(&found, column);
                let at = At { row: row_no, column };
                row.cells
                    .insert(column, cell(at, found.get("s").cloned(), &Want::Empty));
            }
            Event::End(tag) if tag.name().as_ref() == "row" => return Ok(()),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn column_of(found: &BTreeMap<String, String>, last: u32) -> u32 {
    let named = found.get("r").and_then(|text| At::parse(text));
    named.map_or(last.saturating_add(1), |at| at.column)
}

fn read_content(reader: &mut Reader<&[u8]>) -> Result<(Option<Formula>, bool), quick_xml::Error> {
    let (mut formula, mut has_value, mut in_formula) = (None::<Formula>, false, false);
    loop {
        match reader.read_event()? {
            Event::Start(tag) if tag.name().as_ref() == "f" => {
                formula = Some(formula_head(&tag)?);
                in_formula = true;
            }
            Event::Empty(tag) if tag.name().as_ref() == "f" => formula = Some(formula_head(&tag)?),
            Event::End(tag) if tag.name().as_ref() == "f" => in_formula = false,
            Event::Start(tag) if matches!(tag.name().as_ref(), "v" | "is") => has_value = true,
            Event::Text(text) if in_formula => {
                if let Some(formula) = &mut formula {
                    formula.text.push_str(&unescape(&text)?);
                }
            }
            Event::CData(text) if in_formula => {
                if let Some(formula) = &mut formula {
                    formula.text.push_str(&text);
                }
            }
            Event::GeneralRef(entity) if in_formula => {
                if let Some(formula) = &mut formula {
                    let text = format!("&{};", entity.xml10_content());
                    formula.text.push_str(&unescape(&text)?);
                }
            }
            Event::End(tag) if tag.name().as_ref() == "c" => return Ok((formula, has_value)),
            Event::Eof => return Ok((formula, has_value)),
            _ => {}
        }
    }
}

fn formula_head(tag: &BytesStart<'_>) -> Result<Formula, quick_xml::Error> {
    let found = attributes(tag)?;
    let kind = found.get("t").map(String::as_str);
    Ok(Formula {
        text: String::new(),
        shared: (kind == Some("shared"))
            .then(|| found.get("si").cloned())
            .flatten(),
        bound: found.get("ref").and_then(|area| {
            let kind = match kind {
                Some("array") => BoundKind::Array,
                Some("dataTable") => BoundKind::DataTable,
                _ => return None,
            };
            let area = Area::parse(area)?;
            Some(Bound { area, kind })
        }),
    })
}

/// An array formula whose cell has metadata spills: the only metadata that cells with formulas have.
fn spilling(mut formula: Formula, metadata: bool) -> Formula {
    if let Some(bound) = &mut formula.bound
        && bound.kind == BoundKind::Array
        && metadata
    {
        bound.kind = BoundKind::Spill;
    }
    formula
}

pub(super) fn column_style(found: &BTreeMap<String, String>) -> Option<(u32, u32, String)> {
    let number = |key: &str| found.get(key).and_then(|text| text.parse().ok());
    Some((number("min")?, number("max")?, found.get("style")?.clone()))
}

pub(super) fn column_width(found: &BTreeMap<String, String>) -> Option<(u32, u32, f64)> {
    let number = |key: &str| found.get(key).and_then(|text| text.parse().ok());
    let width = found.get("width")?.parse().ok()?;
    let hidden = found
        .get("hidden")
        .is_some_and(|flag| flag == "1" || flag == "true");
    Some((number("min")?, number("max")?, if hidden { 0.0 } else { width }))
}

pub(super) fn areas(text: &str) -> Vec<Area> {
    text.split_whitespace().filter_map(Area::parse).collect()
}
