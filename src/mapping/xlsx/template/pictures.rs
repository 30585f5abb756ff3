//! Pictures in cells: on the sheet's drawing, anchored to the cell and no larger than it, or inside the cell as WPS
//! keeps them.

use std::collections::BTreeMap;

use super::super::address::At;
use super::super::edit::edited;
use super::super::image::{MAX_PICTURE_BYTES, Picture};
use super::super::package::{Edits, Package, PackageError, each_tag, rels_of};
use super::super::part::SheetPart;
use super::expected::PictureAt;
use super::{PictureKind, SheetSpec};
use crate::digest::sha256_hex;
use crate::mapping::model::Pictures;
use crate::problem::Problem;

const XDR: &str = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing";
const A: &str = "http://schemas.openxmlformats.org/drawingml/2006/main";
const R: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const RELS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const DRAWING_TYPE: &str = "application/vnd.openxmlformats-officedocument.drawing+xml";
const WPS_PART: &str = "xl/cellimages.xml";
const WPS_TYPE: &str = "application/vnd.wps-officedocument.cellimage+xml";
const WPS_RELATION: &str = "http://www.wps.cn/officeDocument/2020/cellImage";
/// White space around a picture, in the unit of drawings (1/914,400 inch).
const MARGIN: i64 = 19_050;

/// Pictures that are named and cannot be put in. One that is not there leaves its cell empty unless it is required.
pub(super) fn faults(file: &str, spec: &SheetSpec, named: &[PictureAt], images: &Pictures) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for PictureAt {
        at,
        key,
        field,
        required,
        ..
    } in named
    {
        let wanted = match images.get(key) {
            Some(bytes) if Picture::of(bytes).is_some() => continue,
            Some(_) => format!("a PNG or JPEG of at most {MAX_PICTURE_BYTES} bytes"),
            None if !required => continue,
            None => "a picture that is there".to_owned(),
        };
        if problems.iter().all(|known| known.found != *key) {
            let place = format!("sheet {}, cell {at}", spec.name);
            problems.push(Problem::new(file, place, field, key, wanted));
        }
    }
    problems
}

pub(super) fn put_drawings(
    edits: &mut Edits<'_>,
    part: &mut SheetPart<'_>,
    path: &str,
    named: &[PictureAt],
    images: &Pictures,
) -> Result<(), PackageError> {
    let wanted = named.iter().filter(|one| one.kind == PictureKind::Drawing);
    let wanted: Vec<(&PictureAt, &[u8], Picture)> = wanted
        .filter_map(|one| {
            let bytes = images.get(&one.key)?;
            Some((one, bytes.as_slice(), Picture::of(bytes)?))
        })
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let known = edits
        .related(path)?
        .into_iter()
        .find(|relation| relation.kind == "drawing");
    let drawing = match known {
        Some(relation) => relation.part,
        None => {
            let drawing = free_name(edits, "xl/drawings/drawing", ".xml");
            edits.set(
                &drawing,
                format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<xdr:wsDr xmlns:xdr=\"{XDR}\" xmlns:a=\"{A}\"></xdr:wsDr>"),
            )?;
            typed(edits, &drawing, DRAWING_TYPE)?;
            let id = relate(edits, path, &format!("{R}/drawing"), &format!("/{drawing}"))?;
            part.refer_to_drawing(&format!("<drawing xmlns:r=\"{R}\" r:id=\"{id}\"/>"));
            drawing
        }
    };
    let text = edits.text(&drawing)?.unwrap_or_default();
    let mut next = 1_u32;
    each_tag(&drawing, &text, |name, found| {
        if name == "cNvPr"
            && let Some(id) = found.get("id").and_then(|id| id.parse::<u32>().ok())
        {
            next = next.max(id.saturating_add(1));
        }
    })?;
    let mut ids = BTreeMap::new();
    let mut anchors = String::new();
    for (one, bytes, picture) in wanted {
        let media = media(edits, bytes, picture)?;
        let id = match ids.get(&media) {
            Some(id) => String::clone(id),
            None => {
                let id = relate(edits, &drawing, &format!("{R}/image"), &format!("/{media}"))?;
                ids.insert(media, id.clone());
                id
            }
        };
        anchors.push_str(&anchor(one.at, next, &id, picture, part.cell_size(one.at)));
        next = next.saturating_add(1);
    }
    // The drawing may be empty and closed at once, or use any prefix: ours brings its own.
    let now = match text.rfind("</") {
        Some(end) => {
            let (before, after) = text.split_at(end);
            format!("{before}{anchors}{after}")
        }
        None => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<xdr:wsDr xmlns:xdr=\"{XDR}\" xmlns:a=\"{A}\">{anchors}</xdr:wsDr>"
        ),
    };
    edits.set(&drawing, now)
}

