//! The zip around a workbook: parts that are not changed are copied as they are, compressed bytes and all.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _, Write as _};

use super::plain::unprefixed;
use quick_xml::Reader;
use quick_xml::events::Event;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::problem::Problem;

/// A template is somebody else's file: its parts are counted and measured before they are unpacked.
const MAX_PARTS: usize = 2_000;
const MAX_PART_BYTES: u64 = 64 * 1024 * 1024;
const MAX_UNPACKED_BYTES: u64 = 256 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    #[error("read the workbook's zip")]
    Zip(#[from] zip::result::ZipError),
    #[error("read part `{part}`")]
    Read { part: String, source: std::io::Error },
    #[error("read part `{part}` as XML")]
    Xml { part: String, source: quick_xml::Error },
    #[error("part `{0}` is missing, too large or not text")]
    Part(String),
    /// A change that the workbook cannot take without meaning something else: what stands in the way, and where.
    #[error("{what} at {place}")]
    InTheWay { what: String, place: String },
    #[error("the workbook has more than {MAX_PARTS} parts")]
    TooMany,
    #[error("the workbook unpacks to more than {MAX_UNPACKED_BYTES} bytes")]
    TooLarge,
}

impl PackageError {
    /// What is wrong with a workbook, as a person is told.
    pub fn problem(&self, file: &str, field: &str, wanted: &str) -> Problem {
        match self {
            Self::InTheWay { what, place } => {
                let wanted = "a workbook in which rows can be inserted there";
                Problem::new(file, place, field, what, wanted)
            }
            error => Problem::new(file, "", field, chain(error), wanted),
        }
    }
}

/// The whole chain of an error in one line, for a [`crate::problem::Problem`].
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(": ");
        text.push_str(&source.to_string());
        next = source.source();
    }
    text
}

pub struct Package<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
}

impl<'a> Package<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, PackageError> {
        let zip = ZipArchive::new(Cursor::new(bytes))?;
        if zip.len() > MAX_PARTS {
            return Err(PackageError::TooMany);
        }
        let size = zip.decompressed_size().unwrap_or_default();
        if size > u128::from(MAX_UNPACKED_BYTES) {
            return Err(PackageError::TooLarge);
        }
        Ok(Self { zip })
    }

    pub fn has(&self, part: &str) -> bool {
        self.zip.index_for_name(part).is_some()
    }

    /// A part as text.
    pub fn text(&mut self, part: &str) -> Result<String, PackageError> {
        let missing = || PackageError::Part(part.to_owned());
        let entry = self.zip.by_name(part).map_err(|_| missing())?;
        if entry.size() > MAX_PART_BYTES {
            return Err(missing());
        }
        let mut text = String::new();
        // The size in the zip's directory may lie: read no further than the limit.
        entry
            .take(MAX_PART_BYTES)
            .read_to_string(&mut text)
            .map_err(|source| PackageError::Read {
                part: part.to_owned(),
                source,
            })?;
        Ok(unprefixed(text))
    }

    /// Sheet names and their parts, in the order of the tabs.
    pub fn sheets(&mut self) -> Result<Vec<(String, String)>, PackageError> {
        let rels = self.text("xl/_rels/workbook.xml.rels")?;
        let mut targets = BTreeMap::new();
        each_tag("xl/_rels/workbook.xml.rels", &rels, |name, attributes| {
            if name == "Relationship"
                && let (Some(id), Some(target)) = (attributes.get("Id"), attributes.get("Target"))
            {
                targets.insert(id.clone(), resolved("xl", target));
            }
        })?;
        let workbook = self.text("xl/workbook.xml")?;
        let mut sheets = Vec::new();
        each_tag("xl/workbook.xml", &workbook, |name, attributes| {
            if name == "sheet"
                && let (Some(name), Some(id)) = (attributes.get("name"), attributes.get("id"))
                && let Some(part) = targets.get(id)
            {
                sheets.push((name.clone(), part.clone()));
            }
        })?;
        Ok(sheets)
    }

    /// Whether days are counted from 1904, as workbooks from old Macintoshes do.
    pub fn counts_from_1904(&mut self) -> Result<bool, PackageError> {
        let workbook = self.text("xl/workbook.xml")?;
        let mut from_1904 = false;
        each_tag("xl/workbook.xml", &workbook, |name, found| {
            let flag = found.get("date1904");
            from_1904 |= name == "workbookPr" && flag.is_some_and(|flag| flag == "1" || flag == "true");
        })?;
        Ok(from_1904)
    }

    /// A part as bytes, such as a picture.
    pub fn bytes(&mut self, part: &str) -> Result<Vec<u8>, PackageError> {
        let missing = || PackageError::Part(part.to_owned());
        let entry = self.zip.by_name(part).map_err(|_| missing())?;
        if entry.size() > MAX_PART_BYTES {
            return Err(missing());
        }
        let mut bytes = Vec::new();
        let read = entry.take(MAX_PART_BYTES).read_to_end(&mut bytes);
        read.map_err(|source| PackageError::Read {
            part: part.to_owned(),
            source,
        })?;
        Ok(bytes)
    }

    pub fn names(&self) -> Vec<String> {
        self.zip
            .file_names()
            .filter_map(|name| Some(name.ok()?.into_owned()))
            .collect()
    }

    /// The package again with some parts changed (`Some`), left out (`None`) or added at the end. Order, times and
    /// methods of the others stay.
    pub fn with(mut self, changes: &Changes) -> Result<Vec<u8>, PackageError> {
        let mut out = ZipWriter::new(Cursor::new(Vec::new()));
        let mut known = BTreeSet::new();
        for index in 0..self.zip.len() {
            let entry = self.zip.by_index_raw(index)?;
            let name = entry.name()?.into_owned();
            known.insert(name.clone());
            match changes.get(&name) {
                None => out.raw_copy_file(entry)?,
                Some(None) => {}
                Some(Some(bytes)) => {
                    let mut options = SimpleFileOptions::default().compression_method(entry.compression());
                    if let Some(time) = entry.last_modified() {
                        options = options.last_modified_time(time);
                    }
                    drop(entry);
                    write_part(&mut out, &name, bytes, options)?;
                }
            }
        }
        for (name, bytes) in changes {
            if let (false, Some(bytes)) = (known.contains(name), bytes) {
                write_part(&mut out, name, bytes, SimpleFileOptions::default())?;
            }
        }
        Ok(out.finish()?.into_inner())
    }
}

