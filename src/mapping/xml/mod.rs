//! XML and JSON documents in the order of their schema, validated before they leave.

pub mod build;
pub mod check;
pub mod content;
pub mod definition;
mod facets;
pub mod read_back;
pub mod schema;
pub mod structure;
pub mod tree;
mod xsd;

use serde_json::Value;

pub use definition::XmlMapping;
pub use read_back::DocumentTotals;
use schema::{SCHEMA_NAMES, SchemaSet};

use crate::mapping::model::shape;
use crate::mapping::value::{Maps, Scope};
use crate::problem::Problem;

pub const XML_MEDIA_TYPE: &str = "application/xml";

impl XmlMapping {
    /// Everything wrong with the mapping itself, before any order meets it: elements the schema does not know (with
    /// the nearest name), required children left out, paths the model does not have. `file` is the mapping's.
    #[must_use]
    pub fn faults(&self, file: &str, maps: &Maps) -> Vec<Problem> {
        check::check(self, file, shape(), &Scope::new(shape(), maps))
    }

    /// Writes the document: filled, sorted by the schema, validated, read back and compared with the model.
    /// The same model gives the same bytes.
    ///
    /// # Errors
    /// Everything that is missing or wrong, and then no bytes at all.
    pub fn write(&self, file: &str, model: &Value, maps: &Maps) -> Result<Vec<u8>, Vec<Problem>> {
        let set = self.schemas(file)?;
        let root = build::build(self, file, &set.table, model, maps)?;
        let bytes = set.write(file, &root, &self.prefixes())?;
        let problems = self.check(file, &bytes, &Scope::new(model, maps));
        match problems.is_empty() {
            true => Ok(bytes),
            false => Err(problems),
        }
    }

    /// Checks a document, ours or edited by hand, against schema and model; an empty list means that it may leave.
    /// `name` is the document's.
    #[must_use]
    pub fn check(&self, name: &str, bytes: &[u8], scope: &Scope<'_>) -> Vec<Problem> {
        match self.read(name, bytes) {
            Ok(root) => read_back::compare(self, name, &root, scope),
            Err(problems) => problems,
        }
    }

    /// The totals a document declares, for comparing documents of one order with each other.
    ///
    /// # Errors
    /// When it is not a valid document of this mapping's kind.
    pub fn totals(&self, name: &str, bytes: &[u8]) -> Result<DocumentTotals, Vec<Problem>> {
        read_back::totals(self, name, &self.read(name, bytes)?)
    }

    /// A valid document of this mapping's kind as a tree.
    fn read(&self, name: &str, bytes: &[u8]) -> Result<tree::Node, Vec<Problem>> {
        let root = self.schemas(name)?.validate(name, bytes)?;
        if Some(&root.name) == self.expand(&self.root).as_ref() {
            return Ok(root);
        }
        let wanted = format!("the root element `{}`", self.root);
        Err(vec![Problem::new(name, "", "", root.name, wanted)])
    }

    /// Whether the document is JSON: its schema says so. `None` when there is no such schema.
    #[must_use]
    pub fn is_json(&self) -> Option<bool> {
        Some(SchemaSet::named(&self.schema)?.ok()?.is_json())
    }

    fn schemas(&self, file: &str) -> Result<&'static SchemaSet, Vec<Problem>> {
        match SchemaSet::named(&self.schema) {
            Some(Ok(set)) => Ok(set),
            Some(Err(error)) => {
                let wanted = "a carried schema that compiles";
                Err(vec![Problem::new(
                    file,
                    "[xml]",
                    "schema",
                    error.to_string(),
                    wanted,
                )])
            }
            None => {
                let wanted = format!("a carried schema: {}", SCHEMA_NAMES.join(", "));
                Err(vec![Problem::new(file, "[xml]", "schema", &self.schema, wanted)])
            }
        }
    }
}
