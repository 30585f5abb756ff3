//! Filling the workbook, and reading it back.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::super::address::{At, MAX_ROW, column_number};
use super::super::book::{Book, Expected, Found, Grid, differences, number_of};
use super::super::cell::{Want, evaluate};
use super::super::formula::Growth;
use super::super::package::Package;
use super::super::part::SheetPart;
use super::{SheetSpec, TableSpec, TotalSpec, XlsxTemplate, lists};
use crate::mapping::value::{Fault, Scope, scopes};
use crate::money::round_cents;
use crate::problem::Problem;

/// The rows of a table on the sheet as the forwarder made it.
#[derive(Debug, Clone, Copy)]
struct Room {
    /// Last prepared row; one before the first when there is none.
    last: u32,
    /// First content below: rows can be added only while there is none.
    below: Option<At>,
}

fn room(table: &TableSpec, part: &SheetPart<'_>) -> Room {
    let columns: Vec<u32> = table.columns.iter().map(|column| column.number()).collect();
    let samples = table.first_row.saturating_add(table.sample_rows);
    let limit = table.last_row.unwrap_or(MAX_ROW);
    let mut last = table.first_row.saturating_sub(1);
    for row in table.first_row..=part.last_row().min(limit) {
        let taken = part.values_in(row).iter().any(|column| columns.contains(column));
        let formula = columns
            .iter()
            .any(|column| part.has_formula(At { row, column: *column }));
        if row >= samples && (taken || formula) {
            break;
        }
        last = row;
    }
    Room {
        last,
        below: part.content_from(last.saturating_add(1)),
    }
}

