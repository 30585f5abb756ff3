//! The small conditions of a connector file: `ask == 'Success' or code == 0`.

use super::path::Path;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Path(String),
    Literal(String),
    Equal,
    NotEqual,
    And,
    Or,
}

/// A condition in disjunctive form: one of the groups holds when all of its comparisons hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expr {
    any: Vec<Vec<Comparison>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparison {
    path: Path,
    literal: Option<String>,
    equal: bool,
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        rest = if first == '\'' {
            let inside = rest.get(1..).unwrap_or_default();
            let (literal, after) = inside
                .split_once('\'')
                .ok_or_else(|| format!("a closing quote in `{text}`"))?;
            found.push(Token::Literal(literal.to_owned()));
            after
        } else if let Some(after) = rest.strip_prefix("==") {
            found.push(Token::Equal);
            after
        } else if let Some(after) = rest.strip_prefix("!=") {
            found.push(Token::NotEqual);
            after
        } else {
            let end = rest
                .find(|sign: char| sign.is_whitespace() || "='!".contains(sign))
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            found.push(match word {
                "" => return Err(format!("no `{first}` in `{text}`")),
                "and" => Token::And,
                "or" => Token::Or,
                "true" | "false" | "null" => Token::Literal(word.to_owned()),
                word if word.parse::<i64>().is_ok() => Token::Literal(word.to_owned()),
                word => Token::Path(word.to_owned()),
            });
            after
        }
        .trim_start();
    }
    Ok(found)
}

impl Expr {
    /// `path == literal` and `path != literal`, joined by `and` and `or`; `and` binds closer.
    ///
    /// # Errors
    /// What is wanted instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut any = vec![Vec::new()];
        let mut rest = tokens.as_slice();
        loop {
            let [
                Token::Path(path),
                sign @ (Token::Equal | Token::NotEqual),
                Token::Literal(literal),
                after @ ..,
            ] = rest
            else {
                return Err(format!(
                    "`path == 'text'` joined by `and` or `or`, instead of `{text}`"
                ));
            };
            if let Some(all) = any.last_mut() {
                all.push(Comparison {
                    path: Path::parse(path)?,
                    literal: (literal != "null").then(|| literal.clone()),
                    equal: *sign == Token::Equal,
                });
            }
            rest = match after {
                [] => return Ok(Self { any }),
                [Token::And, after @ ..] => after,
                [Token::Or, after @ ..] => {
                    any.push(Vec::new());
                    after
                }
                _ => return Err(format!("`and` or `or` between the comparisons of `{text}`")),
            };
        }
    }

    /// Whether it holds, with `look` giving the text at a path (None: absent or null).
    #[must_use]
    pub fn holds(&self, look: &dyn Fn(&Path) -> Option<String>) -> bool {
        self.any.iter().any(|all| {
            all.iter()
                .all(|comparison| (look(&comparison.path) == comparison.literal) == comparison.equal)
        })
    }

    /// The paths that must say something for it to be judged: all but those it asks whether they do.
    pub fn speaking(&self) -> impl Iterator<Item = &Path> {
        let may_be_silent = |path: &Path| {
            let mut all = self.any.iter().flatten();
            all.any(|comparison| comparison.literal.is_none() && comparison.path == *path)
        };
        self.paths().filter(move |path| !may_be_silent(path))
    }

    /// Every path it reads.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.any.iter().flatten().map(|comparison| &comparison.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(condition: &str, fields: &[(&str, &str)]) -> bool {
        Expr::parse(condition).unwrap().holds(&|path| {
            fields
                .iter()
                .find(|(name, _)| *name == path.text())
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn either_envelope_is_good() {
        let ok = "ask == 'Success' or code == 0";
        assert!(holds(ok, &[("ask", "Success")]));
        assert!(holds(ok, &[("code", "0")]));
        assert!(!holds(ok, &[("ask", "Failure")]));
        assert!(!holds(ok, &[]));
    }

    #[test]
    fn and_binds_closer_than_or_and_columns_may_have_dashes() {
        assert!(holds(
            "a == 1 and b == 2 or sales-channel == 'Amazon.co.uk'",
            &[("a", "1"), ("sales-channel", "Amazon.co.uk")]
        ));
        assert!(!holds("a == 1 and b != 2", &[("a", "1"), ("b", "2")]));
        assert!(holds("a == null", &[]));
    }

    #[test]
    fn nonsense_is_refused_with_what_is_wanted() {
        for wrong in ["", "a", "a = 1", "a == b", "a == 'x", "a == 1 b == 2", "or"] {
            assert!(Expr::parse(wrong).is_err(), "{wrong}");
        }
    }
}
