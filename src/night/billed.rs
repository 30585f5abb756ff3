//! Bills of forwarders: what they charge for our orders is kept beside what was expected (R42).

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::{Night, NightError};
use crate::ids::OrderNo;
use crate::mapping::inbound::Reading;
use crate::money::{Currency, Money};
use crate::problem::Problem;
use crate::store::orders::StoredOrder;
use crate::store::{StoreError, Tx, bills, order_checks};

/// Keeps the charges of a file's bills, by order. A bill with a row that cannot be read is told and not counted: half of it would
/// look cheap.
pub(super) async fn keep(
    night: &Night<'_>,
    tx: &mut Tx,
    (origin, name): (&str, &str),
    reading: &Reading,
    order_of: impl Fn(&str) -> Option<OrderNo>,
    problems: &mut Vec<Problem>,
) -> Result<(), NightError> {
    if !reading.problems.is_empty() {
        return Ok(());
    }
    let mut unread = BTreeSet::new();
    let mut charged: BTreeMap<(OrderNo, &str), Vec<bills::Charge>> = BTreeMap::new();
    for record in &reading.records {
        let Some(order) = record.get("order").and_then(&order_of) else {
            continue;
        };
        let (Some(bill_no), Some(amount)) = (
            record.get("bill_no"),
            record
                .get("amount")
                .and_then(|amount| amount.parse::<Decimal>().ok()),
        ) else {
            continue;
        };
        let given = record.get("currency").unwrap_or_default();
        let Ok(currency) = Currency::new(given) else {
            let wanted = "a currency of three letters, such as CNY";
            problems.push(Problem::new(name, &record.place, "currency", given, wanted));
            unread.insert(bill_no);
            continue;
        };
        charged.entry((order, bill_no)).or_default().push(bills::Charge {
            charge: record.get("charge").unwrap_or_default().to_owned(),
            amount: Money::new(amount, currency),
        });
    }
    for ((order, bill_no), charges) in charged {
        if unread.contains(bill_no) {
            continue;
        }
        bills::keep(tx, night.account(), (&order, bill_no), &charges, origin).await?;
    }
    Ok(())
}

/// What was expected of an order's cost and what was billed, in the order's currency; `None` where either is not known.
pub(super) async fn of_order(
    night: &Night<'_>,
    tx: &mut Tx,
    stored: &StoredOrder,
    charges: &[bills::Charge],
) -> Result<Option<(Decimal, Decimal)>, StoreError> {
    let order = &stored.order;
    let rates = &night.config.order.rates;
    let billed: Option<Decimal> = charges
        .iter()
        .map(|charge| rates.convert(charge.amount, order.currency))
        .sum();
    let check = order_checks::of_order(tx, night.account(), &order.number).await?;
    let expected = check.and_then(|check| check.cash).and_then(|cash| cash.total());
    Ok(expected
        .zip(billed)
        .filter(|(expected, _)| *expected > Decimal::ZERO))
}
