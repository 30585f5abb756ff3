//! Runs one stream: windows, pages, reports. Gives one step at a time, so that the caller commits rows and cursor
//! together before the next request goes out.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Duration, Utc};

use super::call::Ask;
use super::{Client, Failure, FailureKind};
use crate::clock::Clock;
use crate::connector::Bound;
use crate::connector::decode::{Page, decode, gunzip};
use crate::connector::definition::{Call, DecodeKind, Report, Stream};
use crate::connector::paging::Pager;
use crate::connector::pipe::TimeFormat;
use crate::connector::request::{Fresh, Request};
use crate::connector::rows::{PageRows, Reader};
use crate::connector::template::Places;
use crate::connector::window::{PendingReport, Resume, Window};
use crate::ids::WarehouseCode;

/// One step of a stream.
#[derive(Debug)]
pub enum Step {
    /// Something is under way at the source: write down [`StreamRun::resume`] before going on.
    Checkpoint,
    Page(PulledPage),
    /// The source did not answer for this window, without being at fault: it is a gap and is asked for again.
    LeftOut(Window, String),
}

/// An answer and what was read from it.
#[derive(Debug)]
pub struct PulledPage {
    pub rows: PageRows,
    /// The answer as it came.
    pub raw: Vec<u8>,
    pub window: Option<Window>,
    /// Whether this ends its window; then [`StreamRun::resume`] has moved on.
    pub last: bool,
}

/// One run of one stream.
pub struct StreamRun<'a> {
    client: &'a Client,
    bound: &'a Bound,
    clock: &'a dyn Clock,
    name: &'a str,
    stream: &'a Stream,
    started: DateTime<Utc>,
    /// To be stored with the rows of the step that was just given.
    pub resume: Resume,
    asked: Option<(String, WarehouseCode)>,
    parent: Option<BTreeMap<String, String>>,
    windows: Option<VecDeque<Option<Window>>>,
    pager: Pager,
    pages: u64,
}

