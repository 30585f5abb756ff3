//! Runs one stream: windows, values, pages, reports. Gives one step at a time, so that the caller commits rows and cursor
//! together before the next request goes out.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Duration, Utc};

use super::call::{Ask, Reads};
use super::{Client, Failure, FailureKind};
use crate::clock::Clock;
use crate::connector::Bound;
use crate::connector::decode::DecodeError;
use crate::connector::definition::{Call, CursorKind, Stream};
use crate::connector::load::Reading;
use crate::connector::paging::Pager;
use crate::connector::pipe::TimeFormat;
use crate::connector::request::Fresh;
use crate::connector::rows::Seen;
use crate::connector::rows::{PageRows, Reader};
use crate::connector::template::Places;
use crate::connector::window::{Resume, Window, ends};
use crate::ids::WarehouseCode;
use crate::problem::Problem;

mod files;
mod page;
mod report;

use files::Shelf;

/// One step of a stream.
#[derive(Debug)]
pub enum Step {
    /// Something is under way at the source: write down [`StreamRun::resume`] before going on.
    Checkpoint,
    Page(Box<PulledPage>),
    /// The source did not answer for this window, without being at fault: it is a gap and is asked for again.
    LeftOut(Window, String),
    /// A file that is not read, or not any more.
    Aside(Aside),
    /// The source may not be asked yet; what was not asked for comes with the next pull.
    Resting(String),
}

/// A file that nothing was taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    pub file: String,
    pub what: AsideWhat,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AsideWhat {
    /// Somebody is still writing it.
    Growing,
    /// What is wrong with it.
    Wrong(Vec<Problem>),
    /// It was read before, and so many of its rows were kept out.
    KeptOut(u64),
}

/// The file that rows came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadFile {
    pub name: String,
    pub made: DateTime<Utc>,
}

/// An answer and what was read from it.
#[derive(Debug)]
pub struct PulledPage {
    pub rows: PageRows,
    /// What other streams read in the same answer, by their names.
    pub also: Vec<(String, PageRows)>,
    /// The answer as it came, or what may be stored of it.
    pub raw: Vec<u8>,
    pub window: Option<Window>,
    /// Whether this ends its window; then [`StreamRun::resume`] has moved on.
    pub last: bool,
    /// Where it is no answer but a file.
    pub file: Option<ReadFile>,
}

/// One run of one stream.
pub struct StreamRun<'a> {
    client: &'a Client,
    bound: &'a Bound,
    clock: &'a dyn Clock,
    name: &'a str,
    stream: &'a Stream,
    reading: &'a Reading,
    started: DateTime<Utc>,
    /// To be stored with the rows of the step that was just given.
    pub resume: Resume,
    asked: Option<(String, WarehouseCode)>,
    elsewhere: Option<&'a WarehouseCode>,
    parent: Option<BTreeMap<String, String>>,
    below: bool,
    windows: Option<VecDeque<Option<Window>>>,
    /// The values of `each`, one combination after the other, and which of them is asked for.
    values: Vec<BTreeMap<String, String>>,
    value: usize,
    pager: Pager,
    restarts: u32,
    seen: Seen,
    pages: u64,
    /// The files still to be read, once they were looked for.
    shelf: Option<Shelf>,
}

fn wrong(error: &DecodeError) -> Failure {
    Failure::new(FailureKind::WrongSchema, error.to_string())
}

fn misconfigured(why: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Configuration, why)
}

impl<'a> StreamRun<'a> {
    /// # Errors
    /// When there is no such stream.
    pub fn new(
        client: &'a Client,
        bound: &'a Bound,
        clock: &'a dyn Clock,
        name: &'a str,
        resume: Resume,
    ) -> Result<Self, Failure> {
        let (stream, reading) = bound
            .stream(name)
            .ok_or_else(|| misconfigured(format!("there is no stream `{name}`")))?;
        let below = bound.definition.children(name).next().is_some();
        Ok(Self {
            client,
            bound,
            clock,
            name,
            stream,
            reading,
            started: clock.now(),
            resume,
            asked: None,
            elsewhere: None,
            parent: None,
            below,
            windows: None,
            values: values(bound, stream, true)?,
            value: 0,
            seen: Seen::default(),
            pager: Pager::default(),
            restarts: 0,
            pages: 0,
            shelf: None,
        })
    }

