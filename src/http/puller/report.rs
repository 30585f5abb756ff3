//! Asynchronous jobs: asked for, waited for, and fetched while their address lives.

use chrono::Duration;
use serde_json::Value as Json;

use super::{Ask, PulledPage, Reads, Step, StreamRun, wrong};
use crate::connector::decode::{DecodeError, gunzip, parse, unpack};
use crate::connector::definition::Report;
use crate::connector::request::{Fresh, Request};
use crate::connector::rows::{PageRows, Seen};
use crate::connector::template::Places;
use crate::connector::window::{PendingReport, Window};
use crate::http::{Failure, FailureKind};

/// A damaged document is fetched anew this often.
const DOWNLOADS: u32 = 3;

impl StreamRun<'_> {
    pub(super) async fn create_report(&mut self, report: &Report, window: Window) -> Result<(), Failure> {
        let answer = self.ask(&report.create, &self.places(Some(window))?).await?;
        let id = text_at(answer.json.as_ref(), report.id.get_ref())?;
        let asked_at = self.client.now(self.clock);
        self.resume.asked_at = Some(asked_at);
        self.resume.report = Some(PendingReport { id, window, asked_at });
        Ok(())
    }

    pub(super) async fn read_report(
        &mut self,
        report: &Report,
        pending: &PendingReport,
    ) -> Result<Step, Failure> {
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
        if report.failed.contains(&status) {
            self.resume.report = None;
            return Err(self
                .failed(report, &mut places, pending, &status, json.as_ref())
                .await);
        }
        if !report.done.contains(&status) {
            return Err(Failure::new(
                FailureKind::WrongSchema,
                format!("report {} has the unknown state `{status}`", pending.id),
            ));
        }
        let promised = self.promised(report, json.as_ref())?;
        if promised == Some(0) && maybe_text_at(json.as_ref(), report.url.get_ref()).is_none() {
            return self.keep_report(pending, PageRows::nothing(self.stream.record), Vec::new());
        }
        self.pages += 1;
        let mut tries = 0;
        let (rows, raw) = loop {
            tries += 1;
            let read = match self.download(report, &mut places, json.as_ref()).await {
                Ok((text, raw)) => self.read_document(&text, raw, promised),
                Err(failure) => Err(failure),
            };
            match read {
                Ok(read) => break read,
                Err(failure) if tries < DOWNLOADS && failure.kind == FailureKind::WrongSchema => {
                    tracing::warn!(source = %self.bound.source, why = %failure, "fetching the report's document again");
                    self.seen = Seen::default();
                }
                Err(failure) => return Err(failure),
            }
        };
        self.keep_report(pending, rows, raw)
    }

    fn keep_report(
        &mut self,
        pending: &PendingReport,
        rows: PageRows,
        raw: Vec<u8>,
    ) -> Result<Step, Failure> {
        let window = self.stream.cursor.as_ref().map(|_| pending.window);
        match window {
            Some(window) => self.resume.answered(window),
            None => self.resume.report = None,
        }
        Ok(Step::Page(Box::new(PulledPage {
            rows,
            also: Vec::new(),
            raw,
            window,
            last: true,
            file: None,
        })))
    }

    /// Why a job failed, as far as the source tells: in its answer, or in its document.
    async fn failed(
        &self,
        report: &Report,
        places: &mut Places,
        pending: &PendingReport,
        status: &str,
        json: Option<&Json>,
    ) -> Failure {
        let reason = report.reason.as_ref().map(|path| path.get_ref().as_str());
        let said = match reason.and_then(|path| maybe_text_at(json, path)) {
            Some(reason) => Some(reason.into_bytes()),
            None => match self.download(report, places, json).await {
                Ok((text, _)) => Some(text),
                Err(_) => None,
            },
        };
        let said = said.map_or_else(String::new, |text| {
            let text = String::from_utf8_lossy(&text);
            let text: String = text.chars().filter(|sign| !sign.is_control()).take(300).collect();
            format!(": {text}")
        });
        Failure::new(
            FailureKind::Fatal,
            format!("report {} ended {status}{said}", pending.id),
        )
    }

    /// How many objects the source says that the result has.
    fn promised(&self, report: &Report, json: Option<&Json>) -> Result<Option<u64>, Failure> {
        let Some(path) = &report.count else {
            return Ok(None);
        };
        let text = text_at(json, path.get_ref())?;
        text.parse().map(Some).map_err(|_| {
            let text = format!("`{}` is `{text}`, no number of objects", path.get_ref());
            Failure::new(FailureKind::WrongSchema, text)
        })
    }

    /// A document with another number of objects than was promised is not the result.
    fn read_document(
        &mut self,
        bytes: &[u8],
        raw: Vec<u8>,
        promised: Option<u64>,
    ) -> Result<(PageRows, Vec<u8>), Failure> {
        let limit = self.bound.definition.file.max_bytes();
        let unpacked = unpack(&self.stream.decode, bytes, limit).map_err(|error| wrong(&error))?;
        let mut page =
            parse(&self.stream.decode, &unpacked, &self.reading.want).map_err(|error| wrong(&error))?;
        let rows = self.rows(&mut page)?;
        let came = page.objects.unwrap_or(rows.seen);
        if let Some(promised) = promised
            && promised != came
        {
            return Err(Failure::new(
                FailureKind::WrongSchema,
                format!("the result has {came} objects, but {promised} were promised"),
            ));
        }
        let redacted = self
            .bound
            .redacted((self.stream, self.reading), &unpacked)
            .map_err(|error| wrong(&error))?;
        Ok((rows, redacted.unwrap_or(raw)))
    }

    /// Whether the source may not be asked yet, in words.
    pub(super) fn must_rest(&self, report: &Report) -> Option<String> {
        let rest = Duration::minutes(i64::from(report.at_most_every_minutes));
        let until = self.resume.asked_at? + rest;
        (until > self.client.now(self.clock)).then(|| {
            format!(
                "not asked for: at most once every {} minutes, the next time after {}",
                report.at_most_every_minutes,
                until.format("%Y-%m-%d %H:%M UTC")
            )
        })
    }

    /// Learns the result's address and fetches it in the same breath: the inflated bytes, and those that came.
    async fn download(
        &self,
        report: &Report,
        places: &mut Places,
        polled: Option<&Json>,
    ) -> Result<(Vec<u8>, Vec<u8>), Failure> {
        let answer;
        let told = match (&report.document, &report.document_id) {
            (Some(call), Some(id)) => {
                places.text("document", text_at(polled, id.get_ref())?);
                answer = self.ask(call, places).await?;
                answer.json.as_ref()
            }
            // The address may have died since it was told: then the job is polled once more.
            _ => {
                answer = self.ask(&report.poll, places).await?;
                answer.json.as_ref()
            }
        };
        let url = text_at(told, report.url.get_ref())?;
        let compression = report
            .compression
            .as_ref()
            .and_then(|path| maybe_text_at(told, path.get_ref()));
        let make = |_: &Fresh| Ok(Request::get(url.clone()));
        let ask = Ask {
            make: &make,
            limits: &[],
            reads: Reads::Bytes,
            authorised: false,
        };
        let raw = self.client.call(self.bound, self.clock, &ask).await?.body;
        let text = match compression.as_deref() {
            None => raw.clone(),
            Some(name) if name.eq_ignore_ascii_case("gzip") => {
                gunzip(&raw, self.bound.definition.file.max_bytes()).map_err(|error| wrong(&error))?
            }
            Some(name) => {
                return Err(wrong(&DecodeError::Compression {
                    name: name.to_owned(),
                }));
            }
        };
        Ok((text, raw))
    }
}

fn maybe_text_at(json: Option<&Json>, path: &str) -> Option<String> {
    text_at(json, path).ok()
}

fn text_at(json: Option<&Json>, path: &str) -> Result<String, Failure> {
    let wrong = |why: String| Failure::new(FailureKind::WrongSchema, why);
    crate::connector::text_at(json, path)
        .map_err(wrong)?
        .ok_or_else(|| wrong(format!("the answer has no `{path}`")))
}
