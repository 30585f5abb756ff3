//! JSON documents: the same mapping language as XML, with a JSON Schema as the judge. A member is an element, a list is
//! an element that repeats; whether a value is a text, a number or a flag is the schema's to say.

mod schema;
mod text;

pub use schema::JsonSchema;
pub use text::Json;

pub const JSON_MEDIA_TYPE: &str = "application/json";
