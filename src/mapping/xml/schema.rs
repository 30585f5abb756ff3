//! The schemas the product carries, compiled once: the order table and the validator. Most are the authority's own; two
//! are derived from public field tables and say so in every message.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use fastxml::schema::{FetchResult, Schema, SchemaFetcher, Validator};

use super::content::{ContentTable, SchemaError};
use super::structure;
use super::tree::{self, Node};
use crate::mapping::json::{Json, JsonSchema};
use crate::problem::Problem;

/// A carried set of files, by their path inside the set.
struct Bundle {
    /// The files a document may begin with; the others are imported.
    entries: &'static [&'static str],
    files: &'static [(&'static str, &'static str)],
}

macro_rules! bundle {
    ($folder:literal: $($entry:literal),+; $($path:literal),* $(,)?) => {
        Bundle {
            entries: &[$($entry),+],
            files: &[
                $(($entry, include_str!(concat!("../../../mappings/schemas/", $folder, "/", $entry)))),+,
                $(($path, include_str!(concat!("../../../mappings/schemas/", $folder, "/", $path)))),*
            ],
        }
    };
}

static UBL_24: Bundle = bundle!("ubl-2.4":
    "maindoc/UBL-DespatchAdvice-2.4.xsd",
    "maindoc/UBL-ExportCustomsDeclaration-2.4.xsd",
    "maindoc/UBL-ForwardingInstructions-2.4.xsd",
    "maindoc/UBL-Invoice-2.4.xsd",
    "maindoc/UBL-PackingList-2.4.xsd",
    "maindoc/UBL-ReceiptAdvice-2.4.xsd";
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
static CDS_3: Bundle = bundle!("cds-3.0":
    "DocumentMetaData_2_DMS.xsd", "WCO_DEC_2_DMS.xsd";
    "UNECE/ISO_ISO3AlphaCurrencyCode_2012-08-31.xsd",
    "UNECE/UNECE_AgencyIdentificationCode_D12B.xsd",
    "UNECE/UnqualifiedDataType_6_DMS.xsd",
    "WCO_DS/WCO_DEC_DS_2_DMS.xsd",
    "WCO_DS/WCO_METADATA_2_DMS.xsd",
);
static CEB_303: Bundle = bundle!("ceb-303-unofficial": "CEB303.derived.xsd";);
static CEB_603: Bundle = bundle!("ceb-603-unofficial": "CEB603.derived.xsd";);
static DEC: Bundle = bundle!("dec-message-unofficial": "DecMessage.derived.xsd";);
static DCSA_BOOKING: Bundle = bundle!("dcsa-booking-2.0": "CreateBooking.schema.json";);
static ISF_10: Bundle = bundle!("isf-10": "isf-10.schema.json";);

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
    judge: Judge,
    official: bool,
}

enum Judge {
    Xsd(Arc<Schema>),
    Json(JsonSchema),
}

impl std::fmt::Debug for SchemaSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SchemaSet").finish_non_exhaustive()
    }
}

type Compiled = LazyLock<Result<SchemaSet, SchemaError>>;
static UBL_24_SET: Compiled = LazyLock::new(|| SchemaSet::compile(&UBL_24, true));
static CDS_3_SET: Compiled = LazyLock::new(|| SchemaSet::compile(&CDS_3, true));
static CEB_303_SET: Compiled = LazyLock::new(|| SchemaSet::compile(&CEB_303, false));
static CEB_603_SET: Compiled = LazyLock::new(|| SchemaSet::compile(&CEB_603, false));
static DEC_SET: Compiled = LazyLock::new(|| SchemaSet::compile(&DEC, false));
static DCSA_BOOKING_SET: Compiled = LazyLock::new(|| SchemaSet::compile(&DCSA_BOOKING, true));
static ISF_10_SET: Compiled = LazyLock::new(|| SchemaSet::compile(&ISF_10, true));

/// The names a mapping's `schema` key may take.
pub const SCHEMA_NAMES: [&str; 7] = [
    "ubl-2.4",
    "cds-3.0",
    "ceb-303-unofficial",
    "ceb-603-unofficial",
    "dec-message-unofficial",
    "dcsa-booking-2.0",
    "isf-10",
];