    /// For a stock stream: the warehouse whose snapshot is asked for, in the provider's code and ours.
    #[must_use]
    pub fn for_warehouse(mut self, warehouse: (String, WarehouseCode)) -> Self {
        self.asked = Some(warehouse);
        self
    }

    /// Takes rows of warehouses that are not configured too, as being about this one.
    #[must_use]
    pub fn counting_elsewhere_for(mut self, warehouse: &'a WarehouseCode) -> Self {
        self.elsewhere = Some(warehouse);
        self
    }

    /// The names to ask for, of a stream that asks for references.
    ///
    /// # Errors
    /// When a value of `each` cannot be filled.
    pub fn asking_for(mut self, references: &[String]) -> Result<Self, Failure> {
        let batch = self.stream.references.as_ref().map_or(1, |of| of.batch.max(1));
        // A comma parts them; no number has one.
        let good: Vec<&str> = references
            .iter()
            .map(|name| name.trim())
            .filter(|name| !name.is_empty() && !name.contains(','))
            .collect();
        let before = values(self.bound, self.stream, false)?;
        self.values = good
            .chunks(batch)
            .flat_map(|chunk| {
                before.iter().map(|values| {
                    let mut values = values.clone();
                    values.insert("references".to_owned(), chunk.join(","));
                    values
                })
            })
            .collect();
        Ok(self)
    }

    /// For a stream below another: the mapped texts of the parent row.
    #[must_use]
    pub fn below(mut self, parent: BTreeMap<String, String>) -> Self {
        self.parent = Some(parent);
        self
    }

    /// The next step; None when the stream is done.
    ///
    /// # Errors
    /// When the stream cannot go on. What was given before stays valid; [`StreamRun::resume`] says where to go on.
    pub async fn next(&mut self) -> Result<Option<Step>, Failure> {
        if self.bound.folder.is_some() {
            return self.next_file().await;
        }
        if let (Some(pending), Some(report)) = (self.resume.report.clone(), &self.stream.report) {
            if self.started - pending.asked_at <= Duration::hours(i64::from(report.keep_hours)) {
                return self.read_report(report, &pending).await.map(Some);
            }
            self.resume.report = None;
        }
        if self.windows.is_none() {
            let windows = self.plan_windows()?;
            self.resume.todo = Some(windows.iter().flatten().copied().collect());
            self.windows = Some(windows);
        }
        let Some(window) = self.windows.as_ref().and_then(|windows| windows.front().copied()) else {
            return Ok(None);
        };
        match (&self.stream.report, &self.stream.request) {
            (Some(report), _) => {
                // Without a cursor a report is about the present.
                let window = window.unwrap_or(Window {
                    from: self.started,
                    to: self.started,
                });
                if let Some(rest) = self.must_rest(report) {
                    self.windows = Some(VecDeque::new());
                    return Ok(Some(Step::Resting(rest)));
                }
                self.create_report(report, window).await?;
                self.drop_window();
                Ok(Some(Step::Checkpoint))
            }
            (None, Some(call)) => self.read_page(call, window).await.map(Some),
            (None, None) => Err(misconfigured(format!(
                "stream `{}` needs a request or a report",
                self.name
            ))),
        }
    }

    fn drop_window(&mut self) {
        if let Some(windows) = &mut self.windows {
            windows.pop_front();
        }
    }

