//! One text for one meaning: JSON with sorted keys, fields as sorted pairs.

use serde_json::Value as Json;

use crate::connector::body::Content;

/// Compact JSON with the keys of every object sorted by code point.
pub fn sorted(json: &Json) -> String {
    order(json).to_string()
}

fn order(json: &Json) -> Json {
    match json {
        Json::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            Json::Object(
                names
                    .into_iter()
                    .filter_map(|name| Some((name.clone(), order(fields.get(name)?))))
                    .collect(),
            )
        }
        Json::Array(items) => Json::Array(items.iter().map(order).collect()),
        other => other.clone(),
    }
}

/// The fields of a body as texts; a nested value is compact JSON without nulls.
pub fn fields(content: &Content) -> Vec<(String, String)> {
    match content {
        Content::Json(Json::Object(fields)) => fields
            .iter()
            .map(|(name, value)| {
                let text = match value {
                    Json::String(text) => text.clone(),
                    other => without_nulls(other).to_string(),
                };
                (name.clone(), text)
            })
            .collect(),
        Content::Form(fields) => fields.clone(),
        Content::None | Content::Json(_) | Content::Text { .. } => Vec::new(),
    }
}

fn without_nulls(json: &Json) -> Json {
    match json {
        Json::Object(fields) => Json::Object(
            fields
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect(),
        ),
        Json::Array(items) => Json::Array(
            items
                .iter()
                .filter(|item| !item.is_null())
                .map(without_nulls)
                .collect(),
        ),
        other => other.clone(),
    }
}

/// `name=value&…`, sorted by name; empty values are left away.
pub fn pairs(mut fields: Vec<(String, String)>) -> String {
    fields.retain(|(_, value)| !value.is_empty());
    fields.sort();
    let pairs: Vec<String> = fields
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_sorted_at_every_depth_and_lists_keep_their_order() {
        let json = json!({"b": [{"z": 1, "a": null}, 2], "a": {"y": "ü", "x": true}, "B": 1});
        assert_eq!(
            sorted(&json),
            r#"{"B":1,"a":{"x":true,"y":"ü"},"b":[{"a":null,"z":1},2]}"#
        );
    }

    #[test]
    fn pairs_leave_empty_texts_away_and_write_null_and_bool_as_words() {
        let content =
            Content::Json(json!({"b": "", "d": [1, null], "c": null, "a": true, "f": {"x": null, "y": 1}}));
        assert_eq!(pairs(fields(&content)), r#"a=true&c=null&d=[1]&f={"y":1}"#);
    }
}
