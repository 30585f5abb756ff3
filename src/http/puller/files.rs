//! Streams that are read from a folder: which files are new, which one is the stock of now, and what each holds.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration as Span;

use chrono::{DateTime, Utc};

use super::{Aside, AsideWhat, PulledPage, Step, StreamRun, misconfigured};
use crate::connector::Bound;
use crate::connector::decode::{Content, parse, unpack};
use crate::connector::file_name::NamePattern;
use crate::connector::made::Found;
use crate::connector::rows::PageRows;
use crate::connector::window::FileMark;
use crate::delivery::{Earlier, Sight, Visit};
use crate::digest::sha256_hex;
use crate::http::{Failure, FailureKind, Pace};
use crate::problem::Problem;
use crate::transport::source_folder::{Exports, SourceFolder};

mod page;

use page::wrong;

/// Marks of files that are not there any more: so that one that comes back is known.
const MOST_GONE: usize = 1_000;

/// What is still to be given.
pub(super) struct Shelf {
    asides: VecDeque<Aside>,
    queue: VecDeque<Export>,
    /// Names of all files that are there.
    there: BTreeSet<String>,
}

struct Export {
    sight: Sight,
    /// When it was made; or what is wrong with it.
    made: Result<DateTime<Utc>, Vec<Problem>>,
}

impl Export {
    fn at(&self) -> DateTime<Utc> {
        self.made
            .as_ref()
            .map_or_else(|_| modified(&self.sight), |made| *made)
    }
}

/// What a file holds, or why it was put aside.
enum Held {
    Page(Box<PulledPage>, FileMark),
    /// Nothing of the warehouse that is asked for.
    Elsewhere,
    Aside(AsideWhat),
    /// These bytes were read before.
    Known(FileMark),
}

fn modified(sight: &Sight) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(sight.modified).unwrap_or(DateTime::UNIX_EPOCH)
}

fn is_sight_of(mark: &FileMark, sight: &Sight) -> bool {
    (mark.name.as_str(), mark.size, mark.modified) == (sight.name.as_str(), sight.size, sight.modified)
}

