//! Certificates, what gates said of orders, and orders changed by hand: what the store answers, word for word.

use linkstar::ids::AccountId;
use linkstar::order::Certificate;
use linkstar::store::order_checks::{self, OrderCheck};
use linkstar::store::orders::StoredOrder;
use linkstar::store::{Tx, certificates, order_desk, sscc};

use super::contract::later;
use crate::night::shop::date;

macro_rules! say {
    ($said:ident, $($call:tt)+) => {
        $said.push(format!("{} = {:?}", stringify!($($call)+), $($call)+.await))
    };
}

pub async fn desk(tx: &mut Tx, account: &AccountId, stored: &StoredOrder) -> Vec<String> {
    let mut said = Vec::new();
    let order = &stored.order;
    let mut paper = Certificate {
        kind: "ce".to_owned(),
        number: "CE-1".to_owned(),
        issuer: "实验室".to_owned(),
        country: String::new(),
        skus: vec![order.lines[0].goods.sku.clone()],
        categories: Vec::new(),
        valid_from: None,
        valid_to: Some(date(100)),
        owner: String::new(),
        sha256: None,
        file_name: "ce.pdf".to_owned(),
    };
    let bytes = &b"%PDF-1.7\n"[..];
    for given in [Some(bytes), None] {
        say!(said, certificates::keep(tx, account, &paper, given, later()));
    }
    paper.valid_to = None;
    say!(said, certificates::keep(tx, account, &paper, None, later()));
    say!(said, certificates::all(tx, account));
    for _ in 0..2 {
        let check = OrderCheck::default();
        say!(said, order_checks::keep(tx, account, order, &check, later()));
    }
    say!(said, order_checks::of_order(tx, account, &order.number));
    say!(said, order_checks::declared_since(tx, account, date(-70)));
    say!(said, order_desk::replace(tx, account, order, stored.eta_p90));
    for _ in 0..2 {
        say!(said, order_desk::keep_revision(tx, account, &order.number));
    }
    say!(said, order_desk::revisions(tx, account, &order.number));
    for (prefix, count) in [("6901234", 3), ("6901234", 1), ("6909999", 2), ("6901234", 0)] {
        say!(said, sscc::take(tx, account, prefix, count));
    }
    let sku = &order.lines[0].goods.sku;
    let both = (&order.number, &order.number);
    say!(said, order_desk::move_line(tx, account, sku, both));
    said
}
