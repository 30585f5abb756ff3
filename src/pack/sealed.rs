//! A ZIP whose last file says the SHA-256 of every other. The same files give the same bytes: no clock, no owner.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::claim::paper::PaperError;
use crate::digest::sha256_hex;

pub const HASHES: &str = "SHA256SUMS";

#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("the pack lacks something")]
    Incomplete,
    #[error("write the pack's index")]
    Paper(#[from] PaperError),
    #[error("write the zip file")]
    Zip(#[from] zip::result::ZipError),
    #[error("write the zip file")]
    Io(#[from] std::io::Error),
    #[error("write the facts")]
    Json(#[from] serde_json::Error),
}

/// The files in their order, and their hashes.
///
/// # Errors
/// When a name stands twice or the ZIP cannot be written.
pub fn sealed(mut files: Vec<(String, Vec<u8>)>) -> Result<Vec<u8>, SealError> {
    let mut hashes = String::new();
    for (name, bytes) in &files {
        hashes.push_str(&format!("{}  {name}\n", sha256_hex(bytes)));
    }
    files.push((HASHES.to_owned(), hashes.into_bytes()));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .unix_permissions(0o644)
        .last_modified_time(zip::DateTime::default());
    for (name, bytes) in files {
        zip.start_file(name, options)?;
        zip.write_all(&bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}
