//! Mapping files: what they may say, and the errors when they say something else.
//!
//! One TOML file for each (party, country, document). Unknown keys are refused with the nearest name and the line;
//! every path is checked against the model when the file is read, so a slip is found before an order is.

use serde::Deserialize;

use crate::digest::sha256_hex;
use crate::ids::ForwarderId;
use crate::mapping::flat::{CSV_MEDIA_TYPE, CsvMapping, XlsxTable};
use crate::mapping::json::JSON_MEDIA_TYPE;
use crate::mapping::label::{LabelMapping, PDF_MEDIA_TYPE, design::DesignMapping, font::Fonts};
use crate::mapping::model::{DocumentContext, Pictures, document_model, shape};
use crate::mapping::pdf::PdfPage;
use crate::mapping::value::{Maps, Scope, Template};
use crate::mapping::xlsx::{fresh::XlsxNew, template::XlsxTemplate};
use crate::mapping::xml::{XML_MEDIA_TYPE, XmlMapping};
use crate::order::model::StockingOrder;
use crate::problem::Problem;
use crate::wording::{Lang, text};

mod builtin;
mod contradictions;
mod page_of;
mod selftest;

use contradictions::order_problems;
pub(in crate::mapping) use page_of::page_of;

pub use builtin::{all_with, builtin, builtin_file};
pub use selftest::{Case, SAMPLE, sample_order};

/// Version of the language of mapping files that this program reads.
pub const LANGUAGE: u32 = 1;
const MAX_FILE_BYTES: usize = 512 * 1024;

/// Gives the bytes of a file that a mapping names (a template, a schema, a font), by its name below `mappings/`.
pub type Assets<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// The head of a mapping file: what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    /// Version of the mapping language, see [`LANGUAGE`].
    pub language: u32,
    /// Unique name, e.g. `huatuo-booking-gb`; a file with the same id replaces a built-in mapping.
    pub id: String,
    /// Version of this file, raised by its author with every change.
    pub version: u32,
    /// `xlsx-template`, `xlsx-new`, `xlsx-table`, `pdf`, `csv`, `xml`, `json`, `carton-mark` or `label`; the section of the
    /// same name must be there.
    pub kind: KindName,
    /// The forwarder this document is for; absent when it is for everybody.
    #[serde(default)]
    pub party: Option<ForwarderId>,
    /// Destination country (ISO 3166 alpha-2); absent when it is for every country.
    #[serde(default)]
    pub country: Option<String>,
    /// `booking`, `packing-list`, `commercial-invoice`, `outbound-instruction`, …
    pub document: String,
    /// Name of the written file, e.g. `{order.number}-booking.xlsx`.
    pub file_name: Template,
    /// Belongs to a case only (a customs regime, a country's filing): written where a configuration, a pack or a
    /// command names it, and never because it fits.
    #[serde(default)]
    pub on_request: bool,
    /// Needed even where no cell shows them; all that are missing are named at once.
    #[serde(default)]
    pub required: Vec<Template>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KindName {
    XlsxTemplate,
    XlsxNew,
    XlsxTable,
    Pdf,
    Csv,
    Xml,
    Json,
    CartonMark,
    Label,
}

/// How the document is written: one section of the file.
#[derive(Debug, Clone)]
pub enum Kind {
    XlsxTemplate(XlsxTemplate),
    XlsxNew(XlsxNew),
    XlsxTable(XlsxTable),
    Pdf(Box<PdfPage>),
    Csv(Box<CsvMapping>),
    Xml(XmlMapping),
    Json(XmlMapping),
    CartonMark(Box<LabelMapping>),
    Label(Box<DesignMapping>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mapping: Meta,
    #[serde(default)]
    maps: Maps,
    #[serde(rename = "xlsx-template")]
    xlsx_template: Option<XlsxTemplate>,
    #[serde(rename = "xlsx-new")]
    xlsx_new: Option<XlsxNew>,
    #[serde(rename = "xlsx-table")]
    xlsx_table: Option<XlsxTable>,
    pdf: Option<PdfPage>,
    csv: Option<CsvMapping>,
    xml: Option<XmlMapping>,
    json: Option<XmlMapping>,
    #[serde(rename = "carton-mark")]
    carton_mark: Option<LabelMapping>,
    label: Option<DesignMapping>,
    #[serde(default, rename = "test")]
    tests: Vec<Case>,
}

/// A mapping, read and checked, with the files it needs.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub meta: Meta,
    pub maps: Maps,
    pub kind: Kind,
    /// SHA-256 of the mapping file: a written document names the exact mapping it came from.
    pub sha256: String,
    /// Tests the file brings along, see [`Mapping::run_tests`].
    tests: Vec<Case>,
    file: String,
}