fn anchor(at: At, id: u32, relation: &str, picture: Picture, (width, height): (i64, i64)) -> String {
    let (inside_width, inside_height) = ((width - 2 * MARGIN).max(1), (height - 2 * MARGIN).max(1));
    let (cx, cy) = picture.inside(inside_width, inside_height);
    let (left, top) = ((width - cx).max(0) / 2, (height - cy).max(0) / 2);
    format!(
        "<xdr:oneCellAnchor xmlns:xdr=\"{XDR}\" xmlns:a=\"{A}\" xmlns:r=\"{R}\">\
         <xdr:from><xdr:col>{}</xdr:col><xdr:colOff>{left}</xdr:colOff><xdr:row>{}</xdr:row><xdr:rowOff>{top}</xdr:rowOff></xdr:from>\
         <xdr:ext cx=\"{cx}\" cy=\"{cy}\"/>\
         <xdr:pic><xdr:nvPicPr><xdr:cNvPr id=\"{id}\" name=\"Picture {id}\"/><xdr:cNvPicPr><a:picLocks noChangeAspect=\"1\"/></xdr:cNvPicPr></xdr:nvPicPr>\
         <xdr:blipFill><a:blip r:embed=\"{relation}\"/><a:stretch><a:fillRect/></a:stretch></xdr:blipFill>\
         <xdr:spPr><a:xfrm><a:off x=\"0\" y=\"0\"/><a:ext cx=\"{cx}\" cy=\"{cy}\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom></xdr:spPr></xdr:pic>\
         <xdr:clientData/></xdr:oneCellAnchor>",
        at.column.saturating_sub(1),
        at.row.saturating_sub(1),
    )
}

pub(super) fn put_wps(
    edits: &mut Edits<'_>,
    part: &mut SheetPart<'_>,
    named: &[PictureAt],
    images: &Pictures,
) -> Result<(), PackageError> {
    for one in named.iter().filter(|one| one.kind == PictureKind::Wps) {
        let Some(bytes) = images.get(&one.key) else {
            continue;
        };
        let Some(picture) = Picture::of(bytes) else {
            continue;
        };
        let name = wps_name(bytes);
        part.set_formula(one.at, &format!("_xlfn.DISPIMG(\"{name}\",1)"));
        let text = match edits.text(WPS_PART)? {
            Some(text) => text,
            None => {
                typed(edits, WPS_PART, WPS_TYPE)?;
                relate(edits, "xl/workbook.xml", WPS_RELATION, "cellimages.xml")?;
                format!(
                    "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<etc:cellImages xmlns:xdr=\"{XDR}\" xmlns:r=\"{R}\" xmlns:a=\"{A}\" \
                     xmlns:etc=\"http://www.wps.cn/officeDocument/2017/etCustomData\"></etc:cellImages>"
                )
            }
        };
        if text.contains(&name) {
            continue;
        }
        let media = media(edits, bytes, picture)?;
        let id = relate(edits, WPS_PART, &format!("{R}/image"), &format!("/{media}"))?;
        let number = text.matches("cNvPr ").count() + 2;
        let (cx, cy) = (
            i64::from(picture.width) * 9_525,
            i64::from(picture.height) * 9_525,
        );
        let image = format!(
            "<etc:cellImage xmlns:etc=\"http://www.wps.cn/officeDocument/2017/etCustomData\" xmlns:xdr=\"{XDR}\" xmlns:a=\"{A}\" xmlns:r=\"{R}\"><xdr:pic>\
             <xdr:nvPicPr><xdr:cNvPr id=\"{number}\" name=\"{name}\"/><xdr:cNvPicPr/></xdr:nvPicPr>\
             <xdr:blipFill><a:blip r:embed=\"{id}\"/><a:stretch><a:fillRect/></a:stretch></xdr:blipFill>\
             <xdr:spPr><a:xfrm><a:off x=\"0\" y=\"0\"/><a:ext cx=\"{cx}\" cy=\"{cy}\"/></a:xfrm><a:prstGeom prst=\"rect\"><a:avLst/></a:prstGeom></xdr:spPr>\
             </xdr:pic></etc:cellImage>"
        );
        if let Some(end) = text.rfind("</") {
            let (before, after) = text.split_at(end);
            edits.set(WPS_PART, format!("{before}{image}{after}"))?;
        }
    }
    Ok(())
}

/// The name that the formula and the picture share: the same picture has the same name.
fn wps_name(bytes: &[u8]) -> String {
    let digest = sha256_hex(bytes).to_uppercase();
    format!("ID_{}", digest.get(..32).unwrap_or_default())
}

/// Puts the picture into the package, once for all cells that show it.
fn media(edits: &mut Edits<'_>, bytes: &[u8], picture: Picture) -> Result<String, PackageError> {
    let digest = sha256_hex(bytes);
    let name = format!(
        "xl/media/{}.{}",
        digest.get(..24).unwrap_or_default(),
        picture.kind
    );
    if !edits.has(&name) {
        edits.set_bytes(&name, bytes.to_vec());
        let types = edits.text("[Content_Types].xml")?.unwrap_or_default();
        if !types.contains(&format!("Extension=\"{}\"", picture.kind)) {
            let default = format!(
                "<Default Extension=\"{0}\" ContentType=\"image/{0}\"/>",
                picture.kind
            );
            edits.set("[Content_Types].xml", before_end(&types, &default))?;
        }
    }
    Ok(name)
}

