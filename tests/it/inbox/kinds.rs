//! Confirmations, rejections, tracking lists, bills and customs receipts (R41).

use linkstar::night::StepState;
use linkstar::order::{OrderEventKind, OrderState};

use super::stage::{Stage, account, receive};
use crate::services::{fresh_database, services};

fn confirmation(stage: &Stage, cartons: i64) -> String {
    format!(
        r#"{{"order": "{}", "inbound_no": "FBA15", "cartons": {cartons}, "accepted_at": "2026-05-04T02:10:00Z"}}"#,
        stage.order
    )
}

async fn cartons(stage: &Stage) -> i64 {
    let mut tx = stage.store.read().await.expect("the store answers");
    let stored = linkstar::store::orders::get(&mut tx, &account(), &stage.order).await;
    stored.expect("read").expect("the order").order.totals().cartons
}

/// What was billed for the order.
async fn charges(stage: &Stage) -> Vec<String> {
    let mut tx = stage.store.read().await.expect("the store answers");
    let all = linkstar::store::bills::all(&mut tx, &account())
        .await
        .expect("read");
    let own = all.get(&stage.order).into_iter().flatten();
    own.map(|charge| format!("{} {}", charge.charge, charge.amount))
        .collect()
}

#[tokio::test]
async fn r42_a_bill_sent_again_takes_the_place_of_the_first_and_a_wrong_currency_is_named() {
    for stage in stages().await {
        let order = stage.order.to_string();
        let head = "账单号,客户订单号,费用名称,金额,币种";
        stage.they_leave(
            "bill.csv",
            format!("{head}\nB-7,{order},海运费,1000,CNY\nB-7,{order},清关费,800,CNY\nB-8,{order},派送费,50.5,USD\n"),
        );
        stage.night(0).await;
        assert_eq!(
            charges(&stage).await,
            ["海运费 1000.00 CNY", "清关费 800.00 CNY", "派送费 50.50 USD"]
        );
        // Corrected, and by another way; the first correction has a row that nobody can read, and counts for nothing.
        let corrected =
            |currency| format!("{head}\nB-7,{order},海运费,900,CNY\nB-7,{order},清关费,800,{currency}\n");
        stage.somebody_drops("corrected.csv", corrected("元元"));
        let report = stage.night(1).await;
        let told = receive(&report).problems.join("\n");
        assert!(told.contains("currency") && told.contains("元元"), "{told}");
        assert_eq!(charges(&stage).await.len(), 3, "{report:?}");
        stage.somebody_drops("corrected again.csv", corrected("CNY"));
        stage.night(2).await;
        assert_eq!(
            charges(&stage).await,
            ["海运费 900.00 CNY", "清关费 800.00 CNY", "派送费 50.50 USD"]
        );
    }
}

/// On a folder with SQLite, and on a real OpenSSH server with PostgreSQL.
async fn stages() -> Vec<Stage> {
    let mut stages = vec![Stage::new().await];
    if let Some(services) = services() {
        let database = fresh_database(&services).await;
        stages.push(Stage::on_servers(&services, &database).await);
    }
    stages
}

#[tokio::test]
async fn r41_the_same_confirmation_delivered_twice_or_renamed_is_processed_once() {
    for stage in stages().await {
        let text = confirmation(&stage, cartons(&stage).await);
        stage.they_leave("confirmed.json", &text);
        stage.they_leave("confirmed (1).json", &text);
        let report = stage.night(0).await;
        assert_eq!(receive(&report).counts.get("files"), Some(&1), "{report:?}");
        assert_eq!(stage.state().await, OrderState::HandedOver);
        stage.they_leave("again.json", &text);
        stage.somebody_drops("by-mail.json", &text);
        let report = stage.night(1).await;
        assert_eq!(receive(&report).counts.get("files"), None, "{report:?}");
        assert_eq!(receive(&report).state, StepState::Done, "{report:?}");
        assert_eq!(stage.said().await.len(), 1, "{:?}", stage.said().await);
        let files = stage.files().await;
        assert_eq!(files.len(), 1);
        assert_eq!(
            (files[0].kind.as_str(), files[0].origin.as_str()),
            ("booking-confirmation", "huatuo")
        );
        assert!(stage.inbox().join("done/by-mail.json").exists());
    }
}

#[tokio::test]
async fn a_confirmation_of_other_figures_hands_over_and_says_what_differs() {
    let stage = Stage::new().await;
    let booked = cartons(&stage).await;
    stage.they_leave("confirmed.json", confirmation(&stage, booked + 2));
    let report = stage.night(0).await;
    assert_eq!(stage.state().await, OrderState::HandedOver);
    let said = receive(&report).problems.join("\n");
    assert!(
        said.contains(&format!(
            "`cartons`: found `{}`, wanted {booked}, as order",
            booked + 2
        )),
        "{said}"
    );
}

