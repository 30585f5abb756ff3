//! One part of a package changed: what is inside a ZIP is reached, and not only its wrapping.

use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Parts beyond this length are kept as they are: pictures, themes.
const LONGEST: usize = 24 << 10;

/// Packages, each as its parts in order.
pub struct Shelf {
    packages: Vec<Vec<(String, Vec<u8>)>>,
    /// Package and part of each that may be changed.
    parts: Vec<(usize, usize)>,
}

impl Shelf {
    pub fn new(packages: &[&[u8]]) -> Self {
        let packages: Vec<_> = packages.iter().map(|bytes| unpacked(bytes)).collect();
        let parts = packages.iter().enumerate().flat_map(|(package, parts)| {
            let short = parts
                .iter()
                .enumerate()
                .filter(|(_, (_, text))| text.len() <= LONGEST);
            short.map(move |(part, _)| (package, part)).collect::<Vec<_>>()
        });
        let parts = parts.collect();
        Self { packages, parts }
    }

    /// The first byte says which part, the others are its new content. An empty input has no part.
    pub fn with(&self, input: &[u8]) -> Option<Vec<u8>> {
        let (choice, content) = input.split_first()?;
        let (package, part) = self.parts[usize::from(*choice) % self.parts.len()];
        let mut parts = self.packages[package].clone();
        parts[part].1 = content.to_vec();
        Some(packed(&parts))
    }

    /// Every part as it is.
    pub fn seeds(&self) -> Vec<Vec<u8>> {
        let choices = (0..=u8::MAX).zip(&self.parts);
        choices
            .map(|(choice, (package, part))| {
                [&[choice], self.packages[*package][*part].1.as_slice()].concat()
            })
            .collect()
    }
}

/// A package of these parts, in this order.
pub fn packed(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in parts {
        out.start_file(name.as_str(), options).expect("started");
        out.write_all(bytes).expect("written");
    }
    out.finish().expect("finished").into_inner()
}

pub fn unpacked(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).expect("a package");
    (0..zip.len())
        .map(|number| {
            let mut part = zip.by_index(number).expect("a part");
            let name = part.name().expect("a name").into_owned();
            let mut content = Vec::new();
            part.read_to_end(&mut content).expect("read");
            (name, content)
        })
        .collect()
}
