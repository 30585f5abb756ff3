//! What is left of each line after the pool, and what kind of difference that is (R56).
//!
//! The order matters and is fixed: what the report itself says (damage, labels, lots), then what explains a line
//! without anything missing (a pack counted as a piece, the wrong SKU), then cartons, then plain short and over. Where
//! two kinds fit, both are named and nothing is closed.

use std::collections::{BTreeMap, BTreeSet};

use super::Book;
use super::aside::Aside;
use super::gather::{CartonCount, Count, Sheet};
use super::names::NONE;
use crate::reconcile::{Kind, LineState, Standing};

/// How sure a kind is, of a hundred.
pub(super) mod sure {
    /// The report says it in so many words.
    pub const TOLD: u8 = 99;
    /// Shown carton by carton.
    pub const BY_CARTON: u8 = 95;
    /// Nothing else fits the counts of the line.
    pub const BY_COUNT: u8 = 85;
    /// Something else fits as well.
    pub const OPEN: u8 = 50;
}

/// A difference, as small as it can be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub kind: Kind,
    pub or: Vec<Kind>,
    pub sku: u32,
    pub carton: u32,
    pub counted_as: u32,
    pub units: i64,
    pub standing: Standing,
    pub confidence: u8,
    pub papers: Option<(String, String)>,
}

impl Found {
    fn new(kind: Kind, sku: u32, units: i64, standing: Standing, confidence: u8) -> Self {
        Self {
            kind,
            or: Vec::new(),
            sku,
            carton: NONE,
            counted_as: NONE,
            units,
            standing,
            confidence,
            papers: None,
        }
    }

    fn or(mut self, kinds: &[Kind]) -> Self {
        self.or.extend(kinds);
        self.or.sort_unstable();
        self.or.dedup();
        if !self.or.is_empty() {
            self.confidence = sure::OPEN;
        }
        self
    }

    fn in_carton(mut self, carton: u32) -> Self {
        self.carton = carton;
        self
    }
}

/// One line while it is being explained: what is left of its difference.
struct Rest<'s> {
    count: &'s Count,
    cartons: &'s [CartonCount],
    /// Below zero missing, above too many.
    left: i64,
    /// The wrong SKU is one of the ways to explain it.
    perhaps_wrong: bool,
    mislabelled: i64,
    pooled: bool,
    aside: Aside,
}

/// The line's difference after the pool and after units that only their count could place.
pub(super) fn left_after(book: &Book, shipment: u32, sheet: &Sheet) -> Vec<i64> {
    let mut left: Vec<i64> = sheet
        .counts
        .iter()
        .map(|count| {
            let shared: i64 = book
                .shares_of(shipment, count.sku)
                .iter()
                .map(|share| share.units)
                .sum();
            count.arrived() - count.shipped + shared
        })
        .collect();
    for (short, unread) in by_quantity(sheet, &left) {
        left[short] = 0;
        left[unread] = 0;
    }
    left
}

/// A code that nobody can read, and a line that lacks just as many: each the only one of that count.
pub(super) fn by_quantity(sheet: &Sheet, left: &[i64]) -> Vec<(usize, usize)> {
    if !sheet.state.is_final() || !sheet.counts.iter().any(|count| count.unread) {
        return Vec::new();
    }
    let only = |wanted: i64, unread: bool| {
        let mut fits = (0..left.len()).filter(|at| left[*at] == wanted && sheet.counts[*at].unread == unread);
        fits.next().filter(|_| fits.next().is_none())
    };
    (0..left.len())
        .filter(|at| left[*at] > 0 && sheet.counts[*at].unread)
        .filter_map(|at| Some((only(-left[at], false)?, only(left[at], true)?)))
        .collect()
}

impl Book {
    pub(super) fn classify(&mut self, shipment: u32, sheet: &Sheet) {
        let found = self.differences_in(shipment, sheet);
        if found.is_empty() {
            if !self.found.is_empty() {
                self.found.remove(&shipment);
            }
        } else {
            self.found.insert(shipment, found);
        }
    }

