use proptest::prelude::*;

use super::*;
use crate::claim::evidence::{Paper, Tag};

fn subject() -> Subject {
    Subject {
        order: OrderNo::new("BH260907-01").unwrap(),
        warehouse: WarehouseCode::new("goodcang:UKMA").unwrap(),
        kind: LossKind::Loss,
    }
}

fn event(kind: CaseEventKind) -> CaseEvent {
    CaseEvent {
        at: DateTime::from_timestamp(1_780_000_000, 0).unwrap(),
        by: "wang".to_owned(),
        kind,
    }
}

fn opened() -> CaseEventKind {
    CaseEventKind::Opened { subject: subject() }
}

fn units(difference: &str, units: i64) -> CaseEventKind {
    CaseEventKind::Units {
        line: Missing {
            difference: difference.to_owned(),
            sku: Sku::new("A1").unwrap(),
            carton: None,
            units,
        },
        before: 0,
    }
}

fn evidence(sha256: &str) -> CaseEventKind {
    CaseEventKind::EvidenceAdded {
        evidence: Evidence {
            paper: Paper::DeliveryProof,
            name: "POD.pdf".to_owned(),
            sha256: sha256.to_owned(),
            tag: Tag::Open,
            cartons: Some(20),
            clean: Some(true),
            at: None,
            note: String::new(),
            costs: Vec::new(),
        },
    }
}

fn assigned() -> CaseEventKind {
    CaseEventKind::Assigned {
        party: Party::Carrier,
        reason: "POD".to_owned(),
    }
}

fn closed() -> CaseEventKind {
    CaseEventKind::Closed {
        reason: "found".to_owned(),
    }
}

fn log(kinds: Vec<CaseEventKind>) -> Result<Case, CaseError> {
    let events: Vec<CaseEvent> = kinds.into_iter().map(event).collect();
    replay(&events)
}

#[test]
fn r68_a_case_is_opened_assigned_and_closed_and_a_person_decides() {
    let case = log(vec![
        opened(),
        units("d1", 20),
        units("d2", 5),
        units("d1", 12),
        assigned(),
    ])
    .unwrap();
    assert_eq!((case.number.as_str(), case.units()), ("BH260907-01-L", 17));
    assert_eq!(
        (case.state, case.against()),
        (CaseState::Assigned, Some(Party::Carrier))
    );
    let shut = log(vec![opened(), assigned(), closed()]).unwrap();
    assert_eq!(shut.state, CaseState::Closed);
}

#[test]
fn r68_what_is_closed_takes_no_more_until_it_is_opened_again() {
    let error = log(vec![opened(), closed(), evidence("a")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "case BH260907-01-L is closed: nothing can be added until it is opened again"
    );
    let reopened = CaseEventKind::Reopened {
        reason: "more units".to_owned(),
    };
    assert!(log(vec![opened(), closed(), reopened.clone(), evidence("a")]).is_ok());
    assert!(log(vec![opened(), reopened]).is_err());
    assert_eq!(log(vec![units("d1", 1)]).unwrap_err(), CaseError::NotOpened);
    assert!(log(vec![opened(), opened()]).is_err());
    assert!(log(vec![opened(), units("d1", -1)]).is_err());
}

#[test]
fn r69_the_same_file_for_the_same_paper_is_refused() {
    let error = log(vec![opened(), evidence("a"), evidence("a")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "case BH260907-01-L: the same file as delivery_proof is there already"
    );
    assert_eq!(
        log(vec![opened(), evidence("a"), evidence("b")])
            .unwrap()
            .evidence
            .len(),
        2
    );
}

proptest! {
    /// What is accepted replays to the same case; units are the last word on each difference, and never below zero.
    #[test]
    fn r68_accepted_events_replay_to_the_same_case(picks in proptest::collection::vec((0_u8..6, -3_i64..30, 0_u8..3), 0..40)) {
        let mut accepted = vec![event(opened())];
        let mut case = Some(apply(None, &accepted[0]).unwrap());
        let mut last: BTreeMap<String, i64> = BTreeMap::new();
        for (pick, count, which) in picks {
            let name = format!("d{which}");
            let kind = match pick {
                0 => units(&name, count),
                1 => assigned(),
                2 => evidence(&name),
                3 => closed(),
                4 => CaseEventKind::Reopened { reason: String::new() },
                _ => opened(),
            };
            let next = event(kind.clone());
            if let Ok(after) = apply(case.clone(), &next) {
                if let CaseEventKind::Units { line, .. } = kind {
                    last.insert(line.difference, line.units);
                }
                case = Some(after);
                accepted.push(next);
            }
        }
        let again = replay(&accepted).unwrap();
        prop_assert_eq!(Some(&again), case.as_ref());
        prop_assert_eq!(again.units(), last.values().sum::<i64>());
        prop_assert!(again.units() >= 0);
    }
}
