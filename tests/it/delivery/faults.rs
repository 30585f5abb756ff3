//! Uploads when something breaks.

use std::path::Path;
use std::time::Duration;

use linkstar::delivery::{Outcome, Outgoing, PartialName};
use linkstar::digest::sha256_hex;
use linkstar::transport::sftp::{Session, SftpError, Target};

use super::super::services::{Services, control, missing, services, unique};
use super::{contents, noise};

/// A proxy of its own in front of the SFTP server.
pub(super) struct Proxy {
    url: String,
    pub(super) port: u16,
}

impl Proxy {
    pub(super) fn new(services: &Services) -> Self {
        let name = format!("sftp-{}-{}", std::process::id(), unique());
        let body = format!(
            r#"{{"name":"{name}","listen":"127.0.0.1:0","upstream":"127.0.0.1:{}"}}"#,
            services.sftp.port
        );
        let made = control("POST", &format!("{}/proxies", services.fault_api), &body);
        let made: serde_json::Value = serde_json::from_str(&made).expect("JSON");
        let listen = made["listen"].as_str().expect("an address");
        Self {
            url: format!("{}/proxies/{name}", services.fault_api),
            port: listen
                .rsplit_once(':')
                .and_then(|(_, port)| port.parse().ok())
                .expect("a port"),
        }
    }

    /// The same folder of the same server, through the proxy.
    pub(super) fn before(&self, target: &Target, services: &Services, dir: &Path) -> Target {
        Target {
            port: self.port,
            known_hosts: services.sftp.known_hosts_for(self.port, dir),
            ..target.clone()
        }
    }

