#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("workbook"), |bytes: &[u8]| readers::workbook(bytes));
