//! Texts with places: `{page}` filled per request, `${param:zone}` and `${secret:token}` from the configuration.

use std::collections::BTreeMap;

use crate::secret::Secret;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Place(String),
    Param(String),
    Secret(String),
}

/// How JSON carries a text that is one place and nothing else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Carried {
    /// As the place holds it.
    #[default]
    Kept,
    /// `{place|int}`: a whole number.
    Int,
    /// `{place|number}`: a number with its decimals.
    Number,
    /// `{place|text}`: a text, although the place holds a number.
    Text,
}

/// A compiled text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
    carried: Carried,
}

const CARRIED: [(&str, Carried); 3] = [
    ("|int", Carried::Int),
    ("|number", Carried::Number),
    ("|text", Carried::Text),
];

/// `}}` stands for a brace of the text itself, as `{{` does.
fn single(text: &str) -> String {
    text.replace("}}", "}")
}

impl Template {
    /// # Errors
    /// What is wanted instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut carried = Carried::Kept;
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, after) = rest.split_at(at);
            if let Some(tail) = after.strip_prefix("{{") {
                plain.push_str(&single(before));
                plain.push('{');
                rest = tail;
                continue;
            }
            let dollar = before.ends_with('$');
            plain.push_str(&single(before.strip_suffix('$').unwrap_or(before)));
            let (inside, tail) = after
                .get(1..)
                .unwrap_or_default()
                .split_once('}')
                .ok_or_else(|| format!("a closing brace in `{text}`"))?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(match (dollar, inside.split_once(':')) {
                (true, Some(("param", name))) => Part::Param(name.to_owned()),
                (true, Some(("secret", name))) => Part::Secret(name.to_owned()),
                (true, _) => {
                    return Err(format!(
                        "`${{param:NAME}}` or `${{secret:NAME}}` instead of `${{{inside}}}`"
                    ));
                }
                (false, _) => {
                    let typed = CARRIED
                        .iter()
                        .find_map(|(suffix, how)| Some((inside.strip_suffix(suffix)?, *how)));
                    match typed {
                        Some((name, how)) if text.len() == inside.len() + "{}".len() => {
                            carried = how;
                            Part::Place(name.to_owned())
                        }
                        Some((_, Carried::Text)) => {
                            return Err(format!("nothing around `{{{inside}}}` in `{text}`"));
                        }
                        Some(_) => return Err(format!("nothing around the number in `{text}`")),
                        None => Part::Place(inside.to_owned()),
                    }
                }
            });
            rest = tail;
        }
        plain.push_str(&single(rest));
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self { parts, carried })
    }

    #[must_use]
    pub fn carried(&self) -> Carried {
        self.carried
    }

    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter()
    }

    /// The place, when the text is nothing but one place: then its type is kept.
    #[must_use]
    pub fn single_place(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [Part::Place(name)] => Some(name),
            _ => None,
        }
    }
}

/// What places are filled with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places(BTreeMap<String, Filling>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filling {
    Text(String),
    Int(i64),
    /// What `for_each` goes through.
    List(Vec<Places>),
}

impl Places {
    pub fn text(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), Filling::Text(value.into()));
    }

    pub fn int(&mut self, name: &str, value: i64) {
        self.0.insert(name.to_owned(), Filling::Int(value));
    }

    pub fn list(&mut self, name: &str, items: Vec<Self>) {
        self.0.insert(name.to_owned(), Filling::List(items));
    }

    /// These places, with those of an item of a list before them.
    #[must_use]
    pub fn with(&self, item: &Self) -> Self {
        let mut places = self.clone();
        places.0.extend(item.0.clone());
        places
    }

    /// Every place with what it is filled with, by name.
    pub fn shown(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().filter_map(|(name, filling)| {
            let text = match filling {
                Filling::Text(text) => text.clone(),
                Filling::Int(value) => value.to_string(),
                Filling::List(_) => return None,
            };
            Some((name.as_str(), text))
        })
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Filling> {
        self.0.get(name)
    }
}