impl SchemaSet {
    /// The carried set of that name, compiled on first use; `None` when there is none.
    ///
    /// # Errors
    /// When the carried files do not compile: a fault of the build, not of the user.
    #[must_use]
    pub fn named(name: &str) -> Option<Result<&'static Self, &'static SchemaError>> {
        let set = match name {
            "ubl-2.4" => &UBL_24_SET,
            "cds-3.0" => &CDS_3_SET,
            "ceb-303-unofficial" => &CEB_303_SET,
            "ceb-603-unofficial" => &CEB_603_SET,
            "dec-message-unofficial" => &DEC_SET,
            "dcsa-booking-2.0" => &DCSA_BOOKING_SET,
            "isf-10" => &ISF_10_SET,
            _ => return None,
        };
        Some(set.as_ref())
    }

    fn compile(bundle: &'static Bundle, official: bool) -> Result<Self, SchemaError> {
        if let [(file, text)] = bundle.files
            && file.ends_with(".json")
        {
            let schema = JsonSchema::read(file, text)?;
            return Ok(Self {
                table: schema.table(),
                judge: Judge::Json(schema),
                official,
            });
        }
        let table = ContentTable::read(bundle.files.iter().copied())?;
        let compiled = bundle
            .files
            .iter()
            .filter(|(path, _)| bundle.entries.contains(path))
            .fold(Schema::builder(), |builder, (path, text)| {
                builder.add(format!("{BASE}{path}"), text.as_bytes())
            })
            .resolve_with(&bundle)
            .map_err(|error| SchemaError::Compile {
                file: bundle.entries.join(", "),
                source: Box::new(error),
            })?;
        Ok(Self {
            table,
            judge: Judge::Xsd(Arc::new(compiled)),
            official,
        })
    }

    #[must_use]
    pub fn is_json(&self) -> bool {
        matches!(self.judge, Judge::Json(_))
    }

    /// The bytes of a filled tree.
    ///
    /// # Errors
    /// In JSON, every value that cannot be the number or flag the schema wants.
    pub fn write(
        &self,
        file: &str,
        root: &Node,
        prefixes: &BTreeMap<String, String>,
    ) -> Result<Vec<u8>, Vec<Problem>> {
        match &self.judge {
            Judge::Xsd(_) => Ok(tree::write(root, prefixes)),
            Judge::Json(schema) => Ok(schema.json(file, root)?.write()),
        }
    }

    /// Validates a document; an empty list means valid. `file` names it in the problems. The tree is read first: it
    /// refuses what a validator should never see.
    ///
    /// # Errors
    /// Everything wrong with it.
    pub fn validate(&self, file: &str, bytes: &[u8]) -> Result<Node, Vec<Problem>> {
        let (root, mut problems) = match &self.judge {
            Judge::Xsd(_) => (
                tree::read(file, bytes).map_err(|problem| vec![problem])?,
                Vec::new(),
            ),
            Judge::Json(schema) => {
                let json = Json::read(file, bytes).map_err(|problem| vec![problem])?;
                (json.node(schema.root()), schema.faults(file, &json))
            }
        };
        problems.extend(structure::faults(&self.table, file, &root));
        if let Judge::Xsd(compiled) = &self.judge
            && problems.is_empty()
        {
            problems = values(compiled, file, bytes);
        }
        if !self.official {
            for problem in &mut problems {
                problem.wanted.push_str(" (by an unofficial, derived schema)");
            }
        }
        match problems.is_empty() {
            true => Ok(root),
            false => Err(problems),
        }
    }
}

/// What the validator says: the values above all, its structure check is a second pair of eyes.
fn values(compiled: &Arc<Schema>, file: &str, bytes: &[u8]) -> Vec<Problem> {
    let report = Validator::from(bytes)
        .schema(Arc::clone(compiled))
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

/// More faults than this in one document tell a person nothing new.
const MAX_FAULTS: usize = 50;
