use proptest::prelude::*;

use super::*;
use crate::claim::rules::ClaimRules;
use crate::order::Mode;

const OWN: &str = include_str!("own.toml");

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn rules() -> ClaimRules {
    ClaimRules::shipped().unwrap().and(OWN, "claims.toml").unwrap()
}

fn sku(text: &str) -> Sku {
    Sku::new(text).unwrap()
}

fn usd(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), Currency::USD)
}

fn lost(units: i64, gross_g: Option<i64>) -> Lost {
    Lost {
        sku: sku("A1"),
        units,
        sent: units,
        gross_g,
        invoice: Some(usd(1_250)),
    }
}

fn invoice(number: &str, on: &str, units: i64, cents: i64) -> CostInvoice {
    CostInvoice {
        number: number.to_owned(),
        on: day(on),
        sku: sku("A1"),
        units,
        price: Money::new(Decimal::new(cents, 2), Currency::CNY),
    }
}

fn under(regime: &str, loss: &Loss, currency: Currency, on: &str) -> Result<Amount, NoAmount> {
    let rules = rules();
    let limit = rules.limit(regime, day(on))?;
    amount(&rules, Ground::Limit(limit), loss, currency, day(on))
}

fn shown(amount: &Amount) -> String {
    let mut lines: Vec<String> = amount
        .terms
        .iter()
        .map(|term| {
            format!(
                "{:>10} {} | {}",
                term.amount,
                term.text(Lang::En),
                term.text(Lang::Zh)
            )
        })
        .collect();
    lines.push(format!("= {}", amount.total));
    lines.join("\n")
}

#[test]
fn r70_by_air_the_limit_is_26_rights_a_kilogram() {
    // 200 × 12.50 = 2,500 dollars; 40 kg × 26 × 1.36 = 1,414.40.
    let loss = Loss {
        lines: vec![lost(200, Some(40_000))],
        ..Loss::default()
    };
    let found = under("montreal", &loss, Currency::USD, "2026-11-20").unwrap();
    assert_eq!(found.total, usd(141_440));
    insta::assert_snapshot!(shown(&found));
    // The same loss two years before, under the limit of that day, has no rate of that day.
    let early = under("montreal", &loss, Currency::USD, "2024-12-01").unwrap_err();
    assert!(early.to_string().contains("2024-12-01"), "{early}");
}

#[test]
fn r70_by_sea_the_higher_of_package_and_weight_counts() {
    // 4 packages × 666.67 = 2,666.68 rights against 40 kg × 2 = 80: 3,626.68 dollars, more than the goods are worth.
    let mut loss = Loss {
        lines: vec![lost(200, Some(40_000))],
        packages: Some(4),
        ..Loss::default()
    };
    let whole = under("hague-visby", &loss, Currency::USD, "2026-11-20").unwrap();
    assert_eq!((whole.total, whole.terms.len()), (usd(250_000), 1));
    loss.packages = Some(1);
    let cut = under("hague-visby", &loss, Currency::USD, "2026-11-20").unwrap();
    assert_eq!(cut.total, usd(90_667));
    let cogsa = under("us-cogsa", &loss, Currency::USD, "2026-11-20").unwrap();
    assert_eq!(cogsa.total, usd(50_000));
    loss.packages = None;
    assert_eq!(
        under("hague-visby", &loss, Currency::USD, "2026-11-20").unwrap_err(),
        NoAmount::Packages
    );
    loss.packages = Some(1);
    loss.lines[0].gross_g = None;
    assert_eq!(
        under("cmr", &loss, Currency::USD, "2026-11-20")
            .unwrap_err()
            .to_string(),
        "the gross weight of A1 is not known, and the limit is by weight"
    );
}

#[test]
fn r70_amazon_pays_the_cost_of_making_since_10_march_2025() {
    let mut loss = Loss {
        lines: vec![lost(20, None)],
        invoices: vec![
            invoice("INV-2", "2026-08-01", 300, 2_400),
            invoice("INV-1", "2026-07-01", 100, 2_000),
        ],
        ..Loss::default()
    };
    loss.lines[0].sent = 400;
    let found = under("amazon-inbound", &loss, Currency::CNY, "2026-11-20").unwrap();
    // (100 × 20 + 300 × 24) / 400 = 23.00 each.
    assert_eq!(found.total, Money::new(Decimal::new(46_000, 2), Currency::CNY));
    assert!(found.uncovered.is_empty());
    insta::assert_snapshot!(shown(&found));
    let before = under("amazon-inbound", &loss, Currency::CNY, "2025-03-09").unwrap_err();
    assert_eq!(before.to_string(), "the sales value of A1 is not known");
}

