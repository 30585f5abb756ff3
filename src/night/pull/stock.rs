//! Stock: a snapshot per warehouse, taken whole or not at all.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Pull, Stopped, StreamReport};
use crate::connector::definition::{Snapshot as Told, Stream};
use crate::connector::record::Facts;
use crate::connector::window::Resume;
use crate::http::puller::{Step, StreamRun};
use crate::http::{Failure, FailureKind};
use crate::ids::WarehouseCode;
use crate::ledger::{Buckets, StockRow};
use crate::store::facts;

/// Every page of one warehouse.
#[derive(Default)]
struct Snapshot {
    rows: Vec<StockRow>,
    raw: Vec<Vec<u8>>,
}

impl Pull<'_> {
    pub(super) async fn stock(
        &self,
        name: &str,
        stream: &Stream,
        report: &mut StreamReport,
    ) -> Result<(), Stopped> {
        let mut failed = 0;
        let cut_off = self.store.cut_off();
        let warehouses = self.bound.snapshots(stream);
        let asked = warehouses.len();
        for (code, ours) in warehouses {
            let taken = self
                .snapshot(name, stream.snapshot, (code, ours.clone()), report)
                .await;
            if let Err(stopped) = taken {
                if self.store.cut_off() != cut_off {
                    // Nothing is known against the source: the older snapshot stays what it is until it is asked again.
                    return Err(stopped);
                }
                failed += 1;
                let why = stopped.text();
                let mut tx = self.store.write().await?;
                let now = self.clock.now();
                facts::discard_snapshot(&mut tx, self.account, &self.bound.source, &ours, &why, now).await?;
                tx.commit().await?;
                report.degrade(&format!("{ours}: the snapshot was discarded: {why}"));
            }
        }
        if failed == asked {
            // Pages may have come, but nothing of them was taken.
            report.rows = 0;
            report.state = facts::PullState::Failed;
        }
        Ok(())
    }

    async fn snapshot(
        &self,
        name: &str,
        told: Told,
        (code, ours): (String, WarehouseCode),
        report: &mut StreamReport,
    ) -> Result<(), Stopped> {
        let mut as_of = self.clock.now();
        // A whole stock is about now; of changes, those since the last time are asked for.
        // A file that was read before is no new one.
        let files = self.bound.folder.is_some();
        let mut resume = match told {
            Told::Complete if !files => Resume::default(),
            Told::Complete | Told::Partial => self.load_resume(name).await?,
        };
        let part = resume.parts.remove(&code).unwrap_or_default();
        let mut run = StreamRun::new(self.client, self.bound, self.clock, name, part)?
            .for_warehouse((code.clone(), ours.clone()));
        let mut snapshot = Snapshot::default();
        while let Some(step) = run.next().await? {
            let page = match step {
                Step::Page(page) => page,
                // Without an answer there is no stock, which is not an empty one.
                Step::Resting(why) | Step::LeftOut(_, why) => {
                    return Err(Failure::new(FailureKind::Throttled, why).into());
                }
                Step::Aside(aside) => match self.aside(aside, report).await {
                    // The newest file says how it stands now: an older one does not.
                    Some(why) => return Err(Failure::new(FailureKind::WrongSchema, why).into()),
                    None => continue,
                },
                Step::Checkpoint => continue,
            };
            self.page_file(&page).await;
            if let Some(file) = &page.file {
                as_of = file.made;
            }
            report.count(&page.rows);
            if let Some(problem) = page.rows.rejected.first() {
                // A row that cannot be read is a SKU whose stock is unknown: the whole is not whole.
                return Err(Failure::new(FailureKind::WrongSchema, problem.to_string()).into());
            }
            snapshot.raw.push(page.raw);
            if let Facts::Stock(rows) = page.rows.facts {
                snapshot.rows.extend(rows);
            }
        }
        if files {
            // As old as the oldest of its warehouses.
            report.as_of = match (report.as_of, run.resume.until) {
                (Some(before), Some(until)) => Some(before.min(until)),
                (before, until) => before.or(until),
            };
            if snapshot.raw.is_empty() {
                return self.same_file(name, &ours, run.resume.until, report).await;
            }
        }
        let rows = one_row_per_sku(snapshot.rows);
        for row in &rows {
            examine(row, report);
        }
        let mut tx = self.store.write().await?;
        for raw in &snapshot.raw {
            facts::keep_raw_page(&mut tx, self.account, &self.bound.source, name, raw, as_of).await?;
        }
        let (source, zone) = (&self.bound.source, self.bound.zone);
        if told == Told::Partial {
            facts::merge_stock(&mut tx, self.account, source, &ours, zone, as_of, &rows).await?;
            let mut part = run.resume.clone();
            part.todo = None;
            // Other warehouses of the stream may have moved on since this one began.
            let mut resume = self.resume(&mut tx, name).await?;
            resume.parts.insert(code, part);
            self.save_resume(&mut tx, name, &resume).await?;
            tx.commit().await?;
            return Ok(());
        }
        let taken = facts::put_snapshot(&mut tx, self.account, source, &ours, zone, as_of, &rows).await?;
        if let Err(refused) = taken {
            return Err(Failure::new(FailureKind::WrongSchema, refused.to_string()).into());
        }
        if files {
            let mut resume = self.resume(&mut tx, name).await?;
            resume.parts.insert(code, run.resume);
            self.save_resume(&mut tx, name, &resume).await?;
        }
        tx.commit().await?;
        if files {
            return self.same_file(name, &ours, Some(as_of), report).await;
        }
        Ok(())
    }

    /// No file is newer than the stock that is known. One that was bad and is gone does not stand in its way any more;
    /// its own age may.
    async fn same_file(
        &self,
        name: &str,
        ours: &WarehouseCode,
        of: Option<DateTime<Utc>>,
        report: &mut StreamReport,
    ) -> Result<(), Stopped> {
        let (now, most, source) = (self.clock.now(), self.max_age(name), &self.bound.source);
        let mut tx = self.store.write().await?;
        match of.filter(|of| now - *of > most) {
            Some(of) => {
                let local = of.with_timezone(&self.bound.zone).format("%Y-%m-%d %H:%M");
                let why = format!(
                    "the newest file is of {local}, more than {} hours ago",
                    most.num_hours()
                );
                report.warn(&format!("{ours}: {why}"), 1);
                facts::discard_snapshot(&mut tx, self.account, source, ours, &why, now).await?;
            }
            None => facts::confirm_snapshot(&mut tx, self.account, source, ours).await?,
        }
        tx.commit().await?;
        Ok(())
    }
}

