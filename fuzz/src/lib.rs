//! What the programs of `fuzz_targets/` try.

#[path = "../../tests/it/papers/orders.rs"]
mod orders;
pub mod readers;

use std::fs;
use std::path::Path;

/// Puts the inputs a search begins with where `cargo fuzz` looks for them.
///
/// # Panics
/// When they cannot be written.
pub fn plant(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let reader = readers::ALL.iter().find(|reader| reader.name == name);
    let seeds = (reader.expect("a reader of that name").seeds)();
    fs::create_dir_all(&folder).expect("a folder for the corpus");
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:03}")), seed).expect("a seed is written");
    }
}