impl StreamRun<'_> {
    pub(super) async fn next_file(&mut self) -> Result<Option<Step>, Failure> {
        if self.shelf.is_none() {
            self.shelf = Some(self.stack().await?);
        }
        loop {
            let Some(shelf) = &mut self.shelf else {
                return Ok(None);
            };
            if let Some(aside) = shelf.asides.pop_front() {
                return Ok(Some(Step::Aside(aside)));
            }
            let Some(export) = shelf.queue.pop_front() else {
                return Ok(None);
            };
            match self.hold(&export).await? {
                Held::Page(page, mark) => {
                    if self.is_stock() {
                        // The newest one is the stock; those before it are history.
                        self.clear();
                    }
                    self.remember(mark);
                    return Ok(Some(Step::Page(page)));
                }
                Held::Known(mark) => {
                    if self.is_stock() {
                        self.clear();
                        return Ok(None);
                    }
                    self.remember(mark);
                    return Ok(Some(Step::Checkpoint));
                }
                Held::Elsewhere => {
                    if self.queue_is_empty() && self.resume.until.is_none() {
                        return Err(self.no_file("none of those there has a row of it"));
                    }
                }
                Held::Aside(what) => {
                    let aside = Aside {
                        file: export.sight.name.clone(),
                        what,
                    };
                    return Ok(Some(Step::Aside(aside)));
                }
            }
        }
    }

    fn is_stock(&self) -> bool {
        self.asked.is_some()
    }

    fn clear(&mut self) {
        if let Some(shelf) = &mut self.shelf {
            shelf.queue.clear();
        }
    }

    fn queue_is_empty(&self) -> bool {
        self.shelf.as_ref().is_none_or(|shelf| shelf.queue.is_empty())
    }

    fn folder(&self) -> Option<SourceFolder> {
        let files = self.bound.definition.file.files.as_ref()?;
        Some(SourceFolder {
            path: self.bound.folder.clone()?,
            settle: match self.client.pace {
                Pace::Real => Span::from_secs(files.settle_seconds),
                // Where "now" is an argument nobody is writing.
                Pace::Skip => Span::ZERO,
            },
            max_bytes: files.max_file_bytes,
        })
    }

    fn patterns(&self) -> Result<Vec<(String, NamePattern)>, Failure> {
        let code = self.asked.as_ref().map(|(code, _)| code.as_str());
        self.bound.file_patterns(self.stream, code).map_err(misconfigured)
    }

    fn no_file(&self, why: &str) -> Failure {
        let names: Vec<String> = self
            .patterns()
            .unwrap_or_default()
            .into_iter()
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        let folder = self.bound.folder.as_deref().unwrap_or(std::path::Path::new(""));
        let of = match &self.asked {
            Some((code, _)) => format!(" for warehouse `{code}`"),
            None => String::new(),
        };
        let text = format!(
            "no file {}{of} in {}: {why}",
            names.join(" or "),
            folder.display()
        );
        Failure::new(FailureKind::NoFile, text)
    }

    /// What lies in the folder, in the order it is to be read.
    async fn stack(&mut self) -> Result<Shelf, Failure> {
        let exports = self.exports().await?;
        let mut shelf = Shelf {
            asides: VecDeque::new(),
            queue: VecDeque::new(),
            there: exports.files.iter().map(|sight| sight.name.clone()).collect(),
        };
        if exports.files.is_empty() && self.resume.files.is_empty() {
            let why = match (exports.growing.first(), exports.refused.first()) {
                (Some(name), _) => format!("`{name}` is still being written; next time"),
                (None, Some(problem)) => problem.to_string(),
                (None, None) => "nothing there has such a name".to_owned(),
            };
            return Err(self.no_file(&why));
        }
        let growing = exports.growing.into_iter().map(|file| Aside {
            file,
            what: AsideWhat::Growing,
        });
        let refused = exports.refused.into_iter().map(|problem| Aside {
            file: problem.file.clone(),
            what: AsideWhat::Wrong(vec![problem]),
        });
        shelf.asides = growing.chain(refused).collect();
        let mut queue = Vec::new();
        for sight in exports.files {
            let mark = self
                .resume
                .files
                .iter()
                .find(|mark| is_sight_of(mark, &sight))
                .cloned();
            if self.is_stock() {
                let made = match &mark {
                    Some(mark) => Ok(mark.made),
                    None => self.date(&sight).await?,
                };
                queue.push(Export { sight, made });
                continue;
            }
            match mark {
                Some(mark) if self.is_done(&mark) => {
                    if let Some((rows, _)) = mark.kept_out {
                        shelf.asides.push_back(Aside {
                            file: sight.name,
                            what: AsideWhat::KeptOut(rows),
                        });
                    }
                }
                _ => {
                    let made = self.date(&sight).await?;
                    queue.push(Export { sight, made });
                }
            }
        }
        queue.sort_by(|a, b| {
            let key = |export: &Export| (export.at(), export.sight.modified, export.sight.name.clone());
            key(a).cmp(&key(b))
        });
        if self.is_stock() {
            // The newest first; what is older than the stock that is known tells nothing new.
            queue.reverse();
            if let Some(known) = self.resume.until {
                queue.retain(|export| export.at() >= known);
            }
        }
        shelf.queue = queue.into();
        Ok(shelf)
    }

    /// Rows that another version of the connector file kept out may be good now.
    fn is_done(&self, mark: &FileMark) -> bool {
        mark.sha256.is_some()
            && mark
                .kept_out
                .as_ref()
                .is_none_or(|(_, by)| *by == self.bound.definition.sha256)
    }

    async fn exports(&self) -> Result<Exports, Failure> {
        let patterns = self.patterns()?;
        let wanted = |name: &str| patterns.iter().any(|(_, pattern)| pattern.fits(name));
        if self.client.plays() {
            let files = self.client.played_files(self.name);
            return Ok(Exports {
                files: files.into_iter().filter(|sight| wanted(&sight.name)).collect(),
                ..Exports::default()
            });
        }
        let Some(folder) = self.folder() else {
            return Err(misconfigured("there is no folder to read"));
        };
        // What was read before and looks the same stands.
        let visit = Visit::thorough(self.resume.files.iter().map(|mark| Earlier {
            sight: Sight {
                name: mark.name.clone(),
                size: mark.size,
                modified: mark.modified,
            },
            settled: true,
            recent: false,
            sha256: None,
        }));
        folder.exports(&visit, wanted).await.map_err(|error| {
            let why =
                std::error::Error::source(&error).map_or_else(String::new, |source| format!(": {source}"));
            Failure::new(FailureKind::Unreachable, format!("{error}{why}"))
        })
    }

    async fn bytes(&self, sight: &Sight) -> Result<Result<Vec<u8>, AsideWhat>, Failure> {
        if self.client.plays() {
            return self.client.played_file(self.name, &sight.name).map(Ok);
        }
        let Some(folder) = self.folder() else {
            return Err(misconfigured("there is no folder to read"));
        };
        Ok(match folder.read(sight).await {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(AsideWhat::Growing),
            Err(problem) => Err(AsideWhat::Wrong(vec![problem])),
        })
    }

    /// When a file was made. It is opened only where the connector file looks for the time inside.
    async fn date(&self, sight: &Sight) -> Result<Result<DateTime<Utc>, Vec<Problem>>, Failure> {
        let found = Found {
            name: &sight.name,
            modified: modified(sight),
            now: self.started,
        };
        let stream = (self.stream, self.reading);
        if !Bound::is_dated_inside(self.stream) {
            return Ok(self
                .bound
                .made(stream, found, None)
                .map_err(|problem| vec![*problem]));
        }
        let bytes = if self.client.plays() {
            // It is read again for its rows: a tape gives each answer once.
            self.client.peeked_file(self.name, &sight.name)
        } else {
            match self.bytes(sight).await? {
                Ok(bytes) => bytes,
                Err(AsideWhat::Wrong(problems)) => return Ok(Err(problems)),
                Err(_) => return Ok(Ok(modified(sight))),
            }
        };
        Ok(self.dated(found, &bytes))
    }

    fn dated(&self, found: Found<'_>, bytes: &[u8]) -> Result<DateTime<Utc>, Vec<Problem>> {
        let limit = self.bound.definition.file.max_bytes();
        let unpacked = unpack(&self.stream.decode, bytes, limit);
        let unpacked = unpacked.map_err(|error| wrong(found.name, &error.to_string()))?;
        let mut page = parse(&self.stream.decode, &unpacked, &self.reading.want)
            .map_err(|error| wrong(found.name, &error.to_string()))?;
        let stream = (self.stream, self.reading);
        let Content::Table(table) = &mut page.content else {
            return self
                .bound
                .made(stream, found, None)
                .map_err(|problem| vec![*problem]);
        };
        let heads = self.bound.heads(self.name);
        table
            .find_header(&|head| heads.name_of(head), &[])
            .map_err(|error| wrong(found.name, &error.to_string()))?;
        let inside = table
            .as_written()
            .map(|written| (written, table.header.as_slice()));
        self.bound
            .made(stream, found, inside)
            .map_err(|problem| vec![*problem])
    }

    async fn hold(&mut self, export: &Export) -> Result<Held, Failure> {
        let sight = &export.sight;
        let made = match &export.made {
            Ok(made) => *made,
            Err(problems) => return Ok(Held::Aside(AsideWhat::Wrong(problems.clone()))),
        };
        let bytes = match self.bytes(sight).await? {
            Ok(bytes) => bytes,
            Err(what) => return Ok(Held::Aside(what)),
        };
        let sha256 = sha256_hex(&bytes);
        let known = self
            .resume
            .files
            .iter()
            .find(|mark| mark.sha256.as_deref() == Some(sha256.as_str()) && self.is_done(mark));
        let mark = FileMark {
            name: sight.name.clone(),
            size: sight.size,
            modified: sight.modified,
            made,
            sha256: Some(sha256),
            kept_out: None,
        };
        // The same bytes under a name of a later time say that nothing has moved; saved once more they say nothing.
        let says_later = self.is_stock()
            && self.resume.until.is_some_and(|until| made > until)
            && made != modified(sight).min(self.started);
        if let Some(known) = known.filter(|_| !says_later) {
            return Ok(Held::Known(FileMark {
                made: known.made,
                kept_out: known.kept_out.clone(),
                ..mark
            }));
        }
        self.client.keep_file(self.name, sight, &bytes);
        match self.page(&sight.name, made, &bytes) {
            Err(problems) => Ok(Held::Aside(AsideWhat::Wrong(problems))),
            Ok(page) if self.is_elsewhere(&page.rows) => Ok(Held::Elsewhere),
            Ok(page) => {
                let by = || self.bound.definition.sha256.clone();
                let kept_out = page.rows.rejected_count;
                let mark = FileMark {
                    kept_out: (kept_out > 0).then(|| (kept_out, by())),
                    ..mark
                };
                Ok(Held::Page(Box::new(page), mark))
            }
        }
    }

    /// A file of several warehouses without a row of the one that is asked for does not say that it is empty.
    fn is_elsewhere(&self, rows: &PageRows) -> bool {
        self.is_stock()
            && self.bound.is_shared(self.stream)
            && rows.facts.is_empty()
            && rows.rejected_count == 0
    }

    fn remember(&mut self, mark: FileMark) {
        let there = self
            .shelf
            .as_ref()
            .map(|shelf| shelf.there.clone())
            .unwrap_or_default();
        let files = &mut self.resume.files;
        files
            .retain(|known| known.name != mark.name || known.sha256 != mark.sha256 && known.sha256.is_some());
        self.resume.until = Some(self.resume.until.map_or(mark.made, |until| until.max(mark.made)));
        if self.asked.is_some() {
            files.clear();
        }
        files.push(mark);
        let gone = files.iter().filter(|mark| !there.contains(&mark.name)).count();
        let mut surplus = gone.saturating_sub(MOST_GONE);
        files.retain(|mark| {
            let drop = surplus > 0 && !there.contains(&mark.name);
            surplus -= usize::from(drop);
            !drop
        });
    }
}