/// A damaged document is fetched anew this often.
const DOWNLOADS: u32 = 3;

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
        let (stream, _) = bound.stream(name).ok_or_else(|| {
            Failure::new(FailureKind::Configuration, format!("there is no stream `{name}`"))
        })?;
        Ok(Self {
            client,
            bound,
            clock,
            name,
            stream,
            started: clock.now(),
            resume,
            asked: None,
            parent: None,
            windows: None,
            pager: Pager::default(),
            pages: 0,
        })
    }

    /// For a stock stream: the warehouse whose snapshot is asked for, in the provider's code and ours.
    #[must_use]
    pub fn for_warehouse(mut self, warehouse: (String, WarehouseCode)) -> Self {
        self.asked = Some(warehouse);
        self
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
        match (&self.stream.report, &self.stream.request, window) {
            (Some(report), _, Some(window)) => {
                self.create_report(report, window).await?;
                self.drop_window();
                Ok(Some(Step::Checkpoint))
            }
            (None, Some(call), window) => self.read_page(call, window).await.map(Some),
            _ => Err(Failure::new(
                FailureKind::Configuration,
                format!("stream `{}` needs a request, or a report and a cursor", self.name),
            )),
        }
    }

    fn drop_window(&mut self) {
        if let Some(windows) = &mut self.windows {
            windows.pop_front();
        }
    }

    fn plan_windows(&self) -> Result<VecDeque<Option<Window>>, Failure> {
        let Some(cursor) = &self.stream.cursor else {
            return Ok(VecDeque::from([None]));
        };
        let days = self.fill(cursor.start_days.get_ref())?;
        let days: u32 = days.trim().parse().map_err(|_| {
            Failure::new(
                FailureKind::Configuration,
                format!("`{days}` is no number of days to start with"),
            )
        })?;
        Ok(self
            .resume
            .windows(cursor, days, self.bound.zone, self.started)
            .into_iter()
            .map(Some)
            .collect())
    }

    fn fill(&self, text: &str) -> Result<String, Failure> {
        self.bound
            .given
            .fill_text(text)
            .map_err(|why| Failure::new(FailureKind::Configuration, why))
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
        if let (Some(window), Some(cursor)) = (window, &self.stream.cursor) {
            let zone = self.fill(cursor.zone.get_ref())?;
            let format = TimeFormat::parse(cursor.format.get_ref(), &zone)
                .map_err(|why| Failure::new(FailureKind::Configuration, why))?;
            places.text("from", format.write(window.from));
            places.text("to", format.write(window.to));
        }
        Ok(places)
    }

    async fn ask(&self, call: &Call, places: &Places) -> Result<super::call::Answer, Failure> {
        self.ask_for(call, places, true).await
    }

    async fn ask_for(
        &self,
        call: &Call,
        places: &Places,
        json: bool,
    ) -> Result<super::call::Answer, Failure> {
        let make = |fresh: &Fresh| {
            self.bound
                .request(call, places, Some((&self.stream.page, &self.pager)), fresh)
        };
        let ask = Ask {
            make: &make,
            limits: call.limits(),
            json,
            authorised: true,
        };
        self.client.call(self.bound, self.clock, &ask).await
    }

    fn rows(&self, page: &Page) -> Result<PageRows, Failure> {
        let reader = Reader {
            parent: self.parent.as_ref(),
            asked: self.asked.as_ref(),
            keep_texts: false,
            page: self.pages,
        };
        self.bound
            .read(self.name, page, reader)
            .map_err(|error| Failure::new(FailureKind::WrongSchema, error.to_string()))
    }

    async fn read_page(&mut self, call: &Call, window: Option<Window>) -> Result<Step, Failure> {
        let places = self.places(window)?;
        let json = self.stream.decode.kind == DecodeKind::Json;
        let answer = self.ask_for(call, &places, json).await?;
        self.pages += 1;
        // JSON was parsed already, to judge the answer.
        let page = match answer.json {
            Some(json) => Page::Json(json),
            None => decode(&self.stream.decode, &answer.body)
                .map_err(|error| Failure::new(FailureKind::WrongSchema, error.to_string()))?,
        };
        let rows = self.rows(&page)?;
        let json = match &page {
            Page::Json(json) => Some(json),
            Page::Table(_) => None,
        };
        let more = self
            .pager
            .advance(&self.stream.page, json, rows.seen)
            .map_err(|error| Failure::new(FailureKind::Paging, error.to_string()))?;
        if !more {
            self.pager = Pager::default();
            self.drop_window();
            if let Some(window) = window {
                self.resume.answered(window);
            }
        }
        Ok(Step::Page(PulledPage {
            rows,
            raw: answer.body,
            window,
            last: !more,
        }))
    }

    async fn create_report(&mut self, report: &Report, window: Window) -> Result<(), Failure> {
        let answer = self.ask(&report.create, &self.places(Some(window))?).await?;
        let id = text_at(answer.json.as_ref(), report.id.get_ref())?;
        self.resume.report = Some(PendingReport {
            id,
            window,
            asked_at: self.client.now(self.clock),
        });
        Ok(())
    }

    async fn read_report(&mut self, report: &Report, pending: &PendingReport) -> Result<Step, Failure> {
        let mut places = self.places(Some(pending.window))?;
        places.text("report", &pending.id);
        let asked = self.client.now(self.clock);
        let patience = Duration::minutes(i64::try_from(report.longest_minutes).unwrap_or(60));
        let (status, json) = loop {
            let answer = match self.ask(&report.poll, &places).await {
                Ok(answer) => answer,
                Err(failure) => {
                    // A report the source does not know (any more) is asked for anew next time.
                    if failure.kind == FailureKind::Refused {
                        self.resume.report = None;
                    }
                    return Err(failure);
                }
            };
            let status = text_at(answer.json.as_ref(), report.status.get_ref())?;
            if !report.pending.contains(&status) {
                break (status, answer.json);
            }
            if self.client.now(self.clock) - asked > patience {
                return Err(Failure::new(
                    FailureKind::Slow,
                    format!(
                        "report {} is still {status} after {} minutes",
                        pending.id, report.longest_minutes
                    ),
                ));
            }
            self.client
                .pause(std::time::Duration::from_secs(report.every_seconds))
                .await;
        };
        if report.cancelled.contains(&status) {
            self.resume.left_out(pending.window);
            let text = format!(
                "report {} was {status}: no data, or asked for too soon",
                pending.id
            );
            return Ok(Step::LeftOut(pending.window, text));
        }
        let document = text_at(json.as_ref(), report.document_id.get_ref());
        if report.failed.contains(&status) {
            self.resume.report = None;
            // Its document, when there is one, says why.
            let said = match document {
                Ok(document) => self.download(report, &mut places, &document).await.ok(),
                Err(_) => None,
            };
            let said = said.map_or_else(String::new, |(text, _)| {
                let text = String::from_utf8_lossy(&text);
                let text: String = text.chars().filter(|sign| !sign.is_control()).take(300).collect();
                format!(": {text}")
            });
            return Err(Failure::new(
                FailureKind::Fatal,
                format!("report {} ended {status}{said}", pending.id),
            ));
        }
        if !report.done.contains(&status) {
            return Err(Failure::new(
                FailureKind::WrongSchema,
                format!("report {} has the unknown state `{status}`", pending.id),
            ));
        }
        let document = document?;
        let mut tries = 0;
        let (page, raw) = loop {
            tries += 1;
            let read = match self.download(report, &mut places, &document).await {
                Ok((text, raw)) => decode(&self.stream.decode, &text)
                    .map(|page| (page, raw))
                    .map_err(|error| Failure::new(FailureKind::WrongSchema, error.to_string())),
                Err(failure) => Err(failure),
            };
            match read {
                Ok(read) => break read,
                Err(failure) if tries < DOWNLOADS && failure.kind == FailureKind::WrongSchema => {
                    tracing::warn!(source = %self.bound.source, why = %failure, "fetching the report's document again");
                }
                Err(failure) => return Err(failure),
            }
        };
        self.pages += 1;
        let rows = self.rows(&page)?;
        self.resume.answered(pending.window);
        Ok(Step::Page(PulledPage {
            rows,
            raw,
            window: Some(pending.window),
            last: true,
        }))
    }

    /// Asks for the document's address and fetches it in the same breath: the inflated text, and the bytes as they came.
    async fn download(
        &self,
        report: &Report,
        places: &mut Places,
        document: &str,
    ) -> Result<(Vec<u8>, Vec<u8>), Failure> {
        places.text("document", document);
        let answer = self.ask(&report.document, places).await?;
        let url = text_at(answer.json.as_ref(), report.url.get_ref())?;
        let compression = text_at(answer.json.as_ref(), report.compression.get_ref()).ok();
        let make = |_: &Fresh| Ok(Request::get(url.clone()));
        let ask = Ask {
            make: &make,
            limits: &[],
            json: false,
            authorised: false,
        };
        let raw = self.client.call(self.bound, self.clock, &ask).await?.body;
        let text = match compression.as_deref() {
            None => raw.clone(),
            Some(name) if name.eq_ignore_ascii_case("gzip") => {
                gunzip(&raw, self.bound.definition.file.http.max_body_bytes)
                    .map_err(|error| Failure::new(FailureKind::WrongSchema, error.to_string()))?
            }
            Some(name) => {
                return Err(Failure::new(
                    FailureKind::WrongSchema,
                    format!("the document's compression `{name}` is not known"),
                ));
            }
        };
        Ok((text, raw))
    }
}

fn text_at(json: Option<&serde_json::Value>, path: &str) -> Result<String, Failure> {
    let wrong = |why: String| Failure::new(FailureKind::WrongSchema, why);
    crate::connector::text_at(json, path)
        .map_err(wrong)?
        .ok_or_else(|| wrong(format!("the answer has no `{path}`")))
}