#[tokio::test]
async fn r41_a_rejection_puts_the_order_back_with_its_reason_in_mail_and_order_show() {
    for stage in stages().await {
        stage.they_leave(
            &format!("rejected-{}-instruction.xml.txt", stage.order),
            format!("REJECTED {}-instruction.xml\nbattery without MSDS\n", stage.order),
        );
        let report = stage.night(0).await;
        assert_eq!(receive(&report).state, StepState::Partial, "{report:?}");
        assert_eq!(stage.state().await, OrderState::BookingRejected);
        let rejected = OrderEventKind::BookingRejected {
            reason: "battery without MSDS".to_owned(),
        };
        assert_eq!(stage.said().await, [("huatuo".to_owned(), rejected)]);

        // Told every day until somebody has done something about it, once a mail.
        for day in [1, 2] {
            let (zh, en) = stage.mails(day).await;
            let told = format!("The booking of order {} was refused by", stage.order);
            assert_eq!(en.matches(&told).count(), 1, "{en}");
            assert!(
                en.contains("battery without MSDS") && zh.contains("battery without MSDS"),
                "{zh}"
            );
            assert!(zh.contains("订舱被货代"), "{zh}");
        }
        let (code, shown) = stage.linkstar(&["order", "show", stage.order.as_str()]);
        assert_eq!(code, Some(0), "{shown}");
        assert!(
            shown.contains("booking rejected: battery without MSDS"),
            "{shown}"
        );
        assert!(
            shown.contains(&format!("rejected-{}-instruction.xml.txt", stage.order)),
            "{shown}"
        );
        let (code, status) = stage.linkstar(&["status", "--json"]);
        assert_eq!(code, Some(1), "{status}");
        let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
        assert_eq!(status["bookings_rejected"][0]["reason"], "battery without MSDS");

        // Booked again by telephone: they confirm after all.
        let text = confirmation(&stage, cartons(&stage).await);
        stage.they_leave("confirmed.json", &text);
        stage.night(3).await;
        assert_eq!(stage.state().await, OrderState::HandedOver);
        assert!(!stage.mails(4).await.1.contains("was refused"));

        // And a rejection of what is gone already is a contradiction for a person, not a state.
        let late = format!("order,status,reason\n{},退回,too late\n", stage.order);
        stage.they_leave("status.csv", late);
        let report = stage.night(5).await;
        assert_eq!(stage.state().await, OrderState::HandedOver);
        let said = receive(&report).problems.join("\n");
        assert!(
            said.contains("a rejection before the goods are handed over"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn r41_tracking_lists_bills_and_customs_receipts_are_kept_linked_and_shown() {
    let stage = Stage::new().await;
    let order = stage.order.as_str();
    stage.they_leave(
        "轨迹.csv",
        format!("客户订单号,轨迹,时间,地点\n{order},已离港,2026-05-20 18:00,盐田\nNOT-OURS,已离港,2026-05-20,盐田\n"),
    );
    stage.they_leave(
        "bill.csv",
        format!("账单号,客户订单号,费用名称,金额,币种\nB-7,{order},海运费,\"12,400.50\",CNY\n"),
    );
    stage.they_leave(
        "cds.xml",
        format!(
            "<MetaData><Response><FunctionCode>09</FunctionCode><IssueDateTime><DateTimeString>20260618091115Z</DateTimeString></IssueDateTime><Declaration><FunctionalReferenceID>{order}</FunctionalReferenceID><ID>26GB1</ID></Declaration></Response></MetaData>"
        ),
    );
    let report = stage.night(0).await;
    let said = receive(&report).problems.join("\n");
    assert!(
        said.contains("found `NOT-OURS`, wanted the number of one of our orders"),
        "{said}"
    );
    assert_eq!(receive(&report).counts.get("quarantined"), None);
    let mut kinds: Vec<String> = stage.files().await.into_iter().map(|file| file.kind).collect();
    kinds.sort();
    assert_eq!(kinds, ["bill", "customs-receipt", "tracking"]);
    assert_eq!(stage.state().await, OrderState::Approved, "no business yet");
    let (code, shown) = stage.linkstar(&["order", "show", order, "--json"]);
    assert_eq!(code, Some(0), "{shown}");
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["received_files"].as_array().map(Vec::len), Some(3));
    assert_eq!(charges(&stage).await, ["海运费 12400.50 CNY"]);
    let (code, bill) = stage.linkstar(&["inbox", "show", "bill.csv"]);
    assert_eq!(code, Some(0), "{bill}");
    assert!(
        bill.contains("amount 12400.5 · ") && bill.contains("charge 海运费"),
        "{bill}"
    );
    let (code, list) = stage.linkstar(&["inbox", "list"]);
    assert_eq!(code, Some(0), "{list}");
    assert!(
        list.contains("customs receipt") && list.contains("tracking list"),
        "{list}"
    );
}

#[tokio::test]
async fn r45_receipts_of_customs_move_the_order_on_and_never_back_and_a_return_is_a_task() {
    let stage = Stage::new().await;
    let order = stage.order.as_str();
    let number = "531620260160000001";
    let leave = |name: &str, rows: &str| {
        stage.they_leave(
            name,
            format!("报关单号,合同号,回执状态,放行时间,回执信息\n{rows}"),
        );
    };
    // Received, and sent back with a note: a task, and the order stays.
    leave(
        "1.csv",
        &format!(
            "{number},{order},申报成功,2026-05-04 09:00,\n{number},{order},退回修改,2026-05-04 10:00,申报要素不全\n"
        ),
    );
    stage.night(0).await;
    assert_eq!(stage.state().await, OrderState::Approved);
    let (code, listed) = stage.linkstar(&["--lang", "en", "order", "problems"]);
    assert_eq!(code, Some(1), "{listed}");
    assert!(
        listed.contains("export_declaration") && listed.contains("申报要素不全"),
        "{listed}"
    );

    // Mended: accepted, released (by the code of a message), and the task is gone. A receipt that names only its declaration is known.
    leave(
        "2.csv",
        &format!(
            "{number},,申报成功,2026-05-05 09:00,\n{number},,审结,2026-05-05 11:00,\n{number},,800,2026-05-05 12:00,\n"
        ),
    );
    let report = stage.night(1).await;
    assert_eq!(receive(&report).counts.get("quarantined"), None, "{report:?}");
    assert_eq!(stage.state().await, OrderState::Exported);
    let (_, listed) = stage.linkstar(&["--lang", "en", "order", "problems"]);
    assert!(!listed.contains("export_declaration"), "{listed}");

    // Closed, then everything again in another order and file: nothing moves back, nothing is counted twice.
    leave(
        "3.csv",
        &format!(
            "{number},{order},结关,2026-05-08 09:00,\n{number},{order},800,2026-05-05 12:00,\n{number},{order},申报成功,2026-05-04 09:00,\n"
        ),
    );
    let report = stage.night(2).await;
    assert_eq!(
        receive(&report).counts.get("events"),
        Some(&1),
        "only the close is new: {report:?}"
    );
    assert_eq!(stage.state().await, OrderState::Exported);

    // The printed declaration is filed with its order by the number in its name.
    stage.they_leave(&format!("报关单_{number}.pdf"), "%PDF-1.7\n1 0 obj\n");
    stage.night(3).await;
    let (_, shown) = stage.linkstar(&["order", "show", order, "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
    let files = shown["received_files"].to_string();
    assert!(
        files.contains("export-declaration") && files.contains(&format!("报关单_{number}.pdf")),
        "{files}"
    );
}

#[tokio::test]
async fn r45_a_receipt_of_nobodys_order_waits_and_a_status_nobody_knows_is_kept_and_told() {
    let stage = Stage::new().await;
    let order = stage.order.as_str();
    let head = "报关单号,合同号,回执状态,放行时间\n";
    stage.they_leave(
        "strange.csv",
        format!("{head}531620260160000001,{order},星期五放假,2026-05-04 09:00\n5316,{order},放行,2026-05-04 09:00\n"),
    );
    stage.they_leave(
        "unknown.csv",
        format!("{head}531620260160000009,BH000000-99,放行,2026-05-04 09:00\n"),
    );
    let report = stage.night(0).await;
    let said = receive(&report).problems.join("\n");
    assert!(
        said.contains("found `星期五放假`, wanted a status that is known"),
        "{said}"
    );
    assert!(said.contains("found `5316`, wanted the 18 digits"), "{said}");
    assert!(
        said.contains("found `BH000000-99`, wanted the number of one of our orders"),
        "{said}"
    );
    assert_eq!(receive(&report).counts.get("quarantined"), Some(&1));
    assert_eq!(stage.state().await, OrderState::Approved);
    let (_, listed) = stage.linkstar(&["inbox", "list"]);
    assert!(listed.contains("unknown.csv"), "{listed}");
}
