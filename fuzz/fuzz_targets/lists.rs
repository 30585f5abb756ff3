#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("lists"), |bytes: &[u8]| readers::lists(bytes));
