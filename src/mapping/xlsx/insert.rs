//! Rows pushed into a sheet: everything in the workbook that points below them follows, wherever it stands.

use super::address::Area;
use std::collections::BTreeSet;

use super::edit::{Spot, edited};
use super::formula::{Growth, Insertion, same_sheet};
use super::package::{Edits, Package, PackageError, Relation, each_tag};
use super::part::{NewRows, SheetPart};
use super::plain::root_name;

pub(super) fn insert_rows(
    bytes: &[u8],
    sheet: &str,
    before: u32,
    count: u32,
) -> Result<Vec<u8>, PackageError> {
    let mut edits = Edits::new(Package::open(bytes)?);
    let sheets = edits.package().sheets()?;
    let Some((name, _)) = sheets.iter().find(|(name, _)| same_sheet(name, sheet)) else {
        return Err(PackageError::Part(sheet.to_owned()));
    };
    let insertion = Insertion {
        sheet: name.clone(),
        before,
        count,
    };
    in_the_way(&mut edits, &insertion)?;
    let mut formulas = false;
    for (name, part) in &sheets {
        let Some(xml) = edits.text(part)? else { continue };
        // A tab may hold a chart.
        if root_name(&xml).as_deref() != Some("worksheet") {
            continue;
        }
        let mut parsed = SheetPart::parse(name, part, &xml)?;
        if let Some(what) = parsed.in_the_way(&insertion) {
            let place = format!("sheet {name}, row {before}");
            return Err(PackageError::InTheWay { what, place });
        }
        parsed.inserted(&insertion).map_err(|source| PackageError::Xml {
            part: part.clone(),
            source,
        })?;
        if same_sheet(name, &insertion.sheet) && count > 0 && before > 1 {
            parsed.copy_rows(NewRows {
                model: before - 1,
                of: 1,
                from: before,
                to: before.saturating_add(count - 1),
                head: 0,
                whole: false,
            });
            parsed.inherit_rules(&insertion);
        }
        formulas |= parsed.has_formulas();
        let now = parsed.render();
        edits.set(part, now)?;
    }
    follow(&mut edits, &insertion)?;
    if formulas {
        forget_order_of_calculation(&mut edits)?;
    }
    edits.finish()
}

/// What rows cannot be pushed through: pivot tables on the sheet, and areas that are added up from elsewhere.
pub(super) fn in_the_way(edits: &mut Edits<'_>, insertion: &Insertion) -> Result<(), PackageError> {
    for (name, part) in edits.package().sheets()? {
        let refused = |what: String| PackageError::InTheWay {
            what,
            place: format!("sheet {}, row {}", insertion.sheet, insertion.before),
        };
        let text = edits.text(&part)?.unwrap_or_default();
        if text.contains("<dataRef ") {
            return Err(refused(format!(
                "a consolidation on sheet {name}, whose areas are not followed"
            )));
        }
        for relation in edits.related(&part)? {
            if relation.kind != "pivotTable" || !same_sheet(&name, &insertion.sheet) {
                continue;
            }
            let text = edits.text(&relation.part)?.unwrap_or_default();
            let mut split = None;
            each_tag(&relation.part, &text, |element, found| {
                let area = found.get("ref").and_then(|area| Area::parse(area));
                if element == "location"
                    && let Some(area) = area.filter(|area| insertion.splits(*area))
                {
                    split = Some(area);
                }
            })?;
            if let Some(area) = split {
                return Err(refused(format!("a pivot table in {area}")));
            }
        }
    }
    Ok(())
}

/// Everything outside the sheets that points at rows of the sheet.
pub(super) fn follow(edits: &mut Edits<'_>, insertion: &Insertion) -> Result<(), PackageError> {
    let sheets = edits.package().sheets()?;
    names(edits, insertion, &sheets)?;
    for (name, part) in &sheets {
        let own = same_sheet(name, &insertion.sheet);
        for relation in edits.related(part)? {
            if own {
                beside(edits, insertion, &relation.kind, &relation.part)?;
            }
            pointing(edits, insertion, name, &relation)?;
        }
    }
    for part in charts(edits)? {
        change(edits, &part, &mut |spot| {
            let formula = spot.is_text_of("f");
            formula.then(|| insertion.formula(spot.value, "").into_owned())
        })?;
    }
    for part in caches(edits)? {
        pivot_source(edits, &part, &insertion.sheet, &|area| insertion.area(area))?;
    }
    Ok(())
}

