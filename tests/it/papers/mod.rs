//! Papers of an order: XML for machines and carton marks for people, judged from outside.

mod label_designs;
mod labels;
pub mod orders;
mod tools;
mod xml;
mod xml_faults;

use linkstar::mapping::value::Maps;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A mapping file's section with its lookup tables.
pub struct Loaded<T> {
    pub maps: Maps,
    pub section: T,
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
