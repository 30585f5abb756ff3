//! Packed answers: opened within a limit, and only when they are whole.

use std::io::{Cursor, Read};

use super::DecodeError;

/// An archive with more files than this was not made by a warehouse.
const MAX_MEMBERS: usize = 1_000;

fn read_at_most(from: impl Read, limit: u64) -> Result<Result<Vec<u8>, DecodeError>, std::io::Error> {
    let mut out = Vec::new();
    from.take(limit.saturating_add(1)).read_to_end(&mut out)?;
    Ok(if u64::try_from(out.len()).unwrap_or(u64::MAX) > limit {
        Err(DecodeError::TooLarge { limit })
    } else {
        Ok(out)
    })
}

/// Inflates, never beyond the limit.
///
/// # Errors
/// When the stream is cut off, damaged or too large.
pub fn gunzip(bytes: &[u8], limit: u64) -> Result<Vec<u8>, DecodeError> {
    read_at_most(flate2::read::MultiGzDecoder::new(bytes), limit).map_err(|error| DecodeError::Gzip {
        why: error.to_string(),
    })?
}

/// The one file of an archive, or the one of this name.
///
/// # Errors
/// When the archive is damaged, encrypted, has no such file, or holds more than the limit.
pub fn unzip(bytes: &[u8], member: Option<&str>, limit: u64) -> Result<Vec<u8>, DecodeError> {
    let wrong = |why: String| DecodeError::Zip { why };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| wrong(error.to_string()))?;
    if archive.len() > MAX_MEMBERS {
        return Err(wrong(format!("more than {MAX_MEMBERS} files")));
    }
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.map(std::borrow::Cow::into_owned))
        .filter(|name| !name.as_ref().is_ok_and(|name| name.ends_with('/')))
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(error.to_string()))?;
    let name = match (member, names.as_slice()) {
        (Some(member), names) => names
            .iter()
            .find(|name| *name == member)
            .ok_or_else(|| wrong(format!("no file `{member}`, but {}", names.join(", "))))?,
        (None, [only]) => only,
        (None, names) => {
            return Err(wrong(format!(
                "{} files, wanted one; `member` names it",
                names.len()
            )));
        }
    };
    let file = archive.by_name(name).map_err(|error| wrong(error.to_string()))?;
    // The size the archive claims is no promise: what comes out is counted.
    read_at_most(file, limit).map_err(|error| wrong(error.to_string()))?
}
