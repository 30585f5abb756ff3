//! FBA inventory v1: summaries per seller SKU, paged.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use super::{Amazon, MARKETPLACE, invalid, iso, refusal};
use crate::simulate::faults::{Answer, FaultKind, halve, serve};
use crate::simulate::truth::{Place, World};

const PAGE: usize = 25;
const TOKEN_SECONDS: i64 = 30;

pub async fn summaries(
    State(amazon): State<Arc<Amazon>>,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    serve(&amazon.shared.faults, "amazon.inventory", refusal, |fault| {
        let mut answer = match amazon.admit(&headers, fault) {
            Some(denied) => denied,
            None => amazon.shared.with_world(|world| page(world, &query, fault)),
        };
        answer.rate_limit = Some("2.0");
        answer
    })
    .await
}

/// Where the next page starts and when the token was made.
fn read_token(token: &str) -> Option<(usize, DateTime<Utc>)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (offset, made) = text.split_once('@')?;
    Some((
        offset.parse().ok()?,
        DateTime::from_timestamp(made.parse().ok()?, 0)?,
    ))
}

fn page(world: &World, query: &BTreeMap<String, String>, fault: Option<&FaultKind>) -> Answer {
    let given = |name: &str| query.get(name).map_or("", String::as_str);
    if given("granularityType") != "Marketplace" {
        return invalid("Missing or invalid required parameter granularityType.");
    }
    if given("granularityId") != MARKETPLACE || given("marketplaceIds") != MARKETPLACE {
        return invalid("Missing or invalid required parameter granularityId or marketplaceIds.");
    }
    let details = given("details").eq_ignore_ascii_case("true");
    let offset = match query.get("nextToken").map(|token| read_token(token)) {
        None => 0,
        Some(Some((offset, made))) if world.now() - made <= Duration::seconds(TOKEN_SECONDS) => offset,
        Some(_) => return invalid("The nextToken is invalid or has expired."),
    };
    let goods: Vec<usize> = (0..world.assortment().goods.len())
        .filter(|good| {
            world
                .assortment()
                .goods
                .get(*good)
                .is_some_and(|good| good.fba.is_some())
        })
        .collect();
    let rows: Vec<Value> = if fault == Some(&FaultKind::EmptyList) {
        Vec::new()
    } else {
        goods
            .iter()
            .skip(offset)
            .take(PAGE)
            .filter_map(|good| summary(world, *good, details))
            .collect()
    };
    let mut body = json!({
        "payload": {
            "granularity": { "granularityType": "Marketplace", "granularityId": MARKETPLACE },
            "inventorySummaries": rows,
        },
    });
    if offset + PAGE < goods.len() && fault != Some(&FaultKind::EmptyList) {
        let token = URL_SAFE_NO_PAD.encode(format!("{}@{}", offset + PAGE, world.now().timestamp()));
        body["pagination"] = json!({ "nextToken": token });
    }
    let mut answer = Answer::json(StatusCode::OK, &body);
    if fault == Some(&FaultKind::HalfPage) {
        halve(&mut answer.body);
    }
    if fault == Some(&FaultKind::ChangedColumn) {
        let text =
            String::from_utf8_lossy(&answer.body).replace("\"fulfillableQuantity\"", "\"sellableQuantity\"");
        answer.body = text.into_bytes();
    }
    answer
}

fn summary(world: &World, index: usize, details: bool) -> Option<Value> {
    let good = world.assortment().goods.get(index)?;
    let listing = good.fba.as_ref()?;
    let shelf = world.shelf(Place::Amazon, index);
    let (mut working, mut shipped, mut receiving) = (0, 0, shelf.dock);
    for shipment in world
        .shipments()
        .values()
        .filter(|shipment| shipment.place == Place::Amazon)
    {
        for line in shipment.lines.iter().filter(|line| line.good == index) {
            let units = line.moving.min(line.announced);
            if !shipment.handed_over {
                working += units;
            } else if shipment
                .milestone("delivered")
                .is_some_and(|at| at <= world.now())
            {
                receiving += units;
            } else {
                shipped += units;
            }
        }
    }
    let total = shelf.available + shelf.reserved + shelf.damaged + working + shipped + receiving;
    let mut row = json!({
        "asin": listing.asin,
        "fnSku": listing.warehouse_code,
        "sellerSku": listing.msku,
        "condition": "NewItem",
        "lastUpdatedTime": iso(world.now()),
        "productName": good.name,
        "totalQuantity": total,
        "stores": [],
    });
    if details {
        row["inventoryDetails"] = json!({
            "fulfillableQuantity": shelf.available,
            "inboundWorkingQuantity": working,
            "inboundShippedQuantity": shipped,
            "inboundReceivingQuantity": receiving,
            "reservedQuantity": {
                "totalReservedQuantity": shelf.reserved,
                "pendingCustomerOrderQuantity": shelf.reserved,
                "pendingTransshipmentQuantity": 0,
                "fcProcessingQuantity": 0,
            },
            "researchingQuantity": { "totalResearchingQuantity": 0, "researchingQuantityBreakdown": [] },
            "unfulfillableQuantity": {
                "totalUnfulfillableQuantity": shelf.damaged,
                "customerDamagedQuantity": 0,
                "warehouseDamagedQuantity": 0,
                "distributorDamagedQuantity": 0,
                "carrierDamagedQuantity": shelf.damaged,
                "defectiveQuantity": 0,
                "expiredQuantity": 0,
            },
        });
    }
    Some(row)
}
