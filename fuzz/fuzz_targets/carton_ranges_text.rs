#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("carton_ranges_text"), |bytes: &[u8]| readers::carton_ranges_text(bytes));
