//! One shipment's rows and events, summed: by SKU, and by carton where the reports tell cartons apart.

use std::collections::{BTreeMap, BTreeSet};

use super::names::NONE;
use super::{Book, Event, Known, SEVERAL, Shipment, UNKNOWN_DAY};
use crate::reconcile::{LineState, MatchKey};

/// One SKU in one carton. The carton of units that were counted in none, or in one of another list, is not `ours`.
#[derive(Debug, Clone, Copy)]
pub(super) struct CartonCount {
    pub carton: u32,
    pub ours: bool,
    pub shipped: i64,
    /// As told, a carton counted twice included.
    pub told: i64,
    /// Of these, what the same full carton counted again adds.
    pub again: i64,
    /// Put aside as an exception.
    pub aside: i64,
}

/// One SKU of a shipment.
#[derive(Debug, Clone, Default)]
pub(super) struct Count {
    pub sku: u32,
    pub shipped: i64,
    /// Counted at the dock, each carton once. Below zero where corrections take away too much.
    pub dock: i64,
    pub put_away: i64,
    pub damaged: i64,
    pub mislabelled: i64,
    /// Put aside as an exception: among the received ones, or beside them.
    pub aside: i64,
    pub announced: Option<i64>,
    /// Put-away units that are known from the warehouse's own sum only.
    pub shelf_summed: bool,
    /// Of several origins, those beside the fullest: what the fullest of them told.
    pub second_source: i64,
    pub sources: Vec<u16>,
    /// A kind of count that corrections brought below zero.
    pub negative: Option<i64>,
    pub first: Option<i32>,
    pub last: Option<i32>,
    /// Units received by what they were known by.
    pub by: [i64; 4],
    /// Two equal counts on one day, of one carton or of none: perhaps one told twice. Units of each such.
    pub twins: BTreeSet<i64>,
    /// One key with two contents is among the events.
    pub restated: bool,
    pub unread: bool,
    /// Its cartons in the sheet.
    pub cartons: (usize, usize),
    /// Units of events whose lot or value is another than on the papers: (what the papers say, what was found).
    pub papers: BTreeMap<(String, String), i64>,
}

impl Count {
    /// What is on a shelf has passed the dock, also where the dock reports late or not at all.
    pub(super) fn arrived(&self) -> i64 {
        self.dock.max(self.put_away.saturating_add(self.damaged)).max(0)
    }

    /// Arrived, and neither on the shelf nor known to be unfit for it.
    pub(super) fn waiting(&self) -> i64 {
        self.arrived() - self.put_away - self.damaged - self.mislabelled
    }
}

pub(super) struct Sheet {
    pub counts: Vec<Count>,
    /// By SKU and carton.
    pub cartons: Vec<CartonCount>,
    pub state: LineState,
    pub first: Option<i32>,
    pub last: Option<i32>,
    /// When the closed inbound got a later event: the first such, in milliseconds.
    pub reopened: Option<i64>,
    pub dock_reports: bool,
    pub shelf_reports: bool,
    /// Cartons of the list that anything was counted in.
    pub seen: BTreeSet<u32>,
    /// SKUs with an event whose key came with two contents.
    restated: BTreeSet<u32>,
}

fn earlier(day: &mut Option<i32>, on: i32) {
    *day = Some(day.map_or(on, |day| day.min(on)));
}

fn later(day: &mut Option<i32>, on: i32) {
    *day = Some(day.map_or(on, |day| day.max(on)));
}

impl Book {
    pub(super) fn by(&self, event: &Event) -> MatchKey {
        if self.is_ours(event.carton, event.shipment) {
            MatchKey::Carton
        } else if event.known == Known::Barcode {
            MatchKey::Barcode
        } else {
            MatchKey::Sku
        }
    }

    pub(super) fn is_ours(&self, carton: u32, shipment: u32) -> bool {
        match self.shipment_of_carton.get(carton as usize) {
            Some(&SEVERAL) => {
                let one = self.shipments[shipment as usize];
                self.rows_of(&one).iter().any(|row| row.carton == carton)
            }
            owner => owner == Some(&shipment),
        }
    }

