//! Inbounds and what stands below each of them: announced lines, receipt and putaway batches.

use std::collections::BTreeMap;

use super::{Pull, Stopped, StreamReport};
use crate::connector::record::Facts;
use crate::connector::window::Resume;
use crate::http::puller::{PulledPage, Step, StreamRun};
use crate::ledger::{InboundLine, InboundNotice, ReceiptEvent};
use crate::store::facts;

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
            let Step::Page(page) = step else { continue };
            report.count(&page.rows);
            if let Facts::Inbounds(inbounds) = &page.rows.facts {
                for (notice, texts) in inbounds {
                    for child in below.iter_mut() {
                        if let Err(stopped) = self.child(notice, texts, child).await {
                            whole = false;
                            child.degrade(&format!("{}: {}", notice.inbound_no, stopped.text()));
                        }
                    }
                }
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
        let Facts::Inbounds(inbounds) = &page.rows.facts else {
            return Ok(());
        };
        let notices: Vec<InboundNotice> = inbounds.iter().map(|(notice, _)| notice.clone()).collect();
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
        facts::merge_inbounds(&mut tx, self.account, &notices).await?;
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

    /// One stream below one inbound. Everything of it is committed at once: half an inbound is no inbound.
    async fn child(
        &self,
        notice: &InboundNotice,
        texts: &BTreeMap<String, String>,
        report: &mut StreamReport,
    ) -> Result<(), Stopped> {
        let name = report.stream.clone();
        let mut run = StreamRun::new(self.client, self.bound, self.clock, &name, Resume::default())?
            .below(texts.clone());
        let mut raw = Vec::new();
        let mut lines: Option<Vec<InboundLine>> = None;
        let mut events: Vec<ReceiptEvent> = Vec::new();
        while let Some(step) = run.next().await? {
            let Step::Page(page) = step else { continue };
            report.count(&page.rows);
            raw.push(page.raw);
            match page.rows.facts {
                Facts::InboundLines(more) => lines.get_or_insert_default().extend(more),
                Facts::Receipts(more) => events.extend(more),
                Facts::Orders(_) | Facts::Stock(_) | Facts::Inbounds(_) => {}
            }
        }
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        for raw in &raw {
            facts::keep_raw_page(&mut tx, self.account, &self.bound.source, &name, raw, now).await?;
        }
        if let Some(lines) = &lines {
            let source = &self.bound.source;
            facts::replace_inbound_lines(&mut tx, self.account, source, &notice.inbound_no, lines).await?;
        }
        if !events.is_empty() {
            crate::store::receipts::append(&mut tx, self.account, &events, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}