    fn plan_windows(&mut self) -> Result<VecDeque<Option<Window>>, Failure> {
        let (Some(cursor), Some(days)) = (
            &self.stream.cursor,
            self.stream
                .cursor
                .as_ref()
                .and_then(|cursor| cursor.start_days.as_ref()),
        ) else {
            return Ok(VecDeque::from([None]));
        };
        if cursor.kind == CursorKind::Id {
            return Ok(VecDeque::from([None]));
        }
        let days = self.fill(days.get_ref())?;
        let days: u32 = days
            .trim()
            .parse()
            .map_err(|_| misconfigured(format!("`{days}` is no number of days to start with")))?;
        if !cursor.catch_up {
            self.resume.let_go(days, self.bound.zone, self.started);
        }
        Ok(self
            .resume
            .windows(cursor, days, self.bound.zone, self.started)
            .into_iter()
            .map(Some)
            .collect())
    }

    fn fill(&self, text: &str) -> Result<String, Failure> {
        self.bound.given.fill_text(text).map_err(misconfigured)
    }

    fn places(&self, window: Option<Window>) -> Result<Places, Failure> {
        let mut places = Places::default();
        self.pager.fill(&self.stream.page, &mut places);
        if let Some((code, _)) = &self.asked {
            places.text("warehouse", code);
        }
        for (name, value) in self.parent.iter().flatten() {
            places.text(&format!("parent.{name}"), value);
        }
        for (name, value) in self.values.get(self.value).into_iter().flatten() {
            places.text(&format!("each.{name}"), value);
            if name == "references" {
                let item = |one: &str| {
                    let mut item = Places::default();
                    item.text("reference", one);
                    item
                };
                places.list("references", value.split(',').map(item).collect());
            }
        }
        let Some(cursor) = &self.stream.cursor else {
            return Ok(places);
        };
        if cursor.kind == CursorKind::Id {
            let start = || self.fill(cursor.start.get_ref());
            places.text("after", self.resume.after.clone().map_or_else(start, Ok)?);
        } else if let Some(window) = window {
            let format = self.fill(cursor.format.get_ref())?;
            let zone = self.fill(cursor.zone.get_ref())?;
            let format = TimeFormat::parse(&format, &zone).map_err(misconfigured)?;
            let (from, to) = ends(window, &format, cursor.bounds);
            places.text("from", from);
            places.text("to", to);
        }
        Ok(places)
    }

    async fn ask(&self, call: &Call, places: &Places) -> Result<super::call::Answer, Failure> {
        self.ask_for(call, places, Reads::Json).await
    }

    async fn ask_for(
        &self,
        call: &Call,
        places: &Places,
        reads: Reads<'_>,
    ) -> Result<super::call::Answer, Failure> {
        let make = |fresh: &Fresh| {
            self.bound
                .request(call, places, Some((&self.stream.page, &self.pager)), fresh)
        };
        let ask = Ask {
            make: &make,
            limits: call.limits(),
            reads,
            authorised: true,
        };
        self.client.call(self.bound, self.clock, &ask).await
    }

    fn reader(&self) -> Reader<'_> {
        Reader {
            parent: self.parent.as_ref(),
            asked: self.asked.as_ref(),
            keep_texts: false,
            keep_below: self.below,
            now: Some(self.started),
            elsewhere: self.elsewhere,
            page: self.pages,
            file: None,
        }
    }
}

/// Every combination of the values of `each`; one that is empty when there are none.
fn values(bound: &Bound, stream: &Stream, probe: bool) -> Result<Vec<BTreeMap<String, String>>, Failure> {
    let mut all = vec![BTreeMap::new()];
    if let (Some(references), true) = (&stream.references, probe)
        && let Some(first) = all.first_mut()
    {
        let probe = bound
            .given
            .fill_text(references.probe.get_ref())
            .map_err(misconfigured)?;
        first.insert("references".to_owned(), probe);
    }
    for (name, texts) in &stream.each {
        let mut more = Vec::new();
        for text in texts {
            let text = bound.given.fill_text(text.get_ref()).map_err(misconfigured)?;
            for before in &all {
                let mut combined = before.clone();
                combined.insert(name.clone(), text.clone());
                more.push(combined);
            }
        }
        all = more;
    }
    Ok(all)
}
