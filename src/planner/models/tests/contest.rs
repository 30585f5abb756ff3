//! The tournament, cleaning, classes and velocity rules, by example.

use chrono::NaiveDate;

use super::super::tournament::{Contest, FAST, Model, run};
use super::super::*;

fn contest() -> Contest {
    Contest {
        interval: 6,
        target: 0.95,
        warm_up: 20,
        stride: 2,
        best: 3,
    }
}

fn rising() -> Vec<f64> {
    (0..60).map(|t| 10.0 + f64::from(t) + f64::from(t % 3)).collect()
}

/// A model that lags behind is judged by its lag, whatever its errors have in common.
#[test]
fn growing_demand_is_won_by_the_model_that_knows_trends() {
    let y: Vec<f64> = (0..60).map(|t| 10.0 * 1.05_f64.powi(t)).collect();
    let models = [
        Model::Naive,
        Model::Ses(0.1),
        Model::WindowAverage(13),
        Model::Holt(Damping::None),
    ];
    let verdict = run(
        &y,
        &models,
        &Contest {
            best: 1,
            target: 0.5,
            ..contest()
        },
    )
    .unwrap();
    assert_eq!(verdict.chosen, [Model::Holt(Damping::None)]);
    let error_of = |model| {
        verdict
            .scores
            .iter()
            .find(|score| score.model == model)
            .unwrap()
            .error
    };
    assert!(error_of(Model::WindowAverage(13)) > error_of(Model::Naive));
    assert!(error_of(Model::Naive) > error_of(Model::Holt(Damping::None)).abs());
}

/// A series whose every interval holds the same sum is judged by the sum: one-step errors would prefer no model that
/// smooths, for all its steps are wrong by half.
#[test]
fn models_are_judged_by_sums_over_the_interval_not_by_single_steps() {
    let y: Vec<f64> = (0..60).map(|t| if t % 2 == 0 { 10.0 } else { 0.0 }).collect();
    let models = [Model::Naive, Model::WindowAverage(2)];
    let verdict = run(
        &y,
        &models,
        &Contest {
            best: 1,
            stride: 1,
            ..contest()
        },
    )
    .unwrap();
    assert_eq!(verdict.chosen, [Model::WindowAverage(2)]);
    assert!(verdict.scores[0].error.abs() < 1e-9);
    assert!(verdict.scores[0].loss < verdict.scores[1].loss);
}

#[test]
fn equal_losses_keep_the_order_the_models_were_named_in() {
    let y = vec![4.0; 50];
    let verdict = run(&y, &FAST, &contest()).unwrap();
    // All but SBA, which takes 5 % off, forecast a constant exactly.
    assert_eq!(verdict.chosen, FAST[..3]);
    let mut turned = FAST;
    turned.reverse();
    let verdict = run(&y, &turned, &contest()).unwrap();
    assert_eq!(verdict.chosen, turned[..3]);
}

#[test]
fn an_origin_sees_nothing_after_itself() {
    let mut y = rising();
    let before = run(&y, &FAST, &contest()).unwrap();
    // The errors of all origins but those whose interval reaches the last period stay what they were.
    *y.last_mut().unwrap() += 1_000.0;
    let models: Vec<Model> = before.scores.iter().map(|score| score.model).collect();
    let all = Contest {
        best: models.len(),
        ..contest()
    };
    let before = run(&rising(), &models, &all).unwrap();
    let after = run(&y, &models, &all).unwrap();
    let last = before.errors.len() - 1;
    for (before, after) in before.errors[..last].iter().zip(&after.errors) {
        // The mean of the same figures in another order.
        assert!((before - after).abs() < 1e-9);
    }
    assert!((after.errors[last] - before.errors[last] - 1_000.0).abs() < 1e-6);
}

#[test]
fn a_history_too_short_to_judge_averages_all_models_and_says_so() {
    let verdict = run(&[1.0, 2.0, 0.0], &FAST, &contest()).unwrap();
    assert!(verdict.scores.is_empty() && verdict.errors.is_empty());
    // Three periods hold no interval of six.
    assert_eq!(verdict.quantile(0.95), None);
    assert_eq!(verdict.forecast.len(), 6);
    // The window of thirteen does not fit.
    assert_eq!(verdict.chosen.len(), FAST.len() - 1);
}

