//! Inbounds and what stands below each of them: announced lines, receipt and putaway batches.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::{Pull, Stopped, StreamReport};
use crate::connector::record::Facts;
use crate::connector::rows::PageRows;
use crate::connector::window::Resume;
use crate::http::puller::{PulledPage, Step, StreamRun};
use crate::ledger::{InboundLine, InboundNotice, ReceiptEvent, TrackingEvent};
use crate::store::facts::Closed;
use crate::store::{Tx, facts, receipts, tracking};

/// What was told of inbounds, to be stored together.
#[derive(Default)]
struct Told {
    notices: Vec<InboundNotice>,
    /// None: no stream has told lines, which is not that there are none.
    lines: Option<Vec<InboundLine>>,
    events: Vec<ReceiptEvent>,
    /// What has come in all.
    totals: Vec<ReceiptEvent>,
    tracked: Vec<TrackingEvent>,
}

impl Told {
    fn take(&mut self, facts: Facts, totals: bool) {
        match facts {
            Facts::Inbounds(more) => self.notices.extend(more),
            Facts::InboundLines(more) => self.lines.get_or_insert_default().extend(more),
            Facts::Receipts(more) if totals => self.totals.extend(more),
            Facts::Receipts(more) => self.events.extend(more),
            Facts::Events(more) => self.tracked.extend(more),
            Facts::Orders(_) | Facts::Stock(_) | Facts::Returns(_) | Facts::Codes(_) => {}
        }
    }

    /// A total without a time of its own counts when it is read. That of an inbound which has been closed since it was read
    /// last was there when it closed, and does not open it again.
    fn date_totals(&mut self, closed: &BTreeMap<String, DateTime<Utc>>, before: &BTreeMap<String, Closed>) {
        for total in &mut self.totals {
            let Some(at) = closed.get(&total.reference).copied() else {
                continue;
            };
            let is_known = before
                .get(&total.reference)
                .is_some_and(|before| before.updated_at == Some(at));
            if !is_known {
                total.at = total.at.min(at);
            }
        }
    }

    /// Leaves away what is about other inbounds: those of warehouses that are not ours.
    fn only_of(&mut self, inbounds: &BTreeSet<String>) {
        if let Some(lines) = &mut self.lines {
            lines.retain(|line| inbounds.contains(&line.inbound_no));
        }
        for events in [&mut self.events, &mut self.totals] {
            events.retain(|event| inbounds.contains(&event.reference));
        }
    }
}

/// Whether an inbound was closed and read before, and its row says nothing new.
fn is_final(texts: &BTreeMap<String, String>, facts: &Facts, closed: &BTreeMap<String, Closed>) -> bool {
    let (Some(number), Facts::Inbounds(notices)) = (texts.get("inbound_no"), facts) else {
        return false;
    };
    let now = notices.iter().rfind(|notice| notice.inbound_no == *number);
    now.zip(closed.get(number)).is_some_and(|(now, before)| {
        let same_time = now.updated_at.is_none() || now.updated_at == before.updated_at;
        now.closed && now.state == before.state && same_time
    })
}

