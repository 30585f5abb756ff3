//! A day that has everything, made by rule so that it is the same on every machine.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, Utc};
use linkstar::deadline::{Rule, Severity, Shown};
use linkstar::ids::{OrderNo, PlanId, Sku, SourceId, WarehouseCode};
use linkstar::money::{Currency, Money};
use linkstar::order::Mode;
use linkstar::planner::{
    Alert, AlertLevel, Cause, DataState, Explain, Funnel, InboundView, LineChange, Plan, PlanDiff, PlanLine,
    ProjectedDay, Reason, SourceState, StockoutDates,
};
use linkstar::report::{
    DailyReport, OrderMotion, OwnerFilter, ReceiptSummary, ReceiptWhat, RunProblem, UnmappedCode,
};
use linkstar::wording::Lang;
use rust_decimal::Decimal;

pub const LANGS: [Lang; 2] = [Lang::Zh, Lang::En];

pub fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 22).expect("a date")
}

pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_309_200, 0).expect("an instant")
}

pub fn ahead(days: u64) -> NaiveDate {
    today() + Days::new(days)
}

pub fn sku(text: &str) -> Sku {
    Sku::new(text).expect("a SKU")
}

pub fn warehouse(text: &str) -> WarehouseCode {
    WarehouseCode::new(text).expect("a warehouse code")
}

fn source_id(text: &str) -> SourceId {
    SourceId::new(text).expect("a source")
}

pub fn source(name: &str, stream: &str, state: DataState, hours: i64, rows: Option<i64>) -> SourceState {
    SourceState {
        source: source_id(name),
        stream: stream.to_owned(),
        state,
        as_of: (state != DataState::Missing).then(|| now() - chrono::Duration::hours(hours)),
        rows,
        rows_before: rows.map(|rows| rows - 24),
        missing_days: Vec::new(),
        problem: None,
    }
}

fn leaf(key: &str, value: &str, unit: &str) -> Explain {
    Explain::fact(key.to_owned(), value.to_owned(), unit.to_owned())
}

/// A complete line that sells `velocity` a day and has `available` left; the rest follows.
pub fn line(
    code: &str,
    names: (&str, &str),
    level: Option<AlertLevel>,
    velocity: i64,
    available: i64,
) -> PlanLine {
    let ends = u64::try_from(available / velocity.max(1)).expect("not negative");
    let units = velocity * 45;
    let arrival = 24;
    let projection = (0..100)
        .map(|day: i64| {
            let arrived = if day >= arrival { velocity * 30 } else { 0 };
            let mid = |rate: i64| (available + arrived - rate * day / 10).max(0);
            ProjectedDay {
                day: ahead(u64::try_from(day).expect("small")),
                low: mid(velocity * 13),
                mid: mid(velocity * 10),
                high: mid(velocity * 7),
                arrivals: if day == arrival { velocity * 30 } else { 0 },
            }
        })
        .collect();
    let due = matches!(level, Some(AlertLevel::Critical | AlertLevel::Warning));
    let late = level == Some(AlertLevel::Critical);
    PlanLine {
        warehouse: warehouse("goodcang:UKMA"),
        sku: sku(code),
        name_zh: names.0.to_owned(),
        name_en: names.1.to_owned(),
        data: DataState::Complete,
        level,
        reasons: if late {
            vec![Reason::TooLate]
        } else {
            vec![Reason::Due]
        },
        velocity_7: Some(Decimal::new(velocity * 108, 2)),
        velocity_30: Some(Decimal::from(velocity)),
        velocity_90: Some(Decimal::new(velocity * 95, 2)),
        velocity: Some(Decimal::from(velocity)),
        out_of_stock_days: 0,
        available: Some(available),
        pending_putaway: Some(0),
        inbound: vec![InboundView {
            reference: "SO-2026-0107".to_owned(),
            units: velocity * 30,
            eta_p50: ahead(24),
            eta_p90: ahead(31),
            overdue: false,
        }],
        cover_days: Some(Decimal::new(available * 10 / velocity.max(1), 1)),
        stockout: StockoutDates {
            p10: Some(ahead(ends + 4)),
            p50: Some(ahead(ends)),
            p90: Some(ahead(ends.saturating_sub(2))),
        },
        order_by: due.then(|| if late { today() - Days::new(3) } else { ahead(4) }),
        ship_by: due.then(|| ahead(9)),
        eta: due.then(|| ahead(38)),
        mode: due.then_some(Mode::Sea),
        need_units: due.then_some(units - 7),
        suggested_units: Some(if due { units } else { 0 }),
        suggested_cartons: Some(if due { units.div_euclid(15) } else { 0 }),
        safety_units: Some(velocity * 9),
        cost: due.then(|| Money::new(Decimal::new(units * 1385, 2), Currency::CNY)),
        sales_60: (0..60)
            .map(|day: i64| (day != 17 && day != 18).then_some(velocity * (60 + (day * 37) % 80) / 100))
            .collect(),
        projection,
        explain: Explain {
            key: "fixture_suggestion".into(),
            value: units.to_string().into(),
            unit: "units".into(),
            rule: "round_up".into(),
            terms: vec![
                leaf("fixture_demand", &(velocity * 60).to_string(), "units"),
                leaf("fixture_stock", &available.to_string(), "units"),
            ],
        },
        supply: None,
    }
}

