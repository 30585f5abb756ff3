//! What is wrong with an XML mapping in itself, found when it is read: names the schema or the model does not have.

use std::collections::BTreeMap;

use serde_json::Value;

use super::content::{Content, ContentTable, local};
use super::definition::{Bind, Element, Take, XmlMapping};
use crate::mapping::value::{Fault, Scope, Template};
use crate::problem::{Problem, nearest};

/// Fragments may not nest deeper than a document a person can follow.
const MAX_DEPTH: usize = 24;

struct Check<'a> {
    mapping: &'a XmlMapping,
    file: &'a str,
    table: &'a ContentTable,
    shape: &'a Value,
    problems: Vec<Problem>,
}

/// Everything wrong, all at once. `scope` is over `shape`.
#[must_use]
pub fn check<'a>(
    mapping: &'a XmlMapping,
    file: &'a str,
    shape: &'a Value,
    scope: &Scope<'a>,
) -> Vec<Problem> {
    let set = match mapping.schemas(file) {
        Ok(set) => set,
        Err(problems) => return problems,
    };
    let mut check = Check {
        mapping,
        file,
        table: &set.table,
        shape,
        problems: Vec::new(),
    };
    match mapping.expand(&mapping.root) {
        Some(root) => match set.table.root(&root) {
            Some(of_type) => {
                check.attributes(&mapping.root, of_type, &mapping.attributes);
                for template in mapping.attributes.values() {
                    check.template(&mapping.root, template, scope);
                }
                check.children(&mapping.root, of_type, &mapping.elements, scope, 0);
            }
            None => check.report("root", &mapping.root, "an element of the schema"),
        },
        None => check.report("root", &mapping.root, "a declared prefix"),
    }
    check.read_back(scope);
    check.problems
}

impl<'a> Check<'a> {
    fn report(&mut self, place: &str, found: &str, wanted: impl Into<String>) {
        let problem = Problem::new(self.file, place, "", found, wanted);
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    fn fault(&mut self, place: &str, fault: &Fault) {
        self.report(
            place,
            &format!("{}: {}", fault.path, fault.found),
            fault.wanted.as_str(),
        );
    }

    fn template(&mut self, place: &str, template: &Template, scope: &Scope<'_>) {
        for fault in template.faults(scope) {
            self.fault(place, &fault);
        }
    }

    fn children(
        &mut self,
        place: &str,
        of_type: &str,
        elements: &'a [Element],
        scope: &Scope<'a>,
        depth: usize,
    ) {
        if depth > MAX_DEPTH {
            self.report(place, "a fragment inside itself", "at most 24 levels");
            return;
        }
        let rules = match self.table.content(of_type) {
            Content::Children { rules, .. } => rules,
            Content::Opaque => {
                self.report(
                    place,
                    "elements inside",
                    "an element whose content is a plain sequence",
                );
                return;
            }
            Content::Text if elements.is_empty() => return,
            Content::Text => {
                self.report(place, "elements inside", "a `value`: this element holds text");
                return;
            }
        };
        for rule in rules {
            let given: Vec<&Element> = elements
                .iter()
                .filter(|element| self.mapping.expand(&element.name).as_deref() == Some(rule.name.as_str()))
                .collect();
            if given.is_empty() && rule.min > 0 {
                self.report(
                    place,
                    "no such element",
                    format!("the required element `{}`", local(&rule.name)),
                );
            }
            let repeats = given.len() > 1 && given.iter().any(|element| element.when.is_none());
            let many = repeats || given.iter().any(|element| element.each.is_some());
            if many && rule.max == Some(1) {
                let wanted = "it once: the schema allows one (give each a `when` to choose between them)";
                self.report(place, local(&rule.name), wanted);
            }
        }
        for element in elements {
            let inner_place = format!("{place}/{}", element.name);
            let Some(inner) = self.mapping.expand(&element.name) else {
                self.report(&inner_place, &element.name, "a declared prefix");
                continue;
            };
            match rules.iter().find(|rule| rule.name == inner) {
                Some(rule) => self.element(&inner_place, &rule.of_type, element, scope, depth),
                None => self.unknown_element(place, element, rules.iter().map(|rule| rule.name.as_str())),
            }
        }
    }

    fn unknown_element<'n>(&mut self, place: &str, element: &Element, known: impl Iterator<Item = &'n str>) {
        let prefixes = self.mapping.prefixes();
        let names: Vec<String> = known.map(|name| super::tree::prefixed(name, &prefixes)).collect();
        let wanted = match nearest(&element.name, names.iter().map(String::as_str)) {
            Some(near) => format!("an element the schema allows here, perhaps `{near}`"),
            None => "an element the schema allows here".to_owned(),
        };
        self.report(place, &element.name, wanted);
    }

