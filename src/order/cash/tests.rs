use super::*;
use crate::order::gate::tests::order;
use crate::order::gate::{Channel, surcharges};
use crate::order::model::Term;

const RATES: &str = r#"
version = 1
[[rate]]
id = "lamps"
countries = ["DE", "US"]
tax = "duty"
hs = ["9405"]
percent = "4.7"
valid_from = "2026-01-01"
source = "TARIC"
[[rate]]
id = "us_301"
countries = ["US"]
tax = "duty"
layer = "301"
origins = ["CN"]
percent = "25"
valid_from = "2019-05-10"
source = "list 3"
[[rate]]
id = "mpf"
countries = ["US"]
tax = "mpf"
percent = "0.3464"
least = { amount = "30", currency = "USD" }
most = { amount = "600", currency = "USD" }
valid_from = "2025-10-01"
source = "broker"
"#;

struct Desk {
    rules: RuleBook,
    border: BorderBook,
    rates: Rates,
    channel: Channel,
    per_kg: Option<Money>,
}

fn money(text: &str) -> Money {
    let (amount, currency) = text.split_once(' ').unwrap();
    Money::new(amount.parse().unwrap(), Currency::new(currency).unwrap())
}

impl Desk {
    fn new() -> Self {
        let mut border = BorderBook::shipped().unwrap();
        border.add("own.toml", RATES).unwrap();
        Self {
            rules: RuleBook::shipped().unwrap(),
            border,
            rates: Rates(BTreeMap::from([(Currency::CNY, "0.14".parse().unwrap())])),
            channel: Channel::default(),
            per_kg: Some(money("10 CNY")),
        }
    }

    fn cash(&self, order: &StockingOrder) -> Cash {
        reckon(&Bill {
            order,
            rules: &self.rules,
            border: &self.border,
            rates: &self.rates,
            per_kg: self.per_kg,
            surcharges: &surcharges(order, &self.channel),
        })
    }

    fn said(&self, order: &StockingOrder) -> String {
        let cash = self.cash(order);
        let mut said: Vec<String> = Vec::new();
        for line in &cash.lines {
            let of = match (line.percent, line.base) {
                (Some(percent), Some(base)) => format!(" {percent}% of {base}"),
                _ => String::new(),
            };
            let amount = line
                .amount
                .map_or_else(|| "?".to_owned(), |amount| amount.to_string());
            said.push(format!(
                "{} {}{}{of} = {amount}",
                line.kind.code(),
                line.what,
                line.layer
            ));
        }
        for one in &cash.unknown {
            let sku = one
                .sku
                .as_ref()
                .map_or_else(String::new, |sku| format!(" ({sku})"));
            said.push(format!("{} lacks {} {}{sku}", one.what, one.lacks, one.of));
        }
        let total = cash
            .total()
            .map_or_else(|| "?".to_owned(), |total| total.to_string());
        said.push(format!("total {total}"));
        said.join("\n")
    }
}

/// 20 lamps at 9.80 USD, 20 kg gross: value 196.00, freight 200 CNY = 28.00 USD.
fn lamps(country: &str, term: Term) -> StockingOrder {
    let mut order = order(country, "lamp");
    order.term = term;
    order
}

#[test]
fn r24_delivered_at_place_shows_duty_and_vat_as_our_cost_and_duty_paid_shows_neither() {
    let desk = Desk::new();
    insta::assert_snapshot!(desk.said(&lamps("DE", Term::parse("DDU").unwrap())), @"
    freight freight = 28.00
    duty duty 4.7% of 224.00 USD = 10.53
    tax import_vat 19% of 234.53 USD = 44.56
    total 83.09
    ");
    let inside = desk.cash(&lamps("DE", Term::Ddp));
    assert!(inside.inside_rate && !inside.speaks(), "{inside:?}");
    assert_eq!(inside.lines.len(), 1, "the freight, and no duty of ours");
    assert_eq!(inside.total(), Some("28.00".parse().unwrap()));
}

#[test]
fn r24_america_takes_duty_on_the_goods_alone_in_layers_and_fees_within_their_limits() {
    let desk = Desk::new();
    insta::assert_snapshot!(desk.said(&lamps("US", Term::Dap)), @"
    freight freight = 28.00
    duty duty 4.7% of 196.00 USD = 9.21
    duty duty301 25% of 196.00 USD = 49.00
    tax hmf 0.125% of 196.00 USD = 0.25
    tax mpf 0.3464% of 196.00 USD = 30.00
    total 116.46
    ");
}

#[test]
fn r24_what_nobody_entered_is_named_and_never_zero() {
    let mut desk = Desk::new();
    desk.border = BorderBook::shipped().unwrap();
    insta::assert_snapshot!(desk.said(&lamps("DE", Term::Dap)), @"
    freight freight = 28.00
    duty lacks rate 9405214090 (LAMP-1)
    import_vat lacks duty 9405214090 (LAMP-1)
    total ?
    ");
    desk.per_kg = None;
    let mut poland = lamps("PL", Term::Cif);
    insta::assert_snapshot!(desk.said(&poland), @"
    duty lacks insurance CIF
    duty lacks value PL
    freight lacks freight sea
    import_vat lacks value PL
    total ?
    ");
    poland.deliver_to.address.country = "BR".to_owned();
    insta::assert_snapshot!(desk.said(&poland), @"
    duty lacks pack BR
    freight lacks freight sea
    total ?
    ");
    // A freight in a currency without a rate.
    desk.per_kg = Some(money("1 EUR"));
    insta::assert_snapshot!(desk.said(&lamps("GB", Term::Ddp)), @"
    freight freight = ?
    freight lacks exchange EUR
    total ?
    ");
}

#[test]
fn r33_a_heavy_and_a_large_carton_are_cost_lines_of_the_order() {
    let mut desk = Desk::new();
    desk.channel.heavy_over_g = Some(22_000);
    desk.channel.heavy_fee = Some(money("120 CNY"));
    desk.channel.large_over_mm = Some(1_200);
    desk.channel.large_fee = Some(money("80 CNY"));
    let mut order = lamps("GB", Term::Ddp);
    assert!(!desk.cash(&order).speaks());
    order.cartons[0].gross_g = 23_000;
    order.cartons[1].dims.length_mm = 1_300;
    insta::assert_snapshot!(desk.said(&order), @"
    freight freight = 46.20
    surcharge heavy = 16.80
    surcharge large = 11.20
    total 74.20
    ");
    let cash = desk.cash(&order);
    assert_eq!(cash.lines[1].charged.to_string(), "120.00 CNY");
    assert_eq!(cash.lines[1].cartons, [1]);
}

proptest::proptest! {
    #[test]
    fn duty_is_never_less_than_its_share_of_the_goods_and_cash_adds_up(units in 1_i64..5_000, cents in 1_i64..100_000, grams in 1_i64..40_000) {
        let desk = Desk::new();
        let mut order = lamps("DE", Term::Dap);
        order.lines[0].units = units;
        order.lines[0].unit_value = Decimal::new(cents, 2);
        order.lines[0].goods.unit_net_g = grams;
        let cash = desk.cash(&order);
        let duty = cash.lines.iter().find(|line| line.kind == CashKind::Duty).and_then(|line| line.amount).unwrap();
        let least = round_cents(order.totals().value * Decimal::new(47, 3));
        proptest::prop_assert!(duty >= least);
        let sum: Decimal = cash.lines.iter().filter_map(|line| line.amount).sum();
        proptest::prop_assert_eq!(cash.total(), Some(sum));
    }
}
