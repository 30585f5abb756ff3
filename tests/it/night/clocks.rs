//! Deadlines and events of real orders (R49, R51, R66, R67).

use std::fs;

use chrono::{DateTime, Duration, Utc};
use linkstar::catalog::Catalog;
use linkstar::deadline::{Duty, Rule};
use linkstar::ledger::milestone::{Route, Story, Words, story};
use linkstar::ledger::{EventStatus, TrackingEvent};
use linkstar::night::clocks::of_order;
use linkstar::order::{Mode, OrderState};
use linkstar::schedule::{CLOCKS, handle};
use linkstar::store::orders::{self, StoredOrder};
use linkstar::store::work::{self, NewJob};
use serde_json::Value;

use super::shop::{Opened, Shop, morning};

pub async fn ordered() -> (Shop, String) {
    let shop = Shop::new(7).await;
    shop.night(0).await;
    shop.answer();
    shop.advance(morning(1));
    shop.night(1).await;
    let listed = shop.linkstar(&["order", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed.out).expect("JSON");
    let number = listed
        .as_array()
        .expect("orders")
        .iter()
        .filter_map(|order| order["order"].as_str())
        .find(|number| number.starts_with("BH26"))
        .expect("an order")
        .to_owned();
    (shop, number)
}

/// What the daemon's errand does, at an instant.
pub async fn look(shop: &Shop, at: DateTime<Utc>) {
    let opened: Opened = shop.open(at).await;
    let night = opened.night(false);
    let job = NewJob {
        kind: CLOCKS,
        dedupe_key: CLOCKS,
        payload: "{}",
        priority: 0,
        run_after: at,
        max_attempts: 1,
        occurrence: None,
    };
    let mut tx = opened.store.write().await.expect("the store works");
    work::enqueue(&mut tx, night.account(), &job, at)
        .await
        .expect("enqueued");
    let hour = Duration::hours(1);
    let claimed = work::claim(&mut tx, night.account(), &[CLOCKS], "t", at, hour)
        .await
        .expect("the store works")
        .expect("a job");
    tx.commit().await.expect("committed");
    let turn = tokio::sync::Mutex::new(());
    handle(&night, &turn, &claimed.1).await.expect("looked");
    let mut tx = opened.store.write().await.expect("the store works");
    work::complete(&mut tx, &claimed.0, at).await.expect("done");
    tx.commit().await.expect("committed");
    opened.store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r67_a_cut_off_told_by_a_person_is_mailed_once_moved_nearer_told_again_and_done_no_more() {
    let (shop, order) = ordered().await;
    let start = morning(1) + Duration::hours(1);
    let before = shop.mails_to("ops@").len();
    let cut_off = |hours: i64| (start + Duration::hours(hours)).to_rfc3339();
    let told = shop.linkstar(&[
        "events",
        "add",
        &order,
        "截关",
        &cut_off(40),
        "--vessel",
        "EVER GIVEN 123E",
    ]);
    assert_eq!(told.code, Some(0), "{told:#?}");
    look(&shop, start).await;
    assert_eq!(
        shop.mails_to("ops@").len(),
        before,
        "forty hours are no emergency"
    );
    for _ in 0..2 {
        look(&shop, start + Duration::hours(20)).await;
        assert_eq!(
            shop.mails_to("ops@").len(),
            before + 1,
            "once, however often it is looked at"
        );
    }
    shop.linkstar(&["events", "add", &order, "截关", &cut_off(30)]);
    look(&shop, start + Duration::hours(21)).await;
    assert_eq!(
        shop.mails_to("ops@").len(),
        before + 2,
        "it ends earlier than was told"
    );

    let at = (start + Duration::hours(21)).to_rfc3339();
    let listed = shop.linkstar(&["--lang", "en", "deadlines", "--at", &at]);
    assert_eq!(listed.code, Some(1), "{listed:#?}");
    assert!(
        listed.out.contains("Cargo cut-off") && listed.out.contains(&format!("EVER GIVEN 123E: {order}")),
        "{listed:#?}"
    );
    // At the port: nothing is due any more, and that is told, because it was critical.
    shop.linkstar(&["events", "add", &order, "GTIN", &cut_off(22)]);
    look(&shop, start + Duration::hours(23)).await;
    assert_eq!(shop.mails_to("ops@").len(), before + 3);
    look(&shop, start + Duration::hours(40)).await;
    assert_eq!(shop.mails_to("ops@").len(), before + 3);
    let pages: Vec<String> = shop.mails_to("ops@")[before..].iter().map(Shop::page).collect();
    assert!(
        pages[0].contains(&order) && pages[0].contains("截关"),
        "{}",
        pages[0]
    );
    assert!(
        pages[1].contains("截止提前") && pages[2].contains("已完成"),
        "{pages:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r66_a_forwarders_list_becomes_events_and_words_nobody_knows_are_listed() {
    let (shop, order) = ordered().await;
    let list = format!(
        "客户订单号,轨迹,时间,地点,柜号\n{order},已开船,2026-05-06 18:00,CNYTN,TCLU1234567\n\
         {order},货物状态更新,2026-05-07 08:00,,TCLU1234567\n{order},已到港,2026-06-30 06:30,GBFXT,TCLU1234567\n"
    );
    let file = shop.folder.path().join("轨迹.csv");
    fs::write(&file, list).expect("a file");
    let path = file.display().to_string();
    for _ in 0..2 {
        let read = shop.linkstar(&["receive", &path, "--at", &morning(2).to_rfc3339()]);
        assert!(matches!(read.code, Some(0 | 1)), "{read:#?}");
    }
    let shown = shop.linkstar(&["--lang", "en", "events", "show", &order]);
    assert!(
        shown.out.contains("departed") && shown.out.contains("货物状态更新"),
        "{shown:#?}"
    );
    let unknown = shop.linkstar(&["events", "unknown", "--json"]);
    assert_eq!(unknown.code, Some(1), "{unknown:#?}");
    assert!(unknown.out.contains("\"货物状态更新\": 1"), "{unknown:#?}");
    // Explained, the event of the past counts.
    let own = "version = 1\n[[means]]\nmilestone = 'gate_out'\nis = ['货物状态更新']\n";
    fs::write(shop.home.join("milestones.toml"), own).expect("a file");
    let text = fs::read_to_string(&shop.config_file).expect("a configuration");
    let text = text.replace("[deadlines]\n", "");
    fs::write(
        &shop.config_file,
        format!("{text}\n[deadlines]\nmilestones = \"milestones.toml\"\n"),
    )
    .expect("a file");
    assert_eq!(shop.linkstar(&["events", "unknown"]).code, Some(0));
    let stranger = shop.linkstar(&["events", "add", "BH-0", "departed", "2026-05-06T18:00:00Z"]);
    assert_eq!(stranger.code, Some(2), "{stranger:#?}");
}

fn event(kind: &str, status: EventStatus, at: &str) -> TrackingEvent {
    TrackingEvent {
        source: linkstar::ids::SourceId::new("huatuo").expect("an id"),
        key: String::new(),
        shipment: None,
        container: None,
        kind: kind.to_owned(),
        status,
        at: at
            .parse::<DateTime<chrono::FixedOffset>>()
            .expect("an instant")
            .to_utc(),
        place: None,
        vessel: None,
        voyage: None,
        text: None,
        told_at: None,
    }
    .with_key(None)
}

fn told(stored: &StoredOrder, events: &[TrackingEvent]) -> Vec<Duty> {
    let since = stored
        .order
        .created_on
        .and_hms_opt(0, 0, 0)
        .expect("midnight")
        .and_utc();
    let story: Story = story(
        events,
        &Words::shipped().expect("sound"),
        Route {
            from: "CNYTN",
            to: "USLGB",
        },
        since,
        since + Duration::days(60),
    );
    of_order(stored, &story, &Catalog::default(), chrono_tz::Asia::Shanghai)
}

fn isf(duties: &[Duty]) -> Vec<(Rule, Option<String>)> {
    duties
        .iter()
        .filter(|duty| matches!(duty.rule, Rule::IsfImporter | Rule::IsfStuffing))
        .map(|duty| {
            (
                duty.rule,
                duty.due.map(|due| due.with_timezone(&duty.zone).to_rfc3339()),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r49_only_sea_to_the_united_states_is_asked_for_a_filing() {
    let (shop, order) = ordered().await;
    let opened = shop.open(morning(2)).await;
    let mut tx = opened.store.read().await.expect("the store works");
    let number = linkstar::ids::OrderNo::new(order).expect("a number");
    let mut stored = orders::get(&mut tx, opened.night(false).account(), &number)
        .await
        .expect("the store works")
        .expect("the order");
    stored.state = OrderState::HandedOver;
    stored.order.mode = Mode::Sea;
    stored.order.port_of_loading = "CNYTN".to_owned();
    stored.order.port_of_discharge = "USLGB".to_owned();
    assert!(
        isf(&told(&stored, &[])).is_empty(),
        "to {}",
        stored.order.deliver_to.address.country
    );
    stored.order.deliver_to.address.country = "US".to_owned();
    // Booked, and nobody knows when it sails: that itself is a duty.
    assert_eq!(isf(&told(&stored, &[])), [(Rule::IsfImporter, None)]);
    let planned = event("DEPA", EventStatus::Planned, "2026-05-20T18:00:00+08:00");
    let arrives = event("ARRI", EventStatus::Estimated, "2026-06-04T06:00:00-07:00");
    assert_eq!(
        isf(&told(&stored, &[planned.clone(), arrives.clone()])),
        [
            (Rule::IsfImporter, Some("2026-05-19T18:00:00+08:00".to_owned())),
            (Rule::IsfStuffing, Some("2026-06-03T06:00:00-07:00".to_owned())),
        ]
    );
    let filed = event("isf_filed", EventStatus::Actual, "2026-05-15T10:00:00+08:00");
    assert_eq!(isf(&told(&stored, &[planned.clone(), arrives, filed])).len(), 1);
    let missing = told(&stored, std::slice::from_ref(&planned))[0]
        .missing
        .join("; ");
    for line in &mut stored.order.lines {
        line.goods.hs_destination = "9403".to_owned();
    }
    stored.order.importer.ein.clear();
    let all = told(&stored, std::slice::from_ref(&planned));
    let isf_duty = all
        .iter()
        .find(|duty| duty.rule == Rule::IsfImporter)
        .expect("a duty");
    assert!(
        !missing.contains("HTS-6") && isf_duty.missing.join("; ").contains("HTS-6"),
        "{isf_duty:?}"
    );
    assert!(isf_duty.missing.join("; ").contains("EIN"));
    stored.order.mode = Mode::Air;
    assert!(
        isf(&told(&stored, &[planned])).is_empty(),
        "by air nothing of the kind is filed"
    );
}
