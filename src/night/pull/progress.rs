//! What a pull writes down while it runs, so that one that was cut off goes on and ends as if it had not been.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Pull, StreamReport};
use crate::connector::window::Resume;
use crate::store::facts::{self, PullState, StreamNote};
use crate::store::{StoreError, Tx};

/// What a stream has counted so far, as it stands in the store.
#[derive(Debug, Serialize, Deserialize)]
struct Progress {
    /// The run whose pull this is; None for a pull by hand.
    run: Option<String>,
    ended: bool,
    report: StreamReport,
}

/// Whether there is anything left to pull.
pub(super) enum Begin {
    /// `settled`: the pull before this one read everything, so that what it stored is whole.
    Go {
        settled: bool,
    },
    Done,
}

impl Pull<'_> {
    /// Takes up what a pull that was cut off had counted; after [`Begin::Done`] the reports are those of the pull that
    /// has ended.
    pub(super) async fn begin(
        &self,
        reports: &mut [StreamReport],
        now: DateTime<Utc>,
    ) -> Result<Begin, StoreError> {
        let mut tx = self.store.write().await?;
        let mut before = Vec::new();
        for report in reports.iter() {
            before.push(self.progress(&mut tx, &report.stream).await?);
        }
        let of_this_run =
            |progress: &&Progress| progress.run.is_some() && progress.run.as_deref() == self.run;
        let is_done = |progress: &Progress| progress.ended && progress.report.state == PullState::Ok;
        let all_done = before
            .iter()
            .all(|progress| progress.as_ref().filter(of_this_run).is_some_and(is_done));
        let settled = before
            .iter()
            .all(|progress| progress.as_ref().is_some_and(is_done));
        for (report, progress) in reports.iter_mut().zip(before) {
            let again = progress
                .as_ref()
                .filter(of_this_run)
                .is_some_and(|progress| progress.report.again || is_done(progress));
            if !all_done {
                let (source, age) = (&self.bound.source, self.max_age(&report.stream));
                facts::begin_pull(&mut tx, self.account, source, &report.stream, age, now).await?;
            }
            if let Some(progress) = progress.filter(|progress| all_done || !progress.ended) {
                *report = progress.report;
            }
            report.again = again;
        }
        tx.commit().await?;
        Ok(if all_done {
            Begin::Done
        } else {
            Begin::Go { settled }
        })
    }

    pub(super) async fn end(
        &self,
        reports: &mut [StreamReport],
        started: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        for report in reports {
            if report.state == PullState::Ok && report.as_of.is_none() {
                report.as_of = Some(started);
            }
            let outcome = report.outcome(self.max_age(&report.stream));
            let span = (started, self.clock.now());
            let source = &self.bound.source;
            facts::end_pull(&mut tx, self.account, source, &report.stream, span, &outcome).await?;
            // The next pull looks back and plans its own windows.
            let mut resume = self.resume(&mut tx, &report.stream).await?;
            if resume.todo.take().is_some() {
                self.save_resume(&mut tx, &report.stream, &resume).await?;
            }
            self.save_progress(&mut tx, report, true).await?;
        }
        tx.commit().await
    }

    async fn progress(&self, tx: &mut Tx, stream: &str) -> Result<Option<Progress>, StoreError> {
        let text =
            facts::stream_note(tx, self.account, &self.bound.source, stream, StreamNote::Progress).await?;
        text.map(|text| self.parse("progress", stream, &text)).transpose()
    }

    /// In the transaction in which the cursor moves past what was counted.
    pub(super) async fn save_progress(
        &self,
        tx: &mut Tx,
        report: &StreamReport,
        ended: bool,
    ) -> Result<(), StoreError> {
        let progress = Progress {
            run: self.run.map(str::to_owned),
            ended,
            report: report.clone(),
        };
        let text = write("progress", &progress)?;
        facts::save_stream_note(
            tx,
            self.account,
            &self.bound.source,
            &report.stream,
            StreamNote::Progress,
            &text,
        )
        .await
    }

    pub(super) async fn load_resume(&self, stream: &str) -> Result<Resume, StoreError> {
        let mut tx = self.store.read().await?;
        self.resume(&mut tx, stream).await
    }

    pub(super) async fn resume(&self, tx: &mut Tx, stream: &str) -> Result<Resume, StoreError> {
        match facts::stream_note(tx, self.account, &self.bound.source, stream, StreamNote::Resume).await? {
            None => Ok(Resume::default()),
            Some(text) => self.parse("resume state", stream, &text),
        }
    }

    pub(super) async fn save_resume(
        &self,
        tx: &mut Tx,
        stream: &str,
        resume: &Resume,
    ) -> Result<(), StoreError> {
        let text = write("resume state", resume)?;
        facts::save_stream_note(
            tx,
            self.account,
            &self.bound.source,
            stream,
            StreamNote::Resume,
            &text,
        )
        .await
    }

    /// In a transaction of its own: for steps that bring no rows.
    pub(super) async fn checkpoint(&self, stream: &str, resume: &Resume) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        self.save_resume(&mut tx, stream, resume).await?;
        tx.commit().await
    }

    fn parse<T: for<'de> Deserialize<'de>>(
        &self,
        what: &str,
        stream: &str,
        text: &str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|error| StoreError::Corrupt {
            what: format!("{what} of {}/{stream}", self.bound.source),
            why: error.to_string(),
        })
    }
}

fn write<T: Serialize>(what: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Corrupt {
        what: what.to_owned(),
        why: error.to_string(),
    })
}
