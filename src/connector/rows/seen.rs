//! The same row again: within an answer, and in a later answer of the same run.
//!
//! Paging over a set that changes gives rows twice; some sources send every change of a row. Of rows with one key the
//! newest counts, of equally new ones the one that came last.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash as _, Hasher};

use crate::connector::cell::Cell;
use crate::connector::definition::RecordKind;
use crate::connector::load::Reading;
use crate::connector::record::Mapped;

/// What a row is known by. Hashes instead of texts: a run may see millions of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    key: u64,
    content: u64,
    /// Rows that replace what is stored only together: the lines of one order.
    group: Option<u64>,
    version: i64,
}

fn hash<'c>(cells: impl Iterator<Item = &'c Cell<'c>>) -> u64 {
    // A fresh hasher starts the same in every process: nothing here may depend on chance.
    let mut hasher = DefaultHasher::new();
    for cell in cells {
        match cell {
            // Written out it would be the same, at ten times the cost.
            Cell::Time(at) => at.timestamp_micros().hash(&mut hasher),
            cell => cell.show().hash(&mut hasher),
        }
    }
    hasher.finish()
}

impl Told {
    /// By the key that the stream declares. Without one, rows of a stock are known by all they say: rows of one SKU add
    /// up, the same row twice does not. Other rows are not known by anything.
    pub(super) fn of(record: RecordKind, reading: &Reading, row: &Mapped<'_>) -> Option<Self> {
        if reading.key.is_empty() && record != RecordKind::Stock {
            return None;
        }
        let cell = |index: &usize| row.0.get(*index).unwrap_or(&Cell::Null);
        let content = hash(row.0.iter());
        let key = match reading.key.as_slice() {
            [] => content,
            key => hash(key.iter().map(cell)),
        };
        Some(Self {
            key,
            content,
            group: (record == RecordKind::OrderLine).then(|| hash(std::iter::once(cell(&0)))),
            version: match reading.newest.as_ref().map(cell) {
                Some(Cell::Time(at)) => at.timestamp_millis(),
                _ => 0,
            },
        })
    }
}

/// A key that is a hash already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type ByKey<V> = HashMap<u64, V, BuildHasherDefault<AsItIs>>;

/// So many small tables instead of a large one: a table that grows stands in memory twice meanwhile.
const PARTS: usize = 64;

/// By bits that the table itself does not look at.
fn part(key: u64) -> usize {
    usize::from((key >> 40).to_le_bytes()[0]) % PARTS
}

/// What a run has seen so far: version and content by key.
#[derive(Debug)]
pub struct Seen([ByKey<(i64, u64)>; PARTS]);

impl Default for Seen {
    fn default() -> Self {
        Self(std::array::from_fn(|_| ByKey::default()))
    }
}

pub(super) struct Sifted {
    pub keep: Vec<bool>,
    pub duplicates: u64,
    pub superseded: u64,
}

impl Seen {
    fn told(&self, key: u64) -> Option<&(i64, u64)> {
        self.0.get(part(key))?.get(&key)
    }

    fn tell(&mut self, row: &Told) {
        if let Some(part) = self.0.get_mut(part(row.key)) {
            part.insert(row.key, (row.version, row.content));
        }
    }

    pub(super) fn sift(&mut self, rows: &[Told]) -> Sifted {
        let mut out = Sifted {
            keep: vec![true; rows.len()],
            duplicates: 0,
            superseded: 0,
        };
        // Within the answer: the newest of each key.
        let mut best: ByKey<usize> =
            HashMap::with_capacity_and_hasher(rows.len(), BuildHasherDefault::default());
        for (index, row) in rows.iter().enumerate() {
            let Some(before) = best.get(&row.key).copied() else {
                best.insert(row.key, index);
                continue;
            };
            let Some(other) = rows.get(before) else { continue };
            let loser = if other.content == row.content || row.version < other.version {
                index
            } else {
                best.insert(row.key, index);
                before
            };
            if other.content == row.content {
                out.duplicates += 1;
            } else {
                out.superseded += 1;
            }
            if let Some(keep) = out.keep.get_mut(loser) {
                *keep = false;
            }
        }
        // Against earlier answers. An order of which one line is new is taken with all its lines.
        let fresh = |row: &Told| match self.told(row.key) {
            None => true,
            Some((version, content)) => *content != row.content && *version <= row.version,
        };
        let kept = |out: &Sifted, index: usize| out.keep.get(index).copied().unwrap_or(false);
        let fresh: Vec<bool> = rows.iter().map(fresh).collect();
        let groups: HashSet<u64, BuildHasherDefault<AsItIs>> = rows
            .iter()
            .enumerate()
            .filter(|(index, _)| kept(&out, *index) && fresh.get(*index) == Some(&true))
            .filter_map(|(_, row)| row.group)
            .collect();
        for (index, row) in rows.iter().enumerate() {
            if !kept(&out, index) {
                continue;
            }
            let with_its_group = row.group.is_some_and(|group| groups.contains(&group));
            if fresh.get(index) == Some(&true) || with_its_group {
                self.tell(row);
                continue;
            }
            match self.told(row.key) {
                Some((_, content)) if *content == row.content => out.duplicates += 1,
                _ => out.superseded += 1,
            }
            if let Some(keep) = out.keep.get_mut(index) {
                *keep = false;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(key: u64, version: i64, content: u64, group: Option<u64>) -> Told {
        Told {
            key,
            content,
            group,
            version,
        }
    }

    #[test]
    fn the_newest_row_of_a_key_counts_and_equal_ones_are_counted() {
        let mut seen = Seen::default();
        let page = [
            told(1, 5, 50, None),
            told(1, 7, 70, None),
            told(1, 6, 60, None),
            told(2, 1, 10, None),
            told(2, 1, 10, None),
        ];
        let sifted = seen.sift(&page);
        assert_eq!(sifted.keep, [false, true, false, true, false]);
        assert_eq!((sifted.duplicates, sifted.superseded), (1, 2));
        let later = [told(1, 7, 70, None), told(2, 0, 9, None), told(1, 8, 80, None)];
        let sifted = seen.sift(&later);
        assert_eq!(sifted.keep, [false, false, true]);
    }

    #[test]
    fn the_lines_of_an_order_stay_together() {
        let mut seen = Seen::default();
        let order = Some(9);
        seen.sift(&[told(1, 1, 10, order), told(2, 1, 20, order)]);
        // One line changed: without the other one it would be lost, because an order replaces all its lines.
        let sifted = seen.sift(&[told(1, 1, 10, order), told(2, 2, 21, order)]);
        assert_eq!(sifted.keep, [true, true]);
        let sifted = seen.sift(&[told(1, 1, 10, order), told(2, 2, 21, order)]);
        assert_eq!((sifted.keep, sifted.duplicates), (vec![false, false], 2));
    }
}
