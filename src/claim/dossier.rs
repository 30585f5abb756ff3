//! The file that goes to the other side (R69): a ZIP with an index, a letter, the evidence, and the hashes of all of it. The same facts
//! give the same bytes; what is missing or must not leave is said on a page of its own.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::case::Case;
use super::evidence::{Paper, Tag};
use super::letter;
use super::paper::{self, Block, PaperError};
use super::state::Claim;
use super::window::Window;
use crate::digest::sha256_hex;
use crate::pack::sealed::{SealError, sealed};
use crate::wording::Lang;

pub const INDEX: &str = "00-index.pdf";
pub const LETTER: &str = "01-letter.pdf";
pub const LETTER_TEXT: &str = "01-letter.txt";
pub const FACTS: &str = "claim.json";
/// Of several claims in one file.
pub const COVER: &str = "00-claims.pdf";
pub const COVER_TEXT: &str = "00-claims.txt";
const MAX_NAME_CHARS: usize = 100;
/// Beyond this no mail and no ticket takes it.
const MAX_BYTES: usize = 512 << 20;

/// One paper with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub paper: Paper,
    pub name: String,
    pub tag: Tag,
    pub note: String,
    pub bytes: Vec<u8>,
}

/// Something that happened to the goods, in words as they were told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Happened {
    pub at: DateTime<Utc>,
    pub zh: String,
    pub en: String,
    pub source: String,
}

impl Happened {
    pub(super) fn text(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// Everything a dossier tells.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub claim: &'a Claim,
    pub case: &'a Case,
    pub window: Option<&'a Window>,
    /// Name of the regime in both languages.
    pub regime: (&'a str, &'a str),
    /// Who claims.
    pub seller: &'a str,
    /// Who is asked, by name.
    pub to: &'a str,
    pub shipped: i64,
    /// As the warehouse reports it; `None` where it does not.
    pub received: Option<i64>,
    pub damaged: Option<i64>,
    pub happened: &'a [Happened],
    pub items: &'a [Item],
    /// Needed, and nowhere.
    pub missing: &'a [Paper],
}

/// A paper in the file, or why it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed<'a> {
    pub item: &'a Item,
    pub path: String,
    pub sha256: String,
}

