//! How an order was packed: its cartons, the pallets they stand on, and the codes that tell them from every other in the world.

use std::collections::BTreeMap;

use super::{Carton, Pallet};
use crate::identity::gtin_check_digit;

/// Cartons and pallets as they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed {
    pub cartons: Vec<Carton>,
    pub pallets: Vec<Pallet>,
}

/// The company's number in GS1 codes, 7 to 10 digits; what is left of the sixteen counts cartons and pallets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gs1Prefix(String);

impl Gs1Prefix {
    #[must_use]
    pub fn new(digits: &str) -> Option<Self> {
        let good = (7..=10).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        good.then(|| Self(digits.to_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How many codes there are before one would be given twice.
    #[must_use]
    pub fn codes(&self) -> i64 {
        let places = u32::try_from(16_usize.saturating_sub(self.0.len())).unwrap_or(0);
        10_i64.saturating_pow(places)
    }

    /// The code of a serial number, with extension digit 0; `None` beyond the last one.
    #[must_use]
    pub fn sscc(&self, serial: i64) -> Option<String> {
        if !(0..self.codes()).contains(&serial) {
            return None;
        }
        let width = 16_usize.saturating_sub(self.0.len());
        let body = format!("0{}{serial:0width$}", self.0);
        let digits: Vec<u32> = body.chars().filter_map(|c| c.to_digit(10)).collect();
        Some(format!("{body}{}", gtin_check_digit(&digits)))
    }
}

impl Packed {
    /// How many cartons and pallets have no code yet.
    #[must_use]
    pub fn without_sscc(&self) -> i64 {
        let cartons = self
            .cartons
            .iter()
            .filter(|carton| carton.sscc.is_empty())
            .count();
        let pallets = self
            .pallets
            .iter()
            .filter(|pallet| pallet.sscc.is_empty())
            .count();
        i64::try_from(cartons.saturating_add(pallets)).unwrap_or(i64::MAX)
    }

    /// Gives every carton and pallet without a code the next one from `first` on, cartons before pallets. `false`: the numbers of
    /// this prefix are used up, and nothing was given.
    pub fn number(&mut self, prefix: &Gs1Prefix, first: i64) -> bool {
        let Some(end) = first
            .checked_add(self.without_sscc())
            .filter(|end| *end <= prefix.codes())
        else {
            return false;
        };
        let mut codes = (first..end).filter_map(|serial| prefix.sscc(serial));
        let cartons = self.cartons.iter_mut().map(|carton| &mut carton.sscc);
        let pallets = self.pallets.iter_mut().map(|pallet| &mut pallet.sscc);
        for sscc in cartons.chain(pallets).filter(|sscc| sscc.is_empty()) {
            if let Some(code) = codes.next() {
                *sscc = code;
            }
        }
        true
    }

    /// Codes that stand on more than one carton or pallet.
    #[must_use]
    pub fn twice(&self) -> Vec<&str> {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        let cartons = self.cartons.iter().map(|carton| carton.sscc.as_str());
        let pallets = self.pallets.iter().map(|pallet| pallet.sscc.as_str());
        for sscc in cartons.chain(pallets).filter(|sscc| !sscc.is_empty()) {
            *seen.entry(sscc).or_default() += 1;
        }
        seen.into_iter()
            .filter_map(|(sscc, times)| (times > 1).then_some(sscc))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantity::Dims;
    use proptest::prelude::*;

    fn packed(cartons: u32, given: &[&str]) -> Packed {
        let dims = Dims {
            length_mm: 600,
            width_mm: 400,
            height_mm: 300,
        };
        Packed {
            cartons: (1..=cartons)
                .map(|no| Carton {
                    no,
                    mark: format!("X{no}"),
                    sscc: String::new(),
                    contents: Vec::new(),
                    net_g: 1,
                    gross_g: 2,
                    dims,
                })
                .collect(),
            pallets: given
                .iter()
                .zip(1..)
                .map(|(sscc, no)| Pallet {
                    no,
                    sscc: (*sscc).to_owned(),
                    cartons: Vec::new(),
                    gross_g: 1,
                    dims,
                })
                .collect(),
        }
    }

    #[test]
    fn a_prefix_has_seven_to_ten_digits_and_as_many_codes_as_are_left() {
        assert_eq!(Gs1Prefix::new("123456"), None);
        assert_eq!(Gs1Prefix::new("69012345678"), None);
        assert_eq!(Gs1Prefix::new("690123X"), None);
        let prefix = Gs1Prefix::new("6901234567").unwrap();
        assert_eq!(prefix.codes(), 1_000_000);
        assert_eq!(prefix.sscc(0).as_deref(), Some("069012345670000007"));
        assert_eq!(prefix.sscc(1_000_000), None);
        assert!(!packed(3, &[]).number(&prefix, 999_998), "three are not left");
    }

    #[test]
    fn a_code_that_was_given_stays_and_one_that_stands_twice_is_named() {
        let prefix = Gs1Prefix::new("6901234").unwrap();
        let mut some = packed(1, &["106141411234567897", ""]);
        assert!(some.number(&prefix, 7));
        assert_eq!(some.pallets[0].sscc, "106141411234567897");
        assert!(some.twice().is_empty());
        some.cartons[0].sscc = "106141411234567897".to_owned();
        assert_eq!(some.twice(), ["106141411234567897"]);
    }

    proptest! {
        #[test]
        fn every_code_is_right_and_no_two_are_alike(
            digits in "[0-9]{7,10}", first in 0_i64..900_000, cartons in 1_u32..60, pallets in 0_usize..9,
        ) {
            let prefix = Gs1Prefix::new(&digits).unwrap();
            let mut some = packed(cartons, &vec![""; pallets]);
            let wanted = some.without_sscc();
            prop_assert_eq!(wanted, i64::from(cartons) + i64::try_from(pallets).unwrap());
            prop_assert!(some.number(&prefix, first));
            prop_assert_eq!(some.without_sscc(), 0);
            prop_assert!(some.twice().is_empty());
            for carton in &some.cartons {
                prop_assert_eq!(crate::identity::sscc(&carton.sscc), Ok(()));
            }
        }
    }
}
