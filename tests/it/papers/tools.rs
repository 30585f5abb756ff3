//! The outside judges: other people's validators and barcode readers. [`has`] says when one is missing.

use std::path::{Path, PathBuf};
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

/// Renders a PDF as one grey picture for each page, as a 203 dpi label printer would, in the order of the pages.
pub fn label_pages(pdf: &[u8], folder: &Path, options: &[&str]) -> Vec<PathBuf> {
    let (file, prefix) = (folder.join("labels.pdf"), folder.join("page"));
    std::fs::write(&file, pdf).expect("written");
    let mut arguments = vec!["-r", "203", "-gray", "-png"];
    arguments.extend(options);
    arguments.extend([&file, &prefix].map(|path| path.to_str().expect("UTF-8")));
    let (done, _, complaints) = run("pdftoppm", &arguments);
    assert!(done, "{complaints}");
    let mut pages: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("readable")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "png"))
        .collect();
    pages.sort();
    pages
}
