//! Texts to small numbers, so that ten million lines fit in memory.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hasher};

/// The keys are hashes already.
#[derive(Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// No name.
pub(super) const NONE: u32 = u32::MAX;

#[derive(Default)]
pub(super) struct Names {
    /// Hash of a text, or one of the next free after it, to its number.
    numbers: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
    ends: Vec<usize>,
    bytes: String,
}

impl Names {
    fn hash(text: &str) -> u64 {
        // Fixed keys: the same texts lie the same way in every run.
        let mut hasher = DefaultHasher::new();
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    pub(super) fn text(&self, number: u32) -> &str {
        let number = number as usize;
        let end = self.ends.get(number).copied().unwrap_or_default();
        let start = number
            .checked_sub(1)
            .and_then(|before| self.ends.get(before).copied())
            .unwrap_or_default();
        self.bytes.get(start..end).unwrap_or_default()
    }

    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let mut hash = Self::hash(text);
        loop {
            let number = *self.numbers.get(&hash)?;
            if self.text(number) == text {
                return Some(number);
            }
            hash = hash.wrapping_add(1);
        }
    }

    /// Its number, and whether it is new. Two texts of one hash are told apart by the texts.
    pub(super) fn number(&mut self, text: &str) -> (u32, bool) {
        let mut hash = Self::hash(text);
        while let Some(number) = self.numbers.get(&hash) {
            if self.text(*number) == text {
                return (*number, false);
            }
            hash = hash.wrapping_add(1);
        }
        let number = u32::try_from(self.ends.len()).unwrap_or(NONE);
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        self.numbers.insert(hash, number);
        (number, true)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn reserve(&mut self, names: usize, bytes: usize) {
        self.numbers.reserve(names);
        self.ends.reserve(names);
        self.bytes.reserve(bytes);
    }

    /// What it takes of the memory.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity()
            + self.ends.capacity() * size_of::<usize>()
            + self.numbers.capacity() * (size_of::<(u64, u32)>() + 1) * 8 / 7
    }
}
