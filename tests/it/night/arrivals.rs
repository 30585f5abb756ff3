//! Clocks of goods that arrive and stand: put-away, slots, storage, papers that expire (R53, R57, R58, R67).

use std::collections::BTreeMap;
use std::fs;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use linkstar::catalog::{Catalog, ClockStart, Warehouse};
use linkstar::deadline::{Duty, Rule};
use linkstar::ids::WarehouseCode;
use linkstar::ledger::milestone::{Expected, Milestone, Reached, Story};
use linkstar::night::arrival_clocks::{book_slot, lots, shelf, storage};
use linkstar::planner::{Plan, SupplyFacts};
use linkstar::reconcile::{Line, LineState, Verdict};
use linkstar::store::lead_times::LeadTime;
use linkstar::store::orders::{self, StoredOrder};
use linkstar::store::plans;

use super::clocks::{look, ordered};
use super::shop::{Shop, morning};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn fact<'d>(duty: &'d Duty, name: &str) -> Option<&'d str> {
    let found = duty.facts.iter().find(|(fact, _)| fact == name);
    found.map(|(_, value)| value.as_str())
}

struct Stand {
    stored: StoredOrder,
    plan: Plan,
    catalog: Catalog,
}

async fn stored(shop: &Shop, order: &str) -> StoredOrder {
    let opened = shop.open(morning(2)).await;
    let mut tx = opened.store.read().await.expect("the store works");
    let number = linkstar::ids::OrderNo::new(order).expect("a number");
    let stored = orders::get(&mut tx, opened.night(false).account(), &number).await;
    stored.expect("read").expect("the order")
}

async fn stand() -> Stand {
    let (shop, order) = ordered().await;
    let stored = stored(&shop, &order).await;
    let opened = shop.open(morning(2)).await;
    let night = opened.night(false);
    let mut tx = opened.store.read().await.expect("the store works");
    let plan = plans::latest(&mut tx, night.account())
        .await
        .expect("read")
        .expect("a plan");
    let catalog = linkstar::store::catalog::load(&mut tx, night.account(), night.today())
        .await
        .expect("a catalog");
    Stand {
        stored,
        plan,
        catalog,
    }
}

fn line(stored: &StoredOrder, sku: &linkstar::ids::Sku, shipped: i64, received: i64, put_away: i64) -> Line {
    Line {
        order: stored.order.number.clone(),
        warehouse: stored.order.warehouse.clone(),
        sku: sku.clone(),
        shipped,
        announced: None,
        received,
        put_away,
        damaged: 0,
        pending_putaway: received - put_away,
        mislabelled: 0,
        set_aside: 0,
        matched_by: BTreeMap::new(),
        pooled: Vec::new(),
        closed_short: 0,
        difference: received - shipped,
        state: LineState::Receiving,
        verdict: Verdict::Open,
        shipped_on: day("2026-05-05"),
        eta_p50: day("2026-06-05"),
        eta_p90: day("2026-06-15"),
        first_receipt: Some(day("2026-06-01")),
        last_receipt: Some(day("2026-06-01")),
    }
}

