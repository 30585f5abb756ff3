//! The folder `supply` beside the configuration: calendars, prices, limits and ways of the chain, as the files of a plan
//! from a folder have them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::mapping::plan_folder::{MAX_CHAIN_BYTES, chain};
use crate::planner::SupplyFacts;
use crate::problem::Problem;

/// Reads it; a folder that is not there says nothing. A file that cannot be read is a problem like a wrong cell.
#[must_use]
pub fn read(home: &Path) -> (SupplyFacts, Vec<Problem>) {
    let folder = home.join("supply");
    let mut problems = Vec::new();
    let mut files = BTreeMap::new();
    for name in chain::FILES {
        let workbook = name.replace(".csv", ".xlsx");
        for name in [name.to_owned(), workbook] {
            let path = folder.join(&name);
            match std::fs::metadata(&path) {
                Ok(data) if data.len() > MAX_CHAIN_BYTES => {
                    let wanted = format!("at most {MAX_CHAIN_BYTES} bytes");
                    problems.push(Problem::new(
                        &name,
                        "",
                        "",
                        format!("{} bytes", data.len()),
                        wanted,
                    ));
                }
                Ok(_) => match std::fs::read(&path) {
                    Ok(bytes) => {
                        files.insert(name, bytes);
                    }
                    Err(error) => problems.push(unreadable(&name, &error)),
                },
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => problems.push(unreadable(&name, &error)),
            }
        }
    }
    let facts = chain::read(&files, &mut problems);
    (facts, problems)
}

fn unreadable(name: &str, error: &std::io::Error) -> Problem {
    Problem::new(name, "", "", error.to_string(), "a file to read")
}
