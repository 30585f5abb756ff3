//! File names at the other side, and what a file found there means.

/// Why a name cannot be used at the other side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("remote name is empty")]
    Empty,
    #[error("remote name has {bytes} bytes, at most {MAX_NAME_BYTES} are allowed")]
    TooLong { bytes: usize },
    #[error("remote name `{name}` starts with a dot: such names are hidden, and ours for unfinished files")]
    Hidden { name: String },
    #[error("remote name `{name}` contains `{found}`")]
    Character { name: String, found: String },
}

/// Leaves room for our own prefix and suffix below the 255 bytes of common file systems.
const MAX_NAME_BYTES: usize = 200;

/// A plain file name: no folder, no control character, not hidden, none of the characters Windows refuses
/// (many forwarders look into the folder with it).
///
/// # Errors
/// [`NameError`] names what is wrong.
pub fn check_remote_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(NameError::TooLong { bytes: name.len() });
    }
    if name.starts_with('.') {
        return Err(NameError::Hidden {
            name: name.escape_debug().to_string(),
        });
    }
    match name
        .chars()
        .find(|c| c.is_control() || "/\\:*?\"<>|".contains(*c))
    {
        None => Ok(()),
        Some(found) => Err(NameError::Character {
            name: name.escape_debug().to_string(),
            found: found.escape_debug().to_string(),
        }),
    }
}

/// The hidden name of a file that is still being written: `.NAME.<hash>-<attempt>.part`.
///
/// The attempt stands in it so that a worker which lost its lease, but does not know yet, can never write into the
/// file of the one that took over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialName {
    pub remote_name: String,
    /// First characters of the SHA-256.
    pub short_hash: String,
    pub attempt: u32,
}

const SHORT_HASH: usize = 12;

impl PartialName {
    #[must_use]
    pub fn new(remote_name: &str, sha256: &str, attempt: u32) -> Self {
        Self {
            remote_name: remote_name.to_owned(),
            short_hash: sha256.get(..SHORT_HASH).unwrap_or(sha256).to_owned(),
            attempt,
        }
    }

    #[must_use]
    pub fn file_name(&self) -> String {
        format!(".{}.{}-{}.part", self.remote_name, self.short_hash, self.attempt)
    }

    /// Reads a name back; `None` for every name that is not one of ours.
    #[must_use]
    pub fn parse(file_name: &str) -> Option<Self> {
        let inner = file_name.strip_prefix('.')?.strip_suffix(".part")?;
        let (remote_name, tail) = inner.rsplit_once('.')?;
        let (short_hash, attempt) = tail.split_once('-')?;
        let is_hash = short_hash.len() == SHORT_HASH
            && short_hash
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash || check_remote_name(remote_name).is_err() {
            return None;
        }
        let parsed = Self {
            remote_name: remote_name.to_owned(),
            short_hash: short_hash.to_owned(),
            attempt: attempt.parse().ok()?,
        };
        // `+7` and `007` parse as numbers but are not how we write them.
        (parsed.file_name() == file_name).then_some(parsed)
    }

    /// Whether this is what an earlier attempt of the same message left behind.
    #[must_use]
    pub fn is_leftover_of(&self, current: &Self) -> bool {
        self.remote_name == current.remote_name
            && self.short_hash == current.short_hash
            && self.attempt < current.attempt
    }
}

/// A file that stands under the final name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundFile {
    pub size: u64,
    /// `None` when it was not read, because its size already differs.
    pub sha256: Option<String>,
}

/// What a look at the final name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing there: upload.
    Nothing,
    /// Ours, complete: an earlier attempt got through, count it as sent.
    Ours,
    /// Somebody else's, or ours of other content: never overwrite.
    Other,
}

#[must_use]
pub fn judge_found(found: Option<&FoundFile>, sha256: &str, size: u64) -> Found {
    match found {
        None => Found::Nothing,
        Some(file) if file.size == size && file.sha256.as_deref() == Some(sha256) => Found::Ours,
        Some(_) => Found::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn names_that_leave_the_folder_or_hide_are_refused() {
        assert_eq!(check_remote_name("SO-0001_装箱单_r1.xlsx"), Ok(()));
        assert_eq!(check_remote_name(""), Err(NameError::Empty));
        for bad in ["../x", "a/b", "a\\b", "c:x", "a\nb", "what?.xml"] {
            assert!(
                matches!(
                    check_remote_name(bad),
                    Err(NameError::Character { .. } | NameError::Hidden { .. })
                ),
                "{bad}"
            );
        }
        assert!(matches!(
            check_remote_name(".profile"),
            Err(NameError::Hidden { .. })
        ));
        assert_eq!(
            check_remote_name(&"箱".repeat(67)),
            Err(NameError::TooLong { bytes: 201 })
        );
    }

    #[test]
    fn only_earlier_attempts_of_the_same_bytes_are_leftovers() {
        let mine = PartialName::new("a.xml", HASH, 3);
        assert_eq!(mine.file_name(), ".a.xml.ba7816bf8f01-3.part");
        let of = |name: &str| PartialName::parse(name).is_some_and(|found| found.is_leftover_of(&mine));
        assert!(of(".a.xml.ba7816bf8f01-2.part"));
        assert!(!of(".a.xml.ba7816bf8f01-4.part"), "a later owner's file");
        assert!(!of(".b.xml.ba7816bf8f01-2.part"));
        assert!(!of(".a.xml.000016bf8f01-2.part"));
        for foreign in [
            "a.xml",
            ".a.xml.part",
            ".a.xml.ba7816bf8f01-+2.part",
            ".a.ba7816bf8f0-2.part",
        ] {
            assert_eq!(PartialName::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_found_file_is_ours_only_with_the_same_size_and_hash() {
        let file = |size, sha256: Option<&str>| FoundFile {
            size,
            sha256: sha256.map(str::to_owned),
        };
        assert_eq!(judge_found(None, HASH, 3), Found::Nothing);
        assert_eq!(judge_found(Some(&file(3, Some(HASH))), HASH, 3), Found::Ours);
        assert_eq!(judge_found(Some(&file(4, None)), HASH, 3), Found::Other);
        assert_eq!(judge_found(Some(&file(3, Some("00"))), HASH, 3), Found::Other);
    }

    proptest! {
        #[test]
        fn partial_names_read_back(name in "[a-zA-Z0-9_.箱单 -]{1,60}", attempt in any::<u32>()) {
            prop_assume!(check_remote_name(&name).is_ok());
            let partial = PartialName::new(&name, HASH, attempt);
            prop_assert_eq!(PartialName::parse(&partial.file_name()), Some(partial));
        }
    }
}