impl XlsxTemplate {
    /// # Errors
    /// Everything that is missing or does not fit, all at once.
    pub(crate) fn write(&self, file: &str, scope: &Scope<'_>) -> Result<Vec<u8>, Vec<Problem>> {
        let parts = self.parts(&self.bytes).map_err(|problem| vec![problem])?;
        let mut book = Book::open(&self.template, &self.bytes).map_err(|problem| vec![problem])?;
        let mut sheets = BTreeMap::new();
        let mut problems = Vec::new();
        for (name, xml) in &parts {
            match SheetPart::parse(name, name, xml) {
                Ok(part) => {
                    sheets.insert(name.as_str(), part);
                }
                Err(error) => problems.push(self.unreadable(&error)),
            }
        }
        let mut growths = Vec::new();
        for spec in &self.sheets {
            let Some(part) = sheets.get_mut(spec.name.as_str()) else {
                continue;
            };
            match expected(file, spec, scope) {
                Ok(expected) => {
                    problems.extend(self.outside_lists(spec, part, &expected, &mut book));
                    growths.extend(self.fill(spec, part, &expected, scope, &mut problems));
                }
                Err(more) => problems.extend(more),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let formulas = sheets.values().any(SheetPart::has_formulas);
        for part in sheets.values_mut() {
            growths.iter().for_each(|growth| part.grow(growth));
            part.drop_results();
        }
        let rendered = sheets
            .iter()
            .map(|(name, part)| ((*name).to_owned(), part.render()));
        let rendered: BTreeMap<String, String> = rendered
            .filter(|(name, xml)| parts.get(name) != Some(xml))
            .collect();
        self.pack(&rendered, formulas, &growths)
            .map_err(|error| vec![self.unreadable(&error)])
    }

    /// Writes the values of one sheet; gives the growth of its table when rows were added.
    fn fill(
        &self,
        spec: &SheetSpec,
        part: &mut SheetPart<'_>,
        expected: &[Expected],
        scope: &Scope<'_>,
        problems: &mut Vec<Problem>,
    ) -> Option<Growth> {
        let mut growth = None;
        if let Some(table) = &spec.table {
            let room = room(table, part);
            let rows = rows(table, scope);
            let last = table.first_row.saturating_add(rows).saturating_sub(1);
            if last > room.last {
                if let Some(below) = room.below {
                    let held = room.last.saturating_sub(table.first_row).saturating_add(1);
                    let wanted = format!(
                        "at most {held} rows: the table ends at row {}, and cell {below} below it is used",
                        room.last
                    );
                    let place = format!("sheet {}, row {}", spec.name, room.last.saturating_add(1));
                    problems.push(Problem::new(
                        &self.template,
                        place,
                        "rows",
                        rows.to_string(),
                        wanted,
                    ));
                    return None;
                }
                let model = table.style_row.unwrap_or(room.last);
                for row in room.last.saturating_add(1)..=last {
                    part.copy_row(model, row);
                }
                growth = Some(Growth {
                    sheet: spec.name.clone(),
                    first: table.first_row,
                    last: room.last,
                    now: last,
                });
            }
            // Examples of the forwarder that the order did not overwrite would be read as goods.
            for row in last.saturating_add(1)..table.first_row.saturating_add(table.sample_rows) {
                for column in &table.columns {
                    let at = At {
                        row,
                        column: column.number(),
                    };
                    part.set(at, &Want::Empty, None);
                }
            }
        }
        let like = spec.table.as_ref().and_then(|table| table.style_row);
        let first = spec.table.as_ref().map_or(MAX_ROW, |table| table.first_row);
        for Expected { at, want, .. } in expected {
            part.set(*at, want, like.filter(|_| at.row >= first));
        }
        growth
    }

    fn outside_lists(
        &self,
        spec: &SheetSpec,
        part: &SheetPart<'_>,
        expected: &[Expected],
        book: &mut Book,
    ) -> Vec<Problem> {
        let mut problems = Vec::new();
        for list in part.drop_downs.iter().filter(|list| list.strict) {
            let concerned = |one: &&Expected| {
                one.want != Want::Empty && list.areas.iter().any(|area| area.contains(one.at))
            };
            let concerned: Vec<&Expected> = expected.iter().filter(concerned).collect();
            if concerned.is_empty() {
                continue;
            }
            let Some(values) = lists::values(list, &spec.name, book) else {
                continue;
            };
            for Expected { at, field, want } in concerned {
                if !values.contains(&want.shown()) {
                    let mut wanted = values.join(", ");
                    if wanted.chars().count() > 300 {
                        wanted = wanted.chars().take(300).chain(['…']).collect();
                    }
                    let place = format!("sheet {}, cell {at}", spec.name);
                    let wanted = format!("one of the workbook's list: {wanted}");
                    problems.push(Problem::new(&self.template, place, field, want.shown(), wanted));
                }
            }
        }
        problems
    }

    /// Only the sheets that changed, and what must follow from new formulas.
    fn pack(
        &self,
        rendered: &BTreeMap<String, String>,
        formulas: bool,
        growths: &[Growth],
    ) -> Result<Vec<u8>, super::super::package::PackageError> {
        let mut package = Package::open(&self.bytes)?;
        let mut changes = BTreeMap::new();
        for (name, part) in package.sheets()? {
            if let Some(xml) = rendered.get(&name) {
                changes.insert(part, Some(xml.clone()));
            }
        }
        if formulas {
            let workbook = package.text("xl/workbook.xml")?;
            let mut changed = calculated_on_load(&workbook);
            for growth in growths {
                changed = names_grown(&changed, growth);
            }
            changes.insert("xl/workbook.xml".to_owned(), Some(changed));
        }
        // The chain lists every formula cell; without it Excel builds a new one, with a wrong one it offers a repair.
        if formulas && !growths.is_empty() && package.has("xl/calcChain.xml") {
            changes.insert("xl/calcChain.xml".to_owned(), None);
            for (part, element) in [
                ("[Content_Types].xml", "<Override "),
                ("xl/_rels/workbook.xml.rels", "<Relationship "),
            ] {
                let text = package.text(part)?;
                changes.insert(
                    part.to_owned(),
                    Some(without_element(&text, element, "calcChain.xml")),
                );
            }
        }
        package.with(&changes)
    }

    /// Reads the file with another program's eyes and compares every value and total.
    pub(crate) fn check(&self, name: &str, bytes: &[u8], scope: &Scope<'_>) -> Vec<Problem> {
        let mut book = match Book::open(name, bytes) {
            Ok(book) => book,
            Err(problem) => return vec![problem],
        };
        let parts = match self.parts(&self.bytes) {
            Ok(parts) => parts,
            Err(problem) => return vec![problem],
        };
        let mut problems = Vec::new();
        for spec in &self.sheets {
            let grid = match book.grid(&spec.name) {
                Ok(grid) => grid,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let moved = spec.moved_headers(name, &grid);
            if !moved.is_empty() {
                problems.extend(moved);
                continue;
            }
            match expected(name, spec, scope) {
                Ok(expected) => problems.extend(differences(name, &spec.name, &grid, &expected)),
                Err(more) => problems.extend(more),
            }
            let part = parts
                .get(&spec.name)
                .map(|xml| SheetPart::parse(&spec.name, &spec.name, xml));
            if let (Some(table), Some(Ok(part))) = (&spec.table, &part) {
                problems.extend(added_rows(name, spec, table, room(table, part), &grid, scope));
                problems.extend(wrong_totals(name, spec, table, &grid, scope));
            }
        }
        problems
    }
}

fn rows(table: &TableSpec, scope: &Scope<'_>) -> u32 {
    scopes(&table.each, scope).map_or(0, |all| u32::try_from(all.len()).unwrap_or(MAX_ROW))
}

/// Every cell of a sheet with its value, or every fault.
fn expected(file: &str, spec: &SheetSpec, scope: &Scope<'_>) -> Result<Vec<Expected>, Vec<Problem>> {
    let (mut expected, mut problems) = (Vec::new(), Vec::<Problem>::new());
    let mut known = BTreeSet::new();
    let mut take = |at: At, row_name: &str, field: String, want: Result<Want, Fault>| match want {
        Ok(want) => expected.push(Expected { at, field, want }),
        Err(fault) => {
            let place = format!("sheet {}, cell {at}{row_name}", spec.name);
            let field = format!("{field}: {}", fault.path);
            // The same gap of the same goods is named once, not for every carton they are in.
            let seen = (field.clone(), row_name.to_owned(), fault.found.clone());
            if row_name.is_empty() || known.insert(seen) {
                problems.push(Problem::new(file, place, field, fault.found, fault.wanted));
            }
        }
    };
    for cell in &spec.cells {
        let want = evaluate(&cell.value, cell.kind, cell.required, None, scope);
        take(cell.at, "", cell.field(), want);
    }
    if let Some(table) = &spec.table {
        let rows = scopes(&table.each, scope).map_err(|fault| vec![fault.problem(file, &spec.name)])?;
        for (row, inner) in (table.first_row..=MAX_ROW).zip(rows) {
            let name = table
                .row_name
                .as_ref()
                .and_then(|name| name.fill(&inner).ok().flatten());
            let name = name.map_or_else(String::new, |name| format!(" ({name})"));
            for column in &table.columns {
                let at = At {
                    row,
                    column: column.number(),
                };
                let want = evaluate(
                    &column.value,
                    column.kind,
                    column.required,
                    column.when.as_ref(),
                    &inner,
                );
                take(at, &name, column.field(), want);
            }
        }
    }
    match problems.is_empty() {
        true => Ok(expected),
        false => Err(problems),
    }
}

/// Rows that a person added below ours.
fn added_rows(
    file: &str,
    spec: &SheetSpec,
    table: &TableSpec,
    room: Room,
    grid: &Grid,
    scope: &Scope<'_>,
) -> Vec<Problem> {
    let last = table
        .first_row
        .saturating_add(rows(table, scope))
        .saturating_sub(1);
    let end = room.below.map_or(MAX_ROW, |_| room.last);
    let key = column_number(&table.key).unwrap_or_default();
    let added = grid
        .cells
        .iter()
        .filter(|(at, _)| at.column == key && at.row > last && at.row <= end);
    added
        .map(|(at, found)| {
            let place = format!("sheet {}, cell {at}", spec.name);
            let wanted = format!("nothing below row {last}, the order's last");
            Problem::new(file, place, "row", found.shown(), wanted)
        })
        .collect()
}

fn wrong_totals(
    file: &str,
    spec: &SheetSpec,
    table: &TableSpec,
    grid: &Grid,
    scope: &Scope<'_>,
) -> Vec<Problem> {
    let last = table
        .first_row
        .saturating_add(rows(table, scope))
        .saturating_sub(1);
    let mut problems = Vec::new();
    for check in &table.checks {
        let wanted = match check.total.fill(scope) {
            Ok(wanted) => wanted
                .and_then(|text| text.parse::<Decimal>().ok())
                .unwrap_or_default(),
            Err(fault) => {
                problems.push(fault.problem(file, &spec.name));
                continue;
            }
        };
        let found = added_up(check, grid, table.first_row, last);
        if found != Some(wanted) {
            let place = format!("sheet {}, column {}", spec.name, check.sum);
            let shown = found.map_or_else(|| "a number too large".to_owned(), |sum| sum.to_string());
            problems.push(Problem::new(
                file,
                place,
                check.total.source(),
                shown,
                wanted.to_string(),
            ));
        }
    }
    problems
}

/// `None` when the numbers do not fit.
fn added_up(check: &TotalSpec, grid: &Grid, first: u32, last: u32) -> Option<Decimal> {
    let number = |row: u32, letters: &str| -> Decimal {
        let column = column_number(letters.trim()).unwrap_or_default();
        match grid.cells.get(&At { row, column }) {
            Some(Found::Number(number)) => *number,
            Some(Found::Text(text)) => number_of(text).unwrap_or_default(),
            _ => Decimal::ZERO,
        }
    };
    let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
    for row in first..=last {
        let mut product = Decimal::ONE;
        for letters in check.sum.split('*') {
            product = product.checked_mul(number(row, letters))?;
        }
        let by = check
            .by
            .as_deref()
            .and_then(column_number)
            .map(|column| At { row, column });
        let by = by.and_then(|at| grid.cells.get(&at)).map(Found::shown);
        let sum = sums.entry(by.unwrap_or_default()).or_default();
        *sum = sum.checked_add(product)?;
    }
    let rounded = sums.into_values().map(|sum| match check.by {
        Some(_) => round_cents(sum),
        None => sum,
    });
    rounded.into_iter().try_fold(Decimal::ZERO, Decimal::checked_add)
}

/// `<calcPr … fullCalcOnLoad="1"/>`.
fn calculated_on_load(workbook: &str) -> String {
    const FLAG: &str = " fullCalcOnLoad=\"1\"";
    if workbook.contains("fullCalcOnLoad=\"1\"") {
        return workbook.to_owned();
    }
    match workbook.find("<calcPr") {
        Some(at) => {
            let mut text = workbook.replace("fullCalcOnLoad=\"0\"", "");
            text.insert_str(at + "<calcPr".len(), FLAG);
            text
        }
        // calcPr stands after sheets, functionGroups, externalReferences and definedNames.
        None => {
            let after = [
                "</definedNames>",
                "</externalReferences>",
                "</functionGroups>",
                "</sheets>",
            ];
            let place = after
                .iter()
                .find_map(|tag| workbook.find(tag).map(|at| at + tag.len()));
            let mut text = workbook.to_owned();
            if let Some(place) = place {
                text.insert_str(place, &format!("<calcPr{FLAG}/>"));
            }
            text
        }
    }
}

/// Print areas and other names over the table grow with it.
fn names_grown(workbook: &str, growth: &Growth) -> String {
    let mut out = String::with_capacity(workbook.len());
    let mut rest = workbook;
    while let Some(at) = rest.find("<definedName ") {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let Some((start, end)) = tag.find('>').zip(tag.find("</definedName>")) else {
            rest = tag;
            break;
        };
        let (head, after) = tag.split_at(end);
        let (head, formula) = head.split_at(start + 1);
        out.push_str(head);
        out.push_str(&growth.widened(formula, ""));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn without_element(text: &str, element: &str, holding: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(element) {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let end = tag.find("/>").map_or(tag.len(), |end| end + 2);
        let (tag, after) = tag.split_at(end);
        if !tag.contains(holding) {
            out.push_str(tag);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}
