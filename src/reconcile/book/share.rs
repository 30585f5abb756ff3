//! Units counted under another shipment's number: a short one and an over one of the same SKU whose receipts lie close
//! together explain each other (R55).

use std::collections::{BTreeMap, BTreeSet};

use super::gather::Sheet;
use super::names::NONE;
use super::{Book, STRAY};

/// What is left of a line before the pool: short below zero, over above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub left: i64,
    pub first: i32,
    pub last: i32,
}

/// Units of a line that `other` counted (positive), or the other way round (negative).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub other: u32,
    pub units: i64,
}

impl Entry {
    /// Days between the two; 0 when they overlap.
    fn days_from(&self, other: &Self) -> i32 {
        let apart = self.first.saturating_sub(other.last);
        apart.max(other.first.saturating_sub(self.last)).max(0)
    }
}

impl Book {
    /// Puts what is left of a shipment's lines into their pools, and names the pools that changed. A shipment of
    /// which nothing was counted under its own number stands in time where its inbound was closed.
    pub(super) fn enter(&mut self, shipment: u32, sheet: &Sheet, pools: &mut BTreeSet<u32>) {
        let closed_on = self.shipments[shipment as usize].closed.map(|closed| closed.on);
        let mut before = self.in_pools.remove(&shipment).unwrap_or_default();
        let mut now = Vec::new();
        for count in &sheet.counts {
            let left = count.arrived() - count.shipped;
            if left == 0 || (left < 0 && !sheet.state.is_final()) {
                continue;
            }
            let first = count.first.or(sheet.first).or(closed_on);
            let last = count.last.or(sheet.last).or(closed_on);
            if let (Some(first), Some(last)) = (first, last) {
                let entry = Entry { left, first, last };
                if self.pool.insert((count.sku, shipment), entry) != Some(entry) {
                    pools.insert(count.sku);
                }
                now.push(count.sku);
            }
        }
        before.retain(|sku| !now.contains(sku));
        for sku in before {
            self.pool.remove(&(sku, shipment));
            pools.insert(sku);
        }
        if !now.is_empty() {
            self.in_pools.insert(shipment, now);
        }
    }

    /// Pools of units under references that are no shipment's, where those changed.
    pub(super) fn stray_pools(&mut self) -> BTreeSet<u32> {
        let mut pools = BTreeSet::new();
        let as_of = self.as_of.unwrap_or_default();
        for reference in std::mem::take(&mut self.touched_strays) {
            let place = STRAY | reference;
            let mut by_sku: BTreeMap<u32, BTreeMap<u16, Entry>> = BTreeMap::new();
            for number in self.stray_references.get(&reference).into_iter().flatten() {
                let event = self.events[*number as usize];
                if event.on > as_of || event.kind != 0 {
                    continue;
                }
                let new = Entry {
                    left: 0,
                    first: event.on,
                    last: event.on,
                };
                let sum = by_sku
                    .entry(event.sku)
                    .or_default()
                    .entry(event.origin)
                    .or_insert(new);
                sum.left = sum.left.saturating_add(event.units);
                (sum.first, sum.last) = (sum.first.min(event.on), sum.last.max(event.on));
            }
            let held = self.strays_in_pools.remove(&reference).unwrap_or_default();
            pools.extend(held.iter().copied());
            for sku in held {
                self.pool.remove(&(sku, place));
            }
            for (sku, by_origin) in by_sku {
                // Two reports of the same units must not be added.
                let fullest = by_origin
                    .into_values()
                    .max_by_key(|entry| (entry.left, entry.last, entry.first));
                if let Some(entry) = fullest.filter(|entry| entry.left > 0) {
                    self.pool.insert((sku, place), entry);
                    self.strays_in_pools.entry(reference).or_default().push(sku);
                    pools.insert(sku);
                }
            }
        }
        pools
    }

    fn name_of(&self, place: u32) -> &str {
        match self.shipments.get(place as usize) {
            Some(shipment) => self.references.text(shipment.order),
            None => self.references.text(place & !STRAY),
        }
    }