#[derive(Debug, thiserror::Error)]
pub enum DossierError {
    #[error("write the dossier's papers")]
    Paper(#[from] PaperError),
    #[error("write the dossier's zip file")]
    Seal(#[from] SealError),
    #[error("write the dossier's facts")]
    Json(#[from] serde_json::Error),
    #[error("the evidence has {0} bytes: more than can be sent anywhere")]
    Size(usize),
}

/// The letter as text, in both languages.
#[must_use]
pub fn letter_text(facts: &Facts<'_>) -> String {
    letter::text_of(&letter::letter(facts))
}

/// The ZIP.
///
/// # Errors
/// When a paper cannot be written.
pub fn write(facts: &Facts<'_>) -> Result<Vec<u8>, DossierError> {
    small_enough(&[facts])?;
    Ok(sealed(files(facts)?)?)
}

/// One file for several claims against one party: a cover that names them with what they come to, and a folder for each.
///
/// # Errors
/// When a paper cannot be written.
pub fn write_several(several: &[&Facts<'_>]) -> Result<Vec<u8>, DossierError> {
    small_enough(several)?;
    let mut several = several.to_vec();
    several.sort_by(|a, b| a.claim.number.cmp(&b.claim.number));
    let cover = letter::cover(&several);
    let title = "claims";
    let mut all = vec![
        (COVER.to_owned(), paper::pdf(title, title, &cover)?),
        (COVER_TEXT.to_owned(), letter::text_of(&cover).into_bytes()),
    ];
    for facts in several {
        let folder = safe(&facts.claim.number);
        let own = files(facts)?.into_iter();
        all.extend(own.map(|(path, bytes)| (format!("{folder}/{path}"), bytes)));
    }
    Ok(sealed(all)?)
}

fn small_enough(several: &[&Facts<'_>]) -> Result<(), DossierError> {
    let items = several.iter().flat_map(|facts| facts.items);
    let size = items.map(|item| item.bytes.len()).sum();
    if size > MAX_BYTES {
        return Err(DossierError::Size(size));
    }
    Ok(())
}

/// Index, letter twice, facts, and the evidence.
fn files(facts: &Facts<'_>) -> Result<Vec<(String, Vec<u8>)>, DossierError> {
    let listed = listed(facts.items);
    let withheld: Vec<&Item> = facts.items.iter().filter(|item| !item.tag.may_leave()).collect();
    let number = &facts.claim.number;
    let blocks = letter::letter(facts);
    let mut files: Vec<(String, Vec<u8>)> = vec![
        (
            INDEX.to_owned(),
            paper::pdf(
                &format!("{number} index"),
                number,
                &letter::index(facts, &listed, &withheld),
            )?,
        ),
        (
            LETTER.to_owned(),
            paper::pdf(&format!("{number} letter"), number, &blocks)?,
        ),
        (LETTER_TEXT.to_owned(), letter::text_of(&blocks).into_bytes()),
        (FACTS.to_owned(), machine(facts, &listed, &withheld)?),
    ];
    let mut seen = BTreeSet::new();
    for one in &listed {
        // One content may prove two things; it is in the file once.
        if seen.insert(one.path.clone()) {
            files.push((one.path.clone(), one.item.bytes.clone()));
        }
    }
    Ok(files)
}

/// Those that may leave, by kind, name and content, each with its place in the file.
fn listed(items: &[Item]) -> Vec<Listed<'_>> {
    let mut leaving: Vec<(&Item, String)> = items
        .iter()
        .filter(|item| item.tag.may_leave())
        .map(|item| (item, sha256_hex(&item.bytes)))
        .collect();
    leaving.sort_by(|(a, a_hash), (b, b_hash)| {
        (a.paper, &a.name, a_hash, &a.note).cmp(&(b.paper, &b.name, b_hash, &b.note))
    });
    let mut listed: Vec<Listed<'_>> = Vec::new();
    for (item, sha256) in leaving {
        let known = listed.iter().find(|one| one.sha256 == sha256);
        let path = known.map_or_else(
            || {
                let number = listed.iter().map(|one| &one.path).collect::<BTreeSet<_>>().len() + 1;
                format!("evidence/{number:03}-{}-{}", item.paper.code(), safe(&item.name))
            },
            |known| known.path.clone(),
        );
        listed.push(Listed { item, path, sha256 });
    }
    listed
}

/// What foreign names carry in is left out of the path.
fn safe(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let safe: String = name
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(MAX_NAME_CHARS)
        .collect();
    let safe = safe.trim_matches('.').to_owned();
    if safe.is_empty() { "paper".to_owned() } else { safe }
}

fn machine(
    facts: &Facts<'_>,
    listed: &[Listed<'_>],
    withheld: &[&Item],
) -> Result<Vec<u8>, serde_json::Error> {
    let papers: Vec<_> = listed
        .iter()
        .map(|one| {
            serde_json::json!({
                "paper": one.item.paper.code(),
                "name": one.item.name,
                "file": one.path,
                "sha256": one.sha256,
            })
        })
        .collect();
    let case = facts.case;
    let mut bytes = serde_json::to_vec_pretty(&serde_json::json!({
        "format": "linkstar-claim-1",
        "claim": facts.claim,
        "proposal": case.proposal,
        "window": facts.window,
        "shipped": facts.shipped,
        "received": facts.received,
        "damaged": facts.damaged,
        "papers": papers,
        "withheld": withheld.iter().map(|item| item.paper.code()).collect::<Vec<_>>(),
        "missing": facts.missing.iter().map(|paper| paper.code()).collect::<Vec<_>>(),
    }))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The blocks of the index, for who only wants to look.
#[must_use]
pub fn index_text(facts: &Facts<'_>) -> String {
    let listed = listed(facts.items);
    let withheld: Vec<&Item> = facts.items.iter().filter(|item| !item.tag.may_leave()).collect();
    letter::text_of(&letter::index(facts, &listed, &withheld))
}

pub(super) type Blocks = Vec<Block>;

#[cfg(test)]
mod tests;
