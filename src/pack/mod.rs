//! Packs: everything that export customs' agent (R44) or the importer's broker (R48) needs, as one ZIP with an index and
//! hashes. A pack that lacks something says what, who owes it and until when, and is not written.

mod assemble;
mod export;
pub mod sealed;
mod tariff;

use chrono::NaiveDate;

use crate::claim::paper::{self, Block};
use crate::digest::sha256_hex;
use crate::problem::Problem;
use crate::wording::{Lang, text};

pub use assemble::{Paper, Request, assemble};
pub use sealed::{SealError, sealed};
pub use tariff::{Tariff, TariffRule};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackKind {
    Export,
    Import,
}

impl PackKind {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Import => "import",
        }
    }
}

/// A line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// `documents.name.…` or a text of its own, in both languages.
    pub zh: String,
    pub en: String,
    /// Who owes it: `shipper`, `importer`, `broker`, `forwarder`, `declarant`.
    pub who: &'static str,
    pub due: Option<NaiveDate>,
    /// What does it: file names, numbers. Empty: open.
    pub done_by: Vec<String>,
    /// It can follow later without stopping the pack.
    pub may_follow: bool,
}

impl Task {
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.done_by.is_empty()
    }

    fn words(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// A file in the pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Inside the ZIP: `documents/…`, `certificates/…`.
    pub path: String,
    pub bytes: Vec<u8>,
}

/// What a pack holds and lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pack {
    pub kind: PackKind,
    pub order: String,
    pub revision: u32,
    pub country: String,
    pub files: Vec<Packed>,
    pub tasks: Vec<Task>,
    /// What keeps it from being complete.
    pub problems: Vec<Problem>,
    /// Documents that could have been added and were not, and why: an order may do without them.
    pub left_out: Vec<Problem>,
}

const LANGS: [Lang; 2] = [Lang::Zh, Lang::En];

fn both(key: &str, places: &[(&str, &str)]) -> String {
    LANGS.map(|lang| text(lang, key, places)).join(" / ")
}

impl Pack {
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.problems.is_empty() && self.tasks.iter().all(|task| task.may_follow || !task.is_open())
    }

    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}-R{}-{}-pack.zip", self.order, self.revision, self.kind.code())
    }

    /// The ZIP. The same pack gives the same bytes.
    ///
    /// # Errors
    /// When the pack lacks something, or a paper cannot be set.
    pub fn write(&self) -> Result<Vec<u8>, SealError> {
        if !self.is_complete() {
            return Err(SealError::Incomplete);
        }
        let title = both(
            &format!("pack.title.{}", self.kind.code()),
            &[("order", &self.order)],
        );
        let mut files = vec![
            (
                "00-index.pdf".to_owned(),
                paper::pdf(&title, &self.order, &self.index(&title))?,
            ),
            ("pack.json".to_owned(), self.machine()?),
        ];
        files.extend(
            self.files
                .iter()
                .map(|file| (file.path.clone(), file.bytes.clone())),
        );
        sealed(files)
    }

    fn index(&self, title: &str) -> Vec<Block> {
        let heads = |keys: &[&str]| {
            keys.iter()
                .map(|key| both(&format!("pack.head.{key}"), &[]))
                .collect()
        };
        let mut rows: Vec<Vec<String>> = vec![heads(&["what", "who", "due", "state"])];
        rows.extend(self.tasks.iter().map(|task| {
            vec![
                LANGS.map(|lang| task.words(lang).to_owned()).join(" / "),
                both(&format!("pack.who.{}", task.who), &[]),
                task.due.map_or_else(String::new, |day| day.to_string()),
                match task.is_open() {
                    true => both("pack.follows", &[]),
                    false => task.done_by.join(", "),
                },
            ]
        }));
        let mut contents: Vec<Vec<String>> = vec![heads(&["file", "sha256"])];
        contents.extend(
            self.files
                .iter()
                .map(|file| vec![file.path.clone(), sha256_hex(&file.bytes)]),
        );
        let country = both("pack.country", &[("country", &self.country)]);
        let mut blocks = vec![
            Block::Title(title.to_owned()),
            Block::Text(format!("R{} · {country}", self.revision)),
            Block::Heading(both("pack.checklist", &[])),
            Block::Table {
                shares: vec![38, 16, 14, 32],
                rows,
            },
            Block::Heading(both("pack.contents", &[])),
            Block::Table {
                shares: vec![48, 52],
                rows: contents,
            },
        ];
        if !self.left_out.is_empty() {
            blocks.push(Block::Heading(both("pack.left_out", &[])));
            blocks.extend(
                self.left_out
                    .iter()
                    .map(|problem| Block::Note(problem.to_string())),
            );
        }
        blocks
    }

    fn machine(&self) -> Result<Vec<u8>, SealError> {
        let tasks = self.tasks.iter().map(|task| {
            serde_json::json!({
                "what": task.en,
                "who": task.who,
                "due": task.due,
                "done_by": task.done_by,
            })
        });
        let files = self
            .files
            .iter()
            .map(|file| serde_json::json!({"file": file.path, "sha256": sha256_hex(&file.bytes)}));
        let mut bytes = serde_json::to_vec_pretty(&serde_json::json!({
            "format": "linkstar-pack-1",
            "kind": self.kind.code(),
            "order": self.order,
            "revision": self.revision,
            "country": self.country,
            "checklist": tasks.collect::<Vec<_>>(),
            "files": files.collect::<Vec<_>>(),
        }))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}