/// A table has grown downwards: lists (Excel's tables), charts and pivot sources that ended with it end with it again.
pub(super) fn follow_growth(edits: &mut Edits<'_>, growth: &Growth) -> Result<(), PackageError> {
    let grown = |mut area: Area| {
        // A list's or a source's titles stand one row above.
        let from = area
            .from
            .row
            .max(growth.first.min(area.from.row.saturating_add(1)));
        area.to.row = growth.grown(from, area.to.row);
        area
    };
    for (name, part) in edits.package().sheets()? {
        if !same_sheet(&name, &growth.sheet) {
            continue;
        }
        for relation in edits.related(&part)? {
            if relation.kind == "table" {
                change(edits, &relation.part, &mut |spot| {
                    let area = (spot.attribute == Some("ref")).then(|| Area::parse(spot.value));
                    area.flatten().map(|area| grown(area).to_string())
                })?;
            }
        }
    }
    for part in charts(edits)? {
        change(edits, &part, &mut |spot| {
            let formula = spot.is_text_of("f");
            formula.then(|| growth.widened(spot.value, "").into_owned())
        })?;
    }
    for part in caches(edits)? {
        pivot_source(edits, &part, &growth.sheet, &|area| Some(grown(area)))?;
    }
    Ok(())
}

/// The charts of all tabs, wherever the workbook keeps them.
fn charts(edits: &mut Edits<'_>) -> Result<BTreeSet<String>, PackageError> {
    let kept = |name: &String| name.starts_with("xl/charts/") && name.ends_with(".xml");
    let mut charts: BTreeSet<String> = edits.names().into_iter().filter(kept).collect();
    for (_, part) in edits.package().sheets()? {
        for drawing in edits.related(&part)? {
            if drawing.kind == "drawing" {
                let of = edits.related(&drawing.part)?.into_iter();
                charts.extend(of.filter(|one| one.kind.starts_with("chart")).map(|one| one.part));
            }
        }
    }
    Ok(charts)
}

fn caches(edits: &mut Edits<'_>) -> Result<Vec<String>, PackageError> {
    let of = edits.related("xl/workbook.xml")?.into_iter();
    let caches = of.filter(|relation| relation.kind == "pivotCacheDefinition");
    Ok(caches.map(|relation| relation.part).collect())
}

/// What on sheet `on` points at rows of the sheet from outside the cells: columns of lists, texts of shapes, controls.
fn pointing(
    edits: &mut Edits<'_>,
    insertion: &Insertion,
    on: &str,
    relation: &Relation,
) -> Result<(), PackageError> {
    let formula = |text: &str| {
        let now = insertion.formula(text, on);
        (now != text).then(|| now.into_owned())
    };
    match relation.kind.as_str() {
        "table" => change(edits, &relation.part, &mut |spot| {
            let own = matches!(spot.element(), "calculatedColumnFormula" | "totalsRowFormula");
            (own && spot.attribute.is_none())
                .then(|| formula(spot.value))
                .flatten()
        }),
        "drawing" => change(edits, &relation.part, &mut |spot| match spot.attribute {
            Some("textlink" | "cellRange") => formula(spot.value),
            _ => None,
        }),
        "ctrlProp" => change(edits, &relation.part, &mut |spot| match spot.attribute {
            Some("fmlaLink" | "fmlaRange" | "fmlaTxbx" | "fmlaGroup") => formula(spot.value),
            _ => None,
        }),
        "vmlDrawing" => change(edits, &relation.part, &mut |spot| match spot.element() {
            "FmlaLink" | "FmlaRange" | "FmlaTxbx" | "FmlaGroup" | "FmlaPict" if spot.attribute.is_none() => {
                formula(spot.value)
            }
            _ => None,
        }),
        _ => Ok(()),
    }
}

