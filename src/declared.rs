//! Declared files (configuration, connectors, mappings) are TOML; their faults are named by line and
//! column, with the nearest right name, and all at once.

mod place;
mod shape;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

pub use place::{Faults, locate, place_at, within};
pub use shape::{Guess, Misshapen, read, read_guessing};

use crate::problem::Problem;
use shape::{read_value, syntax, wanted_name};

/// A declared file, split into its top-level sections.
pub struct Sections<'a> {
    file: &'a str,
    text: &'a str,
    table: DeTable<'a>,
    problems: Vec<Problem>,
}

impl<'a> Sections<'a> {
    /// # Errors
    /// When the text is no TOML.
    pub fn parse(file: &'a str, text: &'a str) -> Result<Self, Vec<Problem>> {
        match DeTable::parse(text) {
            Ok(table) => Ok(Self {
                file,
                text,
                table: table.into_inner(),
                problems: Vec::new(),
            }),
            Err(error) => Err(vec![syntax(file, text, &error)]),
        }
    }

    /// Takes a section; a missing one is `None`, a faulty one is remembered and `None`.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.remove(name)?;
        read_value(self.file, self.text, name, value)
            .map_err(|faults| self.problems.extend(faults))
            .ok()
    }

    /// Takes an array of tables, judging every element by itself.
    pub fn take_each<T: DeserializeOwned>(&mut self, name: &str) -> Vec<T> {
        let Some(value) = self.remove(name) else {
            return Vec::new();
        };
        let span = value.span();
        let DeValue::Array(elements) = value.into_inner() else {
            self.problems.push(Problem::new(
                self.file,
                place_at(self.text, span.start),
                name,
                self.text.get(span).unwrap_or_default(),
                format!("tables headed [[{name}]]"),
            ));
            return Vec::new();
        };
        let mut good = Vec::new();
        for (index, element) in elements.into_iter().enumerate() {
            match read_value(self.file, self.text, &format!("{name}[{}]", index + 1), element) {
                Ok(section) => good.push(section),
                Err(faults) => self.problems.extend(faults),
            }
        }
        good
    }

    /// Takes `version`, the version of the file's own format; any other than the one that is known is a fault.
    pub fn expect_version(&mut self, known: i64) {
        let found = self.take::<i64>("version");
        if found != Some(known) {
            let found = found.map(|version| version.to_string()).unwrap_or_default();
            self.fault("version", found, known.to_string());
        }
    }

    /// Remembers a fault found by a check of meaning.
    pub fn fault(&mut self, field: &str, found: impl AsRef<str>, wanted: impl Into<String>) {
        self.problems
            .push(Problem::new(self.file, "", field, found, wanted));
    }

    /// Sections nobody took are faults too.
    ///
    /// # Errors
    /// Everything that was wrong.
    pub fn finish(self, known: &[&str]) -> Result<(), Vec<Problem>> {
        let mut problems = self.problems;
        for key in self.table.keys() {
            problems.push(unknown(self.file, self.text, key, known));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }

    fn remove(&mut self, name: &str) -> Option<Spanned<DeValue<'a>>> {
        let key = self
            .table
            .keys()
            .find(|key| key.get_ref().as_ref() == name)?
            .clone();
        self.table.remove(&key)
    }
}

fn unknown(file: &str, text: &str, key: &Spanned<DeString<'_>>, known: &[&str]) -> Problem {
    let name = key.get_ref().as_ref();
    Problem::new(
        file,
        place_at(text, key.span().start),
        "",
        name,
        wanted_name(name, known),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Mail {
        host: String,
        port: u16,
    }

    const TEXT: &str =
        "[mail]\nhost = \"h\"\nprot = 25\n\n[stroe]\nurl = 1\n\n[[box]]\nhost = \"x\"\nport = \"y\"\n";

    #[test]
    fn every_faulty_section_is_named_with_line_and_nearest_name() {
        let mut sections = Sections::parse("linkstar.toml", TEXT).ok().unwrap();
        assert!(sections.take::<Mail>("mail").is_none());
        assert!(sections.take_each::<Mail>("box").is_empty());
        let problems = sections.finish(&["mail", "store", "box"]).unwrap_err();
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(said.join("\n"), @r#"
        linkstar.toml, line 3, column 1, `mail`: found `prot`, wanted a known name; did you mean `port`?
        linkstar.toml, line 10, column 8, `box[1].port`: found `"y"`, wanted a whole number, 0 or more
        linkstar.toml, line 5, column 2: found `stroe`, wanted a known name; did you mean `store`?
        "#);
    }

    #[test]
    fn text_that_is_no_toml_names_its_line() {
        let problems = Sections::parse("x.toml", "a = 1\nb = = 2\n").err().unwrap();
        assert_eq!(problems[0].place, "line 2, column 5");
    }

    #[test]
    fn a_good_section_is_taken() {
        let mut sections = Sections::parse("x.toml", "[mail]\nhost='h'\nport=25\n")
            .ok()
            .unwrap();
        let mail: Mail = sections.take("mail").unwrap();
        assert_eq!((mail.host.as_str(), mail.port), ("h", 25));
        assert!(sections.finish(&["mail"]).is_ok());
    }
}
