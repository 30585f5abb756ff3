//! The outside judges: other people's validators and barcode readers. [`has`] says when one is missing.

use std::path::Path;
use std::process::Command;

pub use crate::services::has;

/// Runs a program and returns whether it succeeded, its output and its complaints.
pub fn run(program: &str, arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .expect("the program starts");
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// The files of a folder that libxml2 calls invalid, with its words.
pub fn invalid_by_xmllint(schema: &Path, files: &[std::path::PathBuf]) -> Vec<String> {
    let mut arguments = vec!["--nonet", "--noout", "--schema", schema.to_str().expect("UTF-8")];
    arguments.extend(files.iter().map(|file| file.to_str().expect("UTF-8")));
    let (_, _, complaints) = run("xmllint", &arguments);
    let mut invalid: Vec<String> = complaints
        .lines()
        .filter(|line| !line.ends_with(" validates"))
        .map(str::to_owned)
        .collect();
    let valid = complaints
        .lines()
        .filter(|line| line.ends_with(" validates"))
        .count();
    if valid < files.len() && invalid.is_empty() {
        invalid.push(format!("{valid} of {} validated: {complaints}", files.len()));
    }
    invalid
}
