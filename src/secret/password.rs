//! Passwords as they are kept: Argon2id with its own salt, in the usual text form.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = 32;
pub const SALT_BYTES: usize = 16;
/// A hash made elsewhere may ask for more work than ours; not for so much that a login stops the machine.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 20;
/// Longer ones are no passwords, and hashing them is work.
pub const MOST_CHARS: usize = 512;

/// Why a text is no hash of a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a hash as `linkstar web hash` prints it: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`")]
pub struct NoHash;

/// The hash of a password. Not shown: it would let others try passwords at their leisure.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

fn derive(
    costs: (u32, u32, u32),
    password: &str,
    salt: &[u8],
    bytes: usize,
) -> Result<Vec<u8>, argon2::Error> {
    let (memory_kib, passes, lanes) = costs;
    let params = Params::new(memory_kib, passes, lanes, Some(bytes))?;
    let mut out = vec![0; bytes];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
        password.as_bytes(),
        salt,
        &mut out,
    )?;
    Ok(out)
}

impl PasswordHash {
    /// Reads the text form.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(text: &str) -> Result<Self, NoHash> {
        let parts: Vec<&str> = text.trim().split('$').collect();
        let ["", "argon2id", "v=19", costs, salt, hash] = parts.as_slice() else {
            return Err(NoHash);
        };
        let mut found = [None; 3];
        for cost in costs.split(',') {
            let (name, value) = cost.split_once('=').ok_or(NoHash)?;
            let place = ["m", "t", "p"].iter().position(|known| *known == name);
            let slot = place.and_then(|place| found.get_mut(place)).ok_or(NoHash)?;
            *slot = value.parse::<u32>().ok();
        }
        let [Some(memory_kib), Some(passes), Some(lanes)] = found else {
            return Err(NoHash);
        };
        let salt = BASE64.decode(salt).map_err(|_| NoHash)?;
        let hash = BASE64.decode(hash).map_err(|_| NoHash)?;
        let sane = (8..=MOST_MEMORY_KIB).contains(&memory_kib)
            && (1..=MOST_PASSES).contains(&passes)
            && (1..=16).contains(&lanes)
            && (8..=64).contains(&salt.len())
            && (16..=64).contains(&hash.len())
            && Params::new(memory_kib, passes, lanes, Some(hash.len())).is_ok();
        sane.then_some(Self {
            memory_kib,
            passes,
            lanes,
            salt,
            hash,
        })
        .ok_or(NoHash)
    }

    /// Whether this is the password; takes as long for a wrong one.
    #[must_use]
    pub fn fits(&self, password: &str) -> bool {
        if password.chars().count() > MOST_CHARS {
            return false;
        }
        let costs = (self.memory_kib, self.passes, self.lanes);
        derive(costs, password, &self.salt, self.hash.len()).is_ok_and(|found| same(&found, &self.hash))
    }
}

/// The text form of a new password's hash.
///
/// # Errors
/// When the machine has no memory for it.
pub fn hash(password: &str, salt: [u8; SALT_BYTES]) -> Result<String, String> {
    let hash = derive((MEMORY_KIB, PASSES, LANES), password, &salt, HASH_BYTES)
        .map_err(|error| error.to_string())?;
    Ok(format!(
        "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
        BASE64.encode(salt),
        BASE64.encode(hash)
    ))
}

/// Compares without telling by its time how much was right.
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0_u8, |diff, (a, b)| diff | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_hash_and_nothing_else_does() {
        let text = hash("开门 sesame", [7; SALT_BYTES]).unwrap();
        let parsed = PasswordHash::parse(&text).unwrap();
        assert!(parsed.fits("开门 sesame"));
        assert!(!parsed.fits("开门 Sesame"));
        assert!(!parsed.fits(""));
        assert_eq!(format!("{parsed:?}"), "[redacted]");
        assert_ne!(text, hash("开门 sesame", [8; SALT_BYTES]).unwrap());
    }

    #[test]
    fn foreign_texts_are_refused_before_they_cost_anything() {
        for text in [
            "",
            "hunter2",
            "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng",
            "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng",
            "$argon2id$v=19$m=19456,t=9999,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng",
            "$argon2id$v=19$m=19456,t=2$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng",
            "$argon2id$v=19$m=19456,t=2,p=1$c29t$MTIz",
        ] {
            assert_eq!(PasswordHash::parse(text), Err(NoHash), "{text}");
        }
        assert!(
            PasswordHash::parse("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng").is_ok()
        );
    }

    #[test]
    fn same_is_equality() {
        assert!(same(b"", b"") && same(b"abc", b"abc"));
        assert!(!same(b"abc", b"abd") && !same(b"abc", b"ab"));
    }
}
