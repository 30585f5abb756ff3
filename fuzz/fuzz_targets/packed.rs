#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("packed"), |bytes: &[u8]| readers::packed(bytes));
