//! Events into the books, each once, and each where it belongs.

use super::names::NONE;
use super::{Book, Detail, Event, Known, SEVERAL, Taken, Told, kind_number};

impl Book {
    /// Writes an event down, once.
    pub fn take(&mut self, told: &Told<'_>) -> Taken {
        let Some((origin, sign)) = self.origin(told.origin) else {
            return Taken::Full;
        };
        let mut key = String::with_capacity(told.key.len() + 2);
        key.push(sign);
        key.push_str(told.key);
        let (number, new) = self.keys.number(&key);
        if number == NONE {
            return Taken::Full;
        }
        let reference = self.reference(told.reference);
        let carton = told.carton.map_or(NONE, |mark| self.carton(mark));
        let (sku, new_sku) = self.skus.number(told.sku);
        if new_sku && told.known == Known::No {
            self.unread.insert(sku);
        }
        let detail = self.detail(told);
        let event = Event {
            units: told.units,
            at: told.at,
            shipment: NONE,
            next: NONE,
            reference,
            carton,
            sku,
            detail,
            on: told.on,
            origin,
            kind: kind_number(told.kind),
            known: told.known,
        };
        if new {
            self.events.push(event);
            self.place(number);
            return Taken::New;
        }
        let held = self.events[number as usize];
        if self.content(&held) == self.content(&event) {
            return Taken::Again;
        }
        // Whichever comes first, the smaller content counts; a person is told.
        self.restated.insert(number);
        if self.content(&event) < self.content(&held) {
            self.leave(number);
            self.events[number as usize] = event;
            self.place(number);
        } else {
            self.touch(held.shipment);
        }
        Taken::Restated
    }

    /// The key of an event came with another content that is not written down here.
    pub fn doubt(&mut self, origin: &str, key: &str) {
        let Some((_, sign)) = self.origin(origin) else {
            return;
        };
        if let Some(number) = self.keys.find(&format!("{sign}{key}")) {
            self.restated.insert(number);
            self.touch(self.events[number as usize].shipment);
        }
    }

    /// Its number, and the character that keys of it begin with.
    fn origin(&mut self, text: &str) -> Option<(u16, char)> {
        let place = self.origins.iter().position(|known| known == text);
        let place = place.unwrap_or_else(|| {
            self.origins.push(text.to_owned());
            self.origins.len() - 1
        });
        let number = u16::try_from(place).ok()?;
        Some((number, char::from_u32(u32::from(number))?))
    }

    fn detail(&mut self, told: &Told<'_>) -> u32 {
        if told.lot.is_none() && told.value.is_none() {
            return NONE;
        }
        let detail = Detail {
            lot: told.lot.map(str::to_owned),
            value: told.value.map(str::to_owned),
        };
        let next = u32::try_from(self.details.len()).unwrap_or(NONE);
        let number = *self.detail_numbers.entry(detail.clone()).or_insert(next);
        if number == next {
            self.details.push(detail);
        }
        number
    }

    fn content(&self, event: &Event) -> impl Ord + use<'_> {
        (
            self.references.text(event.reference),
            self.skus.text(event.sku),
            event.kind,
            event.units,
            event.at,
            (event.carton != NONE).then(|| self.cartons.text(event.carton)),
            self.details.get(event.detail as usize),
        )
    }

    /// Puts an event where it belongs: the carton says it, else the reference.
    fn place(&mut self, number: u32) {
        let event = self.events[number as usize];
        let by_reference = self.shipment_of_reference[event.reference as usize];
        let by_carton = self.shipment_of_carton.get(event.carton as usize).copied();
        let shipment = match by_carton {
            Some(owner) if owner < SEVERAL => owner,
            _ => by_reference,
        };
        if by_carton == Some(NONE) {
            self.stray_cartons.entry(event.carton).or_default().push(number);
        }
        if shipment == NONE {
            self.stray_references
                .entry(event.reference)
                .or_default()
                .push(number);
            self.touched_strays.insert(event.reference);
            return;
        }
        let head = std::mem::replace(&mut self.shipments[shipment as usize].first_event, number);
        let event = &mut self.events[number as usize];
        (event.shipment, event.next) = (shipment, head);
        self.touch(shipment);
    }

    pub(super) fn move_over(&mut self, number: u32) {
        self.leave(number);
        self.place(number);
    }

    /// Takes an event out of the shipment or the strays it stands with.
    fn leave(&mut self, number: u32) {
        let event = self.events[number as usize];
        if let Some(strays) = self.stray_references.get_mut(&event.reference) {
            strays.retain(|stray| *stray != number);
            self.touched_strays.insert(event.reference);
        }
        if event.carton != NONE
            && let Some(strays) = self.stray_cartons.get_mut(&event.carton)
        {
            strays.retain(|stray| *stray != number);
        }
        if event.shipment == NONE {
            return;
        }
        self.touch(event.shipment);
        let mut at = self.shipments[event.shipment as usize].first_event;
        if at == number {
            self.shipments[event.shipment as usize].first_event = event.next;
        }
        while at != NONE {
            let next = self.events[at as usize].next;
            if next == number {
                self.events[at as usize].next = event.next;
            }
            at = next;
        }
        let event = &mut self.events[number as usize];
        (event.shipment, event.next) = (NONE, NONE);
    }
}
