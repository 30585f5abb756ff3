//! Every XML and JSON mapping against the authorities' own schemas, judged by libxml2 and by Python's jsonschema.

use std::path::{Path, PathBuf};

use linkstar::mapping::definition::Mapping;
use linkstar::mapping::json::Json;
use linkstar::mapping::xml::DocumentTotals;
use linkstar::mapping::xml::schema::{SCHEMA_NAMES, SchemaSet};
use linkstar::mapping::xml::tree::{self, Node};
use linkstar::order::model::StockingOrder;

use super::orders::{self, Dice, context, declared};
use super::{mapping, section, tools};

/// A mapping, the country its orders go to, and the schema file that judges it from outside.
pub struct Case {
    pub id: &'static str,
    country: &'static str,
    schema: &'static str,
}

const fn case(id: &'static str, country: &'static str, schema: &'static str) -> Case {
    Case { id, country, schema }
}

const XML: [Case; 9] = [
    case(
        "ubl-forwarding-instructions",
        "GB",
        "ubl-2.4/maindoc/UBL-ForwardingInstructions-2.4.xsd",
    ),
    case(
        "ubl-packing-list",
        "GB",
        "ubl-2.4/maindoc/UBL-PackingList-2.4.xsd",
    ),
    case("ubl-invoice", "DE", "ubl-2.4/maindoc/UBL-Invoice-2.4.xsd"),
    case(
        "ubl-despatch-advice",
        "US",
        "ubl-2.4/maindoc/UBL-DespatchAdvice-2.4.xsd",
    ),
    case(
        "ubl-receipt-advice",
        "US",
        "ubl-2.4/maindoc/UBL-ReceiptAdvice-2.4.xsd",
    ),
    case(
        "ubl-export-customs-declaration",
        "JP",
        "ubl-2.4/maindoc/UBL-ExportCustomsDeclaration-2.4.xsd",
    ),
    case(
        "ceb-303-stocking-order",
        "US",
        "ceb-303-unofficial/CEB303.derived.xsd",
    ),
    case(
        "dec-message-export",
        "US",
        "dec-message-unofficial/DecMessage.derived.xsd",
    ),
    case("cds-import", "GB", CDS),
];
/// libxml2 takes one schema file: this one imports the two of the set.
const CDS: &str = "cds-3.0";
const JSON: [Case; 2] = [
    case("dcsa-booking", "US", "dcsa-booking-2.0/CreateBooking.schema.json"),
    case("isf-10-json", "US", "isf-10/isf-10.schema.json"),
];

impl Case {
    fn mapping(&self) -> &'static Mapping {
        mapping(self.id)
    }

    fn set(&self) -> &'static SchemaSet {
        let name = section(self.id).section.schema;
        SchemaSet::named(&name).expect("carried").expect("compiles")
    }

    fn order(&self, seed: u64) -> StockingOrder {
        declared(seed, self.country)
    }

    fn bytes(&self, seed: u64) -> Vec<u8> {
        let order = self.order(seed);
        let written = self.mapping().write(&order, &context(&order, seed));
        written
            .unwrap_or_else(|problems| panic!("{} of order {seed}: {problems:#?}", self.id))
            .bytes
    }

    /// The schema file, written to the folder where it is a driver.
    fn schema(&self, folder: &Path) -> PathBuf {
        let carried = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/schemas");
        if self.schema != CDS {
            return carried.join(self.schema);
        }
        let import = |namespace: &str, file: &str| {
            let place = carried.join(CDS).join(file);
            format!(
                "<xs:import namespace=\"{namespace}\" schemaLocation=\"{}\"/>",
                place.display()
            )
        };
        let driver = folder.join("cds-driver.xsd");
        let text = format!(
            "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">{}{}</xs:schema>",
            import(
                "urn:wco:datamodel:WCO:DocumentMetaData-DMS:2",
                "DocumentMetaData_2_DMS.xsd"
            ),
            import("urn:wco:datamodel:WCO:DEC-DMS:2", "WCO_DEC_2_DMS.xsd"),
        );
        std::fs::write(&driver, text).expect("written");
        driver
    }
}

