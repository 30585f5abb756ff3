//! UBL documents against libxml2 and against their own model.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use linkstar::mapping::model::{DocumentContext, document_model};
use linkstar::mapping::value::Maps;
use linkstar::mapping::xml::schema::SchemaSet;
use linkstar::mapping::xml::{DocumentTotals, XmlMapping};
use linkstar::order::model::StockingOrder;
use serde_json::Value;

use super::{Loaded, load, orders, tools};

pub fn booking() -> Loaded<XmlMapping> {
    load(
        include_str!("../../../mappings/ubl-forwarding-instructions.toml"),
        "xml",
    )
}

pub fn packing_list() -> Loaded<XmlMapping> {
    load(include_str!("../../../mappings/ubl-packing-list.toml"), "xml")
}

pub fn model(order: &StockingOrder) -> Value {
    let issued = NaiveDate::from_ymd_opt(2026, 3, 1).expect("a date");
    document_model(
        order,
        &DocumentContext::new(issued, format!("{}-1", order.number)),
    )
}

pub fn schema(document: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("mappings/schemas/ubl-2.4/maindoc/UBL-{document}-2.4.xsd"))
}

#[test]
fn the_built_in_mappings_have_no_faults() {
    for (file, loaded) in [("booking", booking()), ("packing-list", packing_list())] {
        assert_eq!(loaded.section.faults(file, &loaded.maps), [], "{file}");
    }
}

#[test]
fn r34_documents_of_200_random_orders_are_valid_by_libxml2_and_agree_with_the_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files: Vec<(&str, PathBuf)> = Vec::new();
    for seed in 0..200 {
        let order = orders::order(seed);
        let model = model(&order);
        let wanted = DocumentTotals::of_order(order.number.as_str(), &order.totals());
        for (name, loaded) in [
            ("ForwardingInstructions", booking()),
            ("PackingList", packing_list()),
        ] {
            let bytes = loaded
                .section
                .write(name, &model, &loaded.maps)
                .unwrap_or_else(|problems| panic!("order {seed}: {problems:?}"));
            let totals = loaded.section.totals(name, &bytes).expect("totals");
            assert_eq!(totals.differences(name, &wanted), [], "order {seed}");
            assert!(totals.units.is_some() && totals.cartons.is_some() && totals.gross_kg.is_some());
            if seed % 20 == 0 {
                let again = loaded
                    .section
                    .write(name, &model, &loaded.maps)
                    .expect("written again");
                assert_eq!(bytes, again, "order {seed}: other bytes");
            }
            let path = folder.path().join(format!("{name}-{seed}.xml"));
            std::fs::write(&path, bytes).expect("written");
            files.push((name, path));
        }
    }
    if !tools::has("xmllint", "libxml2-utils") {
        return;
    }
    for document in ["ForwardingInstructions", "PackingList"] {
        let paths: Vec<PathBuf> = files
            .iter()
            .filter(|(name, _)| *name == document)
            .map(|(_, path)| path.clone())
            .collect();
        assert_eq!(paths.len(), 200);
        assert_eq!(
            tools::invalid_by_xmllint(&schema(document), &paths),
            Vec::<String>::new()
        );
    }
}

#[test]
fn the_samples_of_oasis_validate_with_the_carried_schemas() {
    let set = SchemaSet::named("ubl-2.4").expect("carried").expect("compiles");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/papers/oasis");
    for (document, file) in [
        (
            "ForwardingInstructions",
            "UBL-ForwardingInstructions-2.0-Example-International.xml",
        ),
        ("ReceiptAdvice", "UBL-ReceiptAdvice-2.0-Example.xml"),
    ] {
        let path = folder.join(file);
        let checked = set.validate(file, &std::fs::read(&path).expect("a sample"));
        assert!(checked.is_ok(), "{checked:?}");
        if tools::has("xmllint", "libxml2-utils") {
            assert_eq!(
                tools::invalid_by_xmllint(&schema(document), &[path]),
                Vec::<String>::new()
            );
        }
    }
}

#[test]
fn the_two_documents_of_one_order_look_as_their_snapshots() {
    let order = orders::order(4);
    let model = model(&order);
    for (name, loaded) in [("booking", booking()), ("packing_list", packing_list())] {
        let bytes = loaded.section.write(name, &model, &loaded.maps).expect("written");
        insta::assert_snapshot!(name, String::from_utf8(bytes).expect("UTF-8"));
    }
}

/// Not used outside, but shows that a mapping needs no tables.
#[test]
fn a_mapping_without_lookup_tables_writes_too() {
    let loaded = packing_list();
    let order = orders::order(11);
    assert!(
        loaded
            .section
            .write("packing-list", &model(&order), &Maps::new())
            .is_ok()
    );
}
