//! How much of an uploaded file is read again before it gets its name. Why: `docs/decisions/0009-read-back.md`.

use std::ops::Range;

/// A file of at most so many bytes is read back whole.
const WHOLE_UP_TO: u64 = 8 * 1024 * 1024;
/// Of a larger one so many blocks are, the first and the last among them.
const SAMPLES: u64 = 64;
/// Bytes of a block: what a server that says nothing of its limits gives in one answer.
const BLOCK: u64 = 32 * 1024;

/// The parts of a file of that size which are read back, in their order and apart from each other. Where they lie
/// follows from the hash: the same file is looked at in the same places, and no server can know them beforehand.
#[must_use]
pub fn read_back(size: u64, sha256: &str) -> Vec<Range<u64>> {
    if size == 0 {
        return Vec::new();
    }
    if size <= WHOLE_UP_TO {
        return std::iter::once(0..size).collect();
    }
    // One block lies somewhere in each of as many stretches of the file as there are samples between the ends.
    let inner = size - 2 * BLOCK;
    let stretches = SAMPLES - 2;
    let mut state = seed(sha256);
    let mut blocks = Vec::from_iter(std::iter::once(0..BLOCK));
    for number in 0..stretches {
        let (from, to) = (
            share(inner, number, stretches),
            share(inner, number + 1, stretches),
        );
        let room = (to - from).saturating_sub(BLOCK);
        state = next(state);
        let begin = BLOCK + from + state.checked_rem(room + 1).unwrap_or(0);
        blocks.push(begin..begin + BLOCK);
    }
    blocks.push(size - BLOCK..size);
    blocks
}

/// How a receipt says what [`read_back`] looked at.
#[must_use]
pub fn read_back_words(size: u64) -> String {
    if size <= WHOLE_UP_TO {
        "read back".to_owned()
    } else {
        format!("measured and read back in {SAMPLES} places")
    }
}

/// Where the share of that number begins.
fn share(of: u64, number: u64, shares: u64) -> u64 {
    u64::try_from(u128::from(of) * u128::from(number) / u128::from(shares.max(1))).unwrap_or(of)
}

fn seed(sha256: &str) -> u64 {
    sha256.bytes().fold(0xCBF2_9CE4_8422_2325, |state: u64, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// One step of SplitMix64.
fn next(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256_hex;
    use proptest::prelude::*;

    #[test]
    fn a_file_as_forwarders_get_them_is_read_back_whole() {
        assert!(read_back(0, "x").is_empty());
        for size in [1, 20_000, WHOLE_UP_TO] {
            assert_eq!(read_back(size, "x"), Vec::from_iter(std::iter::once(0..size)));
            assert_eq!(read_back_words(size), "read back");
        }
        let large = read_back(200_000_000, &sha256_hex(b"a"));
        assert_eq!(large.len(), 64);
        assert_eq!(
            large.iter().map(|block| block.end - block.start).sum::<u64>(),
            2 << 20
        );
        assert_eq!(
            read_back_words(200_000_000),
            "measured and read back in 64 places"
        );
        assert_ne!(
            large,
            read_back(200_000_000, &sha256_hex(b"b")),
            "other bytes, other places"
        );
    }

    proptest! {
        #[test]
        fn r40_samples_begin_and_end_with_the_file_lie_apart_and_leave_no_wide_gap(
            size in WHOLE_UP_TO + 1..1 << 45, name in any::<u64>(),
        ) {
            let hash = sha256_hex(&name.to_be_bytes());
            let blocks = read_back(size, &hash);
            prop_assert_eq!(&blocks, &read_back(size, &hash));
            prop_assert_eq!(blocks.first().map(|block| block.start), Some(0));
            prop_assert_eq!(blocks.last().map(|block| block.end), Some(size));
            for pair in blocks.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start, "{:?}", pair);
                // Two stretches at most.
                prop_assert!(pair[1].start - pair[0].end <= 2 * size / 62, "{:?}", pair);
            }
        }
    }
}
