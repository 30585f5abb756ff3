#![no_main]

use linkstar_fuzz::{plant, readers};

libfuzzer_sys::fuzz_target!(init: plant("mails"), |bytes: &[u8]| readers::mails(bytes));