/// Parameters and secrets of one configured source.
#[derive(Debug, Clone, Default)]
pub struct Given {
    pub params: BTreeMap<String, String>,
    pub secrets: BTreeMap<String, Secret>,
}

impl Given {
    /// Fills a text. `escape` is applied to what is put in, not to the text around it.
    ///
    /// # Errors
    /// The name of what is missing.
    pub fn fill(
        &self,
        template: &Template,
        places: &Places,
        escape: fn(&str) -> String,
    ) -> Result<String, String> {
        self.put_in(template, places, escape, str::to_owned)
    }

    /// As [`Given::fill`]; parameters and secrets are escaped too.
    ///
    /// # Errors
    /// The name of what is missing.
    pub fn fill_escaped(
        &self,
        template: &Template,
        places: &Places,
        escape: fn(&str) -> String,
    ) -> Result<String, String> {
        self.put_in(template, places, escape, escape)
    }

    fn put_in(
        &self,
        template: &Template,
        places: &Places,
        escape: fn(&str) -> String,
        configured: fn(&str) -> String,
    ) -> Result<String, String> {
        let mut out = String::new();
        for part in &template.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Param(name) => out.push_str(&configured(
                    self.params
                        .get(name)
                        .ok_or_else(|| format!("parameter `{name}` is not set"))?,
                )),
                Part::Secret(name) => out.push_str(&configured(
                    self.secrets
                        .get(name)
                        .ok_or_else(|| format!("secret `{name}` is not set"))?
                        .expose(),
                )),
                Part::Place(name) => match places.get(name) {
                    Some(Filling::Text(text)) => out.push_str(&escape(text)),
                    Some(Filling::Int(value)) => out.push_str(&value.to_string()),
                    Some(Filling::List(_)) => {
                        return Err(format!("`{{{name}}}` is a list; `for_each` goes through it"));
                    }
                    None => return Err(format!("`{{{name}}}` has no value here")),
                },
            }
        }
        Ok(out)
    }

    /// # Errors
    /// What is wrong with the text, or the name of what is missing.
    pub fn fill_text(&self, text: &str) -> Result<String, String> {
        self.fill(&Template::parse(text)?, &Places::default(), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_params_and_secrets_are_filled_and_missing_ones_named() {
        let given = Given {
            params: BTreeMap::from([("host".to_owned(), "eu".to_owned())]),
            secrets: BTreeMap::from([("key".to_owned(), Secret::new("k"))]),
        };
        let mut places = Places::default();
        places.int("page", 3);
        let fill = |text: &str| given.fill(&Template::parse(text)?, &places, str::to_owned);
        assert_eq!(
            fill("https://${param:host}/x?p={page}&k=${secret:key}"),
            Ok("https://eu/x?p=3&k=k".to_owned())
        );
        assert_eq!(fill("${secret:no}"), Err("secret `no` is not set".to_owned()));
        assert_eq!(fill("{size}"), Err("`{size}` has no value here".to_owned()));
        assert!(fill("${env:HOME}").is_err());
        assert!(fill("{open").is_err());
        // Braces of the text itself, as a GraphQL document inside another has them.
        assert_eq!(
            fill("{{ orders(query: \"{page}\") {{ id }} }}"),
            Ok("{ orders(query: \"3\") { id } }".to_owned())
        );
        let carried = |text: &str| Template::parse(text).unwrap().carried();
        assert_eq!(carried("{page|int}"), Carried::Int);
        assert_eq!(carried("{gross_kg|number}"), Carried::Number);
        assert_eq!(carried("{page|text}"), Carried::Text);
        assert_eq!(fill("{page|int}"), Ok("3".to_owned()));
        assert_eq!(carried("{page}"), Carried::Kept);
        assert_eq!(
            Template::parse("page {page|int}"),
            Err("nothing around the number in `page {page|int}`".to_owned())
        );
    }
}
