use super::*;

const HEAD: &str = r#"
[mapping]
language = 1
id = "x"
version = 1
kind = "xlsx-new"
document = "packing-list"
file_name = "{order.number}.xlsx"
"#;

const BODY: &str = r#"
[xlsx-new]
sheet = "S"
title = "T"
widths = [10, 10]
[[xlsx-new.blocks]]
text = { value = "{order.number}" }
"#;

fn problems(text: &str) -> Vec<String> {
    let found = Mapping::parse("x.toml", text, &|_| None).unwrap_err();
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn the_built_in_mappings_are_read() {
    let all = builtin().unwrap();
    let ids: Vec<&str> = all.iter().map(|mapping| mapping.meta.id.as_str()).collect();
    assert!(ids.is_sorted(), "{ids:?}");
    // What an order gets without anybody asking; everything else waits to be named.
    let unasked: Vec<&str> = all
        .iter()
        .filter(|mapping| !mapping.meta.on_request)
        .map(|mapping| mapping.meta.id.as_str())
        .collect();
    assert_eq!(
        unasked,
        [
            "carton-mark",
            "cds-import",
            "ceb-303-stocking-order",
            "commercial-invoice",
            "dcsa-booking",
            "dec-message-export",
            "huatuo-booking-gb",
            "isf-10-json",
            "outbound-instruction",
            "packing-list",
            "ubl-despatch-advice",
            "ubl-export-customs-declaration",
            "ubl-forwarding-instructions",
            "ubl-invoice",
            "ubl-packing-list",
            "ubl-receipt-advice"
        ]
    );
}

#[test]
fn a_file_of_ones_own_replaces_the_built_in_one_of_the_same_id() {
    let own = format!("{HEAD}{BODY}").replace("\"x\"", "\"packing-list\"");
    let all = all_with(&[("mine.toml".to_owned(), own)], &|_| None).unwrap();
    let mine = all
        .iter()
        .find(|mapping| mapping.meta.id == "packing-list")
        .unwrap();
    assert_eq!((mine.meta.version, all.len()), (1, builtin().unwrap().len()));
    assert!(matches!(&mine.kind, Kind::XlsxNew(_)) && mine.file == "mine.toml");
}

#[test]
fn two_files_of_ones_own_with_the_same_id_are_refused() {
    let own = ["a.toml", "b.toml"].map(|name| (name.to_owned(), format!("{HEAD}{BODY}")));
    let problems = all_with(&own, &|_| None).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].file == "b.toml" && problems[0].wanted.contains("a.toml"),
        "{problems:?}"
    );
}

#[test]
fn unknown_keys_are_named_with_their_line_and_the_nearest_key() {
    let text = format!("{HEAD}parti = \"huatuo\"\n{BODY}");
    assert_eq!(
        problems(&text),
        ["x.toml, line 9, column 1, `mapping`: found `parti`, wanted a known name; did you mean `party`?"]
    );
}

#[test]
fn paths_outside_the_model_are_all_named_when_the_file_is_read() {
    let text = format!("{HEAD}{BODY}").replace("{order.number}", "{order.nummer}");
    let found = problems(&text);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found.iter().all(|problem| problem.contains("`number`")),
        "{found:?}"
    );
}

#[test]
fn a_kind_without_its_section_and_another_language_are_refused() {
    assert!(problems(HEAD)[0].contains("[xlsx-new]"));
    assert!(
        problems(&format!("{HEAD}{BODY}").replace("language = 1", "language = 2"))[0].contains("`language`")
    );
    assert!(problems("[mapping").len() == 1);
    assert!(problems(&format!("{HEAD}{BODY}").replace("number}", "number|uper}"))[0].contains("upper"));
}

#[test]
fn file_names_are_never_paths() {
    assert_eq!(safe_file_name("../a/b:c?.xlsx"), "-a-b-c-.xlsx");
}

#[test]
fn documents_have_names_in_both_languages() {
    for mapping in builtin().unwrap() {
        assert_ne!(
            mapping.title(Lang::Zh),
            mapping.title(Lang::En),
            "{}",
            mapping.meta.id
        );
    }
}

#[test]
fn a_document_on_request_is_for_an_order_and_is_not_given_to_it_unasked() {
    let order = crate::mapping::model::sample_order().unwrap();
    let default = Mapping::parse("x.toml", &format!("{HEAD}{BODY}"), &|_| None).unwrap();
    let asked = format!("{HEAD}on_request = true\n{BODY}");
    let asked = Mapping::parse("x.toml", &asked, &|_| None).unwrap();
    assert!(default.is_for(&order) && default.is_default_for(&order));
    assert!(asked.is_for(&order) && !asked.is_default_for(&order));
}

#[test]
fn every_built_in_mapping_holds_its_own_tests() {
    let mut failures = Vec::new();
    let mut held = 0;
    for mapping in builtin().unwrap() {
        match mapping.run_tests(&|_| None) {
            Ok(count) => held += count,
            Err(more) => failures.extend(more),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(held >= 15, "{held}");
}

#[test]
fn a_test_that_does_not_hold_says_what_it_found() {
    let test = "[[test]]\nname = \"wrong\"\nexpect = { \"S!A1\" = \"LS-9\" }\n[[test]]\nname = \"unrefused\"\nrefused = [\"x\"]\n";
    let mapping = Mapping::parse("x.toml", &format!("{HEAD}{BODY}{test}"), &|_| None).unwrap();
    assert_eq!(
        mapping.run_tests(&|_| None).unwrap_err(),
        [
            "x, test `wrong`: S!A1 is `LS-20261122-001`, wanted `LS-9`",
            "x, test `unrefused`: written, and wanted refused"
        ]
    );
}

#[test]
fn delimited_text_is_escaped_encoded_and_read_back() {
    let csv = r#"
[csv]
encoding = "gbk"
delimiter = "semicolon"
[csv.table]
each = ["line in lines"]
columns = [
  { title = "货号", value = "{line.goods.sku}", required = true },
  { title = "数量", value = "{line.units}", type = "number", required = true },
  { title = "品名", value = "{line.goods.customs_name_zh}" },
]
checks = [{ total = "{totals.units}", sum = ["数量"] }]
"#;
    let head = HEAD.replace("xlsx-new", "csv").replace(".xlsx", ".csv");
    let mapping = Mapping::parse("x.toml", &format!("{head}{csv}"), &|_| None).unwrap();
    let mut order = sample_order(SAMPLE, &|_| None).unwrap();
    order.lines[0].goods.customs_name_zh = "=1+1; \"烛台\"".to_owned();
    let context = DocumentContext::new(order.created_on, "1");
    let written = mapping.write(&order, &context).unwrap();
    let (text, _, broken) = encoding_rs::GBK.decode(&written.bytes);
    assert!(!broken);
    assert!(
        text.starts_with("货号;数量;品名\r\n85123A;252;\"'=1+1; \"\"烛台\"\"\"\r\n22423;27;三层点心架\r\n"),
        "{text}"
    );
    order.lines[1].goods.customs_name_zh = "🕯".to_owned();
    let problems = mapping.write(&order, &context).unwrap_err();
    assert_eq!(
        problems[0].to_string(),
        "x.toml, `encoding`: found `🕯`, wanted characters that GBK has"
    );
    let keep = format!("{head}{csv}").replace("[csv]\n", "[csv]\nformulas = \"refuse\"\n");
    let strict = Mapping::parse("x.toml", &keep, &|_| None).unwrap();
    let problems = strict.write(&order, &context).unwrap_err();
    assert!(problems[0].wanted.contains("formula"), "{problems:#?}");
}
