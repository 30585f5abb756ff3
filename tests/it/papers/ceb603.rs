//! CEB603, the clearance list: valid as another program judges it, equal to the order, and refused where something is missing.

use linkstar::mapping::model::DocumentContext;
use linkstar::order::model::StockingOrder;
use linkstar::order::{Party, PartyRole};

use super::orders::{context, declared};
use super::{mapping, tools};

/// An order with a carrier of customs' knowledge and SKUs that the list has room for.
fn listed(seed: u64) -> (StockingOrder, DocumentContext) {
    let mut order = declared(seed, "US");
    let carrier = Party {
        name: "Huatuo Logistics".to_owned(),
        name_zh: "华拓国际物流有限公司".to_owned(),
        local_id: "4403160001".to_owned(),
        ..Party::default()
    };
    order.parties.insert(PartyRole::Consolidator, carrier);
    for line in &mut order.lines {
        line.goods.sku = linkstar::ids::Sku::new(format!("SKU-{}", line.no)).expect("a SKU");
    }
    let mut document = context(&order, seed);
    document.transport.house_bill = "HB-1".to_owned();
    (order, document)
}

#[test]
fn r44_clearance_lists_of_40_random_shipments_are_valid_by_libxml2_and_say_what_the_order_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    for seed in 0..40 {
        let (order, document) = listed(seed);
        let written = mapping("ceb-603-inventory").write(&order, &document);
        let written = written.unwrap_or_else(|problems| panic!("{seed}: {problems:#?}"));
        let text = String::from_utf8(written.bytes.clone()).expect("UTF-8");
        let totals = order.totals();
        for said in [
            format!("<ceb:packNo>{}</ceb:packNo>", totals.cartons),
            "<ceb:tradeMode>9810</ceb:tradeMode>".to_owned(),
            "<ceb:country>502</ceb:country>".to_owned(),
            format!("<ceb:orderNo>{}</ceb:orderNo>", order.number),
        ] {
            assert!(text.contains(&said), "{seed}: {said}\n{text}");
        }
        assert_eq!(text.matches("<ceb:InventoryList>").count(), order.lines.len());
        let again = mapping("ceb-603-inventory")
            .write(&order, &document)
            .expect("written");
        assert_eq!(again.bytes, written.bytes, "{seed}: other bytes");
        let path = folder.path().join(format!("{seed}.xml"));
        std::fs::write(&path, &written.bytes).expect("kept");
        files.push(path);
    }
    let schema = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("mappings/schemas/ceb-603-unofficial/CEB603.derived.xsd");
    if tools::has("xmllint", "libxml2-utils") {
        assert_eq!(tools::invalid_by_xmllint(&schema, &files), Vec::<String>::new());
    }
}

#[test]
fn r44_a_clearance_list_without_what_it_needs_is_not_written_and_names_it() {
    let (order, document) = listed(3);
    let missing = |change: fn(&mut StockingOrder, &mut DocumentContext)| -> String {
        let (mut order, mut document) = (order.clone(), document.clone());
        change(&mut order, &mut document);
        let problems = mapping("ceb-603-inventory").write(&order, &document).err();
        let said: Vec<String> = problems
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect();
        said.join("\n")
    };
    for (field, change) in [
        (
            "house_bill",
            (|_, document| document.transport.house_bill.clear()) as fn(&mut _, &mut DocumentContext),
        ),
        ("consolidator", |order: &mut StockingOrder, _| {
            order.parties.remove(&PartyRole::Consolidator);
        }),
        ("supervision_mode", |order, _| {
            "0110".clone_into(&mut order.export.supervision_mode);
        }),
        ("legal_quantity", |order, _| {
            order.lines[0].goods.customs.legal_factor = None;
        }),
        ("declared_elements", |order, _| {
            order.lines[0].goods.customs.declared_elements.clear();
        }),
    ] {
        let said = missing(change);
        assert!(said.contains(field), "{field}: {said}");
    }
    // A value nobody knows the number of is named, and the schema says that it is not the authority's.
    let said = missing(|order, _| "AQ".clone_into(&mut order.deliver_to.address.country));
    assert!(said.contains("AQ"), "{said}");
}
