//! A case, two claims on its units, and the money of one: what the store answers, word for word.

use linkstar::claim::amount::Amount;
use linkstar::claim::case::{CaseEvent, CaseEventKind, Missing, Subject};
use linkstar::claim::evidence::{Evidence, Paper, Tag};
use linkstar::claim::state::{Asked, ClaimEvent, ClaimEventKind, Claimed, Payment};
use linkstar::claim::{LossKind, Party};
use linkstar::ids::AccountId;
use linkstar::money::{Currency, Money};
use linkstar::store::orders::StoredOrder;
use linkstar::store::{Tx, claims};

use super::contract::later;
use crate::night::shop::date;

macro_rules! say {
    ($said:ident, $($call:tt)+) => {
        $said.push(format!("{} = {:?}", stringify!($($call)+), $($call)+.await))
    };
}

fn case(kind: CaseEventKind) -> CaseEvent {
    CaseEvent {
        at: later(),
        by: "小王".to_owned(),
        kind,
    }
}

fn claim(kind: ClaimEventKind) -> ClaimEvent {
    ClaimEvent {
        at: later(),
        by: "小王".to_owned(),
        kind,
    }
}

fn missing(stored: &StoredOrder, units: i64) -> CaseEvent {
    case(CaseEventKind::Units {
        line: Missing {
            difference: "d1".to_owned(),
            sku: stored.order.lines[0].goods.sku.clone(),
            carton: None,
            units,
        },
        before: 0,
    })
}

fn asked(stored: &StoredOrder, subject: &Subject, units: i64) -> Asked {
    Asked {
        case: subject.number(),
        order: subject.order.clone(),
        warehouse: subject.warehouse.clone(),
        kind: LossKind::Loss,
        party: Party::Carrier,
        regime: "cmr".to_owned(),
        lines: vec![Claimed {
            difference: "d1".to_owned(),
            sku: stored.order.lines[0].goods.sku.clone(),
            units,
        }],
        beside: Vec::new(),
        amount: Amount {
            total: Money::new(units.into(), Currency::GBP),
            terms: Vec::new(),
            uncovered: Vec::new(),
            row: "cmr".to_owned(),
            source: "s".to_owned(),
        },
    }
}

pub async fn claimed(tx: &mut Tx, account: &AccountId, stored: &StoredOrder) -> Vec<String> {
    let mut said = Vec::new();
    let who = ("小王", later());
    let subject = Subject {
        order: stored.order.number.clone(),
        warehouse: stored.order.warehouse.clone(),
        kind: LossKind::Loss,
    };
    let number = subject.number();
    say!(said, claims::hold(tx, account, later()));
    for _ in 0..2 {
        say!(said, claims::open(tx, account, &subject, who));
    }
    say!(said, claims::append(tx, account, &number, missing(stored, 9)));
    say!(said, claims::append(tx, account, &number, missing(stored, 8)));
    say!(said, claims::append(tx, account, "none", missing(stored, 8)));
    say!(said, claims::draft(tx, account, asked(stored, &subject, 5), who));
    say!(said, claims::draft(tx, account, asked(stored, &subject, 2), who));
    say!(said, claims::free(tx, account, "d1"));
    say!(said, claims::free(tx, account, "d2"));
    say!(said, claims::held(tx, account, "d1"));
    let (one, two) = (format!("{number}-1"), format!("{number}-2"));
    let withdrawn = claim(ClaimEventKind::Withdrawn {
        reason: "no".to_owned(),
    });
    say!(said, claims::append_claim(tx, account, &two, withdrawn));
    let submitted = claim(ClaimEventKind::Submitted {
        on: date(1),
        ticket: "T-1".to_owned(),
    });
    say!(said, claims::append_claim(tx, account, &one, submitted));
    for _ in 0..2 {
        let paid = claim(ClaimEventKind::Paid {
            payment: Payment {
                reference: "B-1".to_owned(),
                amount: Money::new(2.into(), Currency::GBP),
                on: date(2),
            },
        });
        say!(said, claims::append_claim(tx, account, &one, paid));
    }
    let out = claims::claim(tx, account, &one)
        .await
        .expect("readable")
        .expect("a claim");
    say!(said, claims::found(tx, account, &out, ("d1", 3), who));
    say!(said, claims::append(tx, account, &number, missing(stored, 3)));
    let evidence = Evidence {
        paper: Paper::DeliveryProof,
        name: "POD 签收.pdf".to_owned(),
        sha256: String::new(),
        tag: Tag::Open,
        cartons: Some(3),
        clean: None,
        at: Some(later()),
        note: String::new(),
        costs: Vec::new(),
    };
    say!(
        said,
        claims::add_evidence(tx, account, &number, (evidence, b"20"), who)
    );
    say!(said, claims::cases(tx, account));
    say!(said, claims::claims(tx, account));
    say!(said, claims::case_events(tx, account, &number));
    say!(said, claims::claim_events(tx, account, &one));
    say!(said, claims::recoveries(tx, account));
    said
}
