#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("receipts"), |bytes: &[u8]| readers::receipts(bytes));
