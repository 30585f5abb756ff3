//! One shipment under several names (R17): what a warehouse or ERP calls by a tracking, booking or inbound number that is linked to one of
//! our orders is that order.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{AccountId, OrderNo};
use crate::ledger::{InboundNotice, ReceiptEvent};
use crate::store::orders::StoredOrder;
use crate::store::{StoreError, Tx, references};

/// Gives inbounds and receipts the number of the order that their name is linked to. Order numbers themselves, and inbounds that
/// name their order, are never overruled.
///
/// # Errors
/// When the engine refuses.
pub async fn under_our_numbers(
    tx: &mut Tx,
    account: &AccountId,
    orders: &[StoredOrder],
    notices: &mut [InboundNotice],
    events: &mut [ReceiptEvent],
) -> Result<(), StoreError> {
    let names: BTreeMap<String, OrderNo> = references::of_one_order(tx, account)
        .await?
        .into_iter()
        .map(|(name, order)| (fold(&name), order))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let ours: BTreeSet<String> = orders
        .iter()
        .map(|stored| fold(stored.order.number.as_str()))
        .collect();
    for notice in notices
        .iter_mut()
        .filter(|notice| !ours.contains(&fold(&notice.reference)))
    {
        let found = [&notice.reference, &notice.inbound_no]
            .into_iter()
            .find_map(|name| names.get(&fold(name)));
        if let Some(order) = found {
            notice.reference = order.to_string();
        }
    }
    let announced: BTreeSet<String> = notices.iter().map(|notice| fold(&notice.inbound_no)).collect();
    for event in events {
        let name = fold(&event.reference);
        if !ours.contains(&name)
            && !announced.contains(&name)
            && let Some(order) = names.get(&name)
        {
            event.reference = order.to_string();
        }
    }
    Ok(())
}

fn fold(name: &str) -> String {
    name.trim().to_uppercase()
}