pub fn plan(lines: Vec<PlanLine>, sources: Vec<SourceState>) -> Plan {
    Plan {
        id: PlanId::new("3f9a1c07e2b84d5566aa90b1c2d3e4f5061728394a5b6c7d8e9f00112233aabb").expect("an id"),
        parent: None,
        as_of: today(),
        engine: "linkstar 0.1.0".to_owned(),
        sources,
        funnel: Funnel {
            seen: 412,
            active: 230,
            computed: 221,
            due: 9,
            suggested: 6,
            dropped: vec![
                ("active".to_owned(), Reason::Inactive, 182),
                ("computed".to_owned(), Reason::StockUnknown, 5),
                ("computed".to_owned(), Reason::LeadTimeUnknown, 4),
                ("due".to_owned(), Reason::EnoughCover, 212),
            ],
        },
        lines,
        alerts: Vec::new(),
    }
}

fn alert(line: &PlanLine, first_seen: NaiveDate, tell: bool, acknowledged: bool) -> Alert {
    Alert {
        warehouse: line.warehouse.clone(),
        sku: line.sku.clone(),
        level: line.level.unwrap_or(AlertLevel::Notice),
        first_seen,
        last_sent: today(),
        stockout: line.stockout.p50,
        acknowledged,
        tell,
    }
}

