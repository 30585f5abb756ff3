//! Reads the figures of a written document again, and compares them with the model and with other documents.

use rust_decimal::Decimal;

use super::content::Name;
use super::definition::{ReadBack, Take, XmlMapping};
use super::tree::Node;
use crate::mapping::value::Scope;
use crate::order::model::Totals;
use crate::problem::Problem;
use crate::quantity::cubic_metres;

/// What one document says in total. A figure the document does not carry is `None`, and is not compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DocumentTotals {
    pub order: Option<String>,
    pub units: Option<Decimal>,
    pub cartons: Option<Decimal>,
    pub value: Option<Decimal>,
    pub net_kg: Option<Decimal>,
    pub gross_kg: Option<Decimal>,
    pub volume_m3: Option<Decimal>,
}

impl DocumentTotals {
    #[must_use]
    pub fn of_order(order: &str, totals: &Totals) -> Self {
        Self {
            order: Some(order.to_owned()),
            units: Some(Decimal::from(totals.units)),
            cartons: Some(Decimal::from(totals.cartons)),
            value: Some(totals.value),
            net_kg: Some(Decimal::new(totals.net_g, 3)),
            gross_kg: Some(Decimal::new(totals.gross_g, 3)),
            volume_m3: Some(cubic_metres(totals.volume_mm3)),
        }
    }

    /// One problem for every figure that both sides carry and that differs.
    #[must_use]
    pub fn differences(&self, file: &str, wanted: &Self) -> Vec<Problem> {
        let decimals = [
            ("units", self.units, wanted.units),
            ("cartons", self.cartons, wanted.cartons),
            ("value", self.value, wanted.value),
            ("net_kg", self.net_kg, wanted.net_kg),
            ("gross_kg", self.gross_kg, wanted.gross_kg),
            ("volume_m3", self.volume_m3, wanted.volume_m3),
        ];
        let mut problems: Vec<Problem> = decimals
            .into_iter()
            .filter_map(|(field, found, wanted)| Some((field, found?, wanted?)))
            .filter(|(_, found, wanted)| found != wanted)
            .map(|(field, found, wanted)| {
                Problem::new(file, "", field, found.to_string(), wanted.to_string())
            })
            .collect();
        if let (Some(found), Some(wanted)) = (&self.order, &wanted.order)
            && found != wanted
        {
            problems.push(Problem::new(file, "", "order", found, wanted.as_str()));
        }
        problems
    }
}

/// The nodes an entry points at, from the root on.
fn nodes<'a>(mapping: &XmlMapping, entry: &ReadBack, root: &'a Node) -> Vec<&'a Node> {
    let path: Vec<Name> = entry
        .path
        .split('/')
        .map(|step| mapping.expand(step).unwrap_or_default())
        .collect();
    root.all(&path)
}

/// What the document says there; a problem when it says nothing readable.
fn figure(mapping: &XmlMapping, file: &str, entry: &ReadBack, root: &Node) -> Result<String, Problem> {
    let nodes = nodes(mapping, entry, root);
    let wrong = |found: String, wanted: &str| Problem::new(file, &entry.path, &entry.what, found, wanted);
    match entry.take {
        Take::Count => Ok(nodes.len().to_string()),
        Take::Only => match nodes.as_slice() {
            [only] => Ok(only.text.clone()),
            other => Err(wrong(format!("{} of them", other.len()), "exactly one")),
        },
        Take::Sum => {
            let mut sum = Decimal::ZERO;
            for node in nodes {
                let text = node.text.trim();
                let number: Decimal = text.parse().map_err(|_| wrong(text.to_owned(), "a number"))?;
                sum = sum
                    .checked_add(number)
                    .ok_or_else(|| wrong(text.to_owned(), "numbers whose sum can be held"))?;
            }
            Ok(sum.to_string())
        }
        Take::Each => Ok(nodes
            .iter()
            .map(|node| node.text.as_str())
            .collect::<Vec<_>>()
            .join("\u{1f}")),
    }
}

/// The totals of a written or foreign document of this mapping's kind.
///
/// # Errors
/// Figures that are there but unreadable.
pub fn totals(mapping: &XmlMapping, file: &str, root: &Node) -> Result<DocumentTotals, Vec<Problem>> {
    let mut totals = DocumentTotals::default();
    let mut problems = Vec::new();
    for entry in &mapping.read_back {
        let slot = match entry.what.as_str() {
            "order" => {
                match figure(mapping, file, entry, root) {
                    Ok(text) => totals.order = Some(text),
                    Err(problem) => problems.push(problem),
                }
                continue;
            }
            "units" => &mut totals.units,
            "cartons" => &mut totals.cartons,
            "value" => &mut totals.value,
            "net_kg" => &mut totals.net_kg,
            "gross_kg" => &mut totals.gross_kg,
            "volume_m3" => &mut totals.volume_m3,
            _ => continue,
        };
        match figure(mapping, file, entry, root).and_then(|text| {
            text.trim()
                .parse()
                .map_err(|_| Problem::new(file, &entry.path, &entry.what, text, "a number"))
        }) {
            Ok(number) => *slot = Some(number),
            Err(problem) => problems.push(problem),
        }
    }
    match problems.is_empty() {
        true => Ok(totals),
        false => Err(problems),
    }
}

/// Compares every declared figure with the model; an empty list means that the document says what the model says.
#[must_use]
pub fn compare(mapping: &XmlMapping, file: &str, root: &Node, scope: &Scope<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for entry in &mapping.read_back {
        let wanted: Result<String, _> = match &entry.each {
            None => entry.equals.fill(scope).map(Option::unwrap_or_default),
            Some(each) => each.scopes(scope).and_then(|scopes| {
                let texts: Result<Vec<String>, _> = scopes
                    .iter()
                    .map(|scope| entry.equals.fill(scope).map(Option::unwrap_or_default))
                    .collect();
                texts.map(|texts| texts.join("\u{1f}"))
            }),
        };
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(fault) => {
                problems.push(fault.problem(file, &format!("read_back {}", entry.what)));
                continue;
            }
        };
        match figure(mapping, file, entry, root) {
            Ok(found) if same(entry.take, &found, &wanted) => {}
            Ok(found) => {
                let (found, wanted) = match entry.take {
                    Take::Each => first_difference(&found, &wanted),
                    _ => (found, wanted),
                };
                problems.push(Problem::new(file, &entry.path, &entry.what, found, wanted));
            }
            Err(problem) => problems.push(problem),
        }
    }
    problems
}

/// Sums and counts are compared as numbers, texts as they stand.
fn same(take: Take, found: &str, wanted: &str) -> bool {
    match take {
        Take::Only | Take::Each => found == wanted,
        Take::Sum | Take::Count => match (found.parse::<Decimal>(), wanted.parse::<Decimal>()) {
            (Ok(found), Ok(wanted)) => found == wanted,
            _ => false,
        },
    }
}

fn first_difference(found: &str, wanted: &str) -> (String, String) {
    let pairs = found.split('\u{1f}').zip(wanted.split('\u{1f}'));
    match pairs.enumerate().find(|(_, (found, wanted))| found != wanted) {
        Some((index, (found, wanted))) => (found.to_owned(), format!("`{wanted}` at place {}", index + 1)),
        None => {
            let count = |text: &str| text.split('\u{1f}').count();
            (
                format!("{} values", count(found)),
                format!("{} values", count(wanted)),
            )
        }
    }
}
