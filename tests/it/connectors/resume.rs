//! R78: a pull that is cut off goes on where it stood, and tells what an undisturbed one tells.

use std::time::Duration;

use linkstar::connector::ConnectorConfig;
use linkstar::night::pull::{PullReport, StreamReport};
use linkstar::store::facts::{self, PullState};
use sqlx::Connection as _;

use super::stage::{House, REPORTS, Reply, SUMMARIES, Stage, amazon, gzip, line, report_text, stream};

const NOW: &str = "2026-04-02T02:00:00Z";
const RUN: Option<&str> = Some("night-2026-04-02");

/// Two windows of thirty days; the report of the first holds a row that cannot be read.
async fn shop(cut_at_the_second: bool) -> (Stage, ConnectorConfig) {
    let stage = Stage::open().await;
    let good = |id: &str, day: &str| {
        let at = format!("{day}T10:00:00+00:00");
        line(id, &at, &at, "Shipped", "Amazon", "A", 2)
    };
    let faulty = good("2", "2026-02-10").replace("\t2", "\ttwo");
    stage
        .with_token()
        .with_report(&report_text(&[good("1", "2026-02-10"), faulty]))
        .with_summaries(&[("A", 10)]);
    if cut_at_the_second {
        stage.on(REPORTS, Reply::Silent(Duration::from_secs(60)));
    }
    stage.on(REPORTS, Reply::Json(202, serde_json::json!({"reportId": "R1"})));
    stage.on(
        "/doc/D1",
        Reply::Bytes(gzip(&report_text(&[
            good("3", "2026-03-20"),
            good("4", "2026-03-21"),
        ]))),
    );
    let mut config = amazon(&stage);
    config.params.insert("history_days".to_owned(), "45".to_owned());
    config
        .params
        .insert("timeout_seconds".to_owned(), "30".to_owned());
    (stage, config)
}

fn orders(report: &PullReport) -> &StreamReport {
    stream(report, "orders")
}

#[tokio::test]
async fn r78_a_pull_cut_off_between_two_windows_tells_what_an_undisturbed_one_tells() {
    let (_stage, config) = shop(false).await;
    let calm_house = House::new(NOW).await;
    let calm = calm_house.pull_in(RUN, &config).await;
    assert_eq!(orders(&calm).rows, 3);
    assert_eq!(orders(&calm).state, PullState::Partial, "a row could not be read");

    let (stage, config) = shop(true).await;
    let house = House::new(NOW).await;
    let cut = tokio::time::timeout(Duration::from_secs(2), house.pull_in(RUN, &config)).await;
    assert!(cut.is_err(), "the second report is never created");
    let now = NOW.parse().unwrap();
    let mut tx = house.store.write().await.unwrap();
    facts::mark_interrupted(&mut tx, &house.account, now)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let again = house.pull_in(RUN, &config).await;

    let shown = |report: &PullReport| StreamReport {
        rejected: Vec::new(),
        ..orders(report).clone()
    };
    assert_eq!(shown(&calm), shown(&again));
    assert_eq!(
        stage.asked(REPORTS).len(),
        3,
        "the first window is not asked for again"
    );
    let mut states = Vec::new();
    for house in [&calm_house, &house] {
        let mut tx = house.store.read().await.unwrap();
        states.push(facts::source_states(&mut tx, &house.account, now).await.unwrap());
    }
    assert_eq!(states[0], states[1]);
}

#[tokio::test]
async fn r78_a_run_taken_up_again_asks_only_what_it_has_not_heard_to_the_end() {
    let (stage, config) = shop(false).await;
    let house = House::new(NOW).await;
    house.pull_in(RUN, &config).await;
    let stock = stage.asked(SUMMARIES).len();

    // The stock was whole, the orders were not.
    let again = house.pull_in(RUN, &config).await;
    assert_eq!(stage.asked(SUMMARIES).len(), stock);
    assert_eq!(stream(&again, "stock").rows, 1);
    assert_eq!(orders(&again).state, PullState::Ok);

    let reports = stage.asked(REPORTS).len();
    house.pull_in(RUN, &config).await;
    assert_eq!(stage.asked(REPORTS).len(), reports);
    let by_hand = house.pull_in(None, &config).await;
    assert_eq!(orders(&by_hand).rows, 2);
    house.pull_in(Some("night-2026-04-03"), &config).await;
    assert_eq!(stage.asked(SUMMARIES).len(), stock + 2);
}