/// Three reds, three ambers, one stale line, overstock, and a source that failed.
pub fn full_plan() -> Plan {
    let mut lines = vec![
        line(
            "85123A",
            ("白色心形挂饰烛台", "White hanging heart T-light holder"),
            Some(AlertLevel::Critical),
            41,
            492,
        ),
        line(
            "22423",
            ("三层复古蛋糕架", "Regency cakestand 3 tier"),
            Some(AlertLevel::Critical),
            18,
            126,
        ),
        line(
            "47566",
            ("派对彩旗", "Party bunting"),
            Some(AlertLevel::Critical),
            26,
            0,
        ),
        line(
            "84879",
            ("彩色小鸟装饰", "Assorted colour bird ornament"),
            Some(AlertLevel::Warning),
            32,
            1210,
        ),
        line(
            "20725",
            ("红色复古圆点午餐袋", "Lunch bag red retrospot"),
            Some(AlertLevel::Warning),
            21,
            880,
        ),
        line(
            "21212",
            ("72 只复古圆点蛋糕纸托", "Pack of 72 retrospot cake cases"),
            Some(AlertLevel::Warning),
            9,
            400,
        ),
        line(
            "22197",
            ("小号爆米花盒", "Small popcorn holder"),
            Some(AlertLevel::Notice),
            12,
            610,
        ),
    ];
    lines[0].reasons = vec![Reason::TooLate, Reason::CertainShortage];
    lines[1].out_of_stock_days = 5;
    lines[1].warehouse = warehouse("amazon:GB");
    lines[1].mode = Some(Mode::Air);
    lines[2].reasons = vec![Reason::TooLate, Reason::OverdueInbound];
    lines[2].inbound[0].overdue = true;
    lines[2].pending_putaway = Some(120);
    lines[4].reasons = vec![Reason::Due, Reason::MoqRaised];
    lines[5].reasons = vec![Reason::Due, Reason::CartonUnknown];
    lines[5].suggested_cartons = None;
    lines[5].cost = None;
    lines[6].reasons = vec![Reason::EnoughCover];
    let mut stale = line(
        "22720",
        ("三件套蛋糕罐", "Set of 3 cake tins pantry design"),
        Some(AlertLevel::Warning),
        14,
        300,
    );
    stale.data = DataState::Stale;
    stale.warehouse = warehouse("amazon:GB");
    stale.reasons = vec![Reason::StockStale];
    lines.push(stale);
    let mut unknown = line(
        "23166",
        ("中号陶瓷储物罐", "Medium ceramic top storage jar"),
        None,
        4,
        50,
    );
    unknown.data = DataState::Incomplete;
    unknown.reasons = vec![Reason::StockUnknown];
    unknown.available = None;
    unknown.pending_putaway = None;
    unknown.cover_days = None;
    unknown.stockout = StockoutDates {
        p10: None,
        p50: None,
        p90: None,
    };
    unknown.suggested_units = None;
    unknown.suggested_cartons = None;
    unknown.need_units = None;
    unknown.inbound = Vec::new();
    lines.push(unknown);
    for (code, cover) in [("21175", 412), ("22111", 264)] {
        let mut over = line(
            code,
            ("铁皮标语牌", "Metal sign"),
            Some(AlertLevel::Overstock),
            2,
            cover * 2,
        );
        over.reasons = vec![Reason::Overstock];
        lines.push(over);
    }
    let mut amazon = source("amazon-uk", "fba_inventory", DataState::Stale, 53, Some(1180));
    amazon.problem = Some("HTTP 403: the refresh token was revoked".to_owned());
    let mut orders = source("amazon-uk", "orders", DataState::Complete, 3, Some(1204));
    orders.missing_days = vec![today() - Days::new(43), today() - Days::new(42)];
    let mut plan = plan(
        lines,
        vec![
            orders,
            amazon,
            source("goodcang-uk", "inventory", DataState::Complete, 2, Some(388)),
        ],
    );
    plan.alerts = vec![
        alert(&plan.lines[0], today(), true, false),
        alert(&plan.lines[1], today() - Days::new(6), true, false),
        alert(&plan.lines[2], today() - Days::new(9), false, true),
    ];
    plan
}

pub fn full_diff() -> PlanDiff {
    let change = |code: &str,
                  before,
                  after,
                  levels: (Option<AlertLevel>, Option<AlertLevel>),
                  causes: &[(Cause, i64)]| LineChange {
        warehouse: warehouse("goodcang:UKMA"),
        sku: sku(code),
        before,
        after,
        level_before: levels.0,
        level_after: levels.1,
        causes: causes.to_vec(),
    };
    let (red, amber) = (Some(AlertLevel::Critical), Some(AlertLevel::Warning));
    PlanDiff {
        before: PlanId::new("0000").expect("an id"),
        after: PlanId::new("3f9a").expect("an id"),
        changes: vec![
            change(
                "85123A",
                Some(1200),
                Some(1845),
                (amber, red),
                &[(Cause::Stock, -40), (Cause::Sales, 685)],
            ),
            change(
                "22197",
                Some(540),
                Some(0),
                (amber, None),
                &[(Cause::Inbound, -540)],
            ),
            change(
                "84879",
                Some(1000),
                Some(1440),
                (amber, amber),
                &[(Cause::Sales, 300), (Cause::Time, 140)],
            ),
            change(
                "20725",
                Some(900),
                Some(945),
                (amber, amber),
                &[(Cause::Time, 45)],
            ),
        ],
    }
}

