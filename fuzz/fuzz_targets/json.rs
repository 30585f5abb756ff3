#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("json"), |bytes: &[u8]| readers::json(bytes));
