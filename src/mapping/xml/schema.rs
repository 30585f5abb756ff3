//! The official schemas the product carries, compiled once: the order table and the validator.

use std::sync::{Arc, LazyLock};

use fastxml::schema::{FetchResult, Schema, SchemaFetcher, Validator};

use super::content::{ContentTable, SchemaError};
use super::structure;
use super::tree::{self, Node};
use crate::problem::Problem;

/// A carried set of XSD files, by their path inside the set.
struct Bundle {
    files: &'static [(&'static str, &'static str)],
}

macro_rules! bundle {
    ($folder:literal: $($path:literal),* $(,)?) => {
        Bundle { files: &[$(($path, include_str!(concat!("../../../mappings/schemas/", $folder, "/", $path)))),*] }
    };
}

static UBL_24: Bundle = bundle!("ubl-2.4":
    "maindoc/UBL-ForwardingInstructions-2.4.xsd",
    "maindoc/UBL-PackingList-2.4.xsd",
    "maindoc/UBL-ReceiptAdvice-2.4.xsd",
    "common/BDNDR-CCTS_CCT_SchemaModule-1.1.xsd",
    "common/BDNDR-UnqualifiedDataTypes-1.1.xsd",
    "common/UBL-CommonAggregateComponents-2.4.xsd",
    "common/UBL-CommonBasicComponents-2.4.xsd",
    "common/UBL-CommonExtensionComponents-2.4.xsd",
    "common/UBL-CommonSignatureComponents-2.4.xsd",
    "common/UBL-ExtensionContentDataType-2.4.xsd",
    "common/UBL-QualifiedDataTypes-2.4.xsd",
    "common/UBL-SignatureAggregateComponents-2.4.xsd",
    "common/UBL-SignatureBasicComponents-2.4.xsd",
    "common/UBL-XAdES01903v132-201601-2.4.xsd",
    "common/UBL-XAdES01903v141-201601-2.4.xsd",
    "common/UBL-xmldsig-core-schema-2.4.xsd",
    "common/UBL-xmldsig1-schema-2.4.xsd",
    "common/UBL-xmldsig11-schema-2.4.xsd",
);

/// Relative imports need an absolute base; this one names no place on any machine.
const BASE: &str = "bundle:///";

/// Serves the imports of a bundle from memory; anything else does not exist, so no schema is ever fetched.
impl SchemaFetcher for &'static Bundle {
    fn fetch(&self, url: &str) -> fastxml::error::Result<FetchResult> {
        let file_name = url.rsplit('/').next().unwrap_or(url);
        let found = self
            .files
            .iter()
            .find(|(path, _)| path.rsplit('/').next() == Some(file_name));
        match found {
            Some((path, text)) => Ok(FetchResult {
                content: text.as_bytes().to_vec(),
                final_url: format!("{BASE}{path}"),
                redirected: false,
            }),
            None => Err(std::io::Error::new(
                std::io::ErrorKind::NotFound,
                format!("`{url}` is not among the carried schemas"),
            )
            .into()),
        }
    }
}

/// One carried schema set: what stands where, and the judge.
pub struct SchemaSet {
    pub table: ContentTable,
    compiled: Arc<Schema>,
}

impl std::fmt::Debug for SchemaSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SchemaSet").finish_non_exhaustive()
    }
}

static UBL_24_SET: LazyLock<Result<SchemaSet, SchemaError>> = LazyLock::new(|| SchemaSet::compile(&UBL_24));

/// The names a mapping's `schema` key may take.
pub const SCHEMA_NAMES: [&str; 1] = ["ubl-2.4"];

impl SchemaSet {
    /// The carried set of that name, compiled on first use; `None` when there is none.
    ///
    /// # Errors
    /// When the carried files do not compile: a fault of the build, not of the user.
    #[must_use]
    pub fn named(name: &str) -> Option<Result<&'static Self, &'static SchemaError>> {
        (name == "ubl-2.4").then(|| UBL_24_SET.as_ref())
    }

    fn compile(bundle: &'static Bundle) -> Result<Self, SchemaError> {
        let table = ContentTable::read(bundle.files.iter().copied())?;
        let compiled = bundle
            .files
            .iter()
            .filter(|(path, _)| path.starts_with("maindoc/"))
            .fold(Schema::builder(), |builder, (path, text)| {
                builder.add(format!("{BASE}{path}"), text.as_bytes())
            })
            .resolve_with(&bundle)
            .map_err(|error| SchemaError::Compile {
                file: "maindoc".to_owned(),
                source: Box::new(error),
            })?;
        Ok(Self {
            table,
            compiled: Arc::new(compiled),
        })
    }

    /// Validates a document; an empty list means valid. `file` names it in the problems. The tree is read first: it
    /// refuses what a validator should never see.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub fn validate(&self, file: &str, bytes: &[u8]) -> Result<Node, Vec<Problem>> {
        let root = tree::read(file, bytes).map_err(|problem| vec![problem])?;
        let mut problems = structure::faults(&self.table, file, &root);
        if problems.is_empty() {
            problems = self.values(file, bytes);
        }
        match problems.is_empty() {
            true => Ok(root),
            false => Err(problems),
        }
    }

    /// What the validator says: the values above all, its structure check is a second pair of eyes.
    fn values(&self, file: &str, bytes: &[u8]) -> Vec<Problem> {
        let report = Validator::from(bytes)
            .schema(Arc::clone(&self.compiled))
            .max_errors(MAX_FAULTS)
            .run();
        match report {
            Ok(report) => report
                .errors()
                .iter()
                .map(|fault| {
                    let place = fault
                        .location
                        .line
                        .map_or_else(String::new, |line| format!("line {line}"));
                    let node = fault.node_name.as_deref().unwrap_or("document");
                    let found = fault.found.as_deref().unwrap_or_default();
                    Problem::new(
                        file,
                        place,
                        node,
                        found,
                        format!("what the schema allows: {}", fault.message),
                    )
                })
                .collect(),
            Err(error) => vec![Problem::new(file, "", "", error.to_string(), "well-formed XML")],
        }
    }
}

/// More faults than this in one document tell a person nothing new.
const MAX_FAULTS: usize = 50;
