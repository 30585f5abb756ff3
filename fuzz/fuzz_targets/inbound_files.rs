#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("inbound_files"), |bytes: &[u8]| readers::inbound_files(bytes));