#[test]
fn r70_invoices_must_cover_all_units_of_the_period() {
    let mut loss = Loss {
        lines: vec![lost(20, None)],
        invoices: vec![invoice("INV-1", "2026-07-01", 380, 2_000)],
        ..Loss::default()
    };
    loss.lines[0].sent = 400;
    let found = under("amazon-inbound", &loss, Currency::CNY, "2026-11-20").unwrap();
    let lacking = &found.uncovered[0];
    assert_eq!((lacking.need, lacking.have), (400, 380));
    assert_eq!(
        lacking.text(Lang::En),
        "cost invoices of A1 cover 380 units and must cover 400"
    );
    loss.invoices.clear();
    let none = under("amazon-inbound", &loss, Currency::CNY, "2026-11-20").unwrap_err();
    assert_eq!(none.to_string(), "the cost value of A1 is not known");
}

#[test]
fn r70_an_insurer_pays_the_insured_share_less_the_excess() {
    let rules = rules();
    let policy = rules.policy(Mode::Sea, day("2026-11-20")).unwrap();
    let loss = Loss {
        lines: vec![lost(200, None)],
        ..Loss::default()
    };
    let found = amount(
        &rules,
        Ground::Policy(policy),
        &loss,
        Currency::USD,
        day("2026-11-20"),
    )
    .unwrap();
    // 2,500 + 10 % − 500 / 9.7 × 1.36.
    insta::assert_snapshot!(shown(&found));
    assert_eq!(found.total, usd(267_990));
    // A loss below the excess is no debt to the insurer.
    let small = Loss {
        lines: vec![lost(1, None)],
        ..Loss::default()
    };
    let found = amount(
        &rules,
        Ground::Policy(policy),
        &small,
        Currency::USD,
        day("2026-11-20"),
    )
    .unwrap();
    assert_eq!(found.total, usd(0));
}

#[test]
fn r70_nothing_and_less_than_nothing_cannot_be_claimed() {
    assert_eq!(
        under("cmr", &Loss::default(), Currency::USD, "2026-11-20").unwrap_err(),
        NoAmount::Nothing
    );
    let loss = Loss {
        lines: vec![lost(0, Some(1))],
        ..Loss::default()
    };
    assert!(matches!(
        under("cmr", &loss, Currency::USD, "2026-11-20"),
        Err(NoAmount::Units { .. })
    ));
}

proptest! {
    /// The terms add up to the cent, the amount is never below zero nor above the goods' value or the limit, and the order of
    /// the lines does not matter.
    #[test]
    fn r70_terms_add_up(
        lines in proptest::collection::vec((1_i64..500, 1_i64..90_000, 1_i64..40_000), 1..6),
        packages in 1_i64..30,
        regime in proptest::sample::select(vec!["hague-visby", "montreal", "cmr", "cim", "us-cogsa", "carmack"]),
        currency in proptest::sample::select(vec![Currency::USD, Currency::CNY, Currency::GBP]),
    ) {
        let mut loss = Loss {
            lines: lines
                .iter()
                .enumerate()
                .map(|(number, (units, gross, cents))| Lost {
                    sku: sku(&format!("S{number}")),
                    units: *units,
                    sent: *units,
                    gross_g: Some(*gross),
                    invoice: Some(usd(*cents)),
                })
                .collect(),
            packages: Some(packages),
            ..Loss::default()
        };
        let found = under(regime, &loss, currency, "2026-11-20").unwrap();
        let sum: Decimal = found.terms.iter().map(|term| term.amount).sum();
        prop_assert_eq!(sum, found.total.amount);
        prop_assert!(found.total.amount >= Decimal::ZERO);
        let goods: Decimal = found.terms.iter().filter(|term| term.key == "invoice").map(|term| term.amount).sum();
        prop_assert!(found.total.amount <= goods);
        loss.lines.reverse();
        prop_assert_eq!(under(regime, &loss, currency, "2026-11-20").unwrap(), found);
    }
}
