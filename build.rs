//! Writes down which connector files ship with the program: those of `connectors/`, so that a new one needs no Rust.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("connectors");
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut list = String::from("&[\n");
    for file in &files {
        let name = file
            .file_stem()
            .and_then(|name| name.to_str())
            .ok_or("a file name in UTF-8")?;
        writeln!(
            list,
            "    ({name:?}, include_str!({:?})),",
            file.display().to_string()
        )?;
    }
    list.push_str("]\n");
    let out = Path::new(&std::env::var("OUT_DIR")?).join("connectors.rs");
    std::fs::write(out, list)?;
    Ok(())
}
