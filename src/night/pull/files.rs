//! What a pull tells of the files it reads: in its report, and beside the files themselves.

use super::{MAX_REJECTED, Pull, StreamReport};
use crate::http::puller::{Aside, AsideWhat, PulledPage};
use crate::problem::Problem;
use crate::transport::source_folder::SourceFolder;

impl Pull<'_> {
    fn source_folder(&self) -> Option<SourceFolder> {
        let files = self.bound.definition.file.files.as_ref()?;
        Some(SourceFolder {
            path: self.bound.folder.clone()?,
            settle: std::time::Duration::ZERO,
            max_bytes: files.max_file_bytes,
        })
    }

    /// A file that nothing was taken from; what is wrong with it, if anything is.
    pub(super) async fn aside(&self, aside: Aside, report: &mut StreamReport) -> Option<String> {
        match aside.what {
            AsideWhat::Growing => {
                report.warn(&format!("`{}` is still being written; next time", aside.file), 1);
                None
            }
            AsideWhat::KeptOut(rows) => {
                report.degrade(&format!(
                    "{}: {rows} of its rows were kept out; what is wrong with them stands in `{}.problems.txt` beside it",
                    aside.file, aside.file
                ));
                None
            }
            AsideWhat::Wrong(problems) => {
                let why = told(&problems);
                self.beside(&aside.file, &problems).await;
                report.rejected_count += 1;
                let room = MAX_REJECTED.saturating_sub(report.rejected.len());
                report.rejected.extend(problems.into_iter().take(room));
                report.degrade(&why);
                Some(why)
            }
        }
    }

    /// Leaves what is wrong with the rows of a page beside the file it is, and takes away what is mended.
    pub(super) async fn page_file(&self, page: &PulledPage) {
        if let Some(file) = &page.file {
            self.beside(&file.name, &page.rows.rejected).await;
        }
    }

    async fn beside(&self, file: &str, problems: &[Problem]) {
        if self.client.plays() {
            return;
        }
        if let Some(folder) = self.source_folder() {
            folder.tell(file, problems).await;
        }
    }
}

fn told(problems: &[Problem]) -> String {
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    texts.join("; ")
}
