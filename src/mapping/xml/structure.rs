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
    match table.root(&root.name) {
        Some(of_type) => element(table, file, root, of_type, local(&root.name), &mut problems),
        None => {
            let wanted = "a root element of the schema";
            problems.push(Problem::new(file, "", "", &root.name, wanted));
        }
    }
    problems
}

fn element(
    table: &ContentTable,
    file: &str,
    node: &Node,
    of_type: &str,
    place: &str,
    problems: &mut Vec<Problem>,
) {
    if problems.len() >= MAX_FAULTS {
        return;
    }
    let mut report = |field: &str, found: &str, wanted: String| {
        problems.push(Problem::new(file, place, field, found, wanted));
    };
    match table.content(of_type) {
        Content::Opaque => {}
        Content::Text => {
            if let Some(child) = node.children.first() {
                report(local(&child.name), "an element", "text only".to_owned());
            }
            if let Some(wanted) = table.value_fault(of_type, &node.text) {
                report("", &node.text, wanted);
            }
            attributes(table, node, of_type, &mut report);
        }
        Content::Children { rules, any_order } => {
            if !node.text.trim().is_empty() {
                report("", node.text.trim(), "elements only".to_owned());
            }
            attributes(table, node, of_type, &mut report);
            let mut reached = 0;
            for child in &node.children {
                let name = local(&child.name);
                match rules.iter().position(|rule| rule.name == child.name) {
                    None => report(
                        name,
                        &child.name,
                        format!("an element the schema allows in `{place}`"),
                    ),
                    Some(position) if position < reached && !any_order => {
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
                if let Some(rule) = rules.iter().find(|rule| rule.name == child.name) {
                    let place = format!("{place}/{}", local(&child.name));
                    element(table, file, child, &rule.of_type, &place, problems);
                }
            }
        }
    }
}

/// `xsi:schemaLocation` and its like may stand anywhere.
fn is_instance(attribute: &str) -> bool {
    attribute.starts_with("xsi:")
}

fn attributes(table: &ContentTable, node: &Node, of_type: &str, report: &mut dyn FnMut(&str, &str, String)) {
    let rules = table.attributes(of_type);
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
