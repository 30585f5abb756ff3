//! What goes out of a reconciliation: the row of a line from the plan to the shelf, in JSON and in the workbook (R54, R55), and one
//! shipment under the names that others have for it (R17).

use std::collections::BTreeMap;

use calamine::{Data, Reader as _};
use linkstar::order::ReferenceKind;
use linkstar::store::{orders, references};
use serde_json::Value;

use crate::claims::commands::says;
use crate::claims::stage::{Stage, day, noon};

const AT: &str = "2026-10-20T09:00:00Z";
const SKU: &str = "85123A";

async fn stage() -> Stage {
    let stage = Stage::new(None).await;
    for (name, text) in [
        (
            "warehouses.csv",
            "code,name,country,zone\ngoodcang:UKMA,GoodCang Manchester,GB,Europe/London\n".to_owned(),
        ),
        ("items.csv", format!("sku,name_en\n{SKU},Light holder\n")),
    ] {
        let file = stage.file(name, &text);
        says(
            &stage.linkstar(&["catalog", "import", &file, "--effective", "2026-01-01"]),
            0,
            &[],
        );
    }
    stage
}

fn receive(stage: &Stage, name: &str, rows: &str) {
    let head = "参考号,SKU,收货数量,上架数量,破损数量,异常数量,收货时间";
    let file = stage.file(name, &format!("{head}\n{rows}\n"));
    let ran = stage.linkstar(&["receive", &file, "--at", AT]);
    assert!(matches!(ran.code, Some(0 | 1)), "{ran:#?}");
}

fn line(stage: &Stage) -> Value {
    let ran = stage.linkstar(&["reconcile", "--json", "--at", AT]);
    assert!(matches!(ran.code, Some(0 | 1)), "{ran:#?}");
    let lines: Value = serde_json::from_str(&ran.out).expect("lines");
    let found = lines
        .as_array()
        .expect("lines")
        .iter()
        .find(|line| line["sku"] == SKU);
    found.expect("the line").clone()
}

