//! Rows pushed into a sheet: everything in the workbook that points below them follows, wherever it stands.

use super::address::Area;
use super::edit::edited;
use super::formula::{Insertion, same_sheet};
use super::package::{Edits, Package, PackageError, each_tag};
use super::part::{NewRows, SheetPart};

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
    let mut formulas = false;
    for (name, part) in &sheets {
        let Some(xml) = edits.text(part)? else { continue };
        let mut parsed = SheetPart::parse(name, part, &xml)?;
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

/// Everything outside the sheets that points at rows of the sheet.
pub(super) fn follow(edits: &mut Edits<'_>, insertion: &Insertion) -> Result<(), PackageError> {
    let sheets = edits.package().sheets()?;
    names(edits, insertion, &sheets)?;
    for (name, part) in &sheets {
        for relation in edits.related(part)? {
            if same_sheet(name, &insertion.sheet) {
                beside(edits, insertion, &relation.kind, &relation.part)?;
            }
        }
    }
    for part in edits.names() {
        let chart = part.starts_with("xl/charts/") && part.ends_with(".xml");
        let cache = part.starts_with("xl/pivotCache/pivotCacheDefinition");
        if chart || cache {
            change(edits, &part, &mut |spot| match (spot.element(), spot.attribute) {
                ("f", None) if chart => Some(insertion.formula(spot.value, "").into_owned()),
                _ => None,
            })?;
        }
        if cache {
            pivot_source(edits, &part, insertion)?;
        }
    }
    Ok(())
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
        let now = insertion.formula(spot.value, on);
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
                None if matches!(spot.element(), "calculatedColumnFormula" | "totalsRowFormula") => {
                    insertion.formula(spot.value, &insertion.sheet).into_owned()
                }
                _ => return None,
            };
            (now != spot.value).then_some(now)
        }),
        "drawing" => change(edits, part, &mut |spot| {
            let corner = spot.is_text_of("row") && matches!(spot.parent(), "from" | "to");
            corner.then(|| from_zero(spot.value, insertion)).flatten()
        }),
        "vmlDrawing" => change(edits, part, &mut |spot| match spot.element() {
            "Row" if spot.attribute.is_none() => from_zero(spot.value, insertion),
            "Anchor" if spot.attribute.is_none() => anchor(spot.value, insertion),
            _ => None,
        }),
        _ => Ok(()),
    }
}

/// A row counted from 0, where it stands now; `None` when it stays.
fn from_zero(text: &str, insertion: &Insertion) -> Option<String> {
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

fn pivot_source(edits: &mut Edits<'_>, part: &str, insertion: &Insertion) -> Result<(), PackageError> {
    let Some(text) = edits.text(part)? else {
        return Ok(());
    };
    let mut own = false;
    each_tag(part, &text, |name, found| {
        own |= name == "worksheetSource"
            && found
                .get("sheet")
                .is_some_and(|sheet| same_sheet(sheet, &insertion.sheet));
    })?;
    if !own {
        return Ok(());
    }
    change(edits, part, &mut |spot| {
        let area = spot
            .is("worksheetSource", "ref")
            .then(|| Area::parse(spot.value))
            .flatten()?;
        insertion.area(area).map(|area| area.to_string())
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
