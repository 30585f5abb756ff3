//! Every entry of the reference outputs that names a model offered here, to 1e-9.

use super::super::*;
use super::{fixture, numbers};

const PERIODS: usize = 12;

/// What each name of the reference stands for; `None` is a model not offered.
fn by_name(name: &str, y: &[f64]) -> Option<Vec<f64>> {
    use Composition::{Additive, Multiplicative};
    let h = PERIODS;
    let flat = |rate: Result<f64, ModelError>| vec![rate.unwrap(); h];
    let holt = |damping| holt(y, damping, h).unwrap().forecast;
    let winters = |composition, damping| holt_winters(y, 12, composition, damping, h).unwrap().forecast;
    let theta = |season, composition, kind| theta(y, season, composition, kind, h).unwrap();
    Some(match name {
        "Naive" => flat(naive(y)),
        "SeasonalNaive12" => seasonal_naive(y, 12, h).unwrap(),
        "SES_0.2" => flat(ses(y, 0.2)),
        "SES_0.1" | "SES_.1" => flat(ses(y, 0.1)),
        "SESopt" => flat(ses_optimised(y).map(|(level, _)| level)),
        "Holt_add" | "Holt" => holt(Damping::Chosen),
        "Holt_plain" => holt(Damping::None),
        "HoltWinters12_A" => winters(Additive, Damping::Chosen),
        "HoltWinters12_M" => winters(Multiplicative, Damping::Chosen),
        "HoltWinters12_A_plain" => winters(Additive, Damping::None),
        "HoltWinters12_M_plain" => winters(Multiplicative, Damping::None),
        "Theta12" => theta(12, Multiplicative, ThetaKind::Standard),
        "Theta12_A" => theta(12, Additive, ThetaKind::Standard),
        "Theta1" | "Theta" => theta(1, Multiplicative, ThetaKind::Standard),
        "OptimizedTheta12" => theta(12, Multiplicative, ThetaKind::Optimised),
        "DynamicTheta12" => theta(12, Multiplicative, ThetaKind::Dynamic),
        "DynamicOptimizedTheta12" => theta(12, Multiplicative, ThetaKind::DynamicOptimised),
        "DynamicOptimizedTheta" => theta(1, Multiplicative, ThetaKind::DynamicOptimised),
        "WindowAverage6" => flat(window_average(y, 6)),
        "WindowAverage4" => flat(window_average(y, 4)),
        "WindowAverage13" => flat(window_average(y, 13)),
        "RWD" => random_walk_with_drift(y, h).unwrap(),
        "SeasonalWA12x2" => seasonal_window_average(y, 12, 2, h).unwrap(),
        "CrostonClassic" => flat(croston(y)),
        "CrostonSBA" => flat(sba(y)),
        "CrostonOptimized" => flat(croston_optimised(y)),
        "TSB" | "TSB_.1_.1" => flat(tsb(y, 0.1, 0.1)),
        "TSB_.2_.05" => flat(tsb(y, 0.2, 0.05)),
        "ADIDA" => flat(adida(y)),
        "IMAPA" => flat(imapa(y)),
        _ => return None,
    })
}

fn furthest(ours: &[f64], theirs: &[f64]) -> f64 {
    ours.iter()
        .zip(theirs)
        .map(|(a, b)| (a - b).abs() / b.abs().max(1.0))
        .fold(0.0, f64::max)
}

#[test]
fn reference_outputs_of_air_passengers_agree_to_their_last_printed_digit() {
    let golden = fixture("statsforecast_golden.json");
    let y = numbers(&golden["airpassengers_y"]);
    let mut left_out = Vec::new();
    let mut checked = 0;
    for (name, entry) in golden["models"].as_object().unwrap() {
        let Some(ours) = by_name(name, &y) else {
            left_out.push(name.as_str());
            continue;
        };
        for (step, (ours, theirs)) in ours.iter().zip(numbers(&entry["mean"])).enumerate() {
            // Eight decimals are printed.
            assert!(
                (ours - theirs).abs() <= 0.5e-8 + 1e-9,
                "{name} step {step}: {ours} {theirs}"
            );
        }
        checked += 1;
    }
    assert_eq!(checked, 14);
    assert_eq!(left_out, ["AutoETS12", "AutoETS_ZZN", "AutoTheta12", "MSTL12"]);
}