/// Cuts the connection off that waits for a row this one is writing: the middle of a transaction. What the server tells
/// of its activity stands still inside a transaction, its locks do not.
async fn cut_off_what_waits(admin: &mut sqlx::PgConnection) {
    for tried in 0.. {
        assert!(tried < 600, "nobody waited");
        let cut: Vec<(bool,)> = sqlx::query_as(
            "SELECT pg_terminate_backend(pid) FROM pg_locks
             WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))",
        )
        .fetch_all(&mut *admin)
        .await
        .expect("PostgreSQL answers");
        if !cut.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn r78_a_pull_whose_database_goes_away_counts_all_rows_when_it_is_repeated() {
    let Some(services) = crate::services::services() else {
        return;
    };
    let (_stage, config) = shop(false).await;
    let calm_house = House::new(NOW).await;
    let calm = calm_house.pull_in(RUN, &config).await;

    let (stage, config) = shop(false).await;
    let house = House::new(NOW).await;
    // A row of the second window is being written by somebody else, who never says whether he means it.
    let mut admin = sqlx::PgConnection::connect(&services.database_url).await.unwrap();
    sqlx::query("BEGIN").execute(&mut admin).await.unwrap();
    sqlx::query("INSERT INTO sales_day VALUES ($1, $2, '2026-03-20', 'Amazon', 'A', 1)")
        .bind(house.account.as_str())
        .bind(config.id.as_str())
        .execute(&mut admin)
        .await
        .unwrap();
    let cut_off = async {
        cut_off_what_waits(&mut admin).await;
        sqlx::query("ROLLBACK").execute(&mut admin).await.unwrap();
    };
    let (cut, ()) = tokio::join!(house.pull_in(RUN, &config), cut_off);
    assert!(house.store.cut_off() > 0);
    assert_ne!(orders(&cut).state, PullState::Ok);
    let again = house.pull_in(RUN, &config).await;

    let shown = |report: &PullReport| StreamReport {
        rejected: Vec::new(),
        ..orders(report).clone()
    };
    assert_eq!(shown(&calm), shown(&again));
    assert_eq!(
        stage.asked(REPORTS).len(),
        2,
        "the first window is not asked for again, and the report of the second is still there"
    );
    let now = NOW.parse().unwrap();
    let mut states = Vec::new();
    for house in [&calm_house, &house] {
        let mut tx = house.store.read().await.unwrap();
        states.push(facts::source_states(&mut tx, &house.account, now).await.unwrap());
    }
    assert_eq!(states[0], states[1]);
}

#[tokio::test]
async fn rows_are_compared_with_the_run_before_also_when_a_run_pulls_twice() {
    let house = House::new(NOW).await;
    let (_stage, config) = shop(false).await;
    let now = NOW.parse().unwrap();
    let day = chrono::Duration::hours(36);
    let mut tx = house.store.write().await.unwrap();
    for (rows, again) in [(10, false), (11, false), (12, true)] {
        facts::begin_pull(&mut tx, &house.account, &config.id, "stock", day, now)
            .await
            .unwrap();
        let outcome = facts::PullOutcome {
            state: PullState::Ok,
            pages: 1,
            rows,
            warnings: std::collections::BTreeMap::new(),
            problem: None,
            as_of: Some(now),
            max_age: day,
            again,
        };
        let span = (now, now);
        facts::end_pull(&mut tx, &house.account, &config.id, "stock", span, &outcome)
            .await
            .unwrap();
    }
    let states = facts::source_states(&mut tx, &house.account, now).await.unwrap();
    assert_eq!((states[0].rows, states[0].rows_before), (Some(12), Some(10)));
}
