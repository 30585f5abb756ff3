use super::*;

fn state() -> Calibration {
    Calibration {
        warehouse: WarehouseCode::new("main").unwrap(),
        mode: Mode::Sea,
        class: SalesClass::Often,
        target_permille: 950,
        shift_ppm: 0,
        outcomes: 0,
        days: 0,
        read_ppm: 0,
        attained_ppm: 0,
    }
}

fn decision(position: i64) -> Decision {
    Decision {
        as_of: "2026-03-01".parse().unwrap(),
        warehouse: WarehouseCode::new("main").unwrap(),
        sku: Sku::new("A").unwrap(),
        mode: Mode::Sea,
        class: SalesClass::Often,
        target_permille: 950,
        read_permille: 950,
        position,
        mean: 40,
        rate_milli: 2_000,
        days: [20; 5],
    }
}

/// Twenty days from the decision on: two a day, none in stock in the days given.
fn sales(out: std::ops::Range<usize>) -> DailySales {
    DailySales {
        first_day: "2026-03-01".parse().unwrap(),
        units: (0..20)
            .map(|day| Some(if out.contains(&day) { 0 } else { 2 }))
            .collect(),
        in_stock: (0..20).map(|day| Some(!out.contains(&day))).collect(),
    }
}

#[test]
fn the_place_follows_what_was_missed_in_steps_and_stays_in_its_bounds() {
    let mut low = state();
    // Read at 95, attained 90: at once a fifth of what the target leaves over, in the end all of the way.
    low.learn(100, 100 * 950_000, 90 * WHOLE);
    assert_eq!((low.read_permille(), low.attained_ppm), (960, 900_000));
    for _ in 0..500 {
        low.learn(100, 100 * 950_000, 90 * WHOLE);
    }
    assert_eq!(low.read_permille(), 999);
    let mut high = state();
    for _ in 0..5_000 {
        high.learn(100, 100 * 500_000, 100 * WHOLE);
    }
    assert_eq!(high.read_permille(), 500);
    let mut met = state();
    for _ in 0..50 {
        met.learn(200, 200 * 950_000, 190 * WHOLE);
    }
    assert_eq!((met.read_permille(), met.attained_ppm), (950, 950_000));
}

#[test]
fn a_segment_that_falls_short_by_a_fixed_share_ends_at_its_target() {
    let mut segment = state();
    for _ in 0..200 {
        let read = i64::from(segment.read_permille()) * 1000;
        // Whatever is read, two points less are attained.
        segment.learn(100, 100 * read, 100 * (read - 20_000));
    }
    assert_eq!((segment.read_permille(), segment.attained_ppm / 1000), (970, 949));
}

#[test]
fn few_outcomes_move_nothing_and_switching_off_does_neither() {
    let mut segment = state();
    segment.learn(LEAST_OUTCOMES - 1, (LEAST_OUTCOMES - 1) * 950_000, 0);
    let mut policy = Policy {
        calibration: vec![segment],
        ..Policy::default()
    };
    let of = |policy: &Policy| {
        let code = WarehouseCode::new("main").unwrap();
        Calibration::of(policy, &code, Mode::Sea, SalesClass::Often, 950).map(Calibration::read_permille)
    };
    assert_eq!(of(&policy), None);
    policy.calibration[0].outcomes = LEAST_OUTCOMES;
    assert_eq!(of(&policy), Some(960));
    policy.calibrate = false;
    assert_eq!(of(&policy), None);
}

fn covered(position: i64, out: std::ops::Range<usize>) -> Option<i64> {
    let outcome = decision(position).judge(&sales(out))?;
    assert_eq!(outcome.wanted, 40);
    Some(outcome.covered_ppm)
}

#[test]
fn a_stock_out_counts_only_when_the_position_would_not_have_sufficed() {
    assert_eq!(covered(40, 20..20), Some(WHOLE));
    assert_eq!(covered(39, 20..20), Some(0));
    // Out of stock for five days because the order before came late: forty would still have been enough.
    assert_eq!(covered(40, 3..8), Some(WHOLE));
    // The same days, and thirty were all there was.
    assert_eq!(covered(30, 15..20), Some(0));
    // Nearly no day in stock: the expected rate stands in.
    assert_eq!(covered(40, 2..20), Some(WHOLE));
    assert_eq!(covered(39, 2..20), Some(0));
}

#[test]
fn days_without_data_judge_nothing() {
    let mut gaps = sales(20..20);
    for day in 0..15 {
        gaps.units.set(day, None);
    }
    assert_eq!(decision(40).judge(&gaps), None);
    assert_eq!(
        decision(40).judge(&DailySales::empty("2026-03-01".parse().unwrap())),
        None
    );
}

#[test]
fn the_order_of_decisions_does_not_matter() {
    let mut late = decision(10);
    late.as_of = "2026-04-01".parse().unwrap();
    let one = [(&late, 0), (&decision(5), WHOLE)].map(|(decision, share)| (decision.clone(), share));
    let mut forward = Vec::new();
    learn(
        &mut forward,
        one.iter().map(|(decision, share)| (decision, *share)),
    );
    let mut backward = Vec::new();
    learn(
        &mut backward,
        one.iter().rev().map(|(decision, share)| (decision, *share)),
    );
    assert_eq!(forward, backward);
    assert_eq!(forward[0].outcomes, 2);
}
