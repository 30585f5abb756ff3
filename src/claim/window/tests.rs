use proptest::prelude::*;

use super::*;
use crate::claim::rules::ClaimRules;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn days(delivered: &str) -> Days {
    Days {
        delivered: Some(day(delivered)),
        ..Days::default()
    }
}

fn found(regime: &str, kind: LossKind, country: &str, days: &Days) -> Result<Window, NoWindow> {
    let rules = ClaimRules::shipped().unwrap();
    window(&rules, regime, (kind, country), days, day("2026-11-23"))
}

#[test]
fn r70_short_found_on_day_3_is_not_before_day_15_and_not_after_day_60() {
    let found = found("amazon-inbound", LossKind::Loss, "GB", &days("2026-09-01")).unwrap();
    assert_eq!(found.not_before, Some(day("2026-09-16")));
    assert_eq!(found.last_day, day("2026-10-31"));
    assert_eq!((found.last_day - found.since).num_days(), 60);
}

#[test]
fn r70_pages_that_disagree_give_the_narrowest_dates_and_are_both_named() {
    let us = found("amazon-inbound", LossKind::Loss, "US", &days("2026-09-01")).unwrap();
    assert_eq!(us.last_day, day("2026-10-31"));
    let ids: Vec<&str> = us.used.iter().map(|used| used.id.as_str()).collect();
    assert_eq!(ids, ["amazon-inbound-us-9m", "amazon-inbound-60d"]);
    // Before the change only the nine months held.
    let before = found("amazon-inbound", LossKind::Loss, "US", &days("2024-10-22")).unwrap();
    assert_eq!((before.not_before, before.last_day), (None, day("2025-07-22")));
}

#[test]
fn r70_a_marketplace_and_day_without_a_row_is_an_error_that_names_both() {
    let error = found("amazon-inbound", LossKind::Loss, "GB", &days("2024-10-22")).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @"no clock of `amazon-inbound` for loss in GB holds on 2024-10-22; known: amazon-inbound-60d 2024-10-23..");
    let error = found("amazon-fc", LossKind::Loss, "JP", &days("2026-09-01")).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @"no clock of `amazon-fc` for loss in JP holds on 2026-11-23; known: none");
    let error = found("montreal", LossKind::Loss, "GB", &Days::default()).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @"the clock of `montreal-damage` counts from the day it was delivered, and nobody knows that day");
}

#[test]
fn r70_conventions_by_hand() {
    let by = |regime, kind| {
        let found = found(regime, kind, "GB", &days("2026-02-28")).unwrap();
        (
            found.notice_by.map(|day| day.to_string()).unwrap_or_default(),
            found.last_day.to_string(),
        )
    };
    let is = |notice: &str, last: &str| (notice.to_owned(), last.to_owned());
    assert_eq!(by("hague-visby", LossKind::Loss), is("2026-03-03", "2027-02-28"));
    assert_eq!(by("montreal", LossKind::Damage), is("2026-03-14", "2028-02-28"));
    assert_eq!(by("montreal", LossKind::Delay), is("2026-03-21", "2028-02-28"));
    assert_eq!(by("cmr", LossKind::Loss), is("2026-03-07", "2027-02-28"));
    assert_eq!(by("cmr", LossKind::Delay), is("2026-03-21", "2027-02-28"));
    assert_eq!(by("cim", LossKind::Delay), is("2026-04-29", "2027-02-28"));
    assert_eq!(by("fiata-fbl", LossKind::Loss), is("2026-03-06", "2026-11-28"));
    assert_eq!(by("carmack", LossKind::Loss), is("", "2026-11-28"));
}

#[test]
fn r70_the_suit_of_carmack_runs_from_the_refusal() {
    let mut known = days("2026-02-28");
    assert_eq!(
        found("carmack", LossKind::Loss, "US", &known).unwrap().suit_by,
        None
    );
    known.declined = Some(day("2026-08-31"));
    let suit = found("carmack", LossKind::Loss, "US", &known).unwrap().suit_by;
    assert_eq!(suit, Some(day("2028-08-31")));
}

proptest! {
    /// A window never ends before it begins to count, and a later delivery never ends it earlier within the same rows.
    #[test]
    fn r70_windows_move_with_the_day_they_count_from(offset in 0_i64..600, regime in proptest::sample::select(vec!["hague-visby", "us-cogsa", "montreal", "cmr", "cim", "fiata-fbl", "carmack", "amazon-inbound"])) {
        let start = day("2025-04-01") + chrono::Duration::days(offset);
        let at = |day: NaiveDate| {
            let days = Days { delivered: Some(day), ..Days::default() };
            found(regime, LossKind::Loss, "US", &days).unwrap()
        };
        let (one, next) = (at(start), at(start + chrono::Duration::days(1)));
        prop_assert!(one.last_day >= one.since);
        prop_assert!(one.not_before.is_none_or(|first| first <= one.last_day));
        prop_assert!(next.last_day >= one.last_day);
    }
}
