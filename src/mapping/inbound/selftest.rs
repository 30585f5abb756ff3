//! The tests inside an inbound mapping file.

use super::{Document, Inbound};

/// Runs every test of the file; times without offset are UTC there.
///
/// # Errors
/// One text for each test that does not hold.
pub fn run_tests(mapping: &Inbound) -> Result<usize, Vec<String>> {
    let mut failures = Vec::new();
    for case in &mapping.tests {
        let document = Document::new(&case.name, case.file.as_bytes());
        let reading = mapping.read(&document, chrono_tz::UTC);
        let found: Vec<_> = reading
            .iter()
            .flat_map(|reading| &reading.records)
            .map(|record| record.facts.clone())
            .collect();
        let problems = reading.as_ref().map_or(0, |reading| reading.problems.len());
        if found != case.expect || problems != case.problems {
            let said: Vec<String> = reading
                .iter()
                .flat_map(|reading| &reading.problems)
                .map(ToString::to_string)
                .collect();
            failures.push(format!(
                "{}, test `{}`: found {} and {problems} faults, wanted {} and {} faults\n{}",
                mapping.id,
                case.name,
                serde_json::json!(found),
                serde_json::json!(case.expect),
                case.problems,
                said.join("\n")
            ));
        }
    }
    if failures.is_empty() {
        Ok(mapping.tests.len())
    } else {
        Err(failures)
    }
}
