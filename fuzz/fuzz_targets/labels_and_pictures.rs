#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("labels_and_pictures"), |bytes: &[u8]| readers::labels_and_pictures(bytes));
