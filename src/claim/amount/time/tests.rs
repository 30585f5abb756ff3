use super::*;
use crate::claim::rules::ClaimRules;

const OWN: &str = r#"
version = 1

[[regime]]
id = "huatuo"
zh = "华拓合同"
en = "Huatuo contract"
against = "carrier"
forwarders = ["huatuo"]

[[late]]
id = "huatuo-late"
regime = "huatuo"
promise = "37d"
free_days = 3
per_day = "50"
per_kg_day = "0.25"
most = "900"
currency = "CNY"
valid_from = "2026-01-01"
source = "contract, clause 6"
checked = "2026-11-01"

[[sdr]]
currency = "CNY"
rate = "10"
on = "2026-11-10"
source = "made up"

[[sdr]]
currency = "GBP"
rate = "1"
on = "2026-11-10"
source = "made up"
"#;

fn rules() -> ClaimRules {
    ClaimRules::shipped().unwrap().and(OWN, "own.toml").unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn total(days: i64, gross_g: i64, currency: Currency) -> Result<Amount, NoAmount> {
    let rules = rules();
    let rule = rules.late("huatuo", day("2026-09-03")).unwrap();
    late(&rules, rule, (days, gross_g), currency, day("2026-11-12"))
}

#[test]
fn r68_days_beyond_the_promise_cost_what_the_contract_says_to_the_cent() {
    // 7 days beyond the free ones: 7 × 50 + 7 × 120.5 kg × 0.25.
    let amount = total(10, 120_500, Currency::CNY).unwrap();
    assert_eq!(amount.total.to_string(), "560.88 CNY");
    assert_eq!(amount.terms.len(), 2);
    let sum: Decimal = amount.terms.iter().map(|term| term.amount).sum();
    assert_eq!(sum, amount.total.amount);
    // No more than the contract's most, in whatever currency is asked for.
    assert_eq!(
        total(40, 120_500, Currency::CNY).unwrap().total.to_string(),
        "900.00 CNY"
    );
    assert_eq!(
        total(40, 120_500, Currency::GBP).unwrap().total.to_string(),
        "90.00 GBP"
    );
}

#[test]
fn r68_the_free_days_cost_nothing_and_a_day_without_a_row_is_named() {
    assert!(matches!(
        total(3, 1_000, Currency::CNY),
        Err(NoAmount::InTime { days: 3, free: 3, .. })
    ));
    assert_eq!(total(4, 0, Currency::CNY).unwrap().total.to_string(), "50.00 CNY");
    let error = rules().late("huatuo", day("2025-12-31")).unwrap_err().to_string();
    assert!(
        error.contains("2025-12-31") && error.contains("huatuo-late 2026-01-01.."),
        "{error}"
    );
}

#[test]
fn r53_each_missed_slot_is_a_term_and_a_fee_nobody_knows_is_no_zero() {
    let slot = |text: &str, fee: Option<i64>| MissedSlot {
        at: text.parse().unwrap(),
        until: text.parse().unwrap(),
        fee: fee.map(|fee| Money::new(Decimal::from(fee), Currency::GBP)),
    };
    let two = [
        slot("2026-10-12T08:00:00Z", Some(80)),
        slot("2026-10-14T08:00:00Z", Some(90)),
    ];
    let on = day("2026-11-12");
    let of = |missed: &[MissedSlot], billed| slots(&rules(), missed, billed, Currency::GBP, on);
    assert_eq!(of(&two, None).unwrap().total.to_string(), "170.00 GBP");
    let billed = Money::new(Decimal::from(1_000), Currency::CNY);
    let amount = of(&two, Some(billed)).unwrap();
    assert_eq!(
        (amount.total.to_string().as_str(), amount.terms.len()),
        ("100.00 GBP", 1)
    );
    let error = of(&[slot("2026-10-12T08:00:00Z", None)], None).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the slot of 2026-10-12 08:00 UTC is not known"),
        "{error}"
    );
    assert_eq!(of(&[], None).unwrap_err(), NoAmount::Nothing);
}

#[test]
fn r68_a_row_of_days_without_a_price_is_refused_with_its_place() {
    let bad = OWN
        .replace("per_day = \"50\"\nper_kg_day = \"0.25\"", "promise_days = 3")
        .replace("37d", "soon");
    let problems = ClaimRules::shipped().unwrap().and(&bad, "own.toml").unwrap_err();
    let text = format!("{problems:?}");
    assert!(
        text.contains("promise_days") || text.contains("late[1].per_day"),
        "{text}"
    );
    let bad = OWN
        .replace("per_day = \"50\"\nper_kg_day = \"0.25\"\n", "")
        .replace("37d", "soon");
    let problems = ClaimRules::shipped().unwrap().and(&bad, "own.toml").unwrap_err();
    let text = format!("{problems:?}");
    assert!(
        text.contains("late[1].per_day") && text.contains("late[1].promise"),
        "{text}"
    );
}