/// A document, written and read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub file_name: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
    pub sha256: String,
}

pub const XLSX_MEDIA_TYPE: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// A workbook with macros in it.
pub const XLSM_MEDIA_TYPE: &str = "application/vnd.ms-excel.sheet.macroEnabled.12";

impl Mapping {
    /// Reads and checks a mapping file.
    ///
    /// # Errors
    /// Every problem found: the TOML itself (with its line), a missing section, unknown paths, a template that is not
    /// the one the mapping was written for.
    pub fn parse(file_name: &str, content: &str, assets: Assets<'_>) -> Result<Self, Vec<Problem>> {
        if content.len() > MAX_FILE_BYTES {
            let found = format!("{} bytes", content.len());
            return Err(vec![Problem::new(
                file_name,
                "",
                "",
                found,
                format!("at most {MAX_FILE_BYTES} bytes"),
            )]);
        }
        let file: File = crate::declared::read(file_name, content)?;
        if file.mapping.language != LANGUAGE {
            let found = file.mapping.language.to_string();
            let wanted = format!("{LANGUAGE}, the mapping language this program reads");
            return Err(vec![Problem::new(
                file_name,
                "[mapping]",
                "language",
                found,
                wanted,
            )]);
        }
        let (meta, mut maps) = (file.mapping, file.maps);
        let mut problems = Vec::new();
        let mut pdf = file.pdf;
        let mut page_file = String::new();
        if let (KindName::Pdf, Some(section)) = (meta.kind, &mut pdf) {
            let (its_maps, its_content, faults) = section.prepare(file_name, assets);
            // A map of this file's own goes before the page's.
            let own = std::mem::replace(&mut maps, its_maps);
            maps.extend(own);
            page_file = its_content;
            problems.extend(faults);
        }
        let scope = Scope::new(shape(), &maps);
        for (place, template) in std::iter::once(("file_name", &meta.file_name))
            .chain(meta.required.iter().map(|template| ("required", template)))
        {
            let faults = template.faults(&scope).into_iter();
            problems.extend(faults.map(|fault| fault.problem(file_name, &format!("[mapping] {place}"))));
        }
        let missing = |section: &str| {
            let wanted = format!("a section [{section}], as `kind` says");
            vec![Problem::new(file_name, "[mapping]", "kind", section, wanted)]
        };
        let kind = match meta.kind {
            KindName::XlsxTemplate => {
                let mut section = file.xlsx_template.ok_or_else(|| missing("xlsx-template"))?;
                problems.extend(section.prepare((file_name, &meta.file_name), &scope, assets));
                Kind::XlsxTemplate(section)
            }
            KindName::XlsxNew => {
                let section = file.xlsx_new.ok_or_else(|| missing("xlsx-new"))?;
                problems.extend(section.faults(file_name, &scope));
                Kind::XlsxNew(section)
            }
            KindName::XlsxTable => {
                let section = file.xlsx_table.ok_or_else(|| missing("xlsx-table"))?;
                problems.extend(section.faults(file_name, &scope));
                Kind::XlsxTable(section)
            }
            KindName::Pdf => Kind::Pdf(Box::new(pdf.ok_or_else(|| missing("pdf"))?)),
            KindName::Csv => {
                let section = file.csv.ok_or_else(|| missing("csv"))?;
                problems.extend(section.faults(file_name, &scope));
                Kind::Csv(Box::new(section))
            }
            KindName::Xml => {
                let mut section = file.xml.ok_or_else(|| missing("xml"))?;
                problems.extend(section.prepare(file_name, assets));
                problems.extend(section.faults(file_name, &maps));
                problems.extend(other_language(file_name, &section, false));
                Kind::Xml(section)
            }
            KindName::Json => {
                let mut section = file.json.ok_or_else(|| missing("json"))?;
                problems.extend(section.prepare(file_name, assets));
                problems.extend(section.faults(file_name, &maps));
                problems.extend(other_language(file_name, &section, true));
                Kind::Json(section)
            }
            KindName::CartonMark => {
                let section = file.carton_mark.ok_or_else(|| missing("carton-mark"))?;
                problems.extend(section.faults(file_name, &maps));
                Kind::CartonMark(Box::new(section))
            }
            KindName::Label => {
                let section = file.label.ok_or_else(|| missing("label"))?;
                problems.extend(section.faults(file_name, &maps));
                Kind::Label(Box::new(section))
            }
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            meta,
            maps,
            kind,
            sha256: sha256_hex(format!("{content}{page_file}").as_bytes()),
            tests: file.tests,
            file: file_name.to_owned(),
        })
    }

    /// What the document is called for people; its own word when nobody has named it.
    #[must_use]
    pub fn title(&self, lang: Lang) -> String {
        let key = format!("documents.name.{}", self.meta.document);
        let name = text(lang, &key, &[]);
        match name == format!("[{key}]") {
            true => self.meta.document.clone(),
            false => name,
        }
    }

    /// Whether this mapping is for the order's forwarder and country.
    #[must_use]
    pub fn is_for(&self, order: &StockingOrder) -> bool {
        let party = self.meta.party.as_ref();
        let country = self.meta.country.as_deref();
        party.is_none_or(|party| *party == order.forwarder)
            && country.is_none_or(|country| country.eq_ignore_ascii_case(&order.deliver_to.address.country))
    }

    /// Whether the order gets this document without anybody naming it.
    #[must_use]
    pub fn is_default_for(&self, order: &StockingOrder) -> bool {
        !self.meta.on_request && self.is_for(order)
    }

    /// Writes the document, reads it back with another reader and compares every value and total.
    ///
    /// # Errors
    /// Everything that is missing or does not fit, all at once; then nothing is written.
    pub fn write(&self, order: &StockingOrder, context: &DocumentContext) -> Result<Written, Vec<Problem>> {
        let model = document_model(order, context);
        let scope = Scope::new(&model, &self.maps);
        let file = &self.file;
        let mut problems = order_problems(file, order);
        for template in &self.meta.required {
            match template.fill(&scope) {
                Ok(Some(_)) => {}
                Ok(None) => problems.push(Problem::new(
                    file,
                    "[mapping] required",
                    template.source(),
                    "",
                    "a value: the document needs it",
                )),
                Err(fault) => problems.push(fault.problem(file, "[mapping] required")),
            }
        }
        let name = match self.meta.file_name.fill(&scope) {
            Ok(name) => safe_file_name(&name.unwrap_or_default()),
            Err(fault) => {
                problems.push(fault.problem(file, "[mapping] file_name"));
                String::new()
            }
        };
        let (bytes, media_type) = match &self.kind {
            Kind::XlsxTemplate(section) => {
                let bytes = section.write(file, &scope, &context.pictures);
                let macros = self.meta.file_name.source().to_lowercase().ends_with(".xlsm");
                (bytes, if macros { XLSM_MEDIA_TYPE } else { XLSX_MEDIA_TYPE })
            }
            Kind::XlsxNew(section) => (section.write(file, &scope), XLSX_MEDIA_TYPE),
            Kind::XlsxTable(section) => (section.write(file, &scope), XLSX_MEDIA_TYPE),
            Kind::Pdf(section) => (section.write(file, &scope), PDF_MEDIA_TYPE),
            Kind::Csv(section) => (section.write(file, &scope), CSV_MEDIA_TYPE),
            Kind::Xml(section) => (section.write(file, &model, &self.maps), XML_MEDIA_TYPE),
            Kind::Json(section) => (section.write(file, &model, &self.maps), JSON_MEDIA_TYPE),
            Kind::CartonMark(section) => (
                fonts(file).and_then(|fonts| section.write(file, &scope, fonts)),
                section.print.media_type(),
            ),
            Kind::Label(section) => (
                fonts(file).and_then(|fonts| section.write(file, &scope, fonts)),
                section.print.media_type(),
            ),
        };
        let bytes = match bytes {
            Ok(bytes) if problems.is_empty() => bytes,
            Ok(_) => return Err(problems),
            Err(more) => {
                problems.extend(more);
                return Err(problems);
            }
        };
        // The XML writer has validated and read back its document already, which is most of its work.
        let differences = match &self.kind {
            Kind::Xml(_) | Kind::Json(_) => Vec::new(),
            _ => self.check(&name, &bytes, &scope, &context.pictures),
        };
        if !differences.is_empty() {
            return Err(differences);
        }
        Ok(Written {
            file_name: name,
            media_type,
            sha256: sha256_hex(&bytes),
            bytes,
        })
    }

    /// Compares a paper, also an edited one, with the order it is of. The mapping is the one named (`of`), else the one whose
    /// paper has this name, whatever a person added to it. Returns the mapping's id and every difference.
    #[must_use]
    pub fn compare(
        mappings: &[Self],
        of: Option<&str>,
        (name, bytes): (&str, &[u8]),
        order: &StockingOrder,
        context: &DocumentContext,
    ) -> (String, Vec<Problem>) {
        let model = document_model(order, context);
        let is_of = |mapping: &&Self| match of {
            Some(id) => mapping.meta.id == id,
            None => {
                let filled = mapping.meta.file_name.fill(&Scope::new(&model, &mapping.maps));
                let own = safe_file_name(&filled.ok().flatten().unwrap_or_default());
                match own.rsplit_once('.') {
                    Some((stem, ending)) => name.contains(stem) && name.ends_with(ending),
                    None => false,
                }
            }
        };
        // Of two stems that fit, the longer one says more.
        let fitting = mappings.iter().filter(is_of);
        match fitting.max_by_key(|mapping| mapping.meta.file_name.source().len()) {
            Some(mapping) => {
                let scope = Scope::new(&model, &mapping.maps);
                (
                    mapping.meta.id.clone(),
                    mapping.check(name, bytes, &scope, &context.pictures),
                )
            }
            None => {
                let ids: Vec<&str> = mappings.iter().map(|mapping| mapping.meta.id.as_str()).collect();
                let wanted = format!(
                    "the name of a paper of the order, or the mapping it is of: {}",
                    ids.join(", ")
                );
                (
                    String::new(),
                    vec![Problem::new(name, "", "", of.unwrap_or_default(), wanted)],
                )
            }
        }
    }

    /// Compares a file with the model it should have been written from.
    pub(crate) fn check(
        &self,
        name: &str,
        bytes: &[u8],
        scope: &Scope<'_>,
        pictures: &Pictures,
    ) -> Vec<Problem> {
        match &self.kind {
            Kind::XlsxTemplate(section) => section.check(name, bytes, scope, pictures),
            Kind::XlsxNew(section) => section.check(name, bytes, scope),
            Kind::XlsxTable(section) => section.check(name, bytes, scope),
            Kind::Pdf(section) => section.check(name, bytes, scope),
            Kind::Csv(section) => section.check(name, bytes, scope),
            Kind::Xml(section) | Kind::Json(section) => section.check(name, bytes, scope),
            Kind::CartonMark(section) => section.check(name, bytes, scope),
            Kind::Label(section) => section.check(name, bytes, scope),
        }
    }
}

/// A schema of the other language: `kind = "json"` with an XSD, or the other way round.
fn other_language(file: &str, section: &XmlMapping, json: bool) -> Option<Problem> {
    let wanted = if json { "a JSON Schema" } else { "an XSD" };
    let other = section.is_json().is_some_and(|is_json| is_json != json);
    other.then(|| Problem::new(file, "[mapping]", "schema", section.schema.as_str(), wanted))
}

fn fonts(file: &str) -> Result<&'static Fonts, Vec<Problem>> {
    Fonts::built_in().map_err(|error| {
        let wanted = "a readable OpenType font";
        vec![Problem::new(file, "", "font", error.to_string(), wanted)]
    })
}

/// A name that is the same file on every system and never a path.
fn safe_file_name(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| match c {
            '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '-',
            c if c.is_control() => '-',
            c => c,
        })
        .take(120)
        .collect();
    safe.trim_matches(['.', ' ']).to_owned()
}

#[cfg(test)]
mod tests;
