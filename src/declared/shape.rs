//! Faults of shape: a key nobody knows, a value of another type, a key that must be there. The reader stops at the
//! first one; a misspelt key is read as the one that was meant, a missing one is guessed, any other fault is left out,
//! and the rest read again, so that a person sees them all at once.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error, ValueDeserializer};

use super::place::{Step, Way, place_at, put, rename, way_to, without};
use crate::problem::{Problem, nearest};

/// A file with more faults than this is another kind of file.
const MAX_FAULTS: usize = 30;

/// So often is a file read again: guesses of what is missing take several readings each.
const MAX_READINGS: usize = 400;

/// What is read in the place of a key that is missing, until one suits.
const GUESSES: [&str; 6] = ["x = \"\"", "x = {}", "x = []", "x = 0", "x = 0.5", "x = false"];

fn guessed(tried: usize) -> Option<DeValue<'static>> {
    let table = DeTable::parse(GUESSES.get(tried)?).ok()?.into_inner();
    table.into_iter().next().map(|(_, value)| value.into_inner())
}

/// What is wrong with the shape of a file.
pub struct Misshapen<T> {
    pub problems: Vec<Problem>,
    /// The file as it may have been meant, where everything else in it could be read.
    pub guess: Option<Guess<T>>,
}

pub struct Guess<T> {
    pub read: T,
    /// Dotted names of what does not stand in the file.
    pub names: Vec<String>,
}

/// A whole file.
///
/// # Errors
/// Every fault of shape, with line and column.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Vec<Problem>> {
    read_guessing(file, text).map_err(|misshapen| misshapen.problems)
}

/// A whole file; when it is faulty, also what it may have been meant to be.
///
/// # Errors
/// Every fault of shape, with line and column.
pub fn read_guessing<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Misshapen<T>> {
    match DeTable::parse(text) {
        Ok(table) => {
            let root = Spanned::new(0..0, DeValue::Table(table.into_inner()));
            Reading::new(file, text, "", root).read()
        }
        Err(_) => {
            let (_, errors) = DeTable::parse_recoverable(text);
            let faults = errors.iter().take(MAX_FAULTS);
            Err(Misshapen {
                problems: faults.map(|error| syntax(file, text, error)).collect(),
                guess: None,
            })
        }
    }
}

/// One value, called `name` in messages.
pub(super) fn read_value<T: DeserializeOwned>(
    file: &str,
    text: &str,
    name: &str,
    value: Spanned<DeValue<'_>>,
) -> Result<T, Vec<Problem>> {
    let read = Reading::new(file, text, name, value).read();
    read.map_err(|misshapen| misshapen.problems)
}

/// A value that is read again and again, each time without the faults found so far.
struct Reading<'a, 'v> {
    file: &'a str,
    text: &'a str,
    name: &'a str,
    value: Spanned<DeValue<'v>>,
    problems: Vec<Problem>,
    /// Where keys stand that were called by the name that was meant.
    renamed: Vec<Vec<Step>>,
    left_out: Vec<Vec<Step>>,
    guessed: Vec<Guessed>,
    /// How many places behind the text are taken.
    given: usize,
}

/// What was missing. Guesses stand behind the end of the text.
struct Guessed {
    way: Vec<Step>,
    /// So many guesses have not suited.
    tried: usize,
    /// Which of the problems says so.
    problem: Option<usize>,
}

impl<'a, 'v> Reading<'a, 'v> {
    fn new(file: &'a str, text: &'a str, name: &'a str, value: Spanned<DeValue<'v>>) -> Self {
        Self {
            file,
            text,
            name,
            value,
            problems: Vec::new(),
            renamed: Vec::new(),
            left_out: Vec::new(),
            guessed: Vec::new(),
            given: 0,
        }
    }

