//! Scores found by hand.

use super::super::*;

/// Two items under one total, by hand: steps 1, 2 and 2, 2 and 1, 4 make scales 2.5, 4 and 8.5.
#[test]
fn wrmsse_of_a_small_hierarchy_is_what_the_hand_finds() {
    let histories: [&[f64]; 3] = [&[0.0, 0.0, 1.0, 2.0, 4.0], &[3.0, 5.0, 3.0], &[4.0, 5.0, 1.0]];
    let scales = histories.map(|history| squared_step(history).unwrap());
    assert_eq!(scales, [2.5, 4.0, 8.5]);
    let actual: [&[f64]; 3] = [&[4.0, 6.0], &[2.0, 2.0], &[6.0, 8.0]];
    let forecast: [&[f64]; 3] = [&[5.0, 5.0], &[2.0, 4.0], &[7.0, 9.0]];
    // Squared errors: 1 and 1, 0 and 4, 1 and 1.
    let by_hand =
        0.25 * (1.0_f64 / 2.5).sqrt() + 0.25 * (2.0_f64 / 4.0).sqrt() + 0.5 * (1.0_f64 / 8.5).sqrt();
    let ours = wrmsse((0..3).map(|row| Weighted {
        actual: actual[row],
        forecast: forecast[row],
        scale: scales[row],
        weight: [0.25, 0.25, 0.5][row],
    }))
    .unwrap();
    assert!((ours - by_hand).abs() < 1e-15);
}
