//! ECCANG: SOAP around JSON, the method inside the envelope, `nextPage` as a word.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use linkstar::connector::ConnectorConfig;
use linkstar::store::facts::PullState;
use quick_xml::events::Event;
use serde_json::{Value as Json, json};

use super::super::desk::{Desk, Heard, Said};
use super::super::stage::{House, stream};
use super::yard::{Books, Gate, civil, number, page, source};

const SECRETS: [(&str, &str); 2] = [("app_token", "T<1>&"), ("app_key", "K\"2")];
const WSDL: &str = "http://www.example.org/Ec/";

#[derive(Default)]
struct Warehouse {
    stock: Vec<Json>,
    inbounds: Vec<Json>,
}

/// The texts of the elements, by their names; the namespace of the operation as `xmlns`.
fn envelope(body: &str) -> BTreeMap<String, String> {
    let mut reader = quick_xml::Reader::from_str(body);
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut inside = String::new();
    loop {
        match reader.read_event().expect("XML") {
            Event::Start(start) => {
                inside = start.local_name().as_ref().to_owned();
                for attribute in start.attributes() {
                    let attribute = attribute.expect("an attribute");
                    if attribute.key.as_ref() == "xmlns:ns1" {
                        texts.insert("xmlns".to_owned(), attribute.value.to_string());
                    }
                }
                texts.entry(inside.clone()).or_default();
            }
            Event::Text(text) => texts.entry(inside.clone()).or_default().push_str(&text),
            Event::GeneralRef(name) => {
                let sign = quick_xml::escape::resolve_predefined_entity(&name).expect("an entity of XML");
                texts.entry(inside.clone()).or_default().push_str(sign);
            }
            Event::End(_) => inside.clear(),
            Event::Eof => return texts,
            _ => {}
        }
    }
}

fn reply(json: &Json) -> Said {
    let text = json
        .to_string()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;");
    Said {
        status: 200,
        headers: vec![("content-type", "text/xml; charset=utf-8".to_owned())],
        body: format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope \
             xmlns:SOAP-ENV=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:ns1=\"{WSDL}\"><SOAP-ENV:Body>\
             <ns1:callServiceResponse><response>{text}</response></ns1:callServiceResponse></SOAP-ENV:Body>\
             </SOAP-ENV:Envelope>"
        ),
    }
}

fn failure(text: &str) -> Said {
    reply(&json!({"ask": "Failure", "message": text, "Error": {"errCode": "E0001", "errMessage": text}}))
}

fn answer(warehouse: &Warehouse, heard: &Heard) -> Said {
    let texts = envelope(&heard.body);
    let said = |name: &str| texts.get(name).map_or("", String::as_str);
    if heard.path != "/default/svc/web-service"
        || heard.header("soapaction") != "callService"
        || said("xmlns") != WSDL
    {
        return Said {
            status: 500,
            headers: Vec::new(),
            body: "<fault/>".to_owned(),
        };
    }
    if (said("appToken"), said("appKey")) != ("T<1>&", "K\"2") {
        return failure("appToken或appKey不正确");
    }
    let asked: Json = serde_json::from_str(said("paramsJson")).expect("JSON inside");
    let size = number(&asked, "pageSize");
    let rows: Vec<Json> = match said("service") {
        "getProductInventory" => {
            let own = |row: &&Json| row["warehouse_code"] == asked["warehouse_code"];
            warehouse.stock.iter().filter(own).cloned().collect()
        }
        "getAsnList" if size > 20 => return failure("pageSize最大20"),
        "getAsnList" => {
            let (from, to) = (civil(&asked["modify_date_from"]), civil(&asked["modify_date_to"]));
            let changed = |row: &&Json| (from..=to).contains(&civil(&row["receiving_modify_time"]));
            warehouse.inbounds.iter().filter(changed).cloned().collect()
        }
        other => return failure(&format!("service {other} 不存在")),
    };
    let at = number(&asked, "page");
    let more = rows.len() as u64 > at * size;
    reply(
        &json!({"ask": "Success", "message": "Success", "nextPage": more.to_string(), "data": page(&rows, at, size)}),
    )
}

async fn open(warehouse: &Arc<Mutex<Warehouse>>, every: u32) -> Desk {
    let (gate, warehouse) = (Gate::every(every), Arc::clone(warehouse));
    Desk::open(move |heard| {
        gate.closed()
            .unwrap_or_else(|| answer(&warehouse.lock().expect("a warehouse"), heard))
    })
    .await
}

fn config(url: &str, secrets: &[(&str, &str)]) -> ConnectorConfig {
    source("eccang", url, &[], secrets, &[("USEA", "eccang:USEA")])
}

fn row(sku: &str, sellable: i64) -> Json {
    json!({"product_sku": sku, "product_barcode": format!("C1-{sku}"), "warehouse_code": "USEA", "onway": "40",
        "pending": "5", "sellable": sellable.to_string(), "unsellable": "1", "reserved": "9"})
}

