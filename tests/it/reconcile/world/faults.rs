//! Everything that goes wrong, and what must be said of it.

use std::collections::BTreeMap;

use linkstar::ledger::ReceiptKind;
use linkstar::reconcile::Kind;
use linkstar::reconcile::book::Known;

use super::{Draft, Shipment, Style};

impl Draft<'_> {
    pub(super) fn go_wrong(&mut self, fault: i64) {
        match fault {
            0 => {
                let sku = self.rare_line();
                let units = self.maker.dice.between(1, 11);
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
                let units = self.maker.dice.between(16, 40);
                let one = self.of(&sku, 0);
                (one.units, one.plain) = (one.units + units, true);
                *self.put_away.get_mut(&sku).expect("a line") += units;
                self.must(Kind::Over, &[], &sku, units);
            }
            3 => {
                let sku = self.rare_line();
                let units = self.maker.dice.between(1, 20);
                *self.put_away.get_mut(&sku).expect("a line") -= units;
                let reference = self.shipment.order.clone();
                self.tell(&reference, None, &sku, ReceiptKind::Damaged, units, 1);
                self.must(Kind::Damaged, &[], &sku, units);
            }
            4 => {
                let (missing, there) = (self.rare_line(), self.rare_line());
                let units = self.maker.dice.between(1, 11);
                let carton = self.lose(&missing, 0, units);
                self.add(Some(carton), &there, units);
                self.must_in(None, Kind::WrongSku, &[], &missing, units, Some(&there));
            }
            5 => {
                // Two miss as many as one has too many: either may be the one.
                let (one, two, there) = (self.rare_line(), self.rare_line(), self.rare_line());
                let units = self.maker.dice.between(8, 10);
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
                let units = self.maker.dice.between(1, 20);
                *self.put_away.get_mut(&sku).expect("a line") -= units;
                let reference = self.shipment.order.clone();
                self.tell(&reference, None, &sku, ReceiptKind::Mislabelled, units, 1);
                self.must(Kind::Mislabelled, &[], &sku, units);
            }
            7 => {
                let sku = self.rare();
                let units = self.maker.dice.between(1, 30);
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
                let units = self.maker.dice.between(1, 11);
                self.lose(&sku, 0, units);
                let kind = if fault == 9 { Kind::Late } else { Kind::Open };
                self.must(kind, &[], &sku, units);
            }
            11 => {
                let sku = self.rare_line();
                let units = self.maker.dice.between(1, 30);
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
                let units = self.maker.dice.between(1, 30);
                self.add(None, &sku, -units);
                *self.put_away.get_mut(&sku).expect("a line") += units;
                self.must(Kind::SystemLag, &[], &sku, units);
            }
            18 => self.cross_received(),
            19 => {
                // Under a number nobody knows, in no carton: only the count fits.
                let sku = self.rare_line();
                let units = self.maker.dice.between(6, 11);
                self.lose(&sku, 0, units);
                self.tell("LOST-AND-FOUND", None, &sku, ReceiptKind::Received, units, 4);
                self.world.by_quantity += 1;
            }
            20 => {
                // Missing at first, found later: nothing is left of the difference.
                let sku = self.rare_line();
                let units = self.maker.dice.between(1, 11);
                let carton = self.lose(&sku, 0, units);
                self.add(Some(carton), &sku, units);
            }
            21 => {
                // A warehouse code that nobody mapped, and a line that lacks as many.
                let sku = self.rare_line();
                let units = self.maker.dice.between(6, 11);
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
                let units = self.maker.dice.between(20, 30);
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
                let units = self.maker.dice.between(6, 11);
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
            26 => {
                // Put aside and not among the received; a few are missing besides.
                let sku = self.rare_line();
                let (aside, gone) = (self.maker.dice.between(5, 7), self.maker.dice.between(1, 4));
                let carton = self.lose(&sku, 0, aside + gone);
                let carton = self.by_carton().then_some(carton);
                self.put_aside(carton.clone(), &sku, aside);
                self.must(Kind::SetAside, &[], &sku, aside);
                self.must_in(carton, Kind::Short, &[], &sku, gone, None);
            }
            27 => {
                // Put aside on the way to the shelf.
                let sku = self.rare_line();
                let units = self.maker.dice.between(1, 30);
                *self.put_away.get_mut(&sku).expect("a line") -= units;
                self.put_aside(None, &sku, units);
                self.must(Kind::SetAside, &[], &sku, units);
            }
            28 => {
                // As many missing as wait: nobody can say which of them were put aside.
                let sku = self.rare_line();
                let units = self.maker.dice.between(6, 10);
                self.lose(&sku, 0, units);
                *self.put_away.get_mut(&sku).expect("a line") -= units;
                self.put_aside(None, &sku, units);
                self.must(Kind::SetAside, &[Kind::Short], &sku, units);
                self.must(Kind::Short, &[Kind::SetAside], &sku, units);
                self.must(Kind::PutAwayGap, &[Kind::SetAside], &sku, units);
            }
            _ => {}
        }
    }

    fn put_aside(&mut self, carton: Option<String>, sku: &str, units: i64) {
        let reference = self.shipment.order.clone();
        self.tell(&reference, carton, sku, ReceiptKind::SetAside, units, 1);
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
        let units = self.maker.dice.between(6, 11);
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
}
