//! The downhill simplex of Nelder and Mead (1965) within bounds, with the coefficients of Gao and Han (2012) that
//! depend on the number of parameters.

const STEP: f64 = 0.05;
const STEP_FROM_ZERO: f64 = 1e-4;
const ROUNDS: usize = 1_000;
const TOLERANCE: f64 = 1e-4;

/// The parameters that make `cost` least, begun at `start`. It ends when the standard deviation of the costs at the
/// corners is below 1e-4 or after 1,000 rounds, and answers the best corner (of equal ones the first).
pub(super) fn minimise(
    start: &[f64],
    lower: &[f64],
    upper: &[f64],
    mut cost: impl FnMut(&[f64]) -> f64,
) -> Vec<f64> {
    let n = start.len();
    if n == 0 {
        return Vec::new();
    }
    let bounded = |mut x: Vec<f64>| {
        for ((value, low), high) in x.iter_mut().zip(lower).zip(upper) {
            *value = value.max(*low).min(*high);
        }
        x
    };
    let size = n as f64;
    let (expand, contract, shrink) = (1.0 + 2.0 / size, 0.75 - 0.5 / size, 1.0 - 1.0 / size);

    let origin = bounded(start.to_vec());
    let mut corners: Vec<Vec<f64>> = (0..=n)
        .map(|corner| {
            let mut x = origin.clone();
            if let Some(value) = x.get_mut(corner) {
                *value = if *value == 0.0 {
                    STEP_FROM_ZERO
                } else {
                    *value * (1.0 + STEP)
                };
            }
            bounded(x)
        })
        .collect();
    let mut costs: Vec<f64> = corners.iter().map(|x| cost(x)).collect();

    for _ in 0..ROUNDS {
        let middle = costs.iter().sum::<f64>() / costs.len() as f64;
        let spread = costs.iter().map(|c| (c - middle).powi(2)).sum::<f64>() / costs.len() as f64;
        if spread.sqrt() < TOLERANCE {
            break;
        }
        let mut order: Vec<usize> = (0..=n).collect();
        order.sort_by(|&a, &b| costs[a].total_cmp(&costs[b]));
        let (best, second_worst, worst) = (order[0], order[n - 1], order[n]);

        let centre: Vec<f64> = (0..n)
            .map(|k| (corners.iter().map(|corner| corner[k]).sum::<f64>() - corners[worst][k]) / size)
            .collect();
        let toward = |x: &[f64], factor: f64| -> Vec<f64> {
            bounded(centre.iter().zip(x).map(|(c, v)| c + factor * (v - c)).collect())
        };
        let reflected = toward(&corners[worst], -1.0);
        let at_reflected = cost(&reflected);
        let replacement = if at_reflected < costs[best] {
            let expanded = toward(&reflected, expand);
            let at_expanded = cost(&expanded);
            if at_expanded < at_reflected {
                Some((expanded, at_expanded))
            } else {
                Some((reflected, at_reflected))
            }
        } else if at_reflected < costs[second_worst] {
            Some((reflected, at_reflected))
        } else if at_reflected < costs[worst] {
            let outside = toward(&reflected, contract);
            let at_outside = cost(&outside);
            (at_outside <= at_reflected).then_some((outside, at_outside))
        } else {
            let inside = toward(&reflected, -contract);
            let at_inside = cost(&inside);
            (at_inside < costs[worst]).then_some((inside, at_inside))
        };
        if let Some((x, at)) = replacement {
            corners[worst] = x;
            costs[worst] = at;
            continue;
        }
        let anchor = corners[best].clone();
        for corner in (0..=n).filter(|corner| *corner != best) {
            let moved = bounded(
                anchor
                    .iter()
                    .zip(&corners[corner])
                    .map(|(a, v)| a + shrink * (v - a))
                    .collect(),
            );
            costs[corner] = cost(&moved);
            corners[corner] = moved;
        }
    }
    let best = (0..=n)
        .min_by(|&a, &b| costs[a].total_cmp(&costs[b]))
        .unwrap_or_default();
    corners.swap_remove(best)
}
