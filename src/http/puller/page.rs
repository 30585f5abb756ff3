//! One page: asked for, unpacked, read, and what it says about the next one.

use std::borrow::Cow;

use super::super::call::Answer;
use super::{PulledPage, Reads, Step, StreamRun, wrong};
use crate::connector::decode::{DecodeError, Page, parse, unpack};
use crate::connector::definition::{Call, Cursor, CursorKind};
use crate::connector::paging::{Answered, Pager, PagingError, counted};
use crate::connector::rows::{PageRows, Reader, Seen};
use crate::connector::template::Places;
use crate::connector::window::Window;
use crate::http::{Failure, FailureKind};

/// A window whose number of rows changes while it is read is read from its start again this often.
const RESTARTS: u32 = 5;
/// So many damaged archives in a row are no accident of the line.
const MOST_DAMAGED: u32 = 3;

impl StreamRun<'_> {
    pub(super) async fn read_page(&mut self, call: &Call, window: Option<Window>) -> Result<Step, Failure> {
        let places = self.places(window)?;
        let split = self
            .stream
            .cursor
            .as_ref()
            .and_then(|cursor| cursor.split.as_ref());
        let reads = Reads::Stream {
            decode: &self.stream.decode,
            too_much: split.map(|text| text.get_ref().as_str()),
        };
        let (answer, opened) = match self.whole(call, &places, reads).await {
            Err(failure) if failure.kind == FailureKind::TooMuch => return self.halve(window, failure),
            // "Nothing there" is an answer, and the end of these pages.
            Err(failure) if failure.kind == FailureKind::Empty => return Ok(self.nothing(window)),
            answer => answer?,
        };
        self.pages += 1;
        let unpacked = opened.as_deref().unwrap_or(&answer.body);
        let mut page =
            parse(&self.stream.decode, unpacked, &self.reading.want).map_err(|error| wrong(&error))?;
        let rows = self.rows(&mut page)?;
        let answered = Answered {
            tree: page.tree(),
            header: &|name| answer.header(name),
            rows: counted(&self.stream.page, page.tree()).unwrap_or(rows.seen),
            last: rows.last.clone(),
            base: &self.bound.base,
        };
        let more = match self.pager.advance(&self.stream.page, &answered) {
            Ok(more) => more,
            // The set moves while it is read. What came is kept: the same row again replaces itself.
            Err(PagingError::TotalChanged { .. }) if window.is_some() && self.restarts < RESTARTS => {
                self.restarts += 1;
                self.pager = Pager::default();
                // This page is not given on: nothing of it may count as seen.
                self.seen = Seen::default();
                return Ok(Step::Checkpoint);
            }
            Err(error) => return Err(Failure::new(FailureKind::Paging, error.to_string())),
        };
        self.ascend(&rows)?;
        let also = self.also(unpacked, self.reader())?;
        let redacted = self
            .bound
            .redacted((self.stream, self.reading), unpacked)
            .map_err(|error| wrong(&error))?;
        let last = !more && self.next_value(window);
        Ok(Step::Page(Box::new(PulledPage {
            rows,
            also,
            raw: redacted.unwrap_or(answer.body),
            window,
            last,
            file: None,
        })))
    }

    /// The answer, and what it holds when it was packed. One that was cut off on its way is asked for again.
    async fn whole(
        &self,
        call: &Call,
        places: &Places,
        reads: Reads<'_>,
    ) -> Result<(Answer, Option<Vec<u8>>), Failure> {
        let limit = self.bound.definition.file.max_bytes();
        let mut damaged = 0;
        loop {
            let answer = self.ask_for(call, places, reads).await?;
            let opened = match unpack(&self.stream.decode, &answer.body, limit) {
                Ok(Cow::Owned(bytes)) => Some(bytes),
                Ok(Cow::Borrowed(_)) => None,
                Err(error @ (DecodeError::Gzip { .. } | DecodeError::Zip { .. }))
                    if damaged < MOST_DAMAGED =>
                {
                    damaged += 1;
                    tracing::warn!(source = %self.bound.source, why = %error, "asking for the page again");
                    continue;
                }
                Err(error) => return Err(wrong(&error)),
            };
            return Ok((answer, opened));
        }
    }

    /// The same answer in the eyes of the streams that read it too.
    pub(super) fn also(
        &self,
        unpacked: &[u8],
        reader: Reader<'_>,
    ) -> Result<Vec<(String, PageRows)>, Failure> {
        let readers = self.bound.definition.readers(self.name);
        readers
            .filter_map(|name| Some((name, self.bound.stream(name)?.1)))
            .map(|(name, reading)| {
                let mut page =
                    parse(&self.stream.decode, unpacked, &reading.want).map_err(|error| wrong(&error))?;
                let reader = Reader {
                    keep_below: false,
                    ..reader
                };
                let rows = self.bound.read(name, &mut page, reader, &mut Seen::default());
                rows.map(|rows| (name.to_owned(), rows))
                    .map_err(|error| Failure::new(FailureKind::WrongSchema, error.to_string()))
            })
            .collect()
    }

    fn nothing_also(&self) -> Vec<(String, PageRows)> {
        let readers = self.bound.definition.readers(self.name);
        readers
            .filter_map(|name| {
                let (stream, _) = self.bound.stream(name)?;
                Some((name.to_owned(), PageRows::nothing(stream.record)))
            })
            .collect()
    }

    fn nothing(&mut self, window: Option<Window>) -> Step {
        self.pages += 1;
        let last = self.next_value(window);
        Step::Page(Box::new(PulledPage {
            rows: PageRows::nothing(self.stream.record),
            also: self.nothing_also(),
            raw: Vec::new(),
            window,
            last,
            file: None,
        }))
    }

    pub(super) fn rows(&mut self, page: &mut Page<'_>) -> Result<PageRows, Failure> {
        let mut seen = std::mem::take(&mut self.seen);
        let rows = self.bound.read(self.name, page, self.reader(), &mut seen);
        self.seen = seen;
        rows.map_err(|error| Failure::new(FailureKind::WrongSchema, error.to_string()))
    }

    /// After the last page of a value: the next value of the window, or, true, the end of the window.
    fn next_value(&mut self, window: Option<Window>) -> bool {
        self.pager = Pager::default();
        self.restarts = 0;
        self.value += 1;
        if self.value < self.values.len() {
            return false;
        }
        self.value = 0;
        self.drop_window();
        if let Some(window) = window {
            self.resume.answered(window);
        }
        true
    }

    /// The source says that it is too much at once: the window is asked for in two halves.
    fn halve(&mut self, window: Option<Window>, failure: Failure) -> Result<Step, Failure> {
        let halves = window.and_then(|window| self.resume.halve(window));
        let (Some(halves), Some(windows)) = (halves, &mut self.windows) else {
            return Err(failure);
        };
        windows.pop_front();
        for half in halves.into_iter().rev() {
            windows.push_front(Some(half));
        }
        self.pager = Pager::default();
        self.value = 0;
        Ok(Step::Checkpoint)
    }

    /// Moves an ascending cursor behind the rows that came.
    fn ascend(&mut self, rows: &PageRows) -> Result<(), Failure> {
        let by_id = |cursor: &&Cursor| cursor.kind == CursorKind::Id;
        if self.stream.cursor.as_ref().filter(by_id).is_none() || rows.seen == 0 {
            return Ok(());
        }
        let Some(id) = &rows.id else {
            let text = "the last row has no id to go on from";
            return Err(Failure::new(FailureKind::WrongSchema, text));
        };
        if let Some(before) = &self.resume.after
            && let (Ok(before), Ok(now)) = (before.parse::<i64>(), id.parse::<i64>())
            && now <= before
        {
            let text = format!("the ids do not ascend: {now} came after {before}");
            return Err(Failure::new(FailureKind::Paging, text));
        }
        self.resume.after = Some(id.clone());
        Ok(())
    }
}