    pub(super) fn rows_of(&self, one: &Shipment) -> &[super::Row] {
        let first = one.first_row as usize;
        self.rows
            .get(first..first + one.rows as usize)
            .unwrap_or_default()
    }

    /// The events of a shipment up to the day of the judgement, by SKU, kind, origin and carton.
    pub(super) fn events_of(&self, shipment: u32) -> Vec<&Event> {
        self.sorted(self.chain(shipment))
    }

    fn sorted(&self, numbers: impl Iterator<Item = u32>) -> Vec<&Event> {
        let as_of = self.as_of.unwrap_or(UNKNOWN_DAY);
        let mut events: Vec<&Event> = numbers
            .map(|number| &self.events[number as usize])
            .filter(|event| event.on <= as_of)
            .collect();
        events.sort_unstable_by_key(|event| (event.sku, event.kind, event.origin, event.carton));
        events
    }

    /// The chains of several shipments, walked side by side: each step waits for memory, and so they wait together.
    pub(super) fn chains(&self, shipments: &[u32]) -> Vec<Vec<u32>> {
        let mut chains = vec![Vec::new(); shipments.len()];
        let mut walks: Vec<(usize, u32)> = shipments
            .iter()
            .enumerate()
            .map(|(place, shipment)| (place, self.shipments[*shipment as usize].first_event))
            .collect();
        loop {
            walks.retain(|(_, at)| *at != NONE);
            if walks.is_empty() {
                return chains;
            }
            for (place, at) in &mut walks {
                chains[*place].push(*at);
                *at = self.events[*at as usize].next;
            }
        }
    }

    pub(super) fn gather(&self, shipment: u32) -> Sheet {
        let chain: Vec<u32> = self.chain(shipment).collect();
        self.gather_from(shipment, &chain)
    }

    /// As [`Book::gather`], of a shipment whose chain is known.
    pub(super) fn gather_from(&self, shipment: u32, chain: &[u32]) -> Sheet {
        let one = self.shipments[shipment as usize];
        let rows = self.rows_of(&one);
        let events = self.sorted(chain.iter().copied());
        let mut sheet = Sheet {
            counts: Vec::with_capacity(rows.len()),
            cartons: Vec::with_capacity(rows.len()),
            state: LineState::Moving,
            first: None,
            last: None,
            reopened: None,
            dock_reports: false,
            shelf_reports: false,
            seen: BTreeSet::new(),
            restated: BTreeSet::new(),
        };
        if !self.restated.is_empty() {
            let doubtful = chain.iter().filter(|number| self.restated.contains(number));
            sheet.restated = doubtful.map(|number| self.events[*number as usize].sku).collect();
        }
        let papers: Vec<u32> = if self.papers.is_empty() {
            Vec::new()
        } else {
            let all = (shipment, 0)..=(shipment, u32::MAX);
            self.papers.range(all).map(|((_, sku), _)| *sku).collect()
        };
        let (mut row, mut event, mut paper) = (0, 0, 0);
        loop {
            let next = [
                rows.get(row).map(|row| row.sku),
                events.get(event).map(|event| event.sku),
                papers.get(paper).copied(),
            ];
            let Some(sku) = next.into_iter().flatten().min() else {
                break;
            };
            let rows_to = row + rows[row..].iter().take_while(|row| row.sku == sku).count();
            let events_to = event
                + events[event..]
                    .iter()
                    .take_while(|event| event.sku == sku)
                    .count();
            paper += usize::from(next[2] == Some(sku));
            self.count(
                shipment,
                sku,
                &rows[row..rows_to],
                &events[event..events_to],
                &mut sheet,
            );
            (row, event) = (rows_to, events_to);
        }
        self.stand(&one, &events, &mut sheet);
        sheet
    }

