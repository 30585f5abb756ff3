//! Receipts in every form that comes into the inbox: tables, UBL, X12, and mails that bring them.

use std::collections::BTreeMap;

use base64::Engine as _;
use linkstar::ledger::{ReceiptEvent, ReceiptKind};
use linkstar::mapping::xml::schema::SchemaSet;
use linkstar::store::{receipts, stated};

use super::stage::{Stage, account, receive};
use crate::papers::{mapping, orders};
use crate::services::{fresh_database, services};

async fn stages() -> Vec<Stage> {
    let mut stages = vec![Stage::new().await];
    if let Some(services) = services() {
        let database = fresh_database(&services).await;
        stages.push(Stage::on_servers(&services, &database).await);
    }
    stages
}

async fn events(stage: &Stage) -> Vec<ReceiptEvent> {
    let mut tx = stage.store.read().await.expect("the store answers");
    receipts::load_for(&mut tx, &account(), &[stage.order.to_string()])
        .await
        .expect("events")
}

async fn sums(stage: &Stage) -> BTreeMap<(String, String), i64> {
    let mut sums = BTreeMap::new();
    for event in events(stage).await {
        *sums
            .entry((event.source.clone(), event.sku_code.clone()))
            .or_insert(0) += event.units;
    }
    sums
}

fn advice(order: &str, day: &str, received: u32) -> String {
    format!(
        "<?xml version=\"1.0\"?><r:ReceiptAdvice xmlns:r=\"urn:oasis:names:specification:ubl:schema:xsd:ReceiptAdvice-2\" \
         xmlns:cac=\"urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2\" \
         xmlns:cbc=\"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2\"><cbc:ID>RA-1</cbc:ID>\
         <cbc:IssueDate>{day}</cbc:IssueDate><cac:DespatchDocumentReference><cbc:ID>{order}</cbc:ID></cac:DespatchDocumentReference>\
         <cac:DeliveryCustomerParty/><cac:DespatchSupplierParty/><cac:ReceiptLine><cbc:ID>1</cbc:ID>\
         <cbc:ReceivedQuantity unitCode=\"C62\">{received}</cbc:ReceivedQuantity><cac:Item><cac:SellersItemIdentification>\
         <cbc:ID>UBL-SKU</cbc:ID></cac:SellersItemIdentification></cac:Item></cac:ReceiptLine></r:ReceiptAdvice>"
    )
}

fn stock_receipt(order: &str) -> String {
    format!(
        "ISA*00*          *00*          *ZZ*3PL            *ZZ*SELLER         *260504*0930*U*00401*000000007*0*P*>~\n\
         GS*RE*3PL*SELLER*20260504*0930*7*X*004010~\nST*944*0001~\nW17*F*20260504*RCPT-5*{order}~\nW07*24*EA**VN*X12-SKU~\n\
         W13*2*EA*01~\nSE*5*0001~\nGE*1*7~\nIEA*1*000000007~\n"
    )
}

fn table(order: &str) -> String {
    format!(
        "参考号,SKU,预报数量,清点数量,扫描数量,照片,收货时间\n{order},CSV-SKU,40,40,38,1.jpg,2026-05-04 10:00\n"
    )
}

fn mail(files: &[(&str, &str)]) -> String {
    let mut text = "From: wh@example.test\r\nTo: plan@example.test\r\nSubject: receipts\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee below\r\n"
        .to_owned();
    for (name, content) in files {
        let packed = base64::prelude::BASE64_STANDARD.encode(content);
        text.push_str(&format!(
            "--b\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{packed}\r\n"
        ));
    }
    text + "--b--\r\n"
}

#[tokio::test]
async fn r54_a_table_an_advice_and_an_interchange_are_receipts_once_however_they_come() {
    for stage in stages().await {
        let order = stage.order.to_string();
        let files = [
            ("收货.csv", table(&order)),
            ("advice.xml", advice(&order, "2026-05-04", 60)),
            ("r.edi", stock_receipt(&order)),
        ];
        for (name, text) in &files {
            stage.somebody_drops(name, text);
        }
        let report = stage.night(0).await;
        assert_eq!(receive(&report).counts.get("files"), Some(&3), "{report:?}");
        let wanted = sums(&stage).await;
        let found: Vec<(&str, i64)> = wanted
            .iter()
            .map(|((_, sku), units)| (sku.as_str(), *units))
            .collect();
        // Two of the 24 are damaged as well.
        assert_eq!(found, [("CSV-SKU", 40), ("UBL-SKU", 60), ("X12-SKU", 26)]);
        let mut tx = stage.store.read().await.unwrap();
        let findings = stated::findings_for(&mut tx, &account(), std::slice::from_ref(&order))
            .await
            .unwrap();
        drop(tx);
        assert_eq!((findings.len(), findings[0].scanned), (1, Some(38)));

        // The same by mail, and what the warehouse says anew.
        let all: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        stage.they_leave("fw.eml", mail(&all));
        let newer = advice(&order, "2026-05-06", 58);
        stage.they_leave(
            "newer.eml",
            mail(&[("advice.xml", &newer), ("收货 (1).csv", &(table(&order) + "\n"))]),
        );
        let report = stage.night(1).await;
        let step = receive(&report);
        assert_eq!(step.counts.get("quarantined"), None, "{report:?}");
        let found: Vec<i64> = sums(&stage).await.into_values().collect();
        assert_eq!(found, [40, 58, 26], "{step:?}");
        assert_eq!(
            stage
                .files()
                .await
                .iter()
                .filter(|file| file.kind == "mail")
                .count(),
            2
        );
    }
}