/// The row of a SKU by its heads.
fn row(bytes: Vec<u8>, sheet: &str) -> BTreeMap<String, String> {
    let mut book = calamine::Xlsx::new(std::io::Cursor::new(bytes)).expect("a workbook");
    let range = book.worksheet_range(sheet).expect("the sheet");
    let text = |cell: &Data| cell.to_string();
    let mut rows = range.rows();
    let heads = rows
        .find(|row| row.iter().any(|cell| text(cell) == "SKU"))
        .expect("a head");
    let own = rows
        .find(|row| row.iter().any(|cell| text(cell) == SKU))
        .expect("the line");
    heads.iter().map(text).zip(own.iter().map(text)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r55_planned_packed_declared_delivered_received_and_available_stand_in_one_row() {
    let stage = stage().await;
    receive(
        &stage,
        "one.csv",
        &format!("{},{SKU},247,240,2,3,2026-10-14 09:30", stage.order.number),
    );
    let told = line(&stage);
    let chain = serde_json::json!({
        "planned": 240, "packed": 252, "declared": null, "cartons": 11, "delivered_cartons": null,
    });
    assert_eq!(told["chain"], chain, "what nobody has said is not zero");

    // The invoice is out, and the driver had eleven cartons signed for.
    let opened = stage.open("2026-10-16").await;
    let mut tx = opened.store.write().await.expect("the store works");
    let invoice = orders::StoredDocument {
        order: stage.order.number.clone(),
        revision: stage.order.revision,
        document: "commercial-invoice".to_owned(),
        file_name: "invoice.pdf".to_owned(),
        media_type: "application/pdf".to_owned(),
        sha256: "0".repeat(64),
        issued_on: Some(day("2026-09-03")),
    };
    orders::add_document(&mut tx, &opened.account(), &invoice, noon("2026-09-03"))
        .await
        .expect("a document");
    tx.commit().await.expect("committed");
    opened.reconciled(&[stage.short(5)], "2026-10-16").await;
    opened.store.close().await;
    let pod = stage.file("pod.pdf", "eleven");
    let case = format!("{}-L", stage.order.number);
    let add = |file: &str, cartons: &str| {
        let args = [
            "case",
            "evidence",
            "add",
            &case,
            file,
            "--paper",
            "delivery_proof",
            "--cartons",
            cartons,
            "--clean",
            "--by",
            "wang",
        ];
        says(&stage.linkstar(&args), 0, &[]);
    };
    add(&pod, "11");
    let told = line(&stage);
    assert_eq!(
        (&told["chain"]["declared"], &told["chain"]["delivered_cartons"]),
        (&252.into(), &11.into())
    );
    for (lang, sheet, wanted) in [
        (
            "en",
            "Lines",
            [
                ("Planned", "240"),
                ("Packed", "252"),
                ("Declared", "252"),
                ("Shipped", "252"),
                ("Announced", ""),
                ("Cartons of order", "11"),
                ("Cartons delivered", "11"),
                ("Received", "247"),
                ("Put away", "240"),
                ("Pending put-away", "5"),
                ("Damaged", "2"),
                ("Set aside", "3"),
                ("Difference", "-5"),
            ],
        ),
        (
            "zh",
            "明细",
            [
                ("计划", "240"),
                ("装箱", "252"),
                ("申报", "252"),
                ("发货", "252"),
                ("预报", ""),
                ("整单箱数", "11"),
                ("签收箱数", "11"),
                ("收货", "247"),
                ("上架", "240"),
                ("待上架", "5"),
                ("破损", "2"),
                ("异常待处理", "3"),
                ("差异", "-5"),
            ],
        ),
    ] {
        let to = stage.path(&format!("{lang}.xlsx"));
        let ran = crate::night::shop::run(
            std::process::Command::new(env!("CARGO_BIN_EXE_linkstar"))
                .args([
                    "--config",
                    &stage.config_file.display().to_string(),
                    "--lang",
                    lang,
                ])
                .args(["reconcile", "--at", AT, "--book", &to.display().to_string()]),
        );
        assert!(matches!(ran.code, Some(0 | 1)), "{ran:#?}");
        let found = row(std::fs::read(&to).expect("a workbook"), sheet);
        for (head, value) in wanted {
            assert_eq!(
                found.get(head).map(String::as_str),
                Some(value),
                "{head}: {found:#?}"
            );
        }
    }
    // Two proofs that disagree prove nothing.
    add(&stage.file("other.pdf", "ten"), "10");
    assert_eq!(line(&stage)["chain"]["delivered_cartons"], Value::Null);
    let ran = stage.linkstar(&["reconcile", "--at", AT]);
    assert!(ran.out.contains("Set aside"), "{ran:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r17_a_shipment_known_by_its_tracking_number_is_ours_and_by_a_number_of_two_nobodys() {
    let stage = stage().await;
    receive(
        &stage,
        "one.csv",
        &format!("1z999aa1,{SKU},100,,,,2026-10-14 09:30"),
    );
    let anomalies = || stage.linkstar(&["reconcile", "--at", AT]).err;
    assert_eq!(line(&stage)["received"], 0);
    assert!(anomalies().contains("1z999aa1"), "{}", anomalies());

    let opened = stage.open("2026-10-16").await;
    let mut second = stage.order.clone();
    second.number = linkstar::ids::OrderNo::new("LS-20261122-002").expect("a number");
    for carton in &mut second.cartons {
        carton.mark = carton.mark.replace("-001", "-002");
    }
    let mut tx = opened.store.write().await.expect("the store works");
    let account = opened.account();
    orders::create(
        &mut tx,
        &account,
        &second,
        day("2026-10-20"),
        "wang",
        noon("2026-09-01"),
    )
    .await
    .expect("an order");
    let linked = (&stage.order.number, ReferenceKind::Tracking, "1Z999AA1");
    references::link(&mut tx, &account, linked, "track.csv", noon("2026-10-16"))
        .await
        .expect("linked");
    tx.commit().await.expect("committed");
    assert_eq!(line(&stage)["received"], 100);
    assert!(!anomalies().contains("1z999aa1"), "{}", anomalies());
    // A second batch under our own number is another batch of the same shipment.
    receive(
        &stage,
        "two.csv",
        &format!("{},{SKU},40,,,,2026-10-15 09:30", stage.order.number),
    );
    assert_eq!(line(&stage)["received"], 140);

    // The same number on a second order: it says nothing any more.
    let mut tx = opened.store.write().await.expect("the store works");
    let linked = (&second.number, ReferenceKind::Tracking, "1Z999AA1");
    references::link(&mut tx, &account, linked, "track.csv", noon("2026-10-16"))
        .await
        .expect("linked");
    tx.commit().await.expect("committed");
    opened.store.close().await;
    assert_eq!(line(&stage)["received"], 40);
    assert!(anomalies().contains("1z999aa1"), "{}", anomalies());
}
