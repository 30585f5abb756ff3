//! Streams of events that stand on their own: receipts by date, returns, and what happens to goods on their way. Each
//! answer is committed with the cursor it moves.

use super::{Pull, Stopped, StreamReport};
use crate::connector::definition::Stream;
use crate::connector::record::Facts;
use crate::http::puller::{PulledPage, Step, StreamRun};
use crate::order::ReferenceKind;
use crate::store::{facts, receipts, references, returned, tracking};

impl Pull<'_> {
    pub(super) async fn events(
        &self,
        name: &str,
        stream: &Stream,
        report: &mut StreamReport,
    ) -> Result<(), Stopped> {
        let resume = self.load_resume(name).await?;
        let mut run = StreamRun::new(self.client, self.bound, self.clock, name, resume)?;
        if let Some(of) = &stream.references {
            let open = self.open_references(of.kind.get_ref()).await?;
            if open.is_empty() {
                report.warn("no order under way has such a reference", 1);
                return Ok(());
            }
            run = run.asking_for(&open)?;
        }
        loop {
            match run.next().await {
                Ok(None) => break,
                Ok(Some(Step::Checkpoint)) => self.checkpoint(name, &run.resume).await?,
                Ok(Some(Step::Resting(why))) => report.warn(&why, 1),
                Ok(Some(Step::LeftOut(window, why))) => {
                    report.degrade(&format!("{} to {} is a gap: {why}", window.from, window.to));
                    self.checkpoint(name, &run.resume).await?;
                }
                Ok(Some(Step::Aside(aside))) => {
                    self.aside(aside, report).await;
                }
                Ok(Some(Step::Page(page))) => {
                    self.page_file(&page).await;
                    let mut counted = report.clone();
                    counted.count(&page.rows);
                    let mut tx = self.store.write().await?;
                    self.keep_events(&mut tx, name, stream, &page).await?;
                    self.save_resume(&mut tx, name, &run.resume).await?;
                    if page.last {
                        self.save_progress(&mut tx, &counted, false).await?;
                    }
                    tx.commit().await?;
                    *report = counted;
                }
                Err(failure) => {
                    self.checkpoint(name, &run.resume).await?;
                    return Err(failure.into());
                }
            }
        }
        report.as_of = run.resume.until;
        Ok(())
    }

    async fn open_references(&self, kind: &str) -> Result<Vec<String>, Stopped> {
        let Some(kind) = ReferenceKind::parse(kind) else {
            return Ok(Vec::new());
        };
        let mut tx = self.store.read().await?;
        Ok(references::open(&mut tx, self.account, kind).await?)
    }

    async fn keep_events(
        &self,
        tx: &mut crate::store::Tx,
        name: &str,
        stream: &Stream,
        page: &PulledPage,
    ) -> Result<(), Stopped> {
        let (source, now) = (&self.bound.source, self.clock.now());
        facts::keep_raw_page(tx, self.account, source, name, &page.raw, now).await?;
        match &page.rows.facts {
            Facts::Receipts(events) if stream.running_total => {
                receipts::append_totals(tx, self.account, events, now).await?;
            }
            Facts::Receipts(events) => {
                receipts::append(tx, self.account, events, now).await?;
            }
            Facts::Events(events) => {
                tracking::append(tx, self.account, events, now).await?;
            }
            Facts::Returns(returns) => {
                returned::merge(tx, self.account, returns, now).await?;
            }
            Facts::Orders(_)
            | Facts::Stock(_)
            | Facts::Inbounds(_)
            | Facts::InboundLines(_)
            | Facts::Codes(_) => {}
        }
        Ok(())
    }
}
