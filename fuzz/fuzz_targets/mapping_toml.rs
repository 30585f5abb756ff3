#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("mapping_toml"), |bytes: &[u8]| readers::mapping_toml(bytes));
