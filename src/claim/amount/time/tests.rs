use super::*;
use crate::claim::rules::ClaimRules;
use crate::wording::Lang;

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
    of(OWN, (days, gross_g), None, currency)
}

fn of(
    own: &str,
    (days, gross_g): (i64, i64),
    freight: Option<Freight>,
    currency: Currency,
) -> Result<Amount, NoAmount> {
    let rules = ClaimRules::shipped().unwrap().and(own, "own.toml").unwrap();
    let rule = rules.late("huatuo", day("2026-09-03")).unwrap();
    let lateness = Lateness {
        days,
        gross_g,
        freight,
    };
    late(&rules, rule, &lateness, currency, day("2026-11-12"))
}

/// The contract with a share of the freight in the place of its prices.
fn by_freight(rows: &str) -> String {
    OWN.replace(
        "per_day = \"50\"\nper_kg_day = \"0.25\"\nmost = \"900\"\ncurrency = \"CNY\"",
        rows,
    )
}

fn billed(charges: &[(i64, Currency)]) -> Option<Freight> {
    let money = |(amount, currency): &(i64, Currency)| Money::new(Decimal::from(*amount), *currency);
    Some(Freight {
        charges: charges.iter().map(money).collect(),
        basis: FreightBasis::Billed,
    })
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
    let fee_of = |missed: &[MissedSlot], billed| slots(&rules(), missed, billed, Currency::GBP, on);
    assert_eq!(fee_of(&two, None).unwrap().total.to_string(), "170.00 GBP");
    let billed = Money::new(Decimal::from(1_000), Currency::CNY);
    let amount = fee_of(&two, Some(billed)).unwrap();
    assert_eq!(
        (amount.total.to_string().as_str(), amount.terms.len()),
        ("100.00 GBP", 1)
    );
    let error = fee_of(&[slot("2026-10-12T08:00:00Z", None)], None).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the slot of 2026-10-12 08:00 UTC is not known"),
        "{error}"
    );
    assert_eq!(fee_of(&[], None).unwrap_err(), NoAmount::Nothing);
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

#[test]
fn r68_a_share_of_the_freight_for_each_day_or_begun_week_up_to_its_most() {
    let freight = billed(&[(1_000, Currency::CNY), (20, Currency::GBP)]);
    let owed = |rows: &str, days| {
        let amount = of(&by_freight(rows), (days, 1_000), freight.clone(), Currency::CNY)?;
        let sum: Decimal = amount.terms.iter().map(|term| term.amount).sum();
        assert_eq!(sum, amount.total.amount);
        Ok::<_, NoAmount>((amount.total.to_string(), amount.terms.len()))
    };
    // 1,000 CNY and 20 GBP at 10 CNY to one: 1,200 CNY. Three days are free.
    let daily = "freight_percent = \"1.5\"\nmost_freight_percent = \"20\"";
    assert_eq!(owed(daily, 4).unwrap(), ("18.00 CNY".to_owned(), 1));
    assert_eq!(owed(daily, 10).unwrap(), ("126.00 CNY".to_owned(), 1));
    assert_eq!(
        owed(daily, 40).unwrap(),
        ("240.00 CNY".to_owned(), 2),
        "twenty per cent"
    );
    assert!(matches!(owed(daily, 3), Err(NoAmount::InTime { .. })));
    let weekly = "freight_percent = \"5\"\nfreight_per = \"week\"";
    for (days, wanted) in [
        (4, "60.00"),
        (10, "60.00"),
        (11, "120.00"),
        (17, "120.00"),
        (18, "180.00"),
    ] {
        assert_eq!(
            owed(weekly, days).unwrap(),
            (format!("{wanted} CNY"), 1),
            "{days}"
        );
    }
    // Beside a price a day, and under a most in money.
    let both = "per_day = \"50\"\nfreight_percent = \"5\"\nmost = \"400\"\ncurrency = \"CNY\"";
    assert_eq!(owed(both, 5).unwrap(), ("220.00 CNY".to_owned(), 2));
    assert_eq!(owed(both, 10).unwrap(), ("400.00 CNY".to_owned(), 3));
    let amount = of(&by_freight(weekly), (11, 0), freight.clone(), Currency::CNY).unwrap();
    for (lang, wanted) in [
        (
            Lang::En,
            "8 days late (after 3 free): 2 × 5 % of the freight as billed, 1000.00 CNY + 20.00 GBP × 10 CNY/GBP",
        ),
        (Lang::Zh, "计 2 次 × 账单运费 1000.00 CNY"),
    ] {
        let text = amount.terms[0].text(lang);
        assert!(text.contains(wanted), "{text}");
    }
}

#[test]
fn r68_a_freight_that_nobody_knows_is_named_and_is_no_zero() {
    let own = by_freight("freight_percent = \"2\"");
    let unknown = of(&own, (10, 1_000), None, Currency::CNY).unwrap_err();
    assert_eq!(
        unknown,
        NoAmount::Freight {
            row: "huatuo-late".to_owned()
        }
    );
    assert!(
        unknown
            .to_string()
            .contains("the freight of this order is not known")
    );
    // Also where another part of the row could be reckoned: half an amount looks like a whole one.
    let both = by_freight("per_day = \"50\"\nfreight_percent = \"2\"\ncurrency = \"CNY\"");
    assert!(matches!(
        of(&both, (10, 1_000), None, Currency::CNY),
        Err(NoAmount::Freight { .. })
    ));
    // A rate that is not known is named as well.
    let yen = billed(&[(9, Currency::new("JPY").unwrap())]);
    assert!(matches!(
        of(&own, (10, 1_000), yen, Currency::CNY),
        Err(NoAmount::Rule(_))
    ));
}

#[test]
fn r68_shares_of_the_freight_that_make_no_sense_are_refused_with_their_place() {
    for (rows, places) in [
        ("freight_percent = \"0\"", &["late[1].freight_percent"][..]),
        (
            "freight_percent = \"101\"\nmost_freight_percent = \"-1\"",
            &["late[1].freight_percent", "late[1].most_freight_percent"],
        ),
        (
            "per_day = \"5\"\nfreight_per = \"week\"",
            &["late[1].currency", "late[1].freight_per"],
        ),
        ("freight_percent = \"5\"\nmost = \"9\"", &["late[1].currency"]),
    ] {
        let problems = ClaimRules::shipped()
            .unwrap()
            .and(&by_freight(rows), "own.toml")
            .unwrap_err();
        let text = format!("{problems:?}");
        for place in places {
            assert!(text.contains(place), "{place}: {text}");
        }
    }
}
