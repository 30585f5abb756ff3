mod contest;
mod golden;
mod laws;
mod scores;

use std::io::Read;

use serde_json::Value;

macro_rules! planning {
    ($name:literal) => {
        include_bytes!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/planning/",
            $name
        ))
    };
}

/// A file of `tests/fixtures/planning`, unpacked when it is `.gz`.
pub(crate) fn fixture(name: &str) -> Value {
    let bytes: &[u8] = match name {
        "statsforecast_golden.json" => planning!("statsforecast_golden.json"),
        "statsforecast_full.json.gz" => planning!("statsforecast_full.json.gz"),
        "statsforecast_or2_weekly_h12.json.gz" => planning!("statsforecast_or2_weekly_h12.json.gz"),
        "stockpyl_cases.json.gz" => planning!("stockpyl_cases.json.gz"),
        "stockpyl_networks.json.gz" => planning!("stockpyl_networks.json.gz"),
        other => panic!("no fixture {other}"),
    };
    if !name.ends_with(".gz") {
        return serde_json::from_slice(bytes).unwrap();
    }
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_end(&mut text)
        .unwrap();
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