    fn count(&self, shipment: u32, sku: u32, rows: &[super::Row], events: &[&Event], sheet: &mut Sheet) {
        let from = sheet.cartons.len();
        let mut count = Count {
            sku,
            shipped: rows.iter().map(|row| row.units).sum(),
            unread: self.unread.contains(&sku),
            restated: sheet.restated.contains(&sku),
            ..Count::default()
        };
        for same in rows.chunk_by(|a, b| a.carton == b.carton) {
            sheet.cartons.push(CartonCount {
                carton: same[0].carton,
                ours: same[0].carton != NONE,
                shipped: same.iter().map(|row| row.units).sum(),
                told: 0,
                again: 0,
                aside: 0,
            });
        }
        for event in events {
            earlier(&mut count.first, event.on);
            later(&mut count.last, event.on);
        }
        let mut dock = 0;
        for kind in events.chunk_by(|a, b| a.kind == b.kind) {
            let (fullest, units) = self.fullest(kind, &mut count);
            if units < 0 {
                count.negative = Some(count.negative.map_or(units, |worst: i64| worst.min(units)));
            }
            match kind[0].kind {
                0 => {
                    sheet.dock_reports = true;
                    self.dock(shipment, fullest, from, &mut count, sheet);
                    dock = units;
                }
                1 => {
                    sheet.shelf_reports = true;
                    count.put_away = units.max(0);
                }
                2 => count.damaged = units.max(0),
                3 => count.mislabelled = units.max(0),
                _ => {
                    count.aside = units.max(0);
                    self.set_aside(shipment, fullest, from, sheet);
                }
            }
        }
        let cartons = &sheet.cartons[from..];
        count.dock = dock - cartons.iter().map(|carton| carton.again).sum::<i64>();
        sheet.cartons[from..].sort_unstable_by_key(|carton| carton.carton);
        count.cartons = (from, sheet.cartons.len());
        self.against_papers(shipment, events, &mut count, sheet);
        sheet.counts.push(count);
    }

