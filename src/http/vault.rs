//! Seals tokens before they are stored: with a key that is derived from the secrets of the configuration, so that the
//! database and its backups alone open nothing.

use chrono::{DateTime, Utc};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use crate::digest::hex;
use crate::secret::Secret;

/// Tokens as they are sealed.
pub(super) struct Kept {
    pub token: Secret,
    pub until: DateTime<Utc>,
    pub refresh: Option<Secret>,
}

/// The form in which they are sealed; lives only between here and the cipher.
#[derive(Serialize, Deserialize)]
struct Written {
    token: String,
    until: i64,
    refresh: Option<String>,
}

pub(super) struct Vault {
    key: LessSafeKey,
    /// Names the authorisation without telling anything about it.
    pub origin: String,
    context: Vec<u8>,
}

const VERSION: u8 = 1;
const SALT: &[u8] = b"linkstar credential 1";

/// Why nothing could be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum VaultError {
    #[error("the cipher cannot be set up")]
    Cipher,
    #[error("the stored token cannot be opened: it was changed, or stored by a newer version")]
    Damaged,
}

impl Vault {
    /// `root` is what the authorisation gave, `context` where it belongs.
    pub fn new(root: &str, context: &str) -> Result<Self, VaultError> {
        let secret = Salt::new(HKDF_SHA256, SALT).extract(root.as_bytes());
        let derive = |purpose: &str| -> Result<[u8; 32], VaultError> {
            let mut out = [0_u8; 32];
            secret
                .expand(&[purpose.as_bytes(), context.as_bytes()], HKDF_SHA256)
                .and_then(|key| key.fill(&mut out))
                .map_err(|_| VaultError::Cipher)?;
            Ok(out)
        };
        let key = UnboundKey::new(&AES_256_GCM, &derive("key")?).map_err(|_| VaultError::Cipher)?;
        let name = derive("name")?;
        Ok(Self {
            key: LessSafeKey::new(key),
            origin: hex(name.get(..16).unwrap_or_default()),
            context: context.as_bytes().to_vec(),
        })
    }

    pub fn seal(&self, kept: &Kept, random: &SystemRandom) -> Result<Vec<u8>, VaultError> {
        let written = Written {
            token: kept.token.expose().to_owned(),
            until: kept.until.timestamp_millis(),
            refresh: kept.refresh.as_ref().map(|refresh| refresh.expose().to_owned()),
        };
        let mut text = serde_json::to_vec(&written).map_err(|_| VaultError::Cipher)?;
        let mut nonce = [0_u8; NONCE_LEN];
        random.fill(&mut nonce).map_err(|_| VaultError::Cipher)?;
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(&self.context),
                &mut text,
            )
            .map_err(|_| VaultError::Cipher)?;
        let mut out = vec![VERSION];
        out.extend_from_slice(&nonce);
        out.append(&mut text);
        Ok(out)
    }

    pub fn open(&self, sealed: &[u8]) -> Result<Kept, VaultError> {
        let (version, rest) = sealed.split_first().ok_or(VaultError::Damaged)?;
        if *version != VERSION {
            return Err(VaultError::Damaged);
        }
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or(VaultError::Damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::Damaged)?;
        let mut text = text.to_vec();
        let text = self
            .key
            .open_in_place(nonce, Aad::from(&self.context), &mut text)
            .map_err(|_| VaultError::Damaged)?;
        let written: Written = serde_json::from_slice(text).map_err(|_| VaultError::Damaged)?;
        Ok(Kept {
            token: Secret::new(written.token),
            until: DateTime::from_timestamp_millis(written.until).ok_or(VaultError::Damaged)?,
            refresh: written.refresh.map(Secret::new),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        Kept {
            token: Secret::new("access-1"),
            until: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
            refresh: Some(Secret::new("refresh-2")),
        }
    }

    #[test]
    fn what_is_sealed_opens_only_with_the_same_secrets_in_the_same_place() {
        let random = SystemRandom::new();
        let vault = Vault::new("refresh-1", "main/erp").unwrap();
        let sealed = vault.seal(&kept(), &random).unwrap();
        let opened = vault.open(&sealed).unwrap();
        assert_eq!(opened.token.expose(), "access-1");
        assert_eq!(opened.refresh.unwrap().expose(), "refresh-2");
        assert_eq!(opened.until, kept().until);
        for other in [
            Vault::new("refresh-x", "main/erp").unwrap(),
            Vault::new("refresh-1", "main/other").unwrap(),
        ] {
            assert!(other.open(&sealed).is_err());
            assert_ne!(other.origin, vault.origin);
        }
        assert_ne!(
            vault.seal(&kept(), &random).unwrap(),
            sealed,
            "the same token sealed twice looks different"
        );
    }

    #[test]
    fn nothing_of_the_token_can_be_read_and_a_changed_byte_is_noticed() {
        let vault = Vault::new("refresh-1", "main/erp").unwrap();
        let sealed = vault.seal(&kept(), &SystemRandom::new()).unwrap();
        let shown = String::from_utf8_lossy(&sealed).into_owned();
        assert!(!shown.contains("access") && !shown.contains("refresh"), "{shown}");
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(vault.open(&changed).is_err(), "byte {place}");
            assert!(vault.open(&sealed[..place]).is_err(), "cut at {place}");
        }
    }
}
