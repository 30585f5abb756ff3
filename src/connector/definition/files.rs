//! What a file may say about systems without an interface: which files lie where, and when each was made.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::Text;

/// A folder that people or another program put exports into.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Files {
    /// Beside the configuration, when it is no whole path; usually `${param:folder}`.
    pub folder: Text,
    /// Between the two looks at a new file: one that changes meanwhile is left for the next pull.
    #[serde(default = "two")]
    pub settle_seconds: u64,
    #[serde(default = "file_limit")]
    pub max_file_bytes: u64,
}

fn two() -> u64 {
    2
}

fn file_limit() -> u64 {
    64 << 20
}

/// A name or a list of names, each with `*` and `?`.
#[derive(Debug, Clone)]
pub struct FileNames(pub Vec<Text>);

impl<'de> Deserialize<'de> for FileNames {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = FileNames;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a file such as \"stock*.xlsx\", or a list of names")
            }

            fn visit_str<E>(self, name: &str) -> Result<FileNames, E> {
                Ok(FileNames(vec![Text::from(name)]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<FileNames, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(FileNames)
            }
        }
        from.deserialize_any(Either)
    }
}

/// The ways to tell when a file was made. The first one that finds a time counts.
#[derive(Debug, Clone, Default)]
pub struct AsOf(pub Vec<Way>);

/// One way: exactly one of `name`, `cell`, `column` and `modified`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Way {
    /// A pattern such as `%Y%m%d` that stands somewhere in the file's name.
    pub name: Option<Text>,
    /// A cell such as `B2`; a text before the time (`导出时间：`) does not matter.
    pub cell: Option<Text>,
    /// A column that has the same day in every row.
    pub column: Option<Text>,
    /// `true`: when the file was changed last.
    #[serde(default)]
    pub modified: bool,
    /// Of `cell` and `column`: the pattern the time is written in; without it, any that begins with the year.
    pub format: Option<Text>,
    /// The zone it is written in; without it the file's own.
    pub zone: Option<Text>,
}

impl<'de> Deserialize<'de> for AsOf {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = AsOf;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table such as { name = \"%Y%m%d\" }, or a list of them")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<AsOf, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(AsOf)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AsOf, A::Error> {
                Way::deserialize(MapAccessDeserializer::new(map)).map(|way| AsOf(vec![way]))
            }
        }
        from.deserialize_any(Either)
    }
}
