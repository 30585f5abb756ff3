//! Units that leave and never come: how many, by what was seen, and how many more that asks for.

use std::collections::BTreeMap;

use super::facts::LossTerms;
use crate::ids::WarehouseCode;
use crate::order::Mode;

/// A shipment whose end is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LossSeen {
    pub warehouse: WarehouseCode,
    pub mode: Mode,
    pub shipped: i64,
    /// Short or not fit to be sold.
    pub lost: i64,
}

/// So many shipments of a way say as much as all shipments together.
const WEIGHT_SHIPMENTS: i128 = 10;
const WHOLE: i128 = 10_000;

/// The share of each way, in ten-thousandths: its own losses, drawn to those of all ways as long as few shipments were seen.
/// Nothing is said of a way without any.
#[must_use]
pub fn learn(seen: &[LossSeen]) -> Vec<LossTerms> {
    let mut ways: BTreeMap<(&WarehouseCode, Mode), (i128, i128, i128)> = BTreeMap::new();
    let (mut all_shipped, mut all_lost) = (0_i128, 0_i128);
    for one in seen.iter().filter(|one| one.shipped > 0) {
        let shipped = i128::from(one.shipped);
        let lost = i128::from(one.lost).clamp(0, shipped);
        let way = ways.entry((&one.warehouse, one.mode)).or_default();
        *way = (way.0 + 1, way.1 + shipped, way.2 + lost);
        all_shipped += shipped;
        all_lost += lost;
    }
    ways.into_iter()
        .map(|((warehouse, mode), (shipments, shipped, lost))| {
            // lost + w·p over shipped + w, where w is the usual size of ten of its shipments and p the share of all.
            let weight = WEIGHT_SHIPMENTS * shipped / shipments;
            let over = lost * all_shipped + weight * all_lost;
            let under = (shipped + weight) * all_shipped;
            let share = (over * WHOLE * 2 + under) / (under * 2);
            LossTerms {
                warehouse: warehouse.clone(),
                mode: Some(mode),
                lost_per_10000: u16::try_from(share.clamp(0, WHOLE)).unwrap_or(u16::MAX),
                shipments: i64::try_from(shipments).unwrap_or(i64::MAX),
            }
        })
        .collect()
}

/// Units to send on top of `need`, so that as many arrive although this share is lost: of them, and of what is on its way.
/// Parts of a unit ask for nothing, and what is not needed at all needs no allowance.
#[must_use]
pub fn allowance(need: i64, inbound: i64, lost_per_10000: u16) -> i64 {
    let share = i128::from(lost_per_10000.min(5_000));
    if need <= 0 || share == 0 {
        return 0;
    }
    let wanted = i128::from(need) * WHOLE + i128::from(inbound.max(0)) * share;
    let more = wanted / (WHOLE - share) - i128::from(need);
    i64::try_from(more.max(0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(warehouse: &str, shipped: i64, lost: i64, times: usize) -> Vec<LossSeen> {
        let one = LossSeen {
            warehouse: WarehouseCode::new(warehouse).unwrap(),
            mode: Mode::Sea,
            shipped,
            lost,
        };
        vec![one; times]
    }

    #[test]
    fn few_shipments_say_what_all_say_and_many_their_own() {
        let mut all = seen("a:1", 1000, 20, 200);
        all.extend(seen("b:1", 1000, 0, 199));
        all.extend(seen("c:1", 1000, 300, 1));
        let learned = learn(&all);
        let share = |code: &str| {
            learned
                .iter()
                .find(|one| one.warehouse.as_str() == code)
                .unwrap()
                .lost_per_10000
        };
        // 4,300 of 400,000 are 1.08 %: two hundred own shipments at 2 % weigh twenty times as much.
        assert_eq!(share("a:1"), 196);
        assert_eq!(share("b:1"), 5);
        // One bad shipment of ten and one: a third of what it shows.
        assert_eq!(share("c:1"), 370);
        assert_eq!(learn(&[]), []);
    }

    #[test]
    fn what_arrives_is_what_was_needed() {
        assert_eq!(allowance(980, 0, 200), 20);
        // Two of a hundred under way are lost too.
        assert_eq!(allowance(980, 100, 200), 22);
        assert_eq!(
            (allowance(0, 500, 200), allowance(10, 0, 200), allowance(10, 0, 0)),
            (0, 0, 0)
        );
        assert!(allowance(i64::MAX / 20_000, i64::MAX / 2, 9_999) >= 0);
    }
}
