//! Is this the server we know?

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use russh::client::Handler;
use russh::keys::ssh_key::{HashAlg, PublicKey};
use russh::keys::{PublicKeyOrCertificate, known_hosts::known_host_keys_path, parse_public_key_base64};
use russh::{AlgorithmKind, Preferred, cipher};

use super::{SftpError, Target};

/// What `known_hosts` says about one host.
pub(super) struct HostKeys {
    file: PathBuf,
    /// As written in the file: `host` or `[host]:port`.
    host: String,
    recorded: Vec<(usize, PublicKey)>,
    revoked: Vec<(usize, PublicKey)>,
}

const MAX_BYTES: u64 = 1024 * 1024;

impl HostKeys {
    pub(super) fn read(file: &Path, host: &str, port: u16) -> Result<Self, SftpError> {
        let bad = |why: String| SftpError::KnownHosts {
            path: file.to_owned(),
            why,
        };
        let size = std::fs::metadata(file)
            .map_err(|error| bad(error.to_string()))?
            .len();
        if size > MAX_BYTES {
            return Err(bad(format!("it has {size} bytes, at most {MAX_BYTES} are read")));
        }
        let text = std::fs::read_to_string(file).map_err(|error| bad(error.to_string()))?;
        let matching = known_host_keys_path(host, port, file).map_err(|error| bad(error.to_string()))?;
        // The library matches names, hashed ones too, but does not count comment lines: find the line by its key.
        let recorded = matching
            .into_iter()
            .map(|(counted, key)| (line_of(&text, &key).unwrap_or(counted), key))
            .collect();
        let revoked = text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.trim_start().starts_with("@revoked"))
            .filter_map(|(index, line)| Some((index + 1, key_of(line.split_whitespace().skip(1))?)))
            .collect();
        Ok(Self {
            file: file.to_owned(),
            host: if port == 22 {
                host.to_owned()
            } else {
                format!("[{host}]:{port}")
            },
            recorded,
            revoked,
        })
    }

    /// Asks the server for a key of a type that is recorded, so that a second key of another type is no surprise.
    pub(super) fn preferred(&self) -> Preferred {
        let all = preferred();
        let known: Vec<_> = all
            .key
            .iter()
            .filter(|algorithm| {
                self.recorded
                    .iter()
                    .any(|(_, key)| key.algorithm() == **algorithm)
            })
            .cloned()
            .collect();
        if known.is_empty() {
            all
        } else {
            Preferred {
                key: known.into(),
                ..all
            }
        }
    }

    pub(super) fn first_line(&self) -> Option<usize> {
        self.recorded.first().map(|(line, _)| *line)
    }

    fn check(&self, offered: &PublicKey) -> Result<(), SftpError> {
        let same = |key: &PublicKey| key.key_data() == offered.key_data();
        if let Some((line, _)) = self.revoked.iter().find(|(_, key)| same(key)) {
            return Err(SftpError::RevokedHostKey {
                host: self.host.clone(),
                file: self.file.clone(),
                line: *line,
            });
        }
        if self.recorded.iter().any(|(_, key)| same(key)) {
            return Ok(());
        }
        // A recorded host with another key has changed, also when the type of the key is another.
        let nearest = self
            .recorded
            .iter()
            .find(|(_, key)| key.algorithm() == offered.algorithm())
            .or(self.recorded.first());
        Err(match nearest {
            Some((line, recorded)) => SftpError::ChangedHostKey {
                host: self.host.clone(),
                file: self.file.clone(),
                line: *line,
                recorded: fingerprint(recorded),
                offered: fingerprint(offered),
            },
            None => SftpError::UnknownHost {
                host: self.host.clone(),
                file: self.file.clone(),
                offered: fingerprint(offered),
            },
        })
    }
}

/// AES in hardware first: every processor of the last ten years has it, and both ends work half as long for a large
/// file. Also, it was never touched by the prefix truncation that strict key exchange was made for.
fn preferred() -> Preferred {
    let usual = Preferred::default();
    let mut ciphers = vec![cipher::AES_128_GCM, cipher::AES_256_GCM];
    ciphers.extend(
        usual
            .cipher
            .iter()
            .filter(|name| ![cipher::AES_128_GCM, cipher::AES_256_GCM].contains(name)),
    );
    Preferred {
        cipher: ciphers.into(),
        ..usual
    }
}

fn fingerprint(key: &PublicKey) -> String {
    format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256))
}

fn key_of<'a>(mut fields: impl Iterator<Item = &'a str>) -> Option<PublicKey> {
    parse_public_key_base64(fields.nth(2)?).ok()
}

