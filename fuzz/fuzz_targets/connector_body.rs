#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("connector_body"), |bytes: &[u8]| readers::connector_body(bytes));
