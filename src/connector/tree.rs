//! A decoded answer as a tree that borrows from the answer's bytes, and of which only what the definition names is kept.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::path::{Path, Tree};

#[derive(Debug, Clone, PartialEq)]
pub enum Node<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// A number that is no whole one, as text.
    Number(String),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    Map(Vec<(Cow<'a, str>, Self)>),
    /// Elements of one name below one XML element: one of them is the element, several are a list.
    Many(Vec<Self>),
    /// There, but nothing of the definition asks for it.
    Skipped,
}

impl Node<'_> {
    /// Names of the fields of an object.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::Map(fields) => fields.as_slice(),
            _ => &[],
        }
        .iter()
        .map(|(name, _)| name.as_ref())
    }

    /// As JSON text, for values that are whole objects.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null | Self::Skipped => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(value) => Json::from(*value),
            Self::Number(text) => serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.clone())),
            Self::Text(text) => Json::String(text.to_string()),
            Self::List(items) | Self::Many(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Self::Map(fields) => Json::Object(
                fields
                    .iter()
                    .map(|(name, value)| (name.to_string(), value.to_json()))
                    .collect(),
            ),
        }
    }
}

impl Tree for Node<'_> {
    /// Some systems write keys with trailing blanks; a name matches when it is equal after trimming.
    fn field(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(fields) => fields
                .iter()
                .find(|(name, _)| name.as_ref() == key)
                .or_else(|| fields.iter().find(|(name, _)| name.trim_end() == key))
                .map(|(_, value)| value),
            Self::Many(items) => items.first().and_then(|first| first.field(key)),
            _ => None,
        }
    }

    fn items(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) | Self::Many(items) => Some(items),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    fn says(&self, text: &str) -> bool {
        match self {
            Self::Text(own) => own.as_ref() == text,
            Self::Int(own) => own.to_string() == text,
            Self::Number(own) => own == text,
            Self::Bool(own) => own.to_string() == text,
            Self::Many(items) => items.first().is_some_and(|first| first.says(text)),
            _ => false,
        }
    }
}

/// Which parts of a tree are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Want {
    all: bool,
    fields: Vec<(String, Self)>,
}

impl Want {
    #[must_use]
    pub fn all() -> Self {
        Self {
            all: true,
            fields: Vec::new(),
        }
    }

    /// Keeps what a path leads to, from `above` on.
    pub fn add<'k>(&mut self, above: impl Iterator<Item = &'k str>, path: &'k Path) {
        let mut at = self;
        for key in above.chain(path.keys()) {
            at = at.below(key);
        }
        at.all = true;
    }

    /// Keeps the way to rows, and their names, whatever is read of them.
    pub fn reach(&mut self, rows: &Path) {
        rows.above(0).into_iter().fold(self, Self::below);
    }

    fn below(&mut self, key: &str) -> &mut Self {
        let index = match self.fields.iter().position(|(name, _)| name == key) {
            Some(index) => index,
            None => {
                self.fields.push((key.to_owned(), Self::default()));
                self.fields.len() - 1
            }
        };
        #[expect(clippy::indexing_slicing, reason = "the index was just found or made")]
        &mut self.fields[index].1
    }

    fn at(&self, key: &str) -> Option<&Self> {
        if self.all {
            return Some(self);
        }
        let key = key.trim_end();
        self.fields
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, want)| want)
    }
}

/// Reads JSON, keeping what is wanted.
///
/// # Errors
/// When the bytes are no JSON.
pub fn parse<'a>(bytes: &'a [u8], want: &Want) -> Result<Node<'a>, serde_json::Error> {
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let node = Seed(want).deserialize(&mut from)?;
    from.end()?;
    Ok(node)
}

#[derive(Clone, Copy)]
struct Seed<'w>(&'w Want);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Node<'de>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(i64::try_from(value).map_or_else(|_| Node::Number(value.to_string()), Node::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(serde_json::Number::from_f64(value).map_or(Node::Null, |number| Node::Number(number.to_string())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut fields = Vec::with_capacity(self.0.fields.len());
        while let Some(Name(name)) = map.next_key()? {
            let value = match self.0.at(&name) {
                Some(want) => map.next_value_seed(Seed(want))?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                    Node::Skipped
                }
            };
            fields.push((name, value));
        }
        Ok(Node::Map(fields))
    }
}

/// A key, borrowed unless it holds escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Key;
        impl<'de> Visitor<'de> for Key {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        from.deserialize_str(Key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wanted_is_kept_and_every_name_is_known() {
        let mut want = Want::default();
        want.add(["data"].into_iter(), &Path::parse("sku").unwrap());
        want.add(["data"].into_iter(), &Path::parse("stock.free").unwrap());
        let text = br#"{"data": [{"sku ": "A\u00e9", "buyer": {"name": "x"}, "stock": {"free": 1, "held": 2.50}}], "n": 1}"#;
        let tree = parse(text, &want).unwrap();
        let row = tree.field("data").and_then(Tree::items).unwrap().first().unwrap();
        assert_eq!(row.names().collect::<Vec<_>>(), ["sku ", "buyer", "stock"]);
        assert_eq!(row.field("sku"), Some(&Node::Text("Aé".into())));
        assert_eq!(row.field("buyer"), Some(&Node::Skipped));
        assert_eq!(row.field("stock").unwrap().field("free"), Some(&Node::Int(1)));
        assert_eq!(row.field("stock").unwrap().field("held"), Some(&Node::Skipped));
        assert_eq!(tree.field("n"), Some(&Node::Skipped));
        assert!(parse(b"{} x", &want).is_err());
        assert_eq!(
            parse(b"[2.50, 18446744073709551615]", &Want::all())
                .unwrap()
                .to_json()
                .to_string(),
            "[2.5,18446744073709551615]"
        );
    }
}
