//! Texts that nobody can guess. The one place that draws from the system's generator for the pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::digest::sha256_hex;
use crate::secret::password::{SALT_BYTES, same};

fn fill(bytes: &mut [u8]) -> Result<(), String> {
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(bytes)
        .map_err(|_| "the system gives no random numbers".to_owned())
}

/// A new token, 256 bits.
///
/// # Errors
/// When the system gives no random numbers.
pub(super) fn fresh() -> Result<String, String> {
    let mut bytes = [0; 32];
    fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The salt of a new password.
///
/// # Errors
/// When the system gives no random numbers.
pub fn salt() -> Result<[u8; SALT_BYTES], String> {
    let mut bytes = [0; SALT_BYTES];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// What a form must carry that was served to the holder of this token. It follows from the token, and the token does
/// not follow from it.
pub(super) fn of_form(token: &str) -> String {
    sha256_hex(format!("form\n{token}").as_bytes())
}

pub(super) fn form_fits(token: &str, given: &str) -> bool {
    same(of_form(token).as_bytes(), given.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_forms_fit_their_own_token_only() {
        let (one, other) = (fresh().unwrap(), fresh().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.len(), 43);
        assert!(form_fits(&one, &of_form(&one)));
        assert!(!form_fits(&one, &of_form(&other)));
        assert!(!form_fits(&one, ""));
        assert_ne!(salt().unwrap(), salt().unwrap());
    }
}