    fn differences_in(&self, shipment: u32, sheet: &Sheet) -> Vec<Found> {
        let mut found = Vec::new();
        let left = left_after(self, shipment, sheet);
        let standing = if sheet.state.is_final() {
            Standing::Final
        } else {
            Standing::Provisional
        };
        let mut rests: Vec<Rest<'_>> = Vec::new();
        for (count, left) in sheet.counts.iter().zip(left) {
            if count.unread {
                continue;
            }
            let aside = Aside::of(count, -left);
            self.told(count, (left, aside), sheet, standing, &mut found);
            // What was put aside is named as that, and not missing besides.
            let left = left + aside.missing;
            let pooled = !self.shares_of(shipment, count.sku).is_empty();
            if left != 0 || count.mislabelled != 0 {
                rests.push(Rest {
                    count,
                    cartons: &sheet.cartons[count.cartons.0..count.cartons.1],
                    left,
                    perhaps_wrong: false,
                    mislabelled: count.mislabelled,
                    pooled,
                    aside,
                });
            }
        }
        if sheet.state.is_final() {
            self.packs_as_pieces(&mut rests, standing, &mut found);
            self.wrong_skus(&mut rests, sheet, standing, &mut found);
        }
        let late = self.as_of > Some(self.shipments[shipment as usize].eta_p90);
        for rest in &rests {
            if rest.mislabelled > 0 {
                let units = rest.mislabelled;
                found.push(Found::new(
                    Kind::Mislabelled,
                    rest.count.sku,
                    units,
                    standing,
                    sure::TOLD,
                ));
            }
            if rest.left > 0 {
                self.too_many(rest, sheet, standing, &mut found);
            } else if rest.left < 0 && sheet.state.is_final() {
                self.missing(rest, sheet, &mut found);
            } else if rest.left < 0 && late {
                let units = -rest.left;
                found.push(Found::new(
                    Kind::Late,
                    rest.count.sku,
                    units,
                    standing,
                    sure::TOLD,
                ));
            } else if rest.left < 0 && sheet.state == LineState::Receiving {
                let units = -rest.left;
                found.push(Found::new(
                    Kind::Open,
                    rest.count.sku,
                    units,
                    standing,
                    sure::TOLD,
                ));
            }
        }
        found
    }

    /// What the reports say by themselves, whatever the count comes to.
    fn told(
        &self,
        count: &Count,
        (left, aside): (i64, Aside),
        sheet: &Sheet,
        standing: Standing,
        found: &mut Vec<Found>,
    ) {
        let new = |kind, units| Found::new(kind, count.sku, units, standing, sure::TOLD);
        if count.damaged > 0 {
            found.push(new(Kind::Damaged, count.damaged));
        }
        if aside.units > 0 {
            let lost = aside.doubtful && left < 0 && standing == Standing::Final;
            let lost = lost.then_some(Kind::Short);
            found.push(new(Kind::SetAside, aside.units).or(lost.as_slice()));
        }
        for carton in &sheet.cartons[count.cartons.0..count.cartons.1] {
            if carton.again > 0 {
                found.push(new(Kind::DuplicateReport, carton.again).in_carton(carton.carton));
            }
        }
        if count.second_source > 0 {
            found.push(new(Kind::DuplicateReport, count.second_source));
        }
        for (papers, units) in count.papers.iter().filter(|(_, units)| **units > 0) {
            found.push(Found {
                papers: Some(papers.clone()),
                ..new(Kind::ValueOrLot, *units)
            });
        }
        let shelf = count.put_away + count.damaged;
        if sheet.dock_reports && count.put_away > 0 && shelf > count.dock {
            found.push(new(Kind::SystemLag, shelf - count.dock.max(0)));
        }
        let waiting = count.waiting() - aside.waiting;
        let due = sheet
            .last
            .map(|last| last.saturating_add(self.rules.putaway_days));
        if sheet.shelf_reports && waiting > 0 && self.as_of > due {
            // Too many by one count told twice, and as many that never reach the shelf.
            let twice = left == waiting && count.twins.contains(&waiting);
            let aside = aside.doubtful.then_some(Kind::SetAside);
            let or: Vec<Kind> = twice
                .then_some(Kind::DuplicateReport)
                .into_iter()
                .chain(aside)
                .collect();
            found.push(new(Kind::PutAwayGap, waiting).or(&or));
        }
    }

