//! Whether a row is taken at all: is it ours, and can it be counted?

use super::{Row, Work, cell_at};
use crate::connector::path::Path;

impl Work<'_> {
    /// False: the row was left out, and it is said why.
    pub(super) fn counts(&mut self, row: Row<'_>) -> bool {
        let bound = self.bound;
        let look = |path: &Path| cell_at(row, path).show().map(std::borrow::Cow::into_owned);
        if let Some(only) = bound.only(self.name) {
            // A row that does not say whose it is is refused: guessing would give it to the wrong marketplace.
            if let Some(silent) = only.speaking().find(|path| look(path).is_none()) {
                let name = silent.text().to_owned();
                self.reject(&name, "", "a value: without it the row cannot be told to be ours");
                return false;
            }
            if !only.holds(&look) {
                self.out.skipped += 1;
                return false;
            }
        }
        if let Some(must) = bound.must(self.name)
            && !must.holds(&look)
        {
            let (name, found) = must
                .paths()
                .map(|path| (path.text().to_owned(), look(path).unwrap_or_default()))
                .next()
                .unwrap_or_default();
            let text = self.stream.must.as_ref().map_or("", |text| text.get_ref());
            self.reject(&name, &found, &format!("a row that can be counted: {text}"));
            return false;
        }
        true
    }
}
