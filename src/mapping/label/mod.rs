//! Labels: the carton mark as it is laid out here, and those that a mapping file lays out itself; as PDF or for label printers.

mod canvas;
pub mod code128;
pub mod design;
pub mod font;
mod grid;
pub mod gs1;
pub mod ink;
pub mod pdf;
pub mod raster;
pub mod sheet;
pub mod wrap;
pub mod zpl;

use std::collections::BTreeMap;

use serde::Deserialize;

use self::font::Fonts;
use self::grid::Grid;
use self::ink::Drawing;
use self::sheet::{Content, Mark};
use crate::mapping::model::shape;
use crate::mapping::value::{Each, Fault, Maps, Scope, Template};
use crate::problem::Problem;

pub const PDF_MEDIA_TYPE: &str = "application/pdf";

/// More than any order has cartons or units of one delivery.
const MAX_LABELS: usize = 20_000;

/// For which printer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Print {
    #[default]
    Pdf,
    /// Zebra's language, 203 dpi.
    Zpl,
}

impl Print {
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => PDF_MEDIA_TYPE,
            Self::Zpl => zpl::ZPL_MEDIA_TYPE,
        }
    }
}

/// How finished labels leave.
struct Release<'a> {
    file: &'a str,
    title: &'a str,
    /// What one of them is called in messages: `carton`, `label`.
    noun: &'static str,
    print: Print,
    grid: Option<&'a Grid>,
    fonts: &'a Fonts,
}

impl Release<'_> {
    /// Lets labels go: nothing was in the way of drawing them, every character is in the font, every bar code reads back from the
    /// ink, and the file holds them all.
    fn go(&self, drawings: &[Drawing], mut problems: Vec<Problem>) -> Result<Vec<u8>, Vec<Problem>> {
        let (file, fonts) = (self.file, self.fonts);
        let mut last: Option<&Drawing> = None;
        for (drawing, no) in drawings.iter().zip(1_usize..) {
            // Copies of one label follow each other: one look at it is enough.
            if last == Some(drawing) {
                continue;
            }
            last = Some(drawing);
            let place = format!("{} {no}", self.noun);
            problems.extend(missing_characters(file, &place, drawing, fonts));
            problems.extend(
                drawing
                    .misread(fonts)
                    .into_iter()
                    .map(|misfit| misfit.problem(file, &place)),
            );
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        match self.print {
            Print::Pdf => pdf::write(file, self.title, drawings, self.grid, fonts),
            Print::Zpl => self.burnt(drawings),
        }
    }

    /// The printer's file, after its bars were read from its own dots.
    fn burnt(&self, drawings: &[Drawing]) -> Result<Vec<u8>, Vec<Problem>> {
        let bytes = zpl::write(drawings, self.fonts).map_err(|error| {
            let wanted = "labels a printer can hold";
            vec![Problem::new(self.file, "", "", error.to_string(), wanted)]
        })?;
        let misread = zpl::misread(&bytes, drawings);
        match misread.is_empty() {
            true => Ok(bytes),
            false => Err(misread
                .into_iter()
                .map(|(no, misfit)| misfit.problem(self.file, &format!("{} {no}", self.noun)))
                .collect()),
        }
    }
}

/// Draws all marks and lets them go together.
fn write_marks(
    file: &str,
    title: &str,
    marks: &[Mark],
    print: Print,
    fonts: &Fonts,
) -> Result<Vec<u8>, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut drawings = Vec::with_capacity(marks.len());
    for (mark, no) in marks.iter().zip(1_usize..) {
        let (drawing, misfits) = sheet::draw(fonts, mark);
        let place = format!("carton {no}");
        problems.extend(misfits.into_iter().map(|misfit| misfit.problem(file, &place)));
        drawings.push(drawing);
    }
    let release = Release {
        file,
        title,
        noun: "carton",
        print,
        grid: None,
        fonts,
    };
    release.go(&drawings, problems)
}

/// Names every character that the fonts lack: a box on a carton is a wrong label, found too late.
fn missing_characters(file: &str, place: &str, drawing: &Drawing, fonts: &Fonts) -> Vec<Problem> {
    let missing = drawing
        .texts
        .iter()
        .filter_map(|(field, text)| Some((field, text, fonts.missing(text)?)));
    missing
        .map(|(field, text, missing)| {
            let wanted = format!(
                "characters the label font has; `{}` (U+{:04X}) is not among them",
                missing.escape_debug(),
                u32::from(missing)
            );
            Problem::new(file, place, field.as_ref(), text, wanted)
        })
        .collect()
}

