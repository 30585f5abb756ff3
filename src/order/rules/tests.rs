//! R7: rule packs.

use super::*;
use crate::order::gate::tests::order;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn asked(country: &str, mode: Mode, on: &str) -> Vec<String> {
    RuleBook::shipped()
        .unwrap()
        .rules(country, mode, day(on))
        .map(|(pack, rule)| format!("{}/{}", pack.id, rule.id))
        .collect()
}

#[test]
fn r7_america_asks_for_isf_by_sea_and_not_by_air_and_germany_for_three_numbers() {
    assert!(asked("US", Mode::Sea, "2026-09-20").contains(&"us/isf".to_owned()));
    assert!(!asked("US", Mode::Air, "2026-09-20").contains(&"us/isf".to_owned()));
    let german = asked("DE", Mode::Sea, "2026-09-20");
    for rule in ["eu/eori", "eu/vat", "de/lucid", "de/weee"] {
        assert!(german.contains(&rule.to_owned()), "{rule}");
    }
    assert!(!asked("FR", Mode::Sea, "2026-09-20").contains(&"de/lucid".to_owned()));
}

#[test]
fn r7_five_destinations_have_packs_and_every_rule_its_source_and_day() {
    let book = RuleBook::shipped().unwrap();
    for country in ["US", "DE", "FR", "GB", "JP", "AU"] {
        assert!(book.knows(country), "{country}");
    }
    assert!(!book.knows("BR") && !book.knows(""));
    for rule in book.packs.iter().flat_map(|pack| &pack.rules) {
        assert!(
            rule.source.len() > 3 && rule.checked.is_none_or(|checked| checked >= day("2026-01-01")),
            "{}",
            rule.id
        );
    }
}

#[test]
fn r7_a_rule_that_ended_is_not_applied_to_a_later_day() {
    let mut with_battery = order("DE", "lamp");
    with_battery.lines[0].goods.battery = true;
    let sources = |on: &str| {
        let book = RuleBook::shipped().unwrap();
        let found: Vec<String> = book
            .rules("DE", Mode::Sea, day(on))
            .filter(|(_, rule)| rule.id == "battery_epr")
            .map(|(_, rule)| rule.source.clone())
            .collect();
        found
    };
    assert_eq!(sources("2025-08-17"), ["BattG § 4"]);
    assert_eq!(sources("2025-08-18"), ["Regulation (EU) 2023/1542, art. 55"]);
}

const PACK: &str =
    "version = 1\n[[pack]]\nid = \"br\"\nzh = \"巴西\"\nen = \"Brazil\"\ncountries = [\"BR\"]\n";

fn rule(lines: &str) -> String {
    let mut fields = vec![
        ("id", "\"cnpj\""),
        ("asks", "\"importer_id\""),
        ("what", "\"vat\""),
        ("level", "\"block\""),
        ("zh", "\"税号\""),
        ("en", "\"number\""),
        ("valid_from", "\"2020-01-01\""),
        ("source", "\"law\""),
        ("checked", "\"2026-11-22\""),
    ];
    let mut more = String::new();
    for line in lines.lines() {
        let (name, value) = line.split_once(" = ").unwrap();
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some(field) => field.1 = value,
            None => more.push_str(&format!("{line}\n")),
        }
    }
    let fields: Vec<String> = fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name} = {value}\n"))
        .collect();
    format!("[[rule]]\n{}{more}", fields.concat())
}

fn faults(text: &str) -> String {
    let mut book = RuleBook::shipped().unwrap();
    let said: Vec<String> = book
        .add("br.toml", text)
        .err()
        .unwrap_or_default()
        .iter()
        .map(ToString::to_string)
        .collect();
    said.join("\n")
}

#[test]
fn r7_overlapping_periods_and_unknown_names_are_refused_with_their_line() {
    assert_eq!(faults(&format!("{PACK}{}", rule(""))), "");
    let twice = format!(
        "{PACK}{}{}",
        rule("valid_to = \"2024-12-31\""),
        rule("valid_from = \"2024-12-31\"")
    );
    insta::assert_snapshot!(faults(&twice), @"br.toml, line 25, column 15, `rule[2].valid_from`: found `2024-12-31`, wanted a period of its own: `cnpj` holds from 2020-01-01 until 2024-12-31");
    let unknown = format!("{PACK}{}", rule("levle = \"warn\""));
    insta::assert_snapshot!(faults(&unknown), @"br.toml, line 17, column 1, `rule[1]`: found `levle`, wanted a known name; did you mean `level`?");
    let names = format!(
        "{PACK}{}{}",
        rule("asks = \"certificate\"\nwhat = \"ukac\"\ncategories = [\"lmap\"]"),
        rule(
            "id = \"b\"\nwhat = \"vta\"\nsource = \"\"\nvalid_to = \"2019-01-01\"\nhours_before_loading = 3"
        )
    );
    insta::assert_snapshot!(faults(&names), @r#"
    br.toml, line 17, column 16, `rule[1].categories`: found `lmap`, wanted a known name; did you mean `lamp`?
    br.toml, line 10, column 9, `rule[1].what`: found `ukac`, wanted a known name; did you mean `ukca`?
    br.toml, line 26, column 1, `rule[2].source`: found ``, wanted who says so: law, contract or page
    br.toml, line 28, column 13, `rule[2].valid_to`: found `2019-01-01`, wanted a day not before 2020-01-01
    br.toml, line 29, column 24, `rule[2].hours_before_loading`: found `3`, wanted hours with `asks = "filing"`, and nowhere else
    br.toml, line 21, column 9, `rule[2].what`: found `vta`, wanted a known name; did you mean `vat`?
    "#);
}

#[test]
fn a_pack_of_ones_own_takes_the_place_of_the_one_with_its_id() {
    let mut book = RuleBook::shipped().unwrap();
    let own = PACK.replace("\"br\"", "\"gb\"").replace("[\"BR\"]", "[\"GB\"]");
    book.add("gb.toml", &format!("{own}{}", rule(""))).unwrap();
    let british: Vec<&str> = book
        .rules("GB", Mode::Sea, day("2026-09-20"))
        .filter(|(pack, _)| pack.id == "gb")
        .map(|(_, rule)| rule.id.as_str())
        .collect();
    assert_eq!(british, ["cnpj"]);
}

#[test]
fn the_longest_heading_gives_the_hint() {
    let book = RuleBook::shipped().unwrap();
    let hint = |hs: &str| book.hint(hs).map(|category| category.id.clone());
    assert_eq!(hint("9405210090").as_deref(), Some("lamp"));
    assert_eq!(hint("7013990000").as_deref(), Some("homeware"));
    assert_eq!(hint("7013490000").as_deref(), Some("kitchen"));
    assert_eq!(hint("0101"), None);
}
