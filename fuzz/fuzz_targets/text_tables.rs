#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("text_tables"), |bytes: &[u8]| readers::text_tables(bytes));
