//! Inbounds and what stands below each of them: announced lines, receipt and putaway batches.

use std::collections::BTreeMap;

use super::{Pull, Stopped, StreamReport};
use crate::connector::record::Facts;
use crate::connector::window::Resume;
use crate::http::puller::{PulledPage, Step, StreamRun};
use crate::ledger::{InboundLine, InboundNotice, ReceiptEvent, TrackingEvent};
use crate::store::{facts, receipts, tracking};

impl Pull<'_> {
    /// Reads the changed inbounds. The cursor moves only past inbounds below which everything was read.
    pub(super) async fn inbounds(
        &self,
        name: &str,
        report: &mut StreamReport,
        below: &mut [StreamReport],
    ) -> Result<(), Stopped> {
        let resume = self.load_resume(name).await?;
        let mut run = StreamRun::new(self.client, self.bound, self.clock, name, resume)?;
        let mut whole = true;
        while let Some(step) = run.next().await? {
            if let Step::Resting(why) = &step {
                report.warn(why, 1);
            }
            let Step::Page(page) = step else { continue };
            report.count(&page.rows);
            for texts in &page.rows.below {
                whole &= self.below(name, texts, below).await;
            }
            self.keep_notices(&page, whole.then_some(&run.resume), (report, below))
                .await?;
        }
        for child in below.iter_mut() {
            if child.pages == 0 && child.problem.is_some() {
                child.state = facts::PullState::Failed;
            }
        }
        if !whole {
            report.degrade(
                "streams below some inbounds failed; the cursor stays, so that they are asked for again",
            );
        }
        Ok(())
    }

    /// The cursor goes with the last page of its window; without `resume` it stays where it is.
    async fn keep_notices(
        &self,
        page: &PulledPage,
        resume: Option<&Resume>,
        (report, below): (&StreamReport, &[StreamReport]),
    ) -> Result<(), Stopped> {
        let Facts::Inbounds(notices) = &page.rows.facts else {
            return Ok(());
        };
        let mut tx = self.store.write().await?;
        let now = self.clock.now();
        facts::keep_raw_page(
            &mut tx,
            self.account,
            &self.bound.source,
            &report.stream,
            &page.raw,
            now,
        )
        .await?;
        facts::merge_inbounds(&mut tx, self.account, notices).await?;
        if let Some(resume) = resume {
            self.save_resume(&mut tx, &report.stream, resume).await?;
            if page.last {
                for report in std::iter::once(report).chain(below) {
                    self.save_progress(&mut tx, report, false).await?;
                }
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Every stream below one row, and those below their rows. What fails is told in its report; false: something did.
    async fn below(
        &self,
        name: &str,
        texts: &BTreeMap<String, String>,
        reports: &mut [StreamReport],
    ) -> bool {
        let mut whole = true;
        for child in self.bound.definition.children(name) {
            let Some(report) = reports.iter_mut().find(|report| report.stream == child) else {
                continue;
            };
            match self.child(texts, report).await {
                Ok(rows) => {
                    for own in rows {
                        // Further down, what stands above is known too.
                        let mut all = texts.clone();
                        all.extend(own);
                        whole &= Box::pin(self.below(child, &all, reports)).await;
                    }
                }
                Err(stopped) => {
                    whole = false;
                    let inbound = texts.get("inbound_no").map_or("", String::as_str);
                    report.degrade(&format!("{inbound}: {}", stopped.text()));
                }
            }
        }
        whole
    }

    /// One stream below one row. Everything of it is committed at once: half an inbound is no inbound. Returns what
    /// streams below its rows are asked with.
    async fn child(
        &self,
        texts: &BTreeMap<String, String>,
        report: &mut StreamReport,
    ) -> Result<Vec<BTreeMap<String, String>>, Stopped> {
        let name = report.stream.clone();
        let mut run = StreamRun::new(self.client, self.bound, self.clock, &name, Resume::default())?
            .below(texts.clone());
        let totals = self
            .bound
            .stream(&name)
            .is_some_and(|(stream, _)| stream.running_total);
        let mut raw = Vec::new();
        let mut rows = Vec::new();
        let mut notices: Vec<InboundNotice> = Vec::new();
        let mut lines: Option<Vec<InboundLine>> = None;
        let mut events: Vec<ReceiptEvent> = Vec::new();
        let mut tracked: Vec<TrackingEvent> = Vec::new();
        while let Some(step) = run.next().await? {
            let Step::Page(page) = step else { continue };
            report.count(&page.rows);
            raw.push(page.raw);
            rows.extend(page.rows.below);
            match page.rows.facts {
                Facts::Inbounds(more) => notices.extend(more),
                Facts::InboundLines(more) => lines.get_or_insert_default().extend(more),
                Facts::Receipts(more) => events.extend(more),
                Facts::Events(more) => tracked.extend(more),
                Facts::Orders(_) | Facts::Stock(_) => {}
            }
        }
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        for raw in &raw {
            facts::keep_raw_page(&mut tx, self.account, &self.bound.source, &name, raw, now).await?;
        }
        facts::merge_inbounds(&mut tx, self.account, &notices).await?;
        if let (Some(lines), Some(inbound)) = (&lines, texts.get("inbound_no")) {
            let source = &self.bound.source;
            facts::replace_inbound_lines(&mut tx, self.account, source, inbound, lines).await?;
        }
        if totals {
            receipts::append_totals(&mut tx, self.account, &events, now).await?;
        } else if !events.is_empty() {
            receipts::append(&mut tx, self.account, &events, now).await?;
        }
        tracking::append(&mut tx, self.account, &tracked, now).await?;
        tx.commit().await?;
        Ok(rows)
    }
}
