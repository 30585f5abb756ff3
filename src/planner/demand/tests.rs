use super::*;

fn history(units: &[f64]) -> History {
    let mut history = History::default();
    history.load(units.iter().rev().map(|units| (*units, 1.0)));
    history
}

fn level(units: &[f64], permille: u16) -> f64 {
    let history = history(units);
    let ahead: Vec<f64> = (0..=60).map(f64::from).collect();
    let rate = history.levels(&TUNING).level;
    let lead = LeadSlices::new(&[35; 1000]);
    Interval::new(&lead, 7, rate, &history.spread(&TUNING), &ahead).quantile(permille)
}

#[test]
fn normal_quantiles_are_the_known_ones() {
    for (p, z) in [
        (0.5, 0.0),
        (0.9, 1.281_551_566),
        (0.975, 1.959_963_985),
        (0.001, -3.090_232_306),
    ] {
        assert!((normal_quantile(p) - z).abs() < 1e-7, "{p}");
    }
}

#[test]
fn an_even_weekly_pattern_has_the_level_of_its_mean() {
    let units: Vec<f64> = (0..364)
        .map(|day| if day % 7 == 0 { 14.0 } else { 1.0 })
        .collect();
    let levels = history(&units).levels(&TUNING);
    assert!((levels.level - 20.0 / 7.0).abs() < 1e-9, "{levels:?}");
    assert!((levels.last_year.unwrap() - 20.0 / 7.0).abs() < 1e-9);
}

#[test]
fn steady_demand_needs_little_above_the_mean_and_lumpy_demand_much() {
    let steady = level(&[10.0; 365], 950);
    let lumpy: Vec<f64> = (0..365)
        .map(|day| if day % 40 == 0 { 400.0 } else { 0.0 })
        .collect();
    assert!(steady > 420.0 && steady < 560.0, "{steady}");
    assert!(level(&lumpy, 950) > 1.5 * steady);
}

#[test]
fn a_higher_service_never_asks_for_less() {
    let units: Vec<f64> = (0..365).map(|day| f64::from(day % 11)).collect();
    let levels: Vec<f64> = [500, 800, 900, 950, 980, 999]
        .iter()
        .map(|p| level(&units, *p))
        .collect();
    assert!(levels.is_sorted());
}

#[test]
fn a_large_order_is_a_large_week_and_three_times_the_sales_are_a_new_level() {
    let mut units = vec![12.0; 365];
    units[350] = 6000.0;
    let one = history(&units).levels(&TUNING).level;
    assert!(one > 12.0 && one < 12.0 * 1.4, "{one}");
    units[350] = 12.0;
    // Selling three times as much every day is one.
    units[309..].fill(36.0);
    assert!(history(&units).levels(&TUNING).level > 12.0 * 1.7);
}

#[test]
fn factors_are_bounded_however_the_demand_jumps() {
    let mut units = vec![0.01; 309];
    units.extend([1000.0; 56]);
    let levels = history(&units).levels(&TUNING);
    assert!(levels.level <= TUNING.factor_bound * levels.year * (1.0 + 1e-9));
    assert_eq!(level(&[0.0; 365], 980), 0.0);
    assert_eq!(level(&[], 980), 0.0);
    let spread = history(&[0.0; 365]).spread(&TUNING);
    assert!(spread.variation(42.0).is_finite());
}

#[test]
fn a_few_days_are_a_level_too_and_know_less() {
    let young = history(&[4.0; 5]);
    assert!((young.levels(&TUNING).level - 4.0).abs() < 1e-9);
    assert_eq!(young.demand_days(), 5);
    assert!(young.spread(&TUNING).variation(42.0) > history(&[4.0; 365]).spread(&TUNING).variation(42.0));
}

#[test]
fn scaling_demand_scales_the_level_and_its_quantiles() {
    let units: Vec<f64> = (0..365).map(|day| f64::from((day * 7919) % 13)).collect();
    let twice: Vec<f64> = units.iter().map(|units| units * 2.0).collect();
    for permille in [500, 900, 980] {
        let ratio = level(&twice, permille) / level(&units, permille);
        assert!((ratio - 2.0).abs() < 1e-4, "{ratio}");
    }
}

#[test]
fn the_same_weeks_sold_on_fewer_days_are_less_sure() {
    let weekly = |selling: usize| -> Vec<f64> {
        let units = 42.0 / selling as f64;
        (0..364)
            .map(|day| if day % 7 < selling { units } else { 0.0 })
            .collect()
    };
    let spreads = [7, 3, 1].map(|selling| history(&weekly(selling)).spread(&TUNING).variation(42.0));
    assert!(
        spreads.is_sorted() && spreads[2] > 2.0 * spreads[0],
        "{spreads:?}"
    );
    // Items that hardly sell were not fitted on: they are taken for the least that was.
    let rare: Vec<f64> = (0..364)
        .map(|day| if day % 28 == 0 { 168.0 } else { 0.0 })
        .collect();
    let rarer: Vec<f64> = (0..364)
        .map(|day| if day % 28 < 2 { 84.0 } else { 0.0 })
        .collect();
    let weekly = [rare, rarer].map(|units| history(&units).spread(&TUNING).weekly);
    assert!((weekly[0] / weekly[1] - 1.0).abs() < 1e-9, "{weekly:?}");
}

#[test]
fn an_item_of_one_season_is_not_expected_at_its_yearly_mean_outside_of_it() {
    // Sold in the last sixteen weeks of the year only, 20 a day; as seen by the day of the year.
    let sold = |day: i64| if day.rem_euclid(365) >= 253 { 20.0 } else { 0.0 };
    let seen_on = |day: i64| -> Vec<f64> { (day - 365..day).map(sold).collect() };
    let levels = |day: i64| history(&seen_on(day)).levels(&TUNING);
    let mean = 20.0 * 112.0 / 365.0;
    let may = levels(135);
    assert!(may.off_season.is_some() && may.level < 0.12 * mean, "{may:?}");
    // Before the season begins last year's same weeks speak up, and in it nothing is held back.
    assert!(levels(215).level > 1.5 * may.level);
    assert_eq!(levels(330).off_season, None);
    // An item that sells seldom all the year round has no season.
    let seldom: Vec<f64> = (0..365)
        .map(|day| if day % 35 == 3 { 12.0 } else { 0.0 })
        .collect();
    assert_eq!(history(&seldom).levels(&TUNING).off_season, None);
    assert_eq!(history(&[20.0; 200]).levels(&TUNING).off_season, None);
}