#[test]
fn the_quantile_of_a_verdict_covers_what_it_promises_on_its_own_past() {
    let y: Vec<f64> = (0..120).map(|t| f64::from((t * 7919) % 13)).collect();
    let verdict = run(&y, &FAST, &contest()).unwrap();
    let sum: f64 = verdict.forecast.iter().sum();
    let q = |share| verdict.quantile(share).unwrap();
    assert!(q(0.5) <= q(0.9) && q(0.9) <= q(0.99));
    let covered = verdict
        .deviations
        .iter()
        .filter(|far| sum + **far <= q(0.9) + 1e-9)
        .count();
    assert!((covered + 1) * 10 >= verdict.deviations.len() * 9);
}

#[test]
fn a_spike_is_cut_and_its_units_are_kept_beside() {
    let mut y = vec![10.0, 12.0, 9.0, 11.0, 10.0, 300.0, 12.0, 9.0, 10.0, 11.0];
    let cleaned = hampel(&y, 4, 3.0).unwrap();
    assert_eq!(cleaned.cuts.len(), 1);
    assert_eq!((cleaned.cuts[0].index, cleaned.cuts[0].sold), (5, 300.0));
    assert_eq!(cleaned.removed(), 300.0 - cleaned.values[5]);
    let capped = winsorise(&y, 0.9).unwrap();
    assert_eq!(capped.cuts.len(), 1);
    assert!(capped.values[5] < 300.0 && capped.values[5] > 12.0);
    y[5] = 10.0;
    assert!(hampel(&y, 4, 3.0).unwrap().cuts.is_empty());
}

#[test]
fn a_rare_sale_is_no_outlier() {
    let mut y = vec![0.0; 40];
    y[7] = 3.0;
    y[30] = 2.0;
    assert!(hampel(&y, 5, 3.0).unwrap().cuts.is_empty());
    insta::assert_snapshot!(hampel(&y, 0, 3.0).unwrap_err(), @"reach must be at least 1, got 0");
}

