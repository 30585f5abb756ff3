//! Chance that belongs to a name: the same item, day and run throw the same number under every policy.

/// A value in [0, 1) that depends on all parts and on nothing else.
#[must_use]
pub fn unit(seed: u64, parts: &[u64]) -> f64 {
    let mut state = mix(seed ^ 0x1B8C_7A55);
    for part in parts {
        state = mix(state ^ mix(part.wrapping_add(0x9E37_79B9_7F4A_7C15)));
    }
    (state >> 11) as f64 / (1_u64 << 53) as f64
}

/// FNV-1a: stable over versions of the compiler.
#[must_use]
pub fn name(parts: &[&str]) -> u64 {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }
    hash
}

/// The last step of SplitMix64.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_even_and_belong_to_their_names() {
        let mean = (0..10_000).map(|n| unit(7, &[n, 3])).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.01, "{mean}");
        assert_eq!(unit(1, &[name(&["a", "b"]), 2]), unit(1, &[name(&["a", "b"]), 2]));
        assert_ne!(name(&["a", "b"]), name(&["ab", ""]));
    }
}
