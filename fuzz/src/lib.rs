//! What the programs of `fuzz_targets/` try.

#[path = "../../tests/it/papers/orders.rs"]
mod orders;
pub mod readers;

use std::backtrace::Backtrace;
use std::path::Path;
use std::{fs, panic};

/// Puts the inputs a search begins with where `cargo fuzz` looks for them. A panic that a reader catches (calamine has some
/// of its own, and each is an error there) does not end the search; one that nobody catches does.
///
/// # Panics
/// When they cannot be written.
pub fn plant(name: &str) {
    panic::set_hook(Box::new(|panic| eprintln!("{panic}\n{}", Backtrace::capture())));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let reader = readers::ALL.iter().find(|reader| reader.name == name);
    let seeds = (reader.expect("a reader of that name").seeds)();
    fs::create_dir_all(&folder).expect("a folder for the corpus");
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number:03}")), seed).expect("a seed is written");
    }
}
