//! Spoilt documents and orders that lack a fact: none may pass.

use std::path::PathBuf;

use linkstar::mapping::json::Json;
use linkstar::mapping::xml::tree::{self, Node};
use linkstar::order::model::StockingOrder;

use super::every::{JSON, XML, invalid_by_jsonschema};
use super::orders::{Dice, context};
use super::{section, tools};

/// The nodes below a tree in document order, as paths of child positions.
pub fn places(node: &Node, here: &[usize], out: &mut Vec<Vec<usize>>) {
    for (index, child) in node.children.iter().enumerate() {
        let path = [here, &[index]].concat();
        places(child, &path, out);
        out.push(path);
    }
}

pub fn at<'a>(root: &'a mut Node, path: &[usize]) -> &'a mut Node {
    path.iter().fold(root, |node, index| &mut node.children[*index])
}

/// One fault at a random place that no schema lets pass.
fn spoil(root: &mut Node, kind: usize, dice: &mut Dice) {
    let mut all = Vec::new();
    places(root, &[], &mut all);
    let path = dice.one_of(&all).clone();
    let (_, parent) = path.split_last().expect("below the root");
    let name = at(root, &path).name.clone();
    let namespace = name.split_once('}').expect("expanded").0.to_owned();
    match kind {
        0 => at(root, &path).name.push('x'),
        1 => at(root, &path).name = format!("{{urn:other}}{}", name.split_once('}').expect("expanded").1),
        2 => at(root, &path)
            .attributes
            .push(("colour".to_owned(), "red".to_owned())),
        3 => at(root, parent)
            .children
            .push(Node::new(format!("{namespace}}}Stranger"))),
        4 => {
            let inside = at(root, &path);
            inside.children.push(Node::new(format!("{namespace}}}Stranger")));
        }
        _ => root.name.push('x'),
    }
}

/// A value that many types refuse: where it is refused, both judges must say so.
fn twist(root: &mut Node, dice: &mut Dice) {
    let mut all = Vec::new();
    places(root, &[], &mut all);
    all.retain(|path| at(root, path).children.is_empty());
    let path = dice.one_of(&all).clone();
    let long = "x".repeat(600);
    at(root, &path).text = dice
        .one_of(&[
            "12,5 kg",
            " ",
            "-1",
            "1234567.123456789",
            "2026-02-30",
            "无",
            long.as_str(),
        ])
        .to_string();
}

#[test]
fn r34_of_500_and_more_spoilt_xml_documents_none_passes_and_libxml2_agrees() {
    let judged = tools::has("xmllint", "libxml2-utils");
    let dice = &mut Dice::new(20_261_123);
    let (mut spoilt, mut twisted) = (0, 0);
    for case in &XML {
        let folder = tempfile::tempdir().expect("a folder");
        let mut prefixes = section(case.id).section.prefixes();
        prefixes.insert("urn:other".to_owned(), "other".to_owned());
        let mut verdicts: Vec<(PathBuf, bool, bool)> = Vec::new();
        let whole: Vec<Node> = (0..10)
            .map(|seed| tree::read(case.id, &case.bytes(seed)).expect("reads"))
            .collect();
        for number in 0..100 {
            let mut root = whole[number % whole.len()].clone();
            let surely = number < 60;
            if surely {
                spoil(&mut root, number % 6, dice);
            } else {
                twist(&mut root, dice);
            }
            let bytes = tree::write(&root, &prefixes);
            let valid = case.set().validate(case.id, &bytes).is_ok();
            let path = folder.path().join(format!("{number}.xml"));
            std::fs::write(&path, &bytes).expect("written");
            assert!(
                !(surely && valid),
                "{}: {}",
                case.id,
                String::from_utf8_lossy(&bytes)
            );
            spoilt += usize::from(surely);
            twisted += usize::from(!surely && !valid);
            verdicts.push((path, valid, surely));
        }
        if judged {
            let files: Vec<PathBuf> = verdicts.iter().map(|(path, ..)| path.clone()).collect();
            let complaints = tools::invalid_by_xmllint(&case.schema(folder.path()), &files).join("\n");
            for (path, valid, surely) in &verdicts {
                let there = !complaints.contains(&format!("{}:", path.display()));
                let text = || std::fs::read_to_string(path).expect("kept");
                assert!(!(*surely && there), "{}: libxml2 passes {}", case.id, text());
                assert_eq!(
                    *valid,
                    there,
                    "{}: ours {valid}, libxml2 {there}: {}",
                    case.id,
                    text()
                );
            }
        }
    }
    assert!(
        spoilt >= 500 && twisted >= 100,
        "{spoilt} spoilt, {twisted} twisted"
    );
}

/// One change somewhere in a JSON document.
fn spoil_json(json: &mut Json, dice: &mut Dice) {
    match json {
        Json::Object(members) if !members.is_empty() => {
            let place = usize::try_from(dice.roll() % members.len() as u64).expect("small");
            match dice.between(0, 3) {
                0 => drop(members.remove(place)),
                1 => members[place].0.push('x'),
                _ => spoil_json(&mut members[place].1, dice),
            }
        }
        Json::List(items) if !items.is_empty() => match dice.between(0, 3) {
            0 => items.clear(),
            _ => spoil_json(&mut items[0], dice),
        },
        Json::Text(_) => {
            *json = dice
                .one_of(&[
                    Json::Number("5".to_owned()),
                    Json::Text(" ".to_owned()),
                    Json::Text("x".repeat(700)),
                    Json::Text("2026-02-30".to_owned()),
                    Json::Null,
                ])
                .clone();
        }
        other => {
            *other = dice
                .one_of(&[
                    Json::Number("-1".to_owned()),
                    Json::Number("1.5".to_owned()),
                    Json::Text("12".to_owned()),
                    Json::Flag(true),
                    Json::List(Vec::new()),
                ])
                .clone();
        }
    }
}