fn delivered(on: &str) -> Story {
    let reached = Reached {
        at: at(on),
        place: None,
        source: linkstar::ids::SourceId::new("huatuo").expect("an id"),
    };
    Story {
        reached: BTreeMap::from([(Milestone::Delivered, reached)]),
        ..Story::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r57_six_days_nine_times_in_ten_the_seventh_alerts_with_units_and_lost_sales_and_the_rest_keeps_the_clock()
 {
    let Stand {
        stored,
        mut plan,
        catalog,
    } = stand().await;
    let sku = stored.order.lines[0].goods.sku.clone();
    for line in &mut plan.lines {
        if line.sku == sku && line.warehouse == stored.order.warehouse {
            line.velocity = Some("12.5".parse().unwrap());
            line.available = Some(10);
        }
    }
    let passage = |n: i64, days: i64| LeadTime {
        warehouse: stored.order.warehouse.clone(),
        mode: "sea".to_owned(),
        stage: "putaway".to_owned(),
        reference: format!("PAST-{n}"),
        from: day("2026-01-01"),
        to: day("2026-01-01") + Duration::days(days),
    };
    let passages: Vec<LeadTime> = [2, 3, 3, 4, 4, 5, 5, 5, 6, 9]
        .iter()
        .zip(0..)
        .map(|(days, n)| passage(n, *days))
        .collect();
    let story = delivered("2026-06-01T10:00:00Z");
    let look = |put_away: i64, now: &str| {
        let line = line(&stored, &sku, 400, 400, put_away);
        shelf(
            &stored,
            &story,
            &[&line],
            &passages,
            (&catalog, Some(&plan)),
            at(now),
        )
    };
    let sixth = look(0, "2026-06-06T10:00:00Z").unwrap();
    // Midnight of the day the dock counted comes before the driver's word.
    let due = sixth.due.unwrap();
    assert_eq!(due.with_timezone(&sixth.zone).date_naive(), day("2026-06-07"));
    assert_eq!(
        (fact(&sixth, "units"), fact(&sixth, "lost_sales")),
        (Some("400"), None)
    );
    let seventh = look(0, "2026-06-08T10:00:00Z").unwrap();
    // Seven days at 12.5 are 87; ten lie on the shelf.
    assert_eq!(
        (fact(&seventh, "units"), fact(&seventh, "lost_sales")),
        (Some("400"), Some("77"))
    );
    let rest = look(350, "2026-06-08T10:00:00Z").unwrap();
    assert_eq!(
        (fact(&rest, "units"), fact(&rest, "lost_sales")),
        (Some("50"), Some("50"))
    );
    assert_eq!(rest.due, seventh.due, "the clock goes on for the rest");
    assert_eq!(look(400, "2026-06-08T10:00:00Z"), None);
    // Four passages teach nothing: the lane's figure holds, or no clock runs.
    let few = shelf(
        &stored,
        &story,
        &[],
        &passages[..4],
        (&Catalog::default(), None),
        at("2026-06-08T10:00:00Z"),
    );
    assert_eq!(few, None);
}

fn warehouse(code: &WarehouseCode, free: Option<i64>, start: ClockStart, catalog: &Catalog) -> Warehouse {
    Warehouse {
        storage_free_days: free,
        clock_start: Some(start),
        ..catalog.warehouses[code].clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r58_the_free_period_is_told_with_its_units_by_the_clock_the_warehouse_has() {
    let Stand {
        stored,
        mut plan,
        mut catalog,
    } = stand().await;
    let code = stored.order.warehouse.clone();
    let sku = stored.order.lines[0].goods.sku.clone();
    plan.lines
        .retain(|line| line.sku == sku && line.warehouse == code);
    for line in &mut plan.lines {
        line.velocity = Some("5".parse().unwrap());
        line.available = Some(100);
    }
    let own = warehouse(&code, Some(30), ClockStart::Receipt, &catalog);
    catalog.warehouses.insert(code.clone(), own);
    let received = line(&stored, &sku, 100, 100, 0);
    let told = storage(
        &plan,
        &SupplyFacts::default(),
        std::slice::from_ref(&received),
        &catalog,
        day("2026-06-21"),
    );
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (told[0].rule, fact(&told[0], "units")),
        (Rule::FreePeriodEnd, Some("50"))
    );
    let last = told[0].due.unwrap().with_timezone(&told[0].zone);
    // Thirty days from 1 June: from 1 July on it costs, so 30 June is the last day without.
    assert_eq!(last.date_naive(), day("2026-07-01"));
    assert_eq!(last.time(), chrono::NaiveTime::MIN);
    assert_eq!(fact(&told[0], "fee_30"), None, "no price is known");

    // A clock that begins with the shelf does not run for what lies at the dock.
    let own = warehouse(&code, Some(30), ClockStart::Putaway, &catalog);
    catalog.warehouses.insert(code.clone(), own);
    assert_eq!(lots(std::slice::from_ref(&received), &catalog), []);
    assert_eq!(lots(&[line(&stored, &sku, 100, 100, 60)], &catalog).len(), 1);
}

fn configure(shop: &Shop, more: &str) {
    let text = fs::read_to_string(&shop.config_file).expect("a configuration");
    let text = text.replace("[deadlines]\n", "");
    fs::write(&shop.config_file, format!("{text}\n{more}")).expect("a file");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_slots_on_closed_days_and_skipped_hours_are_refused_and_a_missed_one_is_told_with_its_fee() {
    let (shop, order) = ordered().await;
    let listed = shop.linkstar(&["order", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.out).expect("JSON");
    let warehouse = listed
        .as_array()
        .expect("orders")
        .iter()
        .find(|one| one["order"] == order.as_str())
        .and_then(|one| one["warehouse"].as_str())
        .expect("a warehouse")
        .to_owned();
    configure(
        &shop,
        &format!(
            "[deadlines.appointment.\"{warehouse}\"]\nmissed_fee = {{ amount = \"80.00\", currency = \"GBP\" }}\n"
        ),
    );
    fs::create_dir_all(shop.home.join("supply")).unwrap();
    fs::write(
        shop.home.join("supply/calendar.csv"),
        format!("calendar,name,from,to,stages,warehouse,mode\nown,stocktaking,2026-05-11,2026-05-11,appointment,{warehouse},\n"),
    )
    .unwrap();
    // London's clocks skip 01:00 to 02:00 on the last Sunday of March, and pass it twice on the last of October.
    for (when, why) in [
        ("2026-05-11T09:00", "closed on this day"),
        ("2026-05-11T09:00+01:00", "closed on this day"),
        ("2027-03-28T01:30", "skip this hour"),
        ("2026-10-25T01:30", "pass this hour twice"),
    ] {
        let refused = shop.linkstar(&["events", "add", &order, "appointment", when]);
        assert_eq!(refused.code, Some(2), "{when}: {refused:#?}");
        assert!(refused.err.contains(why), "{when}: {refused:#?}");
    }
    let before = shop.mails_to("ops@").len();
    let slot = morning(3) + Duration::hours(12);
    let civil = slot
        .with_timezone(&chrono_tz::Europe::London)
        .format("%Y-%m-%dT%H:%M")
        .to_string();
    let added = shop.linkstar(&["events", "add", &order, "appointment", &civil]);
    assert_eq!(added.code, Some(0), "{added:#?}");
    // The day before: not on the road yet, so it may be missed.
    look(&shop, slot - Duration::hours(23)).await;
    assert_eq!(shop.mails_to("ops@").len(), before + 1);
    look(&shop, slot + Duration::hours(1)).await;
    let pages: Vec<String> = shop.mails_to("ops@")[before..].iter().map(Shop::page).collect();
    assert_eq!(pages.len(), 2, "{pages:?}");
    assert!(
        pages[1].contains("80.00 GBP") && pages[1].contains(&order),
        "{}",
        pages[1]
    );
    // On the road after all, and delivered: that ends it.
    shop.linkstar(&[
        "events",
        "add",
        &order,
        "delivered",
        &(slot + Duration::hours(2)).to_rfc3339(),
    ]);
    look(&shop, slot + Duration::hours(3)).await;
    let page = shop.mails_to("ops@").last().map(Shop::page).expect("a mail");
    assert!(page.contains("已完成"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r67_papers_that_expire_are_told_and_what_nobody_takes_on_goes_to_the_second_person() {
    let (shop, _) = ordered().await;
    let last = (morning(20)).date_naive();
    fs::write(
        shop.home.join("certificates.csv"),
        format!("证书编号,名称,适用产品,有效期至\nCE-77,CE,MUG,{last}\n"),
    )
    .unwrap();
    configure(
        &shop,
        "[deadlines]\ncertificates = \"certificates.csv\"\n[deadlines.escalation]\nto = \"boss@shop.example\"\nlanguage = \"en\"\nafter_hours = 6\n",
    );
    let listed = shop.linkstar(&["--lang", "en", "deadlines", "--at", &morning(2).to_rfc3339()]);
    assert!(
        listed.out.contains("Certificate expires") && listed.out.contains("CE-77; CE, MUG"),
        "{listed:#?}"
    );
    // Seven days before its end it is urgent.
    let urgent = morning(14);
    look(&shop, urgent).await;
    look(&shop, urgent + Duration::hours(5)).await;
    assert_eq!(shop.mails_to("boss@").len(), 0);
    look(&shop, urgent + Duration::hours(7)).await;
    look(&shop, urgent + Duration::hours(8)).await;
    let told = shop.mails_to("boss@");
    assert_eq!(told.len(), 1);
    assert!(
        Shop::page(&told[0]).contains("nobody has taken it on"),
        "{}",
        Shop::page(&told[0])
    );

    fs::write(
        shop.home.join("certificates.csv"),
        "证书编号,有效期至\nCE-77,soon\n",
    )
    .unwrap();
    let refused = shop.linkstar(&["deadlines"]);
    assert!(refused.err.contains("`valid_to`: found `soon`"), "{refused:#?}");
}

/// The warehouse wants three open days of notice: who has no slot by then hears of it in time, by the best word there is of when
/// the goods come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_a_slot_is_asked_for_so_many_open_days_before_the_goods_are_there() {
    let (shop, order) = ordered().await;
    let StoredOrder { order: made, .. } = stored(&shop, &order).await;
    let (warehouse, eta) = (made.warehouse, made.eta);
    let listed = || -> Vec<serde_json::Value> {
        let at = morning(1).to_rfc3339();
        let told = shop.linkstar(&["deadlines", "--json", "--days", "200", "--at", &at]);
        let told: serde_json::Value = serde_json::from_str(&told.out).expect("JSON");
        let alerts = told["alerts"].as_array().expect("alerts").clone();
        let own =
            |alert: &serde_json::Value| alert["rule"] == "book_slot" && alert["subject"] == order.as_str();
        alerts.into_iter().filter(own).collect()
    };
    assert!(
        listed().is_empty(),
        "nobody said that this warehouse wants notice"
    );
    let terms = |days: &str| format!("[deadlines.appointment.\"{warehouse}\"]\nnotice_days = {days}\n");
    let before = fs::read_to_string(&shop.config_file).expect("a configuration");
    configure(&shop, &terms("-1"));
    let refused = shop.linkstar(&["deadlines"]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(refused.err.contains("notice_days"), "{refused:#?}");
    fs::write(&shop.config_file, before).expect("a file");
    configure(&shop, &terms("3"));
    fs::create_dir_all(shop.home.join("supply")).expect("a folder");
    let closed = eta - Duration::days(2);
    fs::write(
        shop.home.join("supply/calendar.csv"),
        format!("calendar,name,from,to,stages,warehouse,mode\nown,stocktaking,{closed},{closed},appointment,{warehouse},\n"),
    )
    .expect("a file");
    let told = listed();
    assert_eq!(told.len(), 1, "{told:#?}");
    let due = at(told[0]["due"].as_str().expect("an end")).with_timezone(&chrono_tz::Europe::London);
    // One, three and four days before; the end of the last of them.
    assert_eq!(
        (due.date_naive(), due.time()),
        (eta - Duration::days(3), chrono::NaiveTime::MIN)
    );
    let said = told[0]["facts"].to_string();
    assert!(
        said.contains("by_order") && said.contains(&eta.to_string()),
        "{said}"
    );
    look(&shop, due.to_utc() - Duration::hours(20)).await;
    let page = shop.mails_to("ops@").last().map(Shop::page).expect("a mail");
    assert!(
        page.contains("预约送仓") && page.contains("提前 3 个开放日预约"),
        "{page}"
    );

    let slot = format!("{eta}T09:00");
    let added = shop.linkstar(&["events", "add", &order, "appointment", &slot]);
    assert_eq!(added.code, Some(0), "{added:#?}");
    assert!(
        listed().iter().all(|told| told["resolved_at"].is_string()),
        "there is a slot"
    );
    look(&shop, due.to_utc() - Duration::hours(19)).await;
    let page = shop.mails_to("ops@").last().map(Shop::page).expect("a mail");
    assert!(page.contains("预约送仓") && page.contains("已完成"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r53_notice_runs_from_the_delivery_that_is_expected_else_from_the_port_and_ends_with_the_truck() {
    let Stand { stored, catalog, .. } = stand().await;
    let due = |story: &Story| {
        let duty = book_slot(&stored, story, 2, &[], (&catalog, chrono_tz::Asia::Shanghai))?;
        assert_eq!(duty.rule, Rule::BookSlot);
        let last = duty.due?.with_timezone(&duty.zone).date_naive() - Duration::days(1);
        let word = duty.facts.iter().map(|(name, _)| name.clone()).nth(1);
        Some((last, word.unwrap_or_default()))
    };
    let expected = |milestone, on: &str| {
        let expected = Expected {
            at: at(on),
            status: linkstar::ledger::EventStatus::Estimated,
            told_at: None,
        };
        (milestone, expected)
    };
    let mut story = Story::default();
    assert_eq!(
        due(&story),
        Some((stored.order.eta - Duration::days(2), "by_order".to_owned()))
    );
    // Half past eleven at night in UTC is the next day in London in summer.
    story
        .expected
        .extend([expected(Milestone::Arrived, "2026-06-10T23:30:00Z")]);
    assert_eq!(due(&story), Some((day("2026-06-09"), "at_port".to_owned())));
    story
        .expected
        .extend([expected(Milestone::Delivered, "2026-06-20T10:00:00Z")]);
    assert_eq!(due(&story), Some((day("2026-06-18"), "at_door".to_owned())));
    let truck = delivered("2026-06-20T10:00:00Z");
    assert_eq!(due(&truck), None);
}