#[test]
fn classes_follow_gap_and_variation() {
    let class = |y: &[f64]| classify(y).unwrap().class;
    assert_eq!(class(&[5.0, 6.0, 5.0, 4.0]), DemandClass::Smooth);
    assert_eq!(class(&[1.0, 1.0, 1.0, 30.0]), DemandClass::Erratic);
    assert_eq!(class(&[0.0, 5.0, 0.0, 5.0]), DemandClass::Intermittent);
    assert_eq!(class(&[0.0, 1.0, 0.0, 30.0, 0.0, 1.0]), DemandClass::Lumpy);
    assert_eq!(class(&[0.0, 0.0]), DemandClass::None);
    let pattern = classify(&[0.0, 2.0, 0.0, 4.0]).unwrap();
    assert_eq!(pattern.mean_gap, Some(2.0));
    assert!((pattern.squared_variation.unwrap() - 1.0 / 9.0).abs() < 1e-12);
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn a_dated_rule_holds_from_its_first_day_to_its_last() {
    let rules = [
        DatedRule {
            from: day("2026-01-01"),
            until: None,
            rule: VelocityRule::Fixed(3.0),
        },
        DatedRule {
            from: day("2026-11-01"),
            until: Some(day("2026-11-30")),
            rule: VelocityRule::Fixed(9.0),
        },
    ];
    let rate = |on: &str| match rule_on(&rules, day(on)).map(|rule| rule.rule) {
        Some(VelocityRule::Fixed(rate)) => Some(rate),
        _ => None,
    };
    assert_eq!(rate("2025-12-31"), None);
    assert_eq!(rate("2026-10-31"), Some(3.0));
    assert_eq!(rate("2026-11-01"), Some(9.0));
    assert_eq!(rate("2026-11-30"), Some(9.0));
    assert_eq!(rate("2026-12-01"), Some(3.0));
}

/// Thirty days: 6 a day, then the last seven 13 a day. Weights .5 on 7 days and .5 on 30.
#[test]
fn a_weighted_rule_averages_the_velocities_of_its_windows() {
    let mut days = vec![Some(6.0); 23];
    days.extend([Some(13.0); 7]);
    let rule = VelocityRule::Weighted([0.0, 0.5, 0.0, 0.5, 0.0, 0.0]);
    let thirty = (23.0 * 6.0 + 7.0 * 13.0) / 30.0;
    assert!((rule.velocity(&days).unwrap() - (0.5 * 13.0 + 0.5 * thirty)).abs() < 1e-12);
    // Days out of stock are stepped over, not counted as zero.
    days.extend([None; 5]);
    assert!((rule.velocity(&days).unwrap() - (0.5 * 13.0 + 0.5 * thirty)).abs() < 1e-12);
    assert!(VelocityRule::Weighted([0.5; 6]).velocity(&days).is_err());
    assert_eq!(rule.velocity(&[None, None]), Err(ModelError::Empty));
}

#[test]
fn series_that_cannot_be_read_are_named() {
    assert_eq!(naive(&[]), Err(ModelError::Empty));
    assert_eq!(
        ses(&[1.0, f64::NAN], 0.1),
        Err(ModelError::NotFinite { index: 1 })
    );
    insta::assert_snapshot!(croston(&[1.0, -2.0]).unwrap_err(), @"value 1 of the series is negative: -2");
    insta::assert_snapshot!(
        theta(&[1.0, 2.0, 3.0], 1, Composition::Additive, ThetaKind::Standard, 1).unwrap_err(),
        @"theta needs at least 4 periods, the series has 3"
    );
    insta::assert_snapshot!(
        holt_winters(&[0.0; 40], 12, Composition::Multiplicative, Damping::None, 1).unwrap_err(),
        @"value 0 of the series is 0: a multiplicative model needs values above zero"
    );
    insta::assert_snapshot!(ses(&[1.0], 1.5).unwrap_err(), @"alpha must be above 0 and at most 1, got 1.5");
}

/// A steady item with one order of a thousand: the cut keeps it out of the year, the quick level forgets it in weeks.
#[test]
fn a_blend_of_a_steady_item_is_its_rate_and_one_large_order_moves_it_little() {
    let steady = vec![10.0; 80];
    let ahead = blend(&steady, 52, 1.0, &BLEND_TUNING, 12).unwrap();
    assert!(ahead.iter().all(|week| (week - 10.0).abs() < 1e-9), "{ahead:?}");
    let mut once = steady.clone();
    once[50] = 1_000.0;
    let moved: f64 = blend(&once, 52, 1.0, &BLEND_TUNING, 12).unwrap().iter().sum();
    assert!((moved - 120.0).abs() < 12.0, "{moved}");
    let cut = cap_at_median(&once, 4.0).unwrap();
    assert_eq!((cut.removed(), cut.cuts.len()), (960.0, 1));
    // A season half as high again is believed to three tenths.
    let autumn: f64 = blend(&steady, 52, 1.5, &BLEND_TUNING, 12).unwrap().iter().sum();
    assert!((autumn - 120.0 * 1.15).abs() < 1e-9);
    insta::assert_snapshot!(
        blend(&steady[..40], 52, 1.0, &BLEND_TUNING, 12).unwrap_err(),
        @"blend needs at least 52 periods, the series has 40"
    );
}

#[test]
fn the_common_season_is_what_all_items_did_and_none_of_a_few() {
    // Twice as much in the first twelve weeks of the year as the mean of the rest.
    let item: Vec<f64> = (0..60)
        .map(|week| if (8..20).contains(&week) { 20.0 } else { 10.0 })
        .collect();
    let items = vec![item; 20];
    let season = common_season(items.iter().map(Vec::as_slice), 52, 12).unwrap();
    let mean = (12.0 * 20.0 + 40.0 * 10.0) / 52.0;
    assert!((season - 20.0 / mean).abs() < 1e-12);
    let few = common_season(items[..19].iter().map(Vec::as_slice), 52, 12).unwrap();
    assert_eq!(few, 1.0);
}
