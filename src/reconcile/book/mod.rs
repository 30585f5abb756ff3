//! The books of one warehouse: what was packed for it and what it told, kept so that a new batch costs what it
//! touches and not what there is.
//!
//! [`Book::ship`] and [`Book::take`] only write down; [`Book::judge`] looks at the shipments that were touched since,
//! and at those that share a pool with them. A shipment is judged from its own rows and events alone, and the pool of a
//! SKU from what is left of its lines, so the answer after any number of batches is the one of a single run over all
//! of them, in whatever order they came.

mod aside;
mod classify;
mod gather;
mod names;
mod share;
mod show;
mod take;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{Datelike as _, NaiveDate};

pub use show::LineView;

use self::classify::Found;
use self::names::{NONE, Names};
use self::share::{Entry, Share};
use super::Tolerance;
use crate::ledger::ReceiptKind;

/// A day as a number; days of no year that a warehouse knows are far away.
#[must_use]
pub fn number_of(day: NaiveDate) -> i32 {
    day.num_days_from_ce()
}

pub(super) fn day_of(number: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(number)
}

/// The seller's policy for one warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookRules {
    pub silent_days: i32,
    pub pool_days: i32,
    /// Days after the last count at the dock by which units should be on the shelf.
    pub putaway_days: i32,
    pub short: Tolerance,
    pub over: Tolerance,
}

/// One SKU in one carton of a shipment, or of the shipment where cartons are not known.
#[derive(Debug, Clone, Copy)]
pub struct Packed<'a> {
    pub carton: Option<&'a str>,
    pub sku: &'a str,
    pub units: i64,
}

/// A shipment with its packing list.
#[derive(Debug, Clone, Copy)]
pub struct Sent<'a> {
    /// Our order number.
    pub order: &'a str,
    /// Other numbers of it: the warehouse's inbounds.
    pub inbounds: &'a [&'a str],
    /// Nine of ten such shipments have arrived by then.
    pub eta_p90: i32,
    pub rows: &'a [Packed<'a>],
}

/// One receipt event, its code already read.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Where the key is unique.
    pub origin: &'a str,
    pub key: &'a str,
    pub reference: &'a str,
    pub carton: Option<&'a str>,
    /// The master SKU, or the warehouse's own code where nothing says what it means.
    pub sku: &'a str,
    pub known: Known,
    pub kind: ReceiptKind,
    /// In units of the master SKU.
    pub units: i64,
    /// Unix milliseconds, and the civil day of the warehouse.
    pub at: i64,
    pub on: i32,
    pub lot: Option<&'a str>,
    /// As [`Book::expect`] writes it.
    pub value: Option<&'a str>,
}

/// What the code in an event was read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Code,
    Barcode,
    /// It means nothing yet.
    No,
}

/// What taking an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    New,
    Again,
    /// The key came before with another content.
    Restated,
    /// There is no more room for another name.
    Full,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    carton: u32,
    sku: u32,
    units: i64,
}

#[derive(Debug, Clone, Copy)]
struct Event {
    units: i64,
    at: i64,
    /// The shipment it belongs to, and the next event of that.
    shipment: u32,
    next: u32,
    reference: u32,
    carton: u32,
    sku: u32,
    /// Into `details`, or none.
    detail: u32,
    on: i32,
    origin: u16,
    kind: u8,
    known: Known,
}

#[derive(Debug, Clone, Copy)]
struct Closing {
    at: i64,
    on: i32,
}