/// Parts by name: changed or added (`Some`), or left out (`None`).
pub type Changes = BTreeMap<String, Option<Vec<u8>>>;

fn write_part(
    out: &mut ZipWriter<Cursor<Vec<u8>>>,
    name: &str,
    bytes: &[u8],
    options: SimpleFileOptions,
) -> Result<(), PackageError> {
    out.start_file(name, options)?;
    out.write_all(bytes).map_err(|source| PackageError::Read {
        part: name.to_owned(),
        source,
    })
}

/// A package being changed: parts are read as they are now.
pub struct Edits<'a> {
    package: Package<'a>,
    changes: Changes,
}

impl<'a> Edits<'a> {
    pub fn new(package: Package<'a>) -> Self {
        Self {
            package,
            changes: Changes::new(),
        }
    }

    pub fn package(&mut self) -> &mut Package<'a> {
        &mut self.package
    }

    /// The text of a part as it is now; `None` when there is no such part.
    pub fn text(&mut self, part: &str) -> Result<Option<String>, PackageError> {
        match self.changes.get(part) {
            Some(Some(bytes)) => Ok(Some(String::from_utf8_lossy(bytes).into_owned())),
            Some(None) => Ok(None),
            None if self.package.has(part) => self.package.text(part).map(Some),
            None => Ok(None),
        }
    }

    pub fn has(&self, part: &str) -> bool {
        match self.changes.get(part) {
            Some(change) => change.is_some(),
            None => self.package.has(part),
        }
    }

    /// A part that says the same as before stays as it is, compressed bytes and all.
    pub fn set(&mut self, part: &str, text: String) -> Result<(), PackageError> {
        if self.text(part)?.as_deref() != Some(text.as_str()) {
            self.changes.insert(part.to_owned(), Some(text.into_bytes()));
        }
        Ok(())
    }

    pub fn set_bytes(&mut self, part: &str, bytes: Vec<u8>) {
        self.changes.insert(part.to_owned(), Some(bytes));
    }

    pub fn remove(&mut self, part: &str) {
        self.changes.insert(part.to_owned(), None);
    }

    pub fn names(&self) -> Vec<String> {
        let mut names = self.package.names();
        names.extend(self.changes.keys().cloned());
        names.sort();
        names.dedup();
        names.retain(|name| self.has(name));
        names
    }

    /// Parts that a part points to, with the kind of the relation (the end of its type).
    pub fn related(&mut self, part: &str) -> Result<Vec<Relation>, PackageError> {
        let rels = rels_of(part);
        let Some(text) = self.text(&rels)? else {
            return Ok(Vec::new());
        };
        let folder = part.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let mut related = Vec::new();
        each_tag(&rels, &text, |name, found| {
            if name == "Relationship"
                && found.get("TargetMode").is_none_or(|mode| mode != "External")
                && let (Some(id), Some(kind), Some(target)) =
                    (found.get("Id"), found.get("Type"), found.get("Target"))
            {
                related.push(Relation {
                    id: id.clone(),
                    kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                    part: resolved(&folder, target),
                });
            }
        })?;
        Ok(related)
    }

    pub fn finish(self) -> Result<Vec<u8>, PackageError> {
        self.package.with(&self.changes)
    }
}

#[derive(Debug, Clone)]
pub struct Relation {
    pub id: String,
    /// `drawing`, `comments`, `table`, …
    pub kind: String,
    pub part: String,
}

/// `xl/worksheets/sheet1.xml` has its relations in `xl/worksheets/_rels/sheet1.xml.rels`.
pub fn rels_of(part: &str) -> String {
    match part.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/_rels/{name}.rels"),
        None => format!("_rels/{part}.rels"),
    }
}

/// `../drawings/d.xml` seen from `xl/worksheets`.
fn resolved(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            ".." => {
                steps.pop();
            }
            "." | "" => {}
            name => steps.push(name),
        }
    }
    steps.join("/")
}

/// Calls for every element with its local name and unescaped attributes (by local name).
pub fn each_tag(
    part: &str,
    text: &str,
    mut seen: impl FnMut(&str, &BTreeMap<String, String>),
) -> Result<(), PackageError> {
    let wrong = |source: quick_xml::Error| PackageError::Xml {
        part: part.to_owned(),
        source,
    };
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().map_err(wrong)? {
            Event::Start(tag) | Event::Empty(tag) => {
                seen(tag.local_name().as_ref(), &attributes(&tag).map_err(wrong)?);
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

pub fn attributes(
    tag: &quick_xml::events::BytesStart<'_>,
) -> Result<BTreeMap<String, String>, quick_xml::Error> {
    let mut found = BTreeMap::new();
    for attribute in tag.attributes() {
        let attribute = attribute?;
        let value = quick_xml::escape::unescape(&attribute.value)?.into_owned();
        found.insert(attribute.key.local_name().as_ref().to_owned(), value);
    }
    Ok(found)
}
