//! Ten thousand shipments whose receipts go wrong in every known way: what the reports determine is found, and what
//! they do not is said to be open (R55, R56, R17).

mod book;
mod nightly;
mod world;

use std::collections::BTreeSet;

use linkstar::reconcile::book::{Book, Taken};
use linkstar::reconcile::{Difference, Kind};

use self::world::{AS_OF, Event, World, truths};

const SHIPMENTS: usize = 10_000;

fn take_all(books: &mut [Book], events: &[&Event]) {
    for event in events {
        event.take(&mut books[event.warehouse]);
    }
}

fn judge(books: &mut [Book]) -> usize {
    books.iter_mut().map(|book| book.judge(AS_OF)).sum()
}

fn differences(world: &World, events: &[&Event]) -> Vec<Difference> {
    let mut books = world.books();
    take_all(&mut books, events);
    judge(&mut books);
    world.differences(&books)
}

#[test]
fn r56_every_kind_is_found_where_the_reports_determine_it_and_left_open_where_they_do_not() {
    let world = World::new(7, SHIPMENTS);
    let found = differences(&world, &world.told(1));
    let said = truths(&found);
    let missing: Vec<_> = world.truth.difference(&said).take(5).collect();
    let too_much: Vec<_> = said.difference(&world.truth).take(5).collect();
    assert_eq!((missing, too_much), (Vec::new(), Vec::new()));
    assert_eq!(found.len(), world.truth.len(), "nothing is said twice");

    let determined: BTreeSet<Kind> = world
        .truth
        .iter()
        .filter(|one| one.or.is_empty())
        .map(|one| one.kind)
        .collect();
    assert_eq!(
        determined,
        Kind::ALL.into_iter().collect(),
        "the world has every kind"
    );
    let open = found.iter().filter(|one| !one.is_determined());
    let mut count = 0;
    for one in open {
        assert!(!one.is_claimable() && one.confidence == 50, "{one:?}");
        count += 1;
    }
    assert!(count > SHIPMENTS / 20, "{count} are open");
    assert!(found.iter().all(|one| one.units > 0 && !one.evidence.is_empty()));
}

#[test]
fn r54_order_repetition_and_delay_of_reports_change_nothing() {
    let world = World::new(8, SHIPMENTS / 4);
    let once = differences(&world, &world.told(1));
    assert_eq!(
        once,
        differences(&world, &world.told(2)),
        "shuffled and doubled otherwise"
    );

    // Batch by batch, looked at after each: the same, and the last word again changes nothing.
    let mut books = world.books();
    let told = world.told(3);
    for batch in told.chunks(997) {
        take_all(&mut books, batch);
        judge(&mut books);
    }
    assert_eq!(once, world.differences(&books));
    let restated: BTreeSet<&str> = world
        .events
        .iter()
        .filter(|event| event.take(&mut books[event.warehouse]) == Taken::Restated)
        .map(|event| event.key.as_str())
        .collect();
    assert!(
        !restated.is_empty(),
        "one key with two contents is told each time"
    );
    judge(&mut books);
    assert_eq!(once, world.differences(&books));
    assert_eq!(judge(&mut books), 0, "nothing is left to look at");

    // Receipts that come before anybody knows of the shipment wait for it.
    let mut books: Vec<Book> = world::WAREHOUSES
        .iter()
        .map(|_| Book::new(world::rules()))
        .collect();
    take_all(&mut books, &told);
    judge(&mut books);
    for shipment in world.shipments.iter().rev() {
        shipment.ship(&mut books[shipment.warehouse]);
    }
    judge(&mut books);
    assert_eq!(once, world.differences(&books));
}

#[test]
fn r17_no_unit_is_lost_or_made_after_any_event() {
    let shipments = std::env::var("LINKSTAR_CONSERVATION_SHIPMENTS").map_or(Ok(1_000), |text| text.parse());
    let world = World::new(9, shipments.expect("a number of shipments"));
    let mut books = world.books();
    let (mut looked_at, mut with_others) = (0_u64, 0_u64);
    for event in world.told(1) {
        let book = &mut books[event.warehouse];
        event.take(book);
        book.judge(AS_OF);
        // The shipment it belongs to, by its carton's mark or else its number, and those that share a pool with it: what an
        // event changes is there, and nowhere else.
        let marked = event.carton.as_deref().and_then(|mark| mark.get(..9));
        let order = marked.map_or_else(|| event.reference.replace("GRN-", "SO-"), str::to_owned);
        let mut touched = BTreeSet::from([order.clone()]);
        for line in book.lines(&order).0 {
            touched.extend(line.pooled.iter().map(|(other, _)| (*other).to_owned()));
        }
        with_others += u64::from(touched.len() > 1);
        for order in touched {
            for [shipped, moving, arrived, given_up] in book.conserved(&order) {
                assert_eq!(shipped, moving + arrived + given_up, "{event:?}");
                assert!(moving >= 0 && arrived >= 0 && given_up >= 0, "{event:?}");
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 20 * world.shipments.len() as u64 && with_others > 0);
    println!(
        "{} shipments: {looked_at} lines looked at after an event",
        world.shipments.len()
    );
    for shipment in &world.shipments {
        for [shipped, moving, arrived, given_up] in books[shipment.warehouse].conserved(&shipment.order) {
            assert_eq!(shipped, moving + arrived + given_up, "{}", shipment.order);
        }
    }
}

#[test]
fn r55_units_counted_under_another_or_no_number_are_no_claim() {
    let world = World::new(10, 2_000);
    let mut books = world.books();
    take_all(&mut books, &world.told(1));
    judge(&mut books);
    let mut by_quantity = 0;
    let mut pooled = 0;
    for shipment in &world.shipments {
        let (lines, _) = books[shipment.warehouse].lines(&shipment.order);
        for line in lines {
            by_quantity += usize::from(line.by[3] > 0);
            pooled += usize::from(line.pooled.iter().any(|(_, units)| *units > 0));
            assert!(line.pooled.is_empty() || line.left == 0, "{line:?}");
        }
    }
    assert_eq!(by_quantity, world.by_quantity);
    assert!(
        pooled > by_quantity,
        "{pooled} pooled, {by_quantity} by their count alone"
    );
}
