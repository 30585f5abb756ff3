//! Rows of a sheet part copied, pushed in and widened, with the formulas that point to them.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::escape::escape;

use super::super::address::{Area, At};
use super::super::cell::Want;
use super::super::edit::edited;
use super::super::formula::{Growth, Insertion, copied, moved, same_sheet};
use super::super::insert::from_zero;
use super::{Bound, BoundKind, Cell, Formula, Row, SheetPart, cell, style_attribute};

/// Rows to be made: the `of` rows from `model` on, again and again from `from` to `to`.
#[derive(Debug, Clone, Copy)]
pub struct NewRows {
    pub model: u32,
    pub of: u32,
    pub from: u32,
    pub to: u32,
    /// The table's header: a formula's single cells above it stay where they are.
    pub head: u32,
    /// With formulas and merges, as further rows of a table have them; else with styles and heights only.
    pub whole: bool,
}

pub(super) fn masters(rows: &BTreeMap<u32, Row>) -> BTreeMap<String, (At, String)> {
    let mut masters = BTreeMap::new();
    for (row, cells) in rows {
        for (column, cell) in &cells.cells {
            if let Some(Formula {
                text,
                shared: Some(index),
                ..
            }) = &cell.formula
                && !text.is_empty()
            {
                let at = At {
                    row: *row,
                    column: *column,
                };
                masters.insert(index.clone(), (at, text.clone()));
            }
        }
    }
    masters
}

