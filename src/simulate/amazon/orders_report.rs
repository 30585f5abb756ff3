//! `GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL`: tab separated, Latin-1, gzip.

use std::io::Write as _;

use chrono::{DateTime, Utc};
use flate2::{Compression, write::GzEncoder};

use super::iso;
use crate::simulate::truth::{MarketOrder, OrderState, Place, World};

pub const COLUMNS: [&str; 31] = [
    "amazon-order-id",
    "merchant-order-id",
    "purchase-date",
    "last-updated-date",
    "order-status",
    "fulfillment-channel",
    "sales-channel",
    "order-channel",
    "ship-service-level",
    "product-name",
    "sku",
    "asin",
    "item-status",
    "quantity",
    "currency",
    "item-price",
    "item-tax",
    "shipping-price",
    "shipping-tax",
    "gift-wrap-price",
    "gift-wrap-tax",
    "item-promotion-discount",
    "ship-promotion-discount",
    "ship-city",
    "ship-state",
    "ship-postal-code",
    "ship-country",
    "promotion-ids",
    "is-business-order",
    "purchase-order-number",
    "price-designation",
];

/// Latin-1, as the report is delivered; what does not fit becomes `?`.
fn push_latin1(out: &mut Vec<u8>, text: &str) {
    out.extend(text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')));
}

fn push_line(out: &mut Vec<u8>, world: &World, order: &MarketOrder, units: i64) {
    let Some(good) = world.assortment().goods.get(order.good) else {
        return;
    };
    let Some(listing) = order.place.listing(good) else {
        return;
    };
    let state = match order.state {
        OrderState::Unshipped => "Unshipped",
        OrderState::Shipped => "Shipped",
        OrderState::Cancelled => "Cancelled",
    };
    let channel = match order.place {
        Place::Amazon => "Amazon",
        Place::Goodcang => "Merchant",
    };
    let asin = good.fba.as_ref().map_or("", |listing| listing.asin.as_str());
    let pence = order.price_pence * units;
    let price = format!("{}.{:02}", pence / 100, pence % 100);
    let (ordered, updated, units) = (iso(order.ordered_at), iso(order.updated_at), units.to_string());
    let cells: [&str; 31] = [
        &order.id,
        "",
        &ordered,
        &updated,
        state,
        channel,
        "Amazon.co.uk",
        "",
        "Standard",
        &good.name,
        &listing.msku,
        asin,
        state,
        &units,
        "GBP",
        &price,
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "GB",
        "",
        "false",
        "",
        "",
    ];
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            out.push(b'\t');
        }
        push_latin1(out, cell);
    }
    out.push(b'\n');
}

/// The report of all orders whose last update lies in `[from, to)`, as it stands now.
#[must_use]
pub fn plain(world: &World, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<u8> {
    let mut out = Vec::new();
    push_latin1(&mut out, &COLUMNS.join("\t"));
    out.push(b'\n');
    let mut orders: Vec<&MarketOrder> = world
        .orders()
        .iter()
        .filter(|order| order.updated_at >= from && order.updated_at < to)
        .collect();
    orders.sort_by(|a, b| (a.updated_at, &a.id).cmp(&(b.updated_at, &b.id)));
    for order in orders {
        let second = order.second_line.unwrap_or(0);
        push_line(&mut out, world, order, order.units - second);
        if second > 0 {
            push_line(&mut out, world, order, second);
        }
    }
    out
}

/// Gzip without a time stamp, so that the same report has the same bytes.
///
/// # Errors
/// Writing to memory does not fail; the encoder's error is passed on all the same.
pub fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain)?;
    encoder.finish()
}
