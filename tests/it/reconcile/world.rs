//! A seeded world of shipments whose receipts go wrong in every known way, with the truth of each beside it.

mod faults;

use std::collections::{BTreeMap, BTreeSet};

use linkstar::ids::{OrderNo, WarehouseCode};
use linkstar::ledger::ReceiptKind;
use linkstar::reconcile::book::{Book, BookRules, Known, Packed, Sent, Taken, Told};
use linkstar::reconcile::{Difference, Kind, Rules};

/// splitmix64: small, seeded, the same everywhere.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.roll() % u64::try_from(high - low + 1).expect("a range")) as i64
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, (self.roll() % (at as u64 + 1)) as usize);
        }
    }
}

/// How a warehouse reports a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// By carton, under our number or its own inbound's.
    Cartons,
    /// By carton, under numbers nobody told us: staff split the shipment.
    Split,
    /// By SKU only.
    Lines,
}

#[derive(Debug, Clone)]
pub struct Shipment {
    pub order: String,
    pub warehouse: usize,
    pub inbound: String,
    pub eta_p90: i32,
    /// Carton, SKU, units.
    pub rows: Vec<(String, String, i64)>,
    pub lots: BTreeMap<String, String>,
    pub packs: BTreeMap<String, i64>,
    pub closed: Option<(i64, i32)>,
}

#[derive(Debug, Clone)]
pub struct Event {
    pub warehouse: usize,
    pub origin: &'static str,
    pub key: String,
    pub reference: String,
    pub carton: Option<String>,
    pub sku: String,
    pub known: Known,
    pub kind: ReceiptKind,
    pub units: i64,
    pub on: i32,
    pub lot: Option<String>,
}

/// What the classification must say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Truth {
    pub order: String,
    pub sku: String,
    pub carton: Option<String>,
    pub kind: Kind,
    pub or: Vec<Kind>,
    pub units: i64,
    pub counted_as: Option<String>,
}

#[derive(Default)]
pub struct World {
    pub shipments: Vec<Shipment>,
    pub events: Vec<Event>,
    pub truth: BTreeSet<Truth>,
    /// Lines whose units only their count could place.
    pub by_quantity: usize,
}

pub const WAREHOUSES: [&str; 4] = ["goodcang:UKMA", "goodcang:USEA", "amazon:GB", "winit:DEHH"];
pub const AS_OF: i32 = 739_900;

/// What goes wrong with one line.
const FAULTS: i64 = 29;

impl World {
    #[must_use]
    pub fn new(seed: u64, shipments: usize) -> Self {
        let mut world = Self::default();
        let mut maker = Maker {
            dice: Dice(seed),
            keys: 0,
            rare: 0,
        };
        for number in 0..shipments {
            maker.shipment(&mut world, number);
        }
        world
    }

    /// The events as they come in: shuffled, and some of them twice.
    #[must_use]
    pub fn told(&self, seed: u64) -> Vec<&Event> {
        let mut dice = Dice(seed);
        let mut all: Vec<&Event> = self.events.iter().collect();
        for event in &self.events {
            if dice.between(0, 9) == 0 {
                all.push(event);
            }
        }
        dice.shuffle(&mut all);
        all
    }

    #[must_use]
    pub fn books(&self) -> Vec<Book> {
        let mut books: Vec<Book> = WAREHOUSES.iter().map(|_| Book::new(rules())).collect();
        for shipment in &self.shipments {
            shipment.ship(&mut books[shipment.warehouse]);
        }
        books
    }

    pub fn differences(&self, books: &[Book]) -> Vec<Difference> {
        self.shipments
            .iter()
            .flat_map(|shipment| {
                let warehouse = WarehouseCode::new(WAREHOUSES[shipment.warehouse]).expect("a warehouse");
                let order = OrderNo::new(&shipment.order).expect("a number");
                books[shipment.warehouse].differences(&warehouse, &order)
            })
            .collect()
    }
}

#[must_use]
pub fn rules() -> BookRules {
    Rules::default().book(&WarehouseCode::new("goodcang:UKMA").expect("a warehouse"))
}

#[must_use]
pub fn truths(differences: &[Difference]) -> BTreeSet<Truth> {
    differences
        .iter()
        .map(|one| Truth {
            order: one.order.to_string(),
            sku: one.sku.to_string(),
            carton: one.carton.clone(),
            kind: one.kind,
            or: one.or.clone(),
            units: one.units,
            counted_as: one.counted_as.as_ref().map(ToString::to_string),
        })
        .collect()
}

