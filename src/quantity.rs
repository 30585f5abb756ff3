//! Weights and sizes of goods as integers with their unit in the name.
//!
//! Units of goods are plain `i64` (they may be negative in corrections); what may be missing is `Option`.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Outer measures in millimetres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Dims {
    pub length_mm: i64,
    pub width_mm: i64,
    pub height_mm: i64,
}

impl Dims {
    #[must_use]
    pub fn volume_mm3(&self) -> i64 {
        self.length_mm * self.width_mm * self.height_mm
    }

    #[must_use]
    pub fn longest_mm(&self) -> i64 {
        self.length_mm.max(self.width_mm).max(self.height_mm)
    }
}

/// Grams as kilograms with three places: what documents print.
#[must_use]
pub fn kilograms(grams: i64) -> Decimal {
    Decimal::new(grams, 3)
}

/// Cubic millimetres as cubic metres with three places, halves up: what packing lists print.
#[must_use]
pub fn cubic_metres(mm3: i64) -> Decimal {
    let mut metres = (Decimal::new(mm3, 9))
        .round_dp_with_strategy(3, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
    metres.rescale(3);
    metres
}

/// Millimetres as centimetres with one place.
#[must_use]
pub fn centimetres(mm: i64) -> Decimal {
    Decimal::new(mm, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volume_of_a_carton_rounds_to_litres() {
        let carton = Dims {
            length_mm: 600,
            width_mm: 400,
            height_mm: 355,
        };
        assert_eq!(cubic_metres(carton.volume_mm3()).to_string(), "0.085");
        assert_eq!(kilograms(12_345).to_string(), "12.345");
    }
}