#[test]
fn reference_outputs_of_short_series_agree_to_1e_9() {
    let golden = fixture("statsforecast_golden.json");
    let mut checked = 0;
    for (series, entry) in golden["intermittent"].as_object().unwrap() {
        let y = numbers(&entry["y"]);
        for (name, theirs) in entry.as_object().unwrap() {
            if name == "y" {
                continue;
            }
            let ours = by_name(name, &y).unwrap()[0];
            let theirs = theirs.as_f64().unwrap();
            assert!((ours - theirs).abs() <= 1e-9, "{series} {name}: {ours} {theirs}");
            checked += 1;
        }
    }
    assert_eq!(checked, 56);
}

#[test]
fn full_digits_of_air_passengers_agree_to_1e_9() {
    let golden = fixture("statsforecast_golden.json");
    let y = numbers(&golden["airpassengers_y"]);
    let full = fixture("statsforecast_full.json.gz");
    let mut checked = 0;
    for (name, theirs) in full["airpassengers"].as_object().unwrap() {
        let Some(ours) = by_name(name, &y) else {
            continue;
        };
        let distance = furthest(&ours, &numbers(theirs));
        assert!(distance <= 1e-9, "{name}: {distance:e}");
        checked += 1;
    }
    assert_eq!(checked, 19);
}

/// The damped trend of the reference adds φ twice (steps 1, 2: φ, 2φ); Gardner and McKenzie's sum is φ + φ². The first
/// step is the same, and so is everything the fit rests on.
#[test]
fn a_damped_trend_agrees_in_its_first_step() {
    let golden = fixture("statsforecast_golden.json");
    let y = numbers(&golden["airpassengers_y"]);
    let full = fixture("statsforecast_full.json.gz");
    let theirs = numbers(&full["airpassengers"]["Holt_damped"])[0];
    let ours = holt(&y, Damping::Damped, 12).unwrap();
    assert!(ours.damped);
    assert!(
        (ours.forecast[0] - theirs).abs() / theirs <= 1e-9,
        "{ours:?} {theirs}"
    );
}

#[test]
fn ninety_real_series_agree_with_the_reference_to_1e_9() {
    let weekly = fixture("statsforecast_or2_weekly_h12.json.gz");
    let full = fixture("statsforecast_full.json.gz");
    let mut checked = 0;
    let mut far = Vec::new();
    for (series, full) in weekly["series"]
        .as_array()
        .unwrap()
        .iter()
        .zip(full["or2_weekly"].as_array().unwrap())
    {
        assert_eq!(series["sku"], full["sku"]);
        let y = numbers(&series["y"]);
        for (name, theirs) in full["forecast"].as_object().unwrap() {
            let theirs = match theirs {
                serde_json::Value::Array(_) => numbers(theirs),
                flat => vec![flat.as_f64().unwrap(); 3],
            };
            let Some(ours) = by_name(name, &y) else {
                continue;
            };
            let damped = name == "Holt" && holt(&y, Damping::Chosen, 1).unwrap().damped;
            let steps = if damped { 1 } else { 3 };
            let distance = furthest(&ours[..steps], &theirs);
            // The first ten weeks of this one have a trend of exactly zero, which the reference's solver leaves at 1e-15:
            // the search starts elsewhere and stops, by the same rule, a little elsewhere.
            if name == "Holt" && series["sku"] == "37351" {
                assert!(distance < 1e-4);
                continue;
            }
            if distance > 1e-9 {
                far.push(format!(
                    "{} {name} {distance:.1e} {ours:?} {theirs:?}",
                    series["sku"]
                ));
            }
            checked += 1;
        }
    }
    assert!(far.is_empty(), "{} of {checked}: {far:#?}", far.len());
    assert_eq!(checked, 90 * 14 - 1);
}