fn typed(edits: &mut Edits<'_>, part: &str, kind: &str) -> Result<(), PackageError> {
    let types = edits.text("[Content_Types].xml")?.unwrap_or_default();
    let entry = format!("<Override PartName=\"/{part}\" ContentType=\"{kind}\"/>");
    edits.set("[Content_Types].xml", before_end(&types, &entry))
}

/// A relation from one part to another; gives its id.
fn relate(edits: &mut Edits<'_>, from: &str, kind: &str, target: &str) -> Result<String, PackageError> {
    let rels = rels_of(from);
    let text = edits.text(&rels)?.unwrap_or_else(|| {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<Relationships xmlns=\"{RELS}\"></Relationships>")
    });
    // An empty list may be closed at once.
    let text = match text.trim_end().ends_with("/>") {
        true => text.trim_end().trim_end_matches("/>").trim_end().to_owned() + "></Relationships>",
        false => text,
    };
    let mut number = 1;
    while text.contains(&format!("\"rId{number}\"")) {
        number += 1;
    }
    let id = format!("rId{number}");
    let entry = format!("<Relationship Id=\"{id}\" Type=\"{kind}\" Target=\"{target}\"/>");
    edits.set(&rels, before_end(&text, &entry))?;
    Ok(id)
}

fn before_end(text: &str, entry: &str) -> String {
    let (before, after) = text.split_at(text.rfind("</").unwrap_or(text.len()));
    format!("{before}{entry}{after}")
}

fn free_name(edits: &Edits<'_>, start: &str, end: &str) -> String {
    let mut number = 1_u32;
    loop {
        let name = format!("{start}{number}{end}");
        if !edits.has(&name) {
            return name;
        }
        number += 1;
    }
}

/// Pictures that are not where they must be, seen in the written file.
pub(super) fn missing(
    file: &str,
    spec: &SheetSpec,
    bytes: &[u8],
    named: &[PictureAt],
    images: &Pictures,
) -> Vec<Problem> {
    if named.is_empty() {
        return Vec::new();
    }
    let found = match shown(bytes, &spec.name) {
        Ok(found) => found,
        Err(error) => {
            let text = super::super::package::chain(&error);
            return vec![Problem::new(
                file,
                &spec.name,
                "pictures",
                text,
                "pictures that can be read",
            )];
        }
    };
    let mut problems = Vec::new();
    for PictureAt {
        at, key, field, kind, ..
    } in named
    {
        let Some(bytes) = images.get(key) else { continue };
        let there = match kind {
            PictureKind::Drawing => found
                .anchored
                .get(at)
                .is_some_and(|all| all.contains(&sha256_hex(bytes))),
            PictureKind::Wps => found.in_cells.get(at) == Some(&wps_name(bytes)),
        };
        if !there {
            let place = format!("sheet {}, cell {at}", spec.name);
            problems.push(Problem::new(file, place, field, "", format!("the picture {key}")));
        }
    }
    problems
}

#[derive(Default)]
struct Shown {
    /// Hashes of the pictures anchored at a cell.
    anchored: BTreeMap<At, Vec<String>>,
    /// Names of WPS pictures by cell.
    in_cells: BTreeMap<At, String>,
}

fn shown(bytes: &[u8], sheet: &str) -> Result<Shown, PackageError> {
    let mut edits = Edits::new(Package::open(bytes)?);
    let sheets = edits.package().sheets()?;
    let mut shown = Shown::default();
    let Some((_, path)) = sheets.iter().find(|(name, _)| name == sheet) else {
        return Ok(shown);
    };
    let xml = edits.package().text(path)?;
    let part = SheetPart::parse(sheet, path, &xml)?;
    for (at, formula) in part.formulas() {
        if let Some((_, rest)) = formula.split_once("DISPIMG(\"")
            && let Some((name, _)) = rest.split_once('"')
        {
            shown.in_cells.insert(at, name.to_owned());
        }
    }
    for relation in edits
        .related(path)?
        .into_iter()
        .filter(|relation| relation.kind == "drawing")
    {
        let targets = edits.related(&relation.part)?;
        let mut hashes = BTreeMap::new();
        for target in targets.into_iter().filter(|target| target.kind == "image") {
            hashes.insert(target.id, sha256_hex(&edits.package().bytes(&target.part)?));
        }
        let text = edits.package().text(&relation.part)?;
        let (mut row, mut column) = (0, 0);
        edited(&text, &mut |spot| {
            match (spot.parent(), spot.element(), spot.attribute) {
                ("from", "row", None) => row = spot.value.trim().parse::<u32>().unwrap_or_default(),
                ("from", "col", None) => column = spot.value.trim().parse::<u32>().unwrap_or_default(),
                (_, "blip", Some("embed")) => {
                    let at = At {
                        row: row.saturating_add(1),
                        column: column.saturating_add(1),
                    };
                    let hash = hashes.get(spot.value).cloned();
                    shown.anchored.entry(at).or_default().extend(hash);
                }
                _ => {}
            }
            None
        })
        .map_err(|source| PackageError::Xml {
            part: relation.part.clone(),
            source,
        })?;
    }
    Ok(shown)
}
