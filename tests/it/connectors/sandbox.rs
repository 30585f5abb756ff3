//! Amazon's own static sandbox cases, all 240 of them: each is read and judged, those of our streams become rows.

use std::collections::BTreeMap;
use std::path::Path;

use linkstar::connector::answer::{Heard, Verdict};
use linkstar::connector::decode::{parse, unpack};
use linkstar::connector::rows::{PageRows, Reader, Seen};
use linkstar::connector::{Bound, ConnectorConfig};
use linkstar::ids::{SourceId, WarehouseCode};
use serde_json::{Value as Json, json};

use super::stage::{Stage, amazon, definition};

/// One static case: which operation, and what Amazon's sandbox answers.
struct Case {
    model: String,
    operation: String,
    status: u16,
    response: Json,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/connectors/amazon/sandbox");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).expect("a file of cases");
            let cases: Vec<Json> = serde_json::from_str(&text).expect("a list");
            let model = file.file_stem().expect("a name").to_string_lossy().into_owned();
            cases.into_iter().map(move |case| Case {
                model: model.clone(),
                operation: case["operationId"].as_str().expect("an operation").to_owned(),
                status: case["code"]
                    .as_str()
                    .expect("a status")
                    .parse()
                    .expect("a number"),
                response: case["response"].clone(),
            })
        })
        .collect()
}

pub fn awd(stage: &Stage) -> ConnectorConfig {
    let mut config = amazon(stage);
    config.id = SourceId::new("awd").expect("an id");
    config.definition = definition("amazon-awd.toml");
    config.params.remove("marketplace_id");
    config.warehouses = BTreeMap::from([(
        "AWD".to_owned(),
        WarehouseCode::new("amazon:AWD").expect("a code"),
    )]);
    config
}

fn bound(config: &ConnectorConfig) -> Bound {
    Bound::new(config).expect("a whole configuration")
}

fn judged(bound: &Bound, status: u16, headers: &[(&str, &str)], body: &Json) -> Verdict {
    let text = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    bound.judge(&Heard {
        status,
        header: &|name| {
            headers
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| (*value).to_owned())
        },
        body: text.as_bytes(),
        json: (!body.is_null()).then_some(body),
    })
}

fn read(bound: &Bound, stream: &str, parent: &BTreeMap<String, String>, body: &Json) -> PageRows {
    let (declared, reading) = bound.stream(stream).expect("a stream");
    let bytes = body.to_string().into_bytes();
    let text = unpack(&declared.decode, &bytes, 1 << 20).expect("unpacked");
    let mut page = parse(&declared.decode, &text, &reading.want).expect("JSON");
    let asked = bound.snapshots(declared).into_iter().next();
    let reader = Reader {
        parent: Some(parent),
        asked: asked.as_ref(),
        keep_texts: true,
        now: Some(chrono::DateTime::UNIX_EPOCH),
        ..Reader::default()
    };
    bound
        .read(stream, &mut page, reader, &mut Seen::default())
        .expect("an answer of the declared shape")
}

#[tokio::test]
async fn goal_g_all_240_static_cases_of_amazon_are_judged_as_what_they_are() {
    let stage = Stage::open().await;
    let (sp_api, awd) = (bound(&amazon(&stage)), bound(&awd(&stage)));
    let mut counted: BTreeMap<(u16, &str), u32> = BTreeMap::new();
    for case in cases() {
        let bound = if case.model.starts_with("awd") {
            &awd
        } else {
            &sp_api
        };
        let verdict = judged(bound, case.status, &[], &case.response);
        let word = match &verdict {
            Verdict::Good => "good",
            Verdict::Refused(text) => {
                // Amazon's words reach the person who reads the report.
                let said = case.response["errors"][0]["message"].as_str().unwrap_or_default();
                let said: String = said.chars().filter(|sign| !sign.is_control()).take(40).collect();
                assert!(text.contains(&said), "{}: {text}", case.operation);
                "refused"
            }
            other => panic!("{} {}: {other:?}", case.model, case.operation),
        };
        *counted.entry((case.status, word)).or_insert(0) += 1;
    }
    let expected = BTreeMap::from([
        ((200, "good"), 87),
        ((201, "good"), 6),
        ((202, "good"), 22),
        ((204, "good"), 11),
        ((400, "refused"), 114),
    ]);
    assert_eq!(counted, expected);
    assert_eq!(counted.values().sum::<u32>(), 240);
}

#[tokio::test]
async fn the_static_cases_of_our_streams_become_rows() {
    let stage = Stage::open().await;
    let (sp_api, awd) = (bound(&amazon(&stage)), bound(&awd(&stage)));
    let parent = BTreeMap::from([("inbound_no".to_owned(), "FBA15DJ9SVVD".to_owned())]);
    let mut told = Vec::new();
    for case in cases().iter().filter(|case| case.status == 200) {
        let streams: &[&str] = match (case.model.as_str(), case.operation.as_str()) {
            ("orders_2026-01-01", "searchOrders") => &["orders_recent"],
            (_, "getShipments") => &["inbound"],
            (_, "getShipmentItemsByShipmentId") => &["inbound_lines"],
            (_, "listInventory") => &["stock"],
            (_, "listInboundShipments") => &["inbound"],
            (_, "getInboundShipment") => &["inbound_lines", "receipts"],
            _ => &[],
        };
        for stream in streams {
            let bound = if case.model.starts_with("awd") {
                &awd
            } else {
                &sp_api
            };
            let rows = read(bound, stream, &parent, &case.response);
            let why = rows.rejected.first().map(ToString::to_string).unwrap_or_default();
            let shown: Vec<String> = rows
                .texts
                .iter()
                .map(|row| {
                    let fields: Vec<String> =
                        row.iter().map(|(name, text)| format!("{name}={text}")).collect();
                    fields.join(" ")
                })
                .collect();
            told.push(format!(
                "{} {stream}: {} {why}",
                case.operation,
                shown.join(" | ")
            ));
        }
    }
    insta::assert_snapshot!(told.join("\n"));
}

/// The cases say no 429 and no expired token; Amazon's pages do.
#[tokio::test]
async fn throttled_and_expired_answers_of_every_operation_are_told_apart() {
    let stage = Stage::open().await;
    for bound in [bound(&amazon(&stage)), bound(&awd(&stage))] {
        let error = |code: &str, message: &str, details: &str| json!({"errors": [{"code": code, "message": message, "details": details}]});
        let quota = error(
            "QuotaExceeded",
            "You exceeded your quota for the requested resource.",
            "",
        );
        assert!(matches!(judged(&bound, 429, &[], &quota), Verdict::Throttled(_)));
        let expired = "The access token you provided has expired.";
        for body in [
            error("Unauthorized", expired, ""),
            error("Unauthorized", "Access to requested resource is denied.", expired),
        ] {
            assert!(
                matches!(judged(&bound, 403, &[], &body), Verdict::Expired(_)),
                "{body}"
            );
        }
        let denied = error("Unauthorized", "Access to requested resource is denied.", "");
        assert!(matches!(judged(&bound, 403, &[], &denied), Verdict::Forbidden(_)));
        let broken = error("InternalFailure", "We encountered an internal error.", "");
        assert!(matches!(judged(&bound, 500, &[], &broken), Verdict::Broken(_)));
        assert!(matches!(
            judged(&bound, 503, &[], &Json::Null),
            Verdict::Broken(_)
        ));
    }
}