/// A code may come in several rows (batches, conditions, listings): their buckets add up.
fn one_row_per_sku(rows: Vec<StockRow>) -> Vec<StockRow> {
    let mut by_sku: BTreeMap<String, StockRow> = BTreeMap::new();
    for row in rows {
        let sum = match by_sku.remove(&row.sku_code) {
            None => row,
            Some(sum) => add(sum, &row),
        };
        by_sku.insert(sum.sku_code.clone(), sum);
    }
    by_sku.into_values().collect()
}

fn add(mut sum: StockRow, row: &StockRow) -> StockRow {
    let plus = |a: Option<i64>, b: Option<i64>| a.zip(b).and_then(|(a, b)| a.checked_add(b));
    let (a, b) = (sum.buckets, row.buckets);
    sum.buckets = Buckets {
        available: plus(a.available, b.available),
        reserved: plus(a.reserved, b.reserved),
        pending_putaway: plus(a.pending_putaway, b.pending_putaway),
        inbound: plus(a.inbound, b.inbound),
        unsellable: plus(a.unsellable, b.unsellable),
        frozen: plus(a.frozen, b.frozen),
        transfer: plus(a.transfer, b.transfer),
    };
    sum.total = plus(sum.total, row.total);
    sum
}

/// Negative numbers and totals that do not add up are kept as they came, and told.
fn examine(row: &StockRow, report: &mut StreamReport) {
    let buckets = row.buckets;
    let all = [
        buckets.available,
        buckets.reserved,
        buckets.pending_putaway,
        buckets.inbound,
        buckets.unsellable,
        buckets.frozen,
        buckets.transfer,
    ];
    if all.iter().flatten().any(|units| *units < 0) {
        report.warn(&format!("SKU `{}` has a negative quantity", row.sku_code), 1);
    }
    // A total can only be compared with what came; a bucket that no provider of this kind has counts as none.
    let sum: i64 = all.iter().flatten().sum();
    if let Some(total) = row.total
        && total != sum
    {
        let text = format!(
            "SKU `{}`: the buckets add up to {sum}, the source says {total}",
            row.sku_code
        );
        report.warn(&text, 1);
    }
}
