use proptest::prelude::*;

use super::*;
use crate::claim::amount::Uncovered;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn usd(cents: i64) -> Money {
    Money::new(Decimal::new(cents, 2), Currency::USD)
}

fn amount(cents: i64) -> Amount {
    Amount {
        total: usd(cents),
        terms: Vec::new(),
        uncovered: Vec::new(),
        row: "montreal-26".to_owned(),
        source: "s".to_owned(),
    }
}

fn asked(cents: i64) -> Asked {
    Asked {
        case: "BH260907-01-L".to_owned(),
        order: OrderNo::new("BH260907-01").unwrap(),
        warehouse: WarehouseCode::new("goodcang:UKMA").unwrap(),
        kind: LossKind::Loss,
        party: Party::Carrier,
        regime: "montreal".to_owned(),
        lines: vec![Claimed {
            difference: "d1".to_owned(),
            sku: Sku::new("A1").unwrap(),
            units: 20,
        }],
        amount: amount(cents),
        beside: Vec::new(),
    }
}

fn event(kind: ClaimEventKind) -> ClaimEvent {
    ClaimEvent {
        at: DateTime::from_timestamp(1_780_000_000, 0).unwrap(),
        by: "wang".to_owned(),
        kind,
    }
}

fn drafted(cents: i64) -> ClaimEventKind {
    ClaimEventKind::Drafted { asked: asked(cents) }
}

fn submitted() -> ClaimEventKind {
    ClaimEventKind::Submitted {
        on: day("2026-10-20"),
        ticket: "T-17".to_owned(),
    }
}

fn accepted(cents: i64) -> ClaimEventKind {
    ClaimEventKind::Answered {
        on: day("2026-11-01"),
        answer: Answer::Accepted { amount: usd(cents) },
    }
}

fn rejected() -> ClaimEventKind {
    ClaimEventKind::Answered {
        on: day("2026-11-01"),
        answer: Answer::Rejected {
            reason: "no POD".to_owned(),
        },
    }
}

fn appealed() -> ClaimEventKind {
    ClaimEventKind::Appealed {
        on: day("2026-11-05"),
        reason: "POD found".to_owned(),
    }
}

fn paid(reference: &str, money: Money) -> ClaimEventKind {
    ClaimEventKind::Paid {
        payment: Payment {
            reference: reference.to_owned(),
            amount: money,
            on: day("2026-11-10"),
        },
    }
}

fn log(kinds: Vec<ClaimEventKind>) -> Result<Claim, ClaimError> {
    let events: Vec<ClaimEvent> = kinds.into_iter().map(event).collect();
    replay("BH260907-01-L-1", &events)
}

#[test]
fn r70_rejected_appealed_accepted_and_paid_in_parts() {
    let claim = log(vec![
        drafted(100_000),
        submitted(),
        rejected(),
        appealed(),
        accepted(80_000),
        paid("B1", usd(30_000)),
    ])
    .unwrap();
    assert_eq!(
        (claim.state, claim.outstanding()),
        (ClaimState::Accepted, Some(usd(50_000)))
    );
    let claim = log(vec![
        drafted(100_000),
        submitted(),
        accepted(80_000),
        paid("B1", usd(30_000)),
        paid("B2", usd(50_000)),
    ])
    .unwrap();
    assert_eq!(
        (claim.state, claim.ticket.as_deref()),
        (ClaimState::Settled, Some("T-17"))
    );
    assert_eq!(claim.recovered()[&Currency::USD], Decimal::new(80_000, 2));
}

#[test]
fn r70_the_same_payment_is_counted_once_and_another_under_its_number_refused() {
    let claim = log(vec![
        drafted(100_000),
        submitted(),
        paid("B1", usd(30_000)),
        paid("B1", usd(30_000)),
    ])
    .unwrap();
    assert_eq!(claim.payments.len(), 1);
    let error = log(vec![
        drafted(100_000),
        submitted(),
        paid("B1", usd(30_000)),
        paid("B1", usd(31_000)),
    ])
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "claim BH260907-01-L-1: payment `B1` is known as 300.00 USD, not 310.00 USD"
    );
}

#[test]
fn r70_nobody_pays_more_than_was_asked_nor_less_than_nothing() {
    let too_much = log(vec![
        drafted(100_000),
        submitted(),
        paid("B1", usd(60_000)),
        paid("B2", usd(40_001)),
    ]);
    assert_eq!(
        too_much.unwrap_err().to_string(),
        "claim BH260907-01-L-1: 1000.01 USD is more than the 1000.00 USD that was asked"
    );
    assert!(log(vec![drafted(100_000), submitted(), accepted(100_001)]).is_err());
    assert!(log(vec![drafted(100_000), submitted(), paid("B1", usd(0))]).is_err());
    let cny = Money::new(Decimal::new(720_000, 2), Currency::CNY);
    let mixed = log(vec![
        drafted(100_000),
        submitted(),
        paid("B1", cny),
        paid("B2", usd(1_000)),
    ])
    .unwrap();
    assert_eq!(mixed.recovered().len(), 2, "currencies are not added");
}

#[test]
fn r70_a_claim_whose_invoices_do_not_cover_the_units_does_not_go_out() {
    let mut asked = asked(100_000);
    asked.amount.uncovered = vec![Uncovered {
        sku: Sku::new("A1").unwrap(),
        need: 400,
        have: 380,
    }];
    let error = log(vec![ClaimEventKind::Drafted { asked }, submitted()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "claim BH260907-01-L-1: cost invoices do not cover the units: A1 has 380 of 400"
    );
}

#[test]
fn r70_steps_that_cannot_follow_are_refused() {
    for wrong in [
        vec![submitted()],
        vec![drafted(1), drafted(1)],
        vec![drafted(1), accepted(1)],
        vec![drafted(1), paid("B1", usd(1))],
        vec![drafted(1), submitted(), submitted()],
        vec![drafted(1), submitted(), appealed()],
        vec![drafted(1), submitted(), accepted(1), appealed()],
    ] {
        assert!(log(wrong.clone()).is_err(), "{wrong:?}");
    }
    let withdrawn = ClaimEventKind::Withdrawn {
        reason: "found".to_owned(),
    };
    assert!(log(vec![drafted(1), withdrawn.clone()]).is_ok());
    assert!(log(vec![drafted(100), submitted(), paid("B1", usd(1)), withdrawn]).is_err());
}

proptest! {
    /// Whatever is accepted: what came is at most what was asked in its currency, and the log replays to the same claim.
    #[test]
    fn r70_recovered_money_is_never_more_than_was_asked(picks in proptest::collection::vec((0_u8..7, 1_i64..120_000, 0_u8..4), 0..40)) {
        let mut accepted_events = vec![event(drafted(100_000))];
        let mut claim = Some(apply("c", None, &accepted_events[0]).unwrap());
        for (pick, cents, which) in picks {
            let next = event(match pick {
                0 => submitted(),
                1 => accepted(cents),
                2 => rejected(),
                3 => appealed(),
                4 | 5 => paid(&format!("B{which}"), usd(cents)),
                _ => ClaimEventKind::Withdrawn { reason: String::new() },
            });
            if let Ok(after) = apply("c", claim.clone(), &next) {
                claim = Some(after);
                accepted_events.push(next);
            }
        }
        let again = replay("c", &accepted_events).unwrap();
        prop_assert_eq!(Some(&again), claim.as_ref());
        let sum = again.recovered().get(&Currency::USD).copied().unwrap_or_default();
        prop_assert!(sum <= Decimal::new(100_000, 2));
        prop_assert!(again.state != ClaimState::Withdrawn || again.payments.is_empty());
    }
}
