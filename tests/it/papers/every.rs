//! Every XML and JSON mapping against the authorities' own schemas, judged by libxml2 and by Python's jsonschema.

use std::path::{Path, PathBuf};

use linkstar::mapping::definition::Mapping;
use linkstar::mapping::xml::DocumentTotals;
use linkstar::mapping::xml::schema::{SCHEMA_NAMES, SchemaSet};
use linkstar::order::model::StockingOrder;

use super::orders::{self, context, declared};
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

pub const XML: [Case; 9] = [
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
pub const JSON: [Case; 2] = [
    case("dcsa-booking", "US", "dcsa-booking-2.0/CreateBooking.schema.json"),
    case("isf-10-json", "US", "isf-10/isf-10.schema.json"),
];

impl Case {
    pub fn mapping(&self) -> &'static Mapping {
        mapping(self.id)
    }

    pub fn set(&self) -> &'static SchemaSet {
        let name = section(self.id).section.schema;
        SchemaSet::named(&name).expect("carried").expect("compiles")
    }

    pub fn order(&self, seed: u64) -> StockingOrder {
        declared(seed, self.country)
    }

    pub fn bytes(&self, seed: u64) -> Vec<u8> {
        let order = self.order(seed);
        let written = self.mapping().write(&order, &context(&order, seed));
        assert!(written.is_ok(), "{} of order {seed}: {written:#?}", self.id);
        written.expect("written").bytes
    }

    /// The schema file, written to the folder where it is a driver.
    pub fn schema(&self, folder: &Path) -> PathBuf {
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
pub fn invalid_by_jsonschema(schema: &Path, folder: &Path) -> Option<Vec<String>> {
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
