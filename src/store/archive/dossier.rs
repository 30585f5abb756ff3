//! The file an export is: written and checked without a database.
//!
//! A zip with `index.json` (the entries and where each content lies), `chain.txt` (one line for each entry of the
//! account between the first and the last of the order: the hash of what it says, which tells nothing of other
//! orders), and the contents. Whoever has only this file and this program can check that no content was changed and
//! that the entries stand in one chain.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Cursor, Read as _, Write as _};

use serde::{Deserialize, Serialize};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::{Entry, link};
use crate::digest::sha256_hex;

const FORMAT: &str = "linkstar-archive-1";
const INDEX: &str = "index.json";
const CHAIN: &str = "chain.txt";
/// Bounds on a foreign file: it is read on machines that did not make it.
const MAX_FILES: usize = 200_000;
const MAX_INDEX_BYTES: u64 = 64 << 20;
const MAX_CONTENT_BYTES: u64 = 256 << 20;
const MAX_ALL_BYTES: u64 = 2 << 30;
const MAX_NAME_CHARS: usize = 120;

#[derive(Debug, thiserror::Error)]
pub enum DossierError {
    #[error("not an export of linkstar: {0}")]
    Foreign(String),
    #[error("cannot read the zip file")]
    Zip(#[from] zip::result::ZipError),
    #[error("cannot read the zip file")]
    Io(#[from] std::io::Error),
    #[error("cannot read or write `index.json`")]
    Json(#[from] serde_json::Error),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    format: String,
    pub account: String,
    pub order: String,
    /// The stretch of the chain in `chain.txt`.
    first: i64,
    previous: String,
    last: i64,
    hash: String,
    pub entries: Vec<Listed>,
}

/// An entry and the file its content lies in; none when retention took the content away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub file: Option<String>,
    #[serde(flatten)]
    pub entry: Entry,
}

impl Index {
    #[must_use]
    pub fn new(account: &str, order: &str, first: &Entry, last: &Entry) -> Self {
        Self {
            format: FORMAT.to_owned(),
            account: account.to_owned(),
            order: order.to_owned(),
            first: first.seq,
            previous: first.previous.clone(),
            last: last.seq,
            hash: last.hash.clone(),
            entries: Vec::new(),
        }
    }
}

pub enum Content {
    Bytes(Vec<u8>),
    Deleted,
}

pub struct Item {
    pub entry: Entry,
    pub name: String,
    pub content: Content,
}

/// `documents/000012-BH260504-01-packing-list.xlsx`: what foreign names carry in is left out of the path.
#[must_use]
pub fn content_name(seq: i64, kind: &str, given: Option<&str>) -> String {
    let safe: String = given
        .unwrap_or("content")
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || "-_.+() ".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(MAX_NAME_CHARS)
        .collect();
    let safe = safe.trim_matches(['.', ' ']);
    format!("{kind}/{seq:06}-{safe}")
}

/// Writes the file. No instant of writing goes into it.
pub fn write(mut index: Index, items: Vec<Item>, links: &[String]) -> Result<Vec<u8>, DossierError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .unix_permissions(0o644)
        .last_modified_time(zip::DateTime::default());
    // One content, however many entries name it.
    let mut written: BTreeMap<String, String> = BTreeMap::new();
    let mut contents = Vec::new();
    for item in items {
        let file = match item.content {
            Content::Deleted => None,
            Content::Bytes(bytes) => Some(
                written
                    .entry(item.entry.sha256.clone())
                    .or_insert_with(|| {
                        contents.push((item.name.clone(), bytes));
                        item.name
                    })
                    .clone(),
            ),
        };
        index.entries.push(Listed {
            file,
            entry: item.entry,
        });
    }
    let mut head = serde_json::to_vec_pretty(&index)?;
    head.push(b'\n');
    zip.start_file(INDEX, options)?;
    zip.write_all(&head)?;
    zip.start_file(CHAIN, options)?;
    for link in links {
        zip.write_all(link.as_bytes())?;
        zip.write_all(b"\n")?;
    }
    for (name, bytes) in contents {
        zip.start_file(name, options)?;
        zip.write_all(&bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// A checked export.
#[derive(Debug, Clone)]
pub struct Dossier {
    pub index: Index,
    /// Everything in the file, by name.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Everything that is not as it was archived.
    pub faults: Vec<String>,
}

/// Reads and checks an export.
///
/// # Errors
/// When the file is no export at all, or beyond the limits; what was changed in a readable one is in its faults.
pub fn read_dossier(bytes: &[u8]) -> Result<Dossier, DossierError> {
    let mut zip = ZipArchive::new(Cursor::new(bytes))?;
    if zip.len() > MAX_FILES {
        return Err(DossierError::Foreign(format!("{} files in it", zip.len())));
    }
    let mut faults = Vec::new();
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut left = MAX_ALL_BYTES;
    for at in 0..zip.len() {
        let file = zip.by_index(at)?;
        let name = file.name()?.into_owned();
        if !is_safe(&name) {
            faults.push(format!("`{}`: a name that is not ours", name.escape_debug()));
            continue;
        }
        let most = if name == INDEX {
            MAX_INDEX_BYTES
        } else {
            MAX_CONTENT_BYTES
        }
        .min(left);
        let mut content = Vec::new();
        // A claimed size proves nothing: what comes out is counted.
        let read = file.take(most + 1).read_to_end(&mut content);
        if let Err(error) = read {
            faults.push(format!("`{name}`: {error}"));
            continue;
        }
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        if size > most {
            return Err(DossierError::Foreign(format!(
                "`{name}` unpacks to more than {most} bytes"
            )));
        }
        left -= size;
        if files.insert(name.clone(), content).is_some() {
            faults.push(format!("`{name}`: stands in the file twice"));
        }
    }
    let index = files
        .get(INDEX)
        .ok_or_else(|| DossierError::Foreign(format!("no `{INDEX}` in it")))?;
    let index: Index = serde_json::from_slice(index)?;
    if index.format != FORMAT {
        return Err(DossierError::Foreign(format!(
            "format `{}`, wanted `{FORMAT}`",
            index.format.escape_debug()
        )));
    }
    check_contents(&index, &files, &mut faults);
    check_chain(&index, files.get(CHAIN).map(Vec::as_slice), &mut faults);
    Ok(Dossier { index, files, faults })
}

/// Our own names: a folder of letters, a file that does not climb.
fn is_safe(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && !part
                .chars()
                .any(|c| c.is_control() || matches!(c, '\\' | ':' | '/'))
    };
    match name.split('/').collect::<Vec<_>>().as_slice() {
        [file] => *file == INDEX || *file == CHAIN,
        [folder, file] => {
            folder.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && part(folder) && part(file)
        }
        _ => false,
    }
}

fn check_contents(index: &Index, files: &BTreeMap<String, Vec<u8>>, faults: &mut Vec<String>) {
    let mut named: BTreeSet<&str> = BTreeSet::from([INDEX, CHAIN]);
    for Listed { file, entry } in &index.entries {
        let Some(file) = file else { continue };
        named.insert(file);
        let what = format!("`{file}` ({} `{}`)", entry.kind, entry.subject);
        match files.get(file) {
            None => faults.push(format!("{what}: missing")),
            Some(bytes) if sha256_hex(bytes) != entry.sha256 => {
                faults.push(format!("{what}: its bytes have changed"));
            }
            Some(_) => {}
        }
    }
    for name in files.keys().filter(|name| !named.contains(name.as_str())) {
        faults.push(format!("`{name}`: no entry names it"));
    }
}

fn check_chain(index: &Index, chain: Option<&[u8]>, faults: &mut Vec<String>) {
    let text = String::from_utf8_lossy(chain.unwrap_or_default());
    let bodies: Vec<&str> = text.lines().collect();
    let wanted = index
        .last
        .checked_sub(index.first)
        .and_then(|span| span.checked_add(1));
    if wanted != i64::try_from(bodies.len()).ok() {
        faults.push(format!(
            "`{CHAIN}`: {} lines, wanted one for each entry {}..{}",
            bodies.len(),
            index.first,
            index.last
        ));
        return;
    }
    let mut own: BTreeMap<i64, &Entry> = BTreeMap::new();
    for Listed { entry, .. } in &index.entries {
        if own.insert(entry.seq, entry).is_some() {
            faults.push(format!("entry {} stands in the index twice", entry.seq));
        }
    }
    let mut hash = index.previous.clone();
    let mut broken = false;
    for (at, body) in (0_i64..).zip(bodies) {
        // Within the bounds: the lines are as many as the entries of the stretch.
        let seq = index.first.saturating_add(at);
        if let Some(entry) = own.remove(&seq) {
            let what = format!("entry {seq} ({} `{}`)", entry.kind, entry.subject);
            if entry.computed(&index.account) != entry.hash {
                faults.push(format!("{what}: the entry itself was changed"));
            } else if !broken && (entry.previous != hash || entry.body() != body) {
                faults.push(format!("{what}: it does not follow the entries before it"));
                broken = true;
            }
        }
        hash = link(&index.account, seq, &hash, body);
    }
    for entry in own.values() {
        faults.push(format!(
            "entry {} ({} `{}`): outside the chain of this file",
            entry.seq, entry.kind, entry.subject
        ));
    }
    if hash != index.hash {
        faults.push(format!(
            "`{CHAIN}`: it does not end with the hash the index names"
        ));
    }
}
