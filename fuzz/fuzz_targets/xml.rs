#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("xml"), |bytes: &[u8]| readers::xml(bytes));
