#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("declared_toml"), |bytes: &[u8]| readers::declared_toml(bytes));
