//! A seeded world of shipments whose receipts go wrong in every known way, with the truth of each beside it.

use std::collections::{BTreeMap, BTreeSet};

use linkstar::ids::{OrderNo, WarehouseCode};
use linkstar::ledger::ReceiptKind;
use linkstar::reconcile::book::{Book, BookRules, Known, Packed, Sent, Taken, Told};
use linkstar::reconcile::{Difference, Kind, Rules};

/// splitmix64: small, seeded, the same everywhere.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `low` to `high`, both included.
    pub fn from(&mut self, low: i64, high: i64) -> i64 {
        low + (self.next() % u64::try_from(high - low + 1).expect("a range")) as i64
    }

    pub fn shuffle<T>(&mut self, all: &mut [T]) {
        for at in (1..all.len()).rev() {
            all.swap(at, (self.next() % (at as u64 + 1)) as usize);
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
const FAULTS: i64 = 26;

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
            if dice.from(0, 9) == 0 {
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
        let warehouse = self.dice.from(0, 3) as usize;
        let style = match self.dice.from(0, 9) {
            0..=4 => Style::Cartons,
            5 => Style::Split,
            _ => Style::Lines,
        };
        let fault = self.dice.from(0, FAULTS + 13);
        let is_open = matches!(fault, 9 | 10);
        let first_day = AS_OF - if is_open { 3 } else { self.dice.from(20, 90) as i32 };
        let order = format!("SO-{number:06}");
        let shipment = Shipment {
            inbound: format!("GRN-{number:06}"),
            warehouse,
            eta_p90: if fault == 10 { AS_OF + 20 } else { first_day + 2 },
            rows: Vec::new(),
            lots: BTreeMap::new(),
            packs: BTreeMap::new(),
            closed: (!is_open && self.dice.from(0, 1) == 0)
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
        for line in 0..draft.maker.dice.from(2, 5) {
            let each = draft.maker.dice.from(5, 30);
            let cartons = draft.maker.dice.from(2, 6);
            let common = draft.maker.dice.from(0, 900);
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

    fn go_wrong(&mut self, fault: i64) {
        match fault {
            0 => {
                let sku = self.rare_line();
                let units = self.maker.dice.from(1, 11);
                let carton = self.lose(&sku, 1, units);
                // Five is the little carton, where nobody counts by carton.
                let alone = self.by_carton() || units != 5;
                let carton = self.by_carton().then_some(carton);
                let or: &[Kind] = if alone { &[] } else { &[Kind::CartonMissing] };
                self.must_in(carton, Kind::Short, or, &sku, units, None);
            }
            1 => {
                let sku = self.rare();
                let from = self.shipment.rows.len();
                self.pack(sku.clone(), 12, 5, 0);
                self.count_from(from);
                let carton = self.lose(&sku, 2, 12);
                if self.by_carton() {
                    self.counts.retain(|one| one.carton.as_ref() != Some(&carton));
                    self.must_in(Some(carton), Kind::CartonMissing, &[], &sku, 12, None);
                } else {
                    self.must(Kind::Short, &[Kind::CartonMissing], &sku, 12);
                }
            }
            2 => {
                // As many as no other count of the line comes to.
                let sku = self.rare_line();
                let units = self.maker.dice.from(16, 40);
                let one = self.of(&sku, 0);
                (one.units, one.plain) = (one.units + units, true);
                *self.put_away.get_mut(&sku).expect("a line") += units;
                self.must(Kind::Over, &[], &sku, units);
            }
            3 => {
                let sku = self.rare_line();
                let units = self.maker.dice.from(1, 20);
                *self.put_away.get_mut(&sku).expect("a line") -= units;
                let reference = self.shipment.order.clone();
                self.tell(&reference, None, &sku, ReceiptKind::Damaged, units, 1);
                self.must(Kind::Damaged, &[], &sku, units);
            }
            4 => {
                let (missing, there) = (self.rare_line(), self.rare_line());
                let units = self.maker.dice.from(1, 11);
                let carton = self.lose(&missing, 0, units);
                self.add(Some(carton), &there, units);
                self.must_in(None, Kind::WrongSku, &[], &missing, units, Some(&there));
            }
            5 => {
                // Two miss as many as one has too many: either may be the one.
                let (one, two, there) = (self.rare_line(), self.rare_line(), self.rare_line());
                let units = self.maker.dice.from(8, 10);
                self.lose(&one, 0, units);
                self.lose(&two, 0, units);
                self.add(None, &there, units);
                for missing in [&one, &two] {
                    self.must(Kind::Short, &[Kind::WrongSku], missing, units);
                }
                self.must(Kind::Over, &[Kind::WrongSku], &there, units);
            }
            6 => {
                let sku = self.rare_line();
                let units = self.maker.dice.from(1, 20);
                *self.put_away.get_mut(&sku).expect("a line") -= units;
                let reference = self.shipment.order.clone();
                self.tell(&reference, None, &sku, ReceiptKind::Mislabelled, units, 1);
                self.must(Kind::Mislabelled, &[], &sku, units);
            }
            7 => {
                let sku = self.rare();
                let units = self.maker.dice.from(1, 30);
                let carton = self.shipment.rows[0].0.clone();
                self.add(Some(carton), &sku, units);
                self.must(Kind::UnannouncedSku, &[], &sku, units);
            }
            8 => {
                let sku = self.rare_line();
                let mark = format!("{}X1", self.shipment.order);
                self.add(Some(mark.clone()), &sku, 9);
                if self.style == Style::Split {
                    // A number nobody knows and a carton nobody packed: nobody can say whose it is.
                    let last = self.counts.last_mut().expect("just added");
                    last.carton = Some(self.shipment.rows[0].0.clone());
                    self.must(Kind::Over, &[], &sku, 9);
                } else if self.by_carton() {
                    self.must_in(Some(mark), Kind::CartonExtra, &[], &sku, 9, None);
                } else {
                    self.must(Kind::Over, &[], &sku, 9);
                }
            }
            9 | 10 => {
                let sku = self.rare_line();
                let units = self.maker.dice.from(1, 11);
                self.lose(&sku, 0, units);
                let kind = if fault == 9 { Kind::Late } else { Kind::Open };
                self.must(kind, &[], &sku, units);
            }
            11 => {
                let sku = self.rare_line();
                let units = self.maker.dice.from(1, 30);
                *self.put_away.get_mut(&sku).expect("a line") -= units;
                self.must(Kind::PutAwayGap, &[], &sku, units);
            }
            12 => {
                let sku = self.rare_line();
                self.shipment.lots.insert(sku.clone(), "L-2026-01".to_owned());
                self.must(Kind::ValueOrLot, &[], &sku, 53);
            }
            13 => {
                // The full carton counted again under another key.
                let sku = self.rare_line();
                let carton = self.of(&sku, 0).carton.clone();
                self.of(&sku, 0).plain = true;
                self.add(carton.clone(), &sku, 12);
                *self.put_away.get_mut(&sku).expect("a line") -= 12;
                if self.by_carton() {
                    self.must_in(carton, Kind::DuplicateReport, &[], &sku, 12, None);
                } else {
                    self.of(&sku, 0).plain = true;
                    self.must(Kind::Over, &[Kind::DuplicateReport], &sku, 12);
                    self.must(Kind::PutAwayGap, &[Kind::DuplicateReport], &sku, 12);
                }
            }
            14 => self.told_by_two(),
            15 => {
                // Sets of 12 counted where pieces were sent.
                let sku = self.rare_line();
                let more = 53 * 11;
                self.shipment.packs.insert(sku.clone(), 12);
                let one = self.of(&sku, 0);
                (one.units, one.plain) = (one.units + more, true);
                *self.put_away.get_mut(&sku).expect("a line") += more;
                self.must(Kind::PackMultiple, &[], &sku, more);
            }
            16 => {
                // Cartons of 7 counted as pieces: by carton that is plain, else it may be a short as well.
                let sku = self.rare();
                let from = self.shipment.rows.len();
                self.pack(sku.clone(), 7, 5, 0);
                self.count_from(from);
                for nth in 0..5 {
                    self.lose(&sku, nth, 6);
                    self.of(&sku, nth).plain = true;
                }
                if self.by_carton() {
                    self.must(Kind::PackMultiple, &[], &sku, 30);
                } else {
                    self.must(Kind::Short, &[Kind::PackMultiple], &sku, 30);
                }
            }
            17 => {
                let sku = self.rare_line();
                let units = self.maker.dice.from(1, 30);
                self.add(None, &sku, -units);
                *self.put_away.get_mut(&sku).expect("a line") += units;
                self.must(Kind::SystemLag, &[], &sku, units);
            }
            18 => self.cross_received(),
            19 => {
                // Under a number nobody knows, in no carton: only the count fits.
                let sku = self.rare_line();
                let units = self.maker.dice.from(6, 11);
                self.lose(&sku, 0, units);
                self.tell("LOST-AND-FOUND", None, &sku, ReceiptKind::Received, units, 4);
                self.world.by_quantity += 1;
            }
            20 => {
                // Missing at first, found later: nothing is left of the difference.
                let sku = self.rare_line();
                let units = self.maker.dice.from(1, 11);
                let carton = self.lose(&sku, 0, units);
                self.add(Some(carton), &sku, units);
            }
            21 => {
                // A warehouse code that nobody mapped, and a line that lacks as many.
                let sku = self.rare_line();
                let units = self.maker.dice.from(6, 11);
                self.lose(&sku, 0, units);
                let reference = self.shipment.order.clone();
                let code = format!("\u{1}?{sku}");
                self.tell(&reference, None, &code, ReceiptKind::Received, units, 2);
                self.world.events.last_mut().expect("just told").known = Known::No;
                self.world.by_quantity += 1;
            }
            22 => {
                // One key, two contents: the smaller counts, and that may be one report told twice.
                let sku = self.rare_line();
                let units = self.maker.dice.from(20, 30);
                let reference = self.shipment.order.clone();
                self.tell(&reference, None, &sku, ReceiptKind::Received, units, 1);
                let mut other = self.world.events.last().expect("just told").clone();
                other.units += 100;
                self.world.events.push(other);
                *self.put_away.get_mut(&sku).expect("a line") += units;
                self.must(Kind::Over, &[Kind::DuplicateReport], &sku, units);
            }
            23 => {
                // Short in the carton and the label to blame: the goods are right and named wrong.
                let (missing, there) = (self.rare_line(), self.rare_line());
                let units = self.maker.dice.from(6, 11);
                let carton = self.lose(&missing, 0, units);
                self.add(Some(carton), &there, units);
                *self.put_away.get_mut(&there).expect("a line") -= units;
                let reference = self.shipment.order.clone();
                self.tell(&reference, None, &there, ReceiptKind::Mislabelled, units, 1);
                self.must_in(None, Kind::Mislabelled, &[], &missing, units, Some(&there));
            }
            24 => {
                // Twice as many as were sent, in one count: a set of two, or the double.
                let sku = self.rare_line();
                let one = self.of(&sku, 0);
                (one.units, one.plain) = (one.units + 53, true);
                *self.put_away.get_mut(&sku).expect("a line") += 53;
                self.must(Kind::Over, &[Kind::PackMultiple], &sku, 53);
            }
            25 => {
                // Two of three kinds at once, on two lines.
                let (short, damaged) = (self.rare_line(), self.rare_line());
                let carton = self.lose(&short, 1, 3);
                let carton = self.by_carton().then_some(carton);
                self.must_in(carton, Kind::Short, &[], &short, 3, None);
                *self.put_away.get_mut(&damaged).expect("a line") -= 4;
                let reference = self.shipment.order.clone();
                self.tell(&reference, None, &damaged, ReceiptKind::Damaged, 4, 1);
                self.must(Kind::Damaged, &[], &damaged, 4);
            }
            _ => {}
        }
    }

    /// The same units from the API and from a file: the fuller report counts, and the other is named.
    fn told_by_two(&mut self) {
        let sku = self.rare_line();
        let reference = self.shipment.order.clone();
        self.tell(&reference, None, &sku, ReceiptKind::Received, 40, 1);
        self.world.events.last_mut().expect("just told").origin = "file";
        self.must(Kind::DuplicateReport, &[], &sku, 40);
    }

    /// As many too many under an earlier order of the same warehouse as are missing here, days apart.
    fn cross_received(&mut self) {
        let sku = self.rare_line();
        let units = self.maker.dice.from(6, 11);
        self.lose(&sku, 0, units);
        let mut other = Shipment {
            order: format!("{}B", self.shipment.order),
            inbound: format!("{}B", self.shipment.inbound),
            rows: vec![(format!("{}BU1", self.shipment.order), sku.clone(), 20)],
            ..self.shipment.clone()
        };
        (other.packs, other.lots) = (BTreeMap::new(), BTreeMap::new());
        let order = other.order.clone();
        self.world.shipments.push(other);
        for (kind, more) in [(ReceiptKind::Received, 0), (ReceiptKind::PutAway, 1)] {
            self.tell(&order, None, &sku, kind, 20 + units, 2 + more);
        }
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
        let number = self.maker.dice.from(0, 999);
        let split = format!("SPLIT-{}-{number}", self.shipment.order);
        let counts = std::mem::take(&mut self.counts);
        for (at, one) in counts.into_iter().enumerate() {
            if one.units == 0 {
                continue;
            }
            let reference = match self.style {
                // Without a mark of ours the split number says nothing: those are told under the order.
                Style::Split if one.carton.is_some() => split.clone(),
                _ if at % 2 == 0 => self.shipment.inbound.clone(),
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
        match self.maker.dice.from(0, 5) {
            0 if units > 2 => vec![(units - 1, 1), (1, 6)],
            1 => vec![(units + 2, 0), (-2, 3)],
            _ => vec![(units, self.maker.dice.from(0, 2) as i32)],
        }
    }
}
