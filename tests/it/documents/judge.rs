//! openpyxl and LibreOffice as judges; where they are not installed the test says so, or fails where everything is required.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::Path;
use std::process::Command;

use crate::services::missing;

/// Cells of every sheet as openpyxl shows them: `模板!B12` → text. `None` when there is no openpyxl.
pub fn openpyxl(file: &Path, results: bool) -> Option<BTreeMap<String, String>> {
    const SCRIPT: &str = r#"
import sys
try:
    import openpyxl
except ImportError:
    sys.exit(3)
book = openpyxl.load_workbook(sys.argv[1], data_only=sys.argv[2] == "1")
for sheet in book:
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value is not None:
                value = cell.value
                if hasattr(value, "date"): value = value.date()
                print(f"{sheet.title}!{cell.coordinate}\t{value!s}".replace("\n", "\\n"))
"#;
    let ran = Command::new("python3")
        .args(["-c", SCRIPT])
        .arg(file)
        .arg(if results { "1" } else { "0" })
        .env("PYTHONIOENCODING", "utf-8")
        .output();
    let output = match ran {
        Ok(output) if output.status.code() != Some(3) => output,
        _ => {
            missing("python3 with openpyxl is not installed");
            return None;
        }
    };
    assert!(
        output.status.success(),
        "openpyxl refuses {}: {}",
        file.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let cells = text.lines().filter_map(|line| line.split_once('\t'));
    Some(
        cells
            .map(|(at, value)| (at.to_owned(), value.to_owned()))
            .collect(),
    )
}

/// The workbook opened, recalculated and saved again by LibreOffice. `None` when there is no LibreOffice.
pub fn libreoffice(file: &Path, folder: &Path) -> Option<std::path::PathBuf> {
    let out = folder.join("recalculated");
    let profile = format!(
        "-env:UserInstallation=file://{}",
        folder.join("profile").display()
    );
    let ran = Command::new("soffice")
        .args([profile.as_str(), "--headless", "--convert-to", "xlsx", "--outdir"])
        .arg(&out)
        .arg(file)
        .output();
    let Ok(output) = ran else {
        missing("`soffice` is not installed (Debian package libreoffice-calc-nogui)");
        return None;
    };
    let saved = out.join(file.file_name().expect("a name"));
    assert!(
        saved.exists(),
        "LibreOffice does not open {}: {}",
        file.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Some(saved)
}

/// The parts of a workbook by their names.
pub fn parts(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    let mut parts = BTreeMap::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).expect("an entry");
        let name = entry.name().expect("a name").into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("readable");
        parts.insert(name, content);
    }
    parts
}
