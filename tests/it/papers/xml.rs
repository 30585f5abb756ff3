//! UBL documents against libxml2 and against their own model.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use linkstar::mapping::model::{DocumentContext, document_model};
use linkstar::mapping::value::Maps;
use linkstar::mapping::xml::XmlMapping;
use linkstar::order::model::StockingOrder;
use serde_json::Value;

use super::{Loaded, orders, section};

pub fn booking() -> Loaded<XmlMapping> {
    section("ubl-forwarding-instructions")
}

pub fn packing_list() -> Loaded<XmlMapping> {
    section("ubl-packing-list")
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
