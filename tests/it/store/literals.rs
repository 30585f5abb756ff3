//! The statements as they stand in the sources of the store.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A string of the source that is a statement or the beginning of one.
#[derive(Debug, Clone)]
pub struct Literal {
    /// `outbox/claim.rs:38`
    pub place: String,
    pub file: String,
    pub text: String,
}

/// Text of a constant by the folder and the name of it.
pub type Constants = BTreeMap<(String, String), String>;

pub fn folder(file: &str) -> String {
    file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned()
}

const BEGIN: [&str; 5] = ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "WITH "];

/// Every statement below `src/store`, without the tests, in the order of the files; and the string constants by folder and name.
pub fn read() -> (Vec<Literal>, Constants) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut files = Vec::new();
    rust_files(&root, &mut files);
    files.sort();
    let mut found = Vec::new();
    let mut constants = Constants::new();
    for path in files.iter().filter(|path| !path.ends_with("executor/tests.rs")) {
        let file = path.strip_prefix(&root).expect("below").display().to_string();
        let source = fs::read_to_string(path).expect("readable");
        let body = source.split("#[cfg(test)]").next().unwrap_or_default();
        for (start, text) in strings(body) {
            let before = body[..start].trim_end().trim_end_matches('=').trim_end();
            if let Some(name) = before
                .strip_suffix(": &str")
                .and_then(|rest| rest.rsplit("const ").next())
                .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            {
                constants.insert((folder(&file), name.to_owned()), text.clone());
            }
            let flat = flat(&text);
            if BEGIN.iter().any(|word| flat.starts_with(word)) {
                let line = body[..start].lines().count();
                found.push(Literal {
                    place: format!("{file}:{line}"),
                    file: file.clone(),
                    text: flat,
                });
            }
        }
    }
    (found, constants)
}

/// One blank between words, so that the layout of the source does not matter.
pub fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Ordinary strings of Rust source with the place they begin at. Comments, characters and lifetimes are passed over.
fn strings(source: &str) -> Vec<(usize, String)> {
    let bytes = source.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += source[at..].find('\n').unwrap_or(source.len() - at);
            }
            b'\'' if bytes.get(at + 1) == Some(&b'\\') => {
                at += 2 + source[at + 3..].find('\'').map_or(1, |end| end + 2);
            }
            b'\'' if source[at + 1..].chars().nth(1) == Some('\'') => {
                at += 2 + source[at + 1..].chars().next().map_or(1, char::len_utf8);
            }
            b'"' => {
                let start = at;
                let mut text = String::new();
                let mut rest = source[at + 1..].char_indices();
                while let Some((place, c)) = rest.next() {
                    at = start + 1 + place + c.len_utf8();
                    match c {
                        '"' => break,
                        '\\' => {
                            let Some((_, escaped)) = rest.next() else { break };
                            match escaped {
                                '\n' => text.push(' '),
                                'n' => text.push('\n'),
                                't' => text.push('\t'),
                                other => text.push(other),
                            }
                        }
                        c => text.push(c),
                    }
                }
                found.push((start, text));
            }
            _ => at += 1,
        }
    }
    found
}

#[test]
fn strings_are_found_as_the_compiler_reads_them() {
    let source = "// \"no\"\nlet a = \"one \\\n    two\"; let b = '\"'; let c: &'a str = \"x \\\"y\\\"\"; '\\''; \"z\"";
    let found: Vec<String> = strings(source).into_iter().map(|(_, text)| flat(&text)).collect();
    assert_eq!(found, ["one two", "x \"y\"", "z"]);
}
