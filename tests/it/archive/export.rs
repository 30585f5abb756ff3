//! One order's papers, checked by somebody who has nothing but the file and the program.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::process::Command;

use linkstar::store::Store;
use linkstar::store::archive::{export_order, read_dossier};
use zip::write::SimpleFileOptions;

use super::{account, at, engines, filled, page, write};

async fn exported(store: &Store) -> Vec<u8> {
    let order = filled(store).await;
    let mut tx = write(store).await;
    page(&mut tx, b"a later page, of no order", at(50)).await;
    super::document(&mut tx, &order, "carton-mark", b"U000001", at(51)).await;
    tx.commit().await.expect("committed");
    let mut tx = store.read().await.expect("the store answers");
    export_order(&mut tx, &account(), &order)
        .await
        .expect("an export")
}

fn linkstar(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_linkstar"))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("the binary runs");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code(), said)
}

#[tokio::test]
async fn r72_an_export_has_the_same_bytes_on_both_engines_and_verifies_by_itself() {
    let mut all = Vec::new();
    for store in engines().await {
        all.push(exported(&store).await);
    }
    assert!(
        all.windows(2).all(|pair| pair[0] == pair[1]),
        "the engines differ"
    );
    let dossier = read_dossier(&all[0]).expect("an export");
    assert_eq!(dossier.faults, Vec::<String>::new());
    let names: Vec<&str> = dossier.files.keys().map(String::as_str).collect();
    insta::assert_snapshot!(names.join("\n"));
    let bill = dossier.files.get("received/000008-bill-7.csv").expect("the bill");
    assert!(bill.starts_with(b"bill_no"));
}

#[tokio::test]
async fn r72_an_export_restores_elsewhere_without_configuration_or_database() {
    let store = Store::open("sqlite::memory:").await.expect("a store");
    let bytes = exported(&store).await;
    let elsewhere = tempfile::tempdir().expect("a folder");
    fs::write(elsewhere.path().join("order.zip"), &bytes).expect("written");
    let (code, said) = linkstar(elsewhere.path(), &["audit", "verify", "--export", "order.zip"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = linkstar(
        elsewhere.path(),
        &["audit", "restore", "order.zip", "--to", "papers"],
    );
    assert_eq!(code, Some(0), "{said}");
    let bill = fs::read(elsewhere.path().join("papers/received/000008-bill-7.csv")).expect("the bill");
    assert!(bill.starts_with(b"bill_no"));
    let (code, said) = linkstar(
        elsewhere.path(),
        &["audit", "restore", "order.zip", "--to", "papers"],
    );
    assert_eq!(
        code,
        Some(2),
        "nothing that stands somewhere is overwritten: {said}"
    );

    let mut changed = 0;
    for place in (0..bytes.len()).step_by(37) {
        let mut forged = bytes.clone();
        forged[place] ^= 0x10;
        match read_dossier(&forged) {
            Err(_) => changed += 1,
            Ok(dossier) if !dossier.faults.is_empty() => changed += 1,
            Ok(dossier) => {
                // Bytes of the zip's own book-keeping (times, attributes) change nothing that is archived.
                assert_eq!(
                    dossier.files,
                    read_dossier(&bytes).expect("an export").files,
                    "a change at byte {place} went unseen"
                );
            }
        }
    }
    assert!(changed > 20, "{changed}");
}

/// The same zip with one file's content replaced.
fn forged(
    bytes: &[u8],
    wanted: &str,
    content: &dyn Fn(Vec<u8>) -> Vec<u8>,
    more: &[(&str, &[u8])],
) -> Vec<u8> {
    let dossier = read_dossier(bytes).expect("an export");
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    for (name, bytes) in dossier.files {
        zip.start_file(name.as_str(), options).expect("a file");
        let bytes = if name == wanted { content(bytes) } else { bytes };
        zip.write_all(&bytes).expect("written");
    }
    for (name, bytes) in more {
        zip.start_file(*name, options).expect("a file");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("a zip").into_inner()
}

#[tokio::test]
async fn r72_a_forged_export_is_named_and_restores_nothing() {
    let store = Store::open("sqlite::memory:").await.expect("a store");
    let bytes = exported(&store).await;
    let keep = |bytes: Vec<u8>| bytes;
    let said = |forged: &[u8]| read_dossier(forged).expect("readable").faults.join("\n");
    let swap = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace("800", "300").into_bytes();
    let bill = forged(&bytes, "received/000008-bill-7.csv", &swap, &[]);
    assert!(said(&bill).contains(
        "`received/000008-bill-7.csv` (received `inbox/huatuo/bill-7.csv`): its bytes have changed"
    ));
    // Content and hash both replaced: the entry's own hash gives it away.
    let rehash = |bytes: Vec<u8>| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let old = linkstar::digest::sha256_hex(b"U000001");
        text.replace(&old, &linkstar::digest::sha256_hex(b"U000009"))
            .into_bytes()
    };
    let index = forged(&bytes, "index.json", &rehash, &[]);
    assert!(
        said(&index).contains("the entry itself was changed"),
        "{}",
        said(&index)
    );
    let cut = |bytes: Vec<u8>| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        text.lines()
            .skip(1)
            .map(|line| format!("{line}\n"))
            .collect::<String>()
            .into_bytes()
    };
    assert!(said(&forged(&bytes, "chain.txt", &cut, &[])).contains("`chain.txt`"));
    let climbing = forged(
        &bytes,
        "",
        &keep,
        &[
            ("../outside.txt", b"x"),
            ("documents/../../y", b"y"),
            ("/etc/z", b"z"),
        ],
    );
    assert_eq!(
        said(&climbing).matches("a name that is not ours").count(),
        3,
        "{}",
        said(&climbing)
    );
    assert!(
        said(&forged(&bytes, "", &keep, &[("document/stranger.txt", b"x")])).contains("no entry names it")
    );
    let bomb = vec![0_u8; 257 << 20];
    let bomb = forged(&bytes, "", &keep, &[("document/bomb", &bomb)]);
    assert!(bomb.len() < 1 << 20);
    assert!(
        read_dossier(&bomb)
            .unwrap_err()
            .to_string()
            .contains("unpacks to more than")
    );
    assert!(read_dossier(b"no zip").is_err());

    let elsewhere = tempfile::tempdir().expect("a folder");
    fs::write(elsewhere.path().join("order.zip"), &climbing).expect("written");
    let (code, said) = linkstar(
        elsewhere.path(),
        &["audit", "restore", "order.zip", "--to", "papers"],
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(!elsewhere.path().join("papers").exists() && !elsewhere.path().join("outside.txt").exists());
}
