//! A year of one series in bytes. Pure.
//!
//! Each day that has units is two numbers: how many days after the one before it lies (the first: its number in the
//! year), and its units. Numbers are seven bits a byte, the lowest first, the eighth bit says that more follow; units
//! may be below zero and change sides as `0, -1, 1, -2, …`. A day that is not there has no row in `sales_day` either:
//! nothing in these bytes says whether it was asked for, that is `source_day`'s to tell.

use chrono::{Datelike as _, NaiveDate};

/// The form these functions write; another number in `sales_packed` means: pack anew.
pub const FORM: i64 = 1;
/// No year is longer.
const LONGEST_YEAR: u32 = 366;

/// Packs days as they come, the earliest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packer {
    bytes: Vec<u8>,
    last: u32,
}

impl Packer {
    /// Adds a day by its number in the year. A day without units leaves no trace. False when it does not come after
    /// those before it.
    #[must_use]
    pub fn push(&mut self, ordinal: u32, units: i64) -> bool {
        if ordinal <= self.last || ordinal > LONGEST_YEAR {
            return false;
        }
        if units != 0 {
            put(&mut self.bytes, u64::from(ordinal - self.last));
            put(&mut self.bytes, ((units << 1) ^ (units >> 63)).cast_unsigned());
            self.last = ordinal;
        }
        true
    }

    #[must_use]
    pub fn bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// What [`Packer`] wrote, in the order of the days.
///
/// # Errors
/// What is wrong with bytes that it did not write.
pub fn unpack(year: i64, bytes: &[u8]) -> Result<Vec<(NaiveDate, i64)>, String> {
    let mut days = Vec::with_capacity(bytes.len() / 2);
    let mut reader = Reader::new(year, bytes)?;
    while let Some((ordinal, units)) = reader.next()? {
        days.extend(NaiveDate::from_yo_opt(reader.year, ordinal).map(|day| (day, units)));
    }
    Ok(days)
}

/// What [`Packer`] wrote with changes to some of its days, the earliest first, without unpacking it: a load changes
/// thousands of series a page.
///
/// # Errors
/// What is wrong with bytes that it did not write, or when a day's units are more than a number holds.
pub fn merge(year: i64, bytes: &[u8], changes: &[(u32, i64)]) -> Result<Vec<u8>, String> {
    let mut packer = Packer {
        bytes: Vec::with_capacity(bytes.len() + 3 * changes.len()),
        last: 0,
    };
    let mut add = |ordinal: u32, units: i64| {
        if packer.push(ordinal, units) {
            Ok(())
        } else {
            Err(format!("day {ordinal} of {year} does not come in its order"))
        }
    };
    let mut changes = changes.iter().copied().peekable();
    let mut reader = Reader::new(year, bytes)?;
    while let Some((ordinal, units)) = reader.next()? {
        while let Some((earlier, more)) = changes.next_if(|(day, _)| *day < ordinal) {
            add(earlier, more)?;
        }
        let more = changes
            .next_if(|(day, _)| *day == ordinal)
            .map_or(0, |(_, more)| more);
        let sum = units
            .checked_add(more)
            .ok_or_else(|| "more units than a number holds".to_owned())?;
        add(ordinal, sum)?;
    }
    changes.try_for_each(|(ordinal, units)| add(ordinal, units))?;
    Ok(packer.bytes())
}

/// Days as they stand in the bytes.
struct Reader<'b> {
    year: i32,
    longest: u32,
    rest: &'b [u8],
    ordinal: u64,
}

impl<'b> Reader<'b> {
    fn new(year: i64, bytes: &'b [u8]) -> Result<Self, String> {
        let year = i32::try_from(year).map_err(|_| format!("no year {year}"))?;
        let leap = NaiveDate::from_yo_opt(year, LONGEST_YEAR).is_some();
        Ok(Self {
            year,
            longest: LONGEST_YEAR - u32::from(!leap),
            rest: bytes,
            ordinal: 0,
        })
    }

    /// The next day's number in the year and its units.
    fn next(&mut self) -> Result<Option<(u32, i64)>, String> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let gap = take(&mut self.rest)?;
        let folded = take(&mut self.rest)?;
        let units = (folded >> 1).cast_signed() ^ -(folded & 1).cast_signed();
        self.ordinal = self.ordinal.saturating_add(gap);
        u32::try_from(self.ordinal)
            .ok()
            .filter(|ordinal| gap > 0 && units != 0 && *ordinal <= self.longest)
            .map(|ordinal| Some((ordinal, units)))
            .ok_or_else(|| format!("day {} of {} with {units} units", self.ordinal, self.year))
    }
}

