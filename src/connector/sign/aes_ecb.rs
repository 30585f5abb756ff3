//! AES-128 in ECB mode with PKCS#7 padding: what one provider asks for. It hides nothing here, it only shows that the
//! sender knows the key.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

const BLOCK: usize = 16;

/// # Errors
/// When the key is not 16 bytes.
pub fn base64(key: &str, message: &str) -> Result<String, String> {
    let cipher = Aes128::new_from_slice(key.as_bytes()).map_err(|_| {
        format!(
            "the signing key must be {BLOCK} bytes for `aes_ecb_md5`, it has {}",
            key.len()
        )
    })?;
    let mut out = Vec::with_capacity(message.len() + BLOCK);
    let mut rest = message.as_bytes();
    loop {
        let mut block = [0_u8; BLOCK];
        let taken = rest.len().min(BLOCK);
        let (now, later) = rest.split_at(taken);
        let padding = u8::try_from(BLOCK - taken).unwrap_or_default();
        block.fill(padding);
        for (to, from) in block.iter_mut().zip(now) {
            *to = *from;
        }
        let mut block = block.into();
        cipher.encrypt_block(&mut block);
        out.extend_from_slice(&block);
        rest = later;
        // A message that fills its last block is followed by a block of padding.
        if taken < BLOCK {
            return Ok(BASE64_STANDARD.encode(out));
        }
    }
}