#[derive(Debug, Clone, Copy)]
struct Shipment {
    order: u32,
    first_row: u32,
    rows: u32,
    first_event: u32,
    eta_p90: i32,
    closed: Option<Closing>,
    touched: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Detail {
    lot: Option<String>,
    value: Option<String>,
}

/// What the papers say of a SKU in a shipment beside its count.
#[derive(Debug, Clone, Default)]
struct Paper {
    lots: BTreeSet<String>,
    value: Option<String>,
    announced: Option<i64>,
    put_away: Option<i64>,
}

/// A mark that stands on the packing lists of several shipments says nothing by itself.
const SEVERAL: u32 = NONE - 1;
/// Of a pool entry that is no shipment: the reference below this bit.
const STRAY: u32 = 1 << 31;
const UNKNOWN_DAY: i32 = i32::MIN;
/// Shipments whose events are fetched together: about as many reads as a core keeps under way.
const SIDE_BY_SIDE: usize = 16;

fn kind_number(kind: ReceiptKind) -> u8 {
    match kind {
        ReceiptKind::Received => 0,
        ReceiptKind::PutAway => 1,
        ReceiptKind::Damaged => 2,
        ReceiptKind::Mislabelled => 3,
        ReceiptKind::SetAside => 4,
    }
}

pub struct Book {
    rules: BookRules,
    references: Names,
    cartons: Names,
    skus: Names,
    keys: Names,
    origins: Vec<String>,
    /// Of each reference, carton and event key by its number.
    shipment_of_reference: Vec<u32>,
    shipment_of_carton: Vec<u32>,
    events: Vec<Event>,
    /// Events whose key came with another content too.
    restated: BTreeSet<u32>,
    details: Vec<Detail>,
    detail_numbers: BTreeMap<Detail, u32>,
    /// SKUs whose code nobody can read yet.
    unread: BTreeSet<u32>,
    multiples: HashMap<u32, Vec<i64>>,
    shipments: Vec<Shipment>,
    rows: Vec<Row>,
    papers: BTreeMap<(u32, u32), Paper>,
    /// Events under a reference, or in a carton, that is no shipment's (yet).
    stray_references: BTreeMap<u32, Vec<u32>>,
    stray_cartons: BTreeMap<u32, Vec<u32>>,
    touched: Vec<u32>,
    touched_strays: BTreeSet<u32>,
    /// SKUs under which a stray reference stands in the pool.
    strays_in_pools: BTreeMap<u32, Vec<u32>>,
    as_of: Option<i32>,
    pool: BTreeMap<(u32, u32), Entry>,
    /// SKUs under which a shipment stands in the pool.
    in_pools: HashMap<u32, Vec<u32>>,
    shares: BTreeMap<(u32, u32), Vec<Share>>,
    found: HashMap<u32, Vec<Found>>,
}

impl Book {
    #[must_use]
    pub fn new(rules: BookRules) -> Self {
        Self {
            rules,
            references: Names::default(),
            cartons: Names::default(),
            skus: Names::default(),
            keys: Names::default(),
            origins: Vec::new(),
            shipment_of_reference: Vec::new(),
            shipment_of_carton: Vec::new(),
            events: Vec::new(),
            restated: BTreeSet::new(),
            details: Vec::new(),
            detail_numbers: BTreeMap::new(),
            unread: BTreeSet::new(),
            multiples: HashMap::new(),
            shipments: Vec::new(),
            rows: Vec::new(),
            papers: BTreeMap::new(),
            stray_references: BTreeMap::new(),
            stray_cartons: BTreeMap::new(),
            touched: Vec::new(),
            touched_strays: BTreeSet::new(),
            strays_in_pools: BTreeMap::new(),
            as_of: None,
            pool: BTreeMap::new(),
            in_pools: HashMap::new(),
            shares: BTreeMap::new(),
            found: HashMap::new(),
        }
    }

    /// Room for so many shipped rows and events, so that the books do not grow in leaps.
    pub fn reserve(&mut self, rows: usize, events: usize, key_bytes: usize) {
        self.rows.reserve_exact(rows);
        self.cartons.reserve(rows, rows * 12);
        self.shipment_of_carton.reserve_exact(rows);
        self.events.reserve_exact(events);
        self.keys.reserve(events, events * key_bytes);
    }

    fn reference(&mut self, text: &str) -> u32 {
        let (number, new) = self.references.number(&fold(text));
        if new {
            self.shipment_of_reference.push(NONE);
        }
        number
    }

    fn carton(&mut self, text: &str) -> u32 {
        let (number, new) = self.cartons.number(text.trim());
        if new {
            self.shipment_of_carton.push(NONE);
        }
        number
    }