type Change<'c> = &'c mut dyn FnMut(&super::edit::Spot<'_>) -> Option<String>;

fn change(edits: &mut Edits<'_>, part: &str, by: Change<'_>) -> Result<(), PackageError> {
    let Some(text) = edits.text(part)? else {
        return Ok(());
    };
    let now = edited(&text, by).map_err(|source| PackageError::Xml {
        part: part.to_owned(),
        source,
    })?;
    edits.set(part, now)
}

/// Defined names, print areas and titles among them.
fn names(
    edits: &mut Edits<'_>,
    insertion: &Insertion,
    sheets: &[(String, String)],
) -> Result<(), PackageError> {
    let own: Vec<&str> = sheets.iter().map(|(name, _)| name.as_str()).collect();
    let mut local = None;
    change(edits, "xl/workbook.xml", &mut |spot| {
        if spot.element() != "definedName" {
            return None;
        }
        if spot.attribute == Some("localSheetId") {
            local = spot.value.parse::<usize>().ok();
        }
        if spot.attribute.is_some() {
            return None;
        }
        let on = local
            .take()
            .and_then(|place| own.get(place))
            .copied()
            .unwrap_or_default();
        let now = insertion.of_name(spot.value, on);
        (now != spot.value).then(|| now.into_owned())
    })
}

/// A part that belongs to the sheet itself.
fn beside(edits: &mut Edits<'_>, insertion: &Insertion, kind: &str, part: &str) -> Result<(), PackageError> {
    let area = |text: &str| {
        let area = insertion.area(Area::parse(text)?)?;
        Some(area.to_string())
    };
    match kind {
        "comments" | "threadedComment" | "table" | "pivotTable" => change(edits, part, &mut |spot| {
            let now = match spot.attribute {
                Some("ref") => area(spot.value)?,
                _ => return None,
            };
            (now != spot.value).then_some(now)
        }),
        "drawing" => {
            let mut anchor = Anchor::default();
            change(edits, part, &mut |spot| anchor.follow(spot, insertion))
        }
        "vmlDrawing" => change(edits, part, &mut |spot| match spot.element() {
            "Row" if spot.attribute.is_none() => from_zero(spot.value, insertion),
            "Anchor" if spot.attribute.is_none() => anchor(spot.value, insertion),
            _ => None,
        }),
        _ => Ok(()),
    }
}

/// An anchor of a drawing, while it is walked through.
#[derive(Default)]
struct Anchor {
    /// `absolute` stays where it is, `oneCell` moves and keeps its size, any other moves and grows with its cells.
    fixed: bool,
    keeps_size: bool,
    moved: u32,
}

impl Anchor {
    fn follow(&mut self, spot: &Spot<'_>, insertion: &Insertion) -> Option<String> {
        if spot.attribute == Some("editAs") {
            self.fixed = spot.value == "absolute";
            self.keeps_size = spot.value == "oneCell";
        }
        if !spot.is_text_of("row") || self.fixed && spot.parent() == "from" {
            return None;
        }
        let row = spot.value.trim().parse::<u32>().ok()?;
        let now = from_zero(spot.value, insertion);
        match spot.parent() {
            "from" => {
                self.moved = now
                    .as_ref()
                    .and_then(|now| now.parse::<u32>().ok())
                    .map_or(0, |now| now - row);
                now
            }
            "to" => {
                let Self {
                    fixed,
                    keeps_size,
                    moved,
                } = std::mem::take(self);
                match (fixed, keeps_size) {
                    (true, _) => None,
                    (_, true) if moved == 0 => None,
                    (_, true) => Some(row.checked_add(moved)?.to_string()),
                    _ => now,
                }
            }
            _ => None,
        }
    }
}

/// A row counted from 0, where it stands now; `None` when it stays.
pub(super) fn from_zero(text: &str, insertion: &Insertion) -> Option<String> {
    let row = text.trim().parse::<u32>().ok()?.checked_add(1)?;
    let now = insertion.row(row)?;
    (now != row).then(|| (now - 1).to_string())
}

/// `column, offset, row, offset, column, offset, row, offset` of a comment's box.
fn anchor(text: &str, insertion: &Insertion) -> Option<String> {
    let mut numbers: Vec<String> = text.split(',').map(|number| number.trim().to_owned()).collect();
    for place in [2, 6] {
        if let Some(number) = numbers.get_mut(place)
            && let Some(now) = from_zero(number, insertion)
        {
            *number = now;
        }
    }
    let now = numbers.join(", ");
    (now != text.trim()).then_some(now)
}

fn pivot_source(
    edits: &mut Edits<'_>,
    part: &str,
    sheet: &str,
    now: &dyn Fn(Area) -> Option<Area>,
) -> Result<(), PackageError> {
    let Some(text) = edits.text(part)? else {
        return Ok(());
    };
    let mut own = false;
    each_tag(part, &text, |name, found| {
        // One with an id is a sheet of another workbook.
        own |= name == "worksheetSource"
            && !found.contains_key("id")
            && found.get("sheet").is_some_and(|source| same_sheet(source, sheet));
    })?;
    if !own {
        return Ok(());
    }
    change(edits, part, &mut |spot| {
        let area = spot
            .is("worksheetSource", "ref")
            .then(|| Area::parse(spot.value))
            .flatten()?;
        now(area).map(|area| area.to_string())
    })
}

/// The chain lists every formula cell: without it Excel builds a new one, with a wrong one it offers a repair.
pub(super) fn forget_order_of_calculation(edits: &mut Edits<'_>) -> Result<(), PackageError> {
    if !edits.has("xl/calcChain.xml") {
        return Ok(());
    }
    edits.remove("xl/calcChain.xml");
    for (part, element) in [
        ("[Content_Types].xml", "<Override "),
        ("xl/_rels/workbook.xml.rels", "<Relationship "),
    ] {
        if let Some(text) = edits.text(part)? {
            edits.set(part, without_element(&text, element, "calcChain.xml"))?;
        }
    }
    Ok(())
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

impl SheetPart<'_> {
    /// Drop-down lists and conditional formats of the row above hold in the new rows too.
    fn inherit_rules(&mut self, insertion: &Insertion) {
        let Some(last) = insertion.before.checked_sub(1) else {
            return;
        };
        self.widen_rules(last, insertion.count);
    }
}
