//! Declared files (configuration, connectors, mappings) are TOML; their faults are named by line, with the
//! nearest right name, and one per section so that all sections can be mended at once.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue, ValueDeserializer};

use crate::problem::{Problem, nearest};

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
            Err(error) => Err(vec![toml_problem(file, text, "", &error)]),
        }
    }

    /// Takes a section; a missing one is `None`, a faulty one is remembered and `None`.
    pub fn take<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.remove(name)?;
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(section) => Some(section),
            Err(error) => {
                self.problems
                    .push(toml_problem(self.file, self.text, name, &error));
                None
            }
        }
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
                line_at(self.text, span.start),
                name,
                self.text.get(span).unwrap_or_default(),
                format!("tables headed [[{name}]]"),
            ));
            return Vec::new();
        };
        let mut good = Vec::new();
        for element in elements {
            match T::deserialize(ValueDeserializer::from(element)) {
                Ok(section) => good.push(section),
                Err(error) => self
                    .problems
                    .push(toml_problem(self.file, self.text, name, &error)),
            }
        }
        good
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
        line_at(text, key.span().start),
        "",
        name,
        wanted_name(name, known),
    )
}

fn wanted_name(given: &str, known: &[&str]) -> String {
    match nearest(given, known.iter().copied()) {
        Some(near) => format!("a known name; did you mean `{near}`?"),
        None => format!("one of {}", known.join(", ")),
    }
}

/// Turns an error of the TOML reader into a problem with line, field and the nearest right name.
#[must_use]
pub fn toml_problem(file: &str, text: &str, section: &str, error: &toml::de::Error) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let place = if span == (0..0) {
        String::new()
    } else {
        line_at(text, span.start)
    };
    let shown = text
        .get(span)
        .unwrap_or_default()
        .lines()
        .next()
        .unwrap_or_default()
        .trim();
    let message = error.message();
    if let Some((given, known)) = unknown_field(message) {
        return Problem::new(file, place, section, given, wanted_name(given, &known));
    }
    Problem::new(
        file,
        place,
        section,
        shown,
        message.lines().next().unwrap_or_default(),
    )
}

/// `unknown field `x`, expected one of `a`, `b`` as serde words it.
fn unknown_field(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message
        .strip_prefix("unknown field `")
        .or_else(|| message.strip_prefix("unknown variant `"))?;
    let (given, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).collect();
    Some((given, known))
}

fn line_at(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    format!("line {}", before.matches('\n').count() + 1)
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
        linkstar.toml, line 3, `mail`: found `prot`, wanted a known name; did you mean `port`?
        linkstar.toml, line 10, `box`: found `"y"`, wanted invalid type: string "y", expected u16
        linkstar.toml, line 5: found `stroe`, wanted a known name; did you mean `store`?
        "#);
    }

    #[test]
    fn text_that_is_no_toml_names_its_line() {
        let problems = Sections::parse("x.toml", "a = 1\nb = = 2\n").err().unwrap();
        assert_eq!(problems[0].place, "line 2");
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
