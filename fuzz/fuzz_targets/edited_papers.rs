#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("edited_papers"), |bytes: &[u8]| readers::edited_papers(bytes));