#[test]
fn r34_spoilt_json_documents_are_refused_wherever_jsonschema_refuses_them() {
    let dice = &mut Dice::new(7);
    for case in &JSON {
        let folder = tempfile::tempdir().expect("a folder");
        let mut verdicts = Vec::new();
        for number in 0..150 {
            let mut json = Json::read(case.id, &case.bytes(number % 25)).expect("reads");
            spoil_json(&mut json, dice);
            let bytes = json.write();
            let faults = case.set().validate(case.id, &bytes).err().unwrap_or_default();
            let name = format!("{number:03}.json");
            std::fs::write(folder.path().join(&name), &bytes).expect("written");
            verdicts.push((name, faults));
        }
        let refused = verdicts.iter().filter(|(_, faults)| !faults.is_empty()).count();
        assert!(refused >= 100, "{}: only {refused} of 150", case.id);
        let Some(invalid) = invalid_by_jsonschema(&case.schema(folder.path()), folder.path()) else {
            continue;
        };
        for (name, faults) in &verdicts {
            let there = invalid.iter().any(|line| line.starts_with(name.as_str()));
            let text = || std::fs::read_to_string(folder.path().join(name)).expect("kept");
            assert!(!there || !faults.is_empty(), "{} passes {}", case.id, text());
            // A member the schema does not know is ours to refuse: it is a slip of whoever wrote it.
            let strange = faults.iter().all(|fault| fault.wanted.contains("allows in"));
            assert!(there || strange, "{}: {faults:?} in {}", case.id, text());
        }
    }
}

/// Takes one fact away; each document that needs it must name it and not be written.
#[test]
fn r34_r44_any_missing_required_field_is_named_and_the_document_is_not_written() {
    type Take = fn(&mut StockingOrder);
    let facts: [(&str, Take, &[&str]); 16] = [
        (
            "customs_name_en",
            |order| order.lines[0].goods.customs_name_en.clear(),
            &[
                "ubl-forwarding-instructions",
                "ubl-packing-list",
                "ubl-invoice",
                "ubl-despatch-advice",
                "ubl-receipt-advice",
                "ubl-export-customs-declaration",
                "cds-import",
                "dcsa-booking",
                "isf-10-json",
            ],
        ),
        (
            "customs_name_zh",
            |order| order.lines[0].goods.customs_name_zh.clear(),
            &["ceb-303-stocking-order", "dec-message-export"],
        ),
        (
            "origin",
            |order| order.lines[0].goods.origin.clear(),
            &[
                "ubl-forwarding-instructions",
                "ubl-packing-list",
                "ubl-invoice",
                "ubl-export-customs-declaration",
                "dec-message-export",
                "cds-import",
                "isf-10-json",
            ],
        ),
        (
            "hs_cn",
            |order| order.lines[0].goods.hs_cn.clear(),
            &[
                "ubl-forwarding-instructions",
                "ubl-export-customs-declaration",
                "dec-message-export",
            ],
        ),
        (
            "hs_destination",
            |order| order.lines[0].goods.hs_destination.clear(),
            &[
                "ubl-forwarding-instructions",
                "ubl-invoice",
                "cds-import",
                "isf-10-json",
            ],
        ),
        (
            "declared_elements",
            |order| order.lines[0].goods.customs.declared_elements.clear(),
            &["dec-message-export"],
        ),
        (
            "legal_quantity",
            |order| order.lines[0].goods.customs.legal_factor = None,
            &["dec-message-export"],
        ),
        (
            "unit_code",
            |order| order.lines[0].goods.customs.unit_code.clear(),
            &["ceb-303-stocking-order", "dec-message-export"],
        ),
        (
            "source_region",
            |order| order.lines[0].goods.customs.source_region.clear(),
            &["dec-message-export"],
        ),
        (
            "supervision_mode",
            |order| order.export.supervision_mode.clear(),
            &[
                "ceb-303-stocking-order",
                "dec-message-export",
                "ubl-export-customs-declaration",
            ],
        ),
        (
            "exit_office",
            |order| order.export.exit_office.clear(),
            &["dec-message-export", "ubl-export-customs-declaration"],
        ),
        (
            "exporter_code",
            |order| order.export.exporter_code.clear(),
            &["ceb-303-stocking-order", "dec-message-export"],
        ),
        ("eori", |order| order.importer.eori.clear(), &["cds-import"]),
        ("ein", |order| order.importer.ein.clear(), &["isf-10-json"]),
        (
            "port_of_loading",
            |order| order.port_of_loading.clear(),
            &["dcsa-booking"],
        ),
        (
            "manufacturer",
            |order| {
                order.parties.remove(&linkstar::order::PartyRole::Manufacturer);
                order.lines[0].goods.customs.manufacturer = None;
            },
            &["isf-10-json"],
        ),
    ];
    for (fact, take, needed_by) in facts {
        for case in XML.iter().chain(&JSON) {
            let mut order = case.order(8);
            take(&mut order);
            let written = case.mapping().write(&order, &context(&order, 8));
            match (needed_by.contains(&case.id), written) {
                (true, Err(problems)) => {
                    let named = problems.iter().any(|problem| problem.to_string().contains(fact));
                    assert!(named, "{} without {fact}: {problems:?}", case.id);
                }
                (true, Ok(_)) => panic!("{} was written without {fact}", case.id),
                (false, written) => assert!(written.is_ok(), "{} does not need {fact}: {written:?}", case.id),
            }
        }
    }
}