    fn read<T: DeserializeOwned>(mut self) -> Result<T, Misshapen<T>> {
        let mut guess = None;
        for _ in 0..MAX_READINGS {
            let error = match T::deserialize(ValueDeserializer::from(self.value.clone())) {
                Ok(read) if self.problems.is_empty() => return Ok(read),
                Ok(read) => {
                    guess = self.left_out.is_empty().then_some(read);
                    break;
                }
                Err(error) => error,
            };
            let behind = error.span().is_some_and(|span| span.start > self.text.len());
            let goes_on = if behind {
                self.guess_again(&error)
            } else {
                self.fault(&error)
            };
            if !goes_on || self.problems.len() >= MAX_FAULTS {
                break;
            }
        }
        let steps = self.guessed.into_iter().map(|guessed| guessed.way);
        let names = steps.map(|steps| Way { steps }.name(self.name)).collect();
        Err(Misshapen {
            problems: self.problems,
            guess: guess.map(|read| Guess { read, names }),
        })
    }

    /// Remembers a fault and takes it out of the way. False: it cannot be taken away.
    fn fault(&mut self, error: &Error) -> bool {
        let fault = Fault::of(self.text, self.name, &self.value, error);
        if let Some(missing) = fault.missing {
            let mut way = fault.way;
            way.push(Step::Key(missing));
            if let Some(known) = self.guessed.iter().position(|guessed| guessed.way == way) {
                return self.guess_above(known);
            }
            let mut problem = None;
            // A key whose value was left out is not missing.
            if !self.left_out.contains(&way) {
                problem = Some(self.problems.len());
                self.problems.push(Problem::new(
                    self.file,
                    fault.place,
                    fault.field,
                    fault.found,
                    fault.wanted,
                ));
            }
            return self.guess(way, problem);
        }
        // A value that does not suit the guessed name is no fault of its own.
        if !self.renamed.contains(&fault.way) {
            self.problems.push(Problem::new(
                self.file,
                fault.place,
                fault.field,
                fault.found,
                fault.wanted,
            ));
            if let Some(near) = fault.near
                && rename(&mut self.value, &fault.way, &near)
            {
                let mut way = fault.way;
                way.pop();
                way.push(Step::Key(near));
                self.renamed.push(way);
                return true;
            }
        }
        let gone = without(&mut self.value, &fault.way);
        self.left_out.push(fault.way);
        gone
    }

    fn guess(&mut self, way: Vec<Step>, problem: Option<usize>) -> bool {
        let at = self.text.len() + 1 + self.given;
        self.given += 1;
        let done = guessed(0).is_some_and(|first| put(&mut self.value, &way, first, at));
        self.guessed.push(Guessed {
            way,
            tried: 0,
            problem,
        });
        done
    }

    /// The key is still missing: a table that has no heading of its own stands where the one inside it does.
    fn guess_above(&mut self, known: usize) -> bool {
        let Guessed {
            way: below, problem, ..
        } = self.guessed.remove(known);
        without(&mut self.value, &below);
        let mut way = below;
        let Some(above) = way.len().checked_sub(2) else {
            return false;
        };
        way.remove(above);
        if let Some(problem) = problem.and_then(|problem| self.problems.get_mut(problem)) {
            problem.field = Way { steps: way.clone() }.name(self.name);
        }
        self.guess(way, problem)
    }

    /// A guess does not suit: another one, or more of it. False: nothing suits.
    fn guess_again(&mut self, error: &Error) -> bool {
        let start = error.span().map_or(0, |span| span.start);
        let Some(mut way) = way_to(&self.value, start).map(|way| way.steps) else {
            return false;
        };
        let message = error.message().trim().lines().next().unwrap_or_default();
        if let Some((missing, _)) = quoted(message, &["missing field `"]) {
            way.push(Step::Key(missing.to_owned()));
            return !self.guessed.iter().any(|guessed| guessed.way == way) && self.guess(way, None);
        }
        let Some(Guessed { tried, .. }) = self.guessed.iter_mut().find(|guessed| guessed.way == way) else {
            return false;
        };
        *tried += 1;
        let word = quoted(message, &["unknown variant `"]).and_then(|(_, known)| {
            known
                .first()
                .map(|word| DeValue::String((*word).to_owned().into()))
        });
        let next = word.or_else(|| guessed(*tried));
        // More words than guesses: this one wants something else.
        next.filter(|_| *tried < 2 * GUESSES.len())
            .is_some_and(|next| put(&mut self.value, &way, next, start))
    }
}