impl Shipment {
    pub fn ship(&self, book: &mut Book) {
        let rows: Vec<Packed<'_>> = self
            .rows
            .iter()
            .map(|(carton, sku, units)| Packed {
                carton: Some(carton.as_str()),
                sku,
                units: *units,
            })
            .collect();
        for (sku, pack) in &self.packs {
            book.packs(sku, &[*pack]);
        }
        book.ship(&Sent {
            order: &self.order,
            inbounds: &[&self.inbound],
            eta_p90: self.eta_p90,
            rows: &rows,
        });
        for (sku, lot) in &self.lots {
            book.expect(&self.order, sku, &[lot.as_str()], None);
        }
        book.close(&self.order, self.closed);
    }
}

impl Event {
    pub fn take(&self, book: &mut Book) -> Taken {
        book.take(&Told {
            origin: self.origin,
            key: &self.key,
            reference: &self.reference,
            carton: self.carton.as_deref(),
            sku: &self.sku,
            known: self.known,
            kind: self.kind,
            units: self.units,
            at: i64::from(self.on) * 86_400_000,
            on: self.on,
            lot: self.lot.as_deref(),
            value: None,
        })
    }
}

struct Maker {
    dice: Dice,
    keys: u64,
    /// SKUs that something goes wrong with are each in one shipment only, or in the two that share a pool.
    rare: u64,
}

/// One shipment while it is made.
struct Draft<'w> {
    maker: &'w mut Maker,
    world: &'w mut World,
    shipment: Shipment,
    style: Style,
    first_day: i32,
    /// What the warehouse does with each carton row: units counted, under which SKU.
    counts: Vec<Counted>,
    put_away: BTreeMap<String, i64>,
    is_open: bool,
}

#[derive(Debug, Clone)]
struct Counted {
    carton: Option<String>,
    sku: String,
    units: i64,
    /// Some warehouses count a carton in two goes, and take some back.
    plain: bool,
}

impl Maker {
    fn shipment(&mut self, world: &mut World, number: usize) {
        let warehouse = self.dice.between(0, 3) as usize;
        let style = match self.dice.between(0, 9) {
            0..=4 => Style::Cartons,
            5 => Style::Split,
            _ => Style::Lines,
        };
        let fault = self.dice.between(0, FAULTS + 13);
        let is_open = matches!(fault, 9 | 10);
        let first_day = AS_OF
            - if is_open {
                3
            } else {
                self.dice.between(20, 90) as i32
            };
        let order = format!("SO-{number:06}");
        let shipment = Shipment {
            inbound: format!("GRN-{number:06}"),
            warehouse,
            eta_p90: if fault == 10 { AS_OF + 20 } else { first_day + 2 },
            rows: Vec::new(),
            lots: BTreeMap::new(),
            packs: BTreeMap::new(),
            closed: (!is_open && self.dice.between(0, 1) == 0)
                .then(|| (i64::from(first_day + 12) * 86_400_000, first_day + 12)),
            order,
        };
        let mut draft = Draft {
            maker: self,
            world,
            shipment,
            style,
            first_day,
            counts: Vec::new(),
            put_away: BTreeMap::new(),
            is_open,
        };
        for line in 0..draft.maker.dice.between(2, 5) {
            let each = draft.maker.dice.between(5, 30);
            let cartons = draft.maker.dice.between(2, 6);
            let common = draft.maker.dice.between(0, 900);
            draft.pack(format!("C{common}-{line}"), each, cartons, 0);
        }
        draft.count_all();
        draft.go_wrong(fault);
        draft.report();
        let Draft { shipment, world, .. } = draft;
        world.shipments.push(shipment);
    }
}