#[tokio::test]
async fn a_mail_without_files_and_one_that_is_broken_are_for_a_person() {
    let stage = Stage::new().await;
    stage.somebody_drops("hello.eml", mail(&[]));
    stage.somebody_drops("broken.eml", mail(&[("r.edi", "ISA*00*~")]));
    let report = stage.night(0).await;
    let files = stage.files().await;
    let mut kinds: Vec<(&str, &str)> = files
        .iter()
        .map(|file| (file.name.as_str(), file.kind.as_str()))
        .collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            ("broken.eml", "mail"),
            ("broken.eml/r.edi", "quarantine"),
            ("hello.eml", "quarantine")
        ],
        "{report:?}"
    );
    let (code, said) = stage.linkstar(&["inbox", "show", "hello.eml"]);
    assert!(said.contains("a mail with an attachment"), "{code:?} {said}");
}

const OASIS: &str = include_str!("../../fixtures/papers/oasis/UBL-ReceiptAdvice-2.0-Example.xml");

fn is_valid(name: &str, text: &str) {
    let set = SchemaSet::named("ubl-2.4").expect("carried").expect("compiles");
    let checked = set.validate(name, text.as_bytes());
    assert!(checked.is_ok(), "{name}: {checked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r54_the_advice_of_oasis_and_our_own_filled_in_are_valid_and_read_by_the_command() {
    let stage = Stage::new().await;
    let receive = |name: &str, text: &str| {
        is_valid(name, text);
        let path = stage.home.path().join(name);
        std::fs::write(&path, text).expect("written");
        stage.linkstar(&["receive", &path.display().to_string()])
    };
    let counted = async |reference: &str| {
        let mut tx = stage.store.read().await.expect("the store answers");
        receipts::load_for(&mut tx, &account(), &[reference.to_owned()])
            .await
            .expect("events")
    };
    // Of the sample only the despatch it is about is ours.
    is_valid("oasis.xml", OASIS);
    let number = stage.order.to_string();
    let sample = OASIS.replace(">565899<", &format!(">{number}<"));
    // The sample counts beeswax in kilograms, which is no count of units: told with its line and guessed at by nobody.
    let (code, said) = receive("sample.xml", &sample);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("ReceiptLine 1") && said.contains("90 KGM"),
        "{said}"
    );
    assert!(counted(&number).await.is_empty());
    // The same in pieces is a receipt of 90 under the despatch it names.
    let (code, said) = receive(
        "pieces.xml",
        &sample
            .replace("KGM\">90</cbc:Rec", "C62\">90</cbc:Rec")
            .replace("KGM\">10", "C62\">10"),
    );
    let events = counted(&number).await;
    let brief: Vec<_> = events
        .iter()
        .map(|event| (event.sku_code.as_str(), event.kind, event.units))
        .collect();
    assert_eq!(brief, [("6578489", ReceiptKind::Received, 90)], "{code:?} {said}");

    // What we prepare for a warehouse says nothing arrived until somebody fills it in.
    let own = orders::declared(7, "US");
    let written = mapping("ubl-receipt-advice").write(&own, &orders::context(&own, 7));
    let prepared = String::from_utf8(written.expect("written").bytes).expect("UTF-8");
    let prepared = prepared.replace(own.number.as_str(), &number);
    let (_, said) = receive("prepared.xml", &prepared);
    assert_eq!(counted(&number).await.len(), 1, "{said}");
    let first = own.lines.first().expect("a line").units;
    let filled = prepared.replace(">PREPARED<", ">FINAL<");
    // The schema wants the quantity right behind the number of the line.
    let at = filled.find("<cac:ReceiptLine>").expect("a line");
    let end = filled[at..].find("</cbc:ID>").expect("its number") + at + "</cbc:ID>".len();
    let filled = format!(
        "{}<cbc:ReceivedQuantity unitCode=\"EA\">{first}</cbc:ReceivedQuantity>{}",
        &filled[..end],
        &filled[end..]
    );
    let (_, said) = receive("filled.xml", &filled);
    let events = counted(&number).await;
    let units: i64 = events.iter().map(|event| event.units).sum();
    assert_eq!((events.len(), units), (2, 90 + first), "{said} {events:?}");
    is_valid("advice", &advice("SO-1", "2026-05-04", 3));
}
