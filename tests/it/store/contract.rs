//! One contract for what the store answers: the same night, the same questions and changes, the same answers, word for
//! word, on both engines. Outbox and jobs have theirs in `delivery`.

use chrono::{DateTime, Duration, Utc};
use linkstar::ids::{AccountId, OrderNo, Sku, SourceId, WarehouseCode};
use linkstar::ledger::{CustomerReturn, EventStatus, TrackingEvent};
use linkstar::money::{Currency, Money};
use linkstar::night::decide;
use linkstar::order::ReferenceKind;
use linkstar::planner::history::accuracy::Accuracy;
use linkstar::reconcile::{Difference, DifferenceId, Kind, MatchKey, Standing};
use linkstar::store::facts::StreamNote;
use linkstar::store::{
    Store, Tx, accuracy, archive, bills, calibration, catalog, differences, facts, inbox, lead_times, orders,
    outbox, plans, receipts, references, returned, run, stated, statements, tracking, work,
};
use rust_decimal::Decimal;
use tokio::sync::OnceCell;

use crate::night::shop::{Shop, date, morning};
use crate::services::{fresh_database, services};

fn account() -> AccountId {
    AccountId::new("main").expect("an account")
}

pub fn later() -> DateTime<Utc> {
    morning(0) + Duration::hours(5)
}

/// A night with an answer on it, and what the store says to every question after that.
async fn transcript(url: Option<&str>) -> Vec<String> {
    let shop = Shop::with_store(11, url).await;
    let opened = shop.open(morning(0)).await;
    opened.night(false).run(date(0)).await.expect("the store works");
    shop.answer();
    let answered_at = morning(0) + Duration::hours(2);
    shop.advance(answered_at);
    opened.clock.set(answered_at);
    let night = opened.night(false);
    decide::run(&night).await.expect("the store works");
    night.deliver().await;
    let mut said = answers(&opened.store).await;
    said.extend(changes(&opened.store).await);
    opened.store.close().await;
    said
}

macro_rules! say {
    ($said:ident, $($call:tt)+) => {
        $said.push(format!("{} = {:?}", stringify!($($call)+), $($call)+.await))
    };
}

async fn answers(store: &Store) -> Vec<String> {
    let mut said = Vec::new();
    let account = &account();
    let tx = &mut store.read().await.expect("a transaction");
    let (from, to) = (date(-70), date(1));
    let plan = plans::latest(tx, account)
        .await
        .expect("readable")
        .expect("a plan");
    let line = plan.lines.first().expect("a line");
    say!(said, catalog::load(tx, account, to));
    say!(said, catalog::unmapped(tx, account));
    say!(said, catalog::item_versions(tx, account, &line.sku));
    say!(said, facts::sales_history(tx, account, from, to));
    say!(said, facts::latest_stock(tx, account));
    say!(said, facts::stock_days(tx, account, from, to));
    say!(said, facts::large_lines(tx, account, from, to));
    say!(said, facts::inbounds(tx, account));
    say!(said, facts::source_states(tx, account, later()));
    say!(said, facts::history(tx, account, 100));
    say!(said, inbox::known(tx, account));
    say!(said, inbox::find(tx, account, ""));
    // The chain stands in the order of the commits, and sources are asked side by side: its head is every run's own.
    let verified = archive::verify(tx, account).await.expect("a chain");
    assert!(verified.faults.is_empty() && verified.head.len() == 64);
    said.push(format!(
        "archive: {} entries, {} contents",
        verified.entries, verified.contents
    ));
    say!(said, lead_times::all(tx, account));
    say!(said, accuracy::judged_days(tx, account, from));
    say!(said, accuracy::since(tx, account, from));
    say!(said, calibration::states(tx, account));
    say!(said, calibration::last_recorded(tx, account));
    say!(said, calibration::accuracy(tx, account, from));
    say!(said, calibration::due(tx, account, date(400)));
    say!(said, plans::history(tx, account, 10));
    say!(said, plans::head(tx, account, &plan.id.as_str()[..6]));
    say!(said, plans::head(tx, account, "ffffffffffff"));
    say!(said, plans::decisions(tx, account, &plan.id));
    say!(
        said,
        plans::is_decided(tx, account, &plan.id, &line.warehouse, &line.sku)
    );
    say!(said, plans::parent(tx, account));
    say!(said, plans::replay(tx, account, plan.id.as_str()));
    let head = plans::head(tx, account, plan.id.as_str()).await.expect("a head");
    say!(said, plans::inputs(tx, account, &head));
    let all = orders::all(tx, account).await.expect("orders");
    assert!(!all.is_empty(), "the answer made orders");
    say!(said, orders::ordered_lines(tx, account, &plan.id));
    say!(said, orders::held(tx, account, &plan.id));
    say!(said, orders::next_number(tx, account, date(0)));
    for order in &all {
        let number = &order.order.number;
        say!(said, orders::get(tx, account, number));
        say!(said, orders::events(tx, account, number));
        say!(said, orders::documents(tx, account, number));
    }
    say!(said, receipts::current(tx, account));
    say!(said, receipts::changes_on(tx, account, date(0)));
    say!(said, receipts::load_since(tx, account, morning(-30)));
    let numbers: Vec<String> = all.iter().map(|order| order.order.number.to_string()).collect();
    say!(said, receipts::load_for(tx, account, &numbers));
    say!(said, stated::findings_for(tx, account, &numbers));
    say!(said, run::latest(tx, account, 5));
    say!(said, outbox::count_by_state(tx, account));
    say!(said, work::list_occurrences(tx, account, 10));
    said
}

