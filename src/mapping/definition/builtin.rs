//! The mappings that come with the program, and how a folder of one's own replaces them.

use super::{Assets, Mapping};
use crate::problem::Problem;

macro_rules! mappings {
    ($($name:literal),* $(,)?) => {
        &[$((concat!($name, ".toml"), include_str!(concat!("../../../mappings/", $name, ".toml")))),*]
    };
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../../mappings/", $name)))),*]
    };
}

const MAPPINGS: &[(&str, &str)] = mappings![
    "amazon-pack-list",
    "booking-invoice-v3",
    "br-sea-invoice",
    "carton-configuration",
    "carton-mark",
    "carton-mark-zpl",
    "carton-sscc",
    "cds-import",
    "ceb-303-stocking-order",
    "ceb-603-inventory",
    "cn-9810-booking",
    "commercial-invoice",
    "customs-four-in-one",
    "dcsa-booking",
    "dec-message-export",
    "flat-web-import",
    "fr-sea-invoice",
    "huatuo-booking-gb",
    "isf-10",
    "isf-10-json",
    "outbound-instruction",
    "outbound-instruction-pdf",
    "packing-list",
    "pallet-label",
    "sales-contract",
    "tax-invoice",
    "ubl-despatch-advice",
    "ubl-export-customs-declaration",
    "ubl-forwarding-instructions",
    "ubl-invoice",
    "ubl-packing-list",
    "ubl-receipt-advice",
    "unit-label",
    "unit-label-a4",
    "us-sea-invoice",
];
const FILES: &[(&str, &[u8])] = files![
    "fragments/ubl-party.toml",
    "samples/long.json",
    "samples/usual.json",
    "templates/br-sea-invoice.xlsx",
    "templates/fr-sea-invoice.xlsx",
    "templates/us-sea-invoice.xlsx",
    "templates/wimoor-CartonConfigurationTemplate.xlsx",
    "templates/wimoor-Invoice.xlsx",
    "templates/wimoor-customsTemplate.xlsx",
    "templates/wimoor-ship-customs-v1.xlsx",
    "templates/wimoor-ship-customs-v3.xlsx",
    "templates/wimoor-shipmentid.xlsx",
];

/// A file that built-in mappings name, or one of them, by its name below `mappings/`.
#[must_use]
pub fn builtin_file(name: &str) -> Option<Vec<u8>> {
    let found = FILES.iter().find(|(known, _)| *known == name);
    let mapping = || MAPPINGS.iter().find(|(known, _)| *known == name);
    found
        .map(|(_, bytes)| bytes.to_vec())
        .or_else(|| mapping().map(|(_, text)| text.as_bytes().to_vec()))
}

/// The built-in mappings in the order of their names.
///
/// # Errors
/// Never with the files this program was built with (a test reads them all).
pub fn builtin() -> Result<Vec<Mapping>, Vec<Problem>> {
    all_with(&[], &|_| None)
}

/// The built-in mappings and the given files `(name, text)`; a file whose id is a built-in one's replaces it.
/// `assets` is asked before the built-in files.
///
/// # Errors
/// The problems of all files together.
pub fn all_with(own: &[(String, String)], assets: Assets<'_>) -> Result<Vec<Mapping>, Vec<Problem>> {
    // A mapping that takes its page from a built-in one takes it from the file that replaces that one.
    let replaced = |name: &str| {
        let (_, text) = MAPPINGS.iter().find(|(known, _)| *known == name)?;
        let (_, own) = own.iter().find(|file| replaces(file, text))?;
        Some(own.clone().into_bytes())
    };
    let find = |name: &str| {
        assets(name)
            .or_else(|| replaced(name))
            .or_else(|| builtin_file(name))
    };
    let (mut all, mut problems) = (Vec::<Mapping>::new(), Vec::new());
    for (name, text) in own {
        match Mapping::parse(name, text, &find) {
            Ok(mapping) => match all.iter().find(|known| known.meta.id == mapping.meta.id) {
                Some(known) => {
                    let wanted = format!("an id of its own: `{}` has it too", known.file);
                    problems.push(Problem::new(name, "[mapping]", "id", mapping.meta.id, wanted));
                }
                None => all.push(mapping),
            },
            Err(more) => problems.extend(more),
        }
    }
    for (name, text) in MAPPINGS {
        // One that is replaced is not read: its template may be the one that has changed.
        if own.iter().any(|file| replaces(file, text)) {
            continue;
        }
        match Mapping::parse(name, text, &find) {
            Ok(mapping) => all.push(mapping),
            Err(more) => problems.extend(more),
        }
    }
    all.sort_by(|a, b| a.meta.id.cmp(&b.meta.id));
    match problems.is_empty() {
        true => Ok(all),
        false => Err(problems),
    }
}

/// Whether a file has the id of a built-in one; a file with faults is asked for nothing more than that.
fn replaces((_, own): &(String, String), builtin: &str) -> bool {
    let id = |text: &str| -> Option<String> {
        let file: toml::Table = text.parse().ok()?;
        Some(file.get("mapping")?.get("id")?.as_str()?.to_owned())
    };
    id(own).is_some_and(|own| Some(own) == id(builtin))
}
