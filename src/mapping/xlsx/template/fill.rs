//! Filling the workbook.

use std::collections::BTreeMap;

use super::super::address::{Area, At, MAX_ROW};
use super::super::book::{Book, Expected};
use super::super::cell::Want;
use super::super::edit::edited;
use super::super::formula::{Growth, Insertion};
use super::super::insert::{follow, follow_growth, forget_order_of_calculation, in_the_way};
use super::super::package::{Edits, Package, PackageError};
use super::super::part::SheetPart;
use super::expected::{Laid, lay_out};
use super::room::Rows;
use super::{SheetSpec, XlsxTemplate, lists, pictures};
use crate::mapping::model::Pictures;
use crate::mapping::value::{Scope, scopes};
use crate::problem::Problem;

type Parts<'x> = BTreeMap<&'x str, SheetPart<'x>>;

impl XlsxTemplate {
    /// # Errors
    /// Everything that is missing or does not fit, all at once.
    pub(crate) fn write(
        &self,
        file: &str,
        scope: &Scope<'_>,
        images: &Pictures,
    ) -> Result<Vec<u8>, Vec<Problem>> {
        let parts = self.parts(&self.bytes).map_err(|problem| vec![problem])?;
        let mut book = Book::open(&self.template, &self.bytes).map_err(|problem| vec![problem])?;
        let mut sheets = Parts::new();
        let mut problems = Vec::new();
        let from_1904 = self
            .counts_from_1904()
            .map_err(|error| vec![self.unreadable(&error)])?;
        for (name, xml) in &parts {
            match SheetPart::parse(name, name, xml) {
                Ok(mut part) => {
                    part.days_from_1904 = from_1904;
                    sheets.insert(name.as_str(), part);
                }
                Err(error) => problems.push(self.unreadable(&error)),
            }
        }
        let mut laid = Vec::new();
        let mut made = Vec::new();
        for spec in &self.sheets {
            let Some(part) = sheets.get(spec.name.as_str()) else {
                continue;
            };
            let rows = spec
                .table
                .as_ref()
                .map(|table| Rows::of(spec, table, part, scope));
            if let (Some(table), Some(rows)) = (&spec.table, &rows)
                && let Some(problem) = rows.refused(&self.template, spec, table)
            {
                problems.push(problem);
                continue;
            }
            match lay_out(file, spec, rows.as_ref(), scope) {
                Ok(found) => {
                    problems.extend(pictures::faults(file, spec, &found.pictures, images));
                    laid.push((spec, found));
                    made.extend(rows.map(|rows| (spec, rows)));
                }
                Err(more) => problems.extend(more),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let growths = self
            .make_rows(&mut sheets, &made)
            .map_err(|problem| vec![problem])?;
        for (spec, found) in &laid {
            if let Some(part) = sheets.get_mut(spec.name.as_str()) {
                clear_samples(spec, part, &made);
                join(spec, part, &found.merges, &made);
                problems.extend(self.outside_lists(spec, part, &found.expected, &mut book));
                problems.extend(self.covered(spec, part, &found.expected));
                let like = spec.table.as_ref().and_then(|table| table.style_row);
                let first = spec.table.as_ref().map_or(MAX_ROW, |table| table.first_row);
                for Expected { at, want, .. } in &found.expected {
                    part.set(*at, want, like.filter(|_| at.row >= first));
                }
                dress_across(spec, part, &found.expected);
                problems.extend(self.hide_unused(file, spec, part, scope));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        self.pack(&parts, &mut sheets, &made, &growths, &laid, images)
            .map_err(|error| vec![self.unreadable(&error)])
    }

    fn counts_from_1904(&self) -> Result<bool, PackageError> {
        Package::open(&self.bytes)?.counts_from_1904()
    }

    /// Rows that the tables lack, with everything that must follow from them on all sheets.
    fn make_rows(&self, sheets: &mut Parts<'_>, made: &[(&SheetSpec, Rows)]) -> Result<Vec<Growth>, Problem> {
        let mut growths = Vec::new();
        for (spec, rows) in made {
            if let Some(insertion) = &rows.insertion {
                self.not_in_the_way(sheets, insertion).map_err(|error| {
                    error.problem(&self.template, "rows", "a workbook (.xlsx) that can be read")
                })?;
                for part in sheets.values_mut() {
                    let inserted = part.inserted(insertion);
                    inserted.map_err(|error| self.unreadable(&error))?;
                }
            }
            if let Some(table) = &spec.table
                && let Some((new, growth)) = rows.growth(spec, table)
                && let Some(part) = sheets.get_mut(spec.name.as_str())
            {
                if let Some(what) = part.left_behind(&growth) {
                    let place = format!("sheet {}, row {}", spec.name, growth.last);
                    let wanted = format!(
                        "a workbook whose formulas reach row {}: {what} ends with the prepared rows and cannot grow",
                        growth.now
                    );
                    return Err(Problem::new(
                        &self.template,
                        place,
                        "rows",
                        growth.now.to_string(),
                        wanted,
                    ));
                }
                part.copy_rows(new);
                growths.push(growth);
            }
        }
        for part in sheets.values_mut() {
            growths.iter().for_each(|growth| part.grow(growth));
        }
        Ok(growths)
    }

    /// Nothing is pushed through an area that must stay whole.
    fn not_in_the_way(&self, sheets: &Parts<'_>, insertion: &Insertion) -> Result<(), PackageError> {
        if let Some(what) = sheets.values().find_map(|part| part.in_the_way(insertion)) {
            let place = format!("sheet {}, row {}", insertion.sheet, insertion.before);
            return Err(PackageError::InTheWay { what, place });
        }
        in_the_way(&mut Edits::new(Package::open(&self.bytes)?), insertion)
    }

    /// Rows of formulas that no element of the order fills would print as zeros.
    fn hide_unused(
        &self,
        file: &str,
        spec: &SheetSpec,
        part: &mut SheetPart<'_>,
        scope: &Scope<'_>,
    ) -> Option<Problem> {
        let derived = spec.derived.as_ref()?;
        let place = format!("sheet {}, row {}", spec.name, derived.last_row);
        let used = match scopes(&derived.each, scope) {
            Ok(all) => u32::try_from(all.len()).unwrap_or(MAX_ROW),
            Err(fault) => return Some(fault.problem(file, &place)),
        };
        let rows = derived.last_row - derived.first_row + 1;
        if used > rows {
            let wanted = format!("at most {rows}: the workbook's formulas reach no further");
            return Some(Problem::new(
                &self.template,
                place,
                "rows",
                used.to_string(),
                wanted,
            ));
        }
        part.hide_rows(derived.first_row + used, derived.last_row);
        None
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

    /// A value in a cell that a merge covers, or in a hidden row, is seen by nobody.
    fn covered(&self, spec: &SheetSpec, part: &SheetPart<'_>, expected: &[Expected]) -> Vec<Problem> {
        let mut by_row: BTreeMap<u32, Vec<Area>> = BTreeMap::new();
        for area in &part.merges {
            for row in area.from.row..=area.to.row.min(part.last_row().max(area.from.row)) {
                by_row.entry(row).or_default().push(*area);
            }
        }
        let bound = part.bound_areas();
        let mut problems = Vec::new();
        for Expected { at, field, want } in expected.iter().filter(|one| one.want != Want::Empty) {
            if let Some((_, what)) = bound.iter().find(|(area, _)| area.contains(*at)) {
                let place = format!("sheet {}, cell {at}", spec.name);
                let wanted = format!("a cell for a value: {what} shows its results there");
                problems.push(Problem::new(&self.template, place, field, want.shown(), wanted));
                continue;
            }
            if part.is_hidden(at.row) {
                let place = format!("sheet {}, cell {at}", spec.name);
                let wanted = format!("a cell that is seen: row {} of the workbook is hidden", at.row);
                problems.push(Problem::new(&self.template, place, field, want.shown(), wanted));
                continue;
            }
            let areas = by_row.get(&at.row).into_iter().flatten();
            let mut cover = areas.filter(|area| area.contains(*at) && area.from != *at);
            if let Some(area) = cover.next() {
                let place = format!("sheet {}, cell {at}", spec.name);
                let wanted = format!("a cell that is seen: this one is covered by the merge {area}");
                problems.push(Problem::new(&self.template, place, field, want.shown(), wanted));
            }
        }
        problems
    }

    /// Only the sheets that changed, and what must follow from new rows, formulas and pictures.
    fn pack(
        &self,
        parts: &BTreeMap<String, String>,
        sheets: &mut Parts<'_>,
        made: &[(&SheetSpec, Rows)],
        growths: &[Growth],
        laid: &[(&SheetSpec, Laid)],
        images: &Pictures,
    ) -> Result<Vec<u8>, PackageError> {
        let mut edits = Edits::new(Package::open(&self.bytes)?);
        let names = edits.package().sheets()?;
        for (spec, found) in laid {
            if let (Some(part), Some((_, path))) = (
                sheets.get_mut(spec.name.as_str()),
                names.iter().find(|(name, _)| *name == spec.name),
            ) {
                pictures::put_wps(&mut edits, part, &found.pictures, images)?;
                pictures::put_drawings(&mut edits, part, path, &found.pictures, images)?;
            }
        }
        let formulas = sheets.values().any(SheetPart::has_formulas);
        for (name, path) in &names {
            if let Some(part) = sheets.get_mut(name.as_str()) {
                part.drop_results();
                let now = part.render();
                if parts.get(name) != Some(&now) {
                    edits.set(path, now)?;
                }
            }
        }
        for (_, rows) in made {
            if let Some(insertion) = &rows.insertion {
                follow(&mut edits, insertion)?;
            }
        }
        for growth in growths {
            follow_growth(&mut edits, growth)?;
        }
        if (formulas || !growths.is_empty())
            && let Some(workbook) = edits.text("xl/workbook.xml")?
        {
            let mut now = match formulas {
                true => calculated_on_load(&workbook),
                false => workbook,
            };
            for growth in growths {
                now = names_grown(&now, growth)?;
            }
            edits.set("xl/workbook.xml", now)?;
        }
        if formulas && !growths.is_empty() {
            forget_order_of_calculation(&mut edits)?;
        }
        edits.finish()
    }
}

/// Examples of the forwarder that the order did not overwrite would be read as goods.
fn clear_samples(spec: &SheetSpec, part: &mut SheetPart<'_>, made: &[(&SheetSpec, Rows)]) {
    let rows = made.iter().find(|(of, _)| of.name == spec.name);
    let (Some(table), Some((_, rows))) = (&spec.table, rows) else {
        return;
    };
    for row in rows.last.saturating_add(1)..table.first_row.saturating_add(table.sample_rows) {
        for column in &table.columns {
            let line = row.saturating_sub(table.first_row) % table.rows_per_item;
            let at = At {
                row,
                column: column.number(),
            };
            if column.row == line + 1 && !part.has_formula(at) {
                part.set(at, &Want::Empty, None);
            }
        }
    }
}

/// Merges of our own in place of those that the example had in the same columns.
fn join(spec: &SheetSpec, part: &mut SheetPart<'_>, merges: &[Area], made: &[(&SheetSpec, Rows)]) {
    let rows = made.iter().find(|(of, _)| of.name == spec.name);
    if let (Some(table), Some((_, rows))) = (&spec.table, rows) {
        let last = rows.last.max(rows.room.last);
        for column in table.columns.iter().filter(|column| column.merge_by.is_some()) {
            let column = column.number();
            let old = part.merges.iter().filter(|area| {
                (area.from.column, area.to.column) == (column, column)
                    && area.from.row >= table.first_row
                    && area.to.row <= last
                    && !merges.contains(area)
            });
            for area in old.copied().collect::<Vec<_>>() {
                part.unmerge(area);
            }
        }
    }
    merges.iter().for_each(|area| part.merge(*area));
}

/// Columns beyond those the forwarder prepared look like the first of them.
fn dress_across(spec: &SheetSpec, part: &mut SheetPart<'_>, expected: &[Expected]) {
    let Some(across) = &spec.across else { return };
    let first = across.column(0);
    for Expected { at, .. } in expected.iter().filter(|one| one.at.column > first) {
        part.style_like(*at, At { column: first, ..*at });
    }
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
fn names_grown(workbook: &str, growth: &Growth) -> Result<String, PackageError> {
    edited(workbook, &mut |spot| {
        let name = spot.is_text_of("definedName");
        name.then(|| growth.widened(spot.value, "").into_owned())
            .filter(|now| now != spot.value)
    })
    .map_err(|source| PackageError::Xml {
        part: "xl/workbook.xml".to_owned(),
        source,
    })
}
