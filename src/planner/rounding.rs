//! From a need to whole cartons and minimum quantities (R20), and from statistics to figures.

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive as _;

use super::snapshot::MoqPolicy;

/// The one rounding of statistics: three places, halves away from zero. None for what is not a number.
#[must_use]
pub fn round_stat(value: f64) -> Option<Decimal> {
    let rounded = Decimal::from_f64(value)?
        .round_dp_with_strategy(3, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
    Some(rounded.normalize())
}

/// What became of a need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounded {
    pub units: i64,
    pub cartons: Option<i64>,
    /// What full cartons added to the need.
    pub carton_effect: i64,
    /// What the minimum added, or took away when the policy waits.
    pub moq_effect: i64,
}

/// Rounds up to cartons, then minds the minimum. `carton` and `moq` count only above zero.
#[must_use]
pub fn round_need(need: i64, carton: Option<i64>, moq: Option<i64>, policy: MoqPolicy) -> Rounded {
    let carton = carton.filter(|units| *units > 0);
    let up = |units: i64| match carton {
        Some(size) => units.saturating_add(size - 1) / size * size,
        None => units,
    };
    let need = need.max(0);
    let full = up(need);
    let units = match moq.filter(|units| *units > 0) {
        Some(least) if need > 0 && full < least => match policy {
            MoqPolicy::Raise => up(least),
            MoqPolicy::Wait => 0,
        },
        _ => full,
    };
    Rounded {
        units,
        cartons: carton.map(|size| units / size),
        carton_effect: full - need,
        moq_effect: units - full,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r20_need_9800_carton_500_orders_10000() {
        let rounded = round_need(9_800, Some(500), None, MoqPolicy::Raise);
        assert_eq!(
            (rounded.units, rounded.cartons, rounded.carton_effect),
            (10_000, Some(20), 200)
        );
    }

    #[test]
    fn r20_moq_1000_and_need_40_is_0_or_1000_by_policy() {
        let raised = round_need(40, None, Some(1000), MoqPolicy::Raise);
        assert_eq!((raised.units, raised.moq_effect), (1000, 960));
        let waiting = round_need(40, Some(12), Some(1000), MoqPolicy::Wait);
        assert_eq!(
            (waiting.units, waiting.carton_effect, waiting.moq_effect),
            (0, 8, -48)
        );
    }

    #[test]
    fn no_need_stays_nothing_and_an_unknown_carton_rounds_to_units() {
        assert_eq!(round_need(0, Some(500), Some(1000), MoqPolicy::Raise).units, 0);
        let plain = round_need(41, Some(0), None, MoqPolicy::Raise);
        assert_eq!((plain.units, plain.cartons), (41, None));
    }

    #[test]
    fn statistics_have_three_places_and_no_nan() {
        assert_eq!(round_stat(12.0).unwrap().to_string(), "12");
        assert_eq!(round_stat(1.2345).unwrap().to_string(), "1.235");
        assert_eq!(round_stat(f64::NAN), None);
    }
}
