//! Texts that know where they stand in the file.

use std::borrow::Cow;
use std::ops::{Deref, Range};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize, Serializer};
use toml::Spanned;

/// A text of the file together with where it stands, for messages with line and column.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Text(Spanned<String>);

impl Text {
    #[must_use]
    pub fn new(span: Range<usize>, text: impl Into<String>) -> Self {
        Self(Spanned::new(span, text.into()))
    }
}

/// A text that stands in no file: what holds when nothing is said.
impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(0..0, text)
    }
}

impl Deref for Text {
    type Target = Spanned<String>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.0.get_ref())
    }
}

impl JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Text")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        String::json_schema(generator)
    }
}
