//! Order lines: answers are committed with the cursor they move and the civil days they cover.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::pin::pin;
use std::time::Duration;

use futures_util::future::join;

use super::{Pull, Stopped, StreamReport};
use crate::connector::definition::PageKind;
use crate::connector::record::Facts;
use crate::connector::window::{Resume, Window};
use crate::http::Failure;
use crate::http::puller::{PulledPage, Step, StreamRun};
use crate::ledger::OrderLineFact;
use crate::store::facts::{self, DayCoverage};
use crate::store::{StoreError, Tx};

/// Lines that are kept back at most, so that several answers go into one transaction. A sales day and its series lie in
/// random places of their tables: the more of them change at once, the fewer pages are written.
const MOST_LINES: usize = 5_000;
const MOST_BYTES: usize = 2 << 20;
/// How long an answer is kept back while the next one does not come. A crash costs no more than this: the source is
/// asked for it again.
const LONGEST: Duration = Duration::from_secs(1);

/// Answers of one window that came and are not committed yet.
struct Batch {
    raw: Vec<Vec<u8>>,
    bytes: usize,
    lines: Vec<OrderLineFact>,
    orders: HashSet<String>,
    /// The report with these answers in it, and where to go on after them.
    counted: StreamReport,
    resume: Resume,
    window: Option<Window>,
    last: bool,
}

impl Batch {
    fn new(report: &StreamReport, resume: &Resume) -> Self {
        Self {
            raw: Vec::new(),
            bytes: 0,
            lines: Vec::new(),
            orders: HashSet::new(),
            counted: report.clone(),
            resume: resume.clone(),
            window: None,
            last: false,
        }
    }

    /// Of an order that comes again the newer state counts, which only the store can tell: it must not be in one batch
    /// with the older one.
    fn knows_one_of(&self, page: &PulledPage) -> bool {
        match &page.rows.facts {
            Facts::Orders(lines) => lines.iter().any(|line| self.orders.contains(&line.order_id)),
            _ => false,
        }
    }

    /// `came`: how many rows the source told, where there are lines of earlier pages among them.
    fn add(&mut self, page: PulledPage, resume: &Resume, came: Option<usize>) {
        let before = self.counted.rows;
        self.counted.count(&page.rows);
        if let Some(came) = came {
            self.counted.rows = before + i64::try_from(came).unwrap_or(i64::MAX);
        }
        self.resume.clone_from(resume);
        self.bytes += page.raw.len();
        self.raw.push(page.raw);
        self.window = page.window;
        self.last = page.last;
        if let Facts::Orders(lines) = page.rows.facts {
            for line in &lines {
                if !self.orders.contains(&line.order_id) {
                    self.orders.insert(line.order_id.clone());
                }
            }
            self.lines.extend(lines);
        }
    }

    fn is_full(&self) -> bool {
        self.last || self.lines.len() >= MOST_LINES || self.bytes >= MOST_BYTES
    }
}

/// The lines of one window of a list that tells lines and not orders, by order. An order may end on another page than it
/// began on, and replaces what is stored as a whole.
#[derive(Default)]
struct Apart(HashMap<String, Vec<OrderLineFact>>);

impl Apart {
    /// Gives the orders of a page the lines that earlier pages had of them.
    fn join(&mut self, page: &mut PulledPage) {
        let Facts::Orders(lines) = &mut page.rows.facts else {
            return;
        };
        let mut orders = BTreeSet::new();
        for line in lines.drain(..) {
            orders.insert(line.order_id.clone());
            let known = self.0.entry(line.order_id.clone()).or_default();
            match known.iter_mut().find(|known| known.key == line.key) {
                Some(known) => *known = line,
                None => known.push(line),
            }
        }
        lines.extend(
            orders
                .iter()
                .filter_map(|order| self.0.get(order))
                .flatten()
                .cloned(),
        );
        if page.last {
            self.0.clear();
        }
    }
}

impl Pull<'_> {
    /// Whether rows are lines that stand beside each other, page by page, not inside their orders.
    fn tells_lines_apart(&self, name: &str) -> bool {
        self.bound.stream(name).is_some_and(|(stream, _)| {
            let order = stream.map.get("order_id");
            let inside = order.is_some_and(|path| path.get_ref().trim_start().starts_with('^'));
            !inside && stream.page.kind != PageKind::None
        })
    }

    pub(super) async fn sales(&self, name: &str, report: &mut StreamReport) -> Result<(), Stopped> {
        let resume = self.load_resume(name).await?;
        let mut run = StreamRun::new(self.client, self.bound, self.clock, name, resume)?;
        let mut batch: Option<Batch> = None;
        let mut apart = self.tells_lines_apart(name).then(Apart::default);
        loop {
            let mut step = self.next_step(name, &mut run, &mut batch, report).await?;
            let counted = match (&mut step, &mut apart) {
                (Ok(Some(Step::Page(page))), Some(apart)) => {
                    let came = page.rows.facts.len();
                    apart.join(page);
                    Some(came)
                }
                _ => None,
            };
            let fits = match (&step, &batch) {
                (Ok(Some(Step::Page(page))), Some(batch)) => !batch.knows_one_of(page),
                _ => false,
            };
            if !fits {
                self.keep_batch(name, &mut batch, report).await?;
            }
            match step {
                Ok(None) => break,
                Ok(Some(Step::Checkpoint)) => self.checkpoint(name, &run.resume).await?,
                Ok(Some(Step::Resting(why))) => report.warn(&why, 1),
                Ok(Some(Step::Aside(aside))) => {
                    self.aside(aside, report).await;
                }
                Ok(Some(Step::Page(page))) => {
                    self.page_file(&page).await;
                    let held = batch.get_or_insert_with(|| Batch::new(report, &run.resume));
                    held.add(*page, &run.resume, counted);
                    if held.is_full() {
                        self.keep_batch(name, &mut batch, report).await?;
                    }
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

    /// The next step of the source. While it takes long, what was kept back is committed; the request goes on meanwhile,
    /// because it may itself need the store.
    async fn next_step(
        &self,
        name: &str,
        run: &mut StreamRun<'_>,
        batch: &mut Option<Batch>,
        report: &mut StreamReport,
    ) -> Result<Result<Option<Step>, Failure>, StoreError> {
        if batch.is_none() {
            return Ok(run.next().await);
        }
        let mut next = pin!(run.next());
        if let Ok(step) = tokio::time::timeout(LONGEST, &mut next).await {
            return Ok(step);
        }
        let (kept, step) = join(self.keep_batch(name, batch, report), next).await;
        kept.map(|()| step)
    }

    /// Commits what was kept back: rows, the days they cover and the cursor they move, all or nothing.
    async fn keep_batch(
        &self,
        name: &str,
        batch: &mut Option<Batch>,
        report: &mut StreamReport,
    ) -> Result<(), StoreError> {
        let Some(batch) = batch.take() else { return Ok(()) };
        let source = &self.bound.source;
        let now = self.clock.now();
        let mut tx = self.store.write().await?;
        for raw in &batch.raw {
            facts::keep_raw_page(&mut tx, self.account, source, name, raw, now).await?;
        }
        facts::merge_order_lines(&mut tx, self.account, source, self.bound.zone, &batch.lines).await?;
        if let (true, Some(window)) = (batch.last, batch.window) {
            self.cover(&mut tx, name, &batch.resume, window).await?;
        }
        self.save_resume(&mut tx, name, &batch.resume).await?;
        if batch.last {
            self.save_progress(&mut tx, &batch.counted, false).await?;
        }
        tx.commit().await?;
        *report = batch.counted;
        Ok(())
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
