//! The mappings that come with the program, and how a folder of one's own replaces them.

use super::{Assets, Mapping};
use crate::problem::Problem;

const MAPPINGS: [(&str, &str); 19] = [
    (
        "booking-invoice-v3.toml",
        include_str!("../../../mappings/booking-invoice-v3.toml"),
    ),
    (
        "carton-configuration.toml",
        include_str!("../../../mappings/carton-configuration.toml"),
    ),
    (
        "carton-mark.toml",
        include_str!("../../../mappings/carton-mark.toml"),
    ),
    (
        "carton-mark-zpl.toml",
        include_str!("../../../mappings/carton-mark-zpl.toml"),
    ),
    (
        "carton-sscc.toml",
        include_str!("../../../mappings/carton-sscc.toml"),
    ),
    (
        "cn-9810-booking.toml",
        include_str!("../../../mappings/cn-9810-booking.toml"),
    ),
    (
        "commercial-invoice.toml",
        include_str!("../../../mappings/commercial-invoice.toml"),
    ),
    (
        "customs-four-in-one.toml",
        include_str!("../../../mappings/customs-four-in-one.toml"),
    ),
    (
        "flat-web-import.toml",
        include_str!("../../../mappings/flat-web-import.toml"),
    ),
    (
        "huatuo-booking-gb.toml",
        include_str!("../../../mappings/huatuo-booking-gb.toml"),
    ),
    ("isf-10.toml", include_str!("../../../mappings/isf-10.toml")),
    (
        "outbound-instruction.toml",
        include_str!("../../../mappings/outbound-instruction.toml"),
    ),
    (
        "packing-list.toml",
        include_str!("../../../mappings/packing-list.toml"),
    ),
    (
        "pallet-label.toml",
        include_str!("../../../mappings/pallet-label.toml"),
    ),
    (
        "sales-contract.toml",
        include_str!("../../../mappings/sales-contract.toml"),
    ),
    (
        "ubl-forwarding-instructions.toml",
        include_str!("../../../mappings/ubl-forwarding-instructions.toml"),
    ),
    (
        "ubl-packing-list.toml",
        include_str!("../../../mappings/ubl-packing-list.toml"),
    ),
    (
        "unit-label.toml",
        include_str!("../../../mappings/unit-label.toml"),
    ),
    (
        "unit-label-a4.toml",
        include_str!("../../../mappings/unit-label-a4.toml"),
    ),
];
const FILES: [(&str, &[u8]); 6] = [
    (
        "samples/long.json",
        include_bytes!("../../../mappings/samples/long.json"),
    ),
    (
        "samples/usual.json",
        include_bytes!("../../../mappings/samples/usual.json"),
    ),
    (
        "templates/wimoor-CartonConfigurationTemplate.xlsx",
        include_bytes!("../../../mappings/templates/wimoor-CartonConfigurationTemplate.xlsx"),
    ),
    (
        "templates/wimoor-customsTemplate.xlsx",
        include_bytes!("../../../mappings/templates/wimoor-customsTemplate.xlsx"),
    ),
    (
        "templates/wimoor-ship-customs-v1.xlsx",
        include_bytes!("../../../mappings/templates/wimoor-ship-customs-v1.xlsx"),
    ),
    (
        "templates/wimoor-ship-customs-v3.xlsx",
        include_bytes!("../../../mappings/templates/wimoor-ship-customs-v3.xlsx"),
    ),
];

/// A file that built-in mappings name, by its name below `mappings/`.
#[must_use]
pub fn builtin_file(name: &str) -> Option<Vec<u8>> {
    let found = FILES.iter().find(|(known, _)| *known == name);
    found.map(|(_, bytes)| bytes.to_vec())
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
    let find = |name: &str| assets(name).or_else(|| builtin_file(name));
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
