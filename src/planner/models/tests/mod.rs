mod contest;
mod golden;
mod laws;
mod m5;

use std::io::Read;

use serde_json::Value;

/// A file of `tests/fixtures/planning`, unpacked when it is `.gz`.
pub(crate) fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/planning/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap();
    let text = if name.ends_with(".gz") {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(bytes.as_slice())
            .read_to_end(&mut text)
            .unwrap();
        text
    } else {
        bytes
    };
    serde_json::from_slice(&text).unwrap()
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}
