//! The structure of a document against the order table: exact names, order, counts, attributes. It stands beside the
//! validator, which was seen to take an element of a foreign namespace for the schema's own.

use super::content::{Content, ContentTable, local};
use super::tree::Node;
use crate::problem::Problem;

/// More faults than this in one document tell a person nothing new.
const MAX_FAULTS: usize = 50;

/// Everything wrong with the structure; an empty list means that every element stands where the schema wants it.
#[must_use]
pub fn faults(table: &ContentTable, file: &str, root: &Node) -> Vec<Problem> {
    let mut problems = Vec::new();
    if table.knows(&root.name) {
        element(table, file, root, local(&root.name), &mut problems);
    } else {
        problems.push(Problem::new(
            file,
            "",
            "",
            &root.name,
            "a root element of the schema",
        ));
    }
    problems
}

fn element(table: &ContentTable, file: &str, node: &Node, place: &str, problems: &mut Vec<Problem>) {
    if problems.len() >= MAX_FAULTS {
        return;
    }
    let mut report = |field: &str, found: &str, wanted: String| {
        problems.push(Problem::new(file, place, field, found, wanted));
    };
    match table.content(&node.name) {
        None => report("", &node.name, "an element of the schema".to_owned()),
        Some(Content::Opaque) => {}
        Some(Content::Text) => {
            if let Some(child) = node.children.first() {
                report(local(&child.name), "an element", "text only".to_owned());
            }
            attributes(table, node, &mut report);
        }
        Some(Content::Children(rules)) => {
            if !node.text.trim().is_empty() {
                report("", node.text.trim(), "elements only".to_owned());
            }
            for (name, _) in node.attributes.iter().filter(|(name, _)| !is_instance(name)) {
                report(
                    &format!("@{name}"),
                    "an attribute",
                    "none: the schema has no attribute here".to_owned(),
                );
            }
            let mut reached = 0;
            for child in &node.children {
                let name = local(&child.name);
                match rules.iter().position(|rule| rule.name == child.name) {
                    None => report(
                        name,
                        &child.name,
                        format!("an element the schema allows in `{place}`"),
                    ),
                    Some(position) if position < reached => {
                        let before = rules.get(reached).map_or("", |rule| local(&rule.name));
                        report(name, name, format!("it before `{before}`"));
                    }
                    Some(position) => reached = position,
                }
            }
            for rule in rules {
                let count = node
                    .children
                    .iter()
                    .filter(|child| child.name == rule.name)
                    .count();
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                if count < rule.min || rule.max.is_some_and(|max| count > max) {
                    let most = rule
                        .max
                        .map_or_else(|| "any number".to_owned(), |max| max.to_string());
                    let wanted = format!("at least {} and at most {most}", rule.min);
                    report(local(&rule.name), &format!("{count} of them"), wanted);
                }
            }
            for child in &node.children {
                if rules.iter().any(|rule| rule.name == child.name) {
                    element(
                        table,
                        file,
                        child,
                        &format!("{place}/{}", local(&child.name)),
                        problems,
                    );
                }
            }
        }
    }
}

/// `xsi:schemaLocation` and its like may stand anywhere.
fn is_instance(attribute: &str) -> bool {
    attribute.starts_with("xsi:")
}

fn attributes(table: &ContentTable, node: &Node, report: &mut dyn FnMut(&str, &str, String)) {
    let rules = table.attributes(&node.name);
    for (name, value) in node.attributes.iter().filter(|(name, _)| !is_instance(name)) {
        if rules.iter().all(|rule| rule.name != *name) {
            report(
                &format!("@{name}"),
                value,
                "an attribute of the schema".to_owned(),
            );
        }
    }
    for rule in rules.iter().filter(|rule| rule.required) {
        if node.attributes.iter().all(|(name, _)| *name != rule.name) {
            report(
                &format!("@{}", rule.name),
                "nothing",
                "the required attribute".to_owned(),
            );
        }
    }
}