impl SheetPart<'_> {
    /// New rows with the styles, heights, merges and formulas (moved) of others.
    pub fn copy_rows(&mut self, new: NewRows) {
        let of = new.of.max(1);
        let merges: Vec<Area> = self
            .merges
            .iter()
            .filter(|area| {
                new.whole && area.from.row >= new.model && area.to.row < new.model.saturating_add(of)
            })
            .copied()
            .collect();
        for to in new.from..=new.to {
            let from = new.model.saturating_add((to - new.from) % of);
            self.copy_row(from, to, new);
            for area in merges.iter().filter(|area| area.from.row == from) {
                let down = |at: At| At {
                    row: at.row.saturating_add(to - from),
                    ..at
                };
                self.merge(Area {
                    from: down(area.from),
                    to: down(area.to),
                });
            }
        }
    }

    fn copy_row(&mut self, from: u32, to: u32, new: NewRows) {
        let Some(model) = self.rows.get(&from).cloned() else {
            self.rows.entry(to).or_default().raw = None;
            return;
        };
        let mut cells = BTreeMap::new();
        for (column, old) in &model.cells {
            let at = At {
                row: to,
                column: *column,
            };
            let formula = old.formula.as_ref().filter(|_| new.whole).and_then(|formula| {
                let at = At {
                    row: from,
                    column: *column,
                };
                let text = self.formula_text(formula, at)?;
                Some(copied(&text, i64::from(to) - i64::from(from), 0, new.head))
            });
            let style = style_attribute(old.style.as_deref());
            if new.whole
                && let Some(cell) = array_copied(old, (from, to), new.head)
            {
                cells.insert(*column, cell);
                continue;
            }
            let copied = match formula {
                Some(text) => Cell {
                    xml: format!(r#"<c r="{at}"{style}><f>{}</f></c>"#, escape(&text)),
                    style: old.style.clone(),
                    formula: Some(Formula {
                        text,
                        shared: None,
                        bound: None,
                    }),
                    has_value: false,
                    metadata: None,
                },
                None if old.style.is_some() => cell(at, old.style.clone(), &Want::Empty),
                None => continue,
            };
            cells.insert(*column, copied);
        }
        self.rows.insert(
            to,
            Row {
                raw: None,
                cells,
                ..model
            },
        );
    }

    /// The text of a formula, looked up at its master when it is a follower of a shared one.
    fn formula_text(&self, formula: &Formula, at: At) -> Option<String> {
        if formula.bound.is_some() {
            return None;
        }
        if !formula.text.is_empty() {
            return Some(formula.text.clone());
        }
        let (master, text) = self.masters.get(formula.shared.as_deref()?)?;
        let rows = i64::from(at.row) - i64::from(master.row);
        let columns = i64::from(at.column) - i64::from(master.column);
        Some(moved(text, rows, columns))
    }

    /// Cells become one; what stands in it is in its first.
    pub fn merge(&mut self, area: Area) {
        if area.from != area.to && !self.merges.contains(&area) {
            self.merges.push(area);
            self.added_merges.push(area);
        }
    }

    /// Takes a merge of the workbook's own away, such as one of its example.
    pub fn unmerge(&mut self, area: Area) {
        self.merges.retain(|known| *known != area);
        let added = self.added_merges.len();
        self.added_merges.retain(|known| *known != area);
        if self.added_merges.len() == added {
            self.removed_merges.push(area);
        }
    }

    /// Rows were pushed into a sheet, this one or another: what stands below moves, what points there follows.
    ///
    /// # Errors
    /// When the end of the part is no XML.
    pub fn inserted(&mut self, insertion: &Insertion) -> Result<(), quick_xml::Error> {
        let own = same_sheet(&self.name, &insertion.sheet);
        let name = self.name.clone();
        let moves = |at: At, text: &str| {
            (own && at.row >= insertion.before) || insertion.formula(text, &name) != text
        };
        self.part_shared(&moves, None);
        self.rewrite_formulas(|text| insertion.formula(text, &name).into_owned());
        if own {
            self.push_down(insertion);
        }
        self.masters = masters(&self.rows);
        let area = |text: &str| {
            let areas = text
                .split_whitespace()
                .filter_map(|text| match Area::parse(text) {
                    Some(area) => insertion.area(area).map(|area| area.to_string()),
                    None => Some(text.to_owned()),
                });
            areas.collect::<Vec<_>>().join(" ")
        };
        let tail = edited(&self.tail, &mut |spot| {
            let now = match (spot.element(), spot.attribute) {
                ("formula" | "formula1" | "formula2" | "f", None) => {
                    insertion.formula(spot.value, &name).into_owned()
                }
                // A limit of a colour scale may be a formula.
                ("cfvo", Some("val")) => insertion.formula(spot.value, &name).into_owned(),
                _ if !own => return None,
                ("inputCells" | "cellWatch", Some("r")) => area(spot.value),
                // Controls are anchored like pictures.
                ("row", None) if matches!(spot.parent(), "from" | "to") => {
                    return from_zero(spot.value, insertion);
                }
                ("brk", Some("id")) if spot.parent() == "rowBreaks" => {
                    // A break stands below its row: one before the new rows stays.
                    let row = spot.value.parse::<u32>().ok()?.checked_add(1)?;
                    insertion.row(row)?.checked_sub(1)?.to_string()
                }
                ("sqref", None) => area(spot.value),
                (_, Some("sqref" | "ref")) => area(spot.value),
                _ => return None,
            };
            (now != spot.value).then_some(now)
        })?;
        self.tail = tail.into();
        for list in &mut self.drop_downs {
            list.formula = insertion.formula(&list.formula, &name).into_owned();
            if own {
                list.areas = list
                    .areas
                    .iter()
                    .filter_map(|area| insertion.area(*area))
                    .collect();
            }
        }
        if own {
            let all = |areas: &[Area]| areas.iter().filter_map(|area| insertion.area(*area)).collect();
            self.merges = all(&self.merges);
            self.added_merges = all(&self.added_merges);
            self.removed_merges = all(&self.removed_merges);
        }
        Ok(())
    }

    /// Validations and conditional formats that end with row `last` reach `count` rows further.
    pub fn widen_rules(&mut self, last: u32, count: u32) {
        let widened = edited(&self.tail, &mut |spot| {
            let rule = matches!(spot.element(), "dataValidation" | "conditionalFormatting");
            let own = rule && spot.attribute == Some("sqref");
            (own || spot.is_text_of("sqref")).then(|| {
                let areas = spot.value.split_whitespace().map(|text| match Area::parse(text) {
                    Some(mut area) if area.to.row == last => {
                        area.to.row = area.to.row.saturating_add(count);
                        area.to_string()
                    }
                    _ => text.to_owned(),
                });
                areas.collect::<Vec<_>>().join(" ")
            })
        });
        if let Ok(tail) = widened {
            self.tail = tail.into();
        }
    }

    /// What must stay whole and would be split by the insertion: array formulas and data tables.
    pub fn in_the_way(&self, insertion: &Insertion) -> Option<String> {
        if !same_sheet(&self.name, &insertion.sheet) {
            return None;
        }
        let cells = self.rows.values().flat_map(|row| row.cells.values());
        let mut bounds = cells.filter_map(|cell| cell.formula.as_ref()?.bound);
        let split = bounds.find(|bound| insertion.splits(bound.area));
        split.map(Bound::named)
    }

    /// What ends with a table that has more rows now, and cannot reach further by itself: an array formula or a data table.
    /// One that spills does.
    pub fn left_behind(&self, growth: &Growth) -> Option<String> {
        let cells = self.rows.values().flat_map(|row| row.cells.values());
        let mut bounds = cells.filter_map(|cell| cell.formula.as_ref()?.bound);
        let left = bounds.find(|bound| {
            let (from, to) = (bound.area.from.row, bound.area.to.row);
            bound.kind != BoundKind::Spill && from < to && from >= growth.first && to == growth.last
        });
        left.map(Bound::named)
    }

    /// Shared formulas of which a member will no longer say the same get texts of their own; those of `index` do in
    /// any case.
    pub(super) fn part_shared(&mut self, changes: &dyn Fn(At, &str) -> bool, index: Option<&str>) {
        let mut apart: BTreeSet<String> = index.into_iter().map(str::to_owned).collect();
        let mut texts = BTreeMap::new();
        for (row, cells) in &self.rows {
            for (column, cell) in &cells.cells {
                let at = At {
                    row: *row,
                    column: *column,
                };
                let Some(formula) = &cell.formula else { continue };
                let (Some(index), Some(text)) = (&formula.shared, self.formula_text(formula, at)) else {
                    continue;
                };
                if changes(at, &text) {
                    apart.insert(index.clone());
                }
                texts.insert(at, (index.clone(), text));
            }
        }
        for (at, (index, text)) in texts {
            if !apart.contains(&index) {
                continue;
            }
            let Some(row) = self.rows.get_mut(&at.row) else {
                continue;
            };
            if let Some(cell) = row.cells.get_mut(&at.column)
                && let Some(xml) = with_plain_formula(&cell.xml, &text)
            {
                cell.xml = xml;
                cell.formula = Some(Formula {
                    text,
                    shared: None,
                    bound: None,
                });
                row.raw = None;
            }
        }
    }

    fn push_down(&mut self, insertion: &Insertion) {
        let below = self.rows.split_off(&insertion.before);
        for (no, mut row) in below {
            let Some(now) = insertion.row(no) else { continue };
            for (column, cell) in &mut row.cells {
                let at = At {
                    row: now,
                    column: *column,
                };
                if let Some(xml) = placed(&cell.xml, at, insertion) {
                    cell.xml = xml;
                }
                follow(cell, insertion);
            }
            row.raw = None;
            self.rows.insert(now, row);
        }
        // An array formula above the new rows may reach below them.
        for (no, row) in self.rows.range_mut(..insertion.before) {
            for (column, cell) in &mut row.cells {
                let at = At {
                    row: *no,
                    column: *column,
                };
                let bound = cell
                    .formula
                    .as_ref()
                    .is_some_and(|formula| formula.bound.is_some());
                if bound
                    && let Some(xml) = placed(&cell.xml, at, insertion)
                    && xml != cell.xml
                {
                    cell.xml = xml;
                    row.raw = None;
                }
                follow(cell, insertion);
            }
        }
    }

    /// Gives every formula its new text; a row of which none changed keeps its own bytes.
    fn rewrite_formulas(&mut self, new_text: impl Fn(&str) -> String) {
        for row in self.rows.values_mut() {
            for cell in row.cells.values_mut() {
                let Some(formula) = cell.formula.as_mut() else {
                    continue;
                };
                let text = new_text(&formula.text);
                if text != formula.text
                    && let Some(xml) = with_formula(&cell.xml, &text)
                {
                    cell.xml = xml;
                    formula.text = text;
                    row.raw = None;
                }
            }
        }
    }

    /// The table on a sheet has grown: ranges that ended with it, here or pointing here, end with it again.
    pub fn grow(&mut self, growth: &Growth) {
        let name = self.name.clone();
        self.part_shared(&|_, text| growth.widened(text, &name) != text, None);
        self.rewrite_formulas(|text| growth.widened(text, &name).into_owned());
        if same_sheet(&name, &growth.sheet) {
            for area in self.drop_downs.iter_mut().flat_map(|list| &mut list.areas) {
                area.to.row = growth.grown(area.from.row, area.to.row);
            }
            self.grown.push(growth.clone());
        }
    }
}

