//! What must not leave: broken mappings, incomplete orders, documents changed after writing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use linkstar::mapping::definition::builtin_file;
use linkstar::mapping::value::Scope;
use linkstar::mapping::xml::XmlMapping;
use linkstar::mapping::xml::schema::SchemaSet;
use linkstar::mapping::xml::tree::{self, Node};
use linkstar::problem::Problem;

use super::every_faults::{at, places};
use super::orders::Dice;
use super::xml::{booking, model, packing_list, schema};
use super::{Loaded, load, orders, tools};

fn shown(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// One change at a random place; says what it did.
fn mutate(root: &mut Node, dice: &mut Dice) -> String {
    let mut all = Vec::new();
    places(root, &[], &mut all);
    let path = dice.one_of(&all).clone();
    let (last, parent) = path.split_last().expect("below the root");
    let kind = dice.between(0, 9);
    let name = at(root, &path).name.clone();
    match kind {
        0 => at(root, &path).name.push('x'),
        1 => drop(at(root, parent).children.remove(*last)),
        2 => {
            let twin = at(root, &path).clone();
            at(root, parent).children.insert(*last, twin);
        }
        3 => at(root, parent).children.rotate_left(1),
        4 => at(root, &path).attributes.clear(),
        5 => at(root, &path)
            .attributes
            .push(("colour".to_owned(), "red".to_owned())),
        6 => at(root, &path).text = "12,5 kg".to_owned(),
        7 => at(root, &path).name = name.replace("CommonBasicComponents-2", "CommonBasicComponents-3"),
        8 => at(root, parent).children.reverse(),
        _ => {
            let stranger = Node::new(name.split('}').next().expect("a namespace").to_owned() + "}Stranger");
            at(root, parent).children.push(stranger);
        }
    }
    format!("mutation {kind} at {name}")
}

#[test]
fn r34_mutated_documents_are_refused_as_libxml2_refuses_them() {
    let set = SchemaSet::named("ubl-2.4").expect("carried").expect("compiles");
    let folder = tempfile::tempdir().expect("a folder");
    let judged = tools::has("xmllint", "libxml2-utils");
    let dice = &mut Dice::new(2026);
    let mut refused = 0;
    for (document, loaded) in [
        ("ForwardingInstructions", booking()),
        ("PackingList", packing_list()),
    ] {
        let mut prefixes: BTreeMap<String, String> = loaded.section.prefixes();
        let third = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-3";
        prefixes.insert(third.to_owned(), "third".to_owned());
        let mut verdicts: Vec<(PathBuf, bool, String)> = Vec::new();
        for number in 0..100 {
            let order = orders::order(number);
            let bytes = loaded
                .section
                .write(document, &model(&order), &loaded.maps)
                .expect("valid before");
            let mut root = tree::read(document, &bytes).expect("reads");
            let what = mutate(&mut root, dice);
            let bytes = tree::write(&root, &prefixes);
            let valid = set.validate(document, &bytes).is_ok();
            refused += usize::from(!valid);
            let path = folder.path().join(format!("{document}-{number}.xml"));
            std::fs::write(&path, &bytes).expect("written");
            verdicts.push((path, valid, what));
        }
        if judged {
            let files: Vec<PathBuf> = verdicts.iter().map(|(path, ..)| path.clone()).collect();
            let complaints = tools::invalid_by_xmllint(&schema(document), &files).join("\n");
            for (path, valid, what) in &verdicts {
                let name = format!("{}:", path.display());
                let valid_there = !complaints.contains(&name);
                assert_eq!(*valid, valid_there, "{what}: ours {valid}, libxml2 {valid_there}");
            }
        }
    }
    assert!(refused >= 100, "only {refused} of 200 mutations were faults");
}

/// A mapping with three slips: a misspelt element, a required child left out, a path the model does not have.
const SLIPS: &str = r#"
[xml]
schema = "ubl-2.4"
root = "PackingList"
elements = [
  { name = "cbc:ID", value = "{order.nmber}" },
  { name = "cac:Shipmnt", elements = [{ name = "cbc:ID", value = "{order.number}" }] },
  { name = "cbc:VersionID", elements = [{ name = "cbc:ID", value = "x" }] },
  { name = "xyz:Note", value = "x" },
]
read_back = [
  { what = "order", path = "cbc:Id", take = "only", equals = "{order.number}" },
]
[xml.namespaces]
"" = "urn:oasis:names:specification:ubl:schema:xsd:PackingList-2"
cac = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
cbc = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
"#;

#[test]
fn a_mapping_with_slips_is_refused_when_read_all_at_once_with_the_nearest_names() {
    let loaded: Loaded<XmlMapping> = load(SLIPS, "xml");
    insta::assert_snapshot!("slips", shown(&loaded.section.faults("my.toml", &loaded.maps)));
    let other: Loaded<XmlMapping> = load(&SLIPS.replace("ubl-2.4", "ubl-3"), "xml");
    assert_eq!(
        shown(&other.section.faults("my.toml", &other.maps)),
        "my.toml, [xml], `schema`: found `ubl-3`, wanted a carried schema: ubl-2.4, cds-3.0, ceb-303-unofficial, ceb-603-unofficial, dec-message-unofficial, dcsa-booking-2.0, isf-10"
    );
}

#[test]
fn a_required_attribute_and_a_second_single_element_are_found_when_read() {
    let text = include_str!("../../../mappings/ubl-packing-list.toml")
        .replace(
            r#"value = "{totals.gross_kg}", attributes = { unitCode = "KGM" }"#,
            r#"value = "{totals.gross_kg}""#,
        )
        .replace(
            r#"{ name = "cbc:UBLVersionID", value = "2.4" },"#,
            r#"{ name = "cbc:UBLVersionID", value = "2.4" }, { name = "cbc:UBLVersionID", value = "2.3" },"#,
        );
    let mut loaded: Loaded<XmlMapping> = load(&text, "xml");
    assert_eq!(loaded.section.prepare("my.toml", &builtin_file), []);
    insta::assert_snapshot!(
        "attribute",
        shown(&loaded.section.faults("my.toml", &loaded.maps))
    );
}

#[test]
fn r34_an_order_without_a_required_field_gives_no_document_but_all_that_is_missing() {
    let mut order = orders::order(12);
    order.lines[0].goods.hs_destination.clear();
    order.lines[0].goods.origin.clear();
    order.importer.address.lines.clear();
    let loaded = booking();
    let problems = loaded
        .section
        .write("booking", &model(&order), &loaded.maps)
        .expect_err("refused");
    insta::assert_snapshot!("missing", shown(&problems));
}

#[test]
fn a_control_character_is_refused_by_the_name_of_its_field() {
    let mut order = orders::order(3);
    order.lines[0].goods.customs_name_en = "Lamp\u{1}shade".to_owned();
    let loaded = packing_list();
    let problems = loaded
        .section
        .write("packing-list", &model(&order), &loaded.maps)
        .expect_err("refused");
    let first = problems.first().expect("a problem").to_string();
    assert!(
        first.contains("customs_name_en") && first.contains("U+0001"),
        "{first}"
    );
}

#[test]
fn hard_text_survives_the_way_into_the_document_and_back() {
    let hard = "茶 & <Kaffee> ]]> \"📦\" 'é'";
    let mut order = orders::order(3);
    order.shipper.name = hard.to_owned();
    let loaded = booking();
    let bytes = loaded
        .section
        .write("booking", &model(&order), &loaded.maps)
        .expect("written");
    let root = tree::read("booking", &bytes).expect("reads");
    let path: Vec<String> = [
        "cac:ConsignorParty",
        "cac:PartyLegalEntity",
        "cbc:RegistrationName",
    ]
    .iter()
    .map(|name| loaded.section.expand(name).expect("declared"))
    .collect();
    assert_eq!(root.all(&path).first().map(|node| node.text.as_str()), Some(hard));
}

#[test]
fn r35_a_document_changed_by_hand_is_refused_with_the_figure_named() {
    let order = orders::order(5);
    let model = model(&order);
    let loaded = booking();
    let scope = Scope::new(&model, &loaded.maps);
    let bytes = loaded
        .section
        .write("booking", &model, &loaded.maps)
        .expect("written");
    assert_eq!(loaded.section.check("booking.xml", &bytes, &scope), []);
    let text = String::from_utf8(bytes).expect("UTF-8");
    let units = format!(
        "<cbc:TotalGoodsItemQuantity unitCode=\"EA\">{}</",
        order.totals().units
    );
    assert!(text.contains(&units));
    let changed = text.replace(&units, "<cbc:TotalGoodsItemQuantity unitCode=\"EA\">1</");
    let problems = loaded.section.check("booking.xml", changed.as_bytes(), &scope);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].field, "units in total");

    let importer = text.replace("Example UK Ltd", "Another Ltd");
    let fields: Vec<String> = loaded
        .section
        .check("booking.xml", importer.as_bytes(), &scope)
        .into_iter()
        .map(|problem| problem.field)
        .collect();
    assert_eq!(fields, ["importer"]);

    let other = packing_list()
        .section
        .check("booking.xml", text.as_bytes(), &scope);
    assert!(other[0].wanted.contains("PackingList"), "{other:?}");
}

#[test]
fn documents_of_two_orders_do_not_agree() {
    let loaded = packing_list();
    let totals = |seed| {
        let bytes = loaded
            .section
            .write("p", &model(&orders::order(seed)), &loaded.maps)
            .expect("written");
        loaded.section.totals("p", &bytes).expect("totals")
    };
    let fields: Vec<String> = totals(1)
        .differences("p", &totals(2))
        .into_iter()
        .map(|problem| problem.field)
        .collect();
    assert!(
        fields.contains(&"units".to_owned()) && fields.contains(&"order".to_owned()),
        "{fields:?}"
    );
    assert_eq!(totals(1).differences("p", &totals(1)), []);
}
