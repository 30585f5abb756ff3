//! Order lines: each answer is committed with the cursor it moves and the civil days it covers.

use super::{Pull, Stopped, StreamReport};
use crate::connector::record::Facts;
use crate::connector::window::{Resume, Window};
use crate::http::puller::{PulledPage, Step, StreamRun};
use crate::store::facts::{self, DayCoverage};
use crate::store::{StoreError, Tx};

impl Pull<'_> {
    pub(super) async fn sales(&self, name: &str, report: &mut StreamReport) -> Result<(), Stopped> {
        let resume = self.load_resume(name).await?;
        let mut run = StreamRun::new(self.client, self.bound, self.clock, name, resume)?;
        loop {
            match run.next().await {
                Ok(None) => break,
                Ok(Some(Step::Checkpoint)) => self.checkpoint(name, &run.resume).await?,
                Ok(Some(Step::Resting(why))) => report.warn(&why, 1),
                Ok(Some(Step::Page(page))) => {
                    let mut counted = report.clone();
                    counted.count(&page.rows);
                    let mut tx = self.store.write().await?;
                    self.keep_sales(&mut tx, name, &page, &run.resume).await?;
                    if page.last {
                        self.save_progress(&mut tx, &counted, false).await?;
                    }
                    tx.commit().await?;
                    *report = counted;
                }
                Ok(Some(Step::LeftOut(window, why))) => {
                    report.degrade(&format!("{} to {} is a gap: {why}", window.from, window.to));
                    let mut tx = self.store.write().await?;
                    self.cover(&mut tx, name, &run.resume, window).await?;
                    self.save_resume(&mut tx, name, &run.resume).await?;
                    self.save_progress(&mut tx, report, false).await?;
                    tx.commit().await?;
                }
                Err(failure) => {
                    // What the run knows is still true: a report that ended badly must not be asked about again.
                    self.checkpoint(name, &run.resume).await?;
                    return Err(failure.into());
                }
            }
        }
        report.as_of = run.resume.until;
        Ok(())
    }

    /// The rows of one answer, the days it covers and the cursor it moves: all or nothing.
    async fn keep_sales(
        &self,
        tx: &mut Tx,
        name: &str,
        page: &PulledPage,
        resume: &Resume,
    ) -> Result<(), StoreError> {
        let source = &self.bound.source;
        facts::keep_raw_page(tx, self.account, source, name, &page.raw, self.clock.now()).await?;
        if let Facts::Orders(lines) = &page.rows.facts {
            facts::merge_order_lines(tx, self.account, source, self.bound.zone, lines).await?;
        }
        if let (true, Some(window)) = (page.last, page.window) {
            self.cover(tx, name, resume, window).await?;
        }
        self.save_resume(tx, name, resume).await
    }

    async fn cover(
        &self,
        tx: &mut Tx,
        name: &str,
        resume: &Resume,
        window: Window,
    ) -> Result<(), StoreError> {
        let days = resume
            .days(window, self.bound.zone)
            .into_iter()
            .map(|(day, whole)| {
                let coverage = if whole {
                    DayCoverage::Complete
                } else {
                    DayCoverage::Partial
                };
                (day, coverage)
            })
            .collect();
        facts::mark_covered(tx, self.account, &self.bound.source, name, &days).await
    }
}
