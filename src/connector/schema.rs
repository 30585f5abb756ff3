//! The JSON Schema of connector files, for editors. Made from the structs that read the files, so that the two cannot
//! say different things.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::definition::{AsOf, Decode, DecodeTable, Fields, File, FileNames, Names, RecordKind, Way};

/// JSON Schema (draft 2020-12), as text with a line end.
#[must_use]
pub fn schema() -> String {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<File>().to_value();
    tidy(&mut schema);
    if let Value::Object(root) = &mut schema {
        root.insert("title".to_owned(), json!("linkstar connector file"));
    }
    format!("{schema:#}\n")
}

/// TOML has no null, and a default that is nothing helps nobody.
fn tidy(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(object) => {
            if object.get("format").is_some_and(Value::is_string) {
                object.remove("format");
            }
            let nothing = [json!(null), json!(""), json!([]), json!({})];
            if object
                .get("default")
                .is_some_and(|default| nothing.contains(default))
            {
                object.remove("default");
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            without_null(object);
            object.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

fn without_null(object: &mut Map<String, Value>) {
    let Some(Value::Array(ways)) = object.get_mut("anyOf") else {
        return;
    };
    ways.retain(|way| *way != json!({"type": "null"}));
    if let [Value::Object(only)] = ways.as_slice() {
        let only = only.clone();
        object.remove("anyOf");
        object.extend(only);
    }
}

/// Which fields a map may have depends on the record.
pub(super) fn fields_of_records(schema: &mut Schema) {
    let each: Vec<Value> = RecordKind::ALL
        .into_iter()
        .map(|record| {
            let names: Vec<&str> = record.fields().iter().map(|field| field.name).collect();
            json!({
                "if": {"required": ["record"], "properties": {"record": {"const": record.word()}}},
                "then": {"properties": {"map": {"propertyNames": {"enum": names}}}},
            })
        })
        .collect();
    schema.insert("allOf".to_owned(), Value::Array(each));
}

/// What is asked for comes from somewhere, and from one place only.
pub(super) fn http_or_files(schema: &mut Schema) {
    let one = json!([{"required": ["http"]}, {"required": ["files"]}]);
    schema.insert("oneOf".to_owned(), one);
}

/// The other word for `keys`.
pub(super) fn also_headers(schema: &mut Schema) {
    if let Some(Value::Array(words)) = schema.get_mut("oneOf") {
        words.push(json!({"const": "headers", "description": "The same as `keys`."}));
    }
}

impl JsonSchema for Fields {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Fields")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Texts by name, sent in the order they are written.",
            "type": "object",
            "additionalProperties": {"type": "string"},
        })
    }
}

impl JsonSchema for Names {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Names")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "One name, or several.",
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        })
    }
}

impl JsonSchema for FileNames {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("FileNames")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The name of a file or a list of names, with `*` and `?`.",
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        })
    }
}

impl JsonSchema for AsOf {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("AsOf")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let way = generator.subschema_for::<Way>();
        json_schema!({
            "description": "What says when a file was made: { name = \"%Y%m%d\" }, or a list of ways in their order.",
            "anyOf": [way, {"type": "array", "items": way}],
        })
    }
}

impl JsonSchema for Decode {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Decode")
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "From bytes to a tree or a table, layer by layer: [\"gzip\", \"jsonl\"].",
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                generator.subschema_for::<DecodeTable>(),
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/connectors/schema.json");

    /// After a change of the language: `linkstar connector schema > connectors/schema.json`, or this test with
    /// `LINKSTAR_WRITE_SCHEMA=1`.
    #[test]
    fn the_published_schema_is_up_to_date() {
        if std::env::var_os("LINKSTAR_WRITE_SCHEMA").is_some() {
            std::fs::write(PUBLISHED, schema()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(PUBLISHED).unwrap(), schema());
    }

    #[test]
    fn the_schema_knows_words_defaults_descriptions_and_refuses_the_rest() {
        let schema: Value = serde_json::from_str(&schema()).unwrap();
        let at = |path: &str| schema.pointer(path).cloned().unwrap_or_default();
        assert_eq!(at("/$schema"), "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(at("/additionalProperties"), false);
        assert_eq!(at("/$defs/Stream/additionalProperties"), false);
        assert_eq!(at("/$defs/Stream/properties/max_age_hours/default"), 36);
        assert_eq!(at("/$defs/Cursor/properties/format/default"), "rfc3339");
        assert_eq!(at("/$defs/Page/properties/kind/default"), "none");
        assert_eq!(
            at("/$defs/Stream/properties/parent/description"),
            "The stream whose every row this one is asked for."
        );
        let text = schema.to_string();
        assert!(
            !text.contains("\"null\"") && !text.contains(":null"),
            "TOML has no null"
        );
        let stock = at("/$defs/Stream/allOf/1/then/properties/map/propertyNames/enum");
        assert_eq!(
            stock.as_array().and_then(|names| names.first()),
            Some(&json!("sku_code"))
        );
    }
}