/// What is known of an array formula's cells moves with them.
fn follow(cell: &mut Cell, insertion: &Insertion) {
    let bound = cell.formula.as_mut().and_then(|formula| formula.bound.as_mut());
    if let Some(bound) = bound
        && let Some(area) = insertion.area(bound.area)
    {
        bound.area = area;
    }
}

/// The array formula of a single row, for another row: as further rows of a table have it. `None` for anything else.
fn array_copied(old: &Cell, (from, to): (u32, u32), head: u32) -> Option<Cell> {
    let formula = old.formula.as_ref()?;
    let bound = formula.bound?;
    if bound.area.from.row != bound.area.to.row || bound.kind == BoundKind::DataTable {
        return None;
    }
    let text = copied(&formula.text, i64::from(to) - i64::from(from), 0, head);
    let mut area = bound.area;
    (area.from.row, area.to.row) = (to, to);
    let style = style_attribute(old.style.as_deref());
    let metadata = old
        .metadata
        .as_deref()
        .map_or_else(String::new, |cm| format!(" cm=\"{}\"", escape(cm)));
    Some(Cell {
        xml: format!(
            r#"<c r="{}"{style}{metadata}><f t="array" ref="{area}">{}</f></c>"#,
            area.from,
            escape(&text)
        ),
        style: old.style.clone(),
        formula: Some(Formula {
            text,
            shared: None,
            bound: Some(Bound { area, ..bound }),
        }),
        has_value: false,
        metadata: old.metadata.clone(),
    })
}