fn line_of(text: &str, key: &PublicKey) -> Option<usize> {
    text.lines()
        .position(|line| {
            !line.starts_with(['#', '@'])
                && key_of(line.split_whitespace()).is_some_and(|found| found.key_data() == key.key_data())
        })
        .map(|index| index + 1)
}

/// Where the handler leaves its reason: the library only says "unknown server key".
#[derive(Clone, Default)]
pub(super) struct Refusal(Arc<Mutex<Option<SftpError>>>);

impl Refusal {
    pub(super) fn take(&self) -> Option<SftpError> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take()
    }

    fn put(&self, error: SftpError) {
        *self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
    }
}

/// Trusts what `known_hosts` records and nothing else.
pub(super) struct Verifier {
    keys: HostKeys,
    refusal: Refusal,
}

impl Verifier {
    pub(super) fn new(keys: HostKeys) -> Self {
        Self {
            keys,
            refusal: Refusal::default(),
        }
    }

    pub(super) fn verdict(&self) -> Refusal {
        self.refusal.clone()
    }
}

impl Handler for Verifier {
    type Error = russh::Error;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = offered else {
            // We never offer to take a certificate.
            return Ok(false);
        };
        match self.keys.check(key) {
            Ok(()) => Ok(true),
            Err(error) => {
                self.refusal.put(error);
                Ok(false)
            }
        }
    }
}

/// A connection that failed before the login, in our words.
pub(super) fn explain(target: &Target, first_line: Option<usize>, source: russh::Error) -> SftpError {
    match (source, first_line) {
        // We asked only for types of key that are recorded, and the server has none of them.
        (
            russh::Error::NoCommonAlgo {
                kind: AlgorithmKind::Key,
                ours,
                theirs,
            },
            Some(line),
        ) => SftpError::ChangedHostKey {
            host: target.address(),
            file: target.known_hosts.clone(),
            line,
            recorded: format!("keys of type {}", ours.join(", ")),
            offered: format!("only {}", theirs.join(", ")),
        },
        (other, _) => SftpError::Lost {
            what: format!("connecting to {}", target.address()),
            why: other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Keys made for this test; their private halves were thrown away.
    const ONE: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIA6xwttvtkbC2GzeLU3r3+HVL/SuZjegHvj8J01QDEs0";
    const TWO: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIK7AfEA0wVQuH+dRe6IuRN3VRYjMYXORBcrcbFwc+foL";

    fn keys(text: &str) -> (tempfile::TempDir, Result<HostKeys, SftpError>) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("known_hosts");
        std::fs::write(&file, text).unwrap();
        let keys = HostKeys::read(&file, "sftp.example", 2222);
        (dir, keys)
    }

    fn offered(key: &str) -> PublicKey {
        parse_public_key_base64(key).unwrap()
    }

    #[test]
    fn unknown_and_changed_are_different_and_the_line_is_named() {
        let (_dir, unknown) = keys("# empty\n");
        let unknown = unknown.unwrap().check(&offered(ONE)).unwrap_err();
        assert!(matches!(unknown, SftpError::UnknownHost { .. }), "{unknown}");

        let text = format!(
            "# comment\n\n# another\nother ssh-ed25519 {TWO}\n[sftp.example]:2222 ssh-ed25519 {ONE}\n"
        );
        let (_dir, recorded) = keys(&text);
        let recorded = recorded.unwrap();
        assert!(recorded.check(&offered(ONE)).is_ok());
        let changed = recorded.check(&offered(TWO)).unwrap_err();
        assert!(
            matches!(changed, SftpError::ChangedHostKey { line: 5, .. }),
            "{changed}"
        );
    }

    #[test]
    fn during_a_rotation_both_recorded_keys_are_trusted_and_a_revoked_one_never() {
        let text = format!("[sftp.example]:2222 ssh-ed25519 {ONE}\n[sftp.example]:2222 ssh-ed25519 {TWO}\n");
        let (_dir, both) = keys(&text);
        assert!(both.unwrap().check(&offered(TWO)).is_ok());
        let (_dir, revoked) = keys(&format!("{text}@revoked * ssh-ed25519 {TWO}\n"));
        assert!(matches!(
            revoked.unwrap().check(&offered(TWO)),
            Err(SftpError::RevokedHostKey { line: 3, .. })
        ));
    }

    #[test]
    fn a_missing_file_is_an_error_and_not_an_empty_list() {
        let missing = HostKeys::read(Path::new("/nonexistent/known_hosts"), "h", 22);
        assert!(matches!(missing, Err(SftpError::KnownHosts { .. })));
    }
}