    fn element(&mut self, place: &str, of_type: &str, element: &'a Element, scope: &Scope<'a>, depth: usize) {
        let mut inner = scope.clone();
        if let Some(each) = &element.each {
            match each.scopes(scope) {
                // The shape holds one entry in every list.
                Ok(scopes) => inner = scopes.into_iter().next().unwrap_or(inner),
                Err(fault) => self.fault(place, &fault),
            }
        }
        if let Some(bind) = &element.bind {
            match bound(self.shape, bind) {
                Some(value) => inner = inner.with(&bind.name, value),
                None => self.report(place, &bind.path.join("."), "a group of the model"),
            }
        }
        for template in element
            .when
            .iter()
            .chain(&element.value)
            .chain(element.attributes.values())
        {
            self.template(place, template, &inner);
        }
        if let Some(fragment) = &element.fragment {
            if !element.elements.is_empty() {
                self.report(place, "`fragment` and `elements`", "one of them");
            }
            if !self.mapping.fragments.contains_key(fragment) {
                let known = self.mapping.fragments.keys().map(String::as_str);
                let hint =
                    nearest(fragment, known).map_or_else(String::new, |near| format!(", perhaps `{near}`"));
                self.report(place, fragment, format!("a fragment of the mapping{hint}"));
            }
        }
        self.attributes(place, of_type, &element.attributes);
        let inside = self.mapping.inside(element);
        match (&element.value, inside.is_empty()) {
            (Some(_), false) => self.report(place, "`value` and elements", "one of them"),
            (None, true) => self.report(place, "nothing", "a `value`, `elements` or a `fragment`"),
            (Some(_), true) if self.table.content(of_type) != Content::Text => {
                self.report(place, "a `value`", "`elements`: the schema has no text here");
            }
            (Some(_), true) => {}
            (None, false) => self.children(place, of_type, inside, &inner, depth + 1),
        }
    }

    fn attributes(&mut self, place: &str, of_type: &str, given: &BTreeMap<String, Template>) {
        let rules = self.table.attributes(of_type);
        for given in given.keys() {
            if rules.iter().all(|rule| rule.name != *given) {
                let hint = nearest(given, rules.iter().map(|rule| rule.name.as_str()))
                    .map_or_else(String::new, |near| format!(", perhaps `{near}`"));
                self.report(
                    place,
                    &format!("@{given}"),
                    format!("an attribute of the schema{hint}"),
                );
            }
        }
        for rule in rules.iter().filter(|rule| rule.required) {
            if !given.contains_key(&rule.name) {
                self.report(
                    place,
                    "no such attribute",
                    format!("the required attribute `{}`", rule.name),
                );
            }
        }
    }

    fn read_back(&mut self, scope: &Scope<'a>) {
        let mapping = self.mapping;
        if mapping.read_back.iter().all(|entry| entry.what != "order") {
            self.report("read_back", "no `order`", "at least the order number read back");
        }
        for entry in &mapping.read_back {
            let place = format!("read_back {}", entry.what);
            let mut inner = scope.clone();
            match (&entry.each, entry.take == Take::Each) {
                (Some(each), true) => match each.scopes(scope) {
                    Ok(scopes) => inner = scopes.into_iter().next().unwrap_or(inner),
                    Err(fault) => self.fault(&place, &fault),
                },
                (None, false) => {}
                _ => self.report(&place, "`each`", "`each` with `take = \"each\"` and only there"),
            }
            self.template(&place, &entry.equals, &inner);
            let root = mapping.expand(&mapping.root).unwrap_or_default();
            let mut parent = self.table.root(&root).unwrap_or_default();
            for step in entry.path.split('/') {
                let name = mapping.expand(step).unwrap_or_default();
                match self.table.child(parent, &name) {
                    Some(child) => parent = &child.of_type,
                    None => {
                        let wanted = "an element the schema allows at this place of the path";
                        self.report(&place, step, wanted);
                        break;
                    }
                }
            }
        }
    }
}

/// The group of the model that a `bind` names.
#[must_use]
pub fn bound<'a>(model: &'a Value, bind: &Bind) -> Option<&'a Value> {
    bind.path.iter().try_fold(model, |value, step| value.get(step))
}
