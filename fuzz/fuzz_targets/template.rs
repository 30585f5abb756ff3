#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("template"), |bytes: &[u8]| readers::template(bytes));