/// How many labels a written file holds, and how many sheets they take.
fn check_count(name: &str, bytes: &[u8], labels: usize, print: Print, grid: Option<&Grid>) -> Vec<Problem> {
    let (what, found, wanted) = match print {
        Print::Pdf => {
            let per_page = grid.map_or(1, Grid::cells).max(1);
            ("pages", pdf::page_count(bytes), labels.div_ceil(per_page))
        }
        Print::Zpl => {
            let text = str::from_utf8(bytes).unwrap_or_default();
            let pictures = zpl::read(text).try_fold(0, |count, picture| picture.map(|_| count + 1));
            ("labels", pictures.ok(), labels)
        }
    };
    match found {
        Some(found) if found == wanted => Vec::new(),
        Some(found) => vec![Problem::new(
            name,
            "",
            what,
            found.to_string(),
            wanted.to_string(),
        )],
        None => vec![Problem::new(
            name,
            "",
            "",
            "nothing that can be counted",
            "a file of labels",
        )],
    }
}

/// The section `[carton-mark]` of a mapping file: which value of the model stands in which place of the mark.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelMapping {
    /// What gets a label: `carton in cartons`.
    pub each: Each,
    /// Title of the PDF.
    pub title: Template,
    #[serde(default)]
    pub print: Print,
    /// A mark without the warehouse's inbound number is refused unless this says that the destination takes ours.
    #[serde(default)]
    pub allow_missing_inbound: bool,
    /// The code of the destination warehouse, the largest text.
    pub destination: Template,
    pub destination_note: Template,
    pub order_no: Template,
    pub inbound_no: Template,
    pub carton_no: Template,
    pub carton_count: Template,
    pub contents: ContentsMapping,
    pub units: Template,
    pub net: Template,
    pub gross: Template,
    pub dims: Template,
    pub origin: Template,
    pub consignee: Template,
    /// What the large barcode says.
    pub mark_code: Template,
    /// What the small barcode of a carton with a single SKU says; without it there is none.
    pub sku_code: Option<Template>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentsMapping {
    /// `content in carton.contents`
    pub each: Each,
    pub sku: Template,
    pub name_zh: Template,
    pub name_en: Template,
    pub units: Template,
    /// The lot, where the goods have one.
    pub batch: Option<Template>,
}

/// Fills the places of one mark and collects what is missing.
struct Filling<'a> {
    file: &'a str,
    place: String,
    problems: &'a mut Vec<Problem>,
}

impl Filling<'_> {
    fn optional(&mut self, template: &Template, scope: &Scope<'_>) -> Option<String> {
        match template.fill(scope) {
            Ok(text) => text,
            Err(fault) => {
                self.problems.push(fault.problem(self.file, &self.place));
                None
            }
        }
    }

    fn required(&mut self, field: &str, template: &Template, scope: &Scope<'_>) -> String {
        match template.fill(scope) {
            Ok(Some(text)) => text,
            Ok(None) => {
                let wanted = format!("a value for the mark's `{field}`");
                self.problems.push(Problem::new(
                    self.file,
                    &self.place,
                    template.source(),
                    "",
                    wanted,
                ));
                String::new()
            }
            Err(fault) => {
                self.problems.push(fault.problem(self.file, &self.place));
                String::new()
            }
        }
    }
}

impl LabelMapping {
    /// Everything wrong with the mapping itself, before any order meets it.
    #[must_use]
    pub fn faults(&self, file: &str, maps: &Maps) -> Vec<Problem> {
        let mut problems = Vec::new();
        let scope = Scope::new(shape(), maps);
        let mut report = |faults: Vec<Fault>, field: &str| {
            problems.extend(
                faults
                    .iter()
                    .map(|fault| fault.problem(file, &format!("[carton-mark] {field}"))),
            );
        };
        let first = |each: &Each, around: &Scope<'_>| each.scopes(around).map(|scopes| scopes.len());
        if let Err(fault) = first(&self.each, &scope) {
            report(vec![fault], "each");
            return problems;
        }
        let scopes = self.each.scopes(&scope).unwrap_or_default();
        for carton in scopes.iter().take(1) {
            for (field, template) in self.places() {
                report(template.faults(carton), field);
            }
            match self.contents.each.scopes(carton) {
                Ok(contents) => {
                    for content in contents.iter().take(1) {
                        for (field, template) in self.contents.places() {
                            report(template.faults(content), field);
                        }
                    }
                }
                Err(fault) => report(vec![fault], "contents.each"),
            }
        }
        problems
    }

    /// Writes the marks of all cartons.
    ///
    /// # Errors
    /// Everything that is missing, that the font or the barcode cannot hold, or that does not fit; then no bytes.
    pub fn write(&self, file: &str, scope: &Scope<'_>, fonts: &Fonts) -> Result<Vec<u8>, Vec<Problem>> {
        let marks = self.marks(file, scope)?;
        let title = match self.title.fill(scope) {
            Ok(title) => title.unwrap_or_default(),
            Err(fault) => return Err(vec![fault.problem(file, "[carton-mark] title")]),
        };
        write_marks(file, &title, &marks, self.print, fonts)
    }

    /// Checks a written file against the model: one label for each carton. What the bars say was read back before it was
    /// released.
    #[must_use]
    pub fn check(&self, name: &str, bytes: &[u8], scope: &Scope<'_>) -> Vec<Problem> {
        match self.each.scopes(scope) {
            Ok(scopes) => check_count(name, bytes, scopes.len(), self.print, None),
            Err(fault) => vec![fault.problem(name, "[carton-mark] each")],
        }
    }

