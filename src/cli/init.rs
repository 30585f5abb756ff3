//! `linkstar init`: a folder to start from.

use std::path::Path;

use super::context::print;
use super::{CliError, Exit};

const CONFIG: &str = include_str!("../../config/linkstar.toml");

/// Header rows of the catalog tables, with one example a table so that nobody has to guess a format.
const TABLES: [(&str, &str); 5] = [
    ("items.csv", include_str!("../../config/catalog/items.csv")),
    ("codes.csv", include_str!("../../config/catalog/codes.csv")),
    (
        "warehouses.csv",
        include_str!("../../config/catalog/warehouses.csv"),
    ),
    (
        "certificates.csv",
        include_str!("../../config/catalog/certificates.csv"),
    ),
    ("lanes.csv", include_str!("../../config/catalog/lanes.csv")),
];

pub fn run(folder: &Path) -> Result<Exit, CliError> {
    let config = folder.join("linkstar.toml");
    if config.exists() {
        return Err(CliError::Usage(format!(
            "{} is already there; nothing was changed",
            config.display()
        )));
    }
    let file = |what, path: &Path, source| CliError::File {
        what,
        path: path.to_owned(),
        source,
    };
    for inner in ["catalog", "inbox", "data", "secrets", "mappings", "connectors"] {
        let path = folder.join(inner);
        std::fs::create_dir_all(&path).map_err(|source| file("create", &path, source))?;
    }
    for (name, text) in TABLES {
        let path = folder.join("catalog").join(name);
        std::fs::write(&path, text).map_err(|source| file("write", &path, source))?;
    }
    std::fs::write(&config, CONFIG).map_err(|source| file("write", &config, source))?;
    print(&format!(
        "{}\nnext: edit it, fill catalog/*.csv, then\n  cd {}\n  linkstar check\n  linkstar catalog import catalog\n  linkstar doctor",
        config.display(),
        folder.display()
    ))?;
    Ok(Exit::Done)
}