/// Year and number in it of a day.
#[must_use]
pub fn place(day: NaiveDate) -> (i64, u32) {
    (day.year().into(), day.ordinal())
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Result<u64, String> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let Some((byte, after)) = rest.split_first() else {
            return Err("it breaks off".to_owned());
        };
        *rest = after;
        let part = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit.
        if shift == 63 && part > 1 {
            break;
        }
        number |= part << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err("a number is too long".to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn pack(days: &BTreeMap<u32, i64>) -> Vec<u8> {
        let mut packer = Packer::default();
        assert!(days.iter().all(|(ordinal, units)| packer.push(*ordinal, *units)));
        packer.bytes()
    }

    proptest! {
        #[test]
        fn changes_on_bytes_are_changes_on_days(
            year in 1970_i32..2200,
            before in proptest::collection::btree_map(1_u32..=365, -5_i64..5, 0..40),
            changes in proptest::collection::btree_map(1_u32..=365, -5_i64..5, 0..40),
        ) {
            let mut after = before.clone();
            for (ordinal, units) in &changes {
                *after.entry(*ordinal).or_insert(0) += units;
            }
            let changes: Vec<(u32, i64)> = changes.into_iter().collect();
            prop_assert_eq!(merge(year.into(), &pack(&before), &changes), Ok(pack(&after)));
        }

        #[test]
        fn what_is_packed_comes_back(
            year in 1970_i32..2200,
            days in proptest::collection::btree_map(1_u32..=365, any::<i64>(), 0..40),
        ) {
            let packed = pack(&days);
            let sold: Vec<(NaiveDate, i64)> = days
                .iter()
                .filter(|(_, units)| **units != 0)
                .map(|(ordinal, units)| (NaiveDate::from_yo_opt(year, *ordinal).unwrap(), *units))
                .collect();
            prop_assert_eq!(unpack(year.into(), &packed), Ok(sold));
        }

        #[test]
        fn foreign_bytes_are_refused_or_packed_the_same_way_again(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(days) = unpack(2026, &bytes) {
                let again: BTreeMap<u32, i64> = days.iter().map(|(day, units)| (day.ordinal(), *units)).collect();
                prop_assert_eq!(unpack(2026, &pack(&again)), Ok(days));
            }
        }
    }

    #[test]
    fn most_days_are_two_bytes_and_a_broken_blob_says_why() {
        let days: BTreeMap<u32, i64> = (1..=365).map(|day| (day, 63)).collect();
        assert_eq!(pack(&days).len(), 2 * 365);
        assert!(pack(&BTreeMap::new()).is_empty());
        assert_eq!(
            unpack(2026, &[1, 2]),
            Ok(vec![("2026-01-01".parse().unwrap(), 1)])
        );
        let why = |bytes: &[u8]| unpack(2026, bytes).unwrap_err();
        assert_eq!(why(&[1]), "it breaks off");
        assert_eq!(why(&[0, 2]), "day 0 of 2026 with 1 units");
        assert_eq!(why(&[0xee, 0x02, 2]), "day 366 of 2026 with 1 units");
        assert!(unpack(2028, &[0xee, 0x02, 2]).is_ok(), "a leap year");
        assert_eq!(why(&[1, 0]), "day 1 of 2026 with 0 units");
        assert_eq!(why(&[0xff; 11]), "a number is too long");
    }

    #[test]
    fn a_sum_beyond_a_number_and_changes_out_of_order_are_refused() {
        let full = pack(&BTreeMap::from([(3, i64::MAX)]));
        let why = |changes: &[(u32, i64)]| merge(2026, &full, changes).unwrap_err();
        assert_eq!(why(&[(3, 1)]), "more units than a number holds");
        assert_eq!(why(&[(5, 1), (4, 1)]), "day 4 of 2026 does not come in its order");
        assert_eq!(merge(2026, &full, &[(3, -i64::MAX)]), Ok(Vec::new()));
        assert_eq!(merge(2026, &[1], &[(1, 1)]), Err("it breaks off".to_owned()));
    }

    #[test]
    fn days_come_in_order_or_not_at_all() {
        let mut packer = Packer::default();
        assert!(packer.push(5, 1));
        assert!(!packer.push(5, 1));
        assert!(!packer.push(4, 1));
        assert!(!packer.push(367, 1));
        assert_eq!(packer.bytes(), [5, 2]);
    }
}