    pub(super) fn toxic(&self, kind: &str, stream: &str, attributes: &str) {
        let body =
            format!(r#"{{"name":"fault","type":"{kind}","stream":"{stream}","attributes":{attributes}}}"#);
        control("POST", &format!("{}/toxics", self.url), &body);
    }

    pub(super) fn heal(&self) {
        control("DELETE", &format!("{}/toxics/fault", self.url), "");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        control("DELETE", &self.url, "");
    }
}

async fn upload(target: &Target, file: &Outgoing<'_>) -> Result<String, SftpError> {
    let session = Session::open(target).await?;
    let result = session.upload(file).await;
    session.close().await;
    result
}

#[tokio::test]
async fn r40_a_reset_at_any_offset_ends_in_one_whole_file_after_a_retry() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    let target = services.sftp.target("huatuo");
    let local = services.sftp.local(&target.out_dir);
    let proxy = Proxy::new(&services);
    let through = Target {
        idle_timeout: Duration::from_secs(5),
        ..proxy.before(&target, &services, dir.path())
    };
    let bytes = noise(11, 300_000);
    let hash = sha256_hex(&bytes);
    let mut broken = 0;
    // From the greeting, through the key exchange and the writes, to the rename and the reading back.
    let offsets = [
        ("upstream", 10),
        ("upstream", 1_500),
        ("upstream", 2_600),
        ("upstream", 40_000),
        ("upstream", 180_000),
        ("upstream", 302_000),
        ("upstream", 304_500),
        ("downstream", 2_000),
        ("downstream", 4_000),
        ("downstream", 150_000),
        ("downstream", 400_000),
    ];
    for (number, (stream, offset)) in offsets.into_iter().enumerate() {
        let name = format!("reset-{number}.xml");
        let outgoing = |attempt| Outgoing {
            name: &name,
            bytes: &bytes,
            sha256: &hash,
            attempt,
        };
        proxy.toxic("reset_after", stream, &format!(r#"{{"bytes":{offset}}}"#));
        if let Err(error) = upload(&through, &outgoing(1)).await {
            broken += 1;
            assert!(
                matches!(error.outcome(), Outcome::Retry { .. }),
                "{stream} {offset}: {error}"
            );
        }
        proxy.heal();
        for (seen, found) in contents(&local) {
            assert!(seen.starts_with('.') || found == hash, "{seen} is partial");
        }
        upload(&through, &outgoing(2)).await.unwrap();
    }
    assert!(broken >= 9, "only {broken} of {} broke", offsets.len());
    let all = contents(&local);
    assert_eq!(all.len(), offsets.len(), "one file each, no leftovers: {all:?}");
    assert!(
        all.iter()
            .all(|(name, found)| !name.starts_with('.') && *found == hash)
    );
}

#[tokio::test]
async fn a_peer_that_falls_silent_does_not_hold_the_worker() {
    let Some(services) = services() else { return };
    let dir = tempfile::tempdir().unwrap();
    let target = services.sftp.target("huatuo");
    let proxy = Proxy::new(&services);
    let through = Target {
        connect_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_millis(700),
        ..proxy.before(&target, &services, dir.path())
    };
    let session = Session::open(&through).await.unwrap();
    proxy.toxic("timeout", "downstream", r#"{"timeout":0}"#);
    let hash = sha256_hex(b"x");
    let file = Outgoing {
        name: "silent.xml",
        bytes: b"x",
        sha256: &hash,
        attempt: 1,
    };
    let error = tokio::time::timeout(Duration::from_secs(20), session.stage(&file))
        .await
        .expect("the deadline holds")
        .unwrap_err();
    assert!(matches!(error, SftpError::Silent { .. }), "{error}");

    let early = Target {
        connect_timeout: Duration::from_millis(700),
        ..through
    };
    let error = tokio::time::timeout(Duration::from_secs(20), Session::open(&early))
        .await
        .expect("the deadline holds")
        .err()
        .expect("no session");
    assert!(matches!(error, SftpError::Silent { .. }), "{error}");
    assert!(matches!(error.outcome(), Outcome::Retry { .. }));
}

#[tokio::test]
async fn r40_a_full_disk_is_retried_and_its_partial_file_removed() {
    let Some(services) = services() else { return };
    let small = services.sftp.tree.join("small");
    let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
    if !mounts.contains(&small.display().to_string()) {
        missing(&format!("no small file system is mounted at {}", small.display()));
        return;
    }
    let target = services.sftp.target_in("huatuo", "small");
    let bytes = noise(5, 3_000_000);
    let hash = sha256_hex(&bytes);
    let big = Outgoing {
        name: "too-big.xml",
        bytes: &bytes,
        sha256: &hash,
        attempt: 1,
    };
    let error = upload(&target, &big).await.unwrap_err();
    let text = error.to_string();
    assert!(
        matches!(&error, SftpError::Failure { written, .. } if *written > 0 && *written < 3_000_000),
        "{text}"
    );
    assert!(text.contains("a full disk looks like this"), "{text}");
    assert!(matches!(error.outcome(), Outcome::Retry { .. }));
    assert!(contents(&small).is_empty(), "the space is free again");

    let hash = sha256_hex(b"small");
    let fits = Outgoing {
        name: "fits.xml",
        bytes: b"small",
        sha256: &hash,
        attempt: 1,
    };
    upload(&target, &fits).await.unwrap();
    std::fs::remove_file(small.join("fits.xml")).unwrap();
}

#[tokio::test]
async fn r40_a_folder_we_may_not_write_and_one_that_is_missing_are_refused() {
    let Some(services) = services() else { return };
    let hash = sha256_hex(b"x");
    let file = Outgoing {
        name: "denied.xml",
        bytes: b"x",
        sha256: &hash,
        attempt: 1,
    };
    let denied = upload(&services.sftp.target_in("huatuo", "ro"), &file)
        .await
        .unwrap_err();
    assert!(matches!(denied, SftpError::PermissionDenied { .. }), "{denied}");
    assert!(matches!(denied.outcome(), Outcome::Refused { .. }));
    let missing = upload(&services.sftp.target_in("huatuo", "in/no-such"), &file)
        .await
        .unwrap_err();
    assert!(
        matches!(&missing, SftpError::Missing { path, .. } if path == "in/no-such"),
        "{missing}"
    );
    assert!(matches!(missing.outcome(), Outcome::Refused { .. }));
}

#[tokio::test]
async fn leftovers_of_earlier_attempts_go_and_foreign_hidden_files_stay() {
    let Some(services) = services() else { return };
    let target = services.sftp.target("huatuo");
    let local = services.sftp.local(&target.out_dir);
    let hash = sha256_hex(b"ours");
    let of = |attempt| PartialName::new("a.xml", &hash, attempt).file_name();
    for name in [
        of(1),
        of(9),
        PartialName::new("b.xml", &hash, 1).file_name(),
        ".profile".to_owned(),
    ] {
        std::fs::write(local.join(name), b"half").unwrap();
    }
    let file = Outgoing {
        name: "a.xml",
        bytes: b"ours",
        sha256: &hash,
        attempt: 3,
    };
    upload(&target, &file).await.unwrap();
    let names: Vec<_> = contents(&local).into_iter().map(|(name, _)| name).collect();
    let mut wanted = vec![
        of(9),
        PartialName::new("b.xml", &hash, 1).file_name(),
        ".profile".to_owned(),
        "a.xml".to_owned(),
    ];
    wanted.sort();
    assert_eq!(names, wanted);
}
