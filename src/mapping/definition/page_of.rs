//! The page that another mapping file declares.

use super::{Assets, File};
use crate::mapping::model::shape;
use crate::mapping::value::{Maps, Scope};
use crate::mapping::xlsx::fresh::XlsxNew;
use crate::problem::Problem;

/// The `[xlsx-new]` of a mapping file, its maps and its text.
///
/// # Errors
/// When there is no such file, it has no such section, or what is wrong with it.
pub(in crate::mapping) fn page_of(
    file: &str,
    name: &str,
    assets: Assets<'_>,
) -> Result<(XlsxNew, Maps, String), Vec<Problem>> {
    let wrong = |found: &str, wanted: &str| vec![Problem::new(file, "[pdf]", "page_of", found, wanted)];
    let content =
        assets(name).ok_or_else(|| wrong(name, "a mapping file beside this one, or a built-in one"))?;
    let content = String::from_utf8(content).map_err(|_| wrong(name, "a text in UTF-8"))?;
    let other: File = crate::declared::read(name, &content)?;
    let page = other
        .xlsx_new
        .ok_or_else(|| wrong(name, "a mapping file with a section [xlsx-new]"))?;
    let problems = page.faults(name, &Scope::new(shape(), &other.maps));
    match problems.is_empty() {
        true => Ok((page, other.maps, content)),
        false => Err(problems),
    }
}