    /// The marks as text.
    ///
    /// # Errors
    /// Everything that is missing, for all cartons.
    pub fn marks(&self, file: &str, scope: &Scope<'_>) -> Result<Vec<Mark>, Vec<Problem>> {
        let scopes = self
            .each
            .scopes(scope)
            .map_err(|fault| vec![fault.problem(file, "[carton-mark] each")])?;
        if scopes.is_empty() || scopes.len() > MAX_LABELS {
            let wanted = format!("between 1 and {MAX_LABELS} cartons");
            return Err(vec![Problem::new(
                file,
                "[carton-mark]",
                "each",
                scopes.len().to_string(),
                wanted,
            )]);
        }
        let mut problems = Vec::new();
        let mut marks: Vec<Mark> = Vec::new();
        let mut codes: BTreeMap<String, usize> = BTreeMap::new();
        for (index, scope) in scopes.iter().enumerate() {
            let mark = self.mark(file, index + 1, scope, &mut problems);
            if let Some(twin) = codes.insert(mark.mark_code.clone(), index + 1) {
                let place = format!("carton {}", index + 1);
                let wanted = format!("a code of its own, carton {twin} has this one");
                problems.push(Problem::new(file, place, "mark_code", &mark.mark_code, wanted));
            }
            marks.push(mark);
        }
        match problems.is_empty() {
            true => Ok(marks),
            false => Err(problems),
        }
    }

    fn mark(&self, file: &str, no: usize, scope: &Scope<'_>, problems: &mut Vec<Problem>) -> Mark {
        let mut filling = Filling {
            file,
            place: format!("carton {no}"),
            problems,
        };
        let contents: Vec<Content> = match self.contents.each.scopes(scope) {
            Ok(rows) => rows
                .iter()
                .map(|row| self.contents.row(row, &mut filling))
                .collect(),
            Err(fault) => {
                filling.problems.push(fault.problem(file, &filling.place));
                Vec::new()
            }
        };
        let inbound_no = match self.allow_missing_inbound {
            true => filling.optional(&self.inbound_no, scope),
            false => Some(filling.required("inbound_no", &self.inbound_no, scope)),
        };
        let single = contents.len() == 1;
        Mark {
            destination: filling.required("destination", &self.destination, scope),
            destination_note: filling
                .optional(&self.destination_note, scope)
                .unwrap_or_default(),
            order_no: filling.required("order_no", &self.order_no, scope),
            inbound_no,
            carton_no: filling.required("carton_no", &self.carton_no, scope),
            carton_count: filling.required("carton_count", &self.carton_count, scope),
            units: filling.required("units", &self.units, scope),
            net: filling.required("net", &self.net, scope),
            gross: filling.required("gross", &self.gross, scope),
            dims: filling.required("dims", &self.dims, scope),
            origin: filling.required("origin", &self.origin, scope),
            consignee: filling.required("consignee", &self.consignee, scope),
            mark_code: filling.required("mark_code", &self.mark_code, scope),
            sku_code: self
                .sku_code
                .as_ref()
                .filter(|_| single)
                .and_then(|template| filling.optional(template, scope)),
            contents,
        }
    }

    fn places(&self) -> Vec<(&'static str, &Template)> {
        let mut places = vec![
            ("title", &self.title),
            ("destination", &self.destination),
            ("destination_note", &self.destination_note),
            ("order_no", &self.order_no),
            ("inbound_no", &self.inbound_no),
            ("carton_no", &self.carton_no),
            ("carton_count", &self.carton_count),
            ("units", &self.units),
            ("net", &self.net),
            ("gross", &self.gross),
            ("dims", &self.dims),
            ("origin", &self.origin),
            ("consignee", &self.consignee),
            ("mark_code", &self.mark_code),
        ];
        places.extend(self.sku_code.as_ref().map(|template| ("sku_code", template)));
        places
    }
}

impl ContentsMapping {
    fn row(&self, scope: &Scope<'_>, filling: &mut Filling<'_>) -> Content {
        Content {
            sku: filling.required("contents.sku", &self.sku, scope),
            name_zh: filling.optional(&self.name_zh, scope).unwrap_or_default(),
            name_en: filling.optional(&self.name_en, scope).unwrap_or_default(),
            units: filling.required("contents.units", &self.units, scope),
            batch: self
                .batch
                .as_ref()
                .and_then(|template| filling.optional(template, scope))
                .unwrap_or_default(),
        }
    }

    fn places(&self) -> impl Iterator<Item = (&'static str, &Template)> {
        let places = [
            ("contents.sku", &self.sku),
            ("contents.name_zh", &self.name_zh),
            ("contents.name_en", &self.name_en),
            ("contents.units", &self.units),
        ];
        let batch = self.batch.as_ref().map(|template| ("contents.batch", template));
        places.into_iter().chain(batch)
    }
}

#[cfg(test)]
mod tests;
