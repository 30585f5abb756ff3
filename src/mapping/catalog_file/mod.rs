//! The catalog files: items, codes, warehouses, lanes, certificates. A row with any fault is refused whole, with all its
//! faults; the others load.

mod certificates;
mod items;
mod places;

use std::collections::BTreeMap;

pub use certificates::parse_certificates;
pub use items::parse_items;
pub use places::{parse_lanes, parse_warehouses};

use super::table::{Column, Row, Table, date_from, half_width, int_from};
use crate::catalog::{CodeKind, CodeMapping, Fault};
use crate::ids::{Sku, SourceId};
use crate::money::{Currency, Money};
use crate::problem::{Problem, nearest};

/// Rows that can be taken, each with its place, and what is wrong with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<T> {
    pub file: String,
    pub rows: Vec<Placed<T>>,
    /// Faults of rows that were refused, or of the file.
    pub problems: Vec<Problem>,
    /// Columns that nobody reads. Nothing was refused for them.
    pub warnings: Vec<Problem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    pub place: String,
    pub value: T,
}

impl<T> Parsed<T> {
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().map(|row| &row.value)
    }
}

/// Texts of master data are names and addresses, not essays.
const MAX_TEXT_CHARS: usize = 500;

/// Reads every row by `read`; `key` says what may stand in the file only once.
fn parse<T>(
    table: &Table,
    known: &[Column],
    mut read: impl FnMut(&mut Row<'_>) -> Option<T>,
    key: impl Fn(&T) -> (&'static str, String),
) -> Parsed<T> {
    let mut parsed = Parsed {
        file: table.file().to_owned(),
        rows: Vec::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    let columns = match table.columns(known) {
        Ok(columns) => columns,
        Err(problems) => {
            parsed.problems = problems;
            return parsed;
        }
    };
    parsed.warnings = columns.warnings().to_vec();
    let mut first_at: BTreeMap<String, String> = BTreeMap::new();
    for mut row in columns.rows() {
        for column in known {
            let chars = row.cell(column.name).chars().count();
            if chars > MAX_TEXT_CHARS {
                row.refuse(
                    column.name,
                    format!("at most {MAX_TEXT_CHARS} characters, there are {chars}"),
                );
            }
        }
        let value = read(&mut row);
        if let Some(value) = &value {
            let (field, key) = key(value);
            let place = row.place(field);
            match first_at.get(&key) {
                Some(first) => {
                    row.refuse_found(field, &key, format!("one row each, the first is at {first}"));
                }
                None => {
                    first_at.insert(key, place);
                }
            }
        }
        match value {
            Some(value) if row.problems().is_empty() => parsed.rows.push(Placed {
                place: row.row_place(),
                value,
            }),
            _ => {
                let mut problems = row.into_problems();
                problems.sort_by_key(|problem| known.iter().position(|column| column.name == problem.field));
                parsed.problems.extend(problems);
            }
        }
    }
    parsed
}

/// Adds the faults a record finds in itself, but for fields that could not even be read.
fn refuse_faults(row: &mut Row<'_>, faults: Vec<Fault>) {
    for fault in faults {
        if !row.is_refused(fault.field) {
            row.refuse_found(fault.field, fault.found, fault.wanted);
        }
    }
}

/// A text with an identifier's rules; blank is a fault.
fn required_id<T>(
    row: &mut Row<'_>,
    name: &str,
    new: impl Fn(String) -> Result<T, crate::ids::IdError>,
) -> Option<T> {
    match new(half_width(row.cell(name))) {
        Ok(id) => Some(id),
        Err(error) => {
            row.refuse(name, format!("a value here ({error})"));
            None
        }
    }
}

/// An amount and its currency in two columns; an amount without currency is a fault.
fn money(row: &mut Row<'_>, amount: &str, currency: &str) -> Option<Money> {
    let value = row.decimal(amount);
    let code = row.parsed(currency, "a currency like CNY", |text| {
        match half_width(text).to_uppercase().as_str() {
            // What the trade calls the yuan; `RMB` would pass for a code of its own.
            "RMB" | "人民币" => Some(Currency::CNY),
            other => Currency::new(other).ok(),
        }
    });
    match (value, code) {
        (Some(value), Some(code)) => Some(Money::new(value, code)),
        (Some(_), None) => {
            if !row.is_refused(currency) {
                row.refuse(currency, format!("the currency of `{amount}`, like CNY"));
            }
            None
        }
        (None, _) => None,
    }
}

const CODES: [Column; 8] = [
    Column::required("system"),
    Column::optional("store"),
    Column::required("kind"),
    Column::required("code"),
    Column::required("sku"),
    Column::optional("multiple"),
    Column::optional("valid_from"),
    Column::optional("valid_to"),
];

/// Reads a `codes` file.
#[must_use]
pub fn parse_codes(table: &Table) -> Parsed<CodeMapping> {
    let key = |mapping: &CodeMapping| {
        let from = mapping
            .valid_from
            .map(|from| from.to_string())
            .unwrap_or_default();
        let parts = [
            mapping.system.as_str(),
            &mapping.store,
            mapping.kind.code(),
            &mapping.code,
            mapping.sku.as_str(),
            &from,
        ];
        (
            "code",
            parts
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(" "),
        )
    };
    parse(table, &CODES, read_code, key)
}

fn read_code(row: &mut Row<'_>) -> Option<CodeMapping> {
    let system = required_id(row, "system", SourceId::new);
    let kind = row.required("kind", &kinds_wanted(row.cell("kind")), CodeKind::parse);
    let code = row.required_code("code", "the other system's code");
    let sku = required_id(row, "sku", Sku::new);
    let multiple = row.parsed("multiple", "a whole number above 0", int_from);
    let multiple_given = !row.cell("multiple").is_empty();
    let dates = ["valid_from", "valid_to"]
        .map(|name| row.parsed(name, "a date like 2026-11-22, or nothing", date_from));
    let mapping = CodeMapping {
        system: system?,
        store: row.code("store").unwrap_or_default(),
        kind: kind?,
        code: code?,
        sku: sku?,
        multiple: if multiple_given { multiple? } else { 1 },
        valid_from: dates[0],
        valid_to: dates[1],
    };
    refuse_faults(row, mapping.faults());
    Some(mapping)
}

fn kinds_wanted(found: &str) -> String {
    let names = CodeKind::ALL.map(CodeKind::code);
    let hint = nearest(&found.to_lowercase(), names)
        .map(|name| format!(", perhaps {name}"))
        .unwrap_or_default();
    format!("one of {}{hint}", names.join(", "))
}

#[cfg(test)]
mod tests;