/// The files that Python's jsonschema calls invalid, with its words; nothing when it is not installed.
fn invalid_by_jsonschema(schema: &Path, folder: &Path) -> Option<Vec<String>> {
    const SCRIPT: &str = r#"
import sys, json, pathlib
try:
    import jsonschema
except ImportError:
    sys.exit(3)
schema = json.load(open(sys.argv[1], encoding="utf-8"))
jsonschema.Draft7Validator.check_schema(schema)
judge = jsonschema.Draft7Validator(schema, format_checker=jsonschema.draft7_format_checker)
for path in sorted(pathlib.Path(sys.argv[2]).glob("*.json")):
    document = json.load(open(path, encoding="utf-8"))
    for fault in judge.iter_errors(document):
        print(path.name, fault.message[:200].replace("\n", " "))
print("done")
"#;
    let ran = std::process::Command::new("python3")
        .args(["-c", SCRIPT])
        .args([schema, folder])
        .env("PYTHONIOENCODING", "utf-8")
        .output();
    match ran {
        Ok(output) if output.status.code() != Some(3) => {
            let text = String::from_utf8(output.stdout).expect("UTF-8");
            let complaints = String::from_utf8_lossy(&output.stderr);
            assert!(text.ends_with("done\n"), "{text}{complaints}");
            let lines = text.lines().filter(|line| *line != "done");
            Some(lines.map(str::to_owned).collect())
        }
        _ => {
            crate::services::missing("python3 with jsonschema is not installed");
            None
        }
    }
}

#[test]
fn r34_r44_documents_of_200_random_shipments_are_valid_agree_with_the_order_and_repeat_to_the_byte() {
    let judged = tools::has("xmllint", "libxml2-utils");
    for case in XML.iter().chain(&JSON) {
        let folder = tempfile::tempdir().expect("a folder");
        let section = section(case.id).section;
        let mut files = Vec::new();
        for seed in 0..200 {
            let bytes = case.bytes(seed);
            let order = case.order(seed);
            let wanted = DocumentTotals::of_order(order.number.as_str(), &order.totals());
            let totals = section.totals(case.id, &bytes).expect("totals");
            assert_eq!(totals.differences(case.id, &wanted), [], "{} {seed}", case.id);
            assert!(totals.order.is_some(), "{}", case.id);
            if seed % 20 == 0 {
                assert_eq!(bytes, case.bytes(seed), "{} {seed}: other bytes", case.id);
            }
            let ending = if case.set().is_json() { "json" } else { "xml" };
            let path = folder.path().join(format!("{seed}.{ending}"));
            std::fs::write(&path, bytes).expect("written");
            files.push(path);
        }
        let schema = case.schema(folder.path());
        if case.set().is_json() {
            if let Some(invalid) = invalid_by_jsonschema(&schema, folder.path()) {
                assert_eq!(invalid, Vec::<String>::new(), "{}", case.id);
            }
        } else if judged {
            let invalid = tools::invalid_by_xmllint(&schema, &files);
            assert_eq!(invalid, Vec::<String>::new(), "{}", case.id);
        }
    }
}

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

