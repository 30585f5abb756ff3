//! Shuffled, doubled, in the future, in unknown words: the story stays the same or says why.

use proptest::prelude::*;

use super::*;
use crate::ids::SourceId;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn told(kind: &str, status: EventStatus, when: &str) -> TrackingEvent {
    TrackingEvent {
        source: SourceId::new("huatuo").unwrap(),
        key: String::new(),
        shipment: Some("BH260504-01".to_owned()),
        container: None,
        kind: kind.to_owned(),
        status,
        at: at(when),
        place: None,
        vessel: None,
        voyage: None,
        text: None,
        told_at: None,
    }
    .with_key(None)
}

fn actual(kind: &str, when: &str) -> TrackingEvent {
    told(kind, EventStatus::Actual, when)
}

fn placed(kind: &str, when: &str, place: &str) -> TrackingEvent {
    TrackingEvent {
        place: Some(place.to_owned()),
        ..actual(kind, when)
    }
    .with_key(None)
}

const NOW: &str = "2026-06-20T00:00:00Z";

fn of(events: &[TrackingEvent]) -> Story {
    let route = Route {
        from: "CNYTN",
        to: "GBFXT",
    };
    let words = Words::shipped().unwrap();
    story(events, &words, route, at("2026-05-04T00:00:00Z"), at(NOW))
}

fn voyage() -> Vec<TrackingEvent> {
    vec![
        actual("已提货", "2026-05-08T02:00:00Z"),
        placed("DEPA", "2026-05-20T10:00:00Z", "CNYTN"),
        placed("ARRI", "2026-06-02T10:00:00Z", "SGSIN"),
        placed("DEPA", "2026-06-03T10:00:00Z", "SGSIN"),
        placed("ARRI", "2026-06-18T05:30:00Z", "GBFXT"),
        actual("海关查验", "2026-06-18T12:00:00Z"),
    ]
}

#[test]
fn the_shipped_words_are_sound() {
    let words = Words::shipped().unwrap();
    assert_eq!(words.meaning(&actual("depa", NOW)), Some(Milestone::Departed));
    assert_eq!(
        words.meaning(&actual("货物已到港,等待卸船", NOW)),
        Some(Milestone::Arrived)
    );
    assert_eq!(words.meaning(&actual("InTransit_Other", NOW)), None);
    assert_eq!(
        words.meaning(&actual("customs_released", NOW)),
        Some(Milestone::CustomsReleased)
    );
}

#[test]
fn r66_a_stop_on_the_way_is_no_departure_and_no_arrival() {
    let found = of(&voyage());
    assert_eq!(found.at(Milestone::Departed), Some(at("2026-05-20T10:00:00Z")));
    assert_eq!(found.at(Milestone::Arrived), Some(at("2026-06-18T05:30:00Z")));
    assert_eq!(
        found.at(Milestone::Transshipped),
        Some(at("2026-06-03T10:00:00Z"))
    );
}

#[test]
fn r51_an_exam_holds_until_a_later_release() {
    let mut events = voyage();
    assert_eq!(of(&events).in_customs(), Some(at("2026-06-18T12:00:00Z")));
    events.push(actual("清关放行", "2026-06-17T12:00:00Z"));
    assert!(
        of(&events).in_customs().is_some(),
        "released before it was examined"
    );
    events.push(actual("清关放行", "2026-06-19T12:00:00Z"));
    assert_eq!(of(&events).in_customs(), None);
}

#[test]
fn r66_events_in_the_future_or_before_the_order_are_kept_flagged_and_not_used() {
    let found = of(&[
        actual("已签收", "2027-06-20T00:00:00Z"),
        actual("已离港", "1970-01-01T00:00:00Z"),
        actual("货物状态更新", "2026-06-01T00:00:00Z"),
    ]);
    assert!(found.reached.is_empty() && found.expected.is_empty());
    let why: Vec<Aside> = found.aside.iter().map(|(why, ..)| *why).collect();
    assert_eq!(why, [Aside::BeforeOrder, Aside::Unknown, Aside::Future]);
}

#[test]
fn r51_a_word_explained_later_holds_for_all_events_of_the_past() {
    let events = [actual("货物状态更新", "2026-06-01T00:00:00Z")];
    let own = "version = 1\n[[means]]\nmilestone = 'gate_out'\nis = ['货物状态更新']\n";
    let words = Words::shipped().unwrap().and(own, "milestones.toml").unwrap();
    let found = story(
        &events,
        &words,
        Route::default(),
        at("2026-05-04T00:00:00Z"),
        at(NOW),
    );
    assert_eq!(found.at(Milestone::GateOut), Some(at("2026-06-01T00:00:00Z")));
    assert!(found.aside.is_empty());
}

#[test]
fn the_newest_estimate_counts_and_what_has_happened_needs_none() {
    let estimate = |when: &str, told_at: &str, status| {
        TrackingEvent {
            told_at: Some(at(told_at)),
            vessel: Some("NORTHERN STAR".to_owned()),
            voyage: Some("2610W".to_owned()),
            ..told("ARRI", status, when)
        }
        .with_key(None)
    };
    let mut events = vec![
        estimate(
            "2026-06-25T00:00:00Z",
            "2026-06-10T00:00:00Z",
            EventStatus::Estimated,
        ),
        estimate(
            "2026-06-22T00:00:00Z",
            "2026-05-01T00:00:00Z",
            EventStatus::Planned,
        ),
        estimate(
            "2026-06-27T00:00:00Z",
            "2026-06-15T00:00:00Z",
            EventStatus::Estimated,
        ),
        told("截关", EventStatus::Actual, "2026-06-30T04:00:00Z"),
    ];
    let found = of(&events);
    assert_eq!(found.at(Milestone::Arrived), Some(at("2026-06-27T00:00:00Z")));
    assert_eq!(found.vessel.as_deref(), Some("NORTHERN STAR 2610W"));
    // A cut-off lies ahead by nature.
    assert_eq!(found.at(Milestone::CargoCutOff), Some(at("2026-06-30T04:00:00Z")));
    events.push(actual("已到港", "2026-06-19T00:00:00Z"));
    let found = of(&events);
    assert_eq!(found.at(Milestone::Arrived), Some(at("2026-06-19T00:00:00Z")));
    assert!(!found.expected.contains_key(&Milestone::Arrived));
}

#[test]
fn a_bad_file_of_words_is_told_with_everything_in_it() {
    let text = "version = 1\n[[means]]\nmilestone = 'sailed'\nis = ['x']\n[[means]]\nmilestone = 'departed'\n\
                [[means]]\nmilestone = 'arrived'\nis = ['a', 'A', '']\n";
    let told: Vec<String> = Words::default()
        .and(text, "own.toml")
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(told.len(), 4, "{told:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn r66_shuffled_and_doubled_events_tell_the_same_story(
        order in Just((0..6).chain(0..6).collect::<Vec<usize>>()).prop_shuffle(),
    ) {
        let events = voyage();
        let mixed: Vec<TrackingEvent> = order.iter().map(|index| events[*index].clone()).collect();
        prop_assert_eq!(of(&mixed), of(&events));
    }
}