    /// Pairs shorts with overs, the closest receipts first, until one side is used up. Units under an unknown
    /// reference come last, and only when their count fits one short alone and that short fits them alone.
    pub(super) fn share(&mut self, sku: u32, changed: &mut BTreeSet<u32>) {
        let range = (sku, 0)..=(sku, NONE);
        let entries: Vec<(u32, Entry)> = self
            .pool
            .range(range.clone())
            .map(|((_, place), entry)| (*place, *entry))
            .collect();
        let one_sided = !entries.iter().any(|(_, entry)| entry.left < 0)
            || !entries.iter().any(|(_, entry)| entry.left > 0);
        if one_sided && self.shares.range(range.clone()).next().is_none() {
            return;
        }
        let mut left: BTreeMap<u32, i64> = entries
            .iter()
            .map(|(place, entry)| (*place, entry.left))
            .collect();
        let mut shares: BTreeMap<u32, Vec<Share>> = BTreeMap::new();
        let mut give = |short: u32, over: u32, units: i64, left: &mut BTreeMap<u32, i64>| {
            *left.entry(short).or_default() += units;
            *left.entry(over).or_default() -= units;
            shares
                .entry(short)
                .or_default()
                .push(Share { other: over, units });
            shares.entry(over).or_default().push(Share {
                other: short,
                units: -units,
            });
        };
        let mut pairs: Vec<(i32, &str, &str, u32, u32)> = Vec::new();
        let mut fits: Vec<(u32, u32)> = Vec::new();
        for (short, own) in entries.iter().filter(|(_, entry)| entry.left < 0) {
            for (over, theirs) in entries.iter().filter(|(_, entry)| entry.left > 0) {
                let days = own.days_from(theirs);
                if days > self.rules.pool_days {
                    continue;
                }
                if over & STRAY == 0 {
                    pairs.push((days, self.name_of(*short), self.name_of(*over), *short, *over));
                } else {
                    fits.push((*short, *over));
                }
            }
        }
        pairs.sort_unstable();
        for (.., short, over) in pairs {
            let units = left[&over].min(-left[&short]);
            if units > 0 {
                give(short, over, units, &mut left);
            }
        }
        fits.retain(|(short, stray)| left[short] == -left[stray]);
        for (short, stray) in &fits {
            let alone = |same: &dyn Fn(&(u32, u32)) -> bool| fits.iter().filter(|fit| same(fit)).count() == 1;
            if alone(&|fit| fit.0 == *short) && alone(&|fit| fit.1 == *stray) {
                let units = left[stray];
                give(*short, *stray, units, &mut left);
            }
        }
        let before: Vec<(u32, Vec<Share>)> = self
            .shares
            .range(range)
            .map(|((_, place), shares)| (*place, shares.clone()))
            .collect();
        for (place, share) in before {
            if shares.get(&place) != Some(&share) {
                self.shares.remove(&(sku, place));
                changed.extend((place & STRAY == 0).then_some(place));
            }
        }
        for (place, share) in shares {
            if self.shares.get(&(sku, place)) != Some(&share) {
                self.shares.insert((sku, place), share);
                changed.extend((place & STRAY == 0).then_some(place));
            }
        }
    }

    /// What the pool gives a line, and whether some of it is known by its count alone.
    pub(super) fn shares_of(&self, shipment: u32, sku: u32) -> &[Share] {
        self.shares
            .get(&(sku, shipment))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Units of a SKU under references that are nobody's and explain nothing, within the window of a line.
    pub(super) fn strays_near(&self, shipment: u32, sku: u32) -> Vec<(u32, i64)> {
        let Some(own) = self.pool.get(&(sku, shipment)) else {
            return Vec::new();
        };
        self.pool
            .range((sku, STRAY)..=(sku, NONE))
            .filter(|((_, place), entry)| {
                own.days_from(entry) <= self.rules.pool_days && !self.shares.contains_key(&(sku, *place))
            })
            .map(|((_, place), entry)| (place & !STRAY, entry.left))
            .collect()
    }
}
