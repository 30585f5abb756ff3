//! Carton weights shared out to the goods inside, so that lines add up to cartons to the gram.

use std::collections::BTreeMap;

use crate::order::model::{Carton, StockingOrder};

/// `(net, gross)` grams by carton number and place of the content.
#[derive(Debug, Default)]
pub(super) struct Shares(BTreeMap<(u32, usize), (i64, i64)>);

impl Shares {
    pub(super) fn of_content(&self, carton: u32, place: usize) -> Option<(i64, i64)> {
        self.0.get(&(carton, place)).copied()
    }

    pub(super) fn of_line(&self, order: &StockingOrder, line: u32) -> (i64, i64) {
        let mut sum = (0, 0);
        for carton in &order.cartons {
            for (place, content) in carton.contents.iter().enumerate() {
                if content.line == line
                    && let Some((net, gross)) = self.of_content(carton.no, place)
                {
                    sum = (sum.0 + net, sum.1 + gross);
                }
            }
        }
        sum
    }
}

/// Both weights of each carton in proportion to the units' own net weight.
pub(super) fn carton_shares(order: &StockingOrder) -> Shares {
    let mut shares = BTreeMap::new();
    for carton in &order.cartons {
        let keys = keys(order, carton);
        let net = share_out(carton.net_g, &keys);
        let gross = share_out(carton.gross_g, &keys);
        for (place, weights) in net.into_iter().zip(gross).enumerate() {
            shares.insert((carton.no, place), weights);
        }
    }
    Shares(shares)
}

/// Net weight of the units by the catalog; the units themselves where no weight is known.
fn keys(order: &StockingOrder, carton: &Carton) -> Vec<i64> {
    let weights: Vec<i64> = carton
        .contents
        .iter()
        .map(|content| {
            let unit = order.line(content.line).map_or(0, |line| line.goods.unit_net_g);
            unit.max(0).saturating_mul(content.units.max(0))
        })
        .collect();
    if weights.iter().all(|weight| *weight > 0) {
        return weights;
    }
    carton
        .contents
        .iter()
        .map(|content| content.units.max(0))
        .collect()
}

/// Largest remainder: the parts are whole, in proportion, and add up exactly.
fn share_out(total: i64, keys: &[i64]) -> Vec<i64> {
    let sum: i128 = keys.iter().map(|key| i128::from(*key)).sum();
    if sum == 0 {
        let mut parts = vec![0; keys.len()];
        if let Some(first) = parts.first_mut() {
            *first = total;
        }
        return parts;
    }
    let exact = |key: i64| i128::from(total) * i128::from(key);
    let mut parts: Vec<i64> = keys
        .iter()
        .map(|key| i64::try_from(exact(*key).div_euclid(sum)).unwrap_or_default())
        .collect();
    let mut by_remainder: Vec<usize> = (0..keys.len()).collect();
    by_remainder.sort_by_key(|place| {
        let key = keys.get(*place).copied().unwrap_or_default();
        (std::cmp::Reverse(exact(key).rem_euclid(sum)), *place)
    });
    let mut left = total - parts.iter().sum::<i64>();
    for place in by_remainder {
        if left == 0 {
            break;
        }
        if let Some(part) = parts.get_mut(place) {
            *part += 1;
            left -= 1;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::share_out;

    #[test]
    fn parts_add_up_and_the_largest_remainder_gets_the_odd_gram() {
        assert_eq!(share_out(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(share_out(1000, &[999, 1]), [999, 1]);
        assert_eq!(share_out(7, &[0, 0]), [7, 0]);
        assert_eq!(share_out(0, &[3, 5]), [0, 0]);
    }

    proptest::proptest! {
        #[test]
        fn any_carton_is_shared_out_to_the_gram(
            total in 0_i64..2_000_000,
            keys in proptest::collection::vec(0_i64..1_000_000, 1..30),
        ) {
            let parts = share_out(total, &keys);
            proptest::prop_assert_eq!(parts.iter().sum::<i64>(), total);
            proptest::prop_assert!(parts.iter().all(|part| *part >= 0));
        }
    }
}
