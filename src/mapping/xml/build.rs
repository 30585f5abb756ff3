//! From the model to the tree: values filled, empty groups left out, children in the order of the schema.

use std::collections::BTreeMap;

use serde_json::Value;

use super::check::bound;
use super::content::{Content, ContentTable, local};
use super::definition::{Element, XmlMapping};
use super::tree::{Node, is_legal};
use crate::mapping::value::{Fault, Maps, Scope, Template};
use crate::problem::Problem;

struct Build<'a> {
    mapping: &'a XmlMapping,
    file: &'a str,
    table: &'a ContentTable,
    model: &'a Value,
    problems: Vec<Problem>,
}

/// # Errors
/// Every value that is missing or cannot stand in XML, and every required element that stayed empty.
pub fn build(
    mapping: &XmlMapping,
    file: &str,
    table: &ContentTable,
    model: &Value,
    maps: &Maps,
) -> Result<Node, Vec<Problem>> {
    let mut build = Build {
        mapping,
        file,
        table,
        model,
        problems: Vec::new(),
    };
    let mut root = Node::new(mapping.expand(&mapping.root).unwrap_or_default());
    let of_type = table.root(&root.name).unwrap_or_default();
    let scope = Scope::new(model, maps);
    root.attributes = build.attributes(&mapping.attributes, &scope, &mapping.root);
    root.children = build.children(&mapping.elements, of_type, &scope, &mapping.root);
    build.finish(&mut root, of_type, &mapping.root);
    match build.problems.is_empty() {
        true => Ok(root),
        false => Err(build.problems),
    }
}

impl<'a> Build<'a> {
    fn report(&mut self, place: &str, field: &str, found: &str, wanted: impl Into<String>) {
        let problem = Problem::new(self.file, place, field, found, wanted);
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn fault(&mut self, place: &str, fault: &Fault) {
        self.report(place, &fault.path, &fault.found, fault.wanted.as_str());
    }

    /// The filled text; a fault or an illegal character is reported and counts as nothing.
    fn fill(&mut self, place: &str, template: &Template, scope: &Scope<'_>) -> Option<String> {
        let text = match template.fill(scope) {
            Ok(text) => text?,
            Err(fault) => {
                self.fault(place, &fault);
                return None;
            }
        };
        if let Some(bad) = text.chars().find(|c| !is_legal(*c)) {
            let wanted = format!("text without the control character U+{:04X}", u32::from(bad));
            self.report(place, template.source(), &text, wanted);
            return None;
        }
        Some(text)
    }

    fn attributes(
        &mut self,
        templates: &BTreeMap<String, Template>,
        scope: &Scope<'_>,
        place: &str,
    ) -> Vec<(String, String)> {
        let filled = templates
            .iter()
            .filter_map(|(name, template)| Some((name.clone(), self.fill(place, template, scope)?)));
        filled.collect()
    }

    fn children(
        &mut self,
        elements: &'a [Element],
        parent: &str,
        scope: &Scope<'a>,
        place: &str,
    ) -> Vec<Node> {
        let mut nodes = Vec::new();
        for element in elements {
            let place = format!("{place}/{}", element.name);
            let Some(name) = self.mapping.expand(&element.name) else {
                continue;
            };
            let of_type = self
                .table
                .child(parent, &name)
                .map(|child| child.of_type.as_str());
            let of_type = of_type.unwrap_or_default();
            let Some(each) = &element.each else {
                nodes.extend(self.element(element, &name, of_type, scope, &place));
                continue;
            };
            match each.scopes(scope) {
                Ok(scopes) => {
                    for (index, scope) in scopes.iter().enumerate() {
                        let place = format!("{place}[{}]", index + 1);
                        nodes.extend(self.element(element, &name, of_type, scope, &place));
                    }
                }
                Err(fault) => self.fault(&place, &fault),
            }
        }
        nodes
    }

    fn element(
        &mut self,
        element: &'a Element,
        name: &str,
        of_type: &str,
        scope: &Scope<'a>,
        place: &str,
    ) -> Option<Node> {
        let mut scope = scope.clone();
        if let Some(bind) = &element.bind {
            match bound(self.model, bind) {
                Some(value) => scope = scope.with(&bind.name, value),
                None => self.report(place, &bind.path.join("."), "nothing", "a group of the model"),
            }
        }
        if let Some(when) = &element.when {
            let shown = self.fill(place, when, &scope);
            if shown.is_none_or(|text| text == "false") {
                return None;
            }
        }
        let mut node = Node::new(name.to_owned());
        match &element.value {
            Some(value) => node.text = self.fill(place, value, &scope)?,
            None => node.children = self.children(self.mapping.inside(element), of_type, &scope, place),
        }
        if node.text.is_empty() && node.children.is_empty() {
            return None;
        }
        node.attributes = self.attributes(&element.attributes, &scope, place);
        self.finish(&mut node, of_type, place);
        Some(node)
    }

    /// Sorts the children as the schema lists them and counts them.
    fn finish(&mut self, node: &mut Node, of_type: &str, place: &str) {
        let Content::Children { rules, .. } = self.table.content(of_type) else {
            return;
        };
        node.children
            .sort_by_key(|child| rules.iter().position(|rule| rule.name == child.name));
        for rule in rules {
            let count = node
                .children
                .iter()
                .filter(|child| child.name == rule.name)
                .count();
            let name = local(&rule.name);
            if count < usize::try_from(rule.min).unwrap_or(usize::MAX) {
                self.report(
                    place,
                    name,
                    "nothing",
                    "a value: the schema requires this element",
                );
            }
            if rule
                .max
                .is_some_and(|max| count > usize::try_from(max).unwrap_or(usize::MAX))
            {
                self.report(
                    place,
                    name,
                    &format!("{count} of them"),
                    "one: the schema allows no more",
                );
            }
        }
    }
}
