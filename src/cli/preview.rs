//! Papers for people's eyes: saved, and shown as PDF or PNG by the programs people have for it.
//!
//! Workbooks go through LibreOffice. What a label printer gets is drawn here. XML, JSON and plain tables are text: they are saved,
//! and nothing else is made of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::CliError;
use super::context::print;
use crate::mapping::definition::{Written, XLSM_MEDIA_TYPE, XLSX_MEDIA_TYPE};
use crate::mapping::label::{PDF_MEDIA_TYPE, raster, zpl};

/// Saves a paper into a folder and says where; with `pdf` also as PDF (LibreOffice), with `png` also as one picture a page
/// (pdftoppm).
pub(super) fn save(folder: &Path, written: &Written, pdf: bool, png: bool) -> Result<(), CliError> {
    let path = saved(folder, written)?;
    print(&path.display().to_string())?;
    if png && written.media_type == zpl::ZPL_MEDIA_TYPE {
        return pictures(&path, &written.bytes);
    }
    let is_page = [XLSX_MEDIA_TYPE, XLSM_MEDIA_TYPE, PDF_MEDIA_TYPE].contains(&written.media_type);
    if !(pdf || png) || !is_page {
        return Ok(());
    }
    let pdf = as_pdf(&path)?;
    if pdf != path {
        print(&pdf.display().to_string())?;
    }
    if png {
        let pages = pdf.with_extension("");
        let mut command = Command::new("pdftoppm");
        run(command.args(["-r", "110", "-png"]).arg(&pdf).arg(&pages))?;
        print(&format!("{}-*.png", pages.display()))?;
    }
    Ok(())
}

fn saved(folder: &Path, written: &Written) -> Result<PathBuf, CliError> {
    let path = folder.join(&written.file_name);
    let failed = |source| CliError::File {
        what: "write",
        path: path.clone(),
        source,
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    std::fs::write(&path, &written.bytes).map_err(failed)?;
    Ok(path)
}

/// The dots a label printer burns, one picture a label.
fn pictures(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let unreadable = |error: String| CliError::Usage(format!("{}: {error}", path.display()));
    let text = str::from_utf8(bytes).map_err(|error| unreadable(error.to_string()))?;
    for (dots, no) in zpl::read(text).zip(1_usize..) {
        let dots = dots.map_err(unreadable)?;
        let png = raster::dots_png(&dots).map_err(|error| unreadable(error.to_string()))?;
        let picture = path.with_extension(format!("{no:03}.png"));
        std::fs::write(&picture, png).map_err(|source| CliError::File {
            what: "write",
            path: picture.clone(),
            source,
        })?;
        print(&picture.display().to_string())?;
    }
    Ok(())
}

fn as_pdf(path: &Path) -> Result<PathBuf, CliError> {
    let pdf = path.with_extension("pdf");
    if path == pdf {
        return Ok(pdf);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut command = Command::new("soffice");
    command
        .args(["--headless", "--convert-to", "pdf", "--outdir"])
        .arg(folder.unwrap_or(Path::new(".")))
        .arg(path);
    run(&mut command)?;
    match pdf.exists() {
        true => Ok(pdf),
        false => Err(CliError::Usage(format!(
            "LibreOffice made no PDF of {}",
            path.display()
        ))),
    }
}

/// Another program's own words stay off our output.
fn run(command: &mut Command) -> Result<(), CliError> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(CliError::Usage(format!(
            "{name} failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ))),
        Err(error) => Err(CliError::Usage(format!("cannot start {name}: {error}"))),
    }
}
