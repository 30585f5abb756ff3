//! What forwarders billed for orders.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{StoreError, Tx};
use crate::args;
use crate::ids::{AccountId, OrderNo};
use crate::money::{Currency, Money};

fn corrupt(why: &impl ToString) -> StoreError {
    StoreError::Corrupt {
        what: "bill charge".to_owned(),
        why: why.to_string(),
    }
}

/// One charge of a bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    pub charge: String,
    pub amount: Money,
}

/// Keeps the charges of one bill for one order, in the place of those that an earlier file of the same bill had, whoever
/// sent it: a bill comes by mail and by SFTP too.
///
/// # Errors
/// When the engine refuses, or there is no such order.
pub async fn keep(
    tx: &mut Tx,
    account: &AccountId,
    (order, bill_no): (&OrderNo, &str),
    charges: &[Charge],
    origin: &str,
) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM bill_charge WHERE account_id = $1 AND order_no = $2 AND bill_no = $3",
        args![account, order, bill_no],
    )
    .await?;
    for (charge, nth) in charges.iter().zip(0_i64..) {
        tx.execute(
            "INSERT INTO bill_charge (account_id, order_no, bill_no, nth, charge, amount, currency, origin)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            args![
                account,
                order,
                bill_no,
                nth,
                charge.charge.as_str(),
                charge.amount.amount.to_string(),
                charge.amount.currency.code(),
                origin
            ],
        )
        .await?;
    }
    Ok(())
}

/// All charges by order.
///
/// # Errors
/// When the engine refuses, or a stored amount cannot be read.
pub async fn all(tx: &mut Tx, account: &AccountId) -> Result<BTreeMap<OrderNo, Vec<Charge>>, StoreError> {
    let mut charges: BTreeMap<OrderNo, Vec<Charge>> = BTreeMap::new();
    let rows = tx
        .rows(
            "SELECT order_no, charge, amount, currency FROM bill_charge
             WHERE account_id = $1 ORDER BY order_no, bill_no, nth",
            args![account],
        )
        .await?;
    for row in rows {
        let (amount, currency): (String, String) = (row.get("amount")?, row.get("currency")?);
        let amount = Money::new(
            amount.parse::<Decimal>().map_err(|error| corrupt(&error))?,
            Currency::new(&currency).map_err(|error| corrupt(&error))?,
        );
        charges.entry(row.get("order_no")?).or_default().push(Charge {
            charge: row.get("charge")?,
            amount,
        });
    }
    Ok(charges)
}
