//! The carton plan: full cartons by the item's packing specification, the rest in one last carton per line.

use serde::{Deserialize, Serialize};

use super::model::{Carton, CartonContent};
use crate::quantity::Dims;

/// How an item is packed, from the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartonSpec {
    pub units: i64,
    pub dims: Dims,
    pub gross_g: i64,
    pub unit_net_g: i64,
    pub unit_gross_g: i64,
}

impl CartonSpec {
    /// Weight of the empty carton with its filling; never negative, the import has checked the sum.
    fn tare_g(&self) -> i64 {
        (self.gross_g - self.units * self.unit_gross_g).max(0)
    }
}

/// Packs one line, numbering on from `first_no`. `mark_base` is what the carton id begins with.
#[must_use]
pub fn pack(line: u32, units: i64, spec: &CartonSpec, first_no: u32, mark_base: &str) -> Vec<Carton> {
    if units <= 0 || spec.units <= 0 {
        return Vec::new();
    }
    let full = units / spec.units;
    let rest = units % spec.units;
    let sizes =
        std::iter::repeat_n(spec.units, usize::try_from(full).unwrap_or(0)).chain((rest > 0).then_some(rest));
    sizes
        .zip(first_no..)
        .map(|(inside, no)| Carton {
            no,
            mark: carton_mark(mark_base, no),
            contents: vec![CartonContent { line, units: inside }],
            net_g: inside * spec.unit_net_g,
            gross_g: inside * spec.unit_gross_g + spec.tare_g(),
            dims: spec.dims,
            sscc: String::new(),
        })
        .collect()
}

/// The id on a carton's mark: the order or inbound number and a running number, as Amazon and 3PLs write it.
#[must_use]
pub fn carton_mark(base: &str, no: u32) -> String {
    format!("{base}U{no:06}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spec(units: i64) -> CartonSpec {
        CartonSpec {
            units,
            dims: Dims {
                length_mm: 500,
                width_mm: 400,
                height_mm: 300,
            },
            gross_g: units * 320 + 800,
            unit_net_g: 300,
            unit_gross_g: 320,
        }
    }

    #[test]
    fn a_rest_goes_into_one_last_lighter_carton() {
        let cartons = pack(1, 100, &spec(48), 5, "BH1");
        let sizes: Vec<i64> = cartons.iter().map(Carton::units).collect();
        assert_eq!(sizes, [48, 48, 4]);
        assert_eq!(cartons[2].gross_g, 4 * 320 + 800);
        assert_eq!(cartons[0].mark, "BH1U000005");
    }

    proptest! {
        #[test]
        fn cartons_hold_exactly_the_line_and_are_numbered_without_holes(units in 1_i64..5_000, per in 1_i64..300) {
            let cartons = pack(3, units, &spec(per), 1, "X");
            prop_assert_eq!(cartons.iter().map(Carton::units).sum::<i64>(), units);
            for (carton, no) in cartons.iter().zip(1_u32..) {
                prop_assert_eq!(carton.no, no);
                prop_assert!(carton.net_g <= carton.gross_g);
            }
        }
    }
}
