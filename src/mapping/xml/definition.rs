//! What a mapping file for an XML or JSON document may say. The author lists elements in any order.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::content::{Name, expanded};
use crate::mapping::definition::Assets;
use crate::mapping::value::{Each, Template};
use crate::problem::Problem;

/// The section `[xml]` or `[json]` of a mapping file: a document whose order its schema decides. In JSON an element is a
/// member, and one that repeats is a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct XmlMapping {
    /// A carried schema set: `ubl-2.4`, `dcsa-booking-2.0`.
    pub schema: String,
    /// The root element, with its prefix unless its namespace is the default one.
    pub root: String,
    /// Attributes of the root element.
    #[serde(default)]
    pub attributes: BTreeMap<String, Template>,
    /// Prefix → namespace; the empty prefix is the default namespace. JSON has none.
    #[serde(default)]
    pub namespaces: BTreeMap<String, String>,
    /// A file of fragments that several mappings share, below `mappings/`; fragments of the same name here go before its.
    pub fragments_from: Option<String>,
    /// Lists of elements used in several places, e.g. what a party consists of.
    #[serde(default)]
    pub fragments: BTreeMap<String, Vec<Element>>,
    pub elements: Vec<Element>,
    /// What is read back from the written file and must equal the model.
    pub read_back: Vec<ReadBack>,
}

/// One element: a value, or elements inside it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Element {
    /// With its prefix: `cbc:ID`.
    pub name: String,
    /// `line in lines`: the element once for each entry of a list.
    pub each: Option<Each>,
    /// Written only when this fills to something other than nothing and `false`.
    pub when: Option<Template>,
    pub value: Option<Template>,
    #[serde(default)]
    pub attributes: BTreeMap<String, Template>,
    #[serde(default)]
    pub elements: Vec<Element>,
    /// The elements of a fragment, in place of `elements`.
    pub fragment: Option<String>,
    /// `party = shipper`: a name for a group of the model, for the fragment.
    pub bind: Option<Bind>,
}

/// `name = path.in.the.model`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Bind {
    pub name: String,
    pub path: Vec<String>,
}

impl TryFrom<String> for Bind {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let plain = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        };
        let (name, path) = text
            .split_once('=')
            .map(|(name, path)| (name.trim(), path.trim()))
            .ok_or_else(|| format!("`{text}`: wanted `<name> = <path>`, e.g. `party = shipper`"))?;
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        if !plain(name) || !path.iter().all(|part| plain(part)) {
            return Err(format!("`{text}`: names are of a-z, 0-9 and _"));
        }
        Ok(Self {
            name: name.to_owned(),
            path,
        })
    }
}

/// One comparison of the written document with the model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadBack {
    /// Name of the figure; `order`, `units`, `cartons`, `value`, `net_kg`, `gross_kg` and `volume_m3` also make up the
    /// totals that documents are compared by.
    pub what: String,
    /// Elements from the root on, joined by `/`.
    pub path: String,
    pub take: Take,
    pub equals: Template,
    /// For `take = "each"`: the list whose entries `equals` is filled for.
    pub each: Option<Each>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Take {
    /// The text of the one element.
    Only,
    /// How many elements there are.
    Count,
    /// The sum of their decimals.
    Sum,
    /// The text of each, in order.
    Each,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FragmentFile {
    fragments: BTreeMap<String, Vec<Element>>,
}

impl XmlMapping {
    /// Takes in the shared fragments. `assets` gives a file by its name below `mappings/`.
    pub fn prepare(&mut self, file: &str, assets: Assets<'_>) -> Vec<Problem> {
        let Some(name) = &self.fragments_from else {
            return Vec::new();
        };
        let Some(text) = assets(name).and_then(|bytes| String::from_utf8(bytes).ok()) else {
            let wanted = "a file of fragments below `mappings/`";
            return vec![Problem::new(file, "fragments_from", "", name, wanted)];
        };
        match crate::declared::read::<FragmentFile>(name, &text) {
            Ok(shared) => {
                for (name, elements) in shared.fragments {
                    self.fragments.entry(name).or_insert(elements);
                }
                Vec::new()
            }
            Err(problems) => problems,
        }
    }

    /// The expanded name of a prefixed one; `None` when the prefix is not declared.
    #[must_use]
    pub fn expand(&self, name: &str) -> Option<Name> {
        if self.namespaces.is_empty() {
            return Some(expanded("", name));
        }
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        self.namespaces
            .get(prefix)
            .map(|namespace| expanded(namespace, local))
    }

    /// Namespace → prefix, for writing.
    #[must_use]
    pub fn prefixes(&self) -> BTreeMap<String, String> {
        self.namespaces
            .iter()
            .map(|(prefix, namespace)| (namespace.clone(), prefix.clone()))
            .collect()
    }

    /// The elements inside an element: its own or its fragment's.
    #[must_use]
    pub fn inside<'a>(&'a self, element: &'a Element) -> &'a [Element] {
        element
            .fragment
            .as_ref()
            .and_then(|name| self.fragments.get(name))
            .map_or(element.elements.as_slice(), Vec::as_slice)
    }
}