    /// Two reports of the same units must not be added: the fuller one counts.
    pub(super) fn fullest<'e, 'b>(&self, kind: &'e [&'b Event], count: &mut Count) -> (&'e [&'b Event], i64) {
        let mut best: (&[&Event], i64) = (&[], i64::MIN);
        let mut second = None;
        for same in kind.chunk_by(|a, b| a.origin == b.origin) {
            let units = same
                .iter()
                .fold(0_i64, |sum, event| sum.saturating_add(event.units));
            let name = |events: &[&Event]| {
                events
                    .first()
                    .and_then(|event| self.origins.get(usize::from(event.origin)))
            };
            if units > best.1 || (units == best.1 && name(same) < name(best.0)) {
                second = second.max((!best.0.is_empty()).then_some(best.1));
                best = (same, units);
            } else {
                second = second.max(Some(units));
            }
            if !count.sources.contains(&same[0].origin) && kind[0].origin != kind[kind.len() - 1].origin {
                count.sources.push(same[0].origin);
            }
        }
        if kind[0].kind == 0 {
            count.second_source = second.unwrap_or(0).max(0);
        }
        best
    }

    /// The dock's counts, carton by carton.
    fn dock(&self, shipment: u32, events: &[&Event], from: usize, count: &mut Count, sheet: &mut Sheet) {
        for same in events.chunk_by(|a, b| a.carton == b.carton) {
            let carton = same[0].carton;
            let ours = carton != NONE && self.is_ours(carton, shipment);
            let told = same
                .iter()
                .fold(0_i64, |sum, event| sum.saturating_add(event.units));
            if ours {
                sheet.seen.insert(carton);
            }
            let place = sheet.cartons[from..].iter().position(|one| one.carton == carton);
            let place = place.map(|place| place + from).unwrap_or_else(|| {
                let one = CartonCount {
                    carton,
                    ours,
                    shipped: 0,
                    told: 0,
                    again: 0,
                    aside: 0,
                };
                sheet.cartons.push(one);
                sheet.cartons.len() - 1
            });
            let one = &mut sheet.cartons[place];
            one.told = told;
            let full = same.iter().filter(|event| event.units == one.shipped).count();
            if ours && one.shipped > 0 && full > 1 && told > one.shipped && told % one.shipped == 0 {
                one.again = told - one.shipped;
            }
            for event in same {
                let by = self.by(event) as usize;
                count.by[by] = count.by[by].saturating_add(event.units);
            }
        }
        if events.len() < 2 {
            return;
        }
        let mut days: Vec<(u32, i64, i32)> = events
            .iter()
            .map(|event| (event.carton, event.units, event.on))
            .collect();
        days.sort_unstable();
        let twins = days.windows(2).filter(|pair| pair[0] == pair[1] && pair[0].1 > 0);
        count.twins = twins.map(|pair| pair[0].1).collect();
    }

    /// In which cartons of the list units were put aside: such a carton came.
    fn set_aside(&self, shipment: u32, events: &[&Event], from: usize, sheet: &mut Sheet) {
        for same in events.chunk_by(|a, b| a.carton == b.carton) {
            let carton = same[0].carton;
            let units = same
                .iter()
                .fold(0_i64, |sum, event| sum.saturating_add(event.units));
            if units < 1 || carton == NONE || !self.is_ours(carton, shipment) {
                continue;
            }
            sheet.seen.insert(carton);
            for one in &mut sheet.cartons[from..] {
                if one.carton == carton {
                    one.aside = units;
                }
            }
        }
    }

    fn against_papers(&self, shipment: u32, events: &[&Event], count: &mut Count, sheet: &mut Sheet) {
        let Some(paper) = self.papers.get(&(shipment, count.sku)) else {
            return;
        };
        count.announced = paper.announced;
        if let Some(put_away) = paper.put_away {
            sheet.shelf_reports = true;
            if count.put_away == 0 {
                count.put_away = put_away.max(0);
                count.shelf_summed = true;
            }
        }
        // Each unit is looked at once, when it is counted.
        let first_kind = events.first().map(|event| event.kind);
        for event in events.iter().filter(|event| Some(event.kind) == first_kind) {
            let Some(detail) = self.details.get(event.detail as usize) else {
                continue;
            };
            if let Some(lot) = detail
                .lot
                .as_ref()
                .filter(|lot| !paper.lots.is_empty() && !paper.lots.contains(*lot))
            {
                let sent: Vec<&str> = paper.lots.iter().map(String::as_str).collect();
                *count.papers.entry((sent.join(", "), lot.clone())).or_default() += event.units;
            }
            if let (Some(wanted), Some(found)) = (&paper.value, &detail.value)
                && wanted != found
                && wanted.rsplit(' ').next() == found.rsplit(' ').next()
            {
                *count.papers.entry((wanted.clone(), found.clone())).or_default() += event.units;
            }
        }
    }

    /// How far the shipment as a whole has come.
    fn stand(&self, one: &Shipment, events: &[&Event], sheet: &mut Sheet) {
        for event in events {
            earlier(&mut sheet.first, event.on);
            later(&mut sheet.last, event.on);
        }
        let as_of = self.as_of.unwrap_or(UNKNOWN_DAY);
        if let Some(closed) = one.closed.filter(|closed| closed.on <= as_of) {
            let after = events
                .iter()
                .map(|event| event.at)
                .filter(|at| *at > closed.at)
                .min();
            sheet.reopened = after;
            if after.is_none() {
                sheet.state = LineState::Closed;
                return;
            }
        }
        let Some(last) = sheet.last else {
            return;
        };
        // Silence alone closes nothing before the rest could have come: the second truck may be weeks behind.
        let complete = sheet.counts.iter().all(|count| count.arrived() >= count.shipped);
        let silent = as_of >= last.saturating_add(self.rules.silent_days);
        sheet.state = if silent && (complete || as_of > one.eta_p90) {
            LineState::Settled
        } else {
            LineState::Receiving
        };
    }
}