/// The cell at another place; the range of an array formula moves with it.
fn placed(xml: &str, at: At, insertion: &Insertion) -> Option<String> {
    edited(xml, &mut |spot| {
        if spot.is("c", "r") {
            return Some(at.to_string());
        }
        if spot.is("f", "ref") {
            return insertion
                .area(Area::parse(spot.value)?)
                .map(|area| area.to_string());
        }
        // The cells that a data table puts its values into.
        if spot.is("f", "r1") || spot.is("f", "r2") {
            return insertion.at(At::parse(spot.value)?).map(|at| at.to_string());
        }
        None
    })
    .ok()
}

/// The cell with another formula text; its `<f …>` tag stays as it is.
fn with_formula(xml: &str, formula: &str) -> Option<String> {
    let tag = xml.find("<f")?;
    let from = tag + xml.get(tag..)?.find('>')? + 1;
    let to = from + xml.get(from..)?.find("</f>")?;
    Some(format!(
        "{}{}{}",
        xml.get(..from)?,
        escape(formula),
        xml.get(to..)?
    ))
}

/// The cell with a formula of its own in place of a shared one.
fn with_plain_formula(xml: &str, formula: &str) -> Option<String> {
    let from = ["<f ", "<f>", "<f/>"]
        .iter()
        .filter_map(|tag| xml.find(tag))
        .min()?;
    let tag_end = from + xml.get(from..)?.find('>')? + 1;
    let to = match xml.get(from..tag_end)?.ends_with("/>") {
        true => tag_end,
        false => tag_end + xml.get(tag_end..)?.find("</f>")? + "</f>".len(),
    };
    let (before, after) = (xml.get(..from)?, xml.get(to..)?);
    Some(format!("{before}<f>{}</f>{after}", escape(formula)))
}

/// A formula cell without `<v>…</v>` and without the type of that value; `None` when there was none.
pub(super) fn without_result(xml: &str) -> Option<String> {
    let from = ["<v>", "<v/>", "<v "]
        .iter()
        .filter_map(|tag| xml.find(tag))
        .min()?;
    let tag_end = from + xml.get(from..)?.find('>')? + 1;
    let to = match xml.get(from..tag_end)?.ends_with("/>") {
        true => tag_end,
        false => tag_end + xml.get(tag_end..)?.find("</v>")? + "</v>".len(),
    };
    let (before, rest) = (xml.get(..from)?, xml.get(to..)?);
    let (start, content) = before.split_at_checked(before.find('>')?)?;
    let mut start = start.to_owned();
    if let Some(at) = start.find(" t=\"")
        && let Some(end) = start.get(at + 4..).and_then(|rest| rest.find('"'))
    {
        start.replace_range(at..=at + 4 + end, "");
    }
    Some(format!("{start}{content}{rest}"))
}