    fn touch(&mut self, shipment: u32) {
        let one = self.shipments.get_mut(shipment as usize);
        if let Some(one) = one.filter(|one| !one.touched) {
            one.touched = true;
            self.touched.push(shipment);
        }
    }

    /// Writes a shipment down. The same order again replaces its packing list.
    pub fn ship(&mut self, sent: &Sent<'_>) {
        let order = self.reference(sent.order);
        let first_row = u32::try_from(self.rows.len()).unwrap_or(NONE);
        for row in sent.rows {
            let carton = row.carton.map_or(NONE, |mark| self.carton(mark));
            let sku = self.skus.number(row.sku).0;
            let units = row.units;
            self.rows.push(Row { carton, sku, units });
        }
        self.rows[first_row as usize..].sort_unstable_by_key(|row| (row.sku, row.carton));
        let mut written = Shipment {
            order,
            first_row,
            rows: u32::try_from(sent.rows.len()).unwrap_or(NONE),
            first_event: NONE,
            eta_p90: sent.eta_p90,
            closed: None,
            touched: false,
        };
        let known = self.shipment_of_reference[order as usize];
        let number = match self.shipments.get_mut(known as usize) {
            Some(before) if before.order == order => {
                (written.first_event, written.closed) = (before.first_event, before.closed);
                written.touched = before.touched;
                *before = written;
                known
            }
            // New, or known so far as another shipment's inbound: an order number is never overruled.
            _ => {
                self.shipments.push(written);
                u32::try_from(self.shipments.len() - 1).unwrap_or(NONE)
            }
        };
        self.shipment_of_reference[order as usize] = number;
        let mut waiting = self.stray_references.remove(&order).unwrap_or_default();
        self.touched_strays.extend((!waiting.is_empty()).then_some(order));
        for row in first_row as usize..self.rows.len() {
            let carton = self.rows[row].carton;
            let Some(owner) = self.shipment_of_carton.get_mut(carton as usize) else {
                continue;
            };
            if *owner == NONE {
                *owner = number;
                waiting.extend(self.stray_cartons.remove(&carton).unwrap_or_default());
            } else if *owner != number && *owner != SEVERAL {
                let before = std::mem::replace(owner, SEVERAL);
                waiting.extend(
                    self.chain(before)
                        .filter(|event| self.events[*event as usize].carton == carton),
                );
            }
        }
        for inbound in sent.inbounds {
            self.inbound(inbound, sent.order);
        }
        for event in waiting {
            self.move_over(event);
        }
        self.touch(number);
    }

    /// The events of a shipment, the newest first.
    fn chain(&self, shipment: u32) -> impl Iterator<Item = u32> + use<'_> {
        let first = self
            .shipments
            .get(shipment as usize)
            .map_or(NONE, |one| one.first_event);
        std::iter::successors(Some(first), |at| {
            self.events.get(*at as usize).map(|event| event.next)
        })
        .take_while(|at| *at != NONE)
    }

    /// The warehouse calls this shipment so. Nothing happens when the order is not known.
    pub fn inbound(&mut self, inbound: &str, order: &str) {
        let Some(shipment) = self.find(order) else {
            return;
        };
        let reference = self.reference(inbound);
        if self.shipment_of_reference[reference as usize] == NONE {
            self.shipment_of_reference[reference as usize] = shipment;
            for event in self.stray_references.remove(&reference).unwrap_or_default() {
                self.move_over(event);
            }
            self.touched_strays.insert(reference);
        }
    }

    fn find(&self, reference: &str) -> Option<u32> {
        let number = self.references.find(&fold(reference))?;
        let shipment = *self.shipment_of_reference.get(number as usize)?;
        (shipment != NONE).then_some(shipment)
    }

    /// Whether events under this reference or in this carton have a shipment here.
    #[must_use]
    pub fn knows(&self, reference: &str, carton: Option<&str>) -> bool {
        let carton = carton.and_then(|mark| self.cartons.find(mark.trim()));
        let by_carton = carton.and_then(|number| self.shipment_of_carton.get(number as usize));
        self.find(reference).is_some() || by_carton.is_some_and(|shipment| *shipment < SEVERAL)
    }