fn inbound(number: &str, warehouse: &str, status: &str, received: &Json) -> Json {
    json!({"receiving_code": number, "reference_no": format!("SO-{number}"), "warehouse_code": warehouse,
        "receiving_status": status, "receiving_modify_time": "2026-01-20 09:00:00", "contacter": "张三", "street": "一路 1",
        "contact_phone": "13800000000",
        "items": [{"box_no": "1", "product_sku": "A&B", "quantity": "100", "received_quantity": received, "putaway_qty": received}]})
}

#[tokio::test]
async fn a_pull_of_eccang_goes_through_the_envelope_and_reads_pages_until_the_word_says_false() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    {
        let mut warehouse = warehouse.lock().unwrap();
        // Two full pages: only the word tells that there is no third.
        warehouse.stock = (0..100).map(|n| row(&format!("S<{n}>"), n)).collect();
        warehouse.inbounds = (0..45)
            .map(|n| inbound(&format!("RV{n:02}"), "USEA", "G", &json!("60")))
            .collect();
        warehouse
            .inbounds
            .push(inbound("RV99", "ELSEWHERE", "G", &json!("60")));
    }
    let desk = open(&warehouse, 3).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    let report = house.pull(&config(&desk.url, &SECRETS)).await;
    assert_eq!(report.state(), PullState::Ok, "{report:?}");
    let books = Books::of(&house).await;
    assert_eq!(books.stock.len(), 100);
    assert_eq!(
        books.stock["S<42>"],
        [Some(42), Some(9), Some(5), Some(40), Some(1), None]
    );
    assert_eq!(books.inbounds.len(), 45);
    assert_eq!(books.inbound("RV44"), ("eccang:USEA", "SO-RV44", "G", false));
    // Lines of a warehouse that is not ours belong to nobody here.
    assert_eq!(books.lines.len(), 45);
    assert_eq!(books.line("RV00", "1", "A&B"), (Some(100), Some(60)));
    assert_eq!(books.receipt("RV00", "A&B", "received"), (60, 1));
    assert!(
        !books
            .receipts
            .contains_key(&("RV99".to_owned(), "A&B".to_owned(), "received".to_owned()))
    );

    // Names and telephones of people are not kept.
    let mut tx = house.store.read().await.unwrap();
    let raw = tx
        .rows(
            "SELECT sha256 FROM raw_page WHERE account_id = $1 AND stream = 'inbound'",
            linkstar::args![&house.account],
        )
        .await
        .unwrap();
    assert!(!raw.is_empty());
    for page in &raw {
        let hash: String = page.get("sha256").unwrap();
        let bytes = linkstar::store::blob::get(&mut tx, &house.account, &hash)
            .await
            .unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("13800000000"), "{text}");
    }
}

#[tokio::test]
async fn trap_7_the_lists_of_eccang_tell_totals_that_are_taken_once() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    warehouse.lock().unwrap().stock = vec![row("A&B", 1)];
    let desk = open(&warehouse, 1_000).await;
    let house = House::new("2026-01-20T04:00:00Z").await;
    let config = config(&desk.url, &SECRETS);
    for (received, status, expected) in [
        (Json::Null, "W", None),
        (json!("60"), "G", Some((60, 1))),
        (json!("60"), "G", Some((60, 1))),
        (json!(98), "E", Some((98, 2))),
    ] {
        warehouse.lock().unwrap().inbounds = vec![inbound("RV1", "USEA", status, &received)];
        let report = house.pull(&config).await;
        assert_eq!(report.state(), PullState::Ok, "{report:?}");
        let books = Books::of(&house).await;
        let key = ("RV1".to_owned(), "A&B".to_owned(), "received".to_owned());
        assert_eq!(books.receipts.get(&key).copied(), expected, "{status}");
        assert_eq!(books.line("RV1", "1", "A&B").0, Some(100));
        assert_eq!(books.inbound("RV1").3, status == "E");
    }
    // One list tells everything: three windows at first, then what has come since.
    let services: Vec<String> = desk
        .heard()
        .iter()
        .map(|heard| envelope(&heard.body)["service"].clone())
        .collect();
    let lists = services.iter().filter(|service| *service == "getAsnList");
    assert_eq!(lists.count(), 3 + 1 + 1 + 1, "{services:?}");
}

#[tokio::test]
async fn an_error_of_eccang_inside_a_good_envelope_is_told_in_its_words() {
    let warehouse = Arc::new(Mutex::new(Warehouse::default()));
    warehouse.lock().unwrap().stock = vec![row("A", 5)];
    let desk = open(&warehouse, 1_000).await;
    let house = House::new("2026-01-22T02:00:00Z").await;
    house.pull(&config(&desk.url, &SECRETS)).await;
    let report = house
        .pull(&config(&desk.url, &[("app_token", "T"), ("app_key", "K")]))
        .await;
    let stock = stream(&report, "stock");
    assert_eq!(stock.state, PullState::Failed);
    assert!(
        stock.problem.as_ref().unwrap().contains("appToken或appKey不正确"),
        "{stock:?}"
    );
    assert_eq!(Books::of(&house).await.stock["A"][0], Some(5));
}
