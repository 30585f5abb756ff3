//! The folder `demand` beside the configuration: sets, velocity rules, overrides, promotions, events and large orders, as
//! the files of a plan from a folder have them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::mapping::plan_folder::demand::{DemandFiles, FILES};
use crate::mapping::plan_folder::{as_workbook, demand};
use crate::problem::Problem;

/// No file may be larger.
const MAX_BYTES: u64 = 64 << 20;

/// Reads it; a folder that is not there says nothing. A file that cannot be read is a problem like a wrong cell. Rows
/// that need a warehouse must name it.
#[must_use]
pub fn read(home: &Path) -> (DemandFiles, Vec<Problem>) {
    let folder = home.join("demand");
    let mut problems = Vec::new();
    let mut files = BTreeMap::new();
    for name in FILES
        .into_iter()
        .flat_map(|name| [Some(name.to_owned()), as_workbook(name)])
        .flatten()
    {
        let path = folder.join(&name);
        let refused = match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Ok(data) if data.len() > MAX_BYTES => Some(format!("{} bytes, at most {MAX_BYTES}", data.len())),
            _ => None,
        };
        match refused.map_or_else(|| std::fs::read(&path).map_err(|error| error.to_string()), Err) {
            Ok(bytes) => {
                files.insert(name, bytes);
            }
            Err(found) => problems.push(Problem::new(&name, "", "", found, "a file to read")),
        }
    }
    let read = demand::read(&files, None, &mut problems);
    (read, problems)
}
