use std::collections::BTreeSet;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::order::model::Mode;

fn assortment() -> Arc<Assortment> {
    static BUNDLED: OnceLock<Arc<Assortment>> = OnceLock::new();
    Arc::clone(BUNDLED.get_or_init(|| Arc::new(Assortment::bundled().unwrap())))
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn world(seed: u64, fault_factor: f64) -> World {
    let start = at("2026-05-11T06:00:00Z");
    World::new(
        assortment(),
        TruthOptions {
            seed,
            start,
            history_days: 60,
            fault_factor,
        },
    )
}

/// One line per SKU code, whole cartons.
fn announcement(order: &str, place: Place, mode: Mode, lines: &[(&str, i64)]) -> Announcement {
    let goods = assortment();
    let mut cartons = Vec::new();
    let lines = lines
        .iter()
        .enumerate()
        .map(|(line, (sku, count))| {
            let index = goods.find(sku).unwrap();
            let units = goods.goods[index].carton_units;
            for _ in 0..*count {
                let mark = format!("{order}U{:06}", cartons.len() + 1);
                cartons.push(Carton {
                    mark,
                    contents: vec![(line, units)],
                });
            }
            ((*sku).to_owned(), index, units * count)
        })
        .collect();
    Announcement {
        order: order.to_owned(),
        place,
        mode,
        ready_at: None,
        lines,
        cartons,
    }
}

fn check(world: &World) {
    let truth = world.truth();
    for shipment in &truth.shipments {
        let mut swapped = 0;
        for line in &shipment.lines {
            assert_eq!(
                line.loaded,
                line.moving + line.dock + line.put_away + line.damaged + line.missing,
                "{shipment:?}"
            );
            let least = [line.moving, line.dock, line.put_away, line.damaged, line.missing];
            assert!(least.iter().all(|units| *units >= 0), "{shipment:?}");
            let sum = |fault: Fault| -> i64 {
                line.injected
                    .iter()
                    .filter(|i| i.fault == fault)
                    .map(|i| i.units)
                    .sum()
            };
            assert_eq!(
                line.loaded,
                line.announced + sum(Fault::Over) + sum(Fault::WrongSku)
            );
            swapped += sum(Fault::WrongSku);
        }
        assert_eq!(swapped, 0);
    }
    for stock in &truth.stock {
        let shelf = stock.shelf;
        assert!(
            shelf.available >= 0 && shelf.reserved >= 0 && shelf.dock >= 0 && shelf.damaged >= 0,
            "{stock:?}"
        );
    }
    for (order, shipment) in world.shipments() {
        for receipt in &shipment.receipts {
            let good = &world.assortment().goods[shipment.lines[receipt.line].good];
            assert_eq!(
                receipt.units % shipment.place.multiple(good),
                0,
                "{order}: whole packs only"
            );
        }
        let line_sum = |line: usize| -> i64 {
            let rows = shipment.receipts.iter().filter(|r| r.line == line);
            rows.filter(|r| r.kind == ReceiptKind::Received)
                .map(|r| r.units)
                .sum()
        };
        for (index, line) in truth.shipment(order).unwrap().lines.iter().enumerate() {
            assert_eq!(line_sum(index), line.reported_received, "{order}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn units_shipped_are_always_somewhere(seed in 0_u64..10_000, factor in 0.0_f64..12.0, steps in prop::collection::vec(1_i64..400, 1..12)) {
        let mut world = world(seed, factor);
        let lines = [("BAG-22386", 4), ("PEN-20974", 2), ("CHK-21918", 3), ("LIT-21731", 5)];
        for (number, mode) in [Mode::Air, Mode::Rail, Mode::Sea].into_iter().enumerate() {
            for place in Place::ALL {
                let order = format!("T{number}{}", place.code());
                world.announce(announcement(&order, place, mode, &lines)).unwrap();
            }
        }
        check(&world);
        for hours in steps {
            let to = world.now() + Duration::hours(hours);
            world.advance_to(to);
            check(&world);
        }
    }
}

#[test]
fn a_finished_shipment_differs_from_its_announcement_by_the_injected_faults_only() {
    let mut seen = BTreeSet::new();
    for seed in 0..12 {
        let mut world = world(seed, 8.0);
        let lines = [
            ("BAG-22386", 6),
            ("CHK-21918", 3),
            ("LIT-21731", 5),
            ("KNB-22771", 2),
        ];
        world
            .announce(announcement("T1", Place::Goodcang, Mode::Air, &lines))
            .unwrap();
        let to = world.now() + Duration::days(120);
        world.advance_to(to);
        let truth = world.truth();
        let shipment = truth.shipment("T1").unwrap();
        assert!(shipment.closed);
        for line in &shipment.lines {
            let sum = |faults: &[Fault]| -> i64 {
                line.injected
                    .iter()
                    .filter(|i| faults.contains(&i.fault))
                    .map(|i| i.units)
                    .sum()
            };
            assert_eq!((line.moving, line.dock), (0, 0));
            assert_eq!(line.missing, sum(&[Fault::Short, Fault::CartonLost]));
            assert_eq!(line.damaged, sum(&[Fault::Damaged]));
            assert_eq!(line.reported_received, line.put_away + line.damaged);
            assert_eq!(
                line.reported_received,
                line.announced + sum(&[Fault::Over, Fault::WrongSku]) - line.missing
            );
            seen.extend(line.injected.iter().map(|i| i.fault));
        }
    }
    assert_eq!(seen.len(), 7, "every kind of fault occurs: {seen:?}");
}

#[test]
fn same_seed_same_world_and_another_seed_another() {
    let run = |seed, step: i64| {
        let mut world = world(seed, 1.0);
        let lines = [("BAG-22386", 4)];
        world
            .announce(announcement("T1", Place::Amazon, Mode::Air, &lines))
            .unwrap();
        let end = world.now() + Duration::days(30);
        while world.now() < end {
            let to = (world.now() + Duration::hours(step)).min(end);
            world.advance_to(to);
        }
        serde_json::to_string(&world.truth()).unwrap()
    };
    // Also independent of how often the world is asked to move.
    assert_eq!(run(3, 720), run(3, 7));
    assert_ne!(run(3, 720), run(4, 720));
}

#[test]
fn twenty_weeks_sell_real_orders_and_lose_sales_only_where_stock_ran_out() {
    let mut world = world(11, 1.0);
    let (before, start) = (world.orders().len(), world.now());
    world.advance_to(start + Duration::weeks(20));
    check(&world);
    let sold = world.orders().len() - before;
    assert!(sold > 5_000, "{sold}");
    let truth = world.truth();
    let lost: i64 = truth
        .sales
        .iter()
        .map(|row| row.units.wanted - row.units.sold)
        .sum();
    let wanted: i64 = truth.sales.iter().map(|row| row.units.wanted).sum();
    // Nobody refills this world, so most of it is out of stock in the end.
    assert!(lost > wanted / 10 && lost < wanted, "{lost} of {wanted}");
    for stock in &truth.stock {
        let units: i64 = truth
            .sales
            .iter()
            .filter(|row| {
                row.sku == stock.sku && row.warehouse == stock.warehouse && row.day >= start.date_naive()
            })
            .map(|row| row.units.wanted - row.units.sold)
            .sum();
        assert!(units == 0 || stock.shelf.available < 5_000, "{stock:?}");
    }
}

#[test]
fn an_announcement_the_warehouse_cannot_take_is_refused() {
    let mut world = world(1, 1.0);
    let good = announcement("T1", Place::Goodcang, Mode::Sea, &[("PEN-20974", 1)]);
    let mut wrong = good.clone();
    wrong.lines[0].2 += 1;
    assert!(matches!(
        world.announce(wrong),
        Err(Refusal::Units { multiple: 3, .. })
    ));
    let mut wrong = good.clone();
    wrong.cartons.push(Carton {
        mark: "x".into(),
        contents: vec![(0, 3)],
    });
    assert!(matches!(world.announce(wrong), Err(Refusal::Packed { .. })));
    let unlisted = announcement("T1", Place::Goodcang, Mode::Sea, &[("CER-21527", 1)]);
    assert!(matches!(world.announce(unlisted), Err(Refusal::Unlisted { .. })));
    assert_eq!(
        world.announce(good.clone()).unwrap().split('-').next(),
        Some("RVLT001")
    );
    assert_eq!(world.announce(good), Err(Refusal::Twice("T1".into())));
}

#[test]
fn the_opening_has_lead_times_to_learn_and_goods_under_way() {
    let world = world(2, 1.0);
    let files = world.opening_files();
    assert!(
        files.past_shipments.lines().count() > 25,
        "{}",
        files.past_shipments
    );
    assert!(
        files.open_shipments.lines().count() > 20,
        "{}",
        files.open_shipments
    );
    let truth = world.truth();
    assert!(truth.shipments.iter().any(|shipment| !shipment.closed));
}

/// The mix a first plan should meet: most goods healthy, some short, some out, some far too many, and goods under way
/// that fit the demand.
#[test]
fn the_opening_stock_is_a_believable_mix_in_every_world() {
    for seed in [1, 7, 23] {
        let world = world(seed, 1.0);
        assert_eq!(world.opening_files().open_orders.len(), 8, "seed {seed}");
        let truth = world.truth();
        let mut counts = [0_usize; 4];
        let (mut moving, mut available, mut wanted_in_all) = (0, 0, 0);
        for stock in &truth.stock {
            let wanted: i64 = truth
                .sales
                .iter()
                .filter(|row| row.sku == stock.sku && row.warehouse == stock.warehouse)
                .map(|row| row.units.wanted)
                .sum();
            moving += stock.moving;
            available += stock.shelf.available;
            wanted_in_all += wanted;
            let class = match stock.shelf.available * 60 / wanted.max(1) {
                0 => 0,
                1..40 => 1,
                40..180 => 2,
                _ => 3,
            };
            counts[class] += 1;
        }
        let total = truth.stock.len();
        assert!((4..=9).contains(&counts[0]), "seed {seed}: {counts:?}");
        assert!((8..=30).contains(&counts[1]), "seed {seed}: {counts:?}");
        assert!(counts[2] > total * 55 / 100, "seed {seed}: {counts:?}");
        assert!((8..=32).contains(&counts[3]), "seed {seed}: {counts:?}");
        let (cover, shelf) = (moving * 60 / wanted_in_all, available * 60 / wanted_in_all);
        assert!((30..=65).contains(&cover), "seed {seed}: {cover} days under way");
        assert!(
            (60..=145).contains(&shelf),
            "seed {seed}: {shelf} days on the shelf"
        );
    }
}

#[test]
fn the_history_has_a_few_clear_gaps() {
    let history = |seed| {
        let start = at("2026-05-11T06:00:00Z");
        let options = TruthOptions {
            seed,
            start,
            history_days: 300,
            fault_factor: 1.0,
        };
        World::new(assortment(), options).truth().sales
    };
    let sales = history(7);
    let lost: BTreeSet<_> = sales
        .iter()
        .filter(|row| row.units.wanted > 0 && row.units.sold == 0)
        .map(|row| (row.warehouse, row.sku.clone()))
        .collect();
    assert!((2..=5).contains(&lost.len()), "{lost:?}");
}

#[test]
fn goods_are_collected_when_the_papers_ask_for_it() {
    let mut world = world(3, 1.0);
    let mut paper = announcement("T1", Place::Goodcang, Mode::Air, &[("BAG-22386", 4)]);
    let ready = world.now() + Duration::days(15);
    paper.ready_at = Some(ready);
    world.announce(paper).unwrap();
    world.advance_to(ready);
    assert!(!world.shipments()["T1"].handed_over);
    world.advance_to(ready + Duration::days(5));
    assert!(world.shipments()["T1"].handed_over);
    assert!(world.shipments()["T1"].milestone("handed_over").unwrap() > ready);
}

#[test]
fn lead_times_lie_where_the_figures_say() {
    let days = |mode, number: i32| {
        let announced = at("2026-04-13T02:00:00Z");
        let passed = shipment::milestones(number.unsigned_abs().into(), "T", mode, announced);
        let delivered = passed.last().unwrap().at;
        (delivered - passed[0].at).num_hours()
    };
    for (mode, low, high) in [(Mode::Sea, 35, 52), (Mode::Rail, 18, 26), (Mode::Air, 4, 10)] {
        let mut hours: Vec<i64> = (0..300).map(|number| days(mode, number)).collect();
        hours.sort_unstable();
        let median = hours[150] / 24;
        assert!((low..=high).contains(&median), "{mode:?}: {median}");
    }
}
