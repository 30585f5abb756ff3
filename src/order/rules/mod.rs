//! What a destination asks for (R7, R26): rule packs as dated data, each rule with its source and the day somebody looked.
//!
//! A country may be spoken of by several packs (Germany by its own and by that of the Union); the pack of every country (`*`) holds
//! what the goods themselves ask for. A country of which no pack speaks has no rules that are known, which is not the same as none.

mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::gate::Level;
use super::model::{Goods, Mode};
use super::party_id::PartyId;
use crate::wording::Lang;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    pub zh: String,
    pub en: String,
}

impl Words {
    #[must_use]
    pub fn of(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// A property of the goods that rules may depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    Battery,
    Magnet,
    Liquid,
    Powder,
}

impl Flag {
    pub const ALL: [Self; 4] = [Self::Battery, Self::Magnet, Self::Liquid, Self::Powder];

    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Battery => "battery",
            Self::Magnet => "magnet",
            Self::Liquid => "liquid",
            Self::Powder => "powder",
        }
    }

    #[must_use]
    pub fn is_set(self, goods: &Goods) -> bool {
        match self {
            Self::Battery => goods.battery,
            Self::Magnet => goods.magnet,
            Self::Liquid => goods.liquid,
            Self::Powder => goods.powder,
        }
    }
}

/// What a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "asks", content = "what")]
pub enum Ask {
    /// A number of the importer of record, such as `eori`.
    ImporterId(PartyId),
    /// A certificate of the goods, by its type.
    Certificate(String),
    /// A registration of the seller in the country, by its type: one number for all goods of the kind.
    Registration(String),
    /// A message to an authority so many hours before loading.
    Filing { name: String, hours_before_loading: u32 },
    /// Goods that may not go there.
    Forbidden,
    /// A text on goods or carton.
    Label(String),
    /// What is paid at the border.
    Tax(String),
}

/// One rule, as long as it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    pub id: String,
    #[serde(flatten)]
    pub ask: Ask,
    /// Types of papers that do as well as the one asked for.
    pub or: Vec<String>,
    pub words: Words,
    /// Empty: by every mode.
    pub modes: Vec<Mode>,
    /// Empty: of every category.
    pub categories: Vec<String>,
    /// Empty: whatever the goods are; else any of these.
    pub flags: Vec<Flag>,
    pub level: Level,
    pub valid_from: NaiveDate,
    pub valid_to: Option<NaiveDate>,
    pub source: String,
    /// When somebody last compared the rule with what it is taken from; `None`: nobody has yet, it is general knowledge.
    pub checked: Option<NaiveDate>,
}

impl Rule {
    #[must_use]
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|last| day <= last)
    }

    #[must_use]
    pub fn speaks_of_mode(&self, mode: Mode) -> bool {
        self.modes.is_empty() || self.modes.contains(&mode)
    }

    /// Whether it is about these goods; nobody knows when the rule names categories and the goods have none.
    #[must_use]
    pub fn speaks_of(&self, goods: &Goods) -> Concern {
        if !self.flags.is_empty() && !self.flags.iter().any(|flag| flag.is_set(goods)) {
            return Concern::No;
        }
        match goods.customs.category.as_str() {
            _ if self.categories.is_empty() => Concern::Yes,
            "" => Concern::Unknown,
            category if self.categories.iter().any(|known| known == category) => Concern::Yes,
            _ => Concern::No,
        }
    }

    /// Whether the rule asks by what the goods are.
    #[must_use]
    pub fn depends_on_category(&self) -> bool {
        !self.categories.is_empty()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    Yes,
    No,
    Unknown,
}

/// The rules of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pack {
    pub id: String,
    pub words: Words,
    /// `*` is every country.
    pub countries: Vec<String>,
    pub rules: Vec<Rule>,
}

/// A kind of goods that rules speak of, and the tariff headings it usually stands in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Category {
    pub id: String,
    pub words: Words,
    pub hs: Vec<String>,
}

/// Every pack, the categories and the types of papers they name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RuleBook {
    pub packs: Vec<Pack>,
    pub categories: BTreeMap<String, Category>,
    /// Types of certificates and registrations.
    pub papers: BTreeMap<String, Words>,
}

/// Every country.
const EVERYWHERE: &str = "*";

impl RuleBook {
    /// Whether any pack speaks of the country itself.
    #[must_use]
    pub fn knows(&self, country: &str) -> bool {
        self.packs
            .iter()
            .any(|pack| pack.countries.iter().any(|known| known == country))
    }

    /// The rules of a country that hold on a day for a mode, each with its pack.
    pub fn rules<'b>(
        &'b self,
        country: &'b str,
        mode: Mode,
        day: NaiveDate,
    ) -> impl Iterator<Item = (&'b Pack, &'b Rule)> {
        self.packs
            .iter()
            .filter(move |pack| {
                pack.countries
                    .iter()
                    .any(|known| known == country || known == EVERYWHERE)
            })
            .flat_map(|pack| pack.rules.iter().map(move |rule| (pack, rule)))
            .filter(move |(_, rule)| rule.holds_on(day) && rule.speaks_of_mode(mode))
    }

    /// The category whose heading fits a tariff code best: a hint for the person who classifies, never an answer.
    #[must_use]
    pub fn hint(&self, hs: &str) -> Option<&Category> {
        self.categories
            .values()
            .flat_map(|category| category.hs.iter().map(move |prefix| (prefix, category)))
            .filter(|(prefix, _)| hs.starts_with(prefix.as_str()))
            .max_by_key(|(prefix, _)| prefix.len())
            .map(|(_, category)| category)
    }
}
