//! Dotted paths into an answer: `data.list[].code`, `^.id` for the row one level up, `name?` for what may be absent.

use serde_json::Value as Json;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    key: String,
    /// `key[]`: every element of the list under the key.
    each: bool,
    optional: bool,
}

/// A compiled path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// How many rows up it starts.
    up: usize,
    segments: Vec<Segment>,
    text: String,
}

const MAX_SEGMENTS: usize = 16;

impl Path {
    /// # Errors
    /// A sentence fragment that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut up = 0;
        let mut rest = text.trim();
        while let Some(after) = rest.strip_prefix("^.") {
            up += 1;
            rest = after;
        }
        let mut segments = Vec::new();
        for part in rest.split('.') {
            let (part, optional) = part.strip_suffix('?').map_or((part, false), |part| (part, true));
            let (key, each) = part.strip_suffix("[]").map_or((part, false), |key| (key, true));
            if key.is_empty() || key.contains(['[', ']', '^', '?', '(', ')', '\'', '|']) {
                return Err(format!(
                    "`{text}` is no path, wanted names with dots such as `data.list[]`"
                ));
            }
            segments.push(Segment {
                key: key.to_owned(),
                each,
                optional,
            });
        }
        if segments.len() + up > MAX_SEGMENTS {
            return Err(format!("`{text}` is deeper than {MAX_SEGMENTS} levels"));
        }
        Ok(Self {
            up,
            segments,
            text: text.trim().to_owned(),
        })
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn up(&self) -> usize {
        self.up
    }

    /// The first name: what a column or a top-level field of the row is called.
    #[must_use]
    pub fn head(&self) -> &str {
        self.segments.first().map_or("", |segment| segment.key.as_str())
    }

    /// The value, when the path leads to one place and it is there.
    #[must_use]
    pub fn get<'a>(&self, root: &'a Json) -> Option<&'a Json> {
        self.segments
            .iter()
            .try_fold(root, |at, segment| field(at, &segment.key))
    }

    /// Whether the path goes through a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.segments.iter().any(|segment| segment.each)
    }

    /// Every value the path leads to, lists opened.
    #[must_use]
    pub fn all<'a>(&self, root: &'a Json) -> Vec<&'a Json> {
        let mut found = vec![root];
        for segment in &self.segments {
            found = found
                .into_iter()
                .filter_map(|at| field(at, &segment.key))
                .flat_map(|value| match (segment.each, value) {
                    (true, Json::Array(items)) => items.iter().collect(),
                    (true, _) => Vec::new(),
                    (false, value) => vec![value],
                })
                .collect();
        }
        found
    }

    /// Walks the rows: calls `row` with the chain of enclosing elements, the row itself last.
    ///
    /// # Errors
    /// When a named level is absent, null or no list where `[]` says it is one: the answer has another shape than the
    /// definition, which is not the same as no rows.
    pub fn each_row<'a>(&self, root: &'a Json, row: &mut dyn FnMut(&[&'a Json])) -> Result<(), String> {
        let mut chain = vec![root];
        walk(&self.segments, root, &mut chain, &self.text, row)
    }
}

/// Some systems write keys with trailing blanks; a name matches when it is equal after trimming.
fn field<'a>(at: &'a Json, key: &str) -> Option<&'a Json> {
    let object = at.as_object()?;
    object.get(key).or_else(|| {
        object
            .iter()
            .find(|(name, _)| name.len() > key.len() && name.trim_end() == key)
            .map(|(_, value)| value)
    })
}

fn walk<'a>(
    segments: &[Segment],
    at: &'a Json,
    chain: &mut Vec<&'a Json>,
    path: &str,
    row: &mut dyn FnMut(&[&'a Json]),
) -> Result<(), String> {
    let Some((segment, rest)) = segments.split_first() else {
        row(chain);
        return Ok(());
    };
    let value = match field(at, &segment.key) {
        None | Some(Json::Null) if segment.optional => return Ok(()),
        None | Some(Json::Null) => return Err(format!("`{}` of rows path `{path}` is missing", segment.key)),
        Some(value) => value,
    };
    if !segment.each {
        return walk(rest, value, chain, path, row);
    }
    let Json::Array(items) = value else {
        return Err(format!("`{}` of rows path `{path}` is no list", segment.key));
    };
    for item in items {
        chain.push(item);
        let done = walk(rest, item, chain, path, row);
        chain.pop();
        done?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nested_rows_know_what_encloses_them() {
        let page =
            json!({"orders": [{"id": 1, "lines": [{"sku": "a"}, {"sku": "b"}]}, {"id": 2, "lines": []}]});
        let mut seen = Vec::new();
        let rows = Path::parse("orders[].lines[]").unwrap();
        rows.each_row(&page, &mut |chain| {
            seen.push((
                chain[chain.len() - 2]["id"].clone(),
                chain[chain.len() - 1]["sku"].clone(),
            ));
        })
        .unwrap();
        assert_eq!(seen, vec![(json!(1), json!("a")), (json!(1), json!("b"))]);
    }

    #[test]
    fn a_missing_level_is_not_an_empty_list() {
        let rows = Path::parse("data.list[]").unwrap();
        let said = |page: Json| rows.each_row(&page, &mut |_| {}).unwrap_err();
        assert_eq!(said(json!({})), "`data` of rows path `data.list[]` is missing");
        assert_eq!(
            said(json!({"data": {"list": ""}})),
            "`list` of rows path `data.list[]` is no list"
        );
        let lenient = Path::parse("data.list[]?").unwrap();
        assert!(lenient.each_row(&json!({"data": {}}), &mut |_| {}).is_ok());
    }

    #[test]
    fn keys_with_trailing_blanks_are_found() {
        let path = Path::parse("box_total_count").unwrap();
        assert_eq!(path.get(&json!({"box_total_count ": 4})), Some(&json!(4)));
    }
}