impl Draft<'_> {
    /// Packs a line in cartons of `each`, and one of `rest` more.
    fn pack(&mut self, sku: String, each: i64, cartons: i64, rest: i64) -> String {
        let from = self.shipment.rows.len();
        for no in 0..cartons {
            let mark = format!("{}U{:04}", self.shipment.order, from as i64 + no);
            self.shipment.rows.push((mark, sku.clone(), each));
        }
        if rest > 0 {
            let mark = format!("{}R{from:04}", self.shipment.order);
            self.shipment.rows.push((mark, sku.clone(), rest));
        }
        sku
    }

    fn rare(&mut self) -> String {
        self.maker.rare += 1;
        format!("R{}", self.maker.rare)
    }

    /// A rare line of 4 cartons of 12 and one of 5: 53 units, which no pack divides.
    fn rare_line(&mut self) -> String {
        let sku = self.rare();
        let from = self.shipment.rows.len();
        self.pack(sku.clone(), 12, 4, 5);
        self.count_from(from);
        sku
    }

    fn count_all(&mut self) {
        self.count_from(0);
    }

    fn count_from(&mut self, from: usize) {
        let rows = self.shipment.rows[from..].to_vec();
        for (carton, sku, units) in rows {
            *self.put_away.entry(sku.clone()).or_default() += units;
            self.counts.push(Counted {
                carton: Some(carton),
                sku,
                units,
                plain: false,
            });
        }
    }

    /// The nth counted carton of a SKU.
    fn of(&mut self, sku: &str, nth: usize) -> &mut Counted {
        let mut all = self.counts.iter_mut().filter(|one| one.sku == sku);
        all.nth(nth).expect("a carton")
    }

    fn add(&mut self, carton: Option<String>, sku: &str, units: i64) {
        *self.put_away.entry(sku.to_owned()).or_default() += units;
        self.counts.push(Counted {
            carton,
            sku: sku.to_owned(),
            units,
            plain: true,
        });
    }

    fn must(&mut self, kind: Kind, or: &[Kind], sku: &str, units: i64) -> &mut Self {
        self.must_in(None, kind, or, sku, units, None)
    }

    fn must_in(
        &mut self,
        carton: Option<String>,
        kind: Kind,
        or: &[Kind],
        sku: &str,
        units: i64,
        counted_as: Option<&str>,
    ) -> &mut Self {
        self.world.truth.insert(Truth {
            order: self.shipment.order.clone(),
            sku: sku.to_owned(),
            carton,
            kind,
            or: or.to_vec(),
            units,
            counted_as: counted_as.map(str::to_owned),
        });
        self
    }

    fn lose(&mut self, sku: &str, nth: usize, units: i64) -> String {
        let one = self.of(sku, nth);
        one.units -= units;
        let carton = one.carton.clone().expect("a mark");
        *self.put_away.get_mut(sku).expect("a line") -= units;
        carton
    }

    fn by_carton(&self) -> bool {
        self.style != Style::Lines
    }

    fn tell(
        &mut self,
        reference: &str,
        carton: Option<String>,
        sku: &str,
        kind: ReceiptKind,
        units: i64,
        after: i32,
    ) {
        self.maker.keys += 1;
        let lot = self
            .shipment
            .lots
            .contains_key(sku)
            .then(|| "L-2025-12".to_owned());
        self.world.events.push(Event {
            warehouse: self.shipment.warehouse,
            origin: "api",
            key: format!("k{}", self.maker.keys),
            reference: reference.to_owned(),
            carton,
            sku: sku.to_owned(),
            known: Known::Code,
            kind,
            units,
            on: self.first_day + after,
            lot,
        });
    }

    /// What the warehouse tells of what it counted, in its way.
    fn report(&mut self) {
        let number = self.maker.dice.between(0, 999);
        let split = format!("SPLIT-{}-{number}", self.shipment.order);
        let counts = std::mem::take(&mut self.counts);
        for (at, one) in counts.into_iter().enumerate() {
            if one.units == 0 {
                continue;
            }
            let reference = match self.style {
                // Without a mark of ours the split number says nothing: those are told under the order.
                Style::Split if one.carton.is_some() => split.clone(),
                _ if at.is_multiple_of(2) => self.shipment.inbound.clone(),
                _ => self.shipment.order.clone(),
            };
            let carton = one.carton.filter(|_| self.by_carton());
            let parts = match (one.plain, self.is_open) {
                (true, _) => vec![(one.units, 0)],
                (false, true) => vec![(one.units, at as i32 % 3)],
                (false, false) => self.parts(one.units),
            };
            for (units, after) in parts {
                self.tell(
                    &reference,
                    carton.clone(),
                    &one.sku,
                    ReceiptKind::Received,
                    units,
                    after,
                );
            }
        }
        if self.is_open {
            return;
        }
        for (sku, units) in std::mem::take(&mut self.put_away) {
            if units > 0 {
                let order = self.shipment.order.clone();
                self.tell(&order, None, &sku, ReceiptKind::PutAway, units, 5);
                // Looked at once, when it was counted.
                self.world.events.last_mut().expect("just told").lot = None;
            }
        }
    }

    /// In one go, in two, or too many at first and some taken back.
    fn parts(&mut self, units: i64) -> Vec<(i64, i32)> {
        match self.maker.dice.between(0, 5) {
            0 if units > 2 => vec![(units - 1, 1), (1, 6)],
            1 => vec![(units + 2, 0), (-2, 3)],
            _ => vec![(units, self.maker.dice.between(0, 2) as i32)],
        }
    }
}
