//! The published JSON Schema, judged and used by a validator that is not ours.

use std::path::{Path, PathBuf};
use std::process::Command;

use linkstar::connector::schema::schema;
use linkstar::night::tools::CONNECTORS;

use crate::services::missing;

fn python() -> Option<&'static str> {
    let found = ["python3", "/usr/bin/python3"].into_iter().find(|python| {
        let has = Command::new(python)
            .args(["-c", "import jsonschema, tomllib"])
            .output();
        has.is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        missing("python3 (3.11 or later) with jsonschema is not installed");
    }
    found
}

fn faults(python: &str, files: &[PathBuf]) -> Vec<String> {
    let room = tempfile::tempdir().expect("a folder");
    let published = room.path().join("schema.json");
    std::fs::write(&published, schema()).expect("written");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/connectors/validate.py");
    let output = Command::new(python)
        .arg(script)
        .arg(published)
        .args(files)
        .output()
        .expect("python3 runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_shipped_connector_validates_against_the_schema() {
    let Some(python) = python() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors");
    let files: Vec<PathBuf> = CONNECTORS
        .iter()
        .map(|(name, _)| folder.join(format!("{name}.toml")))
        .collect();
    assert!(files.len() >= 2);
    assert_eq!(faults(python, &files), Vec::<String>::new());
}

/// What `check` refuses as a fault of shape, an editor marks too.
#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let Some(python) = python() else { return };
    let room = tempfile::tempdir().expect("a folder");
    let (_, good) = CONNECTORS
        .iter()
        .find(|(name, _)| *name == "goodcang")
        .expect("it ships");
    let faulty = [
        ("unknown_key", "doctor = ", "docter = "),
        ("unknown_word", "record = \"stock\"", "record = \"stok\""),
        ("wrong_type", "size = 200", "size = \"200\""),
        ("field_of_no_record", "available = ", "avialable = "),
        ("missing_key", "zone = \"${param:zone}\"\n", ""),
    ];
    let mut files = Vec::new();
    for (name, from, to) in faulty {
        let text = good.replacen(from, to, 1);
        assert_ne!(text, *good, "{name}");
        assert!(
            linkstar::connector::Definition::parse(name, &text).is_err(),
            "{name}"
        );
        let file = room.path().join(format!("{name}.toml"));
        std::fs::write(&file, text).expect("written");
        files.push(file);
    }
    let said = faults(python, &files);
    for file in &files {
        let file = file.display().to_string();
        assert!(
            said.iter().any(|line| line.starts_with(&file)),
            "{file}: {said:#?}"
        );
    }
}
