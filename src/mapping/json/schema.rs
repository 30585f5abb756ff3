//! The part of JSON Schema (draft 7) that the carried schemas use. A keyword that is not understood stops the schema
//! from being read at all: nothing is passed over in silence.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use regex::Regex;
use rust_decimal::Decimal;
use serde_json::Value;

use super::text::Json;
use crate::mapping::xml::content::{Child, ContentTable, Name, SchemaError, Shape, expanded, local};
use crate::mapping::xml::tree::Node;
use crate::problem::Problem;

const KNOWN: [&str; 24] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "$ref",
    "title",
    "description",
    "type",
    "enum",
    "required",
    "properties",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "format",
    "oneOf",
    "anyOf",
];
/// References may not lead deeper than a document may.
const MAX_DEPTH: usize = 64;
/// More faults than this in one document tell a person nothing new.
const MAX_FAULTS: usize = 50;

/// A schema, read and checked.
#[derive(Debug)]
pub struct JsonSchema {
    /// What a mapping's `root` says: the schema's title.
    root: String,
    tree: Value,
    patterns: BTreeMap<String, Regex>,
}

impl JsonSchema {
    /// # Errors
    /// Not JSON, a keyword that is not understood, a reference or a pattern that leads nowhere.
    pub fn read(file: &str, text: &str) -> Result<Self, SchemaError> {
        let fault = |detail: String| SchemaError::Shape {
            file: file.to_owned(),
            detail,
        };
        let tree: Value = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
        let title = tree.get("title").and_then(Value::as_str);
        let mut schema = Self {
            root: title.ok_or_else(|| fault("no `title`".to_owned()))?.to_owned(),
            tree,
            patterns: BTreeMap::new(),
        };
        let mut patterns = BTreeMap::new();
        schema.collect(&schema.tree, &mut patterns).map_err(fault)?;
        schema.patterns = patterns;
        Ok(schema)
    }

    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Checks the keywords of a schema and all below it, and compiles the patterns.
    fn collect(&self, schema: &Value, patterns: &mut BTreeMap<String, Regex>) -> Result<(), String> {
        let Some(keywords) = schema.as_object() else {
            return Err("a schema that is no object".to_owned());
        };
        for (keyword, value) in keywords {
            if !KNOWN.contains(&keyword.as_str()) {
                return Err(format!("the keyword `{keyword}`, which is not understood"));
            }
            match keyword.as_str() {
                "$ref" => {
                    let reference = value.as_str().unwrap_or_default();
                    self.target(reference)
                        .ok_or_else(|| format!("the reference `{reference}` leads nowhere"))?;
                }
                "pattern" => {
                    let text = value.as_str().unwrap_or_default();
                    let pattern = Regex::new(text).map_err(|error| error.to_string())?;
                    patterns.insert(text.to_owned(), pattern);
                }
                "properties" | "$defs" => {
                    for inner in value.as_object().into_iter().flat_map(|map| map.values()) {
                        self.collect(inner, patterns)?;
                    }
                }
                "items" => self.collect(value, patterns)?,
                "oneOf" | "anyOf" => {
                    for inner in value.as_array().into_iter().flatten() {
                        self.collect(inner, patterns)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn target(&self, reference: &str) -> Option<&Value> {
        self.tree.get("$defs")?.get(reference.strip_prefix("#/$defs/")?)
    }

    /// The schema that a reference leads to, or the schema itself.
    fn followed<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let reference = schema.get("$ref").and_then(Value::as_str);
        reference
            .and_then(|reference| self.target(reference))
            .unwrap_or(schema)
    }

    /// The table that mappings are checked against and sorted by.
    #[must_use]
    pub fn table(&self) -> ContentTable {
        let mut types = BTreeMap::new();
        let root = self.shape(&self.tree, "", &mut types);
        ContentTable::of_shapes(types, BTreeMap::from([(expanded("", &self.root), root)]))
    }

    /// Takes a schema into the table and returns the name of its type.
    fn shape(&self, schema: &Value, place: &str, types: &mut BTreeMap<Name, Shape>) -> Name {
        let reference = schema.get("$ref").and_then(Value::as_str);
        let name = reference.unwrap_or(place).to_owned();
        let schema = self.followed(schema);
        let listed = listed(schema);
        if listed.is_empty() || types.contains_key(&name) {
            return name;
        }
        // Known before its members are looked at, should one of them lead back here.
        types.insert(name.clone(), Shape::default());
        let required = required(schema);
        let mut children = Vec::new();
        for (member, inner) in listed {
            let whole = self.followed(inner);
            let place = format!("{name}/{member}");
            let must = u32::from(required.contains(&member));
            let (of_type, max) = match whole.get("items") {
                Some(items) => (self.shape(items, &place, types), None),
                None => (self.shape(inner, &place, types), Some(1)),
            };
            children.push(Child {
                name: expanded("", member),
                of_type,
                min: must,
                max,
            });
        }
        let shape = Shape {
            children,
            any_order: true,
            ..Shape::default()
        };
        types.insert(name.clone(), shape);
        name
    }

    /// The tree of a filled mapping as JSON: lists, numbers and flags where the schema wants them.
    ///
    /// # Errors
    /// Every value that cannot be what the schema wants.
    pub fn json(&self, file: &str, root: &Node) -> Result<Json, Vec<Problem>> {
        let mut problems = Vec::new();
        let json = self.value(file, root, &self.tree, local(&root.name), &mut problems);
        match problems.is_empty() {
            true => Ok(json),
            false => Err(problems),
        }
    }

    fn value(
        &self,
        file: &str,
        node: &Node,
        schema: &Value,
        place: &str,
        problems: &mut Vec<Problem>,
    ) -> Json {
        let schema = self.followed(schema);
        let listed = listed(schema);
        if !listed.is_empty() {
            let mut members = Vec::new();
            for (member, inner) in listed {
                let name = expanded("", member);
                let mut nodes = node.children.iter().filter(|child| child.name == name).peekable();
                if nodes.peek().is_none() {
                    continue;
                }
                let place = format!("{place}/{member}");
                let value = match self.followed(inner).get("items") {
                    Some(items) => Json::List(
                        nodes
                            .enumerate()
                            .map(|(at, node)| {
                                self.value(file, node, items, &format!("{place}[{}]", at + 1), problems)
                            })
                            .collect(),
                    ),
                    None => match nodes.next() {
                        Some(node) => self.value(file, node, inner, &place, problems),
                        None => continue,
                    },
                };
                members.push((member.to_owned(), value));
            }
            return Json::Object(members);
        }
        let text = node.text.as_str();
        let mut wrong = |wanted: &str| {
            problems.push(Problem::new(file, place, "", text, wanted));
            Json::Null
        };
        match schema.get("type").and_then(Value::as_str) {
            Some("number" | "integer") => match text.parse::<Decimal>() {
                Ok(number) => Json::Number(number.normalize().to_string()),
                Err(_) => wrong("a number"),
            },
            Some("boolean") => match text {
                "true" => Json::Flag(true),
                "false" => Json::Flag(false),
                _ => wrong("true or false"),
            },
            _ => Json::Text(text.to_owned()),
        }
    }

    /// Everything wrong with a document; an empty list means valid.
    #[must_use]
    pub fn faults(&self, file: &str, json: &Json) -> Vec<Problem> {
        let mut problems = Vec::new();
        self.judge(file, &self.tree, json, &self.root, 0, &mut problems);
        problems.truncate(MAX_FAULTS);
        problems
    }

    fn judge(
        &self,
        file: &str,
        schema: &Value,
        json: &Json,
        place: &str,
        depth: usize,
        problems: &mut Vec<Problem>,
    ) {
        if depth > MAX_DEPTH || problems.len() >= MAX_FAULTS {
            return;
        }
        let schema = self.followed(schema);
        let mut report = |field: &str, found: &str, wanted: String| {
            problems.push(Problem::new(file, place, field, found, wanted));
        };
        let wanted = schema.get("type").and_then(Value::as_str);
        if let Some(wanted) = wanted.filter(|wanted| !is(json, wanted)) {
            report("", json.kind(), format!("{wanted}, as the schema says"));
            return;
        }
        for (found, wanted) in self.value_faults(schema, json) {
            report("", &found, wanted);
        }
        if let Json::Object(members) = json {
            for name in required(schema) {
                if json.member(name).is_none() {
                    report(
                        name,
                        "nothing",
                        "a value: the schema requires this member".to_owned(),
                    );
                }
            }
            let known = listed(schema);
            let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
            for (name, _) in members {
                if closed && known.iter().all(|(known, _)| known != name) {
                    report(name, "a member", "no other members than the schema's".to_owned());
                }
            }
            let properties = schema.get("properties");
            for (name, value) in members {
                if let Some(inner) = properties.and_then(|all| all.get(name)) {
                    self.judge(
                        file,
                        inner,
                        value,
                        &format!("{place}/{name}"),
                        depth + 1,
                        problems,
                    );
                }
            }
        }
        if let (Json::List(items), Some(inner)) = (json, schema.get("items")) {
            for (at, item) in items.iter().enumerate() {
                self.judge(
                    file,
                    inner,
                    item,
                    &format!("{place}[{}]", at + 1),
                    depth + 1,
                    problems,
                );
            }
        }
        for (keyword, exactly) in [("oneOf", true), ("anyOf", false)] {
            let Some(ways) = schema.get(keyword).and_then(Value::as_array) else {
                continue;
            };
            let fits = ways.iter().filter(|way| {
                let mut inner = Vec::new();
                self.judge(file, way, json, place, depth + 1, &mut inner);
                inner.is_empty()
            });
            let fits = fits.count();
            if fits == 0 || (exactly && fits > 1) {
                let names: Vec<String> = ways.iter().map(|way| required(way).join(" and ")).collect();
                let wanted = format!(
                    "{} of: {}",
                    if exactly { "one" } else { "one or more" },
                    names.join(", ")
                );
                problems.push(Problem::new(file, place, "", format!("{fits} of them"), wanted));
            }
        }
    }

    /// What is wrong with a plain value or the length of a list: found and wanted.
    fn value_faults(&self, schema: &Value, json: &Json) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let count = |keyword: &str| {
            let value = schema.get(keyword).and_then(Value::as_u64);
            value.and_then(|value| usize::try_from(value).ok())
        };
        match json {
            Json::Text(text) => {
                let length = text.chars().count();
                if count("minLength").is_some_and(|min| length < min)
                    || count("maxLength").is_some_and(|max| length > max)
                {
                    let (min, max) = (count("minLength").unwrap_or(0), count("maxLength"));
                    let most = max.map_or_else(String::new, |max| format!(" and at most {max}"));
                    faults.push((text.clone(), format!("at least {min}{most} characters")));
                }
                let pattern = schema.get("pattern").and_then(Value::as_str);
                if let Some(pattern) = pattern.filter(|pattern| {
                    self.patterns
                        .get(*pattern)
                        .is_none_or(|compiled| !compiled.is_match(text))
                }) {
                    faults.push((text.clone(), format!("the pattern {pattern}")));
                }
                let right = match schema.get("format").and_then(Value::as_str) {
                    Some("date") => text.len() == 10 && text.parse::<NaiveDate>().is_ok(),
                    Some("date-time") => DateTime::parse_from_rfc3339(text).is_ok(),
                    _ => true,
                };
                if !right {
                    faults.push((
                        text.clone(),
                        "a date, or a date and time with its zone".to_owned(),
                    ));
                }
            }
            Json::Number(text) => {
                let limit = |keyword: &str| {
                    let value = schema.get(keyword).map(Value::to_string)?;
                    value.parse::<Decimal>().ok()
                };
                match text
                    .parse::<Decimal>()
                    .or_else(|_| Decimal::from_scientific(text))
                {
                    Ok(number) => {
                        let below = limit("minimum").is_some_and(|min| number < min)
                            || limit("exclusiveMinimum").is_some_and(|min| number <= min);
                        if below || limit("maximum").is_some_and(|max| number > max) {
                            faults.push((text.clone(), "a number within the schema's limits".to_owned()));
                        }
                    }
                    Err(_) => faults.push((text.clone(), "a number that can be held".to_owned())),
                }
            }
            Json::List(items) => {
                if count("minItems").is_some_and(|min| items.len() < min)
                    || count("maxItems").is_some_and(|max| items.len() > max)
                {
                    let wanted = format!(
                        "at least {} and at most {}",
                        count("minItems").unwrap_or(0),
                        count("maxItems").map_or_else(|| "any number".to_owned(), |max| max.to_string()),
                    );
                    faults.push((format!("{} of them", items.len()), wanted));
                }
            }
            Json::Null | Json::Flag(_) | Json::Object(_) => {}
        }
        if let (Some(Value::Array(allowed)), Json::Text(text)) = (schema.get("enum"), json)
            && allowed.iter().all(|one| one.as_str() != Some(text))
        {
            let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
            faults.push((text.clone(), format!("one of {}", allowed.join(", "))));
        }
        faults
    }
}

fn is(json: &Json, wanted: &str) -> bool {
    match (json, wanted) {
        (Json::Number(text), "integer") => text
            .parse::<Decimal>()
            .is_ok_and(|number| number.fract().is_zero()),
        (json, wanted) => json.kind() == wanted,
    }
}

fn required(schema: &Value) -> Vec<&str> {
    let list = schema.get("required").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The members an object may have, in the order of the schema; those of its alternatives after its own.
fn listed(schema: &Value) -> Vec<(&str, &Value)> {
    let mut listed: Vec<(&str, &Value)> = Vec::new();
    let ways = ["oneOf", "anyOf"]
        .iter()
        .filter_map(|keyword| schema.get(keyword)?.as_array());
    for part in std::iter::once(schema).chain(ways.flatten()) {
        for (name, inner) in part
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            if listed.iter().all(|(known, _)| known != name) {
                listed.push((name, inner));
            }
        }
    }
    listed
}