/// What the TOML reader says of a text that is no TOML.
pub(super) fn syntax(file: &str, text: &str, error: &Error) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let shown = text.get(span.clone()).unwrap_or_default();
    Problem::new(
        file,
        place_at(text, span.start),
        "",
        shown.lines().next().unwrap_or_default().trim(),
        format!("TOML: {}", error.message().lines().next().unwrap_or_default()),
    )
}

struct Fault {
    place: String,
    field: String,
    found: String,
    wanted: String,
    /// The key that must be there.
    missing: Option<String>,
    /// The key that was meant.
    near: Option<String>,
    way: Vec<Step>,
}

impl Fault {
    fn of(text: &str, name: &str, value: &Spanned<DeValue<'_>>, error: &Error) -> Self {
        let span = error
            .span()
            .filter(|span| !span.is_empty())
            .unwrap_or_else(|| value.span());
        // The file itself has no span.
        let way = if span.is_empty() {
            None
        } else {
            way_to(value, span.start)
        };
        let own = way.as_ref().map_or_else(|| name.to_owned(), |way| way.name(name));
        let steps = way.as_ref().map_or_else(Vec::new, |way| way.steps.clone());
        let source = text.get(span.clone()).unwrap_or_default();
        let shown = source.lines().next().unwrap_or_default().trim().to_owned();
        let message = error.message().trim().lines().next().unwrap_or_default();
        let place = place_at(text, span.start);
        if let Some((given, known)) = quoted(message, &["unknown field `", "unknown variant `"]) {
            let is_key = message.starts_with("unknown field");
            let above = own.strip_suffix(given).unwrap_or(&own).trim_end_matches('.');
            return Self {
                place,
                field: if is_key { above.to_owned() } else { own.clone() },
                found: given.to_owned(),
                wanted: wanted_name(given, &known),
                missing: None,
                near: nearest(given, known.iter().copied())
                    .filter(|_| is_key)
                    .map(str::to_owned),
                way: steps,
            };
        }
        if let Some((missing, _)) = quoted(message, &["missing field `"]) {
            let field = if own.is_empty() {
                missing.to_owned()
            } else {
                format!("{own}.{missing}")
            };
            return Self {
                place,
                field,
                found: String::new(),
                wanted: format!("a value: `{missing}` must be said"),
                missing: Some(missing.to_owned()),
                near: None,
                way: steps,
            };
        }
        let wanted = message
            .split_once(", expected ")
            .filter(|_| message.starts_with("invalid "))
            .map_or_else(|| message.to_owned(), |(_, expected)| plain(expected));
        Self {
            place,
            field: own,
            found: shown,
            wanted,
            missing: None,
            near: None,
            way: steps,
        }
    }
}

/// The name a message is about and the names it offers instead.
fn quoted<'m>(message: &'m str, heads: &[&str]) -> Option<(&'m str, Vec<&'m str>)> {
    let rest = heads.iter().find_map(|head| message.strip_prefix(head))?;
    let (given, rest) = rest.split_once('`')?;
    Some((given, rest.split('`').skip(1).step_by(2).collect()))
}

pub(super) fn wanted_name(given: &str, known: &[&str]) -> String {
    match nearest(given, known.iter().copied()) {
        Some(near) => format!("a known name; did you mean `{near}`?"),
        None => format!("one of {}", known.join(", ")),
    }
}

/// A type as the reader calls it, in a person's words.
fn plain(expected: &str) -> String {
    let plain = match expected {
        "a string" | "a borrowed string" | "str" => "a text in quotes",
        "a boolean" | "bool" => "true or false",
        "a sequence" | "an array" => "a list in square brackets",
        "a map" => "a table",
        "f32" | "f64" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        other if other.starts_with("u16") || other.starts_with("a nonzero u") => "a whole number above 0",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    plain.to_owned()
}