    /// Received a known pack's many times what was shipped: there is no other place so many could come from. Fewer by
    /// a pack's factor may be a short just as well, unless every carton shows it.
    fn packs_as_pieces(&self, rests: &mut [Rest<'_>], standing: Standing, found: &mut Vec<Found>) {
        for rest in rests.iter_mut().filter(|rest| rest.left != 0 && !rest.pooled) {
            let (count, left) = (rest.count, rest.left);
            let packs = self.packs_of(rest);
            let arrived = count.arrived();
            if count.shipped == 0 || arrived == 0 {
                continue;
            }
            let more = left > 0
                && packs
                    .iter()
                    .any(|pack| count.shipped.checked_mul(*pack) == Some(arrived));
            let by_carton = |pack: i64| {
                let told = rest
                    .cartons
                    .iter()
                    .filter(|carton| carton.told != 0 || carton.shipped != 0);
                let all = told
                    .clone()
                    .all(|carton| carton.ours && carton.told * pack == carton.shipped);
                all && told.count() > 1
            };
            let fewer = left < 0 && packs.iter().any(|pack| by_carton(*pack));
            if more || fewer {
                let sure = if fewer { sure::BY_CARTON } else { sure::BY_COUNT };
                let units = left.abs();
                found.push(Found::new(Kind::PackMultiple, count.sku, units, standing, sure).or(&doubt(rest)));
                rest.left = 0;
            }
        }
    }

    /// Packs of the SKU: what the catalog knows, and its cartons' units where they are all alike.
    fn packs_of(&self, rest: &Rest<'_>) -> BTreeSet<i64> {
        let mut packs: BTreeSet<i64> = self
            .multiples
            .get(&rest.count.sku)
            .into_iter()
            .flatten()
            .copied()
            .collect();
        packs.extend(carton_units(rest.cartons));
        packs.retain(|pack| *pack > 1);
        packs
    }

    /// Missing under one SKU and too many of another. Where the cartons show it, or one missing and one surplus
    /// count are equal and no other is, it is one; where several are, it is one of the ways.
    fn wrong_skus(&self, rests: &mut [Rest<'_>], sheet: &Sheet, standing: Standing, found: &mut Vec<Found>) {
        let mut pairs: Vec<(usize, usize, u8)> = Vec::new();
        let mut gone: BTreeSet<usize> = BTreeSet::new();
        let fits = |rests: &[Rest<'_>], short: usize, over: usize| {
            rests[short].left < 0 && rests[over].left == -rests[short].left
        };
        let order = self.by_text(rests);
        for &short in &order {
            let in_carton = |over: &&usize| {
                let n = -rests[short].left;
                let lacks = rests[short]
                    .cartons
                    .iter()
                    .filter(|one| one.ours && one.shipped - one.told == n);
                let mut cartons = lacks
                    .map(|one| one.carton)
                    .filter(|carton| sheet.seen.contains(carton));
                cartons.any(|carton| {
                    let has = |one: &CartonCount| one.carton == carton && one.told - one.shipped == n;
                    rests[**over].cartons.iter().any(has)
                })
            };
            let mut candidates = order
                .iter()
                .filter(|over| fits(rests, short, **over) && !gone.contains(*over));
            if let Some(over) = candidates.find(in_carton) {
                pairs.push((short, *over, sure::BY_CARTON));
                gone.extend([short, *over]);
            }
        }
        let mut by_units: BTreeMap<i64, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for &at in order.iter().filter(|at| !gone.contains(*at)) {
            let sides = by_units.entry(rests[at].left.abs()).or_default();
            if rests[at].left < 0 {
                sides.0.push(at);
            } else if rests[at].left > 0 {
                sides.1.push(at);
            }
        }
        for (shorts, overs) in by_units.into_values() {
            match (&shorts[..], &overs[..]) {
                ([], _) | (_, []) => {}
                ([short], [over]) => pairs.push((*short, *over, sure::BY_COUNT)),
                _ => shorts
                    .iter()
                    .chain(&overs)
                    .for_each(|at| rests[*at].perhaps_wrong = true),
            }
        }
        for (short, over, sure) in pairs {
            let units = -rests[short].left;
            // The label said so: the goods are right and named wrong.
            let labels = rests[over].mislabelled >= units;
            let kind = if labels { Kind::Mislabelled } else { Kind::WrongSku };
            if labels {
                rests[over].mislabelled -= units;
            }
            let doubts = [doubt(&rests[short]), doubt(&rests[over])].concat();
            found.push(Found {
                counted_as: rests[over].count.sku,
                ..Found::new(kind, rests[short].count.sku, units, standing, sure).or(&doubts)
            });
            rests[short].left = 0;
            rests[over].left = 0;
        }
    }

    fn by_text(&self, rests: &[Rest<'_>]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..rests.len()).filter(|at| rests[*at].left != 0).collect();
        order.sort_unstable_by_key(|at| self.skus.text(rests[*at].count.sku));
        order
    }

    fn too_many(&self, rest: &Rest<'_>, sheet: &Sheet, standing: Standing, found: &mut Vec<Found>) {
        let (count, units) = (rest.count, rest.left);
        let mut or = doubt(rest);
        or.extend(rest.perhaps_wrong.then_some(Kind::WrongSku));
        // Marks that are on no list say something only where others of the list were counted: else the warehouse has
        // numbers of its own for all cartons.
        let marked = rest.cartons.iter().filter(|_| !sheet.seen.is_empty());
        let strange: Vec<&CartonCount> = marked
            .filter(|one| !one.ours && one.carton != NONE && one.told > 0)
            .collect();
        let in_strange: i64 = strange.iter().map(|one| one.told).sum();
        if in_strange == units && !rest.pooled {
            for one in strange {
                let new = Found::new(Kind::CartonExtra, count.sku, one.told, standing, sure::BY_CARTON);
                found.push(new.or(&or).in_carton(one.carton));
            }
            return;
        }
        let times = count.shipped > 1 && count.arrived() % count.shipped == 0;
        or.extend((times && !rest.pooled).then_some(Kind::PackMultiple));
        or.extend((in_strange > 0).then_some(Kind::CartonExtra));
        or.extend(count.twins.contains(&units).then_some(Kind::DuplicateReport));
        let kind = if count.shipped == 0 {
            Kind::UnannouncedSku
        } else {
            Kind::Over
        };
        let tolerated = or.is_empty() && kind == Kind::Over && self.rules.over.allows(units, count.shipped);
        if !tolerated {
            found.push(Found::new(kind, count.sku, units, standing, sure::BY_COUNT).or(&or));
        }
    }

    fn missing(&self, rest: &Rest<'_>, sheet: &Sheet, found: &mut Vec<Found>) {
        let (count, units) = (rest.count, -rest.left);
        let new = |kind, units, sure| Found::new(kind, count.sku, units, Standing::Final, sure);
        let mut or = doubt(rest);
        or.extend(rest.perhaps_wrong.then_some(Kind::WrongSku));
        let arrived = count.arrived();
        let as_packs = |pack: &i64| arrived > 0 && arrived.checked_mul(*pack) == Some(count.shipped);
        let counts_cartons = !sheet.seen.is_empty();
        let listed = rest.cartons.iter().filter(|one| one.ours && one.shipped > 0);
        let gone = |one: &CartonCount| !sheet.seen.contains(&one.carton);
        // Units counted in no carton of the list could be out of any.
        let loose = rest.cartons.iter().any(|one| !one.ours && one.told != 0);
        let there = |one: &CartonCount| match rest.aside.missing {
            0 => one.told,
            _ => one.told + one.aside,
        };
        let inside: i64 = listed.clone().map(|one| (one.shipped - there(one)).max(0)).sum();
        if counts_cartons && !loose && inside == units && or.is_empty() {
            let allowed = self.rules.short.allows(units, count.shipped);
            let one_short = listed.clone().all(|one| !gone(one)) && allowed;
            for one in listed.filter(|one| there(one) < one.shipped && !one_short) {
                let kind = if gone(one) {
                    Kind::CartonMissing
                } else {
                    Kind::Short
                };
                found.push(new(kind, one.shipped - there(one), sure::BY_CARTON).in_carton(one.carton));
            }
            return;
        }
        let whole_cartons = || match (counts_cartons, carton_units(rest.cartons)) {
            (true, _) => rest
                .cartons
                .iter()
                .any(|one| one.ours && one.shipped > 0 && gone(one)),
            (false, Some(each)) => each > 1 && units % each == 0,
            (false, None) => rest.cartons.iter().any(|one| one.ours && one.shipped == units),
        };
        or.extend(whole_cartons().then_some(Kind::CartonMissing));
        or.extend(
            self.packs_of(rest)
                .iter()
                .any(as_packs)
                .then_some(Kind::PackMultiple),
        );
        let tolerated = or.is_empty() && self.rules.short.allows(units, count.shipped);
        if !tolerated {
            found.push(new(Kind::Short, units, sure::BY_COUNT).or(&or));
        }
    }
}

/// One event key came with two contents: what was counted may be one report told twice. And what is missing may be what
/// was put aside.
fn doubt(rest: &Rest<'_>) -> Vec<Kind> {
    let twice = rest.count.restated.then_some(Kind::DuplicateReport);
    let aside = (rest.aside.doubtful && rest.left < 0).then_some(Kind::SetAside);
    twice.into_iter().chain(aside).collect()
}

/// Units in one of its cartons, where there are several and all hold as many.
fn carton_units(cartons: &[CartonCount]) -> Option<i64> {
    let mut each = cartons
        .iter()
        .filter(|one| one.ours && one.shipped > 0)
        .map(|one| one.shipped);
    let first = each.next()?;
    each.all(|units| units == first).then_some(first)
}
