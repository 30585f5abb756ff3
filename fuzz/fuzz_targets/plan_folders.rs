#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("plan_folders"), |bytes: &[u8]| readers::plan_folders(bytes));
