use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn rules() -> ClaimRules {
    ClaimRules::shipped().unwrap()
}

#[test]
fn r70_every_shipped_row_has_its_source_and_the_day_it_was_looked_at() {
    let rules = rules();
    let rows = rules
        .clocks
        .iter()
        .map(|clock| &clock.row)
        .chain(rules.limits.iter().map(|limit| &limit.row));
    let mut count = 0;
    for row in rows {
        assert!(
            !row.source.is_empty() && row.checked >= day("2026-11-22"),
            "{row:?}"
        );
        count += 1;
    }
    assert!(count > 30, "{count}");
    for regime in &rules.regimes {
        assert!(
            rules.clocks.iter().any(|clock| clock.regime == regime.id),
            "{}",
            regime.id
        );
        assert!(
            rules.limits.iter().any(|limit| limit.regime == regime.id),
            "{}",
            regime.id
        );
    }
}

#[test]
fn r70_the_limit_is_that_of_the_day() {
    let rules = rules();
    let per_kg = |on: &str| {
        rules
            .limit("montreal", day(on))
            .unwrap()
            .per_kg
            .unwrap()
            .to_string()
    };
    assert_eq!(per_kg("2009-12-29"), "17");
    assert_eq!(per_kg("2014-06-01"), "19");
    assert_eq!(per_kg("2024-12-27"), "22");
    assert_eq!(per_kg("2024-12-28"), "26");
    let amazon = |on: &str| rules.limit("amazon-inbound", day(on)).unwrap().value;
    assert_eq!(amazon("2025-03-09"), Value::Sales);
    assert_eq!(amazon("2025-03-10"), Value::Cost);
}

#[test]
fn r70_a_day_no_row_holds_for_is_an_error_that_names_it() {
    let error = rules().limit("montreal", day("2003-11-03")).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @"no limit of `montreal` for the amount holds on 2003-11-03; known: montreal-17 2003-11-04..2009-12-29, montreal-19 2009-12-30..2019-12-27, montreal-22 2019-12-28..2024-12-27, montreal-26 2024-12-28..");
    let error = rules().rate(Currency::CNY, day("2026-11-20")).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @"no rate of CNY to the special drawing right for 2026-11-20 (at most 31 days old); newest before it: 2025-12-22");
    assert!(rules().policy(Mode::Sea, day("2026-11-20")).is_err());
    assert_eq!(
        rules()
            .limit("hamburg", day("2026-11-20"))
            .unwrap_err()
            .to_string(),
        "no rules are known as `hamburg`"
    );
}

#[test]
fn r70_the_rules_that_say_most_of_an_order_come_first() {
    let rules = rules();
    let first = |mode, country: &str, warehouse: &str, party| {
        let warehouse = WarehouseCode::new(warehouse).unwrap();
        let scope = Scope {
            mode,
            country,
            warehouse: &warehouse,
            forwarder: "huatuo",
        };
        rules
            .against(party, scope)
            .first()
            .map(|regime| regime.id.clone())
    };
    assert_eq!(
        first(Mode::Sea, "US", "goodcang:USLA", Party::Carrier).as_deref(),
        Some("us-cogsa")
    );
    assert_eq!(
        first(Mode::Sea, "GB", "goodcang:UKMA", Party::Carrier).as_deref(),
        Some("hague-visby")
    );
    assert_eq!(
        first(Mode::Express, "GB", "goodcang:UKMA", Party::Carrier).as_deref(),
        Some("montreal")
    );
    assert_eq!(
        first(Mode::Sea, "GB", "amazon:GB", Party::Warehouse).as_deref(),
        Some("amazon-inbound")
    );
    // What a warehouse agreed to stands in a contract, and here is none.
    assert_eq!(first(Mode::Sea, "GB", "goodcang:UKMA", Party::Warehouse), None);
    let own = rules.and(OWN, "claims.toml").unwrap();
    let warehouse = WarehouseCode::new("goodcang:UKMA").unwrap();
    let scope = Scope {
        mode: Mode::Sea,
        country: "GB",
        warehouse: &warehouse,
        forwarder: "huatuo",
    };
    assert_eq!(own.against(Party::Warehouse, scope)[0].id, "goodcang-contract");
    assert_eq!(
        own.rate(Currency::CNY, day("2026-11-20"))
            .unwrap()
            .rate
            .to_string(),
        "9.7"
    );
    // A month and a half later it is no rate of that day.
    assert!(own.rate(Currency::CNY, day("2027-01-05")).is_err());
    // A row with the same id takes the place of the shipped one.
    assert_eq!(
        own.limit("cmr", day("2026-11-20"))
            .unwrap()
            .per_kg
            .unwrap()
            .to_string(),
        "10"
    );
}

const OWN: &str = include_str!("../amount/own.toml");

#[test]
fn r70_a_bad_file_is_told_with_everything_in_it() {
    let text = r#"
version = 2
[[regime]]
id = "x"
zh = ""
en = "x"
against = "carrier"
[[clock]]
id = "x"
regime = "y"
kinds = []
from = "delivered"
notice = "soon"
valid_from = "2026-01-01"
valid_to = "2025-01-01"
source = ""
checked = "2026-01-01"
[[limit]]
id = "x"
regime = "x"
value = "invoice"
rule = "higher"
per_kg = "-2"
valid_from = "2026-01-01"
source = "s"
checked = "2026-01-01"
[[sdr]]
currency = "CNY"
rate = "0"
on = "2026-01-01"
source = "IMF"
"#;
    let told: Vec<String> = ClaimRules::default()
        .and(text, "claims.toml")
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn r70_rates_have_their_day_and_source_and_ones_own_take_the_place_of_the_shipped() {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let shipped = ClaimRules::shipped().unwrap();
    let known = |rules: &ClaimRules, on: &str| -> Vec<String> {
        let rates = rules.rates(day(on)).into_iter();
        rates
            .map(|(rate, holds)| format!("{} {} {} {holds}", rate.currency, rate.rate.normalize(), rate.on))
            .collect()
    };
    assert_eq!(known(&shipped, "2025-01-16"), Vec::<String>::new());
    assert_eq!(known(&shipped, "2025-11-20")[3], "USD 1.36568 2025-10-20 true");
    assert_eq!(known(&shipped, "2025-11-21")[3], "USD 1.36568 2025-10-20 false");
    assert!(
        shipped
            .rates(day("2026-01-01"))
            .iter()
            .all(|(rate, _)| rate.source.contains("IMF"))
    );
    let one = "[[sdr]]\ncurrency = \"USD\"\nrate = \"1.37\"\non = \"2025-10-20\"\nsource = \"ours\"\n";
    let own = shipped
        .clone()
        .and(&format!("version = 1\n{one}"), "own.toml")
        .unwrap();
    assert_eq!(known(&own, "2025-11-20")[3], "USD 1.37 2025-10-20 true");
    let twice = shipped
        .and(&format!("version = 1\n{one}{one}"), "own.toml")
        .unwrap_err();
    assert!(
        twice[0].to_string().contains("one rate of a currency a day"),
        "{twice:?}"
    );
}
