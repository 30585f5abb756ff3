//! A page of our own as PDF: the blocks that `[xlsx-new]` of another mapping file declares, set on A4. One design, two prints.

mod page;
pub mod read;
mod syntax;

use serde::Deserialize;

use self::page::{Laid, set};
use self::read::Run;
use crate::mapping::definition::{Assets, page_of};
use crate::mapping::label::{font::Fonts, pdf};
use crate::mapping::value::{Maps, Scope};
use crate::mapping::xlsx::fresh::XlsxNew;
use crate::problem::Problem;

/// How far a text may stand from where it was set, in millimetres: the file keeps fewer digits.
const TOLERANCE_MM: f32 = 0.2;
const MAX_PROBLEMS: usize = 100;

/// Section `[pdf]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PdfPage {
    /// The mapping file whose `[xlsx-new]` is set, e.g. `packing-list.toml`; its `[maps]` come along.
    page_of: String,
    #[serde(skip)]
    page: Option<XlsxNew>,
}

impl PdfPage {
    /// Reads the file it takes its page from. Gives its maps and its text, and everything wrong with it.
    pub(crate) fn prepare(&mut self, file: &str, assets: Assets<'_>) -> (Maps, String, Vec<Problem>) {
        match page_of(file, &self.page_of, assets) {
            Ok((page, maps, content)) => {
                let unknown = |format: &str| format.is_empty() || format.contains(|c| !"#,0.".contains(c));
                let formats = page.formats().filter(|(_, format)| unknown(format));
                let wanted = "a number format of `#`, `0`, `,` and `.`";
                let faults = formats.map(|(title, format)| {
                    let field = title.replace('\n', " ");
                    Problem::new(file, format!("[pdf] {}", self.page_of), field, format, wanted)
                });
                let faults = faults.collect();
                self.page = Some(page);
                (maps, content, faults)
            }
            Err(problems) => (Maps::new(), String::new(), problems),
        }
    }

    fn laid(&self, file: &str, scope: &Scope<'_>) -> Result<(Laid, &'static Fonts), Vec<Problem>> {
        let fonts = Fonts::built_in().map_err(|error| {
            let wanted = "a readable OpenType font";
            vec![Problem::new(file, "", "font", error.to_string(), wanted)]
        })?;
        match &self.page {
            Some(page) => Ok((set(page, file, scope, fonts)?, fonts)),
            None => Err(vec![Problem::new(
                file,
                "[pdf]",
                "page_of",
                &self.page_of,
                "a file that was read",
            )]),
        }
    }

    /// # Errors
    /// Everything that is missing, all at once; a character that the font does not have.
    pub(crate) fn write(&self, file: &str, scope: &Scope<'_>) -> Result<Vec<u8>, Vec<Problem>> {
        let (laid, fonts) = self.laid(file, scope)?;
        let drawings: Vec<_> = laid.pages.into_iter().map(|page| page.drawing).collect();
        pdf::write(file, &laid.title, &drawings, None, fonts)
    }

    /// Reads every line of the file with a reader that knows nothing of how it was set, and compares text and place.
    pub(crate) fn check(&self, name: &str, bytes: &[u8], scope: &Scope<'_>) -> Vec<Problem> {
        let laid = match self.laid(name, scope) {
            Ok((laid, _)) => laid,
            Err(problems) => return problems,
        };
        let runs = match read::runs(bytes) {
            Ok(runs) => runs,
            Err(error) => {
                let wanted = "a PDF as linkstar writes it";
                return vec![Problem::new(name, "", "", error.to_string(), wanted)];
            }
        };
        let mut problems = Vec::new();
        let mut runs: Vec<Option<Run>> = runs.into_iter().map(Some).collect();
        for (no, page) in laid.pages.iter().enumerate() {
            for line in &page.lines {
                let near = |run: &&mut Option<Run>| {
                    run.as_ref().is_some_and(|run| {
                        run.page == no
                            && (run.x_mm - line.x).abs() < TOLERANCE_MM
                            && (run.y_mm - line.y).abs() < TOLERANCE_MM
                    })
                };
                let found = runs.iter_mut().find(near).and_then(Option::take);
                let found = found.map_or_else(String::new, |run| run.text);
                if found != line.text {
                    let place = place(no, line.x, line.y);
                    let field = line.field.replace('\n', " ");
                    problems.push(Problem::new(name, place, field, found, &line.text));
                }
            }
        }
        for run in runs.into_iter().flatten() {
            let wanted = "an empty place: the document has no text there";
            problems.push(Problem::new(
                name,
                place(run.page, run.x_mm, run.y_mm),
                "",
                run.text,
                wanted,
            ));
        }
        problems.truncate(MAX_PROBLEMS);
        problems
    }
}

fn place(page: usize, x: f32, y: f32) -> String {
    format!(
        "page {}, {y:.0} mm from the top, {x:.0} mm from the left",
        page + 1
    )
}

#[cfg(test)]
mod tests;