/// What the night does not do, on the same rows; nothing of it is committed.
async fn changes(store: &Store) -> Vec<String> {
    let mut said = Vec::new();
    let account = &account();
    let tx = &mut store.write().await.expect("a transaction");
    let plan = plans::latest(tx, account)
        .await
        .expect("readable")
        .expect("a plan");
    for alert in plan.alerts.iter().take(3) {
        say!(
            said,
            plans::acknowledge(tx, account, &alert.warehouse, &alert.sku, "小王", later())
        );
    }
    say!(said, plans::parent(tx, account));
    let judged = accuracy::Judged {
        made_on: date(-40),
        warehouse: plan.lines.first().expect("a line").warehouse.clone(),
        class: "smooth".to_owned(),
        plan: plan.id.clone(),
        accuracy: Accuracy {
            lines: 3,
            sold: 120,
            ..Accuracy::default()
        },
    };
    for _ in 0..2 {
        say!(
            said,
            accuracy::keep(tx, account, std::slice::from_ref(&judged), later())
        );
    }
    say!(said, accuracy::judged_days(tx, account, date(-70)));
    say!(said, accuracy::since(tx, account, date(-70)));
    let stock = facts::latest_stock(tx, account).await.expect("stock");
    for view in &stock {
        let (source, warehouse) = (&view.source, &view.warehouse);
        say!(
            said,
            facts::discard_snapshot(tx, account, source, warehouse, "cut off", later())
        );
        for note in [StreamNote::Resume, StreamNote::Progress] {
            say!(
                said,
                facts::save_stream_note(tx, account, source, "stock", note, "{}")
            );
            say!(said, facts::stream_note(tx, account, source, "stock", note));
        }
    }
    say!(said, facts::latest_stock(tx, account));
    let event = TrackingEvent {
        source: SourceId::new("carrier").expect("a source"),
        key: String::new(),
        shipment: Some("BK-1".to_owned()),
        container: None,
        kind: "ARRI".to_owned(),
        status: EventStatus::Estimated,
        at: later(),
        place: Some("GBFXT".to_owned()),
        vessel: None,
        voyage: None,
        text: Some("到港".to_owned()),
        told_at: None,
    }
    .with_key(None);
    for _ in 0..2 {
        say!(
            said,
            tracking::append(tx, account, std::slice::from_ref(&event), later())
        );
    }
    let all = orders::all(tx, account).await.expect("orders");
    let number = &all.first().expect("an order").order.number;
    for _ in 0..2 {
        say!(
            said,
            references::link(
                tx,
                account,
                (number, ReferenceKind::Container, "MSKU1234565"),
                "track.csv",
                later()
            )
        );
    }
    for kind in [ReferenceKind::Tracking, ReferenceKind::Booking] {
        let linked = (number, kind, "1Z999AA10123456784");
        say!(said, references::link(tx, account, linked, "track.csv", later()));
    }
    say!(said, references::of_order(tx, account, number));
    say!(said, references::of_one_order(tx, account));
    let charge = |amount| bills::Charge {
        charge: "海运费".to_owned(),
        amount: Money::new(amount, Currency::CNY),
    };
    for charges in [
        vec![charge(Decimal::from(9)), charge(Decimal::new(125, 1))],
        vec![charge(Decimal::ONE)],
    ] {
        say!(
            said,
            bills::keep(tx, account, (number, "B-7"), &charges, "huatuo")
        );
    }
    say!(said, bills::all(tx, account));
    say!(said, references::open(tx, account, ReferenceKind::Container));
    say!(said, references::open(tx, account, ReferenceKind::Booking));
    say!(said, tracking::events_of(tx, account, "BK-1"));
    let mut back = CustomerReturn {
        source: SourceId::new("shop").expect("a source"),
        key: "unit|LPN1".to_owned(),
        order_id: "202-1".to_owned(),
        sku_code: "SKU-A".to_owned(),
        units: 1,
        returned_at: later(),
        disposition: None,
        reason: Some("不想要".to_owned()),
        centre: Some("LTN4".to_owned()),
    };
    for disposition in [None, Some("SELLABLE".to_owned())] {
        back.disposition = disposition;
        let both = [back.clone(), back.clone()];
        say!(said, returned::merge(tx, account, &both, later()));
    }
    say!(said, returned::since(tx, account, later()));
    say!(said, returned::sums(tx, account, later()));
    said.extend(differences_change(tx, account, number).await);
    said.extend(super::claimed::claimed(tx, account, all.first().expect("an order")).await);
    said.extend(super::desk::desk(tx, account, all.first().expect("an order")).await);
    for statement in super::stated::statements() {
        say!(said, stated::state(tx, account, &[statement], later()));
    }
    let finding = super::stated::finding();
    for _ in 0..2 {
        say!(
            said,
            stated::find(tx, account, std::slice::from_ref(&finding), later())
        );
    }
    say!(
        said,
        stated::findings_for(tx, account, std::slice::from_ref(&finding.reference))
    );
    say!(said, receipts::load_for(tx, account, &[finding.reference]));
    say!(said, facts::running(tx, account));
    say!(said, facts::mark_interrupted(tx, account, later()));
    say!(said, run::finish(tx, account, "no such run", "done", later()));
    said
}