    /// Writes down that the warehouse says it is done with a shipment, or not any more.
    pub fn close(&mut self, order: &str, closed: Option<(i64, i32)>) {
        let Some(number) = self.find(order) else {
            return;
        };
        self.shipments[number as usize].closed = closed.map(|(at, on)| Closing { at, on });
        self.touch(number);
    }

    /// What the papers say beside the count: the lots sent, and the value of a unit, written as in the events.
    pub fn expect(&mut self, order: &str, sku: &str, lots: &[&str], value: Option<&str>) {
        let Some(paper) = self.paper(order, sku) else {
            return;
        };
        paper.lots.extend(lots.iter().map(|lot| (*lot).to_owned()));
        paper.value = value.map(str::to_owned);
    }

    /// What the warehouse was told to expect, and has put away by its own sum.
    pub fn announce(&mut self, order: &str, sku: &str, announced: Option<i64>, put_away: Option<i64>) {
        if let Some(paper) = self.paper(order, sku) {
            (paper.announced, paper.put_away) = (announced, put_away);
        }
    }

    fn paper(&mut self, order: &str, sku: &str) -> Option<&mut Paper> {
        let shipment = self.find(order)?;
        let sku = self.skus.number(sku).0;
        self.touch(shipment);
        Some(self.papers.entry((shipment, sku)).or_default())
    }

    /// How many master units one of the warehouse's may hold: sets, or cartons counted as pieces.
    pub fn packs(&mut self, sku: &str, multiples: &[i64]) {
        let sku = self.skus.number(sku).0;
        let known = self.multiples.entry(sku).or_default();
        known.extend(multiples.iter().filter(|multiple| **multiple > 1));
        known.sort_unstable();
        known.dedup();
    }

    /// Looks at what was touched since the last time, or at everything when the day is another. Says how many
    /// shipments were looked at.
    pub fn judge(&mut self, as_of: i32) -> usize {
        if self.as_of.replace(as_of) != Some(as_of) {
            for shipment in 0..self.shipments.len() {
                self.touch(u32::try_from(shipment).unwrap_or(NONE));
            }
            self.touched_strays.extend(self.stray_references.keys());
        }
        let mut due = std::mem::take(&mut self.touched);
        due.sort_unstable();
        let mut pools = self.stray_pools();
        for some in due.chunks(SIDE_BY_SIDE) {
            for (shipment, chain) in some.iter().zip(self.chains(some)) {
                self.shipments[*shipment as usize].touched = false;
                let sheet = self.gather_from(*shipment, &chain);
                self.enter(*shipment, &sheet, &mut pools);
                self.classify(*shipment, &sheet);
            }
        }
        let (mut looked_at, mut again) = (due.len(), BTreeSet::new());
        for sku in pools {
            self.share(sku, &mut again);
        }
        for shipment in again {
            let sheet = self.gather(shipment);
            self.classify(shipment, &sheet);
            looked_at += usize::from(due.binary_search(&shipment).is_err());
        }
        looked_at
    }

    #[must_use]
    pub fn shipments(&self) -> usize {
        self.shipments.len()
    }

    #[must_use]
    pub fn events(&self) -> usize {
        self.keys.len()
    }

    /// What the books take of the memory, without the differences found.
    #[must_use]
    pub fn bytes(&self) -> usize {
        [&self.references, &self.cartons, &self.skus, &self.keys]
            .into_iter()
            .map(Names::bytes)
            .sum::<usize>()
            + self.events.capacity() * size_of::<Event>()
            + self.rows.capacity() * size_of::<Row>()
            + self.shipments.capacity() * size_of::<Shipment>()
            + (self.shipment_of_carton.capacity() + self.shipment_of_reference.capacity()) * size_of::<u32>()
    }
}

#[cfg(test)]
mod laws;

fn fold(reference: &str) -> std::borrow::Cow<'_, str> {
    let trimmed = reference.trim();
    let plain = |byte: u8| byte.is_ascii() && !byte.is_ascii_lowercase();
    if trimmed.bytes().all(plain) {
        return std::borrow::Cow::Borrowed(trimmed);
    }
    std::borrow::Cow::Owned(trimmed.to_uppercase())
}