#[test]
fn the_samples_of_oasis_and_hmrc_validate_with_the_carried_schemas() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/papers");
    let judged = tools::has("xmllint", "libxml2-utils");
    let scratch = tempfile::tempdir().expect("a folder");
    let mut seen = 0;
    let mut files: Vec<PathBuf> = ["oasis", "hmrc"]
        .iter()
        .flat_map(|set| std::fs::read_dir(folder.join(set)).expect("a folder"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "xml"))
        .collect();
    files.sort();
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let kind = name.strip_prefix("UBL-").and_then(|rest| rest.split('-').next());
        let case = match kind {
            Some(kind) => XML
                .iter()
                .find(|case| case.schema.contains(&format!("UBL-{kind}-"))),
            None => XML.iter().find(|case| case.schema == CDS),
        };
        let case = case.expect("a mapping of that kind");
        let checked = case
            .set()
            .validate(name, &std::fs::read(&path).expect("a sample"));
        assert!(checked.is_ok(), "{name}: {checked:?}");
        if judged {
            let invalid =
                tools::invalid_by_xmllint(&case.schema(scratch.path()), std::slice::from_ref(&path));
            assert_eq!(invalid, Vec::<String>::new(), "{name}");
        }
        seen += 1;
    }
    assert_eq!(seen, 26, "14 of OASIS, 12 of HMRC");
}

#[test]
fn entity_bombs_and_outside_entities_are_refused_by_every_schema_set() {
    let bomb = r#"<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><a>&b;</a>"#;
    let outside = r#"<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>"#;
    for name in SCHEMA_NAMES {
        let set = SchemaSet::named(name).expect("carried").expect("compiles");
        for text in [bomb, outside] {
            let problems = set.validate("x", text.as_bytes()).expect_err("refused");
            assert!(
                set.is_json() || problems[0].found == "a DOCTYPE",
                "{name}: {problems:?}"
            );
        }
    }
}

#[test]
fn r44_on_export_origin_and_destination_have_changed_places_as_the_trade_writes_them() {
    let order = declared(3, "US");
    let written = mapping("dec-message-export")
        .write(&order, &context(&order, 3))
        .expect("written");
    let text = String::from_utf8(written.bytes).expect("UTF-8");
    assert_eq!(
        text.matches("<OriginCountry>USA</OriginCountry>").count(),
        order.lines.len()
    );
    assert_eq!(
        text.matches("<DestinationCountry>CHN</DestinationCountry>")
            .count(),
        order.lines.len()
    );
    assert!(text.contains("<TradeCountry>USA</TradeCountry>") && text.contains("<IEFlag>E</IEFlag>"));
    // Written the way the names read, it is refused: the read-back asks for them changed.
    let honest = text
        .replace("<OriginCountry>USA<", "<OriginCountry>CHN<")
        .replace("<DestinationCountry>CHN<", "<DestinationCountry>USA<");
    let model = linkstar::mapping::model::document_model(&order, &context(&order, 3));
    let loaded = section("dec-message-export");
    let scope = linkstar::mapping::value::Scope::new(&model, &loaded.maps);
    let fields: Vec<String> = loaded
        .section
        .check("x.xml", honest.as_bytes(), &scope)
        .into_iter()
        .map(|problem| problem.field)
        .collect();
    assert_eq!(
        fields,
        [
            "destination, under its export name",
            "origin, under its export name"
        ]
    );
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

#[test]
fn r49_an_order_by_air_gets_no_isf_and_no_booking_at_a_container_line() {
    let mut order = declared(5, "US");
    order.mode = linkstar::order::model::Mode::Air;
    for id in ["isf-10-json", "dcsa-booking"] {
        let problems = mapping(id)
            .write(&order, &context(&order, 5))
            .expect_err("refused");
        assert!(
            problems
                .iter()
                .any(|problem| problem.field.contains("order.mode")),
            "{problems:?}"
        );
    }
    let mut elsewhere = orders::declared(5, "DE");
    elsewhere.mode = linkstar::order::model::Mode::Sea;
    assert!(!mapping("isf-10-json").is_for(&elsewhere) && mapping("isf-10-json").is_for(&declared(5, "US")));
}

#[test]
fn the_customs_and_booking_documents_look_as_their_snapshots() {
    for case in XML
        .iter()
        .filter(|case| !case.id.starts_with("ubl-p") && !case.id.starts_with("ubl-f"))
        .chain(&JSON)
    {
        let text = String::from_utf8(case.bytes(4)).expect("UTF-8");
        insta::assert_snapshot!(case.id.replace('-', "_"), text);
    }
}
