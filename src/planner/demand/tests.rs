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
