//! Papers of an order: XML for machines and carton marks for people, judged from outside.

mod ceb603;
mod every;
mod every_faults;
mod label_designs;
mod labels;
pub mod orders;
mod packs;
pub mod tools;
mod xml;
mod xml_faults;

use std::sync::LazyLock;

use linkstar::mapping::definition::{Kind, Mapping, builtin};
use linkstar::mapping::value::Maps;
use linkstar::mapping::xml::XmlMapping;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A mapping file's section with its lookup tables.
pub struct Loaded<T> {
    pub maps: Maps,
    pub section: T,
}

/// The built-in mappings, read once.
pub fn all() -> &'static [Mapping] {
    static ALL: LazyLock<Vec<Mapping>> = LazyLock::new(|| builtin().expect("the built-in mappings"));
    &ALL
}

/// A built-in mapping by its id.
pub fn mapping(id: &str) -> &'static Mapping {
    let found = all().iter().find(|mapping| mapping.meta.id == id);
    found.expect("a built-in mapping")
}

/// The section of a built-in XML or JSON mapping.
pub fn section(id: &str) -> Loaded<XmlMapping> {
    let mapping = mapping(id);
    let section = match &mapping.kind {
        Kind::Xml(section) | Kind::Json(section) => Some(section),
        _ => None,
    };
    let section = section.expect("an XML or JSON mapping");
    Loaded {
        maps: mapping.maps.clone(),
        section: section.clone(),
    }
}

/// Reads a mapping file as the program does, but for one section only.
pub fn load<T: DeserializeOwned>(text: &str, section: &str) -> Loaded<T> {
    let table: toml::Table = toml::from_str(text).expect("TOML");
    let part = table.get(section).expect("the section").clone();
    let maps = table
        .get("maps")
        .cloned()
        .unwrap_or(toml::Value::Table(toml::Table::new()));
    Loaded {
        maps: Maps::deserialize(maps).expect("maps"),
        section: T::deserialize(part).expect("a section that reads"),
    }
}