impl Pull<'_> {
    /// Reads the changed inbounds. The cursor moves only past inbounds below which everything was read.
    pub(super) async fn inbounds(
        &self,
        name: &str,
        settled: bool,
        (report, below): (&mut StreamReport, &mut [StreamReport]),
    ) -> Result<(), Stopped> {
        let closed = self.closed_before(settled).await?;
        let resume = self.load_resume(name).await?;
        let mut run = StreamRun::new(self.client, self.bound, self.clock, name, resume)?;
        let mut whole = true;
        while let Some(step) = run.next().await? {
            let mut page = match step {
                Step::Page(page) => page,
                Step::Resting(why) => {
                    report.warn(&why, 1);
                    continue;
                }
                Step::Aside(aside) => {
                    self.aside(aside, report).await;
                    continue;
                }
                Step::Checkpoint if self.bound.folder.is_some() => {
                    self.checkpoint(name, &run.resume).await?;
                    continue;
                }
                Step::Checkpoint | Step::LeftOut(..) => continue,
            };
            self.page_file(&page).await;
            report.count(&page.rows);
            let mut told = Told::default();
            for (reader, rows) in std::mem::take(&mut page.also) {
                self.also(&reader, rows, below, &mut told);
            }
            for texts in &page.rows.below {
                if is_final(texts, &page.rows.facts, &closed) {
                    continue;
                }
                whole &= self.below(name, texts, below).await;
            }
            if let Facts::Inbounds(notices) =
                std::mem::replace(&mut page.rows.facts, Facts::Stock(Vec::new()))
            {
                told.notices = notices;
            }
            self.keep_notices(&page, told, whole.then_some(&run.resume), (report, below))
                .await?;
        }
        if self.bound.folder.is_some() {
            for report in std::iter::once(&mut *report).chain(below.iter_mut()) {
                report.as_of = run.resume.until;
            }
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

    /// The inbounds that need not be asked about again, if they still say the same.
    async fn closed_before(&self, settled: bool) -> Result<BTreeMap<String, Closed>, Stopped> {
        if !settled {
            return Ok(BTreeMap::new());
        }
        let mut tx = self.store.read().await?;
        Ok(facts::closed_inbounds(&mut tx, self.account, &self.bound.source).await?)
    }

    /// The cursor goes with the last page of its window; without `resume` it stays where it is.
    async fn keep_notices(
        &self,
        page: &PulledPage,
        mut told: Told,
        resume: Option<&Resume>,
        (report, below): (&StreamReport, &[StreamReport]),
    ) -> Result<(), Stopped> {
        let inbounds: BTreeSet<String> = told
            .notices
            .iter()
            .map(|notice| notice.inbound_no.clone())
            .collect();
        told.only_of(&inbounds);
        let closed = told
            .notices
            .iter()
            .filter(|notice| notice.closed)
            .filter_map(|notice| Some((notice.inbound_no.clone(), notice.updated_at?)))
            .collect();
        let mut tx = self.store.write().await?;
        let now = self.clock.now();
        if !told.totals.is_empty() {
            let before = facts::closed_inbounds(&mut tx, self.account, &self.bound.source).await?;
            told.date_totals(&closed, &before);
        }
        facts::keep_raw_page(
            &mut tx,
            self.account,
            &self.bound.source,
            &report.stream,
            &page.raw,
            now,
        )
        .await?;
        self.keep_told(&mut tx, &told, &inbounds).await?;
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

    /// What another stream has read in the same answer.
    fn also(&self, name: &str, rows: PageRows, reports: &mut [StreamReport], told: &mut Told) {
        if let Some(report) = reports.iter_mut().find(|report| report.stream == name) {
            report.count(&rows);
        }
        told.take(rows.facts, self.tells_totals(name));
    }

    fn tells_totals(&self, name: &str) -> bool {
        let stream = self.bound.stream(name);
        stream.is_some_and(|(stream, _)| stream.running_total)
    }

    /// Stores what was told of these inbounds.
    async fn keep_told(&self, tx: &mut Tx, told: &Told, inbounds: &BTreeSet<String>) -> Result<(), Stopped> {
        let now = self.clock.now();
        let source = &self.bound.source;
        facts::merge_inbounds(tx, self.account, &told.notices).await?;
        if let Some(lines) = &told.lines {
            for inbound in inbounds {
                let own: Vec<InboundLine> = lines
                    .iter()
                    .filter(|line| line.inbound_no == *inbound)
                    .cloned()
                    .collect();
                facts::replace_inbound_lines(tx, self.account, source, inbound, &own).await?;
            }
        }
        if !told.totals.is_empty() {
            receipts::append_totals(tx, self.account, &told.totals, now).await?;
        }
        if !told.events.is_empty() {
            receipts::append(tx, self.account, &told.events, now).await?;
        }
        tracking::append(tx, self.account, &told.tracked, now).await?;
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
            match self.child(child, texts, reports).await {
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
                    let why = format!("{inbound}: {}", stopped.text());
                    let reads = |report: &&mut StreamReport| {
                        report.stream == child
                            || self
                                .bound
                                .definition
                                .readers(child)
                                .any(|name| name == report.stream)
                    };
                    reports
                        .iter_mut()
                        .filter(reads)
                        .for_each(|report| report.degrade(&why));
                }
            }
        }
        whole
    }

    /// One stream below one row. Everything of it is committed at once: half an inbound is no inbound. Returns what
    /// streams below its rows are asked with.
    async fn child(
        &self,
        name: &str,
        texts: &BTreeMap<String, String>,
        reports: &mut [StreamReport],
    ) -> Result<Vec<BTreeMap<String, String>>, Stopped> {
        let mut run = StreamRun::new(self.client, self.bound, self.clock, name, Resume::default())?
            .below(texts.clone());
        let mut told = Told::default();
        let mut raw = Vec::new();
        let mut rows = Vec::new();
        while let Some(step) = run.next().await? {
            let Step::Page(page) = step else { continue };
            raw.push(page.raw);
            rows.extend(page.rows.below.clone());
            self.also(name, page.rows, reports, &mut told);
            for (reader, rows) in page.also {
                self.also(&reader, rows, reports, &mut told);
            }
        }
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        for raw in &raw {
            facts::keep_raw_page(&mut tx, self.account, &self.bound.source, name, raw, now).await?;
        }
        let inbound: BTreeSet<String> = texts.get("inbound_no").cloned().into_iter().collect();
        let closed_at = texts
            .get("updated_at")
            .filter(|_| texts.get("closed").is_some_and(|closed| closed == "true"))
            .and_then(|at| at.parse::<DateTime<Utc>>().ok());
        if let (Some(at), false) = (closed_at, told.totals.is_empty()) {
            let closed = inbound.iter().map(|inbound| (inbound.clone(), at)).collect();
            let before = facts::closed_inbounds(&mut tx, self.account, &self.bound.source).await?;
            told.date_totals(&closed, &before);
        }
        self.keep_told(&mut tx, &told, &inbound).await?;
        tx.commit().await?;
        Ok(rows)
    }
}
