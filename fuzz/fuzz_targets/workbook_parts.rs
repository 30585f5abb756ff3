#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("workbook_parts"), |bytes: &[u8]| readers::workbook_parts(bytes));