/// A difference comes, comes again, grows, goes away and comes back.
async fn differences_change(tx: &mut Tx, account: &AccountId, order: &OrderNo) -> Vec<String> {
    let mut said = Vec::new();
    let sku = Sku::new("SKU-A").expect("a SKU");
    let short = Difference {
        id: DifferenceId::of(order, None, &sku, Kind::Short, None),
        order: order.clone(),
        warehouse: WarehouseCode::new("goodcang:UKMA").expect("a warehouse"),
        carton: None,
        sku,
        kind: Kind::Short,
        or: vec![Kind::CartonMissing],
        units: 20,
        shipped: 100,
        received: 80,
        standing: Standing::Final,
        confidence: 50,
        matched_by: Some(MatchKey::Sku),
        counted_as: None,
        expected: None,
        found: None,
        evidence: Vec::new(),
        last_event: Some(date(0)),
    };
    let more = Difference {
        units: 25,
        ..short.clone()
    };
    for now in [
        vec![short.clone()],
        vec![short.clone()],
        vec![more],
        vec![],
        vec![short.clone()],
    ] {
        say!(said, differences::save(tx, account, &now, date(1), later()));
    }
    say!(said, differences::all(tx, account));
    say!(said, differences::open(tx, account));
    say!(said, differences::of_order(tx, account, order));
    say!(said, differences::get(tx, account, &short.id));
    say!(said, differences::history(tx, account, &short.id));
    say!(said, differences::events_since(tx, account, date(1)));
    said
}

/// The transcripts of both engines, made once for all tests that want them; their statements are remembered.
pub async fn transcripts() -> &'static [Vec<String>] {
    static MADE: OnceCell<Vec<Vec<String>>> = OnceCell::const_new();
    MADE.get_or_init(|| async {
        statements::watch();
        let mut made = vec![transcript(None).await];
        if let Some(services) = services() {
            let url = fresh_database(&services).await;
            made.push(transcript(Some(&url)).await);
        }
        made
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_give_the_same_answers_to_every_question() {
    let made = transcripts().await;
    assert!(made[0].len() > 40, "{}", made[0].len());
    let [sqlite, postgres] = made else { return };
    assert_eq!(sqlite.len(), postgres.len());
    for (one, other) in sqlite.iter().zip(postgres) {
        let short = |text: &str| text.chars().take(3_000).collect::<String>();
        assert!(
            one == other,
            "SQLite: {}\n\nPostgreSQL: {}",
            short(one),
            short(other)
        );
    }
}
