//! What is wrong with input from outside: named to the cell, listed all at once, good rows kept.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One fault in a foreign file: where, which field, what was found, what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// File name or source, as a person would name it.
    pub file: String,
    /// `line 7`, `cell D12`, `page 3`; empty when the whole file is meant.
    pub place: String,
    pub field: String,
    pub found: String,
    pub wanted: String,
}

/// Found texts are cut: a hostile field must not fill a log or a mail.
const MAX_FOUND_CHARS: usize = 60;

impl Problem {
    #[must_use]
    pub fn new(
        file: impl Into<String>,
        place: impl Into<String>,
        field: impl Into<String>,
        found: impl AsRef<str>,
        wanted: impl Into<String>,
    ) -> Self {
        let found = found.as_ref();
        let mut shown = String::new();
        for c in found.chars().take(MAX_FOUND_CHARS) {
            // Control characters and text-direction overrides could rewrite the line they are shown in.
            if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                shown.extend(c.escape_default());
            } else {
                shown.push(c);
            }
        }
        if found.chars().nth(MAX_FOUND_CHARS).is_some() {
            shown.push('…');
        }
        Self {
            file: file.into(),
            place: place.into(),
            field: field.into(),
            found: shown,
            wanted: wanted.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if !self.place.is_empty() {
            write!(f, ", {}", self.place)?;
        }
        if !self.field.is_empty() {
            write!(f, ", `{}`", self.field)?;
        }
        write!(f, ": found `{}`, wanted {}", self.found, self.wanted)
    }
}

/// The nearest of the known names, when it is near enough to be a slip of the hand.
#[must_use]
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given_chars = given.chars().count();
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(given, name), name))
        .filter(|(distance, name)| *distance <= 1 + given_chars.max(name.chars().count()) / 3)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_read_as_one_line_and_cut_what_is_hostile() {
        let problem = Problem::new(
            "items.csv",
            "line 7",
            "carton_units",
            "１２x",
            "a whole number above 0",
        );
        assert_eq!(
            problem.to_string(),
            "items.csv, line 7, `carton_units`: found `１２x`, wanted a whole number above 0"
        );
        let long = Problem::new("f", "", "", "\u{1b}[2J".repeat(100), "text");
        assert!(long.found.chars().count() < 400 && !long.found.contains('\u{1b}'));
    }

    #[test]
    fn nearest_offers_slips_not_guesses() {
        let known = ["recipients", "language", "password"];
        assert_eq!(nearest("recipient", known), Some("recipients"));
        assert_eq!(nearest("zzz", known), None);
    }
}