pub fn report<'a>(lang: Lang, plan: &'a Plan, diff: Option<&'a PlanDiff>) -> DailyReport<'a> {
    DailyReport {
        trial: linkstar::report::TrialNote::Live,
        lang,
        account: "main",
        as_of: today(),
        now: now(),
        zone: chrono_tz::Asia::Shanghai,
        source_zones: BTreeMap::from([(source_id("amazon-uk"), chrono_tz::Europe::London)]),
        plan,
        diff,
        deadlines: Vec::new(),
        orders: Vec::new(),
        receipts: Vec::new(),
        cases: Vec::new(),
        to_mend: Vec::new(),
        cash: Vec::new(),
        unmapped: Vec::new(),
        run_problems: Vec::new(),
        owner: None,
        currency: Currency::CNY,
    }
}

pub fn full_report<'a>(lang: Lang, plan: &'a Plan, diff: &'a PlanDiff) -> DailyReport<'a> {
    let (state, next, receipt_state) = match lang {
        Lang::Zh => ("海上", "12-02 到港后预约送仓", "上架完成,短少待查"),
        Lang::En => (
            "at sea",
            "book the delivery slot after 12-02",
            "put away, shortage open",
        ),
    };
    let order_no = |text: &str| OrderNo::new(text).expect("a number");
    let mut report = report(lang, plan, Some(diff));
    let zone = report.zone;
    let hours = |n| report.now + chrono::Duration::hours(n);
    // Slots end at their hour, days at their midnight.
    report.deadlines = [
        (None, Rule::IsfImporter, "SO-2026-0113"),
        (Some(hours(-30)), Rule::ClaimLastDay, "SO-2026-0093"),
        (Some(hours(27)), Rule::DocumentCutOff, "SO-2026-0112"),
        (
            Some(linkstar::deadline::due::end_of_day(ahead(5), zone)),
            Rule::FreePeriodEnd,
            "SO-2026-0101",
        ),
    ]
    .map(|(due, rule, reference)| Shown {
        facts: Vec::new(),
        severity: Severity::Warning,
        rule,
        due,
        zone,
        group: (rule == Rule::DocumentCutOff).then(|| "EVER GIVEN 123E".to_owned()),
        subjects: vec![reference.to_owned()],
        owners: Vec::new(),
        missing: if due.is_none() {
            vec!["EIN".to_owned()]
        } else {
            Vec::new()
        },
    })
    .to_vec();
    report.orders = vec![OrderMotion {
        number: order_no("SO-2026-0107"),
        warehouse: warehouse("goodcang:UKMA"),
        mode: Mode::Sea,
        state: state.to_owned(),
        units: Some(3270),
        cartons: Some(218),
        ship_by: Some(today() - Days::new(18)),
        eta: Some(ahead(24)),
        next_step: next.to_owned(),
    }];
    report.cases = super::cases::of(report.lang);
    report.receipts = vec![ReceiptSummary {
        order: order_no("SO-2026-0101"),
        warehouse: warehouse("goodcang:UKMA"),
        sku: sku("84879"),
        shipped: Some(1200),
        received: Some(1188),
        put_away: Some(1180),
        difference: Some(-20),
        state: receipt_state.to_owned(),
        what: ReceiptWhat::Difference,
        open: 0,
    }];
    for (sku_no, received, put_away, what, open) in [
        (
            "22423",
            600,
            400,
            ReceiptWhat::Arrived {
                received: 200,
                put_away: 400,
            },
            800,
        ),
        ("85123A", 90, 0, ReceiptWhat::Open, 1110),
    ] {
        report.receipts.push(ReceiptSummary {
            sku: sku(sku_no),
            received: Some(received),
            put_away: Some(put_away),
            difference: None,
            state: linkstar::wording::text(report.lang, "receipts.state.receiving", &[]),
            what,
            open,
            ..report.receipts[0].clone()
        });
    }
    report.unmapped = vec![UnmappedCode {
        source: source_id("amazon-uk"),
        code: "MS-NEW-01".to_owned(),
        units: None,
    }];
    report.run_problems = vec![RunProblem {
        step: "pull amazon-uk/fba_inventory".to_owned(),
        text: "HTTP 403 after 3 attempts".to_owned(),
        alike: 2,
    }];
    report
}

pub fn owner(name: &str, skus: &[&str]) -> OwnerFilter {
    OwnerFilter {
        name: name.to_owned(),
        skus: skus.iter().map(|code| sku(code)).collect::<BTreeSet<_>>(),
    }
}
